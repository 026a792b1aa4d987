/* SPDX-License-Identifier: MIT */
/*
 * How a process that restricts itself gets a supervisor.
 *
 *	caller ── clone ──> go-between ── clone ──> supervisor: outside of the new domain
 *	   │ waits for it       └─ exits                │ maps the image, tries to look at the
 *caller │<─────────────────── READY ─────────────────┤ │ Landlock │ ├─ clone ─> go-between ─ clone
 *─> connector, where calls on sockets are performed │ one more layer of Landlock, filter         │
 *	   ├── the numbers of listener and command ────>│ pidfd_getfd; starts receiving
 *	   │<─────────────────── DONE ──────────────────┤
 *	   └ closes them, and goes on, restricted       └ until the last task of the domain is gone
 *
 * None of them has an exit signal, so no wait(-1) of the caller sees them and no SIGCHLD is sent.
 */
#ifndef RV_LANDLOCK_START_H
#define RV_LANDLOCK_START_H

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>
#include <reeve/check.h>
#include "enforce/filter.h"
#include "landlock/handle.h"
#include "landlock/image.h"

/* Whether this process can have one. NULL, or why not. */
int rv_supervision_probe(struct reeve_kernel *ret);
const char *rv_supervision_lacks(const struct reeve_kernel *kernel);

/* landlock_restrict_self() with a ruleset that needs a supervisor. -1 and errno. */
struct rv_start_how {
	const struct rv_handle *handle;
	const struct rv_filter_spec *spec;
	const struct sock_fprog *filter; /* compiled from it */
	uint32_t flags;
	unsigned int sockets; /* RV_SOCKETS_* (ruleset.h): the supervisor's */
};
int rv_start_supervised(const struct rv_start_how *how);

/* What the supervisor says; a packet each. */
struct rv_start_report {
	int32_t code; /* 0, or a negative errno with a reason */
	int32_t pid;  /* its own */
	char why[120];
};

/* What it is told at the end: the numbers of descriptors in the caller. */
struct rv_start_numbers {
	int32_t listener, command; /* command: of the connector, -1: there is none */
};

/* connector.c */

/* The caller's side of a connector; zeroed with -1 in the descriptors: none. */
struct rv_start_connector {
	int command;  /* the supervisor's end, which it fetches */
	int theirs;   /* the connector's */
	int proc;     /* as rv_connector_main() wants it */
	int layer_fd; /* the ruleset that puts the caller one layer below the connector */
};

#define RV_START_CONNECTOR_NONE ((struct rv_start_connector){-1, -1, -1, -1})

/* All that can fail for want of something, before anything is restricted. -errno. */
int rv_start_connector_prepare(struct rv_start_connector *ret);
/* After the caller took the floor: clones it, and goes one layer down. -errno. */
int rv_start_connector(
	struct rv_start_connector *connector, pid_t supervisor, uint32_t restrict_flags);
void rv_start_connector_close(struct rv_start_connector *connector);

/* As fork(2), twice, so that what `run` becomes is nobody's child that we know. -errno. */
int rv_start_process(void (*run)(const void *data), const void *data);

/* What the supervisor's process gets from the one that it was cloned from. */
struct rv_start_child {
	const struct rv_handle *handle;
	const struct rv_filter_spec *spec;
	int socket;	      /* its end */
	pid_t caller;	      /* process, single-threaded */
	unsigned int sockets; /* as above */
	int caller_socket;    /* the number of the caller's end, for a trial of pidfd_getfd */
};

/* supervisor.c: in that process; never returns. */
__attribute__((noreturn)) void rv_landlock_supervisor(const struct rv_start_child *child);

#endif /* RV_LANDLOCK_START_H */
