/* SPDX-License-Identifier: MIT */
/*
 * Paths as Landlock's floor sees them: it keys objects, so every symbolic link is followed. What
 * realpath(3) does, and besides: paths that do not exist yet, and a memory of the last directory,
 * because policies list its entries one after the other.
 */
#ifndef RV_POLICY_CANON_H
#define RV_POLICY_CANON_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed is ready for use. */
struct rv_canon {
	char directory[PATH_MAX]; /* as written, without final slash; "" for none */
	char resolved[PATH_MAX];
	bool is_missing; /* it does not exist, so nothing below it does */
	/* Called for each symbolic link that is followed, with its canonical path; may be NULL. */
	void (*on_link)(void *data, const char *path);
	/* The same for each directory that ".." leaves: what is there decides where that leads. */
	void (*on_up)(void *data, const char *path);
	void *data;
};

/* As zeroing it, without touching all of the two paths. */
static inline void rv_canon_init(struct rv_canon *canon)
{
	canon->directory[0] = canon->resolved[0] = '\0';
	canon->is_missing = false;
	canon->on_link = canon->on_up = NULL;
	canon->data = NULL;
}

/*
 * Resolves an absolute path. With `may_miss`, what does not exist stays as it is written below the
 * longest prefix that exists, and dangling links are followed; "..", after what does not exist, is
 * -ENOENT. Else -ENOENT, -EACCES, -ENOTDIR, -ELOOP, -ENAMETOOLONG as open(2).
 */
int rv_canonicalize(struct rv_canon *canon, const char *path, bool may_miss, char ret[PATH_MAX]);

/*
 * The short way: opens (O_PATH, O_CLOEXEC) a path that is canonical as it is written, in one call.
 * The descriptor; -ENOENT, -EACCES, -ENOTDIR where rv_canonicalize() would say so as well;
 * -EMFILE, -ENFILE; -EAGAIN: it is not canonical, or this kernel cannot tell.
 */
int rv_open_canonical(const char *path);

/*
 * The same for a symbolic link (/bin) whose target is canonical, which is then in `ret`. -EAGAIN
 * for all else that it cannot open.
 */
int rv_open_link(const char *path, char ret[PATH_MAX]);

#endif /* RV_POLICY_CANON_H */
