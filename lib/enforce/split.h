/* SPDX-License-Identifier: MIT */
/*
 * Splitting a grant around what is denied inside of it, at launch.
 *
 * The *spine* are the directories from the grant down to each denied object. Landlock's rights hold
 * for all that is below a directory, so none can be granted on the spine. The directories beside it
 * are granted, each by the descriptor through which it was looked at: a symbolic link never is.
 * What is left, the files in the spine and what is made there later, the supervisor performs; it
 * cannot execute for the program, so files that are executable already are granted too, for that.
 *
 * Nothing that is denied can get below one of those directories: moving it, or a directory above
 * it, needs rights on the spine, which only the supervisor has, and it refuses that.
 */
#ifndef RV_ENFORCE_SPLIT_H
#define RV_ENFORCE_SPLIT_H

#include <sys/types.h>
#include "enforce/plan.h"

struct rv_identity {
	dev_t dev;
	ino_t ino;
};

/* An object that got a rule of its own in the floor. */
struct rv_split_part {
	char *path;
	uint64_t allowed;
	struct rv_identity is;
	const char *origin; /* of the grant; may be NULL */
};

struct rv_split_parts {
	struct rv_split_part *at;
	size_t count, capacity;
};

/* Zeroed is valid and empty. Borrows from the plan. */
struct rv_split {
	struct rv_split_parts floor;  /* what the floor grants, beside the plan's rules */
	struct rv_split_parts spine;  /* directories above something denied; nothing is granted */
	struct rv_split_parts again;  /* what is granted below something denied */
	struct rv_split_parts denied; /* what is there of it; `allowed`: the rights taken away */
};

/*
 * Adds the plan's split grants to a ruleset of the kernel. -EOPNOTSUPP: the denial cannot be held
 * here (a file system whose names or inodes do not identify, another name or mount of the denied
 * object inside of a grant); the message names it. -ELOOP: a symbolic link stands now where the
 * policy had a directory. Else what open(2) gives; -ENOMEM.
 */
int rv_split_make(const struct reeve_plan *plan, int ruleset_fd, struct rv_split *ret,
	struct reeve_error *err);
void rv_split_release(struct rv_split *split);

/* Appends a copy. -ENOMEM. */
int rv_split_add(struct rv_split_parts *parts, const struct rv_split_part *part);

/* split_check.c: whether the file system of an open directory lets denials be told by name. */
int rv_split_check_names(int fd, const char *path, const char *entry, struct reeve_error *err);

/*
 * split_check.c: looks at a denied object, and below it at a bounded number of entries: another
 * name of a file is an error.
 */
int rv_split_check_denied(int fd, const struct reeve_rule *rule, struct reeve_error *err);

/* split_mounts.c: refuses denied objects that can be reached by another mount within a grant. */
int rv_split_check_mounts(const struct reeve_plan *plan, struct reeve_error *err);

/* "ORIGIN: PATH: WHY", with code. */
int rv_split_error(
	struct reeve_error *err, int code, const struct reeve_rule *rule, const char *why);

#endif /* RV_ENFORCE_SPLIT_H */
