/* SPDX-License-Identifier: MIT */
/*
 * `reeve top`: what runs and what is denied in it, second by second. It reads numbers that domains
 * show (`ps`), and wakes none. What it does about one it leaves to other verbs, which get the
 * terminal meanwhile. The terminal is given back on every way out that a process can choose.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "top.h"
#include "verbs.h"

#define INTERVAL_MS 1000

struct top {
	struct cli_top view;
	struct cli_terminal terminal;
	sigset_t handled, before; /* signals: taken by `signals`, and the mask that was */
	int signals;
	int ended_by; /* a signal that ends it; 0: none */
	bool shown, done, stopped;
	struct reeve_error failed;
};

/* --------------------------------------------------------------------------- terminal */

static bool take(struct top *top)
{
	if (!cli_terminal_take(&top->terminal))
		return false;
	top->terminal.arrows = true;
	cli_top_screen_begin(top->terminal.fd);
	top->shown = true;
	return true;
}

static void give_back(struct top *top)
{
	if (top->shown)
		cli_top_screen_end(top->terminal.fd);
	top->shown = false;
	cli_terminal_release(&top->terminal);
}

/* In the background of a job, as everybody who reads there: stopped until it is in front. */
static bool wait_for_foreground(const struct top *top)
{
	/* Nobody is stopped so where no shell could continue it. */
	for (int tries = 0; tries < 16; tries++) {
		if (tcgetpgrp(top->terminal.fd) == getpgrp())
			return true;
		if (kill(0, SIGTTIN) < 0)
			break;
	}
	return false;
}

/* Ctrl-Z, or SIGTSTP. */
static void stop(struct top *top)
{
	top->stopped = false;
	give_back(top);
	kill(0, SIGSTOP);
	top->done = !wait_for_foreground(top) || !take(top);
}

/* ---------------------------------------------------------------------------- signals */

static void take_signal(struct top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGTSTP:
		top->stopped = true;
		break;
	case SIGCHLD:
	case SIGCONT:
	case SIGWINCH:
		break;
	default:
		top->ended_by = (int)info.ssi_signo;
		top->done = true;
	}
}

/* ------------------------------------------------------------------------ other verbs */

static void become(const struct top *top, const char *const *words)
{
	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0);
	tcsetpgrp(top->terminal.fd, getpgrp());
	signal(SIGTTOU, SIG_DFL);
	sigprocmask(SIG_SETMASK, &top->before, NULL);
	execv("/proc/self/exe", (char *const *)words);
	_exit(127);
}

static bool has_ended(pid_t child, int *ret_status)
{
	int status = 0;
	pid_t pid = waitpid(child, &status, WUNTRACED | WNOHANG);

	*ret_status = status;

	/* There is no job control in here. */
	if (pid == child && WIFSTOPPED(status)) {
		kill(-child, SIGTERM);
		kill(-child, SIGCONT);
		return false;
	}
	return pid != 0;
}

/* To its end. What would end us ends it first. Whether it said why it failed. */
static bool wait_for(struct top *top, pid_t child)
{
	int status;

	while (!has_ended(child, &status)) {
		struct pollfd signals = {.fd = top->signals, .events = POLLIN};

		poll(&signals, 1, -1);
		take_signal(top);
		if (top->ended_by)
			kill(-child, SIGTERM);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) != CLI_OK;
}

static void wait_for_return(struct top *top)
{
	static const char text[] = "\n[top: press a key to go back]";

	if (!cli_terminal_take(&top->terminal))
		return;
	if (write(top->terminal.fd, text, sizeof(text) - 1) > 0) {
		struct pollfd fds[] = {{.fd = top->terminal.fd, .events = POLLIN},
			{.fd = top->signals, .events = POLLIN}};

		poll(fds, 2, -1);
	}
	cli_terminal_release(&top->terminal);
}

static void run(struct top *top, const char *const *words, const char *intro, bool pause)
{
	pid_t child, own = getpgrp();

	give_back(top);
	/* What ran before left its last line open, or the key that ended it. */
	dprintf(top->terminal.fd, "\n%s\n", intro);
	child = fork();
	if (child == 0)
		become(top, words);
	if (child > 0) {
		setpgid(child, child);
		pause |= wait_for(top, child);
		/* SIGTTOU is blocked. */
		tcsetpgrp(top->terminal.fd, own);
		if (pause && !top->done)
			wait_for_return(top);
	}
	top->done = top->done || !take(top);
	top->view.note = child < 0 ? "cannot start another process" : NULL;
}

static void run_on(struct top *top, const char *verb, const char *option, const char *does)
{
	const struct cli_top_row *row = cli_top_selected(&top->view);
	char id[17], intro[256];
	const char *words[] = {"reeve", verb, id, option, NULL};

	if (!row)
		return;
	snprintf(id, sizeof(id), "%" PRIx64, row->domain);
	snprintf(intro, sizeof(intro), "[top: %s %s%s%.100s%s]", does, id,
		*row->name == '-' ? "" : " (", *row->name == '-' ? "" : row->name,
		*row->name == '-' ? "" : ")");
	run(top, words, intro, strcmp(verb, "inspect") == 0);
}

/* ------------------------------------------------------------------------------- kill */

static int kill_domain(uint64_t domain, struct reeve_error *err)
{
	struct reeve_control *control;
	char *answer = NULL, id[17];
	int r;

	snprintf(id, sizeof(id), "%" PRIx64, domain);
	r = reeve_control_open(id, &control, err);
	if (r < 0)
		return r;
	r = reeve_control_call(control, "{\"request\":\"kill\"}", &answer, err);
	reeve_control_close(control);
	free(answer);
	return r;
}

/* A key that was typed after the question was shown. */
static int ask_key(struct top *top)
{
	struct pollfd fds[] = {
		{.fd = top->terminal.fd, .events = POLLIN}, {.fd = top->signals, .events = POLLIN}};
	int key = 0;

	/* What was typed before it is shown is no answer. */
	cli_terminal_flush(&top->terminal);
	cli_top_draw(&top->view, top->terminal.fd);
	while (key == 0 && poll(fds, 2, -1) >= 0 && !fds[1].revents)
		key = cli_terminal_key(&top->terminal);
	return key;
}

static void ask_kill(struct top *top)
{
	struct cli_top *view = &top->view;
	const struct cli_top_row *row = cli_top_selected(view);
	uint64_t domain = row ? row->domain : 0;
	struct reeve_error err = {0};

	if (!row)
		return;
	snprintf(view->text, sizeof(view->text),
		"Kill every process of %" PRIx64 "? y: yes, any other key: no  (%.120s)", domain,
		*row->name == '-' ? row->command : row->name);
	view->note = view->text;
	if (ask_key(top) != 'y') {
		view->note = "Nothing was killed.";
		return;
	}
	if (kill_domain(domain, &err) < 0)
		snprintf(view->text, sizeof(view->text), "Not killed: %.200s", err.message);
	else
		snprintf(view->text, sizeof(view->text), "Killed %" PRIx64 ".", domain);
}

/* ------------------------------------------------------------------------------- keys */

static void press(struct top *top, int key)
{
	long page = 10;

	top->view.note = NULL;
	switch (key) {
	case 'q':
	case CTRL('c'):
		top->done = true;
		break;
	case CTRL('z'):
		stop(top);
		break;
	case 'j':
	case CLI_KEY_DOWN:
		cli_top_move(&top->view, 1);
		break;
	case 'k':
	case CLI_KEY_UP:
		cli_top_move(&top->view, -1);
		break;
	case ' ':
		cli_top_move(&top->view, page);
		break;
	case 'g':
		cli_top_move(&top->view, -(long)top->view.count);
		break;
	case 'G':
		cli_top_move(&top->view, (long)top->view.count);
		break;
	case 'n':
		if (!cli_top_next_asking(&top->view))
			top->view.note = "Nothing waits for an answer.";
		break;
	case 'w':
		run_on(top, "watch", NULL, "watching; Ctrl-C goes back:");
		break;
	case 'a':
		run_on(top, "watch", "--answer",
			"answering; Ctrl-C, or q at a question, goes back:");
		break;
	case 'i':
		run_on(top, "inspect", NULL, "inspecting");
		break;
	case 'K':
		ask_kill(top);
		break;
	default:
		top->view.note = "No such key: those below.";
	}
}

/* ---------------------------------------------------------------- signals, as a whole */

static bool take_signals(struct top *top)
{
	static const int signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM,
		SIGUSR1, SIGUSR2, SIGXCPU, SIGTSTP, SIGCONT, SIGWINCH};
	sigset_t blocked;

	sigemptyset(&top->handled);
	for (size_t i = 0; i < CLI_COUNT(signals); i++)
		sigaddset(&top->handled, signals[i]);
	blocked = top->handled;
	sigaddset(&blocked, SIGTTOU);
	sigprocmask(SIG_BLOCK, &blocked, &top->before);
	top->signals = signalfd(-1, &top->handled, SFD_CLOEXEC | SFD_NONBLOCK);
	return top->signals >= 0;
}

/* As if nobody had taken it: so our parent sees what ended us. */
static void end_by(const struct top *top)
{
	signal(top->ended_by, SIG_DFL);
	raise(top->ended_by);
	sigprocmask(SIG_SETMASK, &top->before, NULL);
}

/* -------------------------------------------------------------------------------- loop */

static void serve(struct top *top, int timeout)
{
	struct pollfd fds[] = {
		{.fd = top->terminal.fd, .events = POLLIN}, {.fd = top->signals, .events = POLLIN}};
	int key;

	if (poll(fds, 2, timeout) <= 0)
		return;
	if (fds[1].revents)
		take_signal(top);
	if (top->stopped)
		stop(top);
	while (!top->done && fds[0].revents && (key = cli_terminal_key(&top->terminal)) != 0) {
		if (key < 0)
			top->done = true; /* nobody is there any more */
		else
			press(top, key);
	}
}

static void loop(struct top *top)
{
	int64_t next = 0;

	while (!top->done) {
		int64_t now = cli_top_now();

		if (now >= next) {
			top->done = cli_top_sample(&top->view, &top->failed) < 0;
			next = now + INTERVAL_MS;
		}
		if (top->done)
			break;
		cli_top_draw(&top->view, top->terminal.fd);
		serve(top, next > now ? (int)(next - now) : 0);
	}
}

static int show(struct top *top)
{
	int r = cli_terminal_open(&top->terminal);

	if (r < 0)
		return cli_fail(NULL, "top: there is no terminal: %s", strerror(-r));
	if (!take_signals(top))
		return cli_fail(NULL, "top: cannot take signals: %s", strerror(errno));
	if (!wait_for_foreground(top) || !take(top))
		return cli_fail(NULL, "top: the terminal cannot be had");
	loop(top);
	give_back(top);
	cli_terminal_close(&top->terminal);
	if (top->ended_by)
		end_by(top);
	sigprocmask(SIG_SETMASK, &top->before, NULL);
	close(top->signals);
	return top->failed.code ? cli_control_failed(&top->failed) : CLI_OK;
}

static int print_once(struct top *top)
{
	if (cli_top_sample(&top->view, &top->failed) < 0)
		return cli_control_failed(&top->failed);
	poll(NULL, 0, INTERVAL_MS);
	if (cli_top_sample(&top->view, &top->failed) < 0)
		return cli_control_failed(&top->failed);
	cli_top_print(&top->view);
	return CLI_OK;
}

static bool on_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static int run_top(void *data, const struct cli_operands *operands)
{
	struct top top = {.terminal = {.fd = -1}, .signals = -1};
	int code;

	(void)data;
	if (operands->count > 0)
		return cli_fail("`reeve inspect ID` shows one domain", "top: takes no operands");
	code = on_terminal() ? show(&top) : print_once(&top);
	cli_top_release(&top.view);
	return code;
}

const struct cli_verb cli_verb_top = {
	.name = "top",
	.synopsis = "",
	.summary = "Show the domains that run, the most denials first, and act on one",
	.text = "Refreshed each second; DEN/S is denials a second, the last second counting\n"
		"half. Keys: j, k or arrows, space, g, G choose a domain, n the next one that\n"
		"waits for an answer; w watches it, a answers its questions, i inspects it,\n"
		"K kills it (after asking); q, Ctrl-C leave.\n"
		"\n"
		"Where it is no terminal: all domains once, after a second.\n",
	.options = cli_no_options,
	.run = run_top,
};
