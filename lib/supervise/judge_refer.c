/* SPDX-License-Identifier: MIT */
/*
 * Rename and link, which ask for rights in two places and compare them: the model decides that, on
 * a domain whose live part has just the rules that lie on the way up from either name.
 */
#include <errno.h>
#include <string.h>
#include "supervise/judge_private.h"

/* More rules than that on the way up are left out, which can only lose a grant. */
#define CANDIDATES 64

struct candidates {
	const struct rv_snapshot *snapshot;
	uint64_t now;
	const struct rv_entry *at[CANDIDATES];
	bool in[CANDIDATES]; /* takes part in the next decision */
	size_t count;
	bool too_many_denials;
};

/* Whether an entry adds nothing to what is among the candidates already. */
static bool is_spare(const struct candidates *candidates, const struct rv_entry *entry)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct rv_entry *other = candidates->at[i];

		if (other == entry)
			return true;
		if (!entry->is_deny && !other->is_deny &&
			entry->grant->path_length == other->grant->path_length &&
			strcmp(entry->grant->text, other->grant->text) == 0 &&
			!(entry->allowed & ~other->allowed) && !(entry->quiet & ~other->quiet))
			return true;
	}
	return false;
}

static void add_candidate(struct candidates *candidates, const struct rv_entry *entry)
{
	if (rv_live_rule_over(entry->grant, candidates->now) || is_spare(candidates, entry))
		return;
	if (candidates->count == CANDIDATES) {
		candidates->too_many_denials |= entry->is_deny;
		return;
	}
	candidates->in[candidates->count] = !entry->once;
	candidates->at[candidates->count++] = entry;
}

static void add_upwards(struct candidates *candidates, const char *path, bool once)
{
	const struct rv_snapshot *snapshot = candidates->snapshot;
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node = rv_path_walk_node(&walk, &snapshot->index);
		uint32_t i = node ? node->first : RV_NO_RULE;

		for (; i != RV_NO_RULE; i = snapshot->entries.at[i].next)
			if (snapshot->entries.at[i].once == once)
				add_candidate(candidates, &snapshot->entries.at[i]);
	}
}

/* A DENY rule on the object or below it: see pinned_by() of the model. */
static bool is_pinned(const struct candidates *candidates, const char *path)
{
	const struct rv_snapshot *snapshot = candidates->snapshot;
	size_t length = strlen(path);

	for (size_t i = 0; snapshot->denials && i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];
		const char *denied = entry->grant->text;

		if (!entry->is_deny || rv_live_rule_over(entry->grant, candidates->now) ||
			strncmp(denied, path, length) != 0)
			continue;
		if (length == 1 || denied[length] == '/' || denied[length] == '\0')
			return true;
	}
	return false;
}

static int stage(struct reeve_domain *domain, const struct candidates *candidates)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < candidates->count; i++) {
		const struct rv_entry *entry = candidates->at[i];
		struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
			.flags = entry->is_deny ? REEVE_RULE_DENY : 0,
			.allowed = entry->allowed,
			.quiet = entry->quiet,
			.path = entry->grant->text};

		if (candidates->in[i])
			r = reeve_domain_stage_add(domain, &rule, NULL);
	}
	return r ? r : reeve_domain_commit(domain);
}

/* With the candidates that are in; without memory as the floor alone decides. */
static bool decide(struct rv_judge *judge, const struct reeve_refer *refer,
	const struct candidates *candidates, struct reeve_decision *ret)
{
	struct reeve_domain *domain;

	if (reeve_domain_new(NULL, judge->policy, &domain) < 0)
		return false;
	if (stage(domain, candidates) == 0)
		reeve_decide_refer(domain, refer, ret);
	reeve_domain_free(domain);
	return ret->allowed;
}

/* Takes out what is not needed, of `once` rules or of the others. */
static void drop_spare(struct rv_judge *judge, const struct reeve_refer *refer,
	struct candidates *candidates, bool once)
{
	struct reeve_decision ignored;

	for (size_t i = candidates->count; i-- > 0;) {
		if (!candidates->in[i] || candidates->at[i]->is_deny ||
			candidates->at[i]->once != once)
			continue;
		ignored = (struct reeve_decision){0};
		candidates->in[i] = false;
		candidates->in[i] = !decide(judge, refer, candidates, &ignored);
	}
}

/* Without rules granted once if that is enough, else with them. */
static bool decide_with_least(struct rv_judge *judge, const struct reeve_refer *refer,
	struct candidates *candidates, struct reeve_decision *ret)
{
	bool allowed = decide(judge, refer, candidates, ret), once = false;

	for (size_t i = 0; !allowed && i < candidates->count; i++) {
		once |= !candidates->in[i];
		candidates->in[i] = true;
	}
	if (once && !allowed)
		allowed = decide(judge, refer, candidates, ret);
	if (!allowed)
		return false;
	drop_spare(judge, refer, candidates, true);
	drop_spare(judge, refer, candidates, false);
	return true;
}

static bool add_tickets(const struct candidates *candidates, struct rv_judgement *ret)
{
	for (size_t i = 0; i < candidates->count; i++)
		if (candidates->in[i] && !candidates->at[i]->is_deny &&
			!rv_judgement_add(ret, candidates->at[i]))
			return false;
	return true;
}

static void judge_live(struct rv_judge *judge, const struct reeve_refer *refer,
	struct candidates *candidates, struct rv_judgement *ret)
{
	struct reeve_decision decision = ret->decision;

	if (is_pinned(candidates, refer->old_path) || is_pinned(candidates, refer->new_path)) {
		ret->decision = (struct reeve_decision){.error = EACCES, .layer = 1};
		return;
	}
	for (int once = 0; once < 2; once++) {
		add_upwards(candidates, refer->old_path, once);
		add_upwards(candidates, refer->new_path, once);
	}
	if (candidates->too_many_denials)
		return;
	if (!decide_with_least(judge, refer, candidates, &decision))
		ret->decision = decision;
	else if (add_tickets(candidates, ret)) {
		ret->result = RV_LIVE_ALLOWS;
		ret->decision = decision;
	}
}

void rv_judge_refer(
	struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret)
{
	struct candidates candidates = {.count = 0};
	rv_autosnapshot snapshot = NULL;

	*ret = (struct rv_judgement){.result = RV_FLOOR_ALLOWS};
	reeve_decide_refer(judge->floor, refer, &ret->decision);
	if (ret->decision.allowed)
		return;
	ret->result = RV_DENIED;
	snapshot = rv_judge_snapshot(judge);
	if (snapshot->entries.count == 0)
		return;
	candidates.snapshot = snapshot;
	candidates.now = snapshot->first_expiry ? rv_boot_ms() : 0;
	judge_live(judge, refer, &candidates, ret);
}
