/* SPDX-License-Identifier: MIT */
/*
 * One commit of many live rules:
 *
 *	commit RULES
 *
 * prints milliseconds. The judge alone: over the control socket, reading them takes longer.
 */
#include <stdio.h>
#include <time.h>
#include <stdlib.h>
#include "supervise/judge.h"

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct rv_judge *new_judge(void)
{
	struct reeve_rights handled = {.of = {[REEVE_FS] = REEVE_FS_READ_FILE}};
	struct reeve_ruleset *floor, *live;
	struct rv_judge *judge;

	if (reeve_ruleset_new(&handled, &floor) || reeve_ruleset_new(&handled, &live) ||
		rv_judge_new(floor, live, &judge))
		return NULL;
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
	return judge;
}

int main(int argc, char **argv)
{
	struct reeve_live_options options = {.size = sizeof(options), .by = "uid 1000"};
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .allowed = REEVE_FS_READ_FILE};
	long rules = argc == 2 ? atol(argv[1]) : 0;
	struct rv_judge *judge = new_judge();
	char path[64];
	double before;

	rule.path = path;
	if (!judge || rules < 1)
		return 1;
	for (long i = 0; i < rules; i++) {
		snprintf(path, sizeof(path), "/home/user/project/src/file-%ld.c", i);
		if (rv_judge_stage_add(judge, &rule, &options, NULL))
			return 1;
	}
	before = now_ms();
	if (rv_judge_commit(judge, NULL))
		return 1;
	printf("%.3f\n", now_ms() - before);
	rv_judge_free(judge);
	return 0;
}
