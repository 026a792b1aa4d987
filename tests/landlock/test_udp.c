/* SPDX-License-Identifier: MIT */
/* UDP rights where the kernel lacks them, for a process that restricts itself. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

#define BIND_UDP LANDLOCK_ACCESS_NET_BIND_UDP
#define SEND_UDP LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP

static struct sockaddr_in at_port(unsigned int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* A socket on a port of the kernel's choice. */
static int receiver(int type, unsigned int *ret_port)
{
	struct sockaddr_in address = at_port(0);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (void *)&address, sizeof(address)) == 0);
	CHECK(type == SOCK_DGRAM || listen(fd, 8) == 0);
	CHECK(getsockname(fd, (void *)&address, &size) == 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* Of the probe, which finds the ports where it was forked with them. */
static unsigned int granted, other, tcp;

static int how(int (*use)(int fd, const struct sockaddr_in *to), unsigned int port, int type)
{
	struct sockaddr_in to = at_port(port);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	r = use(fd, &to) < 0 ? errno : 0;
	close(fd);
	return r;
}

static int by_connect(int fd, const struct sockaddr_in *to)
{
	return connect(fd, (const void *)to, sizeof(*to));
}

static int by_sendto(int fd, const struct sockaddr_in *to)
{
	return (int)sendto(fd, "x", 1, 0, (const void *)to, sizeof(*to));
}

static int by_sendmsg(int fd, const struct sockaddr_in *to)
{
	char byte = 'm';
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &part,
		.msg_iovlen = 1};

	return (int)sendmsg(fd, &message, 0);
}

/* Connected to where it may, and then sent elsewhere. */
static int by_other_name(int fd, const struct sockaddr_in *to)
{
	struct sockaddr_in first = at_port(granted);

	if (connect(fd, (const void *)&first, sizeof(first)) < 0)
		return -1;
	return by_sendto(fd, to);
}

static int by_bind(int fd, const struct sockaddr_in *to)
{
	return bind(fd, (const void *)to, sizeof(*to));
}

#define CALLS(X) X(by_connect) X(by_sendto) X(by_sendmsg) X(by_other_name)
#define FUNCTIONS(name)                                                                            \
	static int name##_granted(void *data)                                                      \
	{                                                                                          \
		(void)data;                                                                        \
		return how(name, granted, SOCK_DGRAM);                                             \
	}                                                                                          \
	static int name##_other(void *data)                                                        \
	{                                                                                          \
		(void)data;                                                                        \
		return how(name, other, SOCK_DGRAM);                                               \
	}
CALLS(FUNCTIONS)

static int tcp_connects(void *data)
{
	(void)data;
	return how(by_connect, tcp, SOCK_STREAM);
}

/* No address at all to an IPv6 socket, one to an IPv4 socket. */
static int send_unspecified(void *family)
{
	struct sockaddr_in to = at_port(granted);
	struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = to.sin_port};
	int fd = socket(*(int *)family, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	peer.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	if (*(int *)family == AF_INET6 && connect(fd, (void *)&peer, sizeof(peer)) < 0)
		return errno == EADDRNOTAVAIL ? EAFNOSUPPORT : errno;
	to.sin_family = AF_UNSPEC;
	r = by_sendto(fd, &to) < 0 ? errno : 0;
	close(fd);
	return r;
}

static int make_udp_ruleset(__u64 handled)
{
	struct landlock_ruleset_attr attr = {.handled_access_net = handled};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0);

	if (fd < 0 && errno == ENOTSUP) {
		printf("# %s\n", reeve_landlock_why());
		SKIP("landlock: not supported here");
	}
	CHECK(fd >= 0);
	return fd;
}

static int add_port(int ruleset, unsigned int port, __u64 allowed)
{
	struct landlock_net_port_attr attr = {allowed, port};

	return landlock_add_rule(ruleset, LANDLOCK_RULE_NET_PORT, &attr, 0);
}

static struct probe restricted(int ruleset)
{
	struct probe probe = probe_start(ruleset, -1);

	if (probe.restricted == ENOTSUP)
		SKIP("landlock: no supervisor here");
	CHECK_EQ(probe.restricted, 0);
	return probe;
}

static void sending(void)
{
	int fds[2] = {receiver(SOCK_DGRAM, &granted), receiver(SOCK_DGRAM, &other)}, ruleset;
	struct probe probe;
	char byte;

	CHECK(receiver(SOCK_STREAM, &tcp) >= 0);
	ruleset = make_udp_ruleset(SEND_UDP);
	CHECK_EQ(add_port(ruleset, granted, SEND_UDP), 0);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, by_connect_granted, NULL), 0);
	CHECK_EQ(probe_call(&probe, by_sendto_granted, NULL), 0);
	CHECK_EQ(probe_call(&probe, by_sendmsg_granted, NULL), 0);
	CHECK_EQ(probe_call(&probe, by_other_name_granted, NULL), 0);
	CHECK_EQ(probe_call(&probe, by_connect_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, by_sendto_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, by_sendmsg_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, by_other_name_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, tcp_connects, NULL), 0);
	probe_end(&probe);
	CHECK_EQ(recv(fds[0], &byte, 1, MSG_DONTWAIT), 1);
	CHECK_EQ(recv(fds[1], &byte, 1, MSG_DONTWAIT), -1);
}

/* As Landlock has it since ABI 10. */
static void unspecified(void)
{
	static int families[] = {AF_INET, AF_INET6};
	int fd = receiver(SOCK_DGRAM, &granted), ruleset = make_udp_ruleset(SEND_UDP), error;
	struct probe probe;
	char byte;

	CHECK_EQ(add_port(ruleset, granted, SEND_UDP), 0);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, send_unspecified, &families[0]), 0);
	CHECK_EQ(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	error = probe_call(&probe, send_unspecified, &families[1]);
	if (error == EAFNOSUPPORT)
		SKIP("network: no IPv6");
	CHECK_EQ(error, EACCES);
	probe_end(&probe);
}

static int bind_granted(void *data)
{
	(void)data;
	return how(by_bind, granted, SOCK_DGRAM);
}

static int bind_other(void *data)
{
	(void)data;
	return how(by_bind, other, SOCK_DGRAM);
}

/* The kernel binds a socket before it finds the address too short. */
static int by_short_name(int fd, const struct sockaddr_in *to)
{
	return (int)sendto(fd, "x", 1, 0, (const void *)to, sizeof(sa_family_t));
}

static int send_shortly(void *data)
{
	(void)data;
	return how(by_short_name, other, SOCK_DGRAM);
}

static int disconnect(void *data)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, &none, sizeof(none)) < 0 ? errno : 0;

	(void)data;
	close(fd);
	return r;
}

static int bind_any(void *data)
{
	(void)data;
	return how(by_bind, 0, SOCK_DGRAM);
}

/* TCP beside it, which is the kernel's where it has it. */
static void binding(void)
{
	int fds[2] = {receiver(SOCK_DGRAM, &granted), receiver(SOCK_DGRAM, &other)}, ruleset;
	struct probe probe;

	close(fds[0]);
	close(fds[1]);
	CHECK(receiver(SOCK_STREAM, &tcp) >= 0);
	ruleset = make_udp_ruleset(BIND_UDP | LANDLOCK_ACCESS_NET_CONNECT_TCP);
	CHECK_EQ(add_port(ruleset, granted, BIND_UDP | LANDLOCK_ACCESS_NET_CONNECT_TCP), 0);
	CHECK_EQ(add_port(ruleset, 65536, BIND_UDP), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(add_port(ruleset, 1, SEND_UDP), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(add_port(ruleset, 1, 0), -1);
	CHECK_EQ(errno, ENOMSG);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, bind_granted, NULL), 0);
	CHECK_EQ(probe_call(&probe, bind_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, bind_any, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, by_connect_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, by_sendto_other, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, send_shortly, NULL), EACCES);
	CHECK_EQ(probe_call(&probe, disconnect, NULL), 0);
	CHECK_EQ(probe_call(&probe, tcp_connects, NULL), EACCES);
	probe_end(&probe);
}

/* A mark alone, which allows nothing. */
static void quiet_mark(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_net = BIND_UDP, .quiet_access_net = BIND_UDP};
	struct landlock_net_port_attr rule = {0, 1};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0);

	if (fd < 0 && errno == ENOTSUP)
		SKIP("landlock: not supported here");
	CHECK(fd >= 0);
	CHECK_EQ(landlock_add_rule(fd, LANDLOCK_RULE_NET_PORT, &rule, LANDLOCK_ADD_RULE_QUIET), 0);
	rule.port = 65536;
	CHECK_EQ(landlock_add_rule(fd, LANDLOCK_RULE_NET_PORT, &rule, LANDLOCK_ADD_RULE_QUIET), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(landlock_add_rule(fd, LANDLOCK_RULE_NET_PORT, &rule, 0), -1);
	CHECK_EQ(errno, ENOMSG);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"connect and send", sending},
		{"an address of no family", unspecified},
		{"bind", binding},
		{"a quiet mark", quiet_mark},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
