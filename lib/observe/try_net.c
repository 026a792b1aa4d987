/* SPDX-License-Identifier: MIT */
/* TCP and UDP ports, on the loopback. */
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "observe/verify.h"

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_shared(int type, uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	rv_autoclose int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return -errno;
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int connect_to(int type, uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	rv_autoclose int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static int try_bind_tcp(const struct rv_stage *stage)
{
	return bind_shared(SOCK_STREAM, stage->tcp_port);
}

static int try_connect_tcp(const struct rv_stage *stage)
{
	return connect_to(SOCK_STREAM, stage->tcp_port);
}

static int try_bind_udp(const struct rv_stage *stage)
{
	return bind_shared(SOCK_DGRAM, stage->udp_port);
}

static int try_connect_udp(const struct rv_stage *stage)
{
	return connect_to(SOCK_DGRAM, stage->udp_port);
}

static int try_send_udp(const struct rv_stage *stage)
{
	struct sockaddr_in address = loopback(stage->udp_port);
	rv_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* The refusing box grants the port next to it. */
static void box_port(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	const struct reeve_right_info *right = reeve_right_find(REEVE_CLASS_COUNT, row->feature);
	uint16_t port = row->needs & RV_NEEDS_TCP ? stage->tcp_port : stage->udp_port;

	port = grants ? port : port ^ 1;
	box->handled.of[REEVE_NET] = right->bit;
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_NET_PORT,
		.allowed = right->bit,
		.port_first = port,
		.port_last = port,
		.origin = "verify"};
	box->rules_count = 1;
}

#define ROW(right, need, does, try)                                                                \
	{                                                                                          \
		.feature = "net." right, .what = does, .op = try, .refused = EACCES,               \
		.needs = need, .box = box_port                                                     \
	}

static const struct rv_row rows[] = {
	ROW("bind_tcp", RV_NEEDS_TCP, "bind() of a TCP port", try_bind_tcp),
	ROW("connect_tcp", RV_NEEDS_TCP, "connect() to a TCP port", try_connect_tcp),
	ROW("bind_udp", RV_NEEDS_UDP, "bind() of a UDP port", try_bind_udp),
	ROW("connect_send_udp", RV_NEEDS_UDP, "connect() to a UDP port", try_connect_udp),
	ROW("connect_send_udp", RV_NEEDS_UDP, "sendto() a UDP port", try_send_udp),
};

struct rv_rows rv_rows_net(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
