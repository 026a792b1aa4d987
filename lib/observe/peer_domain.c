/* SPDX-License-Identifier: MIT */
/* Who is on the other end of a socket. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "observe/task.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

static int check_connected_unix(int socket)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getpeername(socket, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	return address.ss_family == AF_UNIX ? 0 : -EOPNOTSUPP;
}

static void give_nobody(struct reeve_task_domain *ret)
{
	struct reeve_task_domain nobody = {0};

	memcpy(&nobody, ret, ret->size < sizeof(nobody) ? ret->size : sizeof(nobody));
	nobody = (struct reeve_task_domain){.size = ret->size, .wanted = nobody.wanted};
	memcpy(ret, &nobody, ret->size < sizeof(nobody) ? ret->size : sizeof(nobody));
}

/* Before Linux 6.5: by the pid, which may be another's by now. */
static int by_pid(int socket, struct reeve_task_domain *ret)
{
	struct reeve_task_domain found = {0};
	rv_autoclose int pidfd = -1;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int r;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	pidfd = peer.pid > 0 ? rv_pidfd_open(peer.pid) : -ESRCH;
	if (pidfd == -ESRCH) {
		give_nobody(ret);
		return 0;
	}
	memcpy(&found, ret, ret->size < sizeof(found) ? ret->size : sizeof(found));
	found.size = sizeof(found);
	r = pidfd < 0 ? pidfd : reeve_pidfd_domain(pidfd, &found);
	if (r < 0)
		return r;
	found.by_pid = true;
	found.size = ret->size;
	memcpy(ret, &found, ret->size < sizeof(found) ? ret->size : sizeof(found));
	return 0;
}

int reeve_peer_domain(int socket, struct reeve_task_domain *ret)
{
	rv_autoclose int pidfd = -1;
	int r = ret->size ? check_connected_unix(socket) : -EINVAL;

	if (r < 0)
		return r;
	pidfd = rv_peer_pidfd(socket);
	if (pidfd >= 0)
		return reeve_pidfd_domain(pidfd, ret);
	if (pidfd == -ENOPROTOOPT)
		return by_pid(socket, ret);
	if (pidfd == -ENOMEM || pidfd == -EMFILE || pidfd == -ENFILE)
		return pidfd;
	/* It ended, and was reaped; or nobody is known to be there (datagram sockets). */
	give_nobody(ret);
	return 0;
}

int reeve_message_pidfd(const struct msghdr *message)
{
	struct msghdr *walked = (struct msghdr *)message; /* which the macros do not change */

	for (struct cmsghdr *c = CMSG_FIRSTHDR(walked); c; c = CMSG_NXTHDR(walked, c)) {
		int pidfd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_PIDFD ||
			c->cmsg_len < CMSG_LEN(sizeof(pidfd)))
			continue;
		memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
		return pidfd < 0 ? -ESRCH : pidfd;
	}
	return -ENOENT;
}
