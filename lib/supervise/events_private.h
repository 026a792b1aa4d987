/* SPDX-License-Identifier: MIT */
/* What the event queue and the list of kept denials share: events that own their strings. */
#ifndef RV_SUPERVISE_EVENTS_PRIVATE_H
#define RV_SUPERVISE_EVENTS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "supervise/events.h"

/* However long names are, neither the ring nor the kept denials take more than this. */
#define RV_EVENTS_BYTES (2u << 20)

/* Constant once others see it, but for sequence and time, which are set with the queue's lock. */
struct rv_item {
	atomic_uint refs;
	size_t bytes;
	struct reeve_event event;
	char strings[];
};

/* NULL: no memory. */
struct rv_item *rv_item_new(const struct reeve_event *event);
struct rv_item *rv_item_ref(struct rv_item *item);
void rv_item_free(struct rv_item *item); /* drops a reference */

/* One of the kept denials: in a bucket of the hash table, and in the order of last occurrence. */
struct rv_kept_entry {
	struct rv_item *item; /* the latest; owned reference, NULL: a free entry */
	uint64_t count, hash;
	uint16_t chain;	       /* the next in its bucket, or among the free ones */
	uint16_t older, newer; /* all three are numbers of entries */
};

#define RV_KEPT_BUCKETS 1024
#define RV_KEPT_NONE	UINT16_MAX

struct rv_kept {
	struct rv_kept_entry *entries; /* RV_EVENTS_KEPT of them */
	uint16_t buckets[RV_KEPT_BUCKETS];
	uint16_t oldest, newest, free;
	size_t bytes;
};

/* None of these locks. -ENOMEM. */
int rv_kept_init(struct rv_kept *kept);
void rv_kept_release(struct rv_kept *kept);

/* Takes a reference to the item. Never allocates. */
void rv_kept_put(struct rv_kept *kept, struct rv_item *item);

#endif /* RV_SUPERVISE_EVENTS_PRIVATE_H */
