/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/shared.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static int make_memfd(const char *name)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd < 0 ? -errno : fd;
}

/* A memfd is a file, and beyond this limit to grow one is a signal. */
static int check_limit(size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -errno;
	return limit.rlim_cur < size ? -ENOMEM : 0;
}

/* Mapped first: the seal is for all who come later. */
static int map_and_seal(int fd, size_t size, void **ret)
{
	const int seals = F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int r;

	if (at == MAP_FAILED)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, seals) < 0) {
		r = -errno;
		munmap(at, size);
		return r;
	}
	*ret = at;
	return 0;
}

int rv_shared_new(const char *name, size_t size, void **ret)
{
	rv_autoclose int fd = -1;
	int r = check_limit(size);

	if (r)
		return r;
	fd = make_memfd(name);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)size) < 0)
		return -errno;
	r = map_and_seal(fd, size, ret);
	return r ? r : rv_steal_fd(&fd);
}
