/* SPDX-License-Identifier: MIT */
/*
 * The writable mappings of this process: the power to change a ruleset. It is kept here and not
 * behind the descriptor, because a supervisee inherits descriptors, and what it can reach through
 * one it can use after it is restricted. A forked child has a copy of the list and of the mappings;
 * rv_registry_drop() takes it from one that restricts itself.
 */
#ifndef RV_LANDLOCK_REGISTRY_H
#define RV_LANDLOCK_REGISTRY_H

#include "landlock/image.h"

/* Takes the mapping over. `fd` is where its descriptor is now: mappings without one are dropped. */
int rv_registry_add(uint64_t id, int fd, struct rv_image *image);

/*
 * The mapping of an image, held until rv_registry_put(): no other thread drops it meanwhile. NULL:
 * this process may not change it.
 */
struct rv_image *rv_registry_get(uint64_t id);
void rv_registry_put(void);

/* True once a supervisor ruleset was made in this process (or in one that it was forked from). */
extern atomic_bool rv_registry_is_used;
static inline bool rv_registry_used(void)
{
	return atomic_load_explicit(&rv_registry_is_used, memory_order_relaxed);
}

/* Unmaps everything. */
void rv_registry_drop(void);

#endif /* RV_LANDLOCK_REGISTRY_H */
