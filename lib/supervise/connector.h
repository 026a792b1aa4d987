/* SPDX-License-Identifier: MIT */
/*
 * The connector: a process in the floor domain, one layer above the program, out of its reach. It
 * holds nothing of the program's and waits for commands. Because it is in a domain that scopes
 * signals, its kill(-1) hits exactly the processes of that domain: nothing else can name them all.
 */
#ifndef RV_SUPERVISE_CONNECTOR_H
#define RV_SUPERVISE_CONNECTOR_H

#include <stdbool.h>
#include <sys/types.h>

/* What the child needs of its parent, opened before the fork. */
struct rv_connector_fds {
	int command;	/* its end of the socketpair */
	int supervisor; /* a pidfd: readable when the supervisor is gone */
	int proc;	/* /proc, to list processes: it could not be opened below the floor */
};

/*
 * Becomes the connector: only system calls, as a child of a process with threads. Before, it has
 * entered the floor domain and started the program. Whether kill(-1) stays in the domain is tried
 * on the supervisor, not believed. Says READY (spawn.h) with the program's pid. Ends, taking the
 * domain along, when the supervisor does or closes its end.
 */
__attribute__((noreturn)) void rv_connector_main(
	const struct rv_connector_fds *fds, pid_t supervisor, pid_t program);

/*
 * Commands, from the supervisor; one at a time. Kills every process of the domain but the
 * connector; returns how many there were, or -EPERM where it cannot (no signal scope), -EPIPE: it
 * is gone.
 */
int rv_connector_kill(int command_fd);

#endif /* RV_SUPERVISE_CONNECTOR_H */
