/* SPDX-License-Identifier: MIT */
/*
 * Asks the domain model, which needs no kernel: may a program under this policy use a right on a
 * path, and if so, by which rule?
 *
 *	explain POLICY RIGHT PATH		explain policy.toml write_file /etc/passwd
 *
 * Exits with 0 for allowed, 1 for denied, 125 for an error.
 */
#include <stdio.h>
#include <reeve/reeve.h>

struct question {
	const struct reeve_right_info *right;
	const char *path;
};

/* Called for each rule on the path or above it, deepest first. */
static int show_rule(void *data, const struct reeve_rule *rule)
{
	const struct question *question = data;

	if (!(rule->allowed & question->right->bit))
		return 0;
	printf("granted on %s by %s\n", rule->path, rule->origin ? rule->origin : "a rule");
	return 1;
}

static int answer(struct reeve_ruleset *ruleset, struct question *question)
{
	struct reeve_decision decision;
	struct reeve_domain *domain;
	struct reeve_rights handled;

	if (reeve_domain_new(NULL, ruleset, &domain) < 0)
		return 125;
	reeve_decide_path(domain, question->path, question->right->bit, &decision);
	reeve_ruleset_handled(ruleset, &handled);
	printf("%s on %s: %s\n", question->right->full_name, question->path,
		decision.allowed ? "allowed" : "denied");
	if (!(handled.of[REEVE_FS] & question->right->bit))
		printf("the policy does not handle it\n");
	else if (decision.allowed)
		reeve_ruleset_match_path(ruleset, question->path, show_rule, question);
	reeve_domain_free(domain);
	return decision.allowed ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct reeve_policy *policy = NULL;
	struct reeve_error err = {.message = "out of memory"};
	struct question question;
	int r;

	if (argc != 4) {
		fprintf(stderr, "usage: explain POLICY RIGHT PATH\n");
		return 125;
	}
	question.right = reeve_right_find(REEVE_FS, argv[2]);
	question.path = argv[3];
	if (!question.right) {
		fprintf(stderr, "%s: no such right of files\n", argv[2]);
		return 125;
	}
	r = reeve_policy_new(&policy);
	if (r == 0)
		r = reeve_policy_load(policy, argv[1], &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, &err);
	if (r < 0)
		fprintf(stderr, "explain: %s\n", err.message);
	/* A domain takes a reference of its own; the policy's ruleset is only borrowed. */
	r = r < 0 ? 125 : answer((struct reeve_ruleset *)reeve_policy_ruleset(policy), &question);
	reeve_policy_free(policy);
	return r;
}
