/* SPDX-License-Identifier: MIT */
/* `reeve observe pin` and `unpin`: who may see every Landlock domain on the host. */
#include <errno.h>
#include <reeve/host.h>
#include "control.h"
#include "verbs.h"

struct pin_options {
	bool root_only;
};

static const struct cli_option pin_options[] = {
	{"--root-only", 0, NULL, "for root alone: faster for root, and nothing for others",
		CLI_NOTHING, CLI_FLAG, offsetof(struct pin_options, root_only)},
	{0},
};

static int run_pin(void *data, const struct cli_operands *operands)
{
	const struct pin_options *pin = data;
	struct reeve_error err = {0};

	if (operands->count > 0)
		return cli_fail(NULL, "observe pin: takes no operands");
	if (reeve_host_pin(pin->root_only ? 0400 : 0444, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	puts(REEVE_HOST_PIN);
	return CLI_OK;
}

static int run_unpin(void *data, const struct cli_operands *operands)
{
	struct reeve_error err = {0};

	(void)data;
	if (operands->count > 0)
		return cli_fail(NULL, "observe unpin: takes no operands");
	return reeve_host_unpin(&err) < 0 ? cli_control_failed(&err) : CLI_OK;
}

const struct cli_verb cli_verb_observe_pin = {
	.name = "observe pin",
	.synopsis = "",
	.summary = "Let everybody list all Landlock domains of this host",
	.text = "Loads the BPF iterator of `reeve ps --all` once, and pins it as\n" REEVE_HOST_PIN
		". Until `reeve observe unpin` or the next boot,\n"
		"`reeve ps --all` needs no privilege, and no time for loading. Users then see\n"
		"which processes of others are in a Landlock domain, and what program made it.\n"
		"Needs root.\n",
	.options = pin_options,
	.size = sizeof(struct pin_options),
	.run = run_pin,
};

const struct cli_verb cli_verb_observe_unpin = {
	.name = "observe unpin",
	.synopsis = "",
	.summary = "Take that back",
	.text = "Exit code: 0; 1 nothing was pinned; 125 it could not be removed.\n",
	.options = cli_no_options,
	.run = run_unpin,
};
