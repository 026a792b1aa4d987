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
#include "enforce/filter.h"
#include "model/address.h"

struct rv_judge; /* floor + live rules of one domain; thread-safe */
struct rv_split;

enum rv_judged {
	RV_FLOOR_ALLOWS, /* nothing for us to add: CONTINUE */
	/* static ∪ live allows, the floor does not, or has only a part of it: perform it */
	RV_LIVE_ALLOWS,
	RV_DENIED, /* neither */
};

#define RV_BY_DENIAL "denial: " /* begins what is in `by` of such a judgement, and of its event */

#define RV_TICKETS 24 /* more rules than that together grant nothing */

struct rv_judgement {
	enum rv_judged result;
	struct reeve_decision decision; /* DENIED: what is missing, with the live rules counted */

	/* LIVE_ALLOWS: the rules needed, for rv_judge_used(). */
	uint64_t tickets[RV_TICKETS];
	size_t ticket_count;
	uint64_t ticket; /* equal for judgements that need the same rules */
	/* Origin of one of them, or of the policy's grant; DENIED by a denial: of that. */
	char by[128];
	bool by_denial; /* DENIED inside of a grant */
};

/*
 * `policy_static`: the policy's static rules with the rights they ask for; takes a reference.
 * `live`: the rules that start out live, without what cannot be granted to a running domain.
 */
int rv_judge_new(
	struct reeve_ruleset *policy_static, struct reeve_ruleset *live, struct rv_judge **ret);

/*
 * The same where the supervisor connects to UNIX sockets for the program, so that resolve_unix can
 * be granted live; rv_judge_new() refuses it. `by_kernel`: the floor is where it is denied, so that
 * the kernel knows of the static rules on it.
 */
int rv_judge_new_unix(struct reeve_ruleset *policy_static, struct reeve_ruleset *live,
	bool by_kernel, struct rv_judge **ret);
void rv_judge_free(struct rv_judge *judge);

/*
 * What of the classes net and socket can be granted live (all, unless this is called), and whether
 * UDP sockets can: the rest is trapped nowhere, so that a rule would have no effect, or no limit.
 * Before the first rule that is staged.
 */
void rv_judge_limit_live(struct rv_judge *judge, const struct reeve_rights *rights, bool udp);

/*
 * From now on what is not allowed by the floor alone has to be granted by live rules alone, so that
 * all rules that count are pinned ones: the floor's are judged by their paths. The caller adds the
 * static rules to the live ones. -ENOMEM.
 */
int rv_judge_set_alone(struct rv_judge *judge);

/*
 * For a policy with denials inside of grants: what of `policy_static` the kernel's floor has, and
 * the parts of it that are of the split (copied; their paths count as long as the same objects are
 * there). What the policy grants beyond that is performed. Before the first decision. -ENOMEM.
 */
int rv_judge_set_floor(
	struct rv_judge *judge, struct reeve_ruleset *floor, const struct rv_split *split);

/* True when some live rule is in force: else nothing needs to be resolved for grants. */
bool rv_judge_has_live(struct rv_judge *judge);

void rv_judge_path(
	struct rv_judge *judge, const char *path, uint64_t access, struct rv_judgement *ret);

/* Making or removing (`access`) the entry at `path` of the directory at `dir`. */
void rv_judge_entry(struct rv_judge *judge, const char *path, const char *dir, uint64_t access,
	struct rv_judgement *ret);
void rv_judge_refer(
	struct rv_judge *judge, const struct reeve_refer *refer, struct rv_judgement *ret);

/*
 * Whether a move that the floor allows may gain rights by the live rules in force: then none must
 * go on in the kernel without rv_judge_refer(), nor on what the caller's memory says.
 */
bool rv_judge_guards_moves(struct rv_judge *judge);

/* Call before something at this path is moved or removed that the floor alone does not allow. */
void rv_judge_displaced(struct rv_judge *judge, const char *path);

/* Rights of class net on an IP address and port (host byte order): `bound` as for
 * rv_address_match(). */
void rv_judge_endpoint(struct rv_judge *judge, uint64_t access, const struct rv_ip *ip,
	uint16_t port, bool bound, struct rv_judgement *ret);

/*
 * A socket (family, type, protocol) that the filter's own rules do not grant: LIVE_ALLOWS or
 * DENIED. A live rule grants what it would if `spec` had it, whose rules are not looked at.
 */
void rv_judge_socket(struct rv_judge *judge, const struct rv_filter_spec *spec, const int socket[3],
	struct rv_judgement *ret);

/*
 * Call before a request that LIVE_ALLOWS is performed: counts the use, and consumes rules granted
 * once, all that it needs or none. False: such a rule was consumed by another request or revoked
 * meanwhile: deny.
 */
bool rv_judge_used(struct rv_judge *judge, const struct rv_judgement *judgement);

/* Whether a rule granted once is among those needed. */
bool rv_judgement_is_once(const struct rv_judgement *judgement);

/*
 * For a request that needs two judgements, both LIVE_ALLOWS: `to` then stands for the rules of
 * both, so that one rv_judge_used() consumes all or none. False: too many rules; deny.
 */
bool rv_judgement_join(struct rv_judgement *to, const struct rv_judgement *from);

/* The stage_*, commit and rules functions of supervisor.h, on this judge. Execute cannot be
 * granted, nor what rv_judge_limit_live() leaves out: -EOPNOTSUPP. */
int rv_judge_stage_add(struct rv_judge *judge, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err);
/* Whether such a rule could be staged: what stage_add would say. */
int rv_judge_check_rule(
	const struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err);
/* A rule on an object: it holds only while its path names this one, as Landlock's rules do. */
struct rv_pin {
	uint64_t dev, ino; /* st_dev and st_ino */
};
int rv_judge_stage_pinned(
	struct rv_judge *judge, const struct reeve_rule *rule, const struct rv_pin *object);

int rv_judge_stage_revoke(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err);
int rv_judge_stage_intersect(
	struct rv_judge *judge, const struct reeve_rule *rule, struct reeve_error *err);
int rv_judge_stage_replace(
	struct rv_judge *judge, const struct reeve_ruleset *ruleset, struct reeve_error *err);
int rv_judge_stage_clear(struct rv_judge *judge);
/*
 * Adds rules in a commit of their own; what others have staged stays staged, with these besides.
 */
int rv_judge_grant(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, struct reeve_error *err);
int rv_judge_commit(struct rv_judge *judge, struct reeve_error *err);
int rv_judge_rules(struct rv_judge *judge,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data);
/* The static part. */
const struct reeve_ruleset *rv_judge_static(const struct rv_judge *judge);
/* From now on `rules` says how many are in force. */
void rv_judge_show(struct rv_judge *judge, _Atomic uint64_t *rules);

/* In place of the live rules of the policy: these, all of which can be live. One commit.
 * -ENOMEM, and then nothing has changed. */
struct rv_reloaded {
	size_t added, removed, kept;
};
int rv_judge_reload(struct rv_judge *judge, const struct reeve_rule *rules, size_t count,
	struct rv_reloaded *ret);

/*
 * Ends all live rules, and whatever else the floor does not allow by itself: nothing is performed
 * any more, and no commit succeeds (-EPERM). -ENOMEM, and then nothing has changed.
 */
int rv_judge_end(struct rv_judge *judge);
bool rv_judge_has_ended(const struct rv_judge *judge);

/*
 * Rules whose time is over decide nothing any more, by CLOCK_BOOTTIME: it goes on while the machine
 * sleeps. This drops them, and consumed ones; returns how many, or -ENOMEM. *ret_next is when to
 * call it again (CLOCK_MONOTONIC milliseconds, 0: when something was committed).
 */
int rv_judge_expire(struct rv_judge *judge, uint64_t *ret_next);

#endif /* RV_SUPERVISE_JUDGE_H */
