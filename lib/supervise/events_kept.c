/* SPDX-License-Identifier: MIT */
/* The kept denials, and what guards refused: equal ones are joined, the one that occurred longest
 * ago goes first. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "base/strbuf.h"
#include "supervise/event_private.h"
#include "supervise/events_private.h"

_Static_assert(RV_EVENTS_KEPT < RV_KEPT_NONE, "the numbers of entries fit");

/* ------------------------------------------------------------------------- items */

struct rv_item *rv_item_new(const struct reeve_event *event)
{
	size_t bytes = sizeof(struct rv_item) + rv_event_strings_size(event, PATH_MAX);
	struct rv_item *item = malloc(bytes);

	if (!item)
		return NULL;
	atomic_init(&item->refs, 1);
	item->bytes = bytes;
	rv_event_copy_to(&item->event, item->strings, event, PATH_MAX);
	return item;
}

struct rv_item *rv_item_ref(struct rv_item *item)
{
	atomic_fetch_add_explicit(&item->refs, 1, memory_order_relaxed);
	return item;
}

void rv_item_free(struct rv_item *item)
{
	if (item && atomic_fetch_sub_explicit(&item->refs, 1, memory_order_acq_rel) == 1)
		free(item);
}

/* ---------------------------------------------------------------------- equality */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

static uint64_t hash_of(const struct reeve_event *event)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_text(hash, event->object);
	hash = hash_text(hash, event->object2);
	hash = hash_text(hash, event->exe);
	hash = hash_text(hash, event->kind == REEVE_EVENT_GUARD ? event->call : NULL);
	hash = hash_bytes(hash, &event->cls, sizeof(event->cls));
	return hash_bytes(hash, &event->missing, sizeof(event->missing));
}

static bool is_same(const struct reeve_event *a, const struct reeve_event *b)
{
	if (a->kind != b->kind ||
		(a->kind == REEVE_EVENT_GUARD &&
			(!rv_same_text(a->call, b->call) || !rv_same_text(a->by, b->by))))
		return false;
	return a->cls == b->cls && a->missing == b->missing && rv_same_text(a->object, b->object) &&
	       rv_same_text(a->object2, b->object2) && rv_same_text(a->exe, b->exe);
}

/* ------------------------------------------------------------------------- lists */

int rv_kept_init(struct rv_kept *kept)
{
	*kept = (struct rv_kept){.oldest = RV_KEPT_NONE, .newest = RV_KEPT_NONE};
	for (size_t i = 0; i < RV_KEPT_BUCKETS; i++)
		kept->buckets[i] = RV_KEPT_NONE;
	kept->entries = calloc(RV_EVENTS_KEPT, sizeof(*kept->entries));
	if (!kept->entries)
		return -ENOMEM;
	for (uint16_t i = 0; i < RV_EVENTS_KEPT; i++)
		kept->entries[i].chain = i + 1 < RV_EVENTS_KEPT ? (uint16_t)(i + 1) : RV_KEPT_NONE;
	return 0;
}

void rv_kept_release(struct rv_kept *kept)
{
	for (size_t i = 0; kept->entries && i < RV_EVENTS_KEPT; i++)
		rv_item_free(kept->entries[i].item);
	free(kept->entries);
	kept->entries = NULL;
}

static void unlink_order(struct rv_kept *kept, uint16_t i)
{
	struct rv_kept_entry *entry = &kept->entries[i];

	if (entry->older == RV_KEPT_NONE)
		kept->oldest = entry->newer;
	else
		kept->entries[entry->older].newer = entry->newer;
	if (entry->newer == RV_KEPT_NONE)
		kept->newest = entry->older;
	else
		kept->entries[entry->newer].older = entry->older;
}

static void append_order(struct rv_kept *kept, uint16_t i)
{
	struct rv_kept_entry *entry = &kept->entries[i];

	entry->older = kept->newest;
	entry->newer = RV_KEPT_NONE;
	if (kept->newest == RV_KEPT_NONE)
		kept->oldest = i;
	else
		kept->entries[kept->newest].newer = i;
	kept->newest = i;
}

/* Makes the oldest entry a free one. */
static void evict(struct rv_kept *kept)
{
	uint16_t i = kept->oldest;
	struct rv_kept_entry *entry = &kept->entries[i];
	uint16_t *link = &kept->buckets[entry->hash % RV_KEPT_BUCKETS];

	while (*link != i)
		link = &kept->entries[*link].chain;
	*link = entry->chain;
	unlink_order(kept, i);
	kept->bytes -= entry->item->bytes;
	rv_item_free(entry->item);
	*entry = (struct rv_kept_entry){.chain = kept->free};
	kept->free = i;
}

static uint16_t find(const struct rv_kept *kept, const struct reeve_event *event, uint64_t hash)
{
	uint16_t i = kept->buckets[hash % RV_KEPT_BUCKETS];

	while (i != RV_KEPT_NONE &&
		(kept->entries[i].hash != hash || !is_same(&kept->entries[i].item->event, event)))
		i = kept->entries[i].chain;
	return i;
}

static uint16_t new_entry(struct rv_kept *kept, uint64_t hash)
{
	uint16_t *bucket = &kept->buckets[hash % RV_KEPT_BUCKETS], i;

	if (kept->free == RV_KEPT_NONE)
		evict(kept);
	i = kept->free;
	kept->free = kept->entries[i].chain;
	kept->entries[i] = (struct rv_kept_entry){.hash = hash, .chain = *bucket};
	*bucket = i;
	return i;
}

void rv_kept_put(struct rv_kept *kept, struct rv_item *item)
{
	uint64_t hash = hash_of(&item->event);
	uint16_t i = find(kept, &item->event, hash);

	if (i == RV_KEPT_NONE) {
		i = new_entry(kept, hash);
	} else {
		unlink_order(kept, i);
		kept->bytes -= kept->entries[i].item->bytes;
		rv_item_free(kept->entries[i].item);
	}
	kept->entries[i].item = rv_item_ref(item);
	kept->entries[i].count++;
	kept->bytes += item->bytes;
	append_order(kept, i);
	while (kept->bytes > RV_EVENTS_BYTES)
		evict(kept);
}
