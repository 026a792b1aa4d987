/* SPDX-License-Identifier: MIT */
/*
 * The rules that Landlock gets from a policy on this machine, as bench/launcher.c reads them.
 *
 *	dump_rules DIR POLICY|PROFILE [FEATURE-TO-DEGRADE]... > RULES
 *
 * DIR is where the launcher makes a private TMPDIR, if the policy wants one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <reeve/sandbox.h>

/* As reeve itself: a right that only directories can have is not for a file. */
static void print_rule(const struct reeve_rule *rule)
{
	uint64_t allowed = rule->allowed;
	struct stat st;

	if (rule->type == REEVE_RULE_NET_PORT) {
		for (unsigned int port = rule->port_first; port <= rule->port_last; port++)
			printf("port %" PRIx64 " %u\n", allowed, port);
		return;
	}
	if (stat(rule->path, &st) < 0)
		return;
	if (!S_ISDIR(st.st_mode))
		allowed &= REEVE_FS_FILE_RIGHTS;
	if (allowed)
		printf("path %" PRIx64 " %s\n", allowed, rule->path);
}

static void print_floor(const struct reeve_ruleset *floor)
{
	struct reeve_rights handled;
	struct reeve_rule rule;

	reeve_ruleset_handled(floor, &handled);
	printf("handled %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", handled.of[REEVE_FS],
		handled.of[REEVE_NET], handled.of[REEVE_SCOPE]);
	for (size_t i = 0; reeve_ruleset_at(floor, i, &rule) == 0; i++)
		print_rule(&rule);
}

static void print_tmpdir(
	const struct reeve_policy *policy, const struct reeve_ruleset *floor, const char *dir)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	struct reeve_rights handled;

	reeve_policy_settings(policy, &settings);
	reeve_ruleset_handled(floor, &handled);
	if (settings.private_tmpdir)
		printf("fresh %" PRIx64 " %s\n", handled.of[REEVE_FS], dir);
}

int main(int argc, char **argv)
{
	struct reeve_policy *policy = NULL;
	struct reeve_plan *plan = NULL;
	struct reeve_error err = {0};
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: dump_rules DIR POLICY|PROFILE [FEATURE]...\n");
		return 125;
	}
	r = reeve_policy_new(&policy);
	if (r == 0)
		r = reeve_policy_load(policy, argv[2], &err);
	for (int i = 3; i < argc && r == 0; i++)
		r = reeve_policy_degrade(policy, argv[i], &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, &err);
	if (r == 0)
		r = reeve_plan_new(policy, NULL, &plan, &err);
	if (r == 0) {
		print_floor(reeve_plan_floor(plan));
		print_tmpdir(policy, reeve_plan_floor(plan), argv[1]);
	} else {
		fprintf(stderr, "dump_rules: %s\n", err.message);
	}
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return r ? 125 : 0;
}
