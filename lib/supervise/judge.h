/* SPDX-License-Identifier: MIT */
/*
 * Who decides over a request: the floor, a live rule, or nobody (denied).
 *
 * The floor is judged by the model, on canonical paths; the kernel judges it again whenever we let
 * a call go on, so a mistake here loses a grant or misreports a denial, and never gives an access.
 * Live rules are judged here alone, against one committed snapshot.
 */
#ifndef RV_SUPERVISE_JUDGE_H
#define RV_SUPERVISE_JUDGE_H

#include <reeve/domain.h>
#include <reeve/supervisor.h>

struct rv_judge; /* floor + live rules of one domain; thread-safe */

enum rv_judged {
	RV_FLOOR_ALLOWS, /* nothing for us to add: CONTINUE */
	RV_LIVE_ALLOWS,	 /* static ∪ live allows, the floor alone does not: perform it */
	RV_DENIED,	 /* neither */
};

#define RV_TICKETS 24 /* more rules than that together grant nothing */

struct rv_judgement {
	enum rv_judged result;
	struct reeve_decision decision; /* DENIED: what is missing, with the live rules counted */

	/* LIVE_ALLOWS: the rules needed, for rv_judge_used(). */
	uint64_t tickets[RV_TICKETS];
	size_t ticket_count;
	uint64_t ticket; /* equal for judgements that need the same rules */
	char by[128];	 /* origin of one of them */
};

/*
 * `policy_static`: the policy's static rules with the rights they ask for; takes a reference.
 * `live`: the rules that start out live, without what cannot be granted to a running domain.
 */
int rv_judge_new(
	struct reeve_ruleset *policy_static, struct reeve_ruleset *live, struct rv_judge **ret);
void rv_judge_free(struct rv_judge *judge);

/* True when some live rule is in force: else nothing needs to be resolved for grants. */
bool rv_judge_has_live(struct rv_judge *judge);

void rv_judge_path(
	struct rv_judge *judge, const char *path, uint64_t access, struct rv_judgement *ret);
void rv_judge_refer(
	struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret);

/*
 * Call before a request that LIVE_ALLOWS is performed: counts the use, and consumes rules granted
 * once, all that it needs or none. False: such a rule was consumed by another request or revoked
 * meanwhile: deny.
 */
bool rv_judge_used(struct rv_judge *judge, const struct rv_judgement *judgement);

/*
 * For a request that needs two judgements, both LIVE_ALLOWS: `to` then stands for the rules of
 * both, so that one rv_judge_used() consumes all or none. False: too many rules; deny.
 */
bool rv_judgement_join(struct rv_judgement *to, const struct rv_judgement *from);

/* The stage_*, commit and rules functions of supervisor.h, on this judge. Only paths can be granted
 * for now, without execute and resolve_unix: -EOPNOTSUPP. */
int rv_judge_stage_add(struct rv_judge *judge, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err);
int rv_judge_stage_revoke(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err);
int rv_judge_stage_intersect(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err);
int rv_judge_stage_replace(
	struct rv_judge *judge, const struct reeve_ruleset *ruleset, struct reeve_error *err);
int rv_judge_stage_clear(struct rv_judge *judge);
int rv_judge_commit(struct rv_judge *judge, struct reeve_error *err);
int rv_judge_rules(struct rv_judge *judge,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data);

/*
 * Rules whose time is over decide nothing any more, by CLOCK_BOOTTIME: it goes on while the machine
 * sleeps. This drops them, and consumed ones; returns how many, or -ENOMEM. *ret_next is when to
 * call it again (CLOCK_MONOTONIC milliseconds, 0: when something was committed).
 */
int rv_judge_expire(struct rv_judge *judge, uint64_t *ret_next);

#endif /* RV_SUPERVISE_JUDGE_H */
