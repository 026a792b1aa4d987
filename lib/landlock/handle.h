/* SPDX-License-Identifier: MIT */
/*
 * The descriptors of rulesets of reeve's own.
 *
 * Each is one end of a socketpair whose other end is closed; in its queue lies one message with the
 * descriptors of the image and of the kernel's ruleset with the static rules. Looking at a message
 * (MSG_PEEK) duplicates them and leaves it there. So one number carries both, over fork and exec
 * and through SCM_RIGHTS; nothing has to be kept open beside it, and /proc/self/fd cannot open it
 * anew.
 */
#ifndef RV_LANDLOCK_HANDLE_H
#define RV_LANDLOCK_HANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"

enum rv_role {
	RV_ROLE_SUPERVISOR = 1,
	RV_ROLE_SUPERVISEE,
	RV_ROLE_PLAIN,
};

struct rv_handle {
	enum rv_role role;
	uint64_t id; /* of the image: what the writable mapping is found by */
	int image_fd;
	int ruleset_fd; /* -1: nothing for Landlock to enforce */
};

#define RV_HANDLE_EMPTY ((struct rv_handle){.image_fd = -1, .ruleset_fd = -1})
void rv_handle_close(struct rv_handle *handle);
#define rv_autohandle RV_CLEANUP(rv_handle_close) struct rv_handle

/* A new descriptor for these two, which stay the caller's. `id` 0: becomes the image's, and is put
 * there. -errno. */
int rv_handle_new(struct rv_handle *handle);

/* What is in a descriptor; both are close-on-exec. -EBADF; -EBADFD: it is none of ours. */
int rv_handle_open(int fd, struct rv_handle *ret);

/* The number that tells this socket from all others, for good; 0: no socket. */
uint64_t rv_handle_cookie(int fd);

#endif /* RV_LANDLOCK_HANDLE_H */
