/* SPDX-License-Identifier: MIT */
/* What `reeve top` knows: one sample after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "top.h"

int64_t cli_top_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void release_rows(struct cli_top_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cli_escape_free(rows[i].name);
		cli_escape_free(rows[i].command);
	}
	free(rows);
}

void cli_top_release(struct cli_top *top)
{
	release_rows(top->rows, top->count);
	top->rows = NULL;
	top->count = 0;
}

static struct cli_top_row *row_of(struct cli_top_row *rows, size_t count, uint64_t domain)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].domain == domain)
			return &rows[i];
	return NULL;
}

struct cli_top_row *cli_top_selected(const struct cli_top *top)
{
	return top->selected ? row_of(top->rows, top->count, top->selected) : NULL;
}

/* ---------------------------------------------------------------------------- sampling */

static char *command_of(const char *text)
{
	json_t *argv = json_loads(text, 0, NULL);
	char *command = cli_control_command(argv);

	json_decref(argv);
	return command;
}

static int add_row(void *data, const struct reeve_control_entry *entry)
{
	struct cli_top *next = data;
	struct cli_top_row *rows = reallocarray(next->rows, next->count + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	next->rows = rows;
	rows[next->count++] = (struct cli_top_row){.domain = entry->domain,
		.since = entry->since,
		.denied = entry->denied,
		.live = entry->live_rules,
		.questions = entry->questions,
		.pid = entry->pid,
		.stopped = entry->stopped,
		.has_numbers = entry->has_numbers,
		.name = entry->name ? cli_escape(entry->name) : cli_copy("-"),
		.command = command_of(entry->argv)};
	return 0;
}

/* Half of it is of the last interval, a quarter of the one before: order and numbers can be read.
 */
static void set_rate(const struct cli_top *top, struct cli_top_row *row, int64_t passed)
{
	const struct cli_top_row *before = row_of(top->rows, top->count, row->domain);
	uint64_t denied = before ? before->denied : 0;

	if (!top->taken || passed <= 0)
		return;
	row->rate =
		row->denied > denied ? (double)(row->denied - denied) * 1000 / (double)passed : 0;
	row->rate = row->rate / 2 + (before ? before->rate / 2 : 0);
	if (row->rate < 0.05)
		row->rate = 0;
}

static int by_rate(const void *a, const void *b)
{
	const struct cli_top_row *left = a, *right = b;

	if (left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	/* Somebody is waited for. */
	if (!left->questions != !right->questions)
		return left->questions ? -1 : 1;
	if (left->denied != right->denied)
		return left->denied < right->denied ? 1 : -1;
	return (left->domain > right->domain) - (left->domain < right->domain);
}

int cli_top_sample(struct cli_top *top, struct reeve_error *err)
{
	struct cli_top next = {0};
	int64_t now = cli_top_now();
	int r = reeve_control_list(add_row, &next, err);

	if (r < 0) {
		cli_top_release(&next);
		return r;
	}
	for (size_t i = 0; i < next.count; i++)
		set_rate(top, &next.rows[i], now - top->taken);
	if (next.count)
		qsort(next.rows, next.count, sizeof(*next.rows), by_rate);
	cli_top_release(top);
	top->rows = next.rows;
	top->count = next.count;
	top->taken = now;
	if (!cli_top_selected(top))
		top->selected = top->count ? top->rows[0].domain : 0;
	return 0;
}

void cli_top_move(struct cli_top *top, long rows)
{
	const struct cli_top_row *selected = cli_top_selected(top);
	long at = selected ? (long)(selected - top->rows) + rows : 0, last = (long)top->count - 1;

	if (!selected)
		return;
	at = at < 0 ? 0 : at > last ? last : at;
	top->selected = top->rows[at].domain;
}

bool cli_top_next_asking(struct cli_top *top)
{
	const struct cli_top_row *selected = cli_top_selected(top);
	size_t at = selected ? (size_t)(selected - top->rows) : 0;

	for (size_t i = 1; i <= top->count; i++) {
		const struct cli_top_row *row = &top->rows[(at + i) % top->count];

		if (row->questions) {
			top->selected = row->domain;
			return true;
		}
	}
	return false;
}
