/* SPDX-License-Identifier: MIT */
/* What makes, moves and removes names. None of it is a cancellation point in libc. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim.h"

#define TRY(nr, a, b, c, d, e)                                                                     \
	((int)shim_try(SYS_##nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e)))

SHIM_EXPORT int mkdir(const char *path, mode_t mode)
{
	return TRY(mkdirat, AT_FDCWD, path, mode, 0, 0);
}

SHIM_EXPORT int mkdirat(int dir, const char *path, mode_t mode)
{
	return TRY(mkdirat, dir, path, mode, 0, 0);
}

SHIM_EXPORT int unlink(const char *path)
{
	return TRY(unlinkat, AT_FDCWD, path, 0, 0, 0);
}

SHIM_EXPORT int unlinkat(int dir, const char *path, int flags)
{
	return TRY(unlinkat, dir, path, flags, 0, 0);
}

SHIM_EXPORT int rmdir(const char *path)
{
	return TRY(unlinkat, AT_FDCWD, path, AT_REMOVEDIR, 0, 0);
}

/* The kernel says EISDIR for a directory; EPERM is what others say. */
SHIM_EXPORT int remove(const char *path)
{
	if (unlink(path) == 0)
		return 0;
	return errno == EISDIR ? rmdir(path) : -1;
}

SHIM_EXPORT int rename(const char *from, const char *to)
{
	return TRY(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

SHIM_EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return TRY(renameat2, from_dir, from, to_dir, to, 0);
}

SHIM_EXPORT int renameat2(
	int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return TRY(renameat2, from_dir, from, to_dir, to, flags);
}

SHIM_EXPORT int link(const char *from, const char *to)
{
	return TRY(linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

SHIM_EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return TRY(linkat, from_dir, from, to_dir, to, flags);
}

SHIM_EXPORT int symlink(const char *target, const char *path)
{
	return TRY(symlinkat, target, AT_FDCWD, path, 0, 0);
}

SHIM_EXPORT int symlinkat(const char *target, int dir, const char *path)
{
	return TRY(symlinkat, target, dir, path, 0, 0);
}

/* The kernel takes 32 bits of a device number; libc refuses what does not fit. */
SHIM_EXPORT int mknodat(int dir, const char *path, mode_t mode, dev_t dev)
{
	if (dev > UINT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	return TRY(mknodat, dir, path, mode, dev, 0);
}

SHIM_EXPORT int mknod(const char *path, mode_t mode, dev_t dev)
{
	return mknodat(AT_FDCWD, path, mode, dev);
}

SHIM_EXPORT int mkfifoat(int dir, const char *path, mode_t mode)
{
	return TRY(mknodat, dir, path, mode | S_IFIFO, 0, 0);
}

SHIM_EXPORT int mkfifo(const char *path, mode_t mode)
{
	return mkfifoat(AT_FDCWD, path, mode);
}

SHIM_EXPORT int truncate(const char *path, off_t length)
{
	return TRY(truncate, path, length, 0, 0, 0);
}

SHIM_EXPORT int truncate64(const char *path, off64_t length)
{
	return TRY(truncate, path, length, 0, 0, 0);
}
