#!/usr/bin/perl
# Runs a program on x86-64 as Linux 4.9 would answer it: every system call that came later ends with ENOSYS.
# Usage: enosys.pl PROGRAM [ARGUMENT...]
use strict;
use warnings;

my ($LOAD, $JUMP_EQUAL, $JUMP_GREATER_EQUAL, $RETURN) = (0x20, 0x15, 0x35, 0x06);
my ($ALLOW, $ENOSYS) = (0x7fff0000, 0x00050000 | 38);
my ($FIRST_AFTER, $LAST_OF_FIRST_BLOCK, $SECOND_BLOCK) = (332, 335, 424);

# Numbers 332 to 335 and 424 up are newer than 4.9; 336 to 423 are not in use.
my @filter = (
    pack('SCCL', $LOAD, 0, 0, 0),
    pack('SCCL', $JUMP_GREATER_EQUAL, 2, 0, $SECOND_BLOCK),
    pack('SCCL', $JUMP_GREATER_EQUAL, 0, 2, $FIRST_AFTER),
    pack('SCCL', $JUMP_GREATER_EQUAL, 1, 0, $LAST_OF_FIRST_BLOCK + 1),
    pack('SCCL', $RETURN, 0, 0, $ENOSYS),
    pack('SCCL', $RETURN, 0, 0, $ALLOW),
);
my $code = join '', @filter;
my $program = pack 'Sx6P', scalar @filter, $code;

my ($PRCTL, $SET_NO_NEW_PRIVS, $SET_SECCOMP, $MODE_FILTER) = (157, 38, 22, 2);
syscall($PRCTL, $SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 or die "Cannot give up new privileges: $!\n";
syscall($PRCTL, $SET_SECCOMP, $MODE_FILTER, $program, 0, 0) == 0 or die "Cannot set the filter: $!\n";
exec { $ARGV[0] } @ARGV or die "Cannot run $ARGV[0]: $!\n";
