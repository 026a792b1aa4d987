/* SPDX-License-Identifier: MIT */
/* The nearest of several words to a misspelt one. */
#ifndef RV_POLICY_SUGGEST_H
#define RV_POLICY_SUGGEST_H

#include <reeve/error.h>

struct rv_suggestion {
	const char *word; /* what was written */
	const char *best; /* NULL: nothing is near enough */
	unsigned int distance;
};

/* Offers one candidate; the first of the nearest ones stays. */
void rv_suggest(struct rv_suggestion *suggestion, const char *candidate);

/* Makes it a hint, where there is one. Returns err's code, or 0. */
int rv_suggest_hint(const struct rv_suggestion *suggestion, struct reeve_error *err);

#endif /* RV_POLICY_SUGGEST_H */
