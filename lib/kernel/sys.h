/* SPDX-License-Identifier: MIT */
/* Raw system calls that libc does not wrap. Each returns its result, or a negative errno. */
#ifndef RV_KERNEL_SYS_H
#define RV_KERNEL_SYS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>
#include "kernel/uapi.h"

int rv_landlock_create_ruleset(
	const struct rv_landlock_ruleset_attr *attr, size_t size, uint32_t flags);
int rv_landlock_add_rule(int ruleset_fd, int type, const void *attr, uint32_t flags);
int rv_landlock_restrict_self(int ruleset_fd, uint32_t flags);

/* seccomp(2). `args` as the operation wants it. */
int rv_seccomp(unsigned int operation, unsigned int flags, void *args);

/* close_range(2); -ENOSYS before Linux 5.9. */
int rv_close_range(unsigned int first, unsigned int last, unsigned int flags);

/* The descriptors that these make are close-on-exec. */
/* openat2(2) with O_PATH, -ELOOP for a symbolic link anywhere in the path; -ENOSYS before 5.6. */
int rv_open_no_symlinks(const char *path);
int rv_pidfd_open(pid_t pid);
int rv_pidfd_kill(int pidfd, int sig);
int rv_pidfd_getfd(int pidfd, int fd);

/* The capabilities of a task, 0: the calling thread. Either result may be NULL. */
int rv_capget(pid_t tid, uint64_t *ret_effective, uint64_t *ret_permitted);
/* Of the calling thread. */
int rv_capset_effective(uint64_t effective);

/* CAP_SYS_PTRACE, without which Yama's stricter modes let nobody look at another process. */
bool rv_may_trace(void);

/* prctl(PR_SET_NO_NEW_PRIVS) for the calling thread. */
int rv_set_no_new_privs(void);

#endif /* RV_KERNEL_SYS_H */
