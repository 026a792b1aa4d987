/* SPDX-License-Identifier: MIT */
/*
 * Other ways to where a rule does not lead: the same address in other clothes, and other protocols,
 * calls and entries that come to the same. What was received is told by ways.py.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include "hostile.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

static in_port_t good_port, bad_port;

/* Both on 127.0.0.1. */
static void read_ports(void)
{
	char host[HOST_SIZE];

	read_peers(&good_port, host, &bad_port);
}

static void granted(bool done)
{
	score->tries++;
	score->grants += done;
}

/* ---------------------------------------------------------------------- addresses */

/* How IPv4 addresses of this host can be written. */
static const char *const dressed[] = {
	"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:127.9.9.9", "::", "::1"};
static const char *const plain[] = {"127.0.0.1", "0.0.0.0", "127.9.9.9"};

static bool send_by(int fd, const void *to, socklen_t size)
{
	return sendto(fd, "x", 1, 0, to, size) == 1;
}

static bool connect_by(int fd, const void *to, socklen_t size)
{
	return connect(fd, to, size) == 0 && write(fd, "x", 1) == 1;
}

static bool try_by(int family, bool (*act)(int fd, const void *to, socklen_t size), const void *to,
	socklen_t size)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	NEED(fd >= 0);
	done = act(fd, to, size);
	close(fd);
	return done;
}

static void try_v6(in_port_t port)
{
	for (size_t i = 0; i < COUNT(dressed); i++) {
		struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = port};

		NEED(inet_pton(AF_INET6, dressed[i], &to.sin6_addr) == 1);
		granted(try_by(AF_INET6, send_by, &to, sizeof(to)));
		granted(try_by(AF_INET6, connect_by, &to, sizeof(to)));
	}
}

static void try_v4(int family, sa_family_t as, in_port_t port)
{
	for (size_t i = 0; i < COUNT(plain); i++) {
		struct sockaddr_in to = {.sin_family = as, .sin_port = port};

		NEED(inet_pton(AF_INET, plain[i], &to.sin_addr) == 1);
		granted(try_by(family, send_by, &to, sizeof(to)));
		if (as != AF_UNSPEC) /* which means a disconnect */
			granted(try_by(family, connect_by, &to, sizeof(to)));
	}
}

/* By IPv6, all of which is granted, and what means this host without saying so. */
static void mapped(void)
{
	read_ports();
	try_v4(AF_INET, AF_INET, good_port);
	try_v6(bad_port);
}

static void this_host(void)
{
	read_ports();
	try_v4(AF_INET, AF_INET, good_port);
	try_v4(AF_INET, AF_INET, bad_port);
	try_v4(AF_INET6, AF_INET, bad_port);
}

/* No family is taken for IPv4 by sendto(2). */
static void no_family(void)
{
	read_ports();
	try_v4(AF_INET, AF_UNSPEC, good_port);
	try_v4(AF_INET, AF_UNSPEC, bad_port);
}

/* --------------------------------------------------------------- TCP by other means */

static struct sockaddr_in at_port(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void connect_tcp_good(void)
{
	struct sockaddr_in to = at_port(good_port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	NEED(fd >= 0);
	granted(connect_by(fd, &to, sizeof(to)));
	close(fd);
}

/* Each by one call that connects and sends. */
static void fast_open(void)
{
	struct iovec one = {(void *)"x", 1};
	struct sockaddr_in to;
	struct mmsghdr many = {
		{.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &one, .msg_iovlen = 1}, 0};
	int fds[4];

	read_ports();
	connect_tcp_good();
	to = at_port(bad_port);
	for (size_t i = 0; i < COUNT(fds); i++)
		NEED((fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
	granted(sendto(fds[0], "x", 1, MSG_FASTOPEN, (void *)&to, sizeof(to)) == 1);
	granted(sendmsg(fds[1], &many.msg_hdr, MSG_FASTOPEN) == 1);
	granted(sendmmsg(fds[2], &many, 1, MSG_FASTOPEN) == 1);
	granted(syscall(SYS_sendto, fds[3], "x", 1, 1L << 32 | MSG_FASTOPEN, &to, sizeof(to)) == 1);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* The type and protocol say TCP to nobody who does not know better. */
static void multipath(void)
{
	static const long protocols[] = {IPPROTO_MPTCP, 1L << 32 | IPPROTO_MPTCP};

	read_ports();
	connect_tcp_good();
	for (size_t i = 0; i < COUNT(protocols); i++) {
		struct sockaddr_in to = at_port(bad_port);
		int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, protocols[i]);

		score->tries++;
		if (fd >= 0)
			(void)connect_by(fd, &to, sizeof(to));
		close(fd);
	}
}

/* To the host of this virtual machine, and to whatever listens here. */
static void vsock(void)
{
	read_ports();
	connect_tcp_good();
	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
		score->tries++;
		score->hits += syscall(SYS_socket, AF_VSOCK, type, 0) >= 0;
		score->hits += syscall(SYS_socket, 1L << 32 | AF_VSOCK, 1L << 32 | type, 0) >= 0;
	}
}

/* ----------------------------------------------------------------- another entry */

#define I386_SOCKETCALL 102

/* socketcall(SYS_SOCKET, {family, type, 0}), whose arguments lie in the memory of 32 bits. */
static long socketcall(int *args)
{
#ifdef __x86_64__
	long result = I386_SOCKETCALL;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(1L), "c"(args)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	(void)args;
	return -ENOSYS;
#endif
}

static void old_entry(void)
{
	int *args = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	NEED(args == (void *)0x10000000);
	read_ports();
	connect_tcp_good();
	for (int type = SOCK_STREAM; type <= SOCK_RAW; type++) {
		args[0] = AF_INET;
		args[1] = type;
		score->tries++;
		score->hits += socketcall(args) >= 0;
	}
}

const struct attack ways_attacks[] = {
	{"mapped", mapped},
	{"this-host", this_host},
	{"no-family", no_family},
	{"fast-open", fast_open},
	{"multipath", multipath},
	{"vsock", vsock},
	{"socketcall", old_entry},
	{NULL, NULL},
};
