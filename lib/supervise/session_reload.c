/* SPDX-License-Identifier: MIT */
/*
 * Another policy for a running domain. What it grants beyond the floor becomes live rules; what the
 * floor grants, or nothing can grant live, stays as it is and is named.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "model/path_index.h"
#include "model/ruleset.h"
#include "supervise/judge_private.h"
#include "supervise/session.h"

struct reloading {
	struct reeve_supervisor *s;
	const struct reeve_ruleset *before;
	const struct reeve_policy_settings *settings;
	const struct reeve_policy *after;
	struct reeve_reload *ret;
	struct reeve_rule *live; /* what the new policy grants beyond the floor; strings are its */
	size_t live_count;
	struct rv_path_index floor;    /* what the floor has rules on, and all above that */
	struct reeve_ruleset *granted; /* what the new policy grants there */
	bool failed;		       /* out of memory */
};

/* ------------------------------------------------------------------------ telling */

static __attribute__((format(printf, 2, 3))) void tell(
	struct reloading *reloading, const char *fmt, ...)
{
	struct reeve_reload *ret = reloading->ret;
	char **fixed = realloc(ret->fixed, (ret->fixed_count + 1) * sizeof(*fixed));
	va_list list;

	if (!fixed) {
		reloading->failed = true;
		return;
	}
	ret->fixed = fixed;
	va_start(list, fmt);
	if (vasprintf(&fixed[ret->fixed_count], fmt, list) < 0)
		reloading->failed = true;
	else
		ret->fixed_count++;
	va_end(list);
}

static const char *origin_of(const struct reeve_rule *rule)
{
	return rule->origin ? rule->origin : "the policy";
}

static void tell_rights(struct reloading *reloading, const struct reeve_rule *rule, uint64_t rights,
	const char *why)
{
	char names[256];

	reeve_rights_format(REEVE_FS, rights, names, sizeof(names));
	tell(reloading, "%s: %s: %s %s", rv_q(origin_of(rule)), rv_q(rule->path), names, why);
}

/* --------------------------------------------------------------- what it grants */

static bool is_grant(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_PATH_BENEATH && !(rule->flags & REEVE_RULE_DENY);
}

static bool is_floor(const struct reeve_rule *rule, uint64_t handled)
{
	return is_grant(rule) && !(rule->flags & REEVE_RULE_LIVE) && (rule->allowed & handled);
}

static bool index_floor_rule(struct rv_path_index *index, const char *path)
{
	size_t length = strlen(path), above;

	for (;; length = above) {
		if (!rv_path_index_intern(index, path, length))
			return false;
		above = rv_path_parent(path, length);
		if (above >= length)
			return true;
	}
}

/* Most rules of a large policy are live ones: only the others are compared with what there was. */
static int index_floor(struct reloading *reloading)
{
	uint64_t handled = reloading->s->context.judge->handled.of[REEVE_FS];
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(reloading->before, i, &rule) == 0; i++)
		if (is_floor(&rule, handled) && !index_floor_rule(&reloading->floor, rule.path))
			return -ENOMEM;
	return 0;
}

static bool is_over_floor(const struct reloading *reloading, const char *path)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));

	return rv_path_walk_node(&walk, &reloading->floor);
}

/* There is room for as many as the policy has rules. */
static void put_live(struct reloading *reloading, const struct reeve_rule *rule)
{
	reloading->live[reloading->live_count++] = *rule;
}

static void add_live(struct reloading *reloading, const struct reeve_rule *asked, uint64_t rights)
{
	const uint64_t never = reloading->s->context.judge->never_live;
	struct reeve_rule rule = *asked;

	rule.allowed = rights & ~never;
	rule.flags = REEVE_RULE_LIVE;
	if (rights & never)
		tell_rights(
			reloading, asked, rights & never, "cannot be added to a running domain");
	if (rule.allowed)
		put_live(reloading, &rule);
}

static int add_grant(
	struct reloading *reloading, const struct reeve_rule *asked, struct reeve_error *err)
{
	const struct rv_judge *judge = reloading->s->context.judge;
	uint64_t rights = asked->allowed & judge->handled.of[REEVE_FS];
	struct reeve_rule rule = *asked;
	struct reeve_decision decision;
	int r = 0;

	if (!rights)
		return 0;
	rule.allowed = rights;
	rule.quiet &= judge->handled.of[REEVE_FS];
	rule.flags = 0;
	if (is_over_floor(reloading, rule.path))
		r = reeve_ruleset_add(reloading->granted, &rule, err);
	if (r)
		return r;
	reeve_decide_path(judge->fixed, rule.path, rights, &decision);
	if (!decision.allowed)
		add_live(reloading, &rule, decision.missing);
	return 0;
}

static int add_grants(struct reloading *reloading, struct reeve_error *err)
{
	const struct reeve_ruleset *ruleset = reeve_policy_ruleset(reloading->after);
	const struct reeve_rights *handled = &reloading->s->context.judge->handled;
	struct reeve_rule rule;
	int r = index_floor(reloading);

	reloading->live =
		reallocarray(NULL, reeve_ruleset_count(ruleset) + 1, sizeof(*reloading->live));
	if (r == 0)
		r = reeve_ruleset_new(handled, &reloading->granted);
	if (r || !reloading->live)
		return rv_error(err, -ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (is_grant(&rule))
			r = add_grant(reloading, &rule, err);
	return r;
}

/* ---------------------------------------------------------------- what stays fixed */

/* Rules of the start that the new policy has no more: the kernel has them for good. */
static int tell_floor(struct reloading *reloading)
{
	const struct reeve_ruleset *before = reloading->before;
	uint64_t handled = reloading->s->context.judge->handled.of[REEVE_FS];
	struct reeve_domain *domain = NULL;
	struct reeve_decision decision;
	struct reeve_rule rule;
	int r = reeve_domain_new(NULL, reloading->granted, &domain);

	for (size_t i = 0; r == 0 && reeve_ruleset_at(before, i, &rule) == 0; i++) {
		if (!is_floor(&rule, handled))
			continue;
		reeve_decide_path(domain, rule.path, rule.allowed & handled, &decision);
		if (!decision.allowed)
			tell_rights(reloading, &rule, decision.missing,
				"stays granted: it is in the floor");
	}
	reeve_domain_free(domain);
	return r;
}

/* All other rules, as text; sorted, so that two policies can be compared. */
struct others {
	struct other {
		char *text;
		struct reeve_rule rule;
	} * at;
	size_t count;
};

static int compare_others(const void *a, const void *b)
{
	return strcmp(((const struct other *)a)->text, ((const struct other *)b)->text);
}

static void release_others(struct others *others)
{
	for (size_t i = 0; i < others->count; i++)
		free(others->at[i].text);
	free(others->at);
}

static size_t count_others(const struct reeve_ruleset *ruleset)
{
	struct reeve_rule rule;
	size_t n = 0;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		n += !is_grant(&rule);
	return n;
}

static int find_others(const struct reeve_ruleset *ruleset, struct others *ret)
{
	struct reeve_rule rule;
	int r = 0;

	ret->at = calloc(count_others(ruleset) + 1, sizeof(*ret->at));
	if (!ret->at)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		struct other *other = &ret->at[ret->count];

		if (is_grant(&rule))
			continue;
		r = reeve_rule_to_toml(&rule, &other->text);
		other->rule = rule;
		ret->count += r == 0;
	}
	qsort(ret->at, ret->count, sizeof(*ret->at), compare_others);
	return r == -EILSEQ ? 0 : r;
}

static const char *kind_of(const struct reeve_rule *rule)
{
	static const char *const kinds[] = {
		[REEVE_RULE_PATH_BENEATH] = "except",
		[REEVE_RULE_NET_PORT] = "net_port",
		[REEVE_RULE_NET_ADDRESS] = "net_address",
		[REEVE_RULE_SOCKET] = "socket",
		[REEVE_RULE_UNIX_SOCKET] = "unix_socket",
	};

	return (size_t)rule->type < RV_COUNT(kinds) ? kinds[rule->type] : "?";
}

/* Of both policies, or of the new one alone. */
static void add_other(struct reloading *reloading, const struct reeve_rule *asked)
{
	const struct rv_judge *judge = reloading->s->context.judge;
	struct reeve_rule rule = *asked;
	struct reeve_error err = {0};

	if (rule.type == REEVE_RULE_UNIX_SOCKET)
		rule.type = REEVE_RULE_PATH_BENEATH;
	rule.flags = REEVE_RULE_LIVE;
	rule.quiet = 0;
	rule.allowed &= judge->handled.of[reeve_rule_class(rule.type)];
	if (!(asked->flags & REEVE_RULE_DENY)) {
		if (!rule.allowed)
			return;
		if (rv_judge_check_rule(judge, &rule, &err) == 0) {
			put_live(reloading, &rule);
			return;
		}
	}
	tell(reloading, "%s: %s cannot be added to a running domain%s%s", rv_q(origin_of(asked)),
		kind_of(asked), err.message[0] ? ": " : "", err.message);
}

static void tell_other(struct reloading *reloading, const struct reeve_rule *rule)
{
	/* What was live is not renewed, and so revoked. */
	if ((rule->flags & REEVE_RULE_LIVE) && !(rule->flags & REEVE_RULE_DENY))
		return;
	tell(reloading, "%s: what this %s says stays in force", rv_q(origin_of(rule)),
		kind_of(rule));
}

static int do_others(struct reloading *reloading)
{
	struct others before = {0}, after = {0};
	int r = find_others(reloading->before, &before);

	if (r == 0)
		r = find_others(reeve_policy_ruleset(reloading->after), &after);
	for (size_t i = 0, k = 0; r == 0 && (i < before.count || k < after.count);) {
		int order = i == before.count  ? 1
			    : k == after.count ? -1
					       : strcmp(before.at[i].text, after.at[k].text);

		if (order < 0)
			tell_other(reloading, &before.at[i].rule);
		else if (order > 0 || (after.at[k].rule.flags & REEVE_RULE_LIVE))
			add_other(reloading, &after.at[k].rule);
		i += order <= 0;
		k += order >= 0;
	}
	release_others(&before);
	release_others(&after);
	return r;
}

static void tell_handled(struct reloading *reloading)
{
	struct reeve_rights before, after;
	char names[256];

	reeve_ruleset_handled(reloading->before, &before);
	reeve_ruleset_handled(reeve_policy_ruleset(reloading->after), &after);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++) {
		uint64_t differs = before.of[cls] ^ after.of[cls];

		if (differs)
			tell(reloading, "%s: %s: what is handled cannot change while a domain runs",
				reeve_class_name((enum reeve_class)cls),
				reeve_rights_format(
					(enum reeve_class)cls, differs, names, sizeof(names)));
	}
}

static void tell_settings(struct reloading *reloading)
{
	struct reeve_policy_settings before = {.size = sizeof(before)};
	struct reeve_policy_settings after = {.size = sizeof(after)};

	if (!reloading->settings)
		return;
	memcpy(&before, reloading->settings,
		reloading->settings->size < sizeof(before) ? reloading->settings->size
							   : sizeof(before));
	reeve_policy_settings(reloading->after, &after);
	if (before.deny != after.deny)
		tell(reloading, "deny cannot change while a domain runs");
	if (before.unix_datagram != after.unix_datagram)
		tell(reloading, "unix_datagram cannot change while a domain runs");
	if (before.private_tmpdir != after.private_tmpdir)
		tell(reloading, "tmpdir cannot change while a domain runs");
	if (before.inner_landlock_floor_only != after.inner_landlock_floor_only)
		tell(reloading, "inner_landlock cannot change while a domain runs");
}

static int tell_all(struct reloading *reloading)
{
	int r = tell_floor(reloading);

	if (r == 0)
		r = do_others(reloading);
	tell_handled(reloading);
	tell_settings(reloading);
	return r == 0 && reloading->failed ? -ENOMEM : r;
}

/* ------------------------------------------------------------------------- all of it */

static void report(struct reeve_supervisor *s, const char *by, const char *what, int error)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_RELOAD, .object = what, .by = by, .error = error};

	rv_events_put(s->context.events, &event);
}

static void report_done(struct reeve_supervisor *s, const char *by, const struct reeve_reload *ret)
{
	char what[160];

	snprintf(what, sizeof(what),
		"%zu rules added, %zu removed, %zu as before, %zu cannot change", ret->added,
		ret->removed, ret->kept, ret->fixed_count);
	report(s, by, what, 0);
}

static int reload(struct reloading *reloading, const char *by, struct reeve_error *err)
{
	struct reeve_supervisor *s = reloading->s;
	struct rv_reloaded done = {0};
	int r = add_grants(reloading, err);

	if (r)
		return r;
	r = tell_all(reloading);
	if (r == 0)
		r = rv_judge_reload(
			s->context.judge, reloading->live, reloading->live_count, &done);
	if (r)
		return rv_error(err, r, "cannot change the live rules: %s", strerror(-r));
	reloading->ret->added = done.added;
	reloading->ret->removed = done.removed;
	reloading->ret->kept = done.kept;
	return rv_session_committed(s, by);
}

int reeve_supervisor_reload(struct reeve_supervisor *s, const struct reeve_ruleset *before,
	const struct reeve_policy_settings *settings, const struct reeve_policy *after,
	const char *by, struct reeve_reload *ret, struct reeve_error *err)
{
	struct reloading reloading = {
		.s = s, .before = before, .settings = settings, .after = after, .ret = ret};
	int r = rv_session_check_live(s, err);

	if (r == 0 && !reeve_policy_ruleset(after))
		r = rv_error(err, -EINVAL, "the policy is not resolved");
	if (r == 0)
		r = reload(&reloading, by, err);
	free(reloading.live);
	rv_path_index_release(&reloading.floor);
	reeve_ruleset_free(reloading.granted);
	if (r)
		reeve_reload_release(ret);
	else
		report_done(s, by, ret);
	return r;
}

void reeve_supervisor_reload_failed(
	struct reeve_supervisor *s, const char *by, const struct reeve_error *err)
{
	report(s, by, err->message, err->code < 0 ? -err->code : EINVAL);
}

void reeve_reload_release(struct reeve_reload *reload)
{
	for (size_t i = 0; i < reload->fixed_count; i++)
		free(reload->fixed[i]);
	free(reload->fixed);
	*reload = (struct reeve_reload){.size = reload->size};
}
