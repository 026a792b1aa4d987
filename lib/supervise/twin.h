/* SPDX-License-Identifier: MIT */
/*
 * The twin of the connector: a process outside the floor, whose workers perform what live rules
 * allow on sockets and the floor does not. It has no_new_privs, as whoever acts for a program, and
 * is a child of the supervisor: what it connects to cannot take it for somebody unconfined, our own
 * control sockets least of all. Made when it is first needed.
 */
#ifndef RV_SUPERVISE_TWIN_H
#define RV_SUPERVISE_TWIN_H

#include "supervise/workers.h"

struct rv_twin {
	pthread_mutex_t lock; /* guards what follows */
	pid_t pid;	      /* 0: not made yet, or it could not be */
	int command_fd;
	bool ended;
	struct rv_workers workers;
};

void rv_twin_init(struct rv_twin *twin);

/* Its workers. NULL: it cannot be made now, or rv_twin_end() was called. */
struct rv_workers *rv_twin_workers(struct rv_twin *twin);

/* Ends it, whatever its workers do: whoever waits for one learns that it is gone. */
void rv_twin_end(struct rv_twin *twin);

/* After rv_twin_end(); none of its channels may be in use any more. */
void rv_twin_release(struct rv_twin *twin);

#endif /* RV_SUPERVISE_TWIN_H */
