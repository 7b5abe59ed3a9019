# The fake program that handles Ctrl-C, as the real one does. Written in Perl, because its handler runs immediately,
# whenever the signal arrives.
use strict;
use warnings;
use POSIX qw(sigaction SIGINT);

sigaction(SIGINT, POSIX::SigAction->new(sub {
    syswrite(STDERR, "program interrupted\n");
    POSIX::_exit(130);
}));
open(my $ready, ">", "$ENV{CASE_DIR}/ready") or die "no test is waiting: $!\n";
print $ready "ready\n";
close($ready);
sleep 20;
