#!/usr/bin/env bash
# Perl: modules, a child process, files; and its own attempts.
set -uo pipefail
. "$1/tests/real/lib.sh"
need perl perl

job perl perl -e '
	use strict;
	use File::Temp qw(tempfile);
	use List::Util qw(sum);
	use POSIX qw(strftime);
	my ($file, $name) = tempfile();
	print $file "$_\n" for 1 .. 1000;
	close $file;
	open my $sorted, "-|", "sort", "-rn", $name or die $!;
	die "wrong sum" unless sum(<$sorted>) == 500500;
	strftime("%F", localtime);
	unlink $name or die $!;
	do "./attempt.pl";
	die $@ if $@;
'
finish
