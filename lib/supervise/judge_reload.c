/* SPDX-License-Identifier: MIT */
/* The live rules that are the policy's, replaced by those of another one, in one commit. */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "supervise/judge_private.h"

/* Pointers into lists of entries, by path and what is granted. */
struct sorted {
	const struct rv_entry **at;
	size_t count;
};

static bool is_of_policy(const struct rv_entry *entry)
{
	return rv_batch_of(entry->grant)->of_policy;
}

static int compare(const struct rv_entry *a, const struct rv_entry *b)
{
	int r = rv_live_rule_compare(a->grant, b->grant);

	if (r)
		return r;
	if (a->is_deny != b->is_deny)
		return a->is_deny ? 1 : -1;
	return (a->allowed > b->allowed) - (a->allowed < b->allowed);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare(*(const struct rv_entry *const *)a, *(const struct rv_entry *const *)b);
}

static int sort(const struct rv_entries *entries, struct sorted *ret)
{
	ret->at = calloc(entries->count + 1, sizeof(*ret->at));
	ret->count = 0;
	if (!ret->at)
		return -ENOMEM;
	for (size_t i = 0; i < entries->count; i++)
		if (is_of_policy(&entries->at[i]))
			ret->at[ret->count++] = &entries->at[i];
	qsort(ret->at, ret->count, sizeof(*ret->at), compare_pointers);
	return 0;
}

/* A rule that was there before goes on: its age, and how often it was used. */
static void inherit(
	const struct sorted *before, const struct sorted *after, struct rv_reloaded *ret)
{
	size_t i = 0, k = 0;

	while (i < before->count && k < after->count) {
		int order = compare(before->at[i], after->at[k]);

		if (order == 0) {
			const struct rv_live_rule *old = before->at[i]->grant;
			struct rv_live_rule *grant = after->at[k]->grant;

			atomic_store(&grant->uses, atomic_load(&old->uses));
			grant->since = old->since;
			ret->kept++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	ret->added = after->count - ret->kept;
	ret->removed = before->count - ret->kept;
}

static int make_fresh(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	struct rv_entries *ret)
{
	int r = rv_batch_append(ret, rules, count, NULL, NULL, &judge->last_id);

	if (ret->count > 0)
		rv_batch_of(ret->at[0].grant)->of_policy = true;
	return r;
}

/* What others granted, and then the policy's: in the order of ids. */
static int join(
	const struct rv_entries *from, const struct rv_entries *fresh, struct rv_entries *ret)
{
	int r = rv_entries_reserve(ret, fresh->count);

	for (size_t i = 0; r == 0 && i < from->count; i++)
		if (!is_of_policy(&from->at[i]))
			r = rv_entries_add(ret, &from->at[i]);
	for (size_t i = 0; r == 0 && i < fresh->count; i++)
		r = rv_entries_add(ret, &fresh->at[i]);
	return r;
}

/* Also in what others have staged, so that their commit does not undo this one. */
static int publish(struct rv_judge *judge, const struct rv_entries *fresh)
{
	struct rv_entries current = {0}, staged = {0};
	uint64_t now = rv_boot_ms();
	uint64_t since = rv_stage_since();
	int r = join(&judge->current->entries, fresh, &current);

	if (r == 0 && judge->is_staged)
		r = join(&judge->staged, fresh, &staged);
	for (size_t i = 0; r == 0 && i < fresh->count; i++)
		rv_stage_start(fresh->at[i].grant, now, since);
	if (r == 0)
		r = rv_stage_publish(judge, &current, now);
	rv_entries_release(&current);
	if (r < 0 || !judge->is_staged) {
		rv_entries_release(&staged);
		return r < 0 ? r : 0;
	}
	rv_entries_release(&judge->staged);
	judge->staged = staged;
	return 0;
}

int rv_judge_reload(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	struct rv_reloaded *ret)
{
	struct sorted before = {0}, after = {0};
	struct rv_entries fresh = {0};
	int r;

	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&judge->staging);
	r = make_fresh(judge, rules, count, &fresh);
	if (r == 0)
		r = sort(&judge->current->entries, &before);
	if (r == 0)
		r = sort(&fresh, &after);
	if (r == 0)
		inherit(&before, &after, ret);
	if (r == 0)
		r = publish(judge, &fresh);
	pthread_mutex_unlock(&judge->staging);
	free(before.at);
	free(after.at);
	rv_entries_release(&fresh);
	return r;
}
