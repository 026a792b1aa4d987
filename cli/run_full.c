/* SPDX-License-Identifier: MIT */
/* What `reeve run` does that is not a plain static run: supervise, or say what would be done. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"
#include "supervised.h"

int cli_refuse(const struct reeve_error *err)
{
	cli_print_error(err);
	return CLI_ERROR;
}

static struct reeve_supervised_plan_options plan_options(const struct run_options *options)
{
	return (struct reeve_supervised_plan_options){
		.size = sizeof(struct reeve_supervised_plan_options),
		.no_events = options->events && strcmp(options->events, "none") == 0,
		.permissive = options->permissive};
}

/* The last -p that is a file, which answers can be saved to; allocated, or NULL. */
static char *last_policy_file(const struct cli_rules *rules)
{
	for (size_t i = rules->policies.count; i-- > 0;) {
		const char *policy = rules->policies.items[i];
		size_t length = strlen(policy);

		if (strchr(policy, '/') ||
			(length > 5 && (strcmp(policy + length - 5, ".toml") == 0 ||
					       strcmp(policy + length - 5, ".json") == 0)))
			return realpath(policy, NULL);
	}
	return NULL;
}

static int check_asking(const struct run_options *options)
{
	if (!options->permissive || (!options->ask && !options->approver))
		return 0;
	return cli_fail(NULL, "run: --permissive denies nothing, so there is nothing for %s to ask",
		options->ask ? "--ask" : "--approver");
}

/* The policy is freed before the start where nothing but its ruleset is needed any more. */
static int supervise(struct run *run)
{
	const struct run_options *options = run->options;
	struct reeve_supervised_plan_options wanted = plan_options(options);
	struct cli_supervised supervised = {.exec = &run->start.exec,
		.command = run->command,
		.events = options->events,
		.name = options->name,
		.status_fd = options->status_fd,
		.write_policy = {.policy = run->policy,
			.rules = &options->rules,
			.degrade = &options->degrade,
			.command = run->command,
			.name = options->write_policy,
			.fd = -1},
		.ask = options->ask,
		.approver = options->approver,
		.permissive = options->permissive,
		.reload = {.build = {.rules = &options->rules,
				   .degrade = &options->degrade,
				   .chdir = run->chdir,
				   .quiet = options->quiet,
				   .verbose = options->verbose},
			.watch = options->reload},
		.fail_on_deny = options->fail_on_deny,
		.no_shim = options->no_shim,
		.quiet = options->quiet,
		.verbose = options->verbose};
	cli_autofree char *policy_file = last_policy_file(&options->rules);
	struct reeve_error err = {0};
	int code;

	supervised.policy_file = policy_file;
	if (options->reload && cli_reload_check(&options->rules, run->policy, &err) < 0)
		return cli_refuse(&err);
	if (reeve_plan_new_supervised(run->policy, NULL, &wanted, &supervised.plan, &err) < 0)
		return cli_refuse(&err);
	if (!cli_reload_keep(&supervised.reload, run->policy)) {
		cli_reload_release(&supervised.reload);
		reeve_plan_free(supervised.plan);
		return cli_fail(NULL, "out of memory");
	}
	supervised.ruleset =
		reeve_ruleset_ref((struct reeve_ruleset *)reeve_policy_ruleset(run->policy));
	if (!options->write_policy) {
		reeve_policy_free(run->policy);
		supervised.write_policy.policy = NULL;
		run->policy = NULL;
	}
	code = cli_run_supervised(&supervised);
	cli_reload_release(&supervised.reload);
	return code;
}

static int show(const struct run *run)
{
	const struct reeve_supervised_plan_options plan = plan_options(run->options);

	return cli_run_dry(run->policy, run->options->is_static ? NULL : &plan, run->command,
		run->options->verbose);
}

/* Threads of a supervisor allocate little; an arena for each costs pages and system calls. */
static void limit_arenas(void)
{
	mallopt(M_ARENA_MAX, 1);
}

int cli_run_full(const struct run_options *options, const struct cli_operands *operands)
{
	struct run run = {0};
	int r;

	limit_arenas();
	r = check_asking(options);
	if (r == 0)
		r = cli_run_prepare(&run, options, operands);
	if (r == 0)
		r = options->dry_run ? show(&run) : cli_run_make_start(&run);
	if (r == 0 && !options->dry_run)
		r = supervise(&run);
	cli_run_release(&run);
	return r;
}
