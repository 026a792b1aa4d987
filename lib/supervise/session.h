/* SPDX-License-Identifier: MIT */
/*
 * Inside of a supervisor. Its threads: the keeper, which is the parent of the program and the
 * connector and lives as long as the supervisor (a program with PDEATHSIG dies with the *thread*
 * that made it, and a ptrace stop can be ended by its tracer's thread only); the receivers of
 * notify.c; the one of the event queue.
 */
#ifndef RV_SUPERVISE_SESSION_H
#define RV_SUPERVISE_SESSION_H

#include <pthread.h>
#include "supervise/domain_id.h"
#include "supervise/net.h"
#include "supervise/spawn.h"

struct reeve_supervisor {
	struct rv_context context;
	struct rv_notify *notify;
	struct rv_workers workers; /* the connector's */
	struct rv_tmpdir tmpdir;
	bool live; /* live rules can work: what is denied is trapped */
	bool can_kill;
	bool has_floor; /* the connector is in a Landlock domain */
	int program_pidfd, listener;
	pid_t program;
	struct rv_board *board; /* NULL: nobody else can see the numbers */
	int board_fd;
	size_t policy_rules; /* of the judge's static part; more were added at the start */
	struct rv_certificate certificate; /* of context.domain */

	pthread_t keeper;
	int wake_fd; /* eventfd: the keeper has something to do */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool stopping;
	pid_t detach; /* 0: done */
	int detach_signal;
	bool reaped;
	int status;
};

/* What the keeper needs to start; lives until it said how that went. */
struct rv_start {
	struct reeve_supervisor *supervisor;
	const struct reeve_plan *plan;
	char *const *argv;
	struct reeve_supervisor_options options;
	sigset_t mask;
	struct reeve_error *err;
	bool done;
	int result;
};

/* session_start.c: from here on this thread is the keeper's. Says how it went, then serves. */
void *rv_keeper(void *start);

/* session_rules.c: whether live rules of this domain can have any effect. -EOPNOTSUPP, -EPIPE;
 * -EPERM: they have ended (inner.h). */
int rv_session_check_live(struct reeve_supervisor *s, struct reeve_error *err);

/* Wakes the keeper. */
void rv_session_wake(struct reeve_supervisor *s);

/* Kills what can be killed of the domain; how many processes that were, as far as known. */
int rv_session_kill(struct reeve_supervisor *s);

/* Frees a supervisor without processes and threads. */
void rv_session_free(struct reeve_supervisor *s);

/* session_rules.c: after a commit. Counts it, tells it; 0. */
int rv_session_committed(struct reeve_supervisor *s, const char *by);

#endif /* RV_SUPERVISE_SESSION_H */
