/* SPDX-License-Identifier: MIT */
/*
 * Calls on sockets, again and again, timed from inside:
 *
 *	sockets WHAT LOOPS
 *
 * WHAT is `unix` or `tcp` (a connect to a listener of one's own), `socket` (making and closing a
 * UDP socket), or `stream` (a byte to and fro over a TCP connection that exists). Prints
 * nanoseconds per call, the best of many batches.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"

#define BATCHES 20
#define PATH	"bench.sock"

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static union {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
} address;
static socklen_t address_size;
static int listener, one, other;

static void listen_on(int family)
{
	listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(listener >= 0, "socket");
	need(bind(listener, &address.any, address_size) == 0, "bind");
	need(getsockname(listener, &address.any, &address_size) == 0, "getsockname");
	need(listen(listener, 16) == 0, "listen");
}

static void prepare_unix(void)
{
	unlink(PATH);
	address.un = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = PATH};
	address_size = sizeof(address.un);
	listen_on(AF_UNIX);
}

static void prepare_tcp(void)
{
	address.in =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	address_size = sizeof(address.in);
	listen_on(AF_INET);
}

/* What is timed: connect alone. */
static double connect_once(void)
{
	const struct linger reset = {1, 0}; /* no TIME_WAIT: ports are few */
	double before, took;

	one = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(one >= 0, "socket");
	before = now();
	need(connect(one, &address.any, address_size) == 0, "connect");
	took = now() - before;
	other = accept(listener, NULL, NULL);
	need(other >= 0, "accept");
	setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(one);
	close(other);
	return took;
}

static double socket_once(void)
{
	double before = now();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(fd >= 0, "socket");
	close(fd);
	return now() - before;
}

static void prepare_stream(void)
{
	prepare_tcp();
	one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(connect(one, &address.any, address_size) == 0, "connect");
	other = accept(listener, NULL, NULL);
	need(other >= 0, "accept");
}

static double stream_once(void)
{
	char byte = 'x';
	double before = now();

	need(write(one, &byte, 1) == 1 && read(other, &byte, 1) == 1, "to");
	need(send(other, &byte, 1, 0) == 1 && recv(one, &byte, 1, 0) == 1, "fro");
	return now() - before;
}

static void nothing(void)
{
}

static const struct what {
	const char *name;
	void (*prepare)(void);
	double (*once)(void);
} all[] = {{"unix", prepare_unix, connect_once}, {"tcp", prepare_tcp, connect_once},
	{"socket", nothing, socket_once}, {"stream", prepare_stream, stream_once}};

int main(int argc, char **argv)
{
	long loops = argc == 3 ? atol(argv[2]) : 0;
	const struct what *what = NULL;
	double best = 0;

	for (size_t i = 0; argc == 3 && i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].name, argv[1]))
			what = &all[i];
	if (!what || loops < 1) {
		fprintf(stderr, "usage: sockets unix|tcp|socket|stream LOOPS\n");
		return 1;
	}
	what->prepare();
	for (int i = 0; i < BATCHES; i++) {
		double took = 0;

		for (long k = 0; k < loops; k++)
			took += what->once();
		if (i == 0 || took < best)
			best = took;
	}
	printf("%.2f\n", best / (double)loops);
	return 0;
}
