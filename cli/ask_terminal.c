/* SPDX-License-Identifier: MIT */
/*
 * A terminal that a program uses too, for one key at a time.
 *
 * What is read as a key must have been typed by a person, after the question was shown. A program
 * cannot type (TIOCSTI is refused), but it can print sequences upon which the terminal itself
 * types, in its own time: reports of its state, of the cursor, of the window's title. So input is
 * thrown away until nothing more comes; before, the terminal is asked for the cursor's place, and
 * its answer comes after those to everything that was printed before. And whatever begins with ESC
 * is never a key: nor are the bytes by which a terminal that the program told to do so says where
 * the mouse is, upon each move of it, nor what is pasted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "ask.h"
#include "supervised.h"

#define QUIET_MS   150 /* without input */
#define BARRIER_MS 700 /* for the terminal's own answer, where it has one */

enum { PLAIN, ESCAPED, BEGUN, SEQUENCE, STRING, STRING_ESCAPED, ONE_MORE, MORE };

int cli_terminal_open(struct cli_terminal *terminal)
{
	*terminal = (struct cli_terminal){
		.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
	return terminal->fd < 0 ? -errno : 0;
}

void cli_terminal_close(struct cli_terminal *terminal)
{
	cli_terminal_release(terminal);
	if (terminal->fd >= 0)
		close(terminal->fd);
	terminal->fd = -1;
}

/* ------------------------------------------------------------------------- whose it is */

static bool is_below_us(pid_t pid)
{
	for (int depth = 0; pid > 1 && depth < 256; depth++) {
		if (pid == getpid())
			return true;
		pid = cli_parent_of(pid);
	}
	return false;
}

bool cli_terminal_is_free(const struct cli_terminal *terminal)
{
	pid_t foreground = tcgetpgrp(terminal->fd);
	struct termios now;

	if (foreground < 0 || tcgetattr(terminal->fd, &now) < 0)
		return false;
	/* Not line by line: an editor, a pager, a shell's prompt. */
	if (!(now.c_lflag & ICANON))
		return false;
	return foreground == getpgrp() || is_below_us(foreground);
}

/* ------------------------------------------------------------------------------- input */

static int after_escape(struct cli_terminal *t, unsigned char byte)
{
	t->number = 0;
	return byte == '['		       ? BEGUN
	       : byte == 'O' || byte == 'N'    ? ONE_MORE
	       : byte && strchr("]P_^X", byte) ? STRING
					       : PLAIN;
}

/* How many characters follow what is not over with its last letter: where the mouse is (M; t, T
 * where the program asked for highlighting), and the Linux console's function keys. */
static unsigned int follow(unsigned char byte)
{
	return byte == 'M' ? 3 : byte == 't' ? 2 : byte == 'T' ? 6 : byte == '[' ? 1 : 0;
}

static int in_sequence(struct cli_terminal *t, unsigned char byte)
{
	t->more = t->state == BEGUN ? follow(byte) : 0;
	if (t->more)
		return MORE;
	if (byte >= '0' && byte <= '9')
		t->number = (t->number * 10 + byte - '0') % 100000;
	if (byte == '~' && (t->number == 200 || t->number == 201))
		t->pasted = t->number == 200;
	return byte >= 0x40 && byte <= 0x7e ? PLAIN : SEQUENCE;
}

/* Bytes that may go on with a character are not counted: one too many does no harm. */
static int in_more(struct cli_terminal *t, unsigned char byte)
{
	t->more -= (byte & 0xc0) != 0x80;
	return t->more ? MORE : PLAIN;
}

static int next_state(struct cli_terminal *t, unsigned char byte)
{
	switch (t->state) {
	case ESCAPED:
		return after_escape(t, byte);
	case BEGUN:
	case SEQUENCE:
		return in_sequence(t, byte);
	case STRING:
		return byte == 0x07 ? PLAIN : STRING;
	case STRING_ESCAPED:
		return byte == '\\' ? PLAIN : STRING;
	case MORE:
		return in_more(t, byte);
	default: /* ONE_MORE */
		return PLAIN;
	}
}

/* What a byte is, after those before it: a key, or 0. */
static int step(struct cli_terminal *t, unsigned char byte)
{
	bool plain = t->state == PLAIN;

	if (byte == 0x1b)
		t->state = t->state == STRING ? STRING_ESCAPED : ESCAPED;
	else if (!plain)
		t->state = next_state(t, byte);
	return plain && !t->pasted && byte != 0x1b && byte < 0x7f ? byte : 0;
}

/* ESC [ A, or ESC O A: sequences that no terminal sends of its own. */
static int arrow(int before, unsigned char byte)
{
	if (before != BEGUN && before != SEQUENCE && before != ONE_MORE)
		return 0;
	return byte == 'A' ? CLI_KEY_UP : byte == 'B' ? CLI_KEY_DOWN : 0;
}

static bool wait_input(const struct cli_terminal *terminal, int ms)
{
	struct pollfd fd = {.fd = terminal->fd, .events = POLLIN};

	return poll(&fd, 1, ms) > 0;
}

int cli_terminal_key(struct cli_terminal *terminal)
{
	unsigned char byte;
	ssize_t n;

	while ((n = read(terminal->fd, &byte, 1)) == 1) {
		int before = terminal->state, key = step(terminal, byte);

		if (!key && terminal->arrows)
			key = arrow(before, byte);
		if (key)
			return key;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A report of the cursor's place ends in R. */
static bool saw_report(struct cli_terminal *terminal)
{
	unsigned char byte;
	bool seen = false;

	while (read(terminal->fd, &byte, 1) == 1) {
		seen |= terminal->state == SEQUENCE && byte == 'R';
		step(terminal, byte);
	}
	return seen;
}

static bool answers_reports(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") != 0;
}

static void wait_until_quiet(struct cli_terminal *terminal, bool expected)
{
	int64_t deadline = now_ms() + BARRIER_MS;

	tcflush(terminal->fd, TCIFLUSH);
	if (expected && write(terminal->fd, "\033[6n", 4) != 4)
		expected = false;
	for (;;) {
		if (wait_input(terminal, QUIET_MS)) {
			if (saw_report(terminal))
				expected = false;
			else if (now_ms() > deadline + 60000)
				return; /* gone, or a key that is held down */
		} else if (!expected || now_ms() >= deadline) {
			break;
		}
	}
	terminal->state = PLAIN;
	terminal->pasted = false;
}

void cli_terminal_flush(struct cli_terminal *terminal)
{
	wait_until_quiet(terminal, false);
}

/* ------------------------------------------------------------------------------ taking */

/* SIGTTOU must be blocked: we may be in the background. */
static bool block_ttou(sigset_t *saved)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	return pthread_sigmask(SIG_BLOCK, &set, saved) == 0;
}

bool cli_terminal_take(struct cli_terminal *terminal)
{
	struct termios raw;
	sigset_t saved;

	block_ttou(&saved);
	terminal->foreground = tcgetpgrp(terminal->fd);
	terminal->taken = tcgetattr(terminal->fd, &terminal->saved) == 0 &&
			  tcsetpgrp(terminal->fd, getpgrp()) == 0;
	if (terminal->taken) {
		raw = terminal->saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
		raw.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
		raw.c_oflag |= OPOST | ONLCR;
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(terminal->fd, TCSAFLUSH, &raw);
	}
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (terminal->taken)
		wait_until_quiet(terminal, answers_reports());
	return terminal->taken;
}

void cli_terminal_release(struct cli_terminal *terminal)
{
	sigset_t saved;

	if (!terminal->taken)
		return;
	block_ttou(&saved);
	tcsetattr(terminal->fd, TCSAFLUSH, &terminal->saved);
	tcsetpgrp(terminal->fd, terminal->foreground);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	terminal->taken = false;
}

unsigned short cli_terminal_width(const struct cli_terminal *terminal)
{
	struct winsize size;

	if (ioctl(terminal->fd, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}
