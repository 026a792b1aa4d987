/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "base/cleanup.h"
#include "policy/ready.h"

/* What rv_origin() makes: "profile NAME:LINE". */
struct origins {
	struct rv_arena *arena;
	char name[sizeof("profile ") + RV_READY_NAME_MAX];
	size_t length;
	unsigned int line; /* the latest, and its text */
	const char *text;
};

static const char *origin(struct origins *o, unsigned int line)
{
	if (!o->text || o->line != line)
		o->text = rv_arena_add_origin(o->arena, o->name, o->length, line);
	o->line = line;
	return o->text;
}

static int add_drafts(
	struct rv_config *config, const struct rv_ready_range *range, struct origins *origins)
{
	if (rv_reserve(&config->drafts, range->count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < range->count; i++) {
		const struct rv_ready_draft *ready = &rv_ready_drafts[range->first + i];
		struct rv_draft *draft = &config->drafts.at[config->drafts.count];

		*draft = (struct rv_draft){
			.rule = rv_ready_kinds[ready->kind], .source = RV_DRAFT_TEXT};
		if (draft->rule.type == REEVE_RULE_NET_ADDRESS)
			draft->rule.address = rv_ready_string(ready->text);
		else
			draft->rule.path = rv_ready_string(ready->text);
		draft->rule.origin = origin(origins, ready->line);
		if (!draft->rule.origin)
			return -ENOMEM;
		config->drafts.count++;
	}
	return 0;
}

static int add_bindings(struct rv_config *config, const struct rv_ready_range *range)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < range->count; i++) {
		const struct rv_ready_pair *pair = &rv_ready_pairs[range->first + i];

		r = rv_config_add_binding(
			config, rv_ready_string(pair->text), rv_ready_string(pair->other));
	}
	return r;
}

static int add_refusals(
	struct rv_config *config, const struct rv_ready_range *range, struct origins *origins)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < range->count; i++) {
		const struct rv_ready_pair *pair = &rv_ready_pairs[range->first + i];
		struct rv_refusal refusal = {.path = rv_ready_string(pair->text),
			.origin = origin(origins, pair->other)};

		r = refusal.origin ? rv_config_add_refusal(config, &refusal) : -ENOMEM;
	}
	return r;
}

/* Features are compared by address, so it is the table's own name that is kept. */
static int add_degraded(struct rv_config *config, const struct rv_ready_range *range)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < range->count; i++) {
		const char *name = rv_ready_string(rv_ready_pairs[range->first + i].text);

		r = rv_config_add_degraded(config, reeve_feature_find(name)->name);
	}
	return r;
}

int rv_ready_add(struct rv_config *config, const struct rv_builtin_profile *profile)
{
	struct origins origins = {.arena = &config->arena};
	int r;

	origins.length =
		(size_t)snprintf(origins.name, sizeof(origins.name), "profile %s", profile->name);
	r = add_drafts(config, &profile->drafts, &origins);
	if (r == 0)
		r = add_bindings(config, &profile->bindings);
	if (r == 0)
		r = add_refusals(config, &profile->refusals, &origins);
	if (r == 0)
		r = add_degraded(config, &profile->degraded);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		config->handled.of[cls] |= profile->handled.of[cls];
	config->deny |= profile->deny;
	if (profile->unix_datagram != REEVE_UNIX_DATAGRAM_DEFAULT)
		config->unix_datagram = profile->unix_datagram;
	config->private_tmpdir |= profile->private_tmpdir;
	config->floor_only |= profile->floor_only;
	return r;
}
