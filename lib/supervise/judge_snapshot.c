/* SPDX-License-Identifier: MIT */
/* Grants, and the snapshots they are in. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "supervise/judge_private.h"

uint64_t rv_boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------------ grants */

/* Puts a string at *at in `grant`, and moves on; 0 where there is none. */
static uint32_t put_string(struct rv_live_rule *grant, uint32_t *at, const char *text)
{
	uint32_t where = *at;

	if (!text)
		return 0;
	memcpy(grant->text + where, text, strlen(text) + 1);
	*at += (uint32_t)strlen(text) + 1;
	return where;
}

struct rv_live_rule *rv_live_rule_new(
	const struct reeve_rule *rule, const struct reeve_live_options *options)
{
	const char *by = options ? options->by : NULL;
	size_t length = strlen(rule->path), size = length + 1;
	struct rv_live_rule *grant;
	uint32_t at = 0;

	size += rule->origin ? strlen(rule->origin) + 1 : 0;
	size += by ? strlen(by) + 1 : 0;
	grant = size > UINT32_MAX ? NULL : calloc(1, sizeof(*grant) + size);
	if (!grant)
		return NULL;
	atomic_init(&grant->refs, 1);
	grant->path_length = (uint32_t)length;
	put_string(grant, &at, rule->path);
	grant->origin = put_string(grant, &at, rule->origin);
	grant->by = put_string(grant, &at, by);
	grant->is_deny = rule->flags & REEVE_RULE_DENY;
	if (options) {
		grant->once = options->once;
		grant->milliseconds = options->milliseconds;
	}
	return grant;
}

void rv_live_rule_free(struct rv_live_rule *grant)
{
	if (grant && atomic_fetch_sub_explicit(&grant->refs, 1, memory_order_acq_rel) == 1)
		free(grant);
}

/* ----------------------------------------------------------------------- entries */

static int make_room(struct rv_entries *entries)
{
	size_t capacity = entries->capacity ? entries->capacity * 2 : 4;
	void *at;

	if (entries->count < entries->capacity)
		return 0;
	if (entries->count >= RV_NO_RULE / 2)
		return -ENOMEM;
	at = reallocarray(entries->at, capacity, sizeof(*entries->at));
	if (!at)
		return -ENOMEM;
	entries->at = at;
	entries->capacity = capacity;
	return 0;
}

int rv_entries_add(struct rv_entries *entries, const struct rv_entry *entry)
{
	int r = make_room(entries);

	if (r)
		return r;
	atomic_fetch_add_explicit(&entry->grant->refs, 1, memory_order_relaxed);
	entries->at[entries->count++] = *entry;
	return 0;
}

void rv_entries_release(struct rv_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		rv_live_rule_free(entries->at[i].grant);
	free(entries->at);
	*entries = (struct rv_entries){0};
}

/* --------------------------------------------------------------------- snapshots */

static int index_entry(struct rv_snapshot *snapshot, uint32_t i)
{
	struct rv_entry *entry = &snapshot->entries.at[i];
	struct rv_path_node *node = rv_path_index_intern(
		&snapshot->index, entry->grant->text, entry->grant->path_length);

	if (!node)
		return -ENOMEM;
	entry->next = RV_NO_RULE;
	if (node->last == RV_NO_RULE)
		node->first = i;
	else
		snapshot->entries.at[node->last].next = i;
	node->last = i;
	return 0;
}

static bool grants(const struct rv_entry *entry)
{
	return entry->allowed && !entry->is_deny;
}

/* Adds up what is known of all entries together. */
static void sum_up(struct rv_snapshot *snapshot)
{
	bool ends = true;

	for (size_t i = 0; i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];
		uint64_t expires = entry->grant->expires;

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
	int r = snapshot ? 0 : -ENOMEM;

	if (r)
		return r;
	atomic_init(&snapshot->refs, 1);
	snapshot->entries = *entries;
	for (size_t i = 0; r == 0 && i < entries->count; i++)
		r = index_entry(snapshot, (uint32_t)i);
	if (r) {
		rv_path_index_release(&snapshot->index);
		free(snapshot);
		return r;
	}
	sum_up(snapshot);
	*entries = (struct rv_entries){0};
	*ret = snapshot;
	return 0;
}

void rv_snapshot_free(struct rv_snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
		return;
	rv_path_index_release(&snapshot->index);
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

void rv_judge_publish(struct rv_judge *judge, struct rv_snapshot *snapshot)
{
	struct rv_snapshot *old;

	pthread_mutex_lock(&judge->lock);
	old = judge->current;
	count_granting(snapshot);
	judge->current = snapshot;
	pthread_mutex_unlock(&judge->lock);
	rv_snapshot_free(old);
}
