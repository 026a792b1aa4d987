/* SPDX-License-Identifier: MIT */
/* open(3) and its kin. On 64-bit machines the names with 64 mean the same. */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "shim.h"

/* The headers call these by other names or not at all. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE_AFTER(flags)                                                                          \
	__extension__({                                                                            \
		unsigned int mode_ = 0;                                                            \
		if (needs_mode(flags)) {                                                           \
			va_list list_;                                                             \
			va_start(list_, flags);                                                    \
			mode_ = va_arg(list_, unsigned int);                                       \
			va_end(list_);                                                             \
		}                                                                                  \
		mode_;                                                                             \
	})

SHIM_EXPORT int open(const char *path, int flags, ...)
{
	return shim_openat(AT_FDCWD, path, flags, MODE_AFTER(flags));
}

SHIM_EXPORT int open64(const char *path, int flags, ...)
{
	return shim_openat(AT_FDCWD, path, flags, MODE_AFTER(flags));
}

SHIM_EXPORT int openat(int dir, const char *path, int flags, ...)
{
	return shim_openat(dir, path, flags, MODE_AFTER(flags));
}

SHIM_EXPORT int openat64(int dir, const char *path, int flags, ...)
{
	return shim_openat(dir, path, flags, MODE_AFTER(flags));
}

SHIM_EXPORT int creat(const char *path, mode_t mode)
{
	return shim_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

SHIM_EXPORT int creat64(const char *path, mode_t mode)
{
	return shim_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* A fortified open without a mode that needs one: libc ends the program, in its own words. */
static int open_2(const char *name, const char *path, int flags)
{
	int (*real)(const char *, int);

	if (!needs_mode(flags))
		return shim_openat(AT_FDCWD, path, flags, 0);
	*(void **)&real = shim_real(name);
	if (!real)
		abort();
	return real(path, flags);
}

static int openat_2(const char *name, int dir, const char *path, int flags)
{
	int (*real)(int, const char *, int);

	if (!needs_mode(flags))
		return shim_openat(dir, path, flags, 0);
	*(void **)&real = shim_real(name);
	if (!real)
		abort();
	return real(dir, path, flags);
}

SHIM_EXPORT int __open_2(const char *path, int flags)
{
	return open_2("__open_2", path, flags);
}

SHIM_EXPORT int __open64_2(const char *path, int flags)
{
	return open_2("__open64_2", path, flags);
}

SHIM_EXPORT int __openat_2(int dir, const char *path, int flags)
{
	return openat_2("__openat_2", dir, path, flags);
}

SHIM_EXPORT int __openat64_2(int dir, const char *path, int flags)
{
	return openat_2("__openat64_2", dir, path, flags);
}
