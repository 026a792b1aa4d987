/* SPDX-License-Identifier: MIT */
/* Questions from the supervisor's thread to the one that asks. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "ask.h"

struct line {
	struct line *next;
	char *text;
};

struct cli_lines {
	pthread_mutex_t lock;
	struct line *first, **last;
	const char *save;
	bool ended;
	int fd;
};

struct cli_lines *cli_lines_new(void)
{
	struct cli_lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	pthread_mutex_init(&lines->lock, NULL);
	lines->last = &lines->first;
	lines->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lines->fd >= 0)
		return lines;
	free(lines);
	return NULL;
}

void cli_lines_free(struct cli_lines *lines)
{
	bool ended;
	char *text;

	if (!lines)
		return;
	while ((text = cli_lines_take(lines, &ended)))
		free(text);
	pthread_mutex_destroy(&lines->lock);
	close(lines->fd);
	free(lines);
}

int cli_lines_fd(const struct cli_lines *lines)
{
	return lines->fd;
}

static void wake(struct cli_lines *lines)
{
	uint64_t one = 1;

	if (write(lines->fd, &one, sizeof(one)) < 0)
		return; /* it is awake */
}

char *cli_lines_take(struct cli_lines *lines, bool *ret_end)
{
	struct line *line;
	char *text = NULL;
	uint64_t ignored;

	pthread_mutex_lock(&lines->lock);
	line = lines->first;
	if (line) {
		lines->first = line->next;
		if (!line->next)
			lines->last = &lines->first;
		text = line->text;
		free(line);
	} else if (read(lines->fd, &ignored, sizeof(ignored)) < 0) {
		/* Nobody woke us meanwhile. */
	}
	*ret_end = lines->ended;
	pthread_mutex_unlock(&lines->lock);
	return text;
}

void cli_lines_end(struct cli_lines *lines)
{
	pthread_mutex_lock(&lines->lock);
	lines->ended = true;
	pthread_mutex_unlock(&lines->lock);
	wake(lines);
}

/* Takes the text; NULL, or no memory for its place: nobody is asked about it here. */
static void put(struct cli_lines *lines, char *text)
{
	struct line *line = text ? calloc(1, sizeof(*line)) : NULL;

	if (!line) {
		free(text);
		return;
	}
	line->text = text;
	pthread_mutex_lock(&lines->lock);
	*lines->last = line;
	lines->last = &line->next;
	pthread_mutex_unlock(&lines->lock);
	wake(lines);
}

static void on_asked(void *data, const struct reeve_question *question)
{
	struct cli_lines *lines = data;
	char *text = NULL;

	if (reeve_question_to_json(question, lines->save, &text) == 0)
		put(lines, text);
}

static void on_gone(void *data, uint64_t id)
{
	json_t *gone = json_pack("{s:i, s:I}", "version", CLI_JSON_VERSION, "gone", (json_int_t)id);

	put(data, json_dumps(gone, JSON_COMPACT));
	json_decref(gone);
}

struct reeve_approver cli_lines_approver(struct cli_lines *lines, const char *save)
{
	lines->save = save;
	return (struct reeve_approver){.size = sizeof(struct reeve_approver),
		.asked = on_asked,
		.gone = on_gone,
		.data = lines};
}
