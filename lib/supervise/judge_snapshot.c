/* SPDX-License-Identifier: MIT */
/* Snapshots: the grants of one commit, by path. */
#include <errno.h>
#include <stdlib.h>
#include "supervise/judge_private.h"

/* By path. At most two thirds full, so that a probe ends soon; FNV's high bits are its better ones.
 */
static size_t first_slot(const struct rv_snapshot *snapshot, uint64_t hash)
{
	return (hash ^ hash >> 32) & (snapshot->slot_count - 1);
}

static int make_slots(struct rv_snapshot *snapshot, size_t entries)
{
	size_t count = 2;

	while (count * 2 < entries * 3)
		count *= 2;
	snapshot->slots = calloc(count, sizeof(*snapshot->slots));
	snapshot->slot_count = count;
	return snapshot->slots ? 0 : -ENOMEM;
}

/* The later ones come first, and then follow the one that is put before them. */
static void index_entry(struct rv_snapshot *snapshot, size_t number)
{
	struct rv_entry *entries = snapshot->entries.at;
	size_t mask = snapshot->slot_count - 1, i;

	if (!rv_live_rule_has_path(entries[number].grant)) {
		entries[number].next = snapshot->first_pathless;
		snapshot->first_pathless = (uint32_t)number;
		return;
	}
	i = first_slot(snapshot, rv_live_rule_hash(entries[number].grant));
	while (snapshot->slots[i] &&
		!rv_live_rule_same_object(
			entries[snapshot->slots[i] - 1].grant, entries[number].grant))
		i = (i + 1) & mask;
	entries[number].next = snapshot->slots[i] ? snapshot->slots[i] - 1 : RV_NO_RULE;
	snapshot->slots[i] = (uint32_t)number + 1;
}

uint32_t rv_snapshot_first(const struct rv_snapshot *snapshot, const struct rv_path_walk *walk)
{
	const struct rv_entry *entries = snapshot->entries.at;
	size_t i = first_slot(snapshot, walk->hash);

	for (; snapshot->slots[i]; i = (i + 1) & (snapshot->slot_count - 1))
		if (rv_live_rule_is_on(
			    entries[snapshot->slots[i] - 1].grant, walk->path, walk->length))
			return snapshot->slots[i] - 1;
	return RV_NO_RULE;
}

/* Whether paths have to be resolved for it. */
static bool grants(const struct rv_entry *entry)
{
	return entry->allowed && !entry->is_deny && rv_live_rule_has_path(entry->grant);
}

/* Adds up what is known of all entries together. */
static void sum_up(struct rv_snapshot *snapshot)
{
	bool ends = true;

	for (size_t i = 0; i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];
		uint64_t expires = rv_batch_of(entry->grant)->expires;

		snapshot->denials += entry->is_deny;
		if (expires && (!snapshot->first_expiry || expires < snapshot->first_expiry))
			snapshot->first_expiry = expires;
		if (!grants(entry))
			continue;
		ends = ends && expires;
		if (expires > snapshot->last_grant_until)
			snapshot->last_grant_until = expires;
	}
	if (!ends)
		snapshot->last_grant_until = 0;
}

int rv_snapshot_new(struct rv_entries *entries, struct rv_snapshot **ret)
{
	struct rv_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot || make_slots(snapshot, entries->count)) {
		free(snapshot);
		return -ENOMEM;
	}
	atomic_init(&snapshot->refs, 1);
	snapshot->first_pathless = RV_NO_RULE;
	snapshot->entries = *entries;
	*entries = (struct rv_entries){0};
	for (size_t i = snapshot->entries.count; i-- > 0;)
		index_entry(snapshot, i);
	sum_up(snapshot);
	*ret = snapshot;
	return 0;
}

void rv_snapshot_free(struct rv_snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(snapshot->slots);
	rv_entries_release(&snapshot->entries);
	free(snapshot);
}

void rv_snapshot_free_p(struct rv_snapshot **snapshot)
{
	rv_snapshot_free(*snapshot);
}

struct rv_snapshot *rv_judge_snapshot(struct rv_judge *judge)
{
	struct rv_snapshot *snapshot;

	pthread_mutex_lock(&judge->lock);
	snapshot = judge->current;
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&judge->lock);
	return snapshot;
}

/* Rules may be consumed until the snapshot is in place, so only then it is known which are left. */
static void count_granting(struct rv_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];

		if (grants(entry) && !(entry->once && atomic_load(&entry->grant->consumed)))
			snapshot->granting++;
	}
}

/* With the lock. What expires is taken out soon after. */
static void show_count(struct rv_judge *judge)
{
	const struct rv_entries *entries = &judge->current->entries;
	uint64_t count = 0;

	for (size_t i = 0; judge->shown && i < entries->count; i++)
		count += !atomic_load(&entries->at[i].grant->consumed);
	if (judge->shown)
		*judge->shown = count;
}

const struct reeve_ruleset *rv_judge_static(const struct rv_judge *judge)
{
	return judge->policy;
}

void rv_judge_show(struct rv_judge *judge, _Atomic uint64_t *rules)
{
	pthread_mutex_lock(&judge->lock);
	judge->shown = rules;
	show_count(judge);
	pthread_mutex_unlock(&judge->lock);
}

void rv_judge_publish(struct rv_judge *judge, struct rv_snapshot *snapshot)
{
	struct rv_snapshot *old;

	pthread_mutex_lock(&judge->lock);
	old = judge->current;
	count_granting(snapshot);
	judge->current = snapshot;
	show_count(judge);
	pthread_mutex_unlock(&judge->lock);
	rv_snapshot_free(old);
}
