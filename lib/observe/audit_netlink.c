/* SPDX-License-Identifier: MIT */
/*
 * The kernel's records by netlink: a multicast group that any number of readers may join, so that
 * auditd, which is the one that records go to, is not disturbed.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "model/feature.h"
#include "observe/audit.h"

#define RECEIVE_BUFFER (4 << 20)
#define MESSAGE_MAX    8970 /* of the kernel */
#define ANSWER_MS      1000

int rv_audit_listen(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1)};
	const int size = RECEIVE_BUFFER;
	rv_autoclose int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return rv_steal_fd(&fd);
}

struct message {
	struct nlmsghdr header;
	char text[MESSAGE_MAX + 1];
};

/* The kernel's messages only. Its header's length may or may not count the header itself. */
static ssize_t receive(int fd, struct message *message)
{
	struct sockaddr_nl from = {0};
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(
		fd, message, sizeof(*message), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	if (n < 0)
		return -errno;
	if (from.nl_pid != 0 || n < (ssize_t)sizeof(message->header))
		return 0;
	return n;
}

/* Whether anything is recorded. What the kernel does not tell us counts as yes. */
static int ask_enabled(bool *ret)
{
	struct {
		struct nlmsghdr header;
	} request = {{sizeof(request), AUDIT_GET, NLM_F_REQUEST, 1, 0}};
	rv_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct message message;
	struct audit_status status = {0};
	int error = 0;

	*ret = true;
	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	if (poll(&poll_fd, 1, ANSWER_MS) != 1 || receive(fd, &message) <= 0)
		return 0;
	if (message.header.nlmsg_type == NLMSG_ERROR) {
		memcpy(&error, message.text, sizeof(error));
		return error == -ECONNREFUSED ? error : 0;
	}
	memcpy(&status, message.text, sizeof(status));
	*ret = message.header.nlmsg_type != AUDIT_GET || status.enabled;
	return 0;
}

static int open_failed(int r, struct reeve_error *err)
{
	enum reeve_observes lacks =
		r == -EPERM ? REEVE_OBSERVES_NO_PRIVILEGE : REEVE_OBSERVES_NO_AUDIT;

	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS)
		return rv_error(err, r, "cannot listen to the kernel's audit: %s", strerror(-r));
	rv_error(err, r == -EPERM ? -EPERM : -EOPNOTSUPP,
		"the kernel's audit records cannot be read: %s", rv_observes_why(lacks));
	rv_error_hint(err, "a log can: `ausearch --raw -m 1423,1424 | reeve audit -`");
	return r == -EPERM ? -EPERM : -EOPNOTSUPP;
}

int reeve_audit_open(
	struct reeve_audit *audit, int *ret_fd, bool *ret_enabled, struct reeve_error *err)
{
	bool enabled;
	int fd, r;

	if (audit->fd >= 0)
		return rv_error(err, -EALREADY, "it listens already");
	fd = rv_audit_listen();
	r = fd < 0 ? fd : ask_enabled(&enabled);
	if (r < 0) {
		rv_close_p(&fd);
		return open_failed(r, err);
	}
	audit->fd = fd;
	*ret_fd = fd;
	*ret_enabled = enabled;
	return 0;
}

int reeve_audit_receive(struct reeve_audit *audit)
{
	struct message message;
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = receive(audit->fd, &message)) != -EAGAIN) {
		struct rv_audit_record record;

		if (n < 0 && n != -EINTR)
			return (int)n;
		if (n > 0 && rv_audit_parse_message(message.header.nlmsg_type, message.text,
				     (size_t)n - sizeof(message.header), &record))
			r = rv_audit_take(audit, &record);
	}
	return r < 0 ? r : 0;
}
