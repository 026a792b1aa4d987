/* SPDX-License-Identifier: MIT */
/*
 * Who made a UNIX socket: the domain, or somebody outside. What counts is the creation, as for the
 * kernel's own scopes: every socket that is made for the domain is recorded by its cookie, which
 * the kernel gives once and never again. Then the socket behind a path or a name is looked up in
 * the kernel's list (sock_diag) and its cookie among the recorded ones.
 *
 * The list has the sockets of our network namespace only, though a path reaches sockets of all: one
 * that is not found may still be there, and is somebody else's.
 */
#ifndef RV_SUPERVISE_OWNER_H
#define RV_SUPERVISE_OWNER_H

#include <stddef.h>
#include <sys/stat.h>

struct rv_owner; /* thread-safe */

/* Errors are those of a first look: -ENOENT, -EPROTONOSUPPORT: the kernel has no UNIX_DIAG. */
int rv_owner_new(struct rv_owner **ret);
void rv_owner_free(struct rv_owner *owner);

/* Records a socket that was just made. -ENOMEM, -ENOTSOCK. */
int rv_owner_record(struct rv_owner *owner, int fd);

enum rv_made {
	RV_MADE_INSIDE,
	RV_MADE_OUTSIDE, /* or in doubt */
	RV_MADE_NONE,	 /* no socket that we can see is there */
};

struct rv_found {
	enum rv_made made;
	int type; /* SOCK_*, of INSIDE and OUTSIDE */
};

/*
 * The socket bound to a pinned file, `pin` with `st`. As long as it is pinned no other can be bound
 * to it: bind(2) always makes a new file. -errno: the list cannot be read.
 */
bool rv_owner_knows_inside(
	struct rv_owner *owner, const struct stat *st, int *ret_type); /* at once */
int rv_owner_of_file(struct rv_owner *owner, int pin, const struct stat *st, struct rv_found *ret);

/* The socket with an abstract name; without the leading NUL. */
int rv_owner_of_name(struct rv_owner *owner, const char *name, size_t length, struct rv_found *ret);

#endif /* RV_SUPERVISE_OWNER_H */
