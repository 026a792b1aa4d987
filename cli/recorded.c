/* SPDX-License-Identifier: MIT */
/* A run with a record of all accesses, and what is made of it: `reeve learn`, `reeve deps`. */
#include "recorded.h"
#include "supervised.h"

int cli_recorded_run(struct run *run, struct reeve_record *record)
{
	struct reeve_supervised_plan_options wanted = {.size = sizeof(wanted), .record = true};
	struct cli_supervised supervised = {.exec = &run->start.exec,
		.command = run->command,
		.write_policy.fd = -1,
		.record = record,
		.quiet = run->options->quiet,
		.verbose = run->options->verbose};
	struct reeve_error err = {0};

	if (reeve_plan_new_supervised(run->policy, NULL, &wanted, &supervised.plan, &err) < 0)
		return cli_refuse(&err);
	supervised.ruleset =
		reeve_ruleset_ref((struct reeve_ruleset *)reeve_policy_ruleset(run->policy));
	return cli_run_supervised(&supervised);
}

int cli_recorded(struct run *run, const struct cli_recorded *steps, void *data)
{
	struct reeve_record *record = NULL;
	int r = cli_run_make_start(run), code = CLI_ERROR;

	if (r == 0 && reeve_record_new(&record) < 0)
		r = cli_fail(NULL, "out of memory");
	if (r == 0)
		code = steps->run(data, run, record);
	if (r == 0 && code != CLI_ERROR)
		r = steps->write(data, run, record);
	reeve_record_free(record);
	return r ? r : code;
}
