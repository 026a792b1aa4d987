/* SPDX-License-Identifier: MIT */
/* `reeve watch --answer`: questions of a domain, answered on another terminal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ask.h"
#include "control.h"
#include "verbs.h"

struct watching {
	struct reeve_control *questions; /* a stream */
	struct reeve_control *answers;
};

static json_t *next(void *data, bool *ret_end)
{
	struct watching *watching = data;
	struct reeve_error err = {0};
	cli_autofree char *line = NULL;
	int r = reeve_control_next(watching->questions, true, &line, &err);

	*ret_end = r == 0 || (r < 0 && r != -EAGAIN && r != -EINTR);
	return r > 0 ? json_loads(line, 0, NULL) : NULL;
}

static int answer(void *data, json_t *object, struct reeve_error *err)
{
	struct watching *watching = data;
	cli_autofree char *text = NULL, *ignored = NULL;

	json_object_set_new(object, "request", json_string("answer"));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text ? reeve_control_call(watching->answers, text, &ignored, err) : -ENOMEM;
}

/* Two connections to the same domain: one tells, the other is told. */
static int connect_twice(const struct cli_operands *operands, struct watching *watching)
{
	struct reeve_error err = {0};
	char id[20];
	int code = cli_control_open("watch", operands, &watching->questions);

	if (code)
		return code;
	snprintf(id, sizeof(id), "%llx",
		(unsigned long long)reeve_control_domain(watching->questions));
	return reeve_control_open(id, &watching->answers, &err) < 0 ? cli_control_failed(&err) : 0;
}

static int ask_here(struct watching *watching, struct cli_terminal *terminal)
{
	const struct cli_ask_source source = {.data = watching,
		.fd = reeve_control_fd(watching->questions),
		.next = next,
		.answer = answer,
		.elsewhere = ": this cannot be answered here"};
	json_t *greeting = NULL;
	int code = cli_control_call(
		watching->questions, json_pack("{s:s}", "request", "ask"), &greeting);

	json_decref(greeting);
	if (code)
		return code;
	printf("Questions of %llx are asked here, until it ends; q at a question, or Ctrl-C "
	       "between "
	       "them, leaves.\n",
		(unsigned long long)reeve_control_domain(watching->questions));
	fflush(stdout);
	cli_ask_loop(&source, terminal);
	return CLI_OK;
}

int cli_watch_answer(const struct cli_operands *operands)
{
	struct watching watching = {0};
	struct cli_terminal terminal;
	int r = cli_terminal_open(&terminal), code;

	if (r < 0)
		return cli_fail(NULL, "watch --answer: there is no terminal: %s", strerror(-r));
	code = connect_twice(operands, &watching);
	if (code == 0)
		code = ask_here(&watching, &terminal);
	cli_terminal_close(&terminal);
	reeve_control_close(watching.questions);
	reeve_control_close(watching.answers);
	return code;
}
