/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enforce/filter.h"
#include "shim.h"

/* EXDEV is what a missing refer right gives; else the second call says it again. */
static bool landlock_may_have_refused(int error)
{
	return error == EACCES || error == EXDEV;
}

/*
 * Moves may be trapped with the tag as well, and a signal that comes before a receiver took the
 * call interrupts it, which no program expects of these. Nothing happened by then, and nobody is
 * asked about a tagged call: so again, but not for ever, as a file system of FUSE may mean it.
 */
static long try_tagged(long nr, long a, long b, long c, long d, long e)
{
	int saved = errno;
	long r = -1;

	for (int i = 0; i < 256; i++) {
		errno = saved;
		r = syscall(nr, a, b, c, d, e, (long)RV_SHIM_TAG);
		if (r >= 0 || errno != EINTR)
			break;
	}
	return r;
}

long shim_try(long nr, long a, long b, long c, long d, long e)
{
	int saved = errno;
	long r = try_tagged(nr, a, b, c, d, e);

	if (r >= 0 || !landlock_may_have_refused(errno))
		return r;
	errno = saved;
	return syscall(nr, a, b, c, d, e, 0L);
}

/*
 * Where a new file may be made but not written to, the kernel makes it before Landlock refuses to
 * open it. Then the second call finds it there, and the program must hear the first one's error.
 */
int shim_openat_nocancel(int dir, const char *path, int flags, unsigned int mode)
{
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	int saved = errno;
	long r = syscall(SYS_openat, dir, path, flags, mode, 0L, (long)RV_SHIM_TAG);

	if (r >= 0 || errno != EACCES)
		return (int)r;
	errno = saved;
	r = syscall(SYS_openat, dir, path, flags, mode, 0L, 0L);
	if (r < 0 && errno == EEXIST && exclusive)
		errno = EACCES;
	return (int)r;
}

int shim_openat(int dir, const char *path, int flags, unsigned int mode)
{
	int fd, type, error;

	if (__libc_single_threaded)
		return shim_openat_nocancel(dir, path, flags, mode);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	fd = shim_openat_nocancel(dir, path, flags, mode);
	error = errno;
	pthread_setcanceltype(type, NULL);
	errno = error;
	return fd;
}

void *shim_real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}
