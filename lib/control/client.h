/* SPDX-License-Identifier: MIT */
/* Inside of a client's connection. */
#ifndef RV_CONTROL_CLIENT_H
#define RV_CONTROL_CLIENT_H

#include "control/protocol.h"
#include "control/registry.h"

struct reeve_control {
	int fd;
	uint64_t domain;
	char *in; /* what has been read of the next lines */
	size_t in_length, in_size;
};

/* Takes the fd, waits for the greeting. -EPERM: refused. */
int rv_control_greet(int fd, uint64_t domain, struct reeve_control **ret, struct reeve_error *err);

/*
 * For how long an answer is waited for, whole: who sends a byte now and then gains nothing.
 * Until: milliseconds of CLOCK_MONOTONIC, negative: for ever. And no longer than the process of the
 * pidfd lives (-1: of none).
 */
struct rv_patience {
	int64_t until;
	int pidfd;
};
/* From now on; negative: for ever. */
struct rv_patience rv_patience(int milliseconds, int pidfd);

/*
 * Asks a supervisor, by rv_registry_connect(), whether the process of the pidfd is in this domain.
 * Takes the fd. 1, 0; -ENODATA: it does not say; where nobody answers, as the above.
 */
int rv_control_member(int fd, uint64_t domain, const struct rv_patience *patience);

#endif /* RV_CONTROL_CLIENT_H */
