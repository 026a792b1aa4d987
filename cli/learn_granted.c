/* SPDX-License-Identifier: MIT */
/*
 * What the policies grant that ours extends. One answer serves all that lie beside each other: no
 * rule names any of them, so each is granted what its directory is.
 */
#include <stdlib.h>
#include <string.h>
#include "learn.h"

int learn_profile(const char *name, const struct reeve_resolve_options *options,
	struct reeve_ruleset **ret, struct reeve_error *err)
{
	cli_autopolicy *policy = NULL;
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_load_profile(policy, name, err);
	if (r == 0)
		r = reeve_policy_resolve(policy, options, err);
	if (r == 0)
		*ret = reeve_ruleset_ref((struct reeve_ruleset *)reeve_policy_ruleset(policy));
	return r;
}

int learn_granted_init(struct learn_granted *granted, struct reeve_error *err)
{
	int r = learn_profile("base", NULL, &granted->ruleset, err);

	return r < 0 ? r : reeve_domain_new(NULL, granted->ruleset, &granted->domain);
}

void learn_granted_release(struct learn_granted *granted)
{
	reeve_domain_free(granted->domain);
	reeve_ruleset_free(granted->ruleset);
	free(granted->directory);
}

static uint64_t missing_of(const struct learn_granted *granted, const char *path, uint64_t rights)
{
	struct reeve_decision decision = {0};

	reeve_decide_path(granted->domain, path, rights, &decision);
	return decision.allowed ? 0 : rights & decision.missing;
}

/* Whether a rule is on something in the first `length` bytes of `path`, a directory. */
static bool has_rules_inside(const struct learn_granted *granted, const char *path, size_t length)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(granted->ruleset, i, &rule) == 0; i++)
		if (rule.path && strncmp(rule.path, path, length) == 0 &&
			(rule.path[length] == '/' || !length))
			return true;
	return false;
}

/* Takes the directory as the one that was asked about last. */
static bool look_at(struct learn_granted *granted, const char *path, size_t length)
{
	free(granted->directory);
	granted->directory = strndup(path, length);
	granted->length = length;
	if (!granted->directory)
		return false;
	granted->alike = !has_rules_inside(granted, path, length);
	if (granted->alike)
		granted->missing = missing_of(granted, granted->directory, UINT32_MAX);
	return true;
}

uint64_t learn_without_granted(struct learn_granted *granted, const char *path, uint64_t rights)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	bool last = granted->directory && length == granted->length &&
		    memcmp(granted->directory, path, length) == 0;

	if (!rights)
		return 0;
	if (!last && !look_at(granted, path, length))
		return missing_of(granted, path, rights);
	return granted->alike ? rights & granted->missing : missing_of(granted, path, rights);
}
