# The part of the stand-in program that handles Ctrl-C, as the real one does. Perl, since its handler runs at once,
# wherever the signal falls.
use strict;
use warnings;
use POSIX qw(sigaction SIGINT);

sigaction(SIGINT, POSIX::SigAction->new(sub {
    syswrite(STDERR, "program interrupted\n");
    POSIX::_exit(130);
}));
open(my $ready, ">", "$ENV{CASE_DIR}/ready") or die "no test waits: $!\n";
print $ready "ready\n";
close($ready);
sleep 20;
