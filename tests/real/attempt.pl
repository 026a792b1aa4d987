#!/usr/bin/perl
# The four attempts, by Perl.
use strict;
use warnings;
use Socket;

sub read_key
{
	open(my $key, '<', $ENV{ATTEMPT_KEY}) or return 0;
	return defined(<$key>);
}

sub write_outside
{
	open(my $file, '>', $ENV{ATTEMPT_OUTSIDE}) or return 0;
	return print $file "was here\n";
}

sub connect_out
{
	socket(my $socket, PF_INET, SOCK_STREAM, 0) or return 0;
	return connect($socket, sockaddr_in($ENV{ATTEMPT_PORT}, INADDR_LOOPBACK));
}

my %attempts = (
	read => \&read_key,
	write => \&write_outside,
	connect => \&connect_out,
	signal => sub { kill('CONT', $ENV{ATTEMPT_PID}) },
);

open(my $log, '>>', $ENV{ATTEMPT_LOG}) or die "$ENV{ATTEMPT_LOG}: $!";
for my $name (sort keys %attempts) {
	print $log "$name ", ($attempts{$name}->() ? 'done' : $!), "\n";
}
