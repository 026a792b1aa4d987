/* SPDX-License-Identifier: MIT */
/*
 * Which mounts are in our mount namespace, below our root.
 *
 * A path means something only there. What is on a mount elsewhere has a path all the same, the one
 * from the root of that mount: a program can clone any directory into a mount that is attached
 * nowhere (open_tree(2); in a user namespace of a child that shares its descriptors that takes no
 * privilege), and below it `home/me/src` would be taken for /home/me/src.
 */
#ifndef RV_SUPERVISE_MOUNTS_H
#define RV_SUPERVISE_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct rv_mounts; /* thread-safe */

/* Negative errno: /proc/self/mountinfo cannot be opened, or -ENOMEM. */
int rv_mounts_new(struct rv_mounts **ret);
void rv_mounts_free(struct rv_mounts *mounts); /* NULL is allowed */

/*
 * Whether the mount with this id, as statx(2) gives it (STATX_MNT_ID), is among them now. Ids are
 * used again: only what was asked from the kernel before this call counts. Doubt is false.
 */
bool rv_mounts_has(struct rv_mounts *mounts, uint64_t id);

#endif /* RV_SUPERVISE_MOUNTS_H */
