/* SPDX-License-Identifier: MIT */
/*
 * Rename and link, which ask for rights in two places and compare them: the model decides that, on
 * a domain whose live part has just the rules that lie on the way up from either name.
 */
#include <errno.h>
#include <string.h>
#include "model/ruleset.h"
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
			rv_live_rule_same_object(entry->grant, other->grant) &&
			!(entry->allowed & ~other->allowed) && !(entry->quiet & ~other->quiet))
			return true;
	}
	return false;
}

static void add_candidate(struct candidates *candidates, const struct rv_entry *entry)
{
	if (rv_live_rule_void(entry->grant, candidates->now) || is_spare(candidates, entry))
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
		uint32_t i = rv_snapshot_first(snapshot, &walk);

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
	char buf[PATH_MAX];

	for (size_t i = 0; snapshot->denials && i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];
		const char *denied;

		if (!entry->is_deny || rv_live_rule_over(entry->grant, candidates->now))
			continue;
		denied = rv_live_rule_path(entry->grant, buf);
		if (strncmp(denied, path, length) != 0)
			continue;
		if (length == 1 || denied[length] == '/' || denied[length] == '\0')
			return true;
	}
	return false;
}

static int stage(struct reeve_domain *domain, const struct candidates *candidates)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < candidates->count; i++) {
		const struct rv_entry *entry = candidates->at[i];
		struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
			.flags = entry->is_deny ? REEVE_RULE_DENY : 0,
			.allowed = entry->allowed,
			.quiet = entry->quiet,
			.path = rv_live_rule_path(entry->grant, path)};

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

	if (reeve_domain_new(NULL, judge->alone ? judge->alone : judge->policy, &domain) < 0)
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

/* ------------------------------------------------------------------ what is fixed */

static void refuse(struct rv_judgement *ret, uint64_t missing, const char *by)
{
	*ret = (struct rv_judgement){
		.result = RV_DENIED, .decision = {.error = EACCES, .missing = missing, .layer = 1}};
	rv_judgement_denied(ret, by);
}

/* The policy's denial that fixes what is at this path: on it, or below it. */
static const char *fixed_by(const struct rv_judge *judge, const char *path)
{
	const struct reeve_rule *rule;
	size_t length = strlen(path);

	if (!rv_ruleset_denies_within(judge->policy, path, length))
		return NULL;
	rule = rv_ruleset_denial_on(judge->policy, path, length);
	if (!rule)
		return "a denial below it";
	return rule->origin ? rule->origin : "the policy";
}

/* Into what is denied, or out of it: then it is EACCES, whatever else is missing. */
static void name_denial(
	const struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret)
{
	uint64_t missing = ret->decision.missing;
	const struct reeve_rule *rule = rv_ruleset_denial_over(
		judge->policy, refer->old_path, strlen(refer->old_path), missing);

	if (!rule)
		rule = rv_ruleset_denial_over(
			judge->policy, refer->new_path, strlen(refer->new_path), missing);
	if (!rule)
		return;
	ret->decision.error = EACCES;
	rv_judgement_denied(ret, rule->origin ? rule->origin : "the policy");
}

/* Whatever allows it: as Landlock's refer rule would, by the live rules. */
static void refuse_gain(const struct rv_judge *judge, const struct rv_snapshot *snapshot,
	const struct reeve_refer *refer, struct rv_judgement *ret)
{
	uint64_t gained = rv_judge_move_gain(judge, snapshot, refer);

	if (gained)
		*ret = (struct rv_judgement){.result = RV_DENIED,
			.decision = {.error = EXDEV, .missing = gained, .layer = 1}};
}

static void judge_refer(
	struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret)
{
	const char *by = fixed_by(judge, refer->old_path);
	rv_autosnapshot snapshot = NULL;
	struct candidates candidates = {.count = 0};

	if (!by)
		by = fixed_by(judge, refer->new_path);
	if (by) {
		refuse(ret, 0, by);
		return;
	}
	*ret = (struct rv_judgement){.result = RV_FLOOR_ALLOWS};
	snapshot = rv_judge_snapshot(judge);
	reeve_decide_refer(judge->fixed, refer, &ret->decision);
	if (ret->decision.allowed) {
		if (!rv_judge_floor_allows_refer(judge, refer))
			rv_judgement_static(judge, refer->new_path, REEVE_FS_REFER, ret);
		refuse_gain(judge, snapshot, refer, ret);
		return;
	}
	ret->result = RV_DENIED;
	if (snapshot->entries.count == 0)
		return;
	candidates.snapshot = snapshot;
	candidates.now = snapshot->first_expiry ? rv_boot_ms() : 0;
	if (is_pinned(&candidates, refer->old_path) || is_pinned(&candidates, refer->new_path))
		refuse(ret, 0, "a live rule");
	else
		judge_live(judge, refer, &candidates, ret);
	if (ret->result == RV_LIVE_ALLOWS)
		refuse_gain(judge, snapshot, refer, ret);
}

void rv_judge_refer(
	struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret)
{
	judge_refer(judge, refer, ret);
	if (ret->result == RV_DENIED && !ret->by_denial)
		name_denial(judge, refer, ret);
}

/* A live denial on the entry, or below it where it is not a directory that is made. */
static bool is_fixed_live(struct rv_judge *judge, const char *path, uint64_t access)
{
	const struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));
	rv_autosnapshot snapshot = rv_judge_snapshot(judge);
	struct candidates candidates = {.snapshot = snapshot};
	const struct rv_entry *entries = snapshot->entries.at;

	candidates.now = snapshot->first_expiry ? rv_boot_ms() : 0;
	if (!snapshot->denials || !is_pinned(&candidates, path))
		return false;
	for (uint32_t i = rv_snapshot_first(snapshot, &walk); i != RV_NO_RULE; i = entries[i].next)
		if (entries[i].is_deny && !rv_live_rule_over(entries[i].grant, candidates.now))
			return true;
	return access != REEVE_FS_MAKE_DIR;
}

void rv_judge_entry(struct rv_judge *judge, const char *path, const char *dir, uint64_t access,
	struct rv_judgement *ret)
{
	const char *by = fixed_by(judge, path);

	if (by && access == REEVE_FS_MAKE_DIR &&
		!rv_ruleset_denial_on(judge->policy, path, strlen(path)))
		by = NULL;
	if (by) {
		refuse(ret, access, by);
		return;
	}
	rv_judge_path(judge, dir, access, ret);
	/* Only then: a live denial takes nothing from the floor. */
	if (ret->result == RV_LIVE_ALLOWS && is_fixed_live(judge, path, access))
		refuse(ret, access, "a live rule");
}
