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
#include "supervise/request.h"
#include "supervise/spawn.h"

struct reeve_supervisor {
	struct rv_context context;
	struct rv_notify *notify;
	struct rv_tmpdir tmpdir;
	bool live; /* live rules can work: file system calls are trapped */
	bool can_kill;
	int program_pidfd, listener;
	pid_t program;
	_Atomic uint64_t commits;
	char environment[16 + RV_DOMAIN_ID_SIZE]; /* "REEVE_DOMAIN=…" */

	pthread_t keeper;
	int wake_fd; /* eventfd: the keeper has something to do */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool stopping;
	pid_t detach; /* 0: done */
	int detach_signal;
	bool reaped;
	int status;
	bool connector_busy; /* one command at a time */
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

/* Wakes the keeper. */
void rv_session_wake(struct reeve_supervisor *s);

/* Kills what can be killed of the domain; how many processes that were, as far as known. */
int rv_session_kill(struct reeve_supervisor *s);

/* Frees a supervisor without processes and threads. */
void rv_session_free(struct reeve_supervisor *s);

#endif /* RV_SUPERVISE_SESSION_H */
