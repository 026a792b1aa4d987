/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "landlock/compat.h"

static _Thread_local char why[256];
static _Atomic(void (*)(const char *)) log_function;

const char *reeve_landlock_why(void)
{
	return why;
}

void reeve_landlock_set_log(void (*fn)(const char *message))
{
	atomic_store(&log_function, fn);
}

/* A user's way to see it, for a program that sets no log. secure_getenv: not across a setuid exec.
 */
static void log_to_descriptor(const char *message)
{
	const char *number = secure_getenv("REEVE_LANDLOCK_LOG");
	int fd = number && *number >= '0' && *number <= '9' ? atoi(number) : -1;

	if (fd >= 0)
		dprintf(fd, "reeve: landlock: %s\n", message);
}

int rv_compat_fail(int error, const char *fmt, ...)
{
	void (*fn)(const char *) = atomic_load(&log_function);
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (fn)
		fn(why);
	else
		log_to_descriptor(why);
	errno = error;
	return -1;
}

int rv_compat_errno(int error)
{
	why[0] = '\0';
	errno = error;
	return -1;
}

/* Whether 8 bytes can be read: a mask that rt_sigprocmask(2) copies before it finds `how` wrong. */
static bool is_readable(uintptr_t at)
{
	return syscall(SYS_rt_sigprocmask, -1, at, NULL, 8) < 0 && errno == EINVAL;
}

/* Some of each page. */
static bool are_readable(uintptr_t at, size_t size)
{
	const uintptr_t last = at + size - 8, page = 4096;

	if (last < at)
		return false;
	if (((at ^ (last + 7)) & ~(page - 1)) == 0)
		return is_readable(at);
	for (; at < last; at = (at | (page - 1)) + 1)
		if (!is_readable(at))
			return false;
	return is_readable(last);
}

/* A few bytes, beyond which there may be a hole. */
static int read_little(void *to, const void *from, size_t size)
{
	struct iovec ours = {to, size}, theirs = {(void *)(uintptr_t)from, size};
	ssize_t n = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

	if (n == (ssize_t)size)
		return 0;
	/* Seccomp profiles of containers refuse the call; then a bad address is a crash. */
	if (n >= 0 || (errno != EPERM && errno != ENOSYS) || !from)
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

int rv_compat_read(void *to, const void *from, size_t size)
{
	if (size < 8)
		return read_little(to, from, size);
	if (!are_readable((uintptr_t)from, size))
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}
