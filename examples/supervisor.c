/* SPDX-License-Identifier: MIT */
/* A supervisor in 15 lines: runs a program under the profile `workspace`, and says what it denies.
 */
#include <reeve/reeve.h>
#include <stdio.h>
#include <stdlib.h>

static void show(void *data, const struct reeve_event *event)
{
	char *line;

	if (event->kind == REEVE_EVENT_DENIED && reeve_event_to_text(event, &line) == 0) {
		fprintf(data, "%s\n", line);
		free(line);
	}
}

/* The 15 lines. */
static int run(char *argv[], struct reeve_error *err)
{
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .event = show, .event_data = stderr};
	struct reeve_supervisor *supervisor;
	struct reeve_policy *policy;
	struct reeve_plan *plan;
	int r, status = 0;

	if ((r = reeve_policy_new(&policy)) || (r = reeve_policy_load(policy, argv[0], err)) ||
		(r = reeve_policy_resolve(policy, NULL, err)) ||
		(r = reeve_plan_new_supervised(policy, NULL, NULL, &plan, err)) ||
		(r = reeve_supervisor_start(plan, argv + 1, &options, &supervisor, err)))
		return r;
	r = reeve_supervisor_wait(supervisor, 0, &status);
	reeve_supervisor_end(supervisor);
	return r < 0 ? r : status;
}

int main(int argc, char *argv[])
{
	struct reeve_error err = {.message = "out of memory"};
	int status = argc > 2 ? run(argv + 1, &err) : -1;

	if (argc < 3)
		fprintf(stderr, "usage: supervisor POLICY PROGRAM [ARGUMENT]...\n");
	else if (status < 0)
		fprintf(stderr, "supervisor: %s\n", err.message);
	return status < 0 ? reeve_exec_exit_code(&err) : status >> 8;
}
