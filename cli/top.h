/* SPDX-License-Identifier: MIT */
/* `reeve top`: samples of what runs, and a screen that shows the latest. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "ask.h"
#include "ps.h"

struct cli_top_row {
	uint64_t domain, since;
	uint64_t denied, live, questions;
	pid_t pid;
	bool stopped, has_numbers;
	double rate;	      /* denials a second, the latest counting most */
	char *name, *command; /* escaped */
};

struct cli_top {
	struct cli_top_row *rows; /* the most denials a second first */
	size_t count;
	int64_t taken; /* when, in milliseconds of some clock; 0: never */
	/* What the user does with it. */
	uint64_t selected; /* a domain, 0: none; it stays the same wherever it is sorted to */
	size_t first;	   /* row that is shown at the top */
	const char *note;  /* a line for the user, or NULL */
	char text[256];	   /* room for it */
};

/* ---- top_sample.c */

/* Takes another sample. Then a domain is selected, if there is any. */
int cli_top_sample(struct cli_top *top, struct reeve_error *err);
void cli_top_release(struct cli_top *top);
struct cli_top_row *cli_top_selected(const struct cli_top *top); /* NULL: none */
/* Selects the row that is so many further down, as far as there are. */
void cli_top_move(struct cli_top *top, long rows);
/* Selects the next one that waits for an answer. False: none does. */
bool cli_top_next_asking(struct cli_top *top);
int64_t cli_top_now(void);

/* ---- top_screen.c */

/* From here on the terminal shows frames, and what it showed before is kept. */
void cli_top_screen_begin(int fd);
void cli_top_screen_end(int fd);
/* One frame. */
void cli_top_draw(struct cli_top *top, int fd);
/* All of it to stdout, for who is no terminal. */
void cli_top_print(const struct cli_top *top);

#endif /* CLI_TOP_H */
