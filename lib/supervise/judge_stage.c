/* SPDX-License-Identifier: MIT */
/* Changing the live rules: staged, then committed as one snapshot. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "model/ruleset.h"
#include "supervise/judge_private.h"

#define NANOSECONDS UINT64_C(1000000000)

static int no_memory(struct reeve_error *err)
{
	return rv_error(err, -ENOMEM, "cannot change the live rules: out of memory");
}

/* -------------------------------------------------------------- what can be live */

/* What a socket rule would need to be trapped, and is not in a domain that had no use for it. */
static int check_socket(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	const struct rv_filter_socket socket = {
		rule->socket_family, rule->socket_type, rule->socket_protocol};

	if (!judge->no_udp || !rv_filter_socket_is_udp(&socket))
		return 0;
	rv_error(err, -EOPNOTSUPP,
		"UDP sockets cannot be added to a running domain that was started without any: "
		"what they send is not watched");
	rv_error_hint(err, "name the type, as in `inet:stream`, or start the program with a rule "
			   "for UDP (--connect-udp, --net)");
	return -EOPNOTSUPP;
}

static int check_trapped(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	enum reeve_class cls = reeve_rule_class(rule->type);
	uint64_t never =
		rule->allowed & (cls == REEVE_NET ? judge->never_net : judge->never_socket);
	char names[128];

	if (!never)
		return 0;
	rv_error(err, -EOPNOTSUPP,
		"%s cannot be added to a running domain that was started without it: nothing of "
		"that kind is watched",
		reeve_rights_format(cls, never, names, sizeof(names)));
	rv_error_hint(err, "start the program with a rule for it");
	return -EOPNOTSUPP;
}

static int check_never(
	const struct rv_judge *judge, uint64_t rights, const char *path, struct reeve_error *err)
{
	rights &= path ? judge->never_live : 0;
	if (rights & REEVE_FS_EXECUTE)
		rv_error(err, -EOPNOTSUPP,
			"\"%s\": execute cannot be added to a running domain: the kernel executes "
			"nothing that another process opened",
			rv_q(path));
	else if (rights & REEVE_FS_RESOLVE_UNIX)
		rv_error(err, -EOPNOTSUPP,
			"\"%s\": connecting to UNIX sockets cannot be added to a running domain "
			"that was started without a rule on them: nothing of that kind is watched",
			rv_q(path));
	else
		return 0;
	rv_error_hint(err, "start the program with this rule, or leave the right out");
	return -EOPNOTSUPP;
}

static int check_rule(const struct rv_judge *judge, const struct reeve_rule *rule, bool once,
	struct reeve_error *err)
{
	bool is_deny = rule->flags & REEVE_RULE_DENY;
	int r = rv_rule_check(&judge->handled, rule, false, err);

	if (r == 0 && !rule->path)
		r = check_trapped(judge, rule, err);
	if (r == 0 && rule->type == REEVE_RULE_SOCKET)
		r = check_socket(judge, rule, err);
	if (r == 0 && !is_deny)
		r = check_never(judge, rule->allowed, rule->path, err);
	if (r == 0 && once && is_deny)
		return rv_error(err, -EINVAL, "a denial cannot be for one request only");
	return r;
}

int rv_judge_check_rule(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	return check_rule(judge, rule, false, err);
}

/* The object of a rule that takes away: its rights need not be handled, nor be any. */
static int check_object(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rule object = *rule;

	object.allowed = object.quiet = 0;
	return rv_rule_check(&judge->handled, &object, true, err);
}

/* ----------------------------------------------------------------------- staging */

int rv_stage_ruleset(struct rv_judge *judge, struct rv_entries *entries,
	const struct reeve_rule *first, const struct reeve_ruleset *ruleset,
	bool (*choose)(const struct rv_judge *judge, struct reeve_rule *rule))
{
	struct reeve_rule *rules = calloc(reeve_ruleset_count(ruleset) + 1, sizeof(*rules));
	size_t count = 0;
	int r;

	if (!rules)
		return -ENOMEM;
	if (first)
		rules[count++] = *first;
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rules[count]) == 0; i++)
		count += !choose || choose(judge, &rules[count]);
	r = rv_batch_append(entries, rules, count, NULL, NULL, &judge->last_id);
	free(rules);
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

static int stage_add(struct rv_judge *judge, const struct reeve_rule *rule,
	const struct reeve_live_options *options, const struct rv_pin *object,
	struct reeve_error *err)
{
	struct reeve_live_options known = {.size = sizeof(known)};
	int r = rv_options_take(&known, sizeof(known), options, err);

	if (r)
		return r;
	r = check_rule(judge, rule, known.once, err);
	if (r)
		return r;
	pthread_mutex_lock(&judge->staging);
	r = own_staged(judge);
	if (r == 0)
		r = rv_batch_append(&judge->staged, rule, 1, &known, object, &judge->last_id);
	pthread_mutex_unlock(&judge->staging);
	return r ? no_memory(err) : 0;
}

int rv_judge_stage_add(struct rv_judge *judge, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	return stage_add(judge, rule, options, NULL, err);
}

int rv_judge_stage_pinned(
	struct rv_judge *judge, const struct reeve_rule *rule, const struct rv_pin *object)
{
	return stage_add(judge, rule, NULL, object, NULL);
}

/* Cuts the entries on exactly the object of `rule` down to `mask`; how many that changed. */
static int cut(struct rv_entries *entries, const struct reeve_rule *rule, uint64_t mask, bool all)
{
	bool is_deny = rule->flags & REEVE_RULE_DENY;
	size_t kept = 0;
	int touched = 0;

	for (size_t i = 0; i < entries->count; i++) {
		struct rv_entry entry = entries->at[i];
		uint32_t before = entry.allowed;
		bool same = entry.is_deny == is_deny && rv_live_rule_is_of(entry.grant, rule);

		if (same)
			entry.allowed &= (uint32_t)mask;
		/* A DENY rule without rights denies all: nothing can be taken from it in part. */
		if (same && (all || (before && !entry.allowed))) {
			rv_entry_drop(&entry);
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
	return r ? r : check_never(judge, *ret_open, "/", err);
}

static int copy_rules(struct rv_judge *judge, const struct reeve_ruleset *ruleset, uint64_t open,
	struct rv_entries *ret)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.path = "/",
		.allowed = open,
		.origin = "not handled any more"};
	struct rv_entries entries = {0};
	int r = rv_stage_ruleset(judge, &entries, open ? &rule : NULL, ruleset, NULL);

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

uint64_t rv_stage_since(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

void rv_stage_start(struct rv_live_rule *grant, uint64_t now, uint64_t since)
{
	struct rv_batch *batch = rv_batch_of(grant);
	uint64_t lasts = batch->milliseconds;

	if (grant->since)
		return;
	grant->since = since;
	if (lasts && !batch->expires)
		batch->expires = now > UINT64_MAX - lasts ? UINT64_MAX : now + lasts;
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

int rv_stage_publish(struct rv_judge *judge, const struct rv_entries *entries, uint64_t now)
{
	struct rv_snapshot *snapshot;
	struct rv_entries left;
	int dropped, r = rv_judge_has_ended(judge) ? -EPERM : copy_left(entries, now, &left);

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
	uint64_t since = rv_stage_since();
	int r = 0;

	pthread_mutex_lock(&judge->staging);
	if (judge->is_staged) {
		for (size_t i = 0; i < judge->staged.count; i++)
			rv_stage_start(judge->staged.at[i].grant, now, since);
		r = rv_stage_publish(judge, &judge->staged, now);
	}
	if (r >= 0) {
		rv_entries_release(&judge->staged);
		judge->is_staged = false;
	}
	pthread_mutex_unlock(&judge->staging);
	return r < 0 ? no_memory(err) : 0;
}

int rv_judge_end(struct rv_judge *judge)
{
	const struct rv_entries none = {0};
	int r = 0;

	pthread_mutex_lock(&judge->staging);
	if (!judge->ended)
		r = rv_stage_publish(judge, &none, 0);
	if (r >= 0) {
		rv_entries_release(&judge->staged);
		judge->is_staged = false;
		judge->ended = true;
	}
	pthread_mutex_unlock(&judge->staging);
	return r < 0 ? r : 0;
}

bool rv_judge_has_ended(const struct rv_judge *judge)
{
	return atomic_load(&judge->ended);
}

/* The last `count` of what is staged also to what was staged by others before. */
static int keep_staged(struct rv_judge *judge, struct rv_entries *others, size_t count)
{
	int r = 0;

	for (size_t i = judge->staged.count - count; r == 0 && i < judge->staged.count; i++)
		r = rv_entries_add(others, &judge->staged.at[i]);
	return r;
}

static int grant(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, struct rv_entries *others)
{
	uint64_t now = rv_boot_ms();
	uint64_t since = rv_stage_since();
	int r = own_staged(judge);

	if (r == 0)
		r = rv_batch_append(&judge->staged, rules, count, options, NULL, &judge->last_id);
	if (r == 0 && others)
		r = keep_staged(judge, others, count);
	if (r)
		return r;
	for (size_t i = judge->staged.count - count; i < judge->staged.count; i++)
		rv_stage_start(judge->staged.at[i].grant, now, since);
	r = rv_stage_publish(judge, &judge->staged, now);
	return r < 0 ? r : 0;
}

int rv_judge_grant(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	struct rv_entries others = {0};
	bool is_staged;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_rule(judge, &rules[i], options->once, err);
	if (r)
		return r;
	pthread_mutex_lock(&judge->staging);
	is_staged = judge->is_staged;
	if (is_staged)
		others = judge->staged;
	judge->staged = (struct rv_entries){0};
	judge->is_staged = false;
	r = grant(judge, rules, count, options, is_staged ? &others : NULL);
	rv_entries_release(&judge->staged);
	judge->staged = others;
	judge->is_staged = is_staged;
	pthread_mutex_unlock(&judge->staging);
	return r < 0 ? no_memory(err) : 0;
}

/* ------------------------------------------------------------------------ expiry */

static uint64_t to_monotonic(uint64_t boot_ms, uint64_t now)
{
	uint64_t ms;

	if (!boot_ms)
		return 0;
	ms = rv_now_ms(CLOCK_MONOTONIC);
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
		r = rv_stage_publish(judge, &judge->current->entries, now);
	/* Without memory: again in a second. */
	*ret_next = to_monotonic(r < 0 ? now + 1000 : judge->current->first_expiry, now);
	pthread_mutex_unlock(&judge->staging);
	return r;
}

/* ----------------------------------------------------------------------- listing */

struct described {
	char path[PATH_MAX], origin[RV_ORIGIN_SIZE];
	struct reeve_live_rule rule;
};

static void describe(const struct rv_entry *entry, uint64_t now, struct described *ret)
{
	const struct rv_live_rule *grant = entry->grant;
	uint64_t expires = rv_batch_of(grant)->expires;

	ret->rule = (struct reeve_live_rule){.by = rv_live_rule_by(grant),
		.uses = atomic_load(&grant->uses),
		.since = {.tv_sec = (time_t)(grant->since / NANOSECONDS),
			.tv_nsec = (long)(grant->since % NANOSECONDS)},
		.milliseconds_left = expires ? expires - now : UINT64_MAX,
		.once = entry->once};
	rv_live_rule_describe(grant, ret->path, &ret->rule.rule);
	ret->rule.rule.allowed = entry->allowed;
	ret->rule.rule.quiet = entry->quiet;
	ret->rule.rule.origin = rv_live_rule_origin(grant, ret->origin);
}

int rv_judge_rules(struct rv_judge *judge,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data)
{
	rv_autosnapshot snapshot = rv_judge_snapshot(judge);
	uint64_t now = rv_boot_ms();
	struct described described;
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->entries.count; i++) {
		const struct rv_entry *entry = &snapshot->entries.at[i];

		if (rv_live_rule_over(entry->grant, now))
			continue;
		describe(entry, now, &described);
		r = fn(data, &described.rule);
	}
	return r;
}
