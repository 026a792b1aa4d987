/* SPDX-License-Identifier: MIT */
/*
 * What a program pays to have `true` run under a policy: by starting the command, and through the
 * library, from reading the policy on. For each of ROUNDS a line, in ns: the command static, the
 * library static, the command supervised, the library supervised.
 *
 *	bench-spawn ROUNDS REEVE POLICY DEGRADE
 */
#include <reeve/reeve.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static char *const program[] = {(char *)"true", NULL};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void stop_at(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "bench-spawn: %s: %d\n", what, r);
	exit(1);
}

static long time_command(char *const argv[])
{
	long start = now();
	int status = -1;
	pid_t pid;

	stop_at(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), argv[0]);
	waitpid(pid, &status, 0);
	stop_at(status, "the command");
	return now() - start;
}

static struct reeve_policy *load(char *const argv[])
{
	struct reeve_policy *policy;

	stop_at(reeve_policy_new(&policy), "policy");
	stop_at(reeve_policy_load(policy, argv[3], NULL), argv[3]);
	stop_at(reeve_policy_degrade(policy, argv[4], NULL), argv[4]);
	stop_at(reeve_policy_resolve(policy, NULL, NULL), argv[3]);
	return policy;
}

static long time_spawn(char *const argv[])
{
	long start = now();
	struct reeve_policy *policy = load(argv);
	struct reeve_plan *plan;
	int status = -1;
	pid_t pid;

	stop_at(reeve_plan_new(policy, NULL, &plan, NULL), "plan");
	pid = reeve_plan_spawn(plan, program, NULL, NULL, NULL);
	stop_at(pid < 0 ? pid : 0, "spawn");
	waitpid(pid, &status, 0);
	stop_at(status, "true");
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return now() - start;
}

static long time_supervised(char *const argv[])
{
	long start = now();
	struct reeve_policy *policy = load(argv);
	struct reeve_supervisor *supervisor;
	struct reeve_plan *plan;
	int status = -1;

	stop_at(reeve_plan_new_supervised(policy, NULL, NULL, &plan, NULL), "plan");
	stop_at(reeve_supervisor_start(plan, program, NULL, &supervisor, NULL), "start");
	reeve_supervisor_wait(supervisor, 0, &status);
	reeve_supervisor_end(supervisor);
	stop_at(status, "true");
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return now() - start;
}

int main(int argc, char *argv[])
{
	int rounds = argc == 5 ? atoi(argv[1]) : 0;
	char *const in_place[] = {argv[2], (char *)"run", (char *)"--static", (char *)"-p", argv[3],
		(char *)"--degrade", argv[4], (char *)"--", (char *)"true", NULL};
	char *const supervised[] = {argv[2], (char *)"run", (char *)"-p", argv[3],
		(char *)"--degrade", argv[4], (char *)"--", (char *)"true", NULL};

	for (int i = 0; i < rounds; i++) {
		long command = time_command(in_place), library = time_spawn(argv);

		printf("%ld %ld %ld", command, library, time_command(supervised));
		printf(" %ld\n", time_supervised(argv));
	}
	return rounds == 0;
}
