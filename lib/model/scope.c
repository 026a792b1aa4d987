/* SPDX-License-Identifier: MIT */
/* The decisions that only the hierarchy of domains makes: scopes and ptrace. */
#include <errno.h>
#include "model/domain_private.h"

static bool scopes(const struct reeve_domain *layer, uint64_t scope)
{
	return (layer->static_part->handled.of[REEVE_SCOPE] & scope) != 0;
}

/* The ancestor (or the domain itself) with at most `depth` layers; NULL: above all domains. */
static const struct reeve_domain *lifted(const struct reeve_domain *domain, unsigned int depth)
{
	while (reeve_domain_depth(domain) > depth)
		domain = domain->parent;
	return domain;
}

/*
 * The layer that denies, or NULL: the first from the innermost outwards that has the scope and is
 * not the resource's as well. One that both share ends the search, because then they share all
 * that is above it.
 */
static const struct reeve_domain *denying_layer(
	const struct reeve_domain *accessor, const struct reeve_domain *resource, uint64_t scope)
{
	for (; accessor; accessor = accessor->parent) {
		resource = lifted(resource, accessor->depth);
		if (!scopes(accessor, scope))
			continue;
		return accessor == resource ? NULL : accessor;
	}
	return NULL;
}

static void decide(const struct reeve_domain *denying, uint64_t missing, struct reeve_decision *ret)
{
	rv_decide_allowed(ret);
	if (denying)
		*ret = (struct reeve_decision){
			.error = EPERM, .missing = missing, .layer = denying->depth};
}

void reeve_decide_scope(const struct reeve_domain *accessor, const struct reeve_domain *resource,
	uint64_t scope, struct reeve_decision *ret)
{
	decide(denying_layer(accessor, resource, scope), scope, ret);
}

void reeve_decide_ptrace(const struct reeve_domain *tracer, const struct reeve_domain *tracee,
	struct reeve_decision *ret)
{
	decide(lifted(tracee, reeve_domain_depth(tracer)) == tracer ? NULL : tracer, 0, ret);
}
