/* SPDX-License-Identifier: MIT */
/*
 * A policy text, in TOML or (with '{' first) JSON: loaded, composed with itself, resolved, written
 * out and read again. What is written must load, and mean as many objects.
 */
#include <reeve/policy.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct reeve_resolve_options options = {
	.size = sizeof(options), .cwd = "/nowhere", .keep_missing = true};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The ruleset of `policy` through TOML. */
static void round_trip(struct reeve_policy *policy)
{
	const struct reeve_ruleset *ruleset = reeve_policy_ruleset(policy);
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	struct reeve_policy *again;
	struct reeve_rights handled;
	struct reeve_error err;
	char *text;
	uint64_t any = 0;

	reeve_policy_settings(policy, &settings);
	reeve_ruleset_handled(ruleset, &handled);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		any |= handled.of[cls];
	if (!any || reeve_ruleset_to_toml(ruleset, &text) < 0)
		return;
	if (reeve_policy_new(&again) < 0 ||
		reeve_policy_load_text(
			again, "again.toml", text, strlen(text), REEVE_POLICY_TOML, &err) < 0 ||
		reeve_policy_resolve(again, &options, &err) < 0 ||
		reeve_ruleset_count(reeve_policy_ruleset(again)) != reeve_ruleset_count(ruleset))
		abort();
	free(text);
	reeve_policy_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum reeve_policy_format format =
		size && data[0] == '{' ? REEVE_POLICY_JSON : REEVE_POLICY_TOML;
	struct reeve_policy *policy;
	struct reeve_error err;

	if (reeve_policy_new(&policy) < 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (reeve_policy_load_text(
			    policy, "fuzz", (const char *)data, size, format, &err) == 0 &&
			reeve_policy_resolve(policy, &options, &err) == 0)
			round_trip(policy);
	reeve_policy_free(policy);
	return 0;
}
