/* SPDX-License-Identifier: MIT */
/*
 * Reads a policy file, from text to rules, and prints the milliseconds that took:
 *
 *	load_policy FILE
 *
 * Paths are not looked up: that would measure the file system.
 */
#include <stdio.h>
#include <time.h>
#include <reeve/policy.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct reeve_policy *policy = NULL;
	struct reeve_error err = {0};
	double before;
	int r;

	if (argc != 2 || reeve_policy_new(&policy) < 0) {
		fprintf(stderr, "usage: load_policy FILE\n");
		return 125;
	}
	before = now();
	r = reeve_policy_load_file(policy, argv[1], REEVE_POLICY_TOML, &err);
	if (r < 0)
		fprintf(stderr, "load_policy: %s\n", err.message);
	else
		printf("%.3f\n", now() - before);
	reeve_policy_free(policy);
	return r < 0 ? 125 : 0;
}
