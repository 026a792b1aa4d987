/* SPDX-License-Identifier: MIT */
/*
 * Two system calls, and nothing of libc between them: staging a rule is measured, and after each
 * call every page that is touched has to be looked up again where page tables are isolated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "kernel/raw.h"
#include "landlock/object.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define ENOUGH 8 /* rules on one number, in turn */

/* snprintf() would be a tenth of what staging a rule costs. */
static void fd_link(int fd, char link[static 32])
{
	static const char directory[] = "/proc/self/fd/";
	char digits[12];
	size_t n = 0, at = sizeof(directory) - 1;

	memcpy(link, directory, at);
	do
		digits[n++] = (char)('0' + fd % 10);
	while ((fd /= 10));
	while (n)
		link[at++] = digits[--n];
	link[at] = '\0';
}

static long read_link(int dirfd, const char *link, char *path, size_t size)
{
	ssize_t n;

	if (RV_HAS_RAW)
		return rv_raw(SYS_readlinkat, dirfd, link, path, size);
	n = readlinkat(dirfd, link, path, size);
	return n < 0 ? -errno : n;
}

/* --------------------------------------------------------------------------- a link kept open */

/*
 * The walk through /proc is half of what reading a link costs. A link that is held open tells, each
 * time that it is read, what its number is at that moment: the kernel looks there, whatever was
 * closed and opened meanwhile.
 *
 * It is of this process's numbers, so a child must not use the one that it inherits; and it is no
 * directory, so that one who inherits it can begin no path there. A program that closed it without
 * knowing, and got the number for something else, is told by readlinkat(2) that this is no link.
 */
static struct {
	int fd;	    /* the link, or -1 */
	int number; /* that it is of */
	dev_t dev;  /* of the link */
	ino_t ino;
	int last, times;	      /* the number that the last rules came on */
	const volatile char *is_here; /* the kernel zeroes it in a child, however that is made */
} held = {.fd = -1, .last = -1};

void rv_object_release(void)
{
	struct stat st;

	if (held.fd >= 0 && fstat(held.fd, &st) == 0 && st.st_dev == held.dev &&
		st.st_ino == held.ino)
		close(held.fd);
	held.fd = -1;
	held.times = 0;
}

static bool note_this_process(void)
{
	char *page = (char *)(uintptr_t)held.is_here;

	if (!page) {
		page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return false;
		if (madvise(page, 1, MADV_WIPEONFORK) < 0) {
			munmap(page, 1);
			return false;
		}
		held.is_here = page;
	}
	*page = 1;
	return true;
}

/* What fails here fails quietly: the link is then read by its name. */
static void hold(int number, const char *link)
{
	struct stat st;

	rv_object_release();
	if (!note_this_process())
		return;
	held.fd = open(link, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (held.fd >= 0 && fstat(held.fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		held.number = number;
		held.dev = st.st_dev;
		held.ino = st.st_ino;
	} else if (held.fd >= 0) {
		close(held.fd);
		held.fd = -1;
	}
}

static long read_held(int number, char *path, size_t size)
{
	long n = -ENOENT;

	if (held.fd < 0 || held.number != number)
		return n;
	if (*held.is_here)
		n = read_link(held.fd, "", path, size);
	if (n <= 0)
		rv_object_release();
	return n;
}

static long read_path(int fd, char *path, size_t size)
{
	char link[32];
	int saved = errno;
	long n = read_held(fd, path, size);

	if (n > 0)
		return n;
	fd_link(fd, link);
	n = read_link(AT_FDCWD, link, path, size);
	held.times = held.last == fd ? held.times + 1 : 0;
	held.last = fd;
	if (held.times == ENOUGH)
		hold(fd, link);
	errno = saved;
	return n;
}

/* -------------------------------------------------------------------------------------- objects */

/* A memfd has a path that looks like one. */
static bool is_memfd(int fd, const char *path, const struct stat *st)
{
	struct statfs fs;

	return st->st_nlink == 0 && strncmp(path, "/memfd:", 7) == 0 && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == TMPFS_MAGIC;
}

static int look_at(int fd, struct stat *st)
{
	if (RV_HAS_RAW)
		return (int)rv_raw(SYS_fstat, fd, st);
	return fstat(fd, st) < 0 ? -errno : 0;
}

int rv_object_of(int fd, char path[static PATH_MAX], struct stat *st)
{
	long n;

	if (look_at(fd, st) < 0)
		return -EBADF;
	n = read_path(fd, path, PATH_MAX);
	if (n < 0)
		return (int)n;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	path[n] = '\0';
	if (path[0] != '/') /* a pipe, a socket, a namespace, a ruleset */
		return -EBADFD;
	return is_memfd(fd, path, st) ? -EBADFD : 0;
}
