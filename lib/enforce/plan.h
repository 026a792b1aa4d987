/* SPDX-License-Identifier: MIT */
/* Inside of a plan. */
#ifndef RV_ENFORCE_PLAN_H
#define RV_ENFORCE_PLAN_H

#include <reeve/check.h>
#include <reeve/domain.h>
#include <reeve/sandbox.h>
#include "enforce/filter.h"
#include "policy/opened.h"

#define RV_WHY_SIZE 120

struct rv_plan_item {
	struct reeve_plan_item item; /* first: handed out by address; `why` points below */
	const struct reeve_feature *feature;
	char why[RV_WHY_SIZE];
};

/* For whom a plan is made; zeroed: for a process that restricts itself. */
struct rv_plan_mode {
	bool supervised;
	bool no_events;	 /* supervised: trap only what guards need */
	bool permissive; /* supervised: judge the floor, but enforce no more than the guards */
	bool record;	 /* supervised: trap all that can be noted */
	int scope_error; /* supervised: of a scoped UNIX socket's path; 0: EACCES */
};

/* Where a rule of the floor comes from. */
struct rv_plan_origin {
	uint32_t rule; /* its number in the policy's ruleset */
	/*
	 * What the policy's rule granted before this kernel's lacks were cut off: tells a rule that
	 * never made sense from one that degraded away.
	 */
	uint64_t asked;
};

struct reeve_plan {
	struct reeve_kernel kernel;
	struct rv_plan_mode mode;

	/* Items point into themselves: the array is allocated once, with room for every feature. */
	struct rv_plan_item *items;
	size_t items_count;
	size_t missing; /* items by nobody; a plan that has some is never enforced */

	struct reeve_ruleset *floor;
	/* What is enforced, with its denials, for diagnosis: the floor, or if permissive nothing.
	 */
	struct reeve_domain *domain;
	struct rv_plan_origin *from;  /* for each rule of the floor */
	struct rv_opened *opened;     /* what the policy's rules name; may be NULL */
	uint64_t quiet_fs, quiet_net; /* union of the rules' quiet rights */

	/*
	 * The static part as the supervisor judges it: the floor, and what it supplies itself where
	 * the kernel lacks it. NULL unless there is a supervisor.
	 */
	struct reeve_ruleset *judged;

	/* Rules that start out live, kept out of the floor; NULL unless "live" is enforced. */
	struct reeve_ruleset *live;

	/*
	 * Where something is denied (plan_deny.c), else NULL. `policy`: what the floor would be, if
	 * Landlock knew denials. `spread`: the grants above one, cut down to the rights that the
	 * floor can only have on parts of them; they are split at launch (split.h).
	 */
	struct reeve_ruleset *policy, *spread;
	/* Denials of loaded policy files, and of links on the way to what is denied, that no grant
	 * of the policy lets be changed: a rule that is added later could. NULL: none. */
	struct reeve_ruleset *protected;
	char protects[RV_WHY_SIZE / 2]; /* one that a grant lets be changed from inside; or "" */

	struct rv_filter_spec spec; /* `sockets` is owned */
	struct sock_filter *filter;
	size_t filter_length;

	bool private_tmpdir;
};

/*
 * Makes a plan. `complete`: what nobody enforces is an error, see reeve_plan_new(); else it stays
 * in the plan, see reeve_plan_describe().
 */
int rv_plan_make(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct rv_plan_mode *mode, bool complete, struct reeve_plan **ret,
	struct reeve_error *err);

/*
 * plan_items.c: the items of a policy. What it degrades is REEVE_DEGRADED, what remains by nobody
 * is counted in plan->missing. -EINVAL (unknown name in degrade), -ENOMEM.
 */
int rv_plan_add_items(struct reeve_plan *plan, const struct reeve_policy *policy,
	const struct reeve_ruleset *ruleset, struct reeve_error *err);

#define RV_PROTECTED "loaded policy files are never writable from inside"

/*
 * plan_files.c: the policy's ruleset, with a denial for each loaded policy file that could be
 * changed from inside, and for each such link on the way to a denial. A new reference in *ret.
 * -EINVAL: a way to one of them steps up from a directory that could be replaced. -ENOMEM.
 */
int rv_plan_protect_files(struct reeve_plan *plan, const struct reeve_policy *policy,
	struct reeve_ruleset **ret, struct reeve_error *err);

/* Who enforces the feature in this plan; false where it was not asked for. */
bool rv_plan_has(const struct reeve_plan *plan, const char *feature, enum reeve_enforcer by);

/*
 * Rights of UDP would be the supervisor's, but the rules of sockets let nobody make a UDP socket,
 * so that nothing has to be trapped. None may be inherited then.
 */
bool rv_plan_lacks_udp(const struct reeve_plan *plan);

/* The rights on sockets whose calls are trapped, so that live rules can grant them. */
struct reeve_rights rv_plan_live_rights(const struct reeve_plan *plan);

/* UNIX sockets outside are out of reach by the kernel's resolve_unix, which rules can grant. */
bool rv_plan_kernel_scopes_unix(const struct reeve_plan *plan);

/* Sends are judged and performed by the supervisor; else they are trapped, if at all, to be noted.
 */
bool rv_plan_judges_sends(const struct reeve_plan *plan);

/* Fills err with what is missing, and the way out. Returns -EOPNOTSUPP; 0 for a complete plan. */
int rv_plan_check(const struct reeve_plan *plan, struct reeve_error *err);

/* -EINVAL for a supervised plan: its traps and live rules mean nothing without a supervisor. */
int rv_plan_in_place(const struct reeve_plan *plan, struct reeve_error *err);

/* The error of a run that is nested in a supervised one. Returns -EOPNOTSUPP. */
int rv_plan_refuse_nested(struct reeve_error *err);

/*
 * plan_deny.c: denials inside of what is granted. `needs`: whether a rule grants anything above a
 * DENY rule. `begin` makes plan->policy and plan->spread. `cut` leaves in a rule of the floor what
 * may stay there as a whole, perhaps nothing, and adds the rest to plan->spread.
 */
bool rv_plan_needs_split(const struct reeve_ruleset *ruleset);
bool rv_plan_is_split(const struct reeve_plan *plan);
int rv_plan_begin_split(struct reeve_plan *plan, const struct reeve_ruleset *ruleset,
	const struct reeve_rights *handled, struct reeve_error *err);
int rv_plan_cut(struct reeve_plan *plan, struct reeve_rule *rule, struct reeve_error *err);
/* What the denials strictly below `path` take away; *ret_any: whether there are any. */
uint64_t rv_plan_denied_below(const struct reeve_ruleset *ruleset, const char *path, bool *ret_any);

/*
 * What may stay on the whole of a grant, unless a denial in it takes it away. Not what makes,
 * removes or moves entries: a directory above the denied object, moved to where the floor grants
 * more, would uncover it.
 */
#define RV_PLAN_MAY_STAY                                                                           \
	(REEVE_FS_EXECUTE | REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_WRITE_FILE |         \
		REEVE_FS_TRUNCATE | REEVE_FS_IOCTL_DEV | REEVE_FS_RESOLVE_UNIX)

/* plan_floor.c: a policy's rule as the kernel can have it; false where it has no part in it. */
bool rv_plan_to_floor(struct reeve_rule *rule, const struct reeve_rights *handled);

/* What Landlock really handles: the floor's, or with `permissive` the signal scope alone. */
struct reeve_rights rv_plan_enforced(const struct reeve_plan *plan);

/* plan_floor.c: the rules that Landlock gets, and the sockets that the filter gets. */
int rv_plan_add_floor(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err);

/* plan_judged.c: the rights that the supervisor judges, and plan->judged. */
struct reeve_rights rv_plan_judged_rights(const struct reeve_plan *plan);
int rv_plan_add_judged(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err);

#endif /* RV_ENFORCE_PLAN_H */
