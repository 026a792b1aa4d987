/* SPDX-License-Identifier: MIT */
/*
 * The screen of `reeve top`. Each frame is written at once over the one before, so nothing
 * flickers. What programs chose, names and commands, is escaped; a line is cut to the width that
 * it should have, and should a terminal count a letter as wider, it does not wrap.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "top.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define THIS_SCREEN  "\033[?7h\033[?25h\033[?1049l"
#define BOLD	     "\033[1m"
#define REVERSE	     "\033[7m"
#define PLAIN	     "\033[m"

#define AROUND 4 /* lines that are no rows: two above, two below */

static void write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		struct pollfd poller = {.fd = fd, .events = POLLOUT};
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return; /* the terminal is gone, as reading will tell */
		if (n < 0 && poll(&poller, 1, 1000) <= 0)
			return;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
}

void cli_top_screen_begin(int fd)
{
	write_all(fd, OTHER_SCREEN, strlen(OTHER_SCREEN));
}

void cli_top_screen_end(int fd)
{
	write_all(fd, THIS_SCREEN, strlen(THIS_SCREEN));
}

/* ------------------------------------------------------------------------------- lines */

/* Allocated; NULL: no memory. */
static char *summary(const struct cli_top *top)
{
	uint64_t questions = 0;
	double rate = 0;
	char *text;

	for (size_t i = 0; i < top->count; i++) {
		questions += top->rows[i].questions;
		rate += top->rows[i].rate;
	}
	if (asprintf(&text,
		    "reeve top: %zu domain%s, %.1f denials/s, %" PRIu64 " request%s for an answer",
		    top->count, top->count == 1 ? "" : "s", rate, questions,
		    questions == 1 ? " waits" : "s wait") < 0)
		return NULL;
	return text;
}

static const char heading[] =
	"   DEN/S  DENIALS ASKING  LIVE     AGE NAME        ID                COMMAND";

static void number(char buf[24], const struct cli_top_row *row, uint64_t value)
{
	if (row->has_numbers)
		snprintf(buf, 24, "%" PRIu64, value);
	else
		strcpy(buf, "-");
}

/* The name takes ten columns, cut or filled. */
static char *name_of(const struct cli_top_row *row)
{
	char *name = cli_copy(row->name), *filled;

	cli_cut(name, 10);
	if (asprintf(&filled, "%s%*s", name,
		    cli_columns(name) < 10 ? (int)(10 - cli_columns(name)) : 0, "") < 0)
		filled = NULL;
	cli_escape_free(name);
	return filled;
}

static char *line_of(const struct cli_top_row *row, bool selected)
{
	char denied[24], live[24], questions[24], rate[24] = "-", span[32], *text;
	cli_autofree char *name = name_of(row);

	number(denied, row, row->denied);
	number(live, row, row->live);
	number(questions, row, row->questions);
	if (row->has_numbers)
		snprintf(rate, sizeof(rate), "%.1f", row->rate);
	if (!name || asprintf(&text, "%c %6s %8s %6s %5s %7s %s  %-16" PRIx64 "  %s%s",
			     selected ? '>' : ' ', rate, denied, questions, live,
			     cli_control_span(cli_control_age(row->since), span), name, row->domain,
			     row->stopped ? "(stopped) " : "", row->command) < 0)
		return NULL;
	return text;
}

/* Takes the text. */
static void put_line(FILE *out, unsigned int width, const char *style, char *text)
{
	static const char memory[] = "(out of memory)";

	if (text)
		cli_cut(text, width);
	/* Cleared before: afterwards the cursor may still be on the last column. */
	fprintf(out, "\033[K%s%s%s", style, text ? text : memory, *style ? PLAIN : "");
	free(text);
}

/* -------------------------------------------------------------------------------- frame */

static bool plain(void)
{
	const char *no_color = getenv("NO_COLOR");

	return no_color && *no_color;
}

/* So that the selected one is among those that are shown. */
static void scroll(struct cli_top *top, size_t rows)
{
	const struct cli_top_row *selected = cli_top_selected(top);
	size_t at = selected ? (size_t)(selected - top->rows) : 0;

	if (at < top->first)
		top->first = at;
	if (rows && at >= top->first + rows)
		top->first = at - rows + 1;
	if (top->first + rows > top->count)
		top->first = top->count > rows ? top->count - rows : 0;
}

static void put_rows(FILE *out, const struct cli_top *top, unsigned int width, size_t rows)
{
	for (size_t i = top->first; i < top->count && i < top->first + rows; i++) {
		bool selected = top->rows[i].domain == top->selected;

		fputs("\r\n", out);
		put_line(out, width, selected && !plain() ? REVERSE : "",
			line_of(&top->rows[i], selected));
	}
	if (top->count == 0 && rows > 0) {
		fputs("\r\n", out);
		put_line(out, width, "", strdup("  No domain runs: reeve run -- CMD"));
	}
}

static void put_bottom(
	FILE *out, const struct cli_top *top, const struct winsize *size, size_t rows)
{
	static const char keys[] = "j/k choose  n next that asks  w watch  a answer  i inspect  "
				   "K kill  q quit";
	cli_autofree char *more = NULL;
	size_t below = top->count > top->first + rows ? top->count - top->first - rows : 0;

	if (asprintf(&more, "%s%zu above, %zu below", "  ", top->first, below) < 0)
		more = NULL;
	fprintf(out, "\033[%u;1H", size->ws_row - 1);
	if (top->note)
		put_line(out, size->ws_col, plain() ? "" : BOLD, strdup(top->note));
	else
		put_line(out, size->ws_col, "", strdup(more && (below || top->first) ? more : ""));
	fprintf(out, "\033[%u;1H", size->ws_row);
	put_line(out, size->ws_col, "", strdup(keys));
}

static void put_frame(FILE *out, struct cli_top *top, const struct winsize *size)
{
	size_t rows = size->ws_row > AROUND ? size->ws_row - AROUND : 0,
	       used = 2 + (top->count > rows   ? rows
				  : top->count ? top->count
					       : rows > 0);

	scroll(top, rows);
	fputs("\033[H", out);
	put_line(out, size->ws_col, "", summary(top));
	fputs("\r\n", out);
	put_line(out, size->ws_col, plain() ? "" : BOLD, strdup(heading));
	put_rows(out, top, size->ws_col, rows);
	/* From the line below: the cursor may still be on the last column, which would be cleared.
	 */
	fprintf(out, "\033[%zu;1H\033[J", used + 1);
	put_bottom(out, top, size, rows);
}

void cli_top_draw(struct cli_top *top, int fd)
{
	struct winsize size;
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < 4 || size.ws_row < 1)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	out = open_memstream(&text, &length);
	if (!out)
		return;
	put_frame(out, top, &size);
	if (fclose(out) == 0)
		write_all(fd, text, length);
	free(text);
}

void cli_top_print(const struct cli_top *top)
{
	cli_autofree char *line = summary(top);

	printf("%s\n%s\n", line ? line : "", heading);
	for (size_t i = 0; i < top->count; i++) {
		cli_autofree char *row = line_of(&top->rows[i], false);

		puts(row ? row : "");
	}
}
