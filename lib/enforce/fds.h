/* SPDX-License-Identifier: MIT */
/* Which file descriptors a program gets. */
#ifndef RV_ENFORCE_FDS_H
#define RV_ENFORCE_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <reeve/error.h>

/*
 * Lets all descriptors above 2 be closed by the next exec, but `keep`, which survive it. Marked and
 * not closed, because a launch that fails returns to its caller. -EBADF: one of `keep` is not open.
 */
int rv_fds_keep_only(const int *keep, size_t count, struct reeve_error *err);

/* The two parts of it: first what can fail for a reason, then what a child may do after fork. */
int rv_fds_check(const int *keep, size_t count, struct reeve_error *err);
int rv_fds_mark(const int *keep, size_t count);

/*
 * Refuses AF_UNIX datagram and raw sockets among the standard descriptors and `keep`, for a program
 * that must not create such (unix_datagram = "refuse"): one end of a datagram pair sends to any
 * path. -EACCES.
 */
int rv_fds_refuse_datagram(const int *keep, size_t count, struct reeve_error *err);

#endif /* RV_ENFORCE_FDS_H */
