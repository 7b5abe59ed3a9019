# launch.pl USER COMMAND [ARGUMENT...]: runs the command in a new process group, with default signal handlers: a shell
# starts background processes with SIGINT ignored. USER 'other' means an unprivileged user if root runs the test.
use strict;
use warnings;
use POSIX qw(setgid setuid);

my $user = shift;
$SIG{$_} = "DEFAULT" for qw(INT QUIT TERM);
setpgrp(0, 0);
if ($user eq "other" && $> == 0) {
    setgid(65534) && setuid(65534) or die "cannot change the user: $!\n";
}
exec { $ARGV[0] } @ARGV or die "cannot run $ARGV[0]: $!\n";
