/* SPDX-License-Identifier: MIT */
/* What a policy asks for, feature by feature, and who enforces it on a kernel. Pure code. */
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "enforce/plan.h"
#include "model/feature.h"

/* What the rules of a policy need beyond rights. */
struct needs {
	bool live, live_execute, deny, address, unix_socket, quiet;
};

static void look_at_rule(struct needs *needs, const struct reeve_rule *rule)
{
	bool live = rule->flags & REEVE_RULE_LIVE;

	needs->live |= live;
	needs->live_execute |=
		live && rule->type == REEVE_RULE_PATH_BENEATH && (rule->allowed & REEVE_FS_EXECUTE);
	needs->deny |= rule->flags & REEVE_RULE_DENY;
	needs->address |= rule->type == REEVE_RULE_NET_ADDRESS;
	needs->unix_socket |= rule->type == REEVE_RULE_UNIX_SOCKET;
	needs->quiet |= rule->quiet != 0;
}

static struct needs find_needs(const struct reeve_ruleset *ruleset)
{
	struct needs needs = {0};
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		look_at_rule(&needs, &rule);
	return needs;
}

/* ------------------------------------------------------------------ degrading */

static bool is_degraded(const struct reeve_policy *policy, const struct reeve_feature *feature)
{
	const char *name;

	for (size_t i = 0; (name = reeve_policy_degraded_at(policy, i)); i++) {
		if (reeve_feature_find(name) == feature)
			return true;
	}
	return false;
}

static int check_degraded_names(const struct reeve_policy *policy, struct reeve_error *err)
{
	const char *name;

	for (size_t i = 0; (name = reeve_policy_degraded_at(policy, i)); i++) {
		if (reeve_feature_find(name))
			continue;
		rv_error(err, -EINVAL, "cannot degrade \"%s\": no such feature", rv_q(name));
		rv_error_hint(err, "\"reeve check\" lists the features");
		return -EINVAL;
	}
	return 0;
}

/* ---------------------------------------------------------------------- items */

struct asking {
	struct reeve_plan *plan;
	const struct reeve_policy *policy;
	const struct reeve_ruleset *ruleset;
};

/* Every feature is asked for once at most, so the array has room for it. */
static struct rv_plan_item *add_item(
	struct asking *asking, const struct reeve_feature *feature, enum reeve_enforcer by)
{
	struct reeve_plan *plan = asking->plan;
	struct rv_plan_item *item = &plan->items[plan->items_count++];

	item->feature = feature;
	item->item = (struct reeve_plan_item){feature->name, by, item->why};
	if (by == REEVE_BY_NOBODY && is_degraded(asking->policy, feature))
		item->item.by = REEVE_DEGRADED;
	if (item->item.by == REEVE_BY_NOBODY)
		plan->missing++;
	return item;
}

/* Asks the table of features who enforces it. Without a supervisor, what it would is nobody's. */
static void ask_feature(struct asking *asking, const struct reeve_feature *feature)
{
	const struct rv_plan_mode *mode = &asking->plan->mode;
	char why[RV_WHY_SIZE];
	enum reeve_enforcer by =
		reeve_feature_enforcer(feature, &asking->plan->kernel, why, sizeof(why));

	if (by == REEVE_BY_SUPERVISOR && !mode->supervised) {
		by = REEVE_BY_NOBODY;
		snprintf(why, sizeof(why), "needs reeve's supervisor here: run without --static");
	}
	memcpy(add_item(asking, feature, by)->why, why, sizeof(why));
}

static void ask(struct asking *asking, const char *name)
{
	ask_feature(asking, reeve_feature_find(name));
}

static void ask_if(struct asking *asking, bool wanted, const char *name)
{
	if (wanted)
		ask(asking, name);
}

/* Somebody else than the table says who enforces it. */
static void ask_by(struct asking *asking, const char *name, enum reeve_enforcer by, const char *why)
{
	struct rv_plan_item *item = add_item(asking, reeve_feature_find(name), by);

	snprintf(item->why, sizeof(item->why), "%s", why);
}

static void ask_rights(struct asking *asking, const struct reeve_rights *handled)
{
	const struct reeve_right_info *info;

	for (size_t i = 0; (info = reeve_right_at(i)); i++) {
		if (handled->of[info->cls] & info->bit)
			ask_feature(asking, rv_feature_of_right(info->cls, info->bit));
	}
}

/* Whether UNIX sockets outside are out of reach by their paths, and who sees to it. */
static bool has_unix_scope(const struct reeve_plan *plan, enum reeve_enforcer by)
{
	return rv_plan_has(plan, "scope.pathname_unix_socket", by) ||
	       rv_plan_has(plan, "fs.resolve_unix", by);
}

/*
 * Exceptions for single sockets mean something only where sockets by path are out of reach: where
 * that was degraded, every socket can be reached, and those of the rules too.
 */
static void ask_unix_socket(struct asking *asking)
{
	const struct reeve_plan *plan = asking->plan;
	bool enforced = has_unix_scope(plan, REEVE_BY_LANDLOCK) ||
			has_unix_scope(plan, REEVE_BY_SUPERVISOR);

	if (has_unix_scope(plan, REEVE_DEGRADED) && !enforced)
		ask_by(asking, "unix_socket", REEVE_DEGRADED,
			"every UNIX socket can be reached here");
	else
		ask(asking, "unix_socket");
}

/*
 * "refuse" is for the filter, and the default where a scope of UNIX sockets is the supervisor's: a
 * datagram socket could send to any path. "mediate" is what the kernel's own check does, and needs
 * nobody where no scope is asked for.
 */
static void ask_unix_datagram(struct asking *asking, enum reeve_unix_datagram mode)
{
	const struct reeve_plan *plan = asking->plan;
	const struct reeve_kernel *kernel = &plan->kernel;
	bool ours = has_unix_scope(plan, REEVE_BY_SUPERVISOR) ||
		    rv_plan_has(plan, "scope.abstract_unix_socket", REEVE_BY_SUPERVISOR);
	bool native = has_unix_scope(plan, REEVE_BY_LANDLOCK) ||
		      rv_plan_has(plan, "scope.abstract_unix_socket", REEVE_BY_LANDLOCK);

	if (mode == REEVE_UNIX_DATAGRAM_DEFAULT && !ours)
		return;
	if (mode != REEVE_UNIX_DATAGRAM_MEDIATE && kernel->seccomp_filter)
		ask_by(asking, "unix_datagram", REEVE_BY_SECCOMP, "refused");
	else if (mode != REEVE_UNIX_DATAGRAM_MEDIATE)
		ask_by(asking, "unix_datagram", REEVE_BY_NOBODY, "needs seccomp filters");
	else if (!ours && native)
		ask_by(asking, "unix_datagram", REEVE_BY_LANDLOCK, "each send is checked");
	else if (ours)
		ask(asking, "unix_datagram");
}

/* Live rules are the supervisor's, and only those that it can perform. */
static void ask_live(struct asking *asking, const struct needs *needs)
{
	const struct rv_plan_mode *mode = &asking->plan->mode;
	const char *why = NULL;

	if (!mode->supervised)
		why = "needs reeve's supervisor: run without --static";
	else if (mode->no_events)
		why = "needs trapped calls: not with --events none";
	else if (needs->live_execute)
		why = "execute cannot be granted live: put it into a rule that is not";
	if (why)
		ask_by(asking, "live", REEVE_BY_NOBODY, why);
	else
		ask(asking, "live");
}

/* Without a grant above it a denial says what holds anyway. */
static void ask_deny_inside(struct asking *asking)
{
	const struct reeve_ruleset *ruleset = asking->ruleset;
	const uint64_t needed = REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_MAKE_DIR |
				REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SYM;
	struct reeve_rights handled;
	char why[RV_WHY_SIZE] = "needs reeve's supervisor: run without --static";

	if (asking->plan->protects[0])
		snprintf(why, sizeof(why), "%s could be changed from inside: run without --static",
			asking->plan->protects);
	reeve_ruleset_handled(ruleset, &handled);
	if (!rv_plan_needs_split(ruleset))
		ask_by(asking, "deny_inside", REEVE_BY_LANDLOCK, "nothing is granted above it");
	else if (!asking->plan->mode.supervised)
		ask_by(asking, "deny_inside", REEVE_BY_NOBODY, why);
	else if ((handled.of[REEVE_FS] & needed) != needed)
		ask_by(asking, "deny_inside", REEVE_BY_NOBODY,
			"needs a policy that handles making and removing entries");
	else
		ask(asking, "deny_inside");
}

static void ask_settings(struct asking *asking, const struct needs *needs)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};

	reeve_policy_settings(asking->policy, &settings);
	if (needs->unix_socket)
		ask_unix_socket(asking);
	ask_unix_datagram(asking, settings.unix_datagram);
	ask_if(asking, needs->quiet, "quiet");
	ask(asking, "no_new_privs");
	if (needs->live)
		ask_live(asking, needs);
	ask_if(asking, needs->address, "net_address");
	if (needs->deny)
		ask_deny_inside(asking);
	/* Without a supervisor nothing goes around an inner domain: the kernel stacks them. */
	ask_if(asking, settings.inner_landlock_floor_only && asking->plan->mode.supervised,
		"inner_landlock");
	ask_if(asking, settings.deny & REEVE_DENY_EXECUTE_MEMFD, "execute_memfd");
	ask_if(asking, settings.deny & REEVE_DENY_SYSV_IPC, "deny.sysv_ipc");
	ask_if(asking, settings.deny & REEVE_DENY_KEYRING, "deny.keyring");
}

/* What the kernel's own restriction would leave open (design §6). */
static void ask_guards(struct asking *asking)
{
	const struct reeve_plan *plan = asking->plan;
	bool tcp = rv_plan_has(plan, "net.connect_tcp", REEVE_BY_LANDLOCK) ||
		   rv_plan_has(plan, "net.connect_tcp", REEVE_BY_SUPERVISOR);
	bool sockets = rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP);

	ask(asking, "guard.arch");
	ask(asking, "guard.tty");
	ask_if(asking,
		rv_plan_has(plan, "scope.signal", REEVE_BY_LANDLOCK) || plan->mode.supervised,
		"guard.sched");
	ask_if(asking, tcp || sockets || plan->mode.supervised, "guard.io_uring");
	ask_if(asking, tcp, "guard.tcp");
}

/* Permissive: which of what the policy asks for the supervisor judges, and nobody enforces. */
static bool is_judged(const char *name)
{
	static const char *const not_yet[] = {"fs.ioctl_dev", "fs.resolve_unix"};

	for (size_t i = 0; i < RV_COUNT(not_yet); i++) {
		if (strcmp(name, not_yet[i]) == 0)
			return false;
	}
	return strncmp(name, "fs.", 3) == 0 || strcmp(name, "deny_inside") == 0 ||
	       strcmp(name, "socket.create") == 0;
}

/* Needed for the supervisor's sake, so enforced all the same. guard.tcp belongs to connect_tcp. */
static bool is_kept(const char *name)
{
	static const char *const others[] = {"scope.signal", "no_new_privs", "live", "events"};

	for (size_t i = 0; i < RV_COUNT(others); i++) {
		if (strcmp(name, others[i]) == 0)
			return true;
	}
	return strncmp(name, "guard.", 6) == 0 && strcmp(name, "guard.tcp") != 0;
}

static void make_permissive(struct reeve_plan *plan)
{
	for (size_t i = 0; i < plan->items_count; i++) {
		struct rv_plan_item *item = &plan->items[i];
		bool judged = is_judged(item->item.feature);

		if (is_kept(item->item.feature))
			continue;
		plan->missing -= item->item.by == REEVE_BY_NOBODY;
		item->item.by = judged ? REEVE_OBSERVED : REEVE_DEGRADED;
		snprintf(item->why, sizeof(item->why), "%s",
			judged ? "" : "permissive: neither enforced nor judged");
	}
}

static size_t count_features(void)
{
	size_t n = 0;

	while (reeve_feature_at(n))
		n++;
	return n;
}

int rv_plan_add_items(struct reeve_plan *plan, const struct reeve_policy *policy,
	const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	struct asking asking = {plan, policy, ruleset};
	struct needs needs = find_needs(ruleset);
	struct reeve_rights handled;
	int r = check_degraded_names(policy, err);

	if (r)
		return r;
	plan->items = calloc(count_features(), sizeof(*plan->items));
	if (!plan->items)
		return rv_error(err, -ENOMEM, "out of memory");
	reeve_ruleset_handled(ruleset, &handled);
	if (plan->mode.supervised)
		handled.of[REEVE_SCOPE] |= REEVE_SCOPE_SIGNAL;
	ask_rights(&asking, &handled);
	ask_settings(&asking, &needs);
	ask_if(&asking, plan->mode.supervised && !plan->mode.no_events, "events");
	ask_guards(&asking);
	if (plan->mode.permissive)
		make_permissive(plan);
	return 0;
}

bool rv_plan_has(const struct reeve_plan *plan, const char *feature, enum reeve_enforcer by)
{
	for (size_t i = 0; i < plan->items_count; i++) {
		if (strcmp(plan->items[i].item.feature, feature) == 0)
			return plan->items[i].item.by == by;
	}
	return false;
}

/* -------------------------------------------------------------- what is missing */

static const struct rv_plan_item *next_missing(const struct reeve_plan *plan, size_t *i)
{
	while (*i < plan->items_count) {
		const struct rv_plan_item *item = &plan->items[(*i)++];

		if (item->item.by == REEVE_BY_NOBODY)
			return item;
	}
	return NULL;
}

/* A supervised domain refuses inner domains: what is performed for them would pass them by. */
int rv_plan_refuse_nested(struct reeve_error *err)
{
	const char *outer = getenv("REEVE_DOMAIN");

	if (outer && outer[0])
		rv_error(err, -EOPNOTSUPP, "this already runs in the supervised domain %s",
			rv_q(outer));
	else
		rv_error(err, -EOPNOTSUPP,
			"this already runs below another supervisor: the only "
			"seccomp listener is taken (EBUSY)");
	rv_error_hint(err,
		"start the outer one with --static: inside that, anything goes; with "
		"inner_landlock = \"floor-only\" in its policy, `reeve run --static` works here");
	return -EOPNOTSUPP;
}

/* Without Landlock nearly everything is missing: a list would hide the reason. */
static int refuse_without_landlock(const struct reeve_kernel *kernel, struct reeve_error *err)
{
	if (kernel->listener_taken)
		return rv_plan_refuse_nested(err);
	if (kernel->landlock_error == EOPNOTSUPP) {
		rv_error(err, -EOPNOTSUPP,
			"Landlock is built into this kernel, but not enabled at boot");
		rv_error_hint(err,
			"add landlock to the list of the kernel parameter lsm=, for instance "
			"lsm=landlock,... with what /sys/kernel/security/lsm shows");
		return -EOPNOTSUPP;
	}
	rv_error(err, -EOPNOTSUPP, "this kernel has no Landlock");
	rv_error_hint(err, "Landlock needs Linux 5.13 or newer, built with "
			   "CONFIG_SECURITY_LANDLOCK; inside a container, the container's seccomp "
			   "profile must allow the landlock_* system calls");
	return -EOPNOTSUPP;
}

static bool is_landlock_right(const struct reeve_feature *feature)
{
	return strncmp(feature->name, "fs.", 3) == 0 || strncmp(feature->name, "net.", 4) == 0 ||
	       strncmp(feature->name, "scope.", 6) == 0;
}

static void name_missing(
	const struct reeve_plan *plan, struct rv_strbuf *others, struct rv_strbuf *flags)
{
	const struct rv_plan_item *item;
	size_t n = 0;

	for (size_t i = 0; (item = next_missing(plan, &i)); n++) {
		if (n)
			rv_strbuf_printf(others, "%s%s (%s)", n > 1 ? "; " : "; also ",
				item->item.feature, item->item.why);
		rv_strbuf_printf(flags, "%s--degrade %s", n ? " " : "", item->item.feature);
	}
}

int rv_plan_check(const struct reeve_plan *plan, struct reeve_error *err)
{
	rv_autostrbuf others = {0}, flags = {0};
	const struct rv_plan_item *first;
	size_t i = 0;

	first = next_missing(plan, &i);
	if (!first)
		return 0;
	if (plan->kernel.landlock_abi <= 0 && is_landlock_right(first->feature))
		return refuse_without_landlock(&plan->kernel, err);
	name_missing(plan, &others, &flags);
	rv_error(err, -EOPNOTSUPP, "%s cannot be enforced here: %s%s", first->item.feature,
		first->item.why, others.text ? others.text : "");
	rv_error_hint(err,
		"to run without, give it up by name: %s (in a policy file: degrade = "
		"[\"%s\"%s])",
		flags.text ? flags.text : "--degrade", first->item.feature,
		plan->missing > 1 ? ", ..." : "");
	return -EOPNOTSUPP;
}
