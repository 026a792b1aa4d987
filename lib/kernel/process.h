/* SPDX-License-Identifier: MIT */
/* What /proc tells of a process. */
#ifndef RV_KERNEL_PROCESS_H
#define RV_KERNEL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct rv_process {
	pid_t parent;
	char state;
	char comm[16];	/* only threads of the kernel have longer ones */
	uint64_t start; /* clock ticks after boot, as the reader's time namespace counts them */
};
int rv_process_read(pid_t pid, struct rv_process *ret);
uint64_t rv_process_pidns(void); /* the calling process's; 0: unknown */
/* The pid that it has in the pid namespace which it is in, if that is this one; 0: it is not, or
 * that cannot be told. */
pid_t rv_process_pid_in(pid_t pid, uint64_t pidns);
/* Whether the kernel lets us look at it, as at a tracee (credentials, dumpable, LSMs such as
 * Landlock; not Yama). */
bool rv_may_look(pid_t pid);
/* Calls fn with pid and each of its ancestors, until it returns non-zero. Negative: /proc fails. */
int rv_process_ancestors(
	pid_t pid, int (*fn)(void *data, pid_t pid, const struct rv_process *process), void *data);

#endif /* RV_KERNEL_PROCESS_H */
