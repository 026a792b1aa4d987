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

/* As reeve_control_call(), with a descriptor (-1: none), and waiting for so many milliseconds (-1:
 * for ever). -ETIMEDOUT. */
int rv_control_ask(struct reeve_control *control, const char *request, int fd, int timeout,
	char **ret_answer, struct reeve_error *err);

#endif /* RV_CONTROL_CLIENT_H */
