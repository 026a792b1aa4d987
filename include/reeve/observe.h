/* SPDX-License-Identifier: MIT */
/*
 * Which domain a process is in, and who is on the other end of a socket: `reeve id`.
 *
 * There are two kinds of ids. Reeve's own name the supervised domains of this user (`reeve ps`),
 * and need no privileges. The kernel's name every Landlock domain, static ones and those of other
 * programs included, and are read by a BPF iterator: where an administrator pinned it (`reeve
 * observe pin`), by anybody who may read that (reeve/host.h).
 *
 * Who is told what, as proposed for the kernel (PIDFD_INFO_LANDLOCK_LAST_DOMAIN,
 * linux-security-module, 2025-01-31): a reader that is in no sandbox, or in an ancestor of the
 * task's domain, is told; anybody else, and who is in the same domain, is not. Not to be told is no
 * error: the id is not given.
 *
 * The reader is who opened the pidfd, where that can be known. A file keeps the credentials of who
 * opened it, but shows them to the iterator only: not in /proc/self/fdinfo, nor by F_GETOWN or
 * kcmp(2), and SCM_CREDENTIALS are of who sent it. So where the kernel's ids are read (`wanted`, or
 * where reeve has none), a pidfd that was opened in another domain speaks for that one, also for
 * reeve's ids: who passes on a pidfd passes on what may be told, no more and no less. Else the
 * reader is the calling process. (What the kernel opens for a call is the caller's: SO_PEERPIDFD,
 * SCM_PIDFD, CLONE_PIDFD.) And what takes privileges to know of it is taken from what shows: a
 * process without no_new_privs counts as in no sandbox, and for others the kernel is asked whether
 * Landlock lets them look at the task (ptrace(2), which it allows from an ancestor's domain or the
 * same one).
 *
 * Of whom there is something to tell:
 *  - Reeve's ids live with their user: another user's domain is not given, to root neither. That
 *    is stricter than proposed, where users do not matter. Root can read the kernel's of all.
 *  - What a process made for itself by reeve/landlock.h has the kernel's ids only, as static runs
 *    have: it comes from system calls, which leave no files behind, and nothing proves it. (Its
 *    supervisor was cloned by it: it is no ancestor, and could be claimed.) It is `restricted`.
 *
 * An id is proven, never believed. Variables (REEVE_DOMAIN), names and files claim; none of them is
 * trusted:
 *  - The id of a domain is the hash of its supervisor, connector and program (pid and start time,
 *    so that reused pids are others) and of random bits. These are written down where the domain is
 *    listed, and whoever wrote them: no other processes have this id.
 *  - Nobody leaves a domain, and the program began in it, without children. So who descends from
 * the program is in it. Each step up is checked against pids that were reused meanwhile.
 *  - Who does not show so (an orphan; CLONE_PARENT) is shown to the supervisor that the id names,
 * as a pidfd, and by it to the domain's connector, a process in the domain. The kernel lets that
 *    one send signal 0 (scope signal, Landlock ABI 6; else kcmp(2)) to tasks of its domain and
 *    below, and to no others.
 */
#ifndef REEVE_OBSERVE_H
#define REEVE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What was given. */
#define REEVE_DOMAIN_LAST	  (1u << 0)
#define REEVE_DOMAIN_FIRST	  (1u << 1)
#define REEVE_DOMAIN_KERNEL_LAST  (1u << 2)
#define REEVE_DOMAIN_KERNEL_FIRST (1u << 3)
/* In `wanted` only: where no iterator is pinned, load one (privileged, 0.1 s; host.h). */
#define REEVE_DOMAIN_LOAD (1u << 4)

struct reeve_task_domain {
	size_t size; /* set by the caller to sizeof(struct reeve_task_domain) */
	/*
	 * Set by the caller. 0: the kernel's ids are read only where reeve has none for a task that
	 * may be in a sandbox, and only where the iterator is pinned (some milliseconds).
	 * REEVE_DOMAIN_KERNEL_*: beside reeve's, too.
	 */
	unsigned int wanted;
	unsigned int given;		    /* REEVE_DOMAIN_*; ids that are not given are 0 */
	uint64_t last;			    /* reeve's: the innermost domain */
	uint64_t first;			    /* the outermost that the reader is not in itself */
	uint64_t kernel_last, kernel_first; /* the same, the kernel's */
	pid_t pid; /* of the process, in the reader's pid namespace; 0: it ended, or is not there */
	/* It has no_new_privs and a seccomp filter: what a sandboxed process has, whether or not
	 * an id is given. Who treats sandboxed peers differently should not take "no id" for "no
	 * sandbox". False also where /proc does not tell. */
	bool restricted;
	/* The process was found by a pid that may have been reused: the kernel is older than
	 * SO_PEERPIDFD (Linux 6.5). Never set for pidfds. */
	bool by_pid;
};

/*
 * The domains of a task. `pidfd` is of a process or (PIDFD_THREAD) of a thread, and stays the
 * caller's. A process that ended is in no domain. Threads of one process are in the same
 * supervised domain, always.
 *
 * A domain is known from the moment it is listed: at once with --name, --status-fd or
 * reeve_control_serve(), else some 10 ms after its start. So where nothing is known of a task that
 * is restricted since less than a second, this waits until then, at most. Supervisors are asked
 * for orphans only, and given 5 s to answer, all together. Neither takes longer than the task
 * lives.
 *
 * 0; -EBADF: not a pidfd; -EINVAL: size 0; -ENOMEM, -EMFILE, -ENFILE.
 */
int reeve_pidfd_domain(int pidfd, struct reeve_task_domain *ret);

/*
 * The domains of who is on the other end of a connected UNIX socket: of the process that called
 * connect(2), or of the one that called listen(2). SO_PEERPIDFD; before Linux 6.5 SO_PEERCRED, and
 * `by_pid` is set. In a domain whose UNIX sockets reeve scopes, connect(2) is performed by the
 * domain's connector, which is in the same domain. Both ends of a socketpair(2) are of who made it.
 * A process that ended is in no domain.
 *
 * 0; -ENOTCONN: there is no other end; -ENOTSOCK, -EOPNOTSUPP: no UNIX socket; as above.
 */
int reeve_peer_domain(int socket, struct reeve_task_domain *ret);

/*
 * Datagrams, where each may come from another process: with SO_PASSPIDFD (Linux 6.5) set on the
 * socket, recvmsg(2) adds a pidfd of the sender (SCM_PIDFD; room for it: CMSG_SPACE(sizeof(int))).
 * Returns it, for reeve_pidfd_domain(), and to be closed by the caller. -ENOENT: the message has
 * none; -ESRCH: the sender had ended, so the kernel could not make one.
 */
struct msghdr;
int reeve_message_pidfd(const struct msghdr *message);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_OBSERVE_H */
