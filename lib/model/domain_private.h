/* SPDX-License-Identifier: MIT */
/* The inside of a domain, and what the decisions share. */
#ifndef RV_MODEL_DOMAIN_PRIVATE_H
#define RV_MODEL_DOMAIN_PRIVATE_H

#include <stdatomic.h>
#include <reeve/domain.h>
#include "model/ruleset.h"

/* A node of the hierarchy, with one layer. */
struct reeve_domain {
	atomic_uint refs;
	struct reeve_domain *parent;	   /* owned reference, NULL: outermost */
	unsigned int depth;		   /* layers, this one included */
	bool fs_restricted;		   /* this layer or one above it handles an fs right */
	struct reeve_ruleset *static_part; /* owned reference, frozen */
	struct reeve_ruleset *live;	   /* owned reference, frozen; NULL: nothing committed */
	struct reeve_ruleset *staged; /* owned reference; the same as `live` until it is changed */
};

/* What each layer, outermost first, did not find granted. */
struct rv_restrictions {
	uint64_t missing[REEVE_LAYERS_MAX];
	uint64_t quiet[REEVE_LAYERS_MAX];
};

/* For an object, or with `self_only` for the rules on it alone. Only rights of `want`. */
void rv_restrictions_on_path(const struct reeve_domain *domain, const char *path, size_t length,
	bool self_only, uint64_t want, struct rv_restrictions *ret);

/*
 * EACCES where a layer misses a right. The innermost such layer speaks for the domain, as in the
 * kernel's audit records.
 */
void rv_decide_restrictions(const struct reeve_domain *domain,
	const struct rv_restrictions *restrictions, struct reeve_decision *ret);

/* Fills in an allowed decision. */
void rv_decide_allowed(struct reeve_decision *ret);

#endif /* RV_MODEL_DOMAIN_PRIVATE_H */
