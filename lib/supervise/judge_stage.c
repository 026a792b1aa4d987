/* SPDX-License-Identifier: MIT */
/* Changing the live rules: staged, then committed as one snapshot. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/error.h"
#include "model/ruleset.h"
#include "supervise/judge_private.h"

static int no_memory(struct reeve_error *err)
{
	return rv_error(err, -ENOMEM, "cannot change the live rules: out of memory");
}

/* -------------------------------------------------------------- what can be live */

static int check_class(const struct reeve_rule *rule, struct reeve_error *err)
{
	enum reeve_class cls = reeve_rule_class(rule->type);

	if (cls == REEVE_CLASS_COUNT || rule->type == REEVE_RULE_PATH_BENEATH)
		return 0;
	rv_error(err, -EOPNOTSUPP,
		"%s rules cannot be changed while a domain runs: only paths can for now",
		rule->type == REEVE_RULE_UNIX_SOCKET ? "UNIX socket" : reeve_class_name(cls));
	rv_error_hint(err, "start the program with this rule");
	return -EOPNOTSUPP;
}

static int check_never(uint64_t rights, const char *path, struct reeve_error *err)
{
	if (rights & REEVE_FS_EXECUTE)
		rv_error(err, -EOPNOTSUPP,
			"\"%s\": execute cannot be added to a running domain: the kernel executes "
			"nothing that another process opened",
			rv_q(path));
	else if (rights & REEVE_FS_RESOLVE_UNIX)
		rv_error(err, -EOPNOTSUPP,
			"\"%s\": connecting to UNIX sockets cannot be added to a running domain",
			rv_q(path));
	else
		return 0;
	rv_error_hint(err, "start the program with this rule, or leave the right out");
	return -EOPNOTSUPP;
}

static int check_rule(const struct rv_judge *judge, const struct reeve_rule *rule, bool once,
	struct reeve_error *err)
{
	int r = check_class(rule, err);

	if (r == 0)
		r = rv_rule_check(&judge->handled, rule, false, err);
	if (r == 0 && !(rule->flags & REEVE_RULE_DENY))
		r = check_never(rule->allowed, rule->path, err);
	if (r == 0 && once && (rule->flags & REEVE_RULE_DENY))
		return rv_error(err, -EINVAL, "a denial cannot be for one request only");
	return r;
}

/* The object of a rule that takes away: its rights need not be handled, nor be any. */
static int check_object(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rule object = *rule;
	int r = check_class(rule, err);

	object.allowed = object.quiet = 0;
	return r ? r : rv_rule_check(&judge->handled, &object, true, err);
}

/* ----------------------------------------------------------------------- staging */

static int append(struct rv_judge *judge, struct rv_entries *entries, const struct reeve_rule *rule,
	const struct reeve_live_options *options)
{
	struct rv_live_rule *grant = rv_live_rule_new(rule, options);
	struct rv_entry entry = {.grant = grant, .allowed = rule->allowed, .quiet = rule->quiet};
	int r;

	if (!grant)
		return -ENOMEM;
	entry.once = grant->once;
	entry.is_deny = grant->is_deny;
	grant->id = ++judge->last_id;
	r = rv_entries_add(entries, &entry);
	rv_live_rule_free(grant); /* the entry has its own reference */
	return r;
}

/* Makes what is staged a list of its own, without what is over. */
static int own_staged(struct rv_judge *judge)
{
	const struct rv_entries *current = &judge->current->entries;
	struct rv_entries copy = {0};
	uint64_t now = rv_boot_ms();
	int r = 0;

	if (judge->is_staged)
		return 0;
	for (size_t i = 0; r == 0 && i < current->count; i++)
		if (!rv_live_rule_over(current->at[i].grant, now))
			r = rv_entries_add(&copy, &current->at[i]);
	if (r) {
		rv_entries_release(&copy);
		return r;
	}
	judge->staged = copy;
	judge->is_staged = true;
	return 0;
}

static void set_staged(struct rv_judge *judge, struct rv_entries *entries)
{
	rv_entries_release(&judge->staged);
	judge->staged = *entries;
	judge->is_staged = true;
}

int rv_judge_stage_add(struct rv_judge *judge, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	struct reeve_live_options known = {.size = sizeof(known)};
	int r;

	if (options)
		memcpy(&known, options,
			options->size < sizeof(known) ? options->size : sizeof(known));
	r = check_rule(judge, rule, known.once, err);
	if (r)
		return r;
	pthread_mutex_lock(&judge->staging);
	r = own_staged(judge);
	if (r == 0)
		r = append(judge, &judge->staged, rule, &known);
	pthread_mutex_unlock(&judge->staging);
	return r ? no_memory(err) : 0;
}

/* Cuts the entries on exactly the object of `rule` down to `mask`; how many that changed. */
static int cut(struct rv_entries *entries, const struct reeve_rule *rule, uint64_t mask, bool all)
{
	bool is_deny = rule->flags & REEVE_RULE_DENY;
	size_t kept = 0, length = strlen(rule->path);
	int touched = 0;

	for (size_t i = 0; i < entries->count; i++) {
		struct rv_entry entry = entries->at[i];
		uint64_t before = entry.allowed;
		bool same = entry.is_deny == is_deny && entry.grant->path_length == length &&
			    memcmp(entry.grant->text, rule->path, length) == 0;

		if (same)
			entry.allowed &= mask;
		/* A DENY rule without rights denies all: nothing can be taken from it in part. */
		if (same && (all || (before && !entry.allowed))) {
			rv_live_rule_free(entry.grant);
			touched++;
			continue;
		}
		touched += entry.allowed != before;
		entries->at[kept++] = entry;
	}
	entries->count = kept;
	return touched;
}

static int stage_cut(struct rv_judge *judge, const struct reeve_rule *rule, uint64_t mask, bool all,
	struct reeve_error *err)
{
	int r = check_object(judge, rule, err);

	if (r)
		return r;
	pthread_mutex_lock(&judge->staging);
	r = own_staged(judge);
	if (r == 0)
		r = cut(&judge->staged, rule, mask, all);
	pthread_mutex_unlock(&judge->staging);
	return r < 0 ? no_memory(err) : r;
}

int rv_judge_stage_revoke(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	return stage_cut(judge, rule, ~rule->allowed, !rule->allowed, err);
}

int rv_judge_stage_intersect(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rule grant = *rule;
	int r;

	grant.flags &= ~REEVE_RULE_DENY; /* denials stay */
	r = stage_cut(judge, &grant, rule->allowed, false, err);
	return r < 0 ? r : 0;
}

int rv_judge_stage_clear(struct rv_judge *judge)
{
	struct rv_entries none = {0};

	pthread_mutex_lock(&judge->staging);
	set_staged(judge, &none);
	pthread_mutex_unlock(&judge->staging);
	return 0;
}

/* ------------------------------------------------------------------ replacement */

/* What a ruleset does not handle, it allows everywhere; only rights of class fs can be so. */
static int check_handled(
	const struct rv_judge *judge, const struct reeve_rights *handled, struct reeve_error *err)
{
	static const enum reeve_class others[] = {REEVE_NET, REEVE_SOCKET};
	char names[256];

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		if (handled->of[cls] & ~judge->handled.of[cls])
			return rv_error(err, -EINVAL, "the domain does not handle %s.%s",
				reeve_class_name((enum reeve_class)cls),
				reeve_rights_format((enum reeve_class)cls,
					handled->of[cls] & ~judge->handled.of[cls], names,
					sizeof(names)));
	for (size_t i = 0; i < RV_COUNT(others); i++) {
		uint64_t open = judge->handled.of[others[i]] & ~handled->of[others[i]];

		if (!open)
			continue;
		rv_error(err, -EOPNOTSUPP,
			"the ruleset does not handle %s.%s, which would allow it everywhere: only "
			"rights on paths can change while a domain runs",
			reeve_class_name(others[i]),
			reeve_rights_format(others[i], open, names, sizeof(names)));
		rv_error_hint(err, "let the ruleset handle what the domain handles");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_replacement(const struct rv_judge *judge, const struct reeve_ruleset *ruleset,
	uint64_t *ret_open, struct reeve_error *err)
{
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r;

	reeve_ruleset_handled(ruleset, &handled);
	r = check_handled(judge, &handled, err);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		r = check_rule(judge, &rule, false, err);
	*ret_open = judge->handled.of[REEVE_FS] & ~handled.of[REEVE_FS];
	return r ? r : check_never(*ret_open, "/", err);
}

static int copy_rules(struct rv_judge *judge, const struct reeve_ruleset *ruleset, uint64_t open,
	struct rv_entries *ret)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.path = "/",
		.allowed = open,
		.origin = "not handled any more"};
	struct rv_entries entries = {0};
	int r = open ? append(judge, &entries, &rule, NULL) : 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		r = append(judge, &entries, &rule, NULL);
	if (r)
		rv_entries_release(&entries);
	else
		*ret = entries;
	return r;
}

int rv_judge_stage_replace(
	struct rv_judge *judge, const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	struct rv_entries entries;
	uint64_t open;
	int r = check_replacement(judge, ruleset, &open, err);

	if (r)
		return r;
	pthread_mutex_lock(&judge->staging);
	r = copy_rules(judge, ruleset, open, &entries);
	if (r == 0)
		set_staged(judge, &entries);
	pthread_mutex_unlock(&judge->staging);
	return r ? no_memory(err) : 0;
}

/* ------------------------------------------------------------------------ commit */

/* From now on it counts. Nobody else sees a grant that is not committed. */
static void start_grant(struct rv_live_rule *grant, uint64_t now, const struct timespec *since)
{
	if (grant->committed)
		return;
	grant->committed = true;
	grant->since = *since;
	if (grant->milliseconds)
		grant->expires = now > UINT64_MAX - grant->milliseconds ? UINT64_MAX
									: now + grant->milliseconds;
}

/* A list of what is left of `from`, of exactly the size that it needs. */
static int copy_left(const struct rv_entries *from, uint64_t now, struct rv_entries *ret)
{
	struct rv_entries copy = {0};
	int r = 0;

	copy.at = calloc(from->count ? from->count : 1, sizeof(*copy.at));
	if (!copy.at)
		return -ENOMEM;
	copy.capacity = from->count ? from->count : 1;
	for (size_t i = 0; r == 0 && i < from->count; i++)
		if (!rv_live_rule_over(from->at[i].grant, now))
			r = rv_entries_add(&copy, &from->at[i]);
	if (r)
		rv_entries_release(&copy);
	else
		*ret = copy;
	return r;
}

/* Publishes what is left of `entries`; how many are not. */
static int publish_left(struct rv_judge *judge, const struct rv_entries *entries, uint64_t now)
{
	struct rv_snapshot *snapshot;
	struct rv_entries left;
	int dropped, r = copy_left(entries, now, &left);

	if (r)
		return r;
	dropped = (int)(entries->count - left.count);
	r = rv_snapshot_new(&left, &snapshot);
	if (r) {
		rv_entries_release(&left);
		return r;
	}
	rv_judge_publish(judge, snapshot);
	return dropped;
}

int rv_judge_commit(struct rv_judge *judge, struct reeve_error *err)
{
	uint64_t now = rv_boot_ms();
	struct timespec since;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &since);
	pthread_mutex_lock(&judge->staging);
	if (judge->is_staged) {
		for (size_t i = 0; i < judge->staged.count; i++)
			start_grant(judge->staged.at[i].grant, now, &since);
		r = publish_left(judge, &judge->staged, now);
	}
	if (r >= 0) {
		rv_entries_release(&judge->staged);
		judge->is_staged = false;
	}
	pthread_mutex_unlock(&judge->staging);
	return r < 0 ? no_memory(err) : 0;
}

/* ------------------------------------------------------------------------ expiry */

static uint64_t to_monotonic(uint64_t boot_ms, uint64_t now)
{
	struct timespec ts;
	uint64_t ms;

	if (!boot_ms)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	boot_ms = boot_ms > now ? boot_ms - now : 0;
	return boot_ms > UINT64_MAX - ms ? UINT64_MAX : ms + boot_ms;
}

static bool any_over(const struct rv_entries *entries, uint64_t now)
{
	for (size_t i = 0; i < entries->count; i++)
		if (rv_live_rule_over(entries->at[i].grant, now))
			return true;
	return false;
}

int rv_judge_expire(struct rv_judge *judge, uint64_t *ret_next)
{
	uint64_t now = rv_boot_ms();
	int r = 0;

	pthread_mutex_lock(&judge->staging);
	if (any_over(&judge->current->entries, now))
		r = publish_left(judge, &judge->current->entries, now);
	/* Without memory: again in a second. */
	*ret_next = to_monotonic(r < 0 ? now + 1000 : judge->current->first_expiry, now);
	pthread_mutex_unlock(&judge->staging);
	return r;
}

/* ----------------------------------------------------------------------- listing */

static struct reeve_live_rule describe(const struct rv_entry *entry, uint64_t now)
{
	const struct rv_live_rule *grant = entry->grant;

	return (struct reeve_live_rule){
		.rule = {.type = REEVE_RULE_PATH_BENEATH,
			.flags = REEVE_RULE_LIVE | (grant->is_deny ? REEVE_RULE_DENY : 0),
			.allowed = entry->allowed,
			.quiet = entry->quiet,
			.path = grant->text,
			.origin = grant->origin ? grant->text + grant->origin : NULL},
		.by = grant->by ? grant->text + grant->by : NULL,
		.uses = atomic_load(&grant->uses),
		.since = grant->since,
		.milliseconds_left = grant->expires ? grant->expires - now : UINT64_MAX,
		.once = grant->once};
}

int rv_judge_rules(struct rv_judge *judge,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data)
{
	rv_autosnapshot snapshot = rv_judge_snapshot(judge);
	uint64_t now = rv_boot_ms();
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];
		struct reeve_live_rule rule;

		if (rv_live_rule_over(entry->grant, now))
			continue;
		rule = describe(entry, now);
		r = fn(data, &rule);
	}
	return r;
}
