/* SPDX-License-Identifier: MIT */
/*
 * Where the time of a start goes: each step of `reeve run` once, in a fresh child, again and again.
 *
 *	phases POLICY|PROFILE ROUNDS [FEATURE-TO-DEGRADE]...
 *
 * prints "STEP MICROSECONDS", one line a step and round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <reeve/check.h>

struct start {
	const char *policy_name;
	char **degrade;
	int degrade_count;
	struct reeve_policy *policy;
	struct reeve_kernel kernel;
	struct reeve_plan *plan;
	struct reeve_error err;
};

static int load(struct start *s)
{
	int r = reeve_policy_new(&s->policy);

	if (r == 0)
		r = reeve_policy_load(s->policy, s->policy_name, &s->err);
	for (int i = 0; i < s->degrade_count && r == 0; i++)
		r = reeve_policy_degrade(s->policy, s->degrade[i], &s->err);
	return r;
}

static int resolve(struct start *s)
{
	return reeve_policy_resolve(s->policy, NULL, &s->err);
}

static int probe(struct start *s)
{
	s->kernel.size = sizeof(s->kernel);
	return reeve_kernel_probe(&s->kernel);
}

static int plan(struct start *s)
{
	return reeve_plan_new(s->policy, &s->kernel, &s->plan, &s->err);
}

static int enforce(struct start *s)
{
	return reeve_plan_restrict(s->plan, 0, &s->err);
}

static const struct {
	const char *name;
	int (*run)(struct start *s);
} steps[] = {{"load", load}, {"resolve", resolve}, {"probe", probe}, {"plan", plan},
	{"enforce", enforce}};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void __attribute__((noreturn)) child(struct start *s)
{
	double took[STEPS];

	for (size_t i = 0; i < STEPS; i++) {
		double before = now();

		if (steps[i].run(s) < 0) {
			fprintf(stderr, "phases: %s: %s\n", steps[i].name, s->err.message);
			_exit(1);
		}
		took[i] = now() - before;
	}
	for (size_t i = 0; i < STEPS; i++)
		printf("%s %.1f\n", steps[i].name, took[i]);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct start s = {0};
	int rounds = argc > 2 ? atoi(argv[2]) : 0, status = 0;

	if (rounds < 1) {
		fprintf(stderr, "usage: phases POLICY|PROFILE ROUNDS [FEATURE]...\n");
		return 1;
	}
	s.policy_name = argv[1];
	s.degrade = argv + 3;
	s.degrade_count = argc - 3;
	for (int i = 0; i < rounds && status == 0; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(&s);
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			return 1;
	}
	return status != 0;
}
