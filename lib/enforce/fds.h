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

enum rv_fd_kind {
	RV_FD_UNIX_DATAGRAM, /* raw ones too: one end of a datagram pair sends to any path */
	RV_FD_UDP,
	RV_FD_MEMORY, /* that can be executed: memfd_create(2) without MFD_NOEXEC_SEAL */
};

/* Refuses such descriptors among the standard ones and `keep`. -EACCES. */
int rv_fds_refuse(enum rv_fd_kind kind, const int *keep, size_t count, struct reeve_error *err);

/* The same among all that an exec would not close. */
int rv_fds_refuse_any(enum rv_fd_kind kind, struct reeve_error *err);

#endif /* RV_ENFORCE_FDS_H */
