/* SPDX-License-Identifier: MIT */
/*
 * Starting a program in a supervised domain.
 *
 *	supervisor ── clone ──> connector: enters the floor
 *	     ^                      └─ clone(CLONE_PARENT) ──> program: one layer more, filter
 *	     │<── READY: its pid ───┘                             │
 *	     │<── LISTENER: the number of its fd ─────────────────┤
 *	     │ pidfd_getfd; starts receiving                      │
 *	     ├─── go: the id ───────────────────────────────────>│ closes it, execs
 *	     │<── EXEC: errno, or end of file: it runs ───────────┘
 *
 * The supervisor fetches the listener: a child that sends it could be trapped by its own filter.
 * Both children run system calls only between clone and exec: the supervisor may have threads.
 */
#ifndef RV_SUPERVISE_SPAWN_H
#define RV_SUPERVISE_SPAWN_H

#include <signal.h>
#include "enforce/launch.h"
#include "supervise/connector.h"
#include "supervise/domain_id.h"

/* Its place in the environment of the launch: the id is made after the program, and sent to it. */
#define RV_SPAWN_VARIABLE "REEVE_DOMAIN="
#define RV_SPAWN_SIZE	  (sizeof(RV_SPAWN_VARIABLE) - 1 + RV_DOMAIN_ID_SIZE)

enum rv_step {
	RV_STEP_READY = 1, /* connector: value is the program's pid, code 1: it can kill */
	RV_STEP_LISTENER,  /* program: value is the listener's number in it */
	/* What failed, with code a negative errno. */
	RV_STEP_FDS,
	RV_STEP_FLOOR,
	RV_STEP_CLONE,
	RV_STEP_LAYER,
	RV_STEP_FILTER,
	RV_STEP_EXEC,
};

/* What the children say; a packet each. */
struct rv_report {
	int32_t step, code, value;
};

struct rv_spawn {
	/* Set by the caller. */
	struct rv_launch *launch; /* prepared, with its ruleset */
	sigset_t mask;		  /* the program's signal mask */
	sigset_t ignored;	  /* signals that it starts out ignoring, besides inherited ones */

	/* Filled in by rv_spawn_start() and rv_spawn_await(). */
	pid_t connector, program;
	int connector_fd, program_pidfd, listener;
	bool can_kill;

	/* Between the two. */
	char variable[RV_SPAWN_SIZE]; /* with the id, for rv_spawn_go() */
	int layer_fd, program_fd;
	pid_t supervisor;
	struct rv_connector_fds connector_fds;
	int program_child_fd;
};

/* Everything that can fail for want of something, before the fork. */
int rv_spawn_prepare(struct rv_spawn *spawn, struct reeve_error *err);

/*
 * Starts both. The calling thread becomes the program's parent: the program dies when that thread
 * ends. All signals must be blocked in it.
 */
int rv_spawn_start(struct rv_spawn *spawn, struct reeve_error *err);

/*
 * Waits until the program waits to be let go: always to be called after rv_spawn_start(), which
 * leaves time for something else in between, because only now it is known what has to be reaped.
 */
int rv_spawn_await(struct rv_spawn *spawn, struct reeve_error *err);

/* Lets it go, and waits for its exec. Errors are those of reeve_plan_exec(). */
int rv_spawn_go(struct rv_spawn *spawn, struct reeve_error *err);

/* Ends what was started (a launch that failed), reaps it, closes everything. */
void rv_spawn_abort(struct rv_spawn *spawn);

/* Closes what only starting needs. */
void rv_spawn_release(struct rv_spawn *spawn);

/* spawn_child.c: in the new process; never returns. */
__attribute__((noreturn)) void rv_spawn_child(struct rv_spawn *spawn);

#endif /* RV_SUPERVISE_SPAWN_H */
