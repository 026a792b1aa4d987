/* SPDX-License-Identifier: MIT */
/*
 * Denials by identity: what was denied inside of a grant at launch stays so under whatever name it
 * is met. From inside, neither it nor what is above it can be moved; somebody outside may move it,
 * link it, or mount it a second time.
 */
#ifndef RV_SUPERVISE_DENY_H
#define RV_SUPERVISE_DENY_H

#include "enforce/split.h"
#include "supervise/resolve.h"

struct rv_deny; /* NULL: nothing is denied so */

/* Holds the denied objects open, so that their inode numbers stay theirs. -ENOMEM. */
int rv_deny_new(const struct rv_split *split, struct rv_deny **ret);
void rv_deny_free(struct rv_deny *deny);

/*
 * Whether any of `rights` is taken away from a held object, by the object itself or a directory
 * above it. What cannot be walked up from is denied.
 */
bool rv_deny_object(const struct rv_deny *deny, const struct rv_object *object, uint64_t rights);

/* The same for an entry; one that is a denied object itself is denied whatever the rights. */
bool rv_deny_place(const struct rv_deny *deny, const struct rv_place *place, uint64_t rights);

#endif /* RV_SUPERVISE_DENY_H */
