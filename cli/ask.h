/* SPDX-License-Identifier: MIT */
/*
 * Questions to a person at a terminal: `run --ask` and `watch --answer`; and to a program:
 * `run --approver`. Questions and answers are the objects of reeve-control(7) everywhere.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdatomic.h>
#include <termios.h>
#include <reeve/supervisor.h>
#include "cli.h"
#include "json.h"

/* ---- the terminal: ask_terminal.c */

struct cli_terminal {
	int fd; /* /dev/tty */
	bool taken;
	struct termios saved;
	pid_t foreground;    /* the process group that had it */
	int state;	     /* of an escape sequence in the input */
	unsigned int number; /* its parameter */
	unsigned int more;   /* characters that still belong to it */
	bool pasted;	     /* what comes now is, by the terminal's own word */
	bool arrows;	     /* two of those are keys: only where these do no harm */
};

/* -errno where there is none. */
int cli_terminal_open(struct cli_terminal *terminal);
void cli_terminal_close(struct cli_terminal *terminal);

/* Whether nobody uses it but line by line, and it is ours or that of a process below us. */
bool cli_terminal_is_free(const struct cli_terminal *terminal);

/*
 * Reads single keys from now on, without echo and signals. What was typed before, and what the
 * terminal itself still has to say to escape sequences that were printed before, is thrown away.
 * Whoever else reads from it must have been stopped. False: it cannot be had.
 */
bool cli_terminal_take(struct cli_terminal *terminal);
void cli_terminal_release(struct cli_terminal *terminal);

/* Throws away what is typed until nothing is: before each further question. */
void cli_terminal_flush(struct cli_terminal *terminal);

#define CLI_KEY_UP   0x101
#define CLI_KEY_DOWN 0x102

/* The next key, not counting escape sequences; 0: none now; -1: the terminal is gone. */
int cli_terminal_key(struct cli_terminal *terminal);
unsigned short cli_terminal_width(const struct cli_terminal *terminal);

/* ---- asking: ask_loop.c */

/* Where questions come from, and answers go to. */
struct cli_ask_source {
	void *data;
	int fd; /* for poll(2): there may be news */
	/* The next question, or object with "gone"; NULL: none now. *ret_end: there will be none.
	 */
	json_t *(*next)(void *data, bool *ret_end);
	/* 0 or -errno with `err` set. Drops the answer. */
	int (*answer)(void *data, json_t *answer, struct reeve_error *err);
	/* Stops who else uses the terminal; false: it cannot be asked on now. */
	bool (*begin)(void *data);
	void (*end)(void *data);
	const char *elsewhere; /* how to answer on another terminal, after "in use" */
};

/* Asks until there will be no more questions (0), or the user has had enough of them (1). */
int cli_ask_loop(const struct cli_ask_source *source, struct cli_terminal *terminal);

/* ---- what is shown: ask_show.c */

/* What the next answer is to be, besides its key. */
struct cli_ask_modes {
	bool for_a_while, save;
};
#define CLI_ASK_MINUTES 10

void cli_ask_show(const struct cli_terminal *terminal, const json_t *question,
	const struct cli_ask_modes *modes);
/* The line in which the key is waited for; again when the number of questions besides changes. */
void cli_ask_prompt(const struct cli_terminal *terminal, size_t besides);

/* The answer that a key stands for; NULL: none, for this question. *ret_words: for people. */
json_t *cli_ask_answer(
	const json_t *question, int key, const struct cli_ask_modes *modes, const char **ret_words);

/* ---- lines between threads: ask_lines.c */

struct cli_lines; /* a queue of JSON lines, with an eventfd */

struct cli_lines *cli_lines_new(void); /* NULL: no memory, no descriptor */
void cli_lines_free(struct cli_lines *lines);
int cli_lines_fd(const struct cli_lines *lines);
char *cli_lines_take(struct cli_lines *lines, bool *ret_end); /* NULL: none now */
void cli_lines_end(struct cli_lines *lines);
/* An approver that puts its questions into the queue; `save`: a policy file, or NULL, borrowed. */
struct reeve_approver cli_lines_approver(struct cli_lines *lines, const char *save);

/* ---- watch --answer: ask_watch.c */
int cli_watch_answer(const struct cli_operands *operands);

/* ---- run --ask: ask_run.c; run --approver: ask_approver.c */

struct cli_asking;

/* Before the start. NULL: there is no terminal. `save`, borrowed: where answers can be saved. */
struct cli_asking *cli_asking_new(const char *save);
struct reeve_approver cli_asking_approver(struct cli_asking *asking);
/* Once the program runs. False: there is no thread for it. */
bool cli_asking_start(struct cli_asking *asking, struct reeve_supervisor *supervisor);
/* Set while the domain is stopped by us. */
const atomic_bool *cli_asking_paused(const struct cli_asking *asking);
/* Before the supervisor's end. NULL is allowed. */
void cli_asking_free(struct cli_asking *asking);

struct cli_approver;

/* NULL after printing why not. */
struct cli_approver *cli_approver_new(const char *command, const char *save);
struct reeve_approver cli_approver_approver(struct cli_approver *approver);
/* `id`: of reeve_supervisor_ask(), ended when the command is. */
bool cli_approver_start(struct cli_approver *approver, struct reeve_supervisor *supervisor, int id);
void cli_approver_free(struct cli_approver *approver);

/* ---- both, for supervised.c: askers.c */

struct cli_supervised;

struct cli_askers {
	struct cli_asking *asking;     /* or NULL */
	struct cli_approver *approver; /* or NULL */
	const char *policy_file;
	struct reeve_approver first;
};

/* 0 or CLI_ERROR after printing why. */
int cli_askers_new(const struct cli_supervised *run, struct cli_askers *askers);
/* What is to be set before the start; borrowed by the options. */
void cli_askers_options(struct cli_askers *askers, struct reeve_supervisor_options *options);
const atomic_bool *cli_askers_paused(const struct cli_askers *askers);
void cli_askers_start(struct cli_askers *askers, struct reeve_supervisor *supervisor);
/* Before the supervisor's end. */
void cli_askers_free(struct cli_askers *askers);

#endif /* CLI_ASK_H */
