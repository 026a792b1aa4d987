/* SPDX-License-Identifier: MIT */
/* `reeve watch`: the events of a running domain as they happen. */
#include <errno.h>
#include <stdlib.h>
#include "ask.h"
#include "control.h"
#include "verbs.h"

struct watch_options {
	bool json, answer;
};

static const struct cli_option options[] = {
	{"--answer", 0, NULL,
		"ask here, on this terminal, about what only the policy denies; the program waits",
		CLI_NOTHING, CLI_FLAG, offsetof(struct watch_options, answer)},
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct watch_options, json)},
	{0},
};

static void print_text(const char *line)
{
	json_t *message = json_loads(line, 0, NULL);
	const char *text = json_string_value(json_object_get(message, "text"));
	cli_autoescape char *flag = cli_control_text(message, "flag");

	cli_control_print(text ? text : "");
	printf("%s%s\n", *flag ? "\n    allow it: " : "", flag);
	json_decref(message);
}

/* Somebody waits for each line. False: nobody any more. */
static bool print_line(const char *line, bool json)
{
	if (json)
		puts(line);
	else
		print_text(line);
	return fflush(stdout) == 0;
}

static int stream(struct reeve_control *control, bool json)
{
	struct reeve_error err = {0};
	bool printed = true;
	int r;

	do {
		char *line = NULL;

		r = reeve_control_next(control, false, &line, &err);
		if (r > 0)
			printed = print_line(line, json);
		free(line);
	} while ((r > 0 && printed) || r == -EINTR);
	return r < 0 ? cli_control_failed(&err) : CLI_OK;
}

static int run_watch(void *data, const struct cli_operands *operands)
{
	const struct watch_options *watch = data;
	struct reeve_control *control;
	json_t *answer;
	int code;

	if (watch->answer && watch->json)
		return cli_fail("programs answer over the control socket: reeve-control(7)",
			"watch: --answer and --json exclude each other");
	if (watch->answer)
		return cli_watch_answer(operands);
	code = cli_control_open("watch", operands, &control);

	if (code)
		return code;
	code = cli_control_call(control,
		json_pack(
			"{s:s, s:s}", "request", "watch", "format", watch->json ? "json" : "text"),
		&answer);
	if (code == 0) {
		json_decref(answer);
		code = stream(control, watch->json);
	}
	reeve_control_close(control);
	return code;
}

const struct cli_verb cli_verb_watch = {
	.name = "watch",
	.synopsis = "[ID]",
	.summary = "Show what is denied in a running domain, as it happens; or decide it",
	.text = "Until the domain ends, or Ctrl-C. The domain never waits for who watches: events\n"
		"that are not read in time are lost, and counted. With --answer it does wait:\n"
		"what would be denied is asked here, one key an answer, capital letters for\n"
		"lasting ones.\n",
	.options = options,
	.size = sizeof(struct watch_options),
	.run = run_watch,
};
