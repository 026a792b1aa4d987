/* SPDX-License-Identifier: MIT */
/* `reeve run --ask`: on the terminal that the program uses too, with the domain stopped. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "ask.h"

struct cli_asking {
	struct reeve_supervisor *supervisor;
	struct cli_lines *lines;
	struct cli_terminal terminal;
	const char *save;
	pthread_t thread;
	bool started;
	atomic_bool paused;
	char elsewhere[96];
};

struct cli_asking *cli_asking_new(const char *save)
{
	struct cli_asking *asking = calloc(1, sizeof(*asking));

	if (!asking)
		return NULL;
	asking->save = save;
	if (cli_terminal_open(&asking->terminal) == 0)
		asking->lines = cli_lines_new();
	if (asking->lines)
		return asking;
	cli_asking_free(asking);
	return NULL;
}

struct reeve_approver cli_asking_approver(struct cli_asking *asking)
{
	return cli_lines_approver(asking->lines, asking->save);
}

static json_t *next(void *data, bool *ret_end)
{
	struct cli_asking *asking = data;
	cli_autofree char *line = cli_lines_take(asking->lines, ret_end);

	return line ? json_loads(line, 0, NULL) : NULL;
}

static int answer(void *data, json_t *object, struct reeve_error *err)
{
	struct cli_asking *asking = data;
	cli_autofree char *json = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (!json)
		return -ENOMEM;
	return reeve_supervisor_answer_json(
		asking->supervisor, json, "the terminal", asking->save, err);
}

/* Nobody in the domain reads from the terminal, or prints to it, while we do. */
static bool begin(void *data)
{
	struct cli_asking *asking = data;

	atomic_store(&asking->paused, true);
	if (reeve_supervisor_stop(asking->supervisor) >= 0)
		return true;
	atomic_store(&asking->paused, false);
	return false;
}

static void end(void *data)
{
	struct cli_asking *asking = data;

	reeve_supervisor_continue(asking->supervisor);
	atomic_store(&asking->paused, false);
}

static void *ask(void *data)
{
	struct cli_asking *asking = data;
	const struct cli_ask_source source = {.data = asking,
		.fd = cli_lines_fd(asking->lines),
		.next = next,
		.answer = answer,
		.begin = begin,
		.end = end,
		.elsewhere = asking->elsewhere};

	if (cli_ask_loop(&source, &asking->terminal) == 1)
		reeve_supervisor_ask_end(asking->supervisor, 1);
	return NULL;
}

bool cli_asking_start(struct cli_asking *asking, struct reeve_supervisor *supervisor)
{
	sigset_t all, saved;

	asking->supervisor = supervisor;
	snprintf(asking->elsewhere, sizeof(asking->elsewhere),
		"; in another:\r\n  reeve watch %" PRIx64 " --answer",
		reeve_supervisor_domain(supervisor));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	asking->started = pthread_create(&asking->thread, NULL, ask, asking) == 0;
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (!asking->started)
		reeve_supervisor_ask_end(supervisor, 1);
	return asking->started;
}

const atomic_bool *cli_asking_paused(const struct cli_asking *asking)
{
	return &asking->paused;
}

void cli_asking_free(struct cli_asking *asking)
{
	if (!asking)
		return;
	if (asking->started) {
		cli_lines_end(asking->lines);
		pthread_join(asking->thread, NULL);
		reeve_supervisor_ask_end(asking->supervisor, 1);
	}
	cli_terminal_close(&asking->terminal);
	cli_lines_free(asking->lines);
	free(asking);
}
