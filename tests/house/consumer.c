/* SPDX-License-Identifier: MIT */
/* A stranger's program, in what C11 and C++17 have in common: see install.sh. */
#include <stdio.h>
#include <string.h>
#include <reeve/reeve.h>

static int ruleset_works(void)
{
	struct reeve_rights handled;
	struct reeve_ruleset *ruleset = NULL;
	struct reeve_rule rule;
	struct reeve_error err;
	int r;

	memset(&handled, 0, sizeof(handled));
	memset(&rule, 0, sizeof(rule));
	handled.of[REEVE_FS] = REEVE_FS_READ_FILE;
	if (reeve_ruleset_new(&handled, &ruleset) < 0)
		return 0;
	rule.type = REEVE_RULE_PATH_BENEATH;
	rule.path = "/usr";
	rule.allowed = REEVE_FS_READ_FILE;
	r = reeve_ruleset_add(ruleset, &rule, &err);
	r = r == 0 && reeve_ruleset_count(ruleset) == 1;
	reeve_ruleset_free(ruleset);
	return r;
}

static int error_is_filled(void)
{
	struct reeve_policy *policy = NULL;
	struct reeve_error err;
	int r;

	memset(&err, 0, sizeof(err));
	if (reeve_policy_new(&policy) < 0)
		return 0;
	r = reeve_policy_load_profile(policy, "no-such-profile", &err);
	reeve_policy_free(policy);
	return r < 0 && err.code == r && err.message[0];
}

int main(void)
{
	if (!ruleset_works() || !error_is_filled())
		return 1;
	printf("reeve %s\n", reeve_version());
	return 0;
}
