/* SPDX-License-Identifier: MIT */
/* A judge's life, and its decisions on paths. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "model/ruleset.h"
#include "supervise/judge_private.h"

/* -------------------------------------------------------------------------- life */

static bool choose_initial(const struct rv_judge *judge, struct reeve_rule *rule)
{
	bool is_deny = rule->flags & REEVE_RULE_DENY;

	if (!is_deny && rule->path)
		rule->allowed &= ~judge->never_live;
	return rule->allowed || rule->quiet || is_deny;
}

static int check_initial(const struct rv_judge *judge, const struct reeve_ruleset *live)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(live, i, &rule) == 0; i++)
		if (choose_initial(judge, &rule))
			r = rv_rule_check(&judge->handled, &rule, false, NULL);
	return r;
}

static int add_initial(struct rv_judge *judge, const struct reeve_ruleset *live)
{
	int r = check_initial(judge, live);

	if (r == 0)
		r = rv_stage_ruleset(judge, &judge->staged, NULL, live, choose_initial);
	judge->is_staged = true;
	if (judge->staged.count > 0)
		rv_batch_of(judge->staged.at[0].grant)->of_policy = true;
	return r ? r : rv_judge_commit(judge, NULL);
}

static int make(struct reeve_ruleset *policy_static, struct reeve_ruleset *live,
	uint64_t never_live, uint64_t beyond_kernel, struct rv_judge **ret)
{
	struct rv_judge *judge = calloc(1, sizeof(*judge));
	struct rv_entries none = {0};
	int r;

	if (!judge)
		return -ENOMEM;
	pthread_mutex_init(&judge->staging, NULL);
	pthread_mutex_init(&judge->lock, NULL);
	judge->never_live = never_live;
	judge->beyond_kernel = beyond_kernel;
	judge->policy = reeve_ruleset_ref(policy_static);
	reeve_ruleset_handled(policy_static, &judge->handled);
	r = reeve_domain_new(NULL, policy_static, &judge->fixed);
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

int rv_judge_new(
	struct reeve_ruleset *policy_static, struct reeve_ruleset *live, struct rv_judge **ret)
{
	return make(policy_static, live, RV_NEVER_LIVE, 0, ret);
}

int rv_judge_new_unix(struct reeve_ruleset *policy_static, struct reeve_ruleset *live,
	bool by_kernel, struct rv_judge **ret)
{
	return make(policy_static, live, RV_NEVER_LIVE & ~REEVE_FS_RESOLVE_UNIX,
		by_kernel ? 0 : REEVE_FS_RESOLVE_UNIX, ret);
}

void rv_judge_free(struct rv_judge *judge)
{
	if (!judge)
		return;
	rv_entries_release(&judge->staged);
	rv_snapshot_free(judge->current);
	reeve_domain_free(judge->fixed);
	rv_judge_floor_free(judge->floor);
	reeve_ruleset_free(judge->policy);
	reeve_ruleset_free(judge->alone);
	pthread_mutex_destroy(&judge->lock);
	pthread_mutex_destroy(&judge->staging);
	free(judge);
}

int rv_judge_set_alone(struct rv_judge *judge)
{
	return judge->alone ? 0 : reeve_ruleset_new(&judge->handled, &judge->alone);
}

void rv_judge_limit_live(struct rv_judge *judge, const struct reeve_rights *rights, bool udp)
{
	judge->never_net = ~rights->of[REEVE_NET];
	judge->never_socket = ~rights->of[REEVE_SOCKET];
	judge->no_udp = !udp;
}

bool rv_judge_has_live(struct rv_judge *judge)
{
	uint64_t until;
	bool any;

	if (judge->floor)
		return !rv_judge_has_ended(judge);
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
	char origin[RV_ORIGIN_SIZE];
	const char *by = rv_live_rule_origin(grant, origin);

	if (!by)
		by = rv_live_rule_by(grant);
	if (judgement->ticket_count == 0)
		snprintf(judgement->by, sizeof(judgement->by), "%s", by ? by : "live rule");
	return add_ticket(judgement, rv_live_rule_id(grant) | (entry->once ? TICKET_ONCE : 0));
}

bool rv_judgement_join(struct rv_judgement *to, const struct rv_judgement *from)
{
	for (size_t i = 0; i < from->ticket_count; i++)
		if (!add_ticket(to, from->tickets[i]))
			return false;
	return true;
}

bool rv_judgement_is_once(const struct rv_judgement *judgement)
{
	uint64_t all = 0;

	for (size_t i = 0; i < judgement->ticket_count; i++)
		all |= judgement->tickets[i];
	return all & TICKET_ONCE;
}

/* By its id, in the order of which entries are. */
static struct rv_entry *find_entry(const struct rv_snapshot *snapshot, uint64_t id)
{
	size_t low = 0, high = snapshot->entries.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct rv_entry *entry = &snapshot->entries.at[middle];

		if (rv_live_rule_id(entry->grant) == id)
			return entry;
		if (rv_live_rule_id(entry->grant) < id)
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

static void count_use(struct rv_judge *judge, uint64_t ticket)
{
	struct rv_snapshot *snapshot = judge->current;
	struct rv_entry *entry = find_entry(snapshot, ticket & ~TICKET_ONCE);

	if (!entry)
		return;
	atomic_fetch_add(&entry->grant->uses, 1);
	if (!(ticket & TICKET_ONCE))
		return;
	atomic_store(&entry->grant->consumed, true);
	snapshot->granting -= rv_live_rule_has_path(entry->grant);
	if (judge->shown)
		--*judge->shown;
}

bool rv_judge_used(struct rv_judge *judge, const struct rv_judgement *judgement)
{
	bool all = !rv_judge_has_ended(judge);

	if (judgement->result != RV_LIVE_ALLOWS)
		return true;
	pthread_mutex_lock(&judge->lock);
	for (size_t i = 0; all && i < judgement->ticket_count; i++)
		all = is_left(judge->current, judgement->tickets[i]);
	for (size_t i = 0; all && i < judgement->ticket_count; i++)
		count_use(judge, judgement->tickets[i]);
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
	const struct rv_judge *judge;
	const struct rv_snapshot *snapshot;
	uint64_t now, wanted, missing, quiet;
	struct pick picks[RV_TICKETS]; /* each adds a right: there are fewer rights than that */
	size_t count;
};

_Static_assert(REEVE_FS_RESOLVE_UNIX < UINT64_C(1) << RV_TICKETS, "a ticket for each right");

/* What the rules on one object take away, and what they keep quiet about. */
static uint64_t denials_on(struct search *search, uint32_t first)
{
	const struct rv_entry *entries = search->snapshot->entries.at;
	uint64_t denied = 0;

	for (uint32_t i = first; i != RV_NO_RULE; i = entries[i].next) {
		if (rv_live_rule_over(entries[i].grant, search->now))
			continue;
		search->quiet |= entries[i].quiet;
		if (entries[i].is_deny)
			denied |= entries[i].allowed ? entries[i].allowed : UINT64_MAX;
	}
	return denied;
}

static void pick_on(struct search *search, uint32_t first, uint64_t denied, bool once)
{
	const struct rv_entry *entries = search->snapshot->entries.at;

	for (uint32_t i = first; search->missing && i != RV_NO_RULE; i = entries[i].next) {
		uint64_t rights = entries[i].allowed & ~denied & search->wanted;

		if (entries[i].is_deny || entries[i].once != once || !(rights & search->missing) ||
			rv_live_rule_void(entries[i].grant, search->now))
			continue;
		search->picks[search->count++] = (struct pick){&entries[i], rights};
		search->missing &= ~rights;
	}
}

/* The model's rule for a live part (lib/model/lookup.c), and by which rules. */
static void pick_upwards(struct search *search, const char *path, bool once)
{
	const struct reeve_ruleset *policy = search->judge->policy;
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));
	uint64_t denied = 0;

	for (; walk.length; rv_path_walk_up(&walk)) {
		uint32_t first = rv_snapshot_first(search->snapshot, &walk);

		denied |= rv_ruleset_denied_on(policy, &walk);
		denied |= denials_on(search, first);
		pick_on(search, first, denied, once);
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

/* The live denial on the way up that takes away what is missing. */
static const struct rv_live_rule *live_denial_over(const struct search *search, const char *path)
{
	const struct rv_entry *entries = search->snapshot->entries.at;
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));

	for (; search->snapshot->denials && walk.length; rv_path_walk_up(&walk)) {
		uint32_t i = rv_snapshot_first(search->snapshot, &walk);

		for (; i != RV_NO_RULE; i = entries[i].next)
			if (entries[i].is_deny &&
				(!entries[i].allowed || (entries[i].allowed & search->missing)))
				return entries[i].grant;
	}
	return NULL;
}

static void denied_live(const struct search *search, const char *path, struct rv_judgement *ret)
{
	const struct rv_live_rule *denial = live_denial_over(search, path);
	char buf[RV_ORIGIN_SIZE];
	const char *origin = denial ? rv_live_rule_origin(denial, buf) : NULL;

	if (denial)
		rv_judgement_denied(ret, origin ? origin : "a live rule");
}

void rv_judgement_denied(struct rv_judgement *judgement, const char *origin)
{
	if (!origin)
		return;
	judgement->by_denial = true;
	snprintf(judgement->by, sizeof(judgement->by), RV_BY_DENIAL "%s", origin);
}

static void deny_path(const struct rv_judge *judge, const char *path, const struct search *search,
	struct rv_judgement *ret)
{
	size_t length = strlen(path);
	uint64_t quiet =
		search->quiet | rv_ruleset_path(judge->policy, NULL, path, length, false).quiet;
	const struct reeve_rule *denial =
		rv_ruleset_denial_over(judge->policy, path, length, search->missing);

	ret->result = RV_DENIED;
	ret->decision.missing = search->missing;
	ret->decision.quiet = !(search->missing & ~quiet);
	if (denial)
		rv_judgement_denied(ret, denial->origin ? denial->origin : "the policy");
	else
		denied_live(search, path, ret);
}

static int take_origin(void *data, const struct reeve_rule *rule)
{
	struct rv_judgement *judgement = data;

	if ((rule->flags & REEVE_RULE_DENY) || !rule->allowed || !rule->origin)
		return 0;
	snprintf(judgement->by, sizeof(judgement->by), "%s", rule->origin);
	return 1;
}

void rv_judgement_static(const struct rv_judge *judge, const char *path, uint64_t access,
	struct rv_judgement *judgement)
{
	if (rv_judge_has_ended(judge)) {
		*judgement = (struct rv_judgement){.result = RV_DENIED,
			.decision = {.error = EACCES, .missing = access, .layer = 1}};
		return;
	}
	judgement->result = RV_LIVE_ALLOWS;
	snprintf(judgement->by, sizeof(judgement->by), "the policy");
	reeve_ruleset_match_path(judge->policy, path, take_origin, judgement);
}

void rv_judge_path(
	struct rv_judge *judge, const char *path, uint64_t access, struct rv_judgement *ret)
{
	rv_autosnapshot snapshot = NULL;
	struct search search = {.judge = judge};

	*ret = (struct rv_judgement){.result = RV_FLOOR_ALLOWS};
	reeve_decide_path(judge->fixed, path, access, &ret->decision);
	if (ret->decision.allowed) {
		if (!rv_judge_floor_allows(judge, path, access))
			rv_judgement_static(judge, path, access, ret);
		return;
	}
	snapshot = rv_judge_snapshot(judge);
	search.snapshot = snapshot;
	search.now = snapshot->first_expiry ? rv_boot_ms() : 0;
	search.wanted = search.missing =
		judge->alone ? access & judge->handled.of[REEVE_FS] : ret->decision.missing;
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
