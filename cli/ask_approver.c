/* SPDX-License-Identifier: MIT */
/*
 * `reeve run --approver CMD`: questions as lines on CMD's standard input, answers as lines on its
 * standard output. CMD runs outside of the sandbox, in a process group of its own: Ctrl-C is for
 * the program. When it ends, or closes either, it is not asked any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "ask.h"

#define LINE_MAX_BYTES 65536 /* of an answer */
#define GRACE_MS       300   /* to end by itself when there is nothing to ask any more */

struct cli_approver {
	struct reeve_supervisor *supervisor;
	struct cli_lines *lines;
	const char *command, *save;
	pid_t pid;
	int pidfd;	 /* the process that is reaped with the program's orphans */
	int in, out, id; /* in: of the command's standard input */
	pthread_t thread;
	bool started;
	char *pending; /* what is being written to it */
	size_t written;
	char buf[LINE_MAX_BYTES]; /* what was read of the next answer */
	size_t length;
};

/* ----------------------------------------------------------------------------- the command */

static void run_command(const char *command, int in, int out)
{
	setpgid(0, 0);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int start_command(struct cli_approver *a)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return cli_fail(NULL, "--approver: %s", strerror(errno));
	a->pid = fork();
	if (a->pid == 0)
		run_command(a->command, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	a->in = in[1];
	a->out = out[0];
	a->pidfd = a->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, a->pid, 0);
	if (a->pid < 0)
		return cli_fail(NULL, "--approver: fork: %s", strerror(errno));
	fcntl(a->in, F_SETFL, O_NONBLOCK);
	return 0;
}

/* ------------------------------------------------------------------------------- to it */

/* What is wrong with an answer, for the log of whoever wrote the command. */
static void say_wrong(struct cli_approver *a, const struct reeve_error *err)
{
	fprintf(stderr, "reeve: --approver: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
	(void)a;
}

/* False: it does not read any more. */
static bool write_some(struct cli_approver *a)
{
	size_t left = strlen(a->pending) - a->written;
	ssize_t n = write(a->in, a->pending + a->written, left);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	a->written += (size_t)n;
	if (a->written < strlen(a->pending))
		return true;
	free(a->pending);
	a->pending = NULL;
	return true;
}

static bool next_line(struct cli_approver *a, bool *ret_end)
{
	char *line = cli_lines_take(a->lines, ret_end);

	a->written = 0;
	if (line && asprintf(&a->pending, "%s\n", line) < 0)
		a->pending = NULL;
	free(line);
	return a->pending;
}

/* ----------------------------------------------------------------------------- from it */

static void take_answer(struct cli_approver *a, const char *line)
{
	struct reeve_error err = {0};
	int r;

	if (!line[strspn(line, " \t\r")])
		return;
	r = reeve_supervisor_answer_json(a->supervisor, line, "the approver", a->save, &err);
	/* Somebody else was faster: nothing to complain about. */
	if (r < 0 && r != -ENOENT && r != -EPIPE)
		say_wrong(a, &err);
}

/* False: the end. */
static bool read_some(struct cli_approver *a)
{
	ssize_t n = read(a->out, a->buf + a->length, sizeof(a->buf) - 1 - a->length);
	char *line = a->buf, *end;

	if (n < 0)
		return errno == EINTR;
	a->length += (size_t)n;
	a->buf[a->length] = '\0';
	while ((end = memchr(line, '\n', a->length - (size_t)(line - a->buf)))) {
		*end = '\0';
		take_answer(a, line);
		line = end + 1;
	}
	a->length -= (size_t)(line - a->buf);
	memmove(a->buf, line, a->length);
	return n > 0 && a->length < sizeof(a->buf) - 1;
}

static bool step(struct cli_approver *a, bool *ret_end)
{
	struct pollfd fds[] = {{.fd = a->out, .events = POLLIN},
		{.fd = a->pending ? a->in : cli_lines_fd(a->lines),
			.events = a->pending ? POLLOUT : POLLIN}};

	poll(fds, 2, -1);
	if (fds[0].revents && !read_some(a))
		return false;
	if (!a->pending)
		next_line(a, ret_end);
	return !a->pending || write_some(a);
}

static void *serve(void *data)
{
	struct cli_approver *a = data;
	bool end = false, alive = true;

	while (alive && !end)
		alive = step(a, &end);
	if (!alive)
		fputs("reeve: the approver ended: what it would be asked is denied from now on\n",
			stderr);
	reeve_supervisor_ask_end(a->supervisor, a->id);
	return NULL;
}

/* --------------------------------------------------------------------------------- life */

struct cli_approver *cli_approver_new(const char *command, const char *save)
{
	struct cli_approver *a = calloc(1, sizeof(*a));

	if (!a || !(a->lines = cli_lines_new())) {
		free(a);
		cli_fail(NULL, "out of memory");
		return NULL;
	}
	a->command = command;
	a->save = save;
	a->in = a->out = a->pidfd = -1;
	if (start_command(a) == 0)
		return a;
	cli_approver_free(a);
	return NULL;
}

struct reeve_approver cli_approver_approver(struct cli_approver *a)
{
	return cli_lines_approver(a->lines, a->save);
}

bool cli_approver_start(struct cli_approver *a, struct reeve_supervisor *supervisor, int id)
{
	sigset_t all, saved;

	a->supervisor = supervisor;
	a->id = id;
	sigfillset(&all); /* SIGPIPE above all */
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	a->started = pthread_create(&a->thread, NULL, serve, a) == 0;
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (!a->started)
		reeve_supervisor_ask_end(supervisor, id);
	return a->started;
}

/* There is nothing to ask any more: who does not end by that is ended. */
static void end_command(struct cli_approver *a)
{
	struct pollfd ended = {.fd = a->pidfd, .events = POLLIN};

	/* Not reaped by anybody while it is not readable: its number is its own. */
	if (a->pidfd >= 0 && poll(&ended, 1, GRACE_MS) == 0)
		kill(-a->pid, SIGTERM);
	if (a->pidfd >= 0)
		close(a->pidfd);
}

void cli_approver_free(struct cli_approver *a)
{
	if (!a)
		return;
	if (a->started) {
		cli_lines_end(a->lines);
		pthread_join(a->thread, NULL);
	}
	if (a->in >= 0)
		close(a->in);
	if (a->out >= 0)
		close(a->out);
	end_command(a);
	free(a->pending);
	cli_lines_free(a->lines);
	free(a);
}
