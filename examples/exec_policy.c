/* SPDX-License-Identifier: MIT */
/*
 * Becomes a program under a policy file or profile, as `reeve run --static` does.
 *
 *	exec_policy POLICY PROGRAM [ARGUMENT]...
 *
 * Exits as the program does; 125, 126 or 127 where it could not be started.
 */
#include <stdio.h>
#include <reeve/reeve.h>

static int fail(const struct reeve_error *err)
{
	fprintf(stderr, "exec_policy: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
	return reeve_exec_exit_code(err);
}

int main(int argc, char **argv)
{
	struct reeve_exec_options options = {.size = sizeof(options)};
	struct reeve_policy *policy = NULL;
	struct reeve_plan *plan = NULL;
	struct reeve_error err = {.message = "out of memory"};
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: exec_policy POLICY PROGRAM [ARGUMENT]...\n");
		return 125;
	}
	r = reeve_policy_new(&policy);
	if (r == 0)
		r = reeve_policy_load(policy, argv[1], &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, &err);
	if (r == 0)
		r = reeve_plan_new(policy, NULL, &plan, &err);
	if (r == 0)
		r = reeve_plan_exec(plan, argv + 2, &options, &err);

	/* Only failures come here: memory is freed for the sake of the example. */
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return fail(&err);
}
