/* SPDX-License-Identifier: MIT */
/* Who `reeve run` asks: the person at its terminal, a command, or both. */
#include <stdlib.h>
#include <string.h>
#include "ask.h"
#include "supervised.h"

/* Without a terminal nobody is asked there: denied at once, as without --ask. */
static void warn_no_terminal(const struct cli_supervised *run)
{
	if (!run->quiet)
		fputs("reeve: warning: --ask: there is no terminal, so nobody is asked on it\n"
		      "hint: answer by --approver, or from elsewhere: `reeve watch --answer`\n",
			stderr);
}

int cli_askers_new(const struct cli_supervised *run, struct cli_askers *askers)
{
	*askers = (struct cli_askers){.policy_file = run->policy_file};
	if (run->ask)
		askers->asking = cli_asking_new(run->policy_file);
	if (run->ask && !askers->asking)
		warn_no_terminal(run);
	if (run->approver)
		askers->approver = cli_approver_new(run->approver, run->policy_file);
	return run->approver && !askers->approver ? CLI_ERROR : 0;
}

/* The first is there from the first request on; the second joins. */
void cli_askers_options(struct cli_askers *askers, struct reeve_supervisor_options *options)
{
	if (askers->asking)
		askers->first = cli_asking_approver(askers->asking);
	else if (askers->approver)
		askers->first = cli_approver_approver(askers->approver);
	if (askers->first.size)
		options->approver = &askers->first;
}

const atomic_bool *cli_askers_paused(const struct cli_askers *askers)
{
	return askers->asking ? cli_asking_paused(askers->asking) : NULL;
}

static void start_approver(struct cli_askers *askers, struct reeve_supervisor *supervisor)
{
	struct reeve_approver second;
	struct reeve_error err = {0};
	int id = 1;

	if (askers->asking) {
		second = cli_approver_approver(askers->approver);
		id = reeve_supervisor_ask(supervisor, &second, &err);
	}
	if (id < 0)
		cli_print_error(&err);
	else if (!cli_approver_start(askers->approver, supervisor, id))
		cli_fail(NULL, "--approver: cannot start a thread: it is not asked");
}

void cli_askers_start(struct cli_askers *askers, struct reeve_supervisor *supervisor)
{
	if (askers->asking && !cli_asking_start(askers->asking, supervisor))
		cli_fail(NULL, "--ask: cannot start a thread: nobody is asked here");
	if (askers->approver)
		start_approver(askers, supervisor);
}

void cli_askers_free(struct cli_askers *askers)
{
	cli_asking_free(askers->asking);
	cli_approver_free(askers->approver);
	*askers = (struct cli_askers){0};
}
