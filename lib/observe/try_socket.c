/* SPDX-License-Identifier: MIT */
/* Creation of sockets. */
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "observe/verify.h"

static int result_close(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

static int try_socket(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/* The kernel takes an int; a filter that compares 64 bits would be passed by this. */
static int try_socket_high(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(syscall(SYS_socket, UINT64_C(0x100000000) | AF_INET,
		UINT64_C(0x100000000) | SOCK_DGRAM | SOCK_CLOEXEC, UINT64_C(0x100000000)));
}

static int pair(int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int try_pair(const struct rv_stage *stage)
{
	(void)stage;
	return pair(SOCK_STREAM);
}

static int try_pair_dgram(const struct rv_stage *stage)
{
	(void)stage;
	return pair(SOCK_DGRAM);
}

static int try_unix_dgram(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/* AF_UNIX has no raw sockets: the kernel makes a datagram socket of this. */
static int try_unix_raw(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* The refusing box grants another type of the same family. */
static void box_create(struct rv_box *box, int family, int type)
{
	box->handled.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE;
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = family,
		.socket_type = type,
		.socket_protocol = 0,
		.origin = "verify"};
	box->rules_count = 1;
}

static void box_inet(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	box_create(box, AF_INET, grants ? SOCK_DGRAM : SOCK_STREAM);
}

static void box_pair(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	box_create(box, AF_UNIX, grants ? SOCK_STREAM : SOCK_SEQPACKET);
}

static void box_no_dgram(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	(void)grants;
	box->text = "[[ruleset]]\nunix_datagram = \"refuse\"\n";
}

#define ROW(does, try, boxer)                                                                      \
	{                                                                                          \
		.feature = "socket.create", .what = does, .op = try, .refused = EACCES,            \
		.box = boxer                                                                       \
	}
#define ROW_DGRAM(does, try)                                                                       \
	{                                                                                          \
		.feature = "unix_datagram", .what = does, .op = try, .refused = EACCES,            \
		.flags = RV_ROW_NO_GRANT, .box = box_no_dgram, .neighbour = try_pair               \
	}

static const struct rv_row rows[] = {
	ROW("socket()", try_socket, box_inet),
	ROW("socket() with high bits set", try_socket_high, box_inet),
	ROW("socketpair()", try_pair, box_pair),
	ROW_DGRAM("socket() of a UNIX datagram", try_unix_dgram),
	ROW_DGRAM("socket() of a raw UNIX socket", try_unix_raw),
	ROW_DGRAM("socketpair() of UNIX datagrams", try_pair_dgram),
};

struct rv_rows rv_rows_socket(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
