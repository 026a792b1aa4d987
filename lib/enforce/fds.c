/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/fds.h"
#include "kernel/sys.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

static int set_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

/* A decimal number, or -1. atoi(3) is not among what may run between fork and exec. */
static int parse_fd(const char *name)
{
	int fd = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		fd = fd * 10 + (*name - '0');
	}
	return fd;
}

static int mark_entries(const char *buf, long size)
{
	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(buf + at);
		int fd = parse_fd(entry->d_name);
		int r = fd > 2 ? set_cloexec(fd, true) : 0;

		if (r)
			return r;
		at += entry->d_reclen;
	}
	return 0;
}

/*
 * Before Linux 5.11, or where a seccomp profile refuses close_range(2). opendir(3) would allocate,
 * which a child of a process with threads must not.
 */
static int mark_one_by_one(void)
{
	char buf[1024] __attribute__((aligned(8)));
	int rv_autoclose dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;
	int r = 0;

	if (dir < 0)
		return -errno;
	while (r == 0 && (n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		r = mark_entries(buf, n);
	return r;
}

static int mark_all(void)
{
	int r = rv_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);

	return r == -ENOSYS || r == -EINVAL || r == -EPERM ? mark_one_by_one() : r;
}

int rv_fds_check(const int *keep, size_t count, struct reeve_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < 0 || fcntl(keep[i], F_GETFD) < 0)
			return rv_error(err, -EBADF,
				"file descriptor %d is to be kept, but is not open", keep[i]);
	}
	return 0;
}

int rv_fds_mark(const int *keep, size_t count)
{
	int r = mark_all();

	for (size_t i = 0; r == 0 && i < count; i++)
		r = set_cloexec(keep[i], false);
	return r;
}

int rv_fds_keep_only(const int *keep, size_t count, struct reeve_error *err)
{
	int r = rv_fds_check(keep, count, err);

	if (r)
		return r;
	r = rv_fds_mark(keep, count);
	return r ? rv_error(err, r, "cannot close file descriptors: %s", strerror(-r)) : 0;
}

static bool is_unix_datagram(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	/* ENOTSOCK and EBADF: nothing to refuse. */
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_UNIX)
		return false;
	size = sizeof(int);
	/* The kernel makes AF_UNIX raw sockets datagram sockets. */
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type == SOCK_DGRAM ||
	       type == SOCK_RAW;
}

/* UDP, and what is like it. */
static bool is_udp(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
		(domain != AF_INET && domain != AF_INET6))
		return false;
	size = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type == SOCK_DGRAM;
}

#ifndef F_SEAL_EXEC /* Linux 6.3 */
#define F_SEAL_EXEC 0x0020
#endif

/* The kernel shows "/memfd:NAME (deleted)". One without permission may get it, unless sealed. */
static bool is_executable_memory(int fd)
{
	char link[32], path[8];
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || fstat(fd, &st) < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path)) < 7 || memcmp(path, "/memfd:", 7) != 0)
		return false;
	return !(seals & F_SEAL_EXEC) || (st.st_mode & 0111);
}

static const struct {
	bool (*is)(int fd);
	const char *what, *hint;
} kinds[] = {
	[RV_FD_UNIX_DATAGRAM] = {is_unix_datagram,
		"a UNIX datagram socket, made outside of the domain",
		"redirect it, or do not keep it: it may be connected to any other"},
	[RV_FD_UDP] = {is_udp, "a UDP socket, which the policy lets nobody create",
		"redirect it, or do not keep it, or allow --socket inet:dgram"},
	[RV_FD_MEMORY] = {is_executable_memory,
		"a memory file that can be executed, which the policy denies",
		"redirect it, or do not keep it (deny = [\"execute_memfd\"])"},
};

static int refuse(enum rv_fd_kind kind, int fd, struct reeve_error *err)
{
	if (!kinds[kind].is(fd))
		return 0;
	rv_error(err, -EACCES, "file descriptor %d is %s", fd, kinds[kind].what);
	rv_error_hint(err, "%s", kinds[kind].hint);
	return -EACCES;
}

int rv_fds_refuse(enum rv_fd_kind kind, const int *keep, size_t count, struct reeve_error *err)
{
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++)
		r = refuse(kind, fd, err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = refuse(kind, keep[i], err);
	return r;
}

int rv_fds_refuse_any(enum rv_fd_kind kind, struct reeve_error *err)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int r = dir ? 0 : rv_error(err, -errno, "/proc/self/fd: %s", strerror(errno));

	while (r == 0 && (entry = readdir(dir))) {
		int fd = parse_fd(entry->d_name), flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			r = refuse(kind, fd, err);
	}
	if (dir)
		closedir(dir);
	return r;
}
