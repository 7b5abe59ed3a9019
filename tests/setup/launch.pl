# launch.pl USER COMMAND [ARGUMENT...]: runs the command in a process group of its own, with the signals at their defaults:
# a shell has SIGINT ignored in what it starts in the background. USER 'other' is not root, where the test is run by root.
use strict;
use warnings;
use POSIX qw(setgid setuid);

my $user = shift;
$SIG{$_} = "DEFAULT" for qw(INT QUIT TERM);
setpgrp(0, 0);
if ($user eq "other" && $> == 0) {
    setgid(65534) && setuid(65534) or die "cannot become another user: $!\n";
}
exec { $ARGV[0] } @ARGV or die "cannot run $ARGV[0]: $!\n";
