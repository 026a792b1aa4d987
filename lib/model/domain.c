/* SPDX-License-Identifier: MIT */
/* Domains: the hierarchy, and the live part of a layer with its staging. */
#include "model/domain_private.h"
#include "base/cleanup.h"
#include "base/error.h"

int reeve_domain_new(
	struct reeve_domain *parent, struct reeve_ruleset *ruleset, struct reeve_domain **ret)
{
	struct reeve_domain *domain;

	if (!ruleset)
		return -EINVAL;
	if (parent && parent->depth >= REEVE_LAYERS_MAX)
		return -E2BIG;
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	atomic_init(&domain->refs, 1);
	domain->parent = reeve_domain_ref(parent);
	domain->depth = parent ? parent->depth + 1 : 1;
	domain->fs_restricted = ruleset->handled.of[REEVE_FS] || (parent && parent->fs_restricted);
	domain->static_part = reeve_ruleset_ref(ruleset);
	rv_ruleset_freeze(ruleset);
	*ret = domain;
	return 0;
}

struct reeve_domain *reeve_domain_ref(struct reeve_domain *domain)
{
	if (domain)
		atomic_fetch_add_explicit(&domain->refs, 1, memory_order_relaxed);
	return domain;
}

void reeve_domain_free(struct reeve_domain *domain)
{
	while (domain && atomic_fetch_sub_explicit(&domain->refs, 1, memory_order_acq_rel) == 1) {
		struct reeve_domain *parent = domain->parent;

		reeve_ruleset_free(domain->static_part);
		reeve_ruleset_free(domain->live);
		reeve_ruleset_free(domain->staged);
		free(domain);
		domain = parent;
	}
}

unsigned int reeve_domain_depth(const struct reeve_domain *domain)
{
	return domain ? domain->depth : 0;
}

const struct reeve_ruleset *reeve_domain_live(const struct reeve_domain *domain)
{
	return domain->live;
}

const struct reeve_ruleset *reeve_domain_static(const struct reeve_domain *domain)
{
	return domain->static_part;
}

/* ---------------------------------------------------------------- staging */

static void set_staged(struct reeve_domain *domain, struct reeve_ruleset *staged)
{
	reeve_ruleset_free(domain->staged);
	domain->staged = staged;
}

/* Makes `staged` a ruleset that can be added to. */
static int own_staged(struct reeve_domain *domain)
{
	struct reeve_ruleset *copy;
	int ret;

	if (domain->staged && domain->staged != domain->live)
		return 0;
	if (domain->staged)
		ret = rv_ruleset_copy(domain->staged, &copy);
	else
		ret = reeve_ruleset_new(&domain->static_part->handled, &copy);
	if (ret == 0)
		set_staged(domain, copy);
	return ret;
}

int reeve_domain_stage_add(
	struct reeve_domain *domain, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rule cut = *rule;
	uint64_t open;
	int ret = rv_rule_check(&domain->static_part->handled, rule, false, err);

	if (ret < 0)
		return ret;
	ret = own_staged(domain);
	if (ret < 0)
		return rv_error(err, ret, "cannot stage a rule: out of memory");
	/* After a replace by a ruleset that handles less, the rest is granted everywhere already.
	 */
	open = domain->static_part->handled.of[reeve_rule_class(rule->type)] &
	       ~domain->staged->handled.of[reeve_rule_class(rule->type)];
	cut.allowed &= ~open;
	cut.quiet &= ~open;
	if (open && !cut.allowed && !cut.quiet && !(cut.flags & REEVE_RULE_DENY))
		return 0;
	return reeve_ruleset_add(domain->staged, &cut, err);
}

int reeve_domain_stage_intersect(
	struct reeve_domain *domain, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_ruleset *narrowed;
	int ret = rv_rule_check(&domain->static_part->handled, rule, true, err);

	if (ret < 0 || !domain->staged)
		return ret;
	ret = rv_ruleset_narrowed(domain->staged, rule, &narrowed);
	if (ret < 0)
		return rv_error(err, ret, "cannot stage an intersection: out of memory");
	set_staged(domain, narrowed);
	return 0;
}

int reeve_domain_stage_replace(struct reeve_domain *domain, const struct reeve_ruleset *ruleset)
{
	struct reeve_ruleset *copy;
	int ret;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		if (ruleset->handled.of[cls] & ~domain->static_part->handled.of[cls])
			return -EINVAL;
	ret = rv_ruleset_copy(ruleset, &copy);
	if (ret < 0)
		return ret;
	/* Scopes cannot be lifted, so exceptions from them must stay possible. */
	copy->handled.of[REEVE_SCOPE] = domain->static_part->handled.of[REEVE_SCOPE];
	set_staged(domain, copy);
	return 0;
}

int reeve_domain_stage_clear(struct reeve_domain *domain)
{
	struct reeve_ruleset *empty;
	int ret = reeve_ruleset_new(&domain->static_part->handled, &empty);

	if (ret == 0)
		set_staged(domain, empty);
	return ret;
}

/* The next change copies the snapshot first: see own_staged(). */
int reeve_domain_commit(struct reeve_domain *domain)
{
	int ret = domain->staged ? 0 : own_staged(domain);

	if (ret < 0)
		return ret;
	rv_ruleset_freeze(domain->staged);
	reeve_ruleset_free(domain->live);
	domain->live = reeve_ruleset_ref(domain->staged);
	return 0;
}
