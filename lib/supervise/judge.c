/* SPDX-License-Identifier: MIT */
/* A judge's life, and its decisions on paths. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "model/ruleset.h"
#include "supervise/judge_private.h"

/* -------------------------------------------------------------------------- life */

static int add_initial(struct rv_judge *judge, const struct reeve_ruleset *live)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(live, i, &rule) == 0; i++) {
		if (!(rule.flags & REEVE_RULE_DENY))
			rule.allowed &= ~RV_NEVER_LIVE;
		if (rule.type != REEVE_RULE_PATH_BENEATH ||
			(!rule.allowed && !rule.quiet && !(rule.flags & REEVE_RULE_DENY)))
			continue;
		r = rv_judge_stage_add(judge, &rule, NULL, NULL);
	}
	return r ? r : rv_judge_commit(judge, NULL);
}

int rv_judge_new(
	struct reeve_ruleset *policy_static, struct reeve_ruleset *live, struct rv_judge **ret)
{
	struct rv_judge *judge = calloc(1, sizeof(*judge));
	struct rv_entries none = {0};
	int r;

	if (!judge)
		return -ENOMEM;
	pthread_mutex_init(&judge->staging, NULL);
	pthread_mutex_init(&judge->lock, NULL);
	judge->policy = reeve_ruleset_ref(policy_static);
	reeve_ruleset_handled(policy_static, &judge->handled);
	r = reeve_domain_new(NULL, policy_static, &judge->floor);
	if (r == 0)
		r = rv_snapshot_new(&none, &judge->current);
	if (r == 0)
		r = add_initial(judge, live);
	if (r)
		rv_judge_free(judge);
	else
		*ret = judge;
	return r;
}

void rv_judge_free(struct rv_judge *judge)
{
	if (!judge)
		return;
	rv_entries_release(&judge->staged);
	rv_snapshot_free(judge->current);
	reeve_domain_free(judge->floor);
	reeve_ruleset_free(judge->policy);
	pthread_mutex_destroy(&judge->lock);
	pthread_mutex_destroy(&judge->staging);
	free(judge);
}

bool rv_judge_has_live(struct rv_judge *judge)
{
	uint64_t until;
	bool any;

	pthread_mutex_lock(&judge->lock);
	any = judge->current->granting > 0;
	until = judge->current->last_grant_until;
	pthread_mutex_unlock(&judge->lock);
	return any && (!until || rv_boot_ms() < until);
}

/* ----------------------------------------------------------------------- tickets */

#define TICKET_ONCE (UINT64_C(1) << 63)

static bool add_ticket(struct rv_judgement *judgement, uint64_t ticket)
{
	for (size_t i = 0; i < judgement->ticket_count; i++)
		if (judgement->tickets[i] == ticket)
			return true;
	if (judgement->ticket_count == RV_TICKETS)
		return false;
	judgement->tickets[judgement->ticket_count++] = ticket;
	/* Of a set: the order does not count. */
	judgement->ticket += ticket * UINT64_C(0x9e3779b97f4a7c15);
	return true;
}

bool rv_judgement_add(struct rv_judgement *judgement, const struct rv_entry *entry)
{
	const struct rv_live_rule *grant = entry->grant;
	const char *by = "live rule";

	if (grant->by)
		by = grant->text + grant->by;
	if (grant->origin)
		by = grant->text + grant->origin;
	if (judgement->ticket_count == 0)
		snprintf(judgement->by, sizeof(judgement->by), "%s", by);
	return add_ticket(judgement, grant->id | (grant->once ? TICKET_ONCE : 0));
}

bool rv_judgement_join(struct rv_judgement *to, const struct rv_judgement *from)
{
	for (size_t i = 0; i < from->ticket_count; i++)
		if (!add_ticket(to, from->tickets[i]))
			return false;
	return true;
}

/* By its id, in the order of which entries are. */
static struct rv_entry *find_entry(const struct rv_snapshot *snapshot, uint64_t id)
{
	size_t low = 0, high = snapshot->entries.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct rv_entry *entry = &snapshot->entries.at[middle];

		if (entry->grant->id == id)
			return entry;
		if (entry->grant->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_left(const struct rv_snapshot *snapshot, uint64_t ticket)
{
	const struct rv_entry *entry;

	/* Revoked after this was judged: the request came first. */
	if (!(ticket & TICKET_ONCE))
		return true;
	entry = find_entry(snapshot, ticket & ~TICKET_ONCE);
	return entry && !atomic_load(&entry->grant->consumed);
}

static void count_use(struct rv_snapshot *snapshot, uint64_t ticket)
{
	struct rv_entry *entry = find_entry(snapshot, ticket & ~TICKET_ONCE);

	if (!entry)
		return;
	atomic_fetch_add(&entry->grant->uses, 1);
	if (!(ticket & TICKET_ONCE))
		return;
	atomic_store(&entry->grant->consumed, true);
	snapshot->granting--;
}

bool rv_judge_used(struct rv_judge *judge, const struct rv_judgement *judgement)
{
	bool all = true;

	if (judgement->result != RV_LIVE_ALLOWS)
		return true;
	pthread_mutex_lock(&judge->lock);
	for (size_t i = 0; all && i < judgement->ticket_count; i++)
		all = is_left(judge->current, judgement->tickets[i]);
	for (size_t i = 0; all && i < judgement->ticket_count; i++)
		count_use(judge->current, judgement->tickets[i]);
	pthread_mutex_unlock(&judge->lock);
	return all;
}

/* ------------------------------------------------------------------------- paths */

/* A rule that is needed for a request, and which of the rights asked for it grants. */
struct pick {
	const struct rv_entry *entry;
	uint64_t rights;
};

struct search {
	const struct rv_snapshot *snapshot;
	uint64_t now, wanted, missing, quiet;
	struct pick picks[RV_TICKETS]; /* each adds a right: there are fewer rights than that */
	size_t count;
};

_Static_assert(REEVE_FS_RESOLVE_UNIX < UINT64_C(1) << RV_TICKETS, "a ticket for each right");

/* What the rules on one object take away, and what they keep quiet about. */
static uint64_t denials_on(struct search *search, const struct rv_path_node *node)
{
	const struct rv_entry *entries = search->snapshot->entries.at;
	uint64_t denied = 0;

	for (uint32_t i = node->first; i != RV_NO_RULE; i = entries[i].next) {
		if (rv_live_rule_over(entries[i].grant, search->now))
			continue;
		search->quiet |= entries[i].quiet;
		if (entries[i].is_deny)
			denied |= entries[i].allowed ? entries[i].allowed : UINT64_MAX;
	}
	return denied;
}

static void pick_on(
	struct search *search, const struct rv_path_node *node, uint64_t denied, bool once)
{
	const struct rv_entry *entries = search->snapshot->entries.at;

	for (uint32_t i = node->first; search->missing && i != RV_NO_RULE; i = entries[i].next) {
		uint64_t rights = entries[i].allowed & ~denied & search->wanted;

		if (entries[i].is_deny || entries[i].once != once || !(rights & search->missing) ||
			rv_live_rule_over(entries[i].grant, search->now))
			continue;
		search->picks[search->count++] = (struct pick){&entries[i], rights};
		search->missing &= ~rights;
	}
}

/* The model's rule for a live part (lib/model/lookup.c), and by which rules. */
static void pick_upwards(struct search *search, const char *path, bool once)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));
	uint64_t denied = 0;

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node =
			rv_path_walk_node(&walk, &search->snapshot->index);

		if (!node)
			continue;
		denied |= denials_on(search, node);
		pick_on(search, node, denied, once);
	}
}

/* A rule granted once is not spent where the others suffice. */
static void drop_spare(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		uint64_t others = 0;

		for (size_t k = 0; k < search->count; k++)
			others |= k == i ? 0 : search->picks[k].rights;
		if (!search->picks[i].entry->once || (search->wanted & ~others))
			continue;
		search->picks[i--] = search->picks[--search->count];
	}
}

static void deny_path(const struct rv_judge *judge, const char *path, const struct search *search,
	struct rv_judgement *ret)
{
	uint64_t quiet =
		search->quiet | rv_ruleset_path(judge->policy, path, strlen(path), false).quiet;

	ret->result = RV_DENIED;
	ret->decision.missing = search->missing;
	ret->decision.quiet = !(search->missing & ~quiet);
}

void rv_judge_path(
	struct rv_judge *judge, const char *path, uint64_t access, struct rv_judgement *ret)
{
	rv_autosnapshot snapshot = NULL;
	struct search search = {0};

	*ret = (struct rv_judgement){.result = RV_FLOOR_ALLOWS};
	reeve_decide_path(judge->floor, path, access, &ret->decision);
	if (ret->decision.allowed)
		return;
	snapshot = rv_judge_snapshot(judge);
	search.snapshot = snapshot;
	search.now = snapshot->first_expiry ? rv_boot_ms() : 0;
	search.wanted = search.missing = ret->decision.missing;
	pick_upwards(&search, path, false);
	if (search.missing)
		pick_upwards(&search, path, true);
	if (search.missing) {
		deny_path(judge, path, &search, ret);
		return;
	}
	drop_spare(&search);
	for (size_t i = 0; i < search.count; i++)
		rv_judgement_add(ret, search.picks[i].entry);
	ret->result = RV_LIVE_ALLOWS;
	ret->decision = (struct reeve_decision){.allowed = true};
}
