/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "kernel/pidfd.h"
#include "kernel/sys.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* linux/pidfd.h, in its first size; Linux 6.13. */
struct info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid, spare;
};
#define GET_INFO     _IOWR(0xff, 11, struct info)
#define GET_INFO_PID (1u << 0)

/* The number behind KEY in a file of /proc. */
static int number_in(const char *path, const char *key, pid_t *ret)
{
	rv_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[8192];
	const char *at;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	at = strstr(text, key);
	if (!at)
		return -EBADF;
	*ret = (pid_t)strtol(at + strlen(key), NULL, 10);
	return 0;
}

/* Before PIDFD_GET_INFO. fdinfo says -1 for one that was reaped, 0 for one that we cannot see. */
static int ids_by_proc(int pidfd, struct rv_pidfd_ids *ret)
{
	struct rv_pidfd_ids ids;
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	r = number_in(path, "\nPid:", &ids.tid);
	if (r < 0 || ids.tid <= 0)
		return r < 0 ? r : -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)ids.tid);
	if (number_in(path, "\nTgid:", &ids.tgid) < 0)
		return -ESRCH;
	*ret = ids;
	return 0;
}

int rv_pidfd_ids(int pidfd, struct rv_pidfd_ids *ret)
{
	struct info info = {.mask = GET_INFO_PID};

	/* Whatever else it is of a process, this call takes nothing but a pidfd (or /proc/PID). */
	if (rv_pidfd_kill(pidfd, 0) == -EBADF)
		return -EBADF;
	if (ioctl(pidfd, GET_INFO, &info) < 0)
		return errno == ESRCH ? -ESRCH : ids_by_proc(pidfd, ret);
	if (info.pid == 0 || info.tgid == 0)
		return -ESRCH;
	*ret = (struct rv_pidfd_ids){(pid_t)info.pid, (pid_t)info.tgid};
	return 0;
}

bool rv_pidfd_ended(int pidfd)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};

	return poll(&poller, 1, 0) != 0;
}

int rv_peer_pidfd(int socket)
{
	int pidfd;
	socklen_t size = sizeof(pidfd);

	return getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0 ? -errno : pidfd;
}
