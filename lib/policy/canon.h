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

/* Zeroed is ready for use. */
struct rv_canon {
	char directory[PATH_MAX]; /* as written, without final slash; "" for none */
	char resolved[PATH_MAX];
};

/*
 * Resolves an absolute path. With `may_miss`, what does not exist stays as it is written below the
 * longest prefix that exists, and dangling links are followed; "..", after what does not exist, is
 * -ENOENT. Else -ENOENT, -EACCES, -ENOTDIR, -ELOOP, -ENAMETOOLONG as open(2).
 */
int rv_canonicalize(struct rv_canon *canon, const char *path, bool may_miss, char ret[PATH_MAX]);

#endif /* RV_POLICY_CANON_H */
