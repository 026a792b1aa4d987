/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kernel/sys.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int rv_landlock_create_ruleset(
	const struct rv_landlock_ruleset_attr *attr, size_t size, uint32_t flags)
{
	return result(syscall(RV_NR_LANDLOCK_CREATE_RULESET, attr, size, flags));
}

int rv_landlock_add_rule(int ruleset_fd, int type, const void *attr, uint32_t flags)
{
	return result(syscall(RV_NR_LANDLOCK_ADD_RULE, ruleset_fd, type, attr, flags));
}

int rv_landlock_restrict_self(int ruleset_fd, uint32_t flags)
{
	return result(syscall(RV_NR_LANDLOCK_RESTRICT_SELF, ruleset_fd, flags));
}

int rv_seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return result(syscall(SYS_seccomp, operation, flags, args));
}

int rv_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return result(syscall(SYS_close_range, first, last, flags));
}

int rv_open_no_symlinks(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};

	return result(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

int rv_pidfd_open(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
}

int rv_capget(pid_t tid, uint64_t *ret_effective, uint64_t *ret_permitted)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, tid};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	if (ret_effective)
		*ret_effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	if (ret_permitted)
		*ret_permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

int rv_capset_effective(uint64_t effective)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	data[0].effective = (uint32_t)effective;
	data[1].effective = (uint32_t)(effective >> 32);
	return result(syscall(SYS_capset, &header, data));
}

bool rv_may_trace(void)
{
	uint64_t effective;

	return rv_capget(0, &effective, NULL) == 0 && (effective & UINT64_C(1) << CAP_SYS_PTRACE);
}

int rv_pidfd_kill(int pidfd, int sig)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int rv_pidfd_getfd(int pidfd, int fd)
{
	return result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

int rv_set_no_new_privs(void)
{
	return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}
