/* SPDX-License-Identifier: MIT */
#include <errno.h>
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

int rv_pidfd_open(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
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
