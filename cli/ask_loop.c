/* SPDX-License-Identifier: MIT */
/* Asking on a terminal, question by question. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "ask.h"

#define BUSY_MS 500 /* between two looks whether the terminal is free */

struct loop {
	const struct cli_ask_source *source;
	struct cli_terminal *terminal;
	json_t *questions; /* an array, oldest first */
	struct cli_ask_modes modes;
	json_int_t last_pid; /* who asked last */
	bool ended, enough, begun, told;
};

/* ----------------------------------------------------------------------------- the queue */

static json_int_t id_of(const json_t *question)
{
	return json_integer_value(json_object_get(question, "question"));
}

static void forget(struct loop *loop, json_int_t id)
{
	json_t *question;
	size_t i;

	json_array_foreach(loop->questions, i, question)
	{
		if (id_of(question) != id)
			continue;
		json_array_remove(loop->questions, i);
		return;
	}
}

static bool is_waiting(const struct loop *loop, json_int_t id)
{
	json_t *question;
	size_t i;

	json_array_foreach(loop->questions, i, question) if (id_of(question) == id) return true;
	return false;
}

static void take_news(struct loop *loop)
{
	json_t *news;

	while (!loop->ended && (news = loop->source->next(loop->source->data, &loop->ended))) {
		if (json_object_get(news, "gone"))
			forget(loop, json_integer_value(json_object_get(news, "gone")));
		else if (id_of(news) > 0)
			json_array_append(loop->questions, news);
		json_decref(news);
	}
}

/* The oldest of another program than the last one: none can keep others from being asked about. */
static json_t *choose(const struct loop *loop)
{
	json_t *question;
	size_t i;

	json_array_foreach(loop->questions, i,
		question) if (json_integer_value(json_object_get(question, "pid")) !=
			      loop->last_pid) return question;
	return json_array_get(loop->questions, 0);
}

/* ------------------------------------------------------------------------- one question */

static void show(const struct loop *loop, const json_t *question)
{
	cli_ask_show(loop->terminal, question, &loop->modes);
	cli_ask_prompt(loop->terminal, json_array_size(loop->questions) - 1);
}

static void say(const struct loop *loop, const char *words)
{
	dprintf(loop->terminal->fd, "%s\n", words);
}

/* What the library says is escaped. */
static void say_error(const struct loop *loop, const struct reeve_error *err)
{
	dprintf(loop->terminal->fd, "reeve: %s\n", err->message);
	if (err->hint[0])
		dprintf(loop->terminal->fd, "hint: %s\n", err->hint);
}

/* True: it is answered, or there is nothing to answer any more. */
static bool answer(struct loop *loop, const json_t *question, int key)
{
	const char *words;
	json_t *object = cli_ask_answer(question, key, &loop->modes, &words);
	struct reeve_error err = {0};
	int r;

	if (!object) {
		dprintf(loop->terminal->fd, "\a");
		return false;
	}
	r = loop->source->answer(loop->source->data, object, &err);
	if (r == 0)
		say(loop, words);
	else
		say_error(loop, &err);
	if (r == 0 || r == -ENOENT || r == -EPIPE) {
		forget(loop, id_of(question));
		return true;
	}
	show(loop, question);
	return false;
}

/* True: the question is settled. */
static bool press(struct loop *loop, const json_t *question, int key)
{
	bool can_save = json_is_string(json_object_get(question, "policyFile"));

	if (key == 'q') {
		loop->enough = true;
		say(loop, "no more questions here");
		return true;
	}
	if (key == 'm' || (key == 's' && can_save)) {
		bool *mode = key == 'm' ? &loop->modes.for_a_while : &loop->modes.save;

		/* What is saved holds for ever. */
		*mode = !*mode;
		*(key == 'm' ? &loop->modes.save : &loop->modes.for_a_while) = false;
		show(loop, question);
		return false;
	}
	return answer(loop, question, key);
}

static bool wait_for_either(const struct loop *loop)
{
	struct pollfd fds[] = {{.fd = loop->terminal->fd, .events = POLLIN},
		{.fd = loop->source->fd, .events = POLLIN}};

	/* The window's size has no descriptor. */
	poll(fds, 2, 250);
	return fds[1].revents != 0;
}

static void ask(struct loop *loop, json_t *question)
{
	json_int_t id = id_of(question);
	unsigned short width = cli_terminal_width(loop->terminal);
	size_t known = json_array_size(loop->questions);

	json_incref(question);
	/* A key for the last question is none for this one. */
	if (loop->last_pid)
		cli_terminal_flush(loop->terminal);
	loop->last_pid = json_integer_value(json_object_get(question, "pid"));
	show(loop, question);
	for (int key = 0; key >= 0;) {
		if (wait_for_either(loop))
			take_news(loop);
		if (is_waiting(loop, id) && json_array_size(loop->questions) != known) {
			known = json_array_size(loop->questions);
			cli_ask_prompt(loop->terminal, known - 1);
		}
		if (loop->ended || !is_waiting(loop, id)) {
			say(loop,
				loop->ended ? "the domain ended" : "nobody waits for it any more");
			break;
		}
		if (width != cli_terminal_width(loop->terminal)) {
			width = cli_terminal_width(loop->terminal);
			show(loop, question);
		}
		key = cli_terminal_key(loop->terminal);
		if (key < 0)
			loop->enough = true; /* nobody is there any more */
		if (key > 0 && press(loop, question, key))
			break;
	}
	json_decref(question);
}

/* ---------------------------------------------------------------------------- the loop */

static void end(struct loop *loop)
{
	cli_terminal_release(loop->terminal);
	if (loop->begun && loop->source->end)
		loop->source->end(loop->source->data);
	loop->begun = false;
	loop->last_pid = 0;
}

/* Where the terminal is not free, says once how to answer elsewhere. */
static bool begin(struct loop *loop)
{
	if (loop->begun)
		return true;
	if (cli_terminal_is_free(loop->terminal) &&
		(!loop->source->begin || loop->source->begin(loop->source->data))) {
		loop->begun = true;
		loop->told = false;
		if (cli_terminal_take(loop->terminal))
			return true;
		end(loop);
	}
	if (!loop->told)
		dprintf(loop->terminal->fd,
			"\r\nreeve: %zu request%s for an answer. This terminal is in use%s\r\n",
			json_array_size(loop->questions),
			json_array_size(loop->questions) == 1 ? " waits" : "s wait",
			loop->source->elsewhere);
	loop->told = true;
	return false;
}

static void wait_for_news(const struct loop *loop, int ms)
{
	struct pollfd fd = {.fd = loop->source->fd, .events = POLLIN};

	poll(&fd, 1, ms);
}

int cli_ask_loop(const struct cli_ask_source *source, struct cli_terminal *terminal)
{
	struct loop loop = {.source = source, .terminal = terminal, .questions = json_array()};

	while (loop.questions && !loop.ended && !loop.enough) {
		take_news(&loop);
		if (loop.ended)
			break;
		if (json_array_size(loop.questions) == 0) {
			end(&loop);
			loop.told = false;
			wait_for_news(&loop, -1);
		} else if (begin(&loop)) {
			ask(&loop, choose(&loop));
		} else {
			wait_for_news(&loop, 0);
			poll(NULL, 0, BUSY_MS);
		}
	}
	end(&loop);
	json_decref(loop.questions);
	return loop.enough;
}
