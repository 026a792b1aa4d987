/* SPDX-License-Identifier: MIT */
/* mkstemp(3) and its kin, which libc opens by internal calls. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "shim.h"

#define XS	 "XXXXXX"
#define ATTEMPTS (62 * 62 * 62) /* as libc */

static uint64_t random_bits(void)
{
	uint64_t value;
	struct timespec now;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) == (ssize_t)sizeof(value))
		return value;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_nsec * UINT64_C(6364136223846793005) ^ (uintptr_t)&now;
}

static void fill_in(char *xs)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint64_t value = random_bits();

	for (size_t i = 0; i < sizeof(XS) - 1; i++, value /= 62)
		xs[i] = letters[value % 62];
}

/* Where the Xs are; NULL and EINVAL where they are not. */
static char *find_xs(char *template, int suffix)
{
	size_t length = strlen(template), tail = (size_t)suffix + sizeof(XS) - 1;

	if (suffix < 0 || length < tail || memcmp(template + length - tail, XS, sizeof(XS) - 1)) {
		errno = EINVAL;
		return NULL;
	}
	return template + length - tail;
}

static int make_file(char *template, int flags)
{
	flags = (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL;
	return shim_openat(AT_FDCWD, template, flags, 0600);
}

static int make_dir(char *template, int flags)
{
	(void)flags;
	return mkdir(template, 0700);
}

static int make(char *template, int suffix, int flags, int (*fn)(char *template, int flags))
{
	char *xs = find_xs(template, suffix);
	int saved = errno;

	for (int i = 0; xs && i < ATTEMPTS; i++) {
		int r;

		fill_in(xs);
		errno = saved;
		r = fn(template, flags);
		if (r >= 0 || errno != EEXIST)
			return r;
	}
	return -1;
}

SHIM_EXPORT int mkostemps(char *template, int suffix, int flags)
{
	return make(template, suffix, flags, make_file);
}

SHIM_EXPORT int mkostemps64(char *template, int suffix, int flags)
{
	return make(template, suffix, flags, make_file);
}

SHIM_EXPORT int mkstemps(char *template, int suffix)
{
	return make(template, suffix, 0, make_file);
}

SHIM_EXPORT int mkstemps64(char *template, int suffix)
{
	return make(template, suffix, 0, make_file);
}

SHIM_EXPORT int mkostemp(char *template, int flags)
{
	return make(template, 0, flags, make_file);
}

SHIM_EXPORT int mkostemp64(char *template, int flags)
{
	return make(template, 0, flags, make_file);
}

SHIM_EXPORT int mkstemp(char *template)
{
	return make(template, 0, 0, make_file);
}

SHIM_EXPORT int mkstemp64(char *template)
{
	return make(template, 0, 0, make_file);
}

SHIM_EXPORT char *mkdtemp(char *template)
{
	return make(template, 0, 0, make_dir) < 0 ? NULL : template;
}
