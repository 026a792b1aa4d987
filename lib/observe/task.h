/* SPDX-License-Identifier: MIT */
/*
 * Where ids come from. Each source is told of one task, which lives, and gives what it knows of it;
 * visibility, and whether the task still lives afterwards, is the caller's (pidfd_domain.c).
 */
#ifndef RV_OBSERVE_TASK_H
#define RV_OBSERVE_TASK_H

#include <reeve/observe.h>
#include "kernel/pidfd.h"
#include "supervise/lineage.h"

struct rv_task {
	int pidfd;
	struct rv_pidfd_ids ids;
};

/*
 * In `given` while sources are asked, and not beyond: the kernel told in which domain the pidfd was
 * opened, another than ours, and its opener may be told, or not.
 */
#define RV_OPENER_MAY	  (1u << 30)
#define RV_OPENER_MAY_NOT (1u << 31)

/*
 * Fills in what it gives, and sets its bits in `given`; leaves the rest alone. 0 also where it
 * gives nothing; -ENOMEM, -EMFILE, -ENFILE.
 */
typedef int (*rv_domain_source)(const struct rv_task *task, struct reeve_task_domain *ret);

/* Whether a task has what all in a sandbox of reeve's have: no_new_privs, and a seccomp filter. */
bool rv_is_restricted(pid_t tid);
bool rv_read_restricted(pid_t tid, struct rv_task_facts *ret);

/* Reeve's ids: the registry of this user, and proof. own_domain.c */
int rv_source_own(const struct rv_task *task, struct reeve_task_domain *ret);

/* The kernel's ids: the iterator over all tasks. After the others. kernel_domain.c */
int rv_source_kernel(const struct rv_task *task, struct reeve_task_domain *ret);

#endif /* RV_OBSERVE_TASK_H */
