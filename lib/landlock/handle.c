/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include "kernel/raw.h"
#include "landlock/handle.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define MAGIC UINT64_C(0x7265657665726c73)

struct message {
	uint64_t magic, id;
	uint32_t role, count;
};

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(2 * sizeof(int))];
};

void rv_handle_close(struct rv_handle *handle)
{
	rv_close_p(&handle->image_fd);
	rv_close_p(&handle->ruleset_fd);
	*handle = RV_HANDLE_EMPTY;
}

/* One of the calls that staging a rule costs: without libc, see object.c. */
static int get_cookie(int fd, uint64_t *ret)
{
	socklen_t size = sizeof(*ret);

	if (RV_HAS_RAW)
		return (int)rv_raw(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, ret, &size);
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret, &size) < 0 ? -errno : 0;
}

uint64_t rv_handle_cookie(int fd)
{
	uint64_t cookie = 0;
	int saved = errno, r = get_cookie(fd, &cookie);

	errno = saved;
	return r < 0 ? 0 : cookie;
}

/* ------------------------------------------------------------------------- making */

static int put(int fd, const struct rv_handle *handle)
{
	int fds[2] = {handle->image_fd, handle->ruleset_fd};
	struct message message = {.magic = MAGIC,
		.id = handle->id,
		.role = handle->role,
		.count = handle->ruleset_fd >= 0 ? 2 : 1};
	union control control = {0};
	struct iovec iov = {&message, sizeof(message)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(message.count * sizeof(int))};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(message.count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, message.count * sizeof(int));
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(message))
		return 0;
	/* Too many descriptors in flight, by the same limit as open ones. */
	return errno == ETOOMANYREFS ? -EMFILE : -errno;
}

int rv_handle_new(struct rv_handle *handle)
{
	rv_autoclose int ours = -1, other = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	other = pair[1];
	if (!handle->id)
		handle->id = rv_handle_cookie(ours);
	if (!handle->id)
		return -EOPNOTSUPP;
	r = put(other, handle);
	return r ? r : rv_steal_fd(&ours);
}

/* ------------------------------------------------------------------------ looking */

/* Whatever a foreign socket sends along is closed. */
static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static size_t take_fds(struct msghdr *msg, int fds[static 2])
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	size_t count;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return 0;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), (count > 2 ? 2 : count) * sizeof(int));
	return count > 2 ? 2 : count;
}

static bool is_ours(const struct message *message, ssize_t n, const struct msghdr *msg)
{
	return n == (ssize_t)sizeof(*message) && message->magic == MAGIC &&
	       !(msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	       message->role >= RV_ROLE_SUPERVISOR && message->role <= RV_ROLE_PLAIN;
}

/* A socket of another kind is left alone: looking at what lies in its queue would duplicate
 * descriptors, which a few file systems notice. */
static int check_kind(int fd)
{
	int type = 0, domain = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return errno == EBADF ? -EBADF : -EBADFD;
	size = sizeof(domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
		return -EBADFD;
	return type == SOCK_SEQPACKET && domain == AF_UNIX ? 0 : -EBADFD;
}

int rv_handle_open(int fd, struct rv_handle *ret)
{
	struct message message;
	union control control;
	struct iovec iov = {&message, sizeof(message)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fds[2] = {-1, -1}, r = check_kind(fd);
	size_t count;
	ssize_t n;

	if (r)
		return r;
	n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -EBADFD;
	count = take_fds(&msg, fds);
	if (!is_ours(&message, n, &msg) || count != message.count || count == 0) {
		close_all(fds, count);
		/* Without room for them the kernel leaves descriptors out. */
		return n == (ssize_t)sizeof(message) && message.magic == MAGIC ? -EMFILE : -EBADFD;
	}
	*ret = (struct rv_handle){.role = (enum rv_role)message.role,
		.id = message.id,
		.image_fd = fds[0],
		.ruleset_fd = fds[1]};
	return 0;
}
