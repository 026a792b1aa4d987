/* SPDX-License-Identifier: MIT */
/* Live rules, events and counters of a supervisor: forwarded to those who keep them. */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "base/options.h"
#include "enforce/plan.h"
#include "supervise/member.h"
#include "supervise/session.h"

int rv_session_check_live(struct reeve_supervisor *s, struct reeve_error *err)
{
	bool reaped;

	if (!s->live) {
		rv_error(err, -EOPNOTSUPP, "this domain traps nothing, so no live rule can work");
		rv_error_hint(err, "it was started with --events none");
		return -EOPNOTSUPP;
	}
	if (rv_judge_has_ended(s->context.judge)) {
		rv_error(err, -EPERM,
			"the program in this domain has restricted itself with Landlock: nothing "
			"can be granted to it any more");
		rv_error_hint(err, "its policy allows that, by inner_landlock = \"floor-only\"");
		return -EPERM;
	}
	pthread_mutex_lock(&s->lock);
	reaped = s->reaped;
	pthread_mutex_unlock(&s->lock);
	return reaped ? rv_error(err, -EPIPE, "the domain ended") : 0;
}

int reeve_supervisor_stage_add(struct reeve_supervisor *s, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	return r ? r : rv_judge_stage_add(s->context.judge, rule, options, err);
}

int reeve_supervisor_stage_revoke(
	struct reeve_supervisor *s, const struct reeve_rule *rule, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	return r ? r : rv_judge_stage_revoke(s->context.judge, rule, err);
}

int reeve_supervisor_stage_intersect(
	struct reeve_supervisor *s, const struct reeve_rule *rule, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	return r ? r : rv_judge_stage_intersect(s->context.judge, rule, err);
}

int reeve_supervisor_stage_replace(
	struct reeve_supervisor *s, const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	return r ? r : rv_judge_stage_replace(s->context.judge, ruleset, err);
}

int reeve_supervisor_stage_clear(struct reeve_supervisor *s)
{
	int r = rv_session_check_live(s, NULL);

	return r ? r : rv_judge_stage_clear(s->context.judge);
}

int rv_session_committed(struct reeve_supervisor *s, const char *by)
{
	struct reeve_event event = {.kind = REEVE_EVENT_COMMIT, .by = by};

	s->context.numbers->commits++;
	rv_events_put(s->context.events, &event);
	rv_session_wake(s); /* a rule may expire sooner than any before */
	return 0;
}

int reeve_supervisor_commit(struct reeve_supervisor *s, const char *by, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	if (r == 0)
		r = rv_judge_commit(s->context.judge, err);
	return r ? r : rv_session_committed(s, by);
}

int reeve_supervisor_grant(struct reeve_supervisor *s, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	struct reeve_live_options known = {.size = sizeof(known)};
	int r = rv_session_check_live(s, err);

	if (r == 0)
		r = rv_options_take(&known, sizeof(known), options, err);
	if (r == 0)
		r = rv_judge_grant(s->context.judge, rules, count, &known, err);
	return r ? r : rv_session_committed(s, known.by);
}

int reeve_supervisor_rules(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data)
{
	return rv_judge_rules(s->context.judge, fn, data);
}

/* ------------------------------------------------------------------------ events */

int reeve_supervisor_subscribe(struct reeve_supervisor *s,
	void (*fn)(void *data, const struct reeve_event *event), void *data)
{
	unsigned int id = 0;
	int r = rv_events_subscribe(s->context.events, fn, data, &id);

	return r ? r : (int)id;
}

void reeve_supervisor_unsubscribe(struct reeve_supervisor *s, int id)
{
	rv_events_unsubscribe(s->context.events, (unsigned int)id);
}

int reeve_supervisor_denials(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data)
{
	return rv_events_kept(s->context.events, fn, data);
}

int rv_session_protected(const struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data)
{
	const struct reeve_ruleset *rules = rv_judge_static(s->context.judge);
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(rules, i, &rule) == 0; i++)
		if ((rule.flags & REEVE_RULE_DENY) && rule.origin &&
			strcmp(rule.origin, RV_PROTECTED) == 0)
			r = fn(data, &rule);
	return r;
}

int rv_session_besides(const struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data)
{
	const struct reeve_ruleset *rules = rv_judge_static(s->context.judge);
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = s->policy_rules; r == 0 && reeve_ruleset_at(rules, i, &rule) == 0; i++)
		r = fn(data, &rule);
	return r;
}

bool rv_session_has_ended_live(const struct reeve_supervisor *s)
{
	return rv_judge_has_ended(s->context.judge);
}

int rv_session_board(const struct reeve_supervisor *s)
{
	return s->board_fd;
}

void reeve_supervisor_counters(struct reeve_supervisor *s, struct reeve_supervisor_counters *ret)
{
	struct reeve_supervisor_counters counters = {.size = ret->size};
	struct rv_notify_counters notify;

	rv_notify_counters(s->notify, &notify);
	counters.trapped = notify.received;
	counters.continued = notify.continued;
	counters.performed = notify.performed;
	counters.injected = notify.injected;
	counters.denied = s->context.numbers->denied;
	counters.guarded = s->context.numbers->guarded;
	counters.commits = s->context.numbers->commits;
	rv_events_counters(s->context.events, &counters.events, &counters.events_lost);
	memcpy(ret, &counters, ret->size < sizeof(counters) ? ret->size : sizeof(counters));
}
