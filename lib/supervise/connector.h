/* SPDX-License-Identifier: MIT */
/*
 * The connector: a process in the floor domain, one layer above the program, out of its reach. It
 * holds nothing of the program's and waits for commands. Because it is in a domain that scopes
 * signals, its kill(-1) hits exactly the processes of that domain: nothing else can name them all.
 * Its threads, the workers (worker.h), perform calls on sockets for the program.
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
 * Becomes the connector's twin (twin.h): outside of the floor and of the domain, for workers alone.
 * Ends when the supervisor does or closes its end. `proc` is not used.
 */
__attribute__((noreturn)) void rv_connector_twin_main(const struct rv_connector_fds *fds);

/*
 * Commands, from the supervisor; one at a time.
 *
 * SIGKILL, SIGSTOP or SIGCONT to every process of the domain but the connector; returns how many
 * there were, or -EPERM where it cannot (no signal scope), -EPIPE: it is gone.
 */
int rv_connector_signal(int command_fd, int sig);

/* Starts a worker that serves `channel`, which stays ours. Its tid; -errno, -EPIPE: it is gone. */
pid_t rv_connector_worker(int command_fd, int channel);

/* Whether the task of a pidfd, whose number is `pid`, is in the domain or below: 1 or 0. Sound only
 * where the floor is a Landlock domain. -EOPNOTSUPP, -ESRCH, -EPIPE. */
int rv_connector_member(int command_fd, int pidfd, pid_t pid);

#endif /* RV_SUPERVISE_CONNECTOR_H */
