/* SPDX-License-Identifier: MIT */
/* Who descends from whom, without falling for reused pids. */
#ifndef RV_SUPERVISE_LINEAGE_H
#define RV_SUPERVISE_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RV_LINEAGE_MAX 256 /* a deeper tree is nobody's */

/* A process and its ancestors, up to (and without) `root`. */
struct rv_lineage {
	pid_t pids[RV_LINEAGE_MAX];
	size_t count;
	bool reached; /* the root was met */
};

/* What the status file of a task says. */
struct rv_task_facts {
	pid_t tgid, parent;
	unsigned int seccomp, filters; /* mode; how many (0 before Linux 5.9) */
	bool no_new_privs;
};

/* `proc_fd`: on /proc/TID. -ESRCH when it is gone. */
int rv_task_facts(int proc_fd, struct rv_task_facts *ret);
/* The same of a number, which may be another's by now. */
int rv_task_facts_of(pid_t tid, struct rv_task_facts *ret);

/* Of the process that the task of `proc_fd` belongs to. -ESRCH when it is gone. */
int rv_lineage(int proc_fd, pid_t root, struct rv_lineage *ret);

/* An fd on /proc/TID, which names this task for good. -ESRCH. */
int rv_open_task(pid_t tid);

#endif /* RV_SUPERVISE_LINEAGE_H */
