/* SPDX-License-Identifier: MIT */
/* What a pidfd tells. All return a negative errno on failure, and make descriptors close-on-exec.
 */
#ifndef RV_KERNEL_PIDFD_H
#define RV_KERNEL_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The task that a pidfd is of, and its process, as numbers of our pid namespace. They are another's
 * once the process was reaped: what was read by them counts only if rv_pidfd_ended() says no
 * afterwards. -EBADF: not a pidfd; -ESRCH: reaped, or not visible from our namespace.
 */
struct rv_pidfd_ids {
	pid_t tid, tgid;
};
int rv_pidfd_ids(int pidfd, struct rv_pidfd_ids *ret);

/* Whether all of the process (or the one thread) is dead. */
bool rv_pidfd_ended(int pidfd);

/*
 * SO_PEERPIDFD: a pidfd of who made the other end of a UNIX socket (connected or listened).
 * -ENOPROTOOPT before Linux 6.5; another error: it is gone, or there is no other end.
 */
int rv_peer_pidfd(int socket);

#endif /* RV_KERNEL_PIDFD_H */
