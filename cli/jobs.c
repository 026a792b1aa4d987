/* SPDX-License-Identifier: MIT */
/*
 * Standing between a shell and a program so that neither notices: signals and job control.
 *
 * The program stays in our process group, so what the terminal or `kill %1` sends to the group
 * reaches it without us. We survive that, and when the program stops, we stop, so that the shell
 * sees it. What is sent to our pid alone is forwarded; witness.c tells the one from the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "supervised.h"

/* No handler is installed: blocked signals are waited for, so nothing can be interrupted. */
static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
	SIGWINCH, SIGTSTP, SIGCONT, SIGPOLL, SIGVTALRM, SIGURG};

/* A parent that ignored SIGCHLD left us unable to wait; the program gets that back. */
static void take_sigchld(struct cli_jobs *jobs)
{
	struct sigaction old, dfl = {.sa_handler = SIG_DFL};

	sigemptyset(&jobs->ignored);
	sigaction(SIGCHLD, &dfl, &old);
	if (old.sa_handler == SIG_IGN)
		sigaddset(&jobs->ignored, SIGCHLD);
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void cli_jobs_begin(struct cli_jobs *jobs)
{
	sigset_t blocked;

	/* Orphans of the program come to us, so that they can be told from others and reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	jobs->witness = NULL;
	jobs->paused = NULL;
	take_sigchld(jobs);
	jobs->has_terminal = has_terminal();
	sigemptyset(&jobs->waited);
	sigaddset(&jobs->waited, SIGCHLD);
	for (size_t i = 0; i < CLI_COUNT(forwarded); i++)
		sigaddset(&jobs->waited, forwarded[i]);
	blocked = jobs->waited;
	sigaddset(&blocked, SIGPIPE); /* who reads our events or status may go: that ends nothing */
	sigprocmask(SIG_BLOCK, &blocked, &jobs->mask);
}

/* ---------------------------------------------------------------------- orphans */

/* An orphan that asked its parent to trace it: that is us now, and we do not. */
static void detach(pid_t pid, int sig)
{
	ptrace(PTRACE_DETACH, pid, 0, sig == SIGTRAP ? 0 : sig);
}

/*
 * Everybody but the program, which is the library's to wait for (as is its connector, which only
 * __WCLONE finds). Looks first and then reaps exactly that pid. True when the program itself is
 * next.
 */
static bool reap_orphans(pid_t program)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};
		id_t pid;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == program)
			return true;
		pid = (id_t)info.si_pid;
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG) == 0 &&
			info.si_code == CLD_TRAPPED)
			detach((pid_t)pid, info.si_status & 0x7f);
	}
}

/* ---------------------------------------------------------------------- signals */

/* Behind the name, which may contain anything: state, parent and so on. "": there is none. */
static const char *read_stat(pid_t pid, char text[static 512])
{
	char path[32], *end;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, 511);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] ? end + 2 : "";
}

bool cli_is_stopped(pid_t pid)
{
	char text[512];

	return read_stat(pid, text)[0] == 'T';
}

pid_t cli_parent_of(pid_t pid)
{
	char text[512];
	const char *state = read_stat(pid, text);

	return state[0] && state[1] ? atoi(state + 2) : 0;
}

unsigned long long cli_start_of(pid_t pid)
{
	unsigned long long start = 0;
	char text[512];

	sscanf(read_stat(pid, text),
		"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		&start);
	return start;
}

/*
 * A stop signal undoes a SIGCONT that was not taken yet, and the other way round: the witness's is
 * gone then, ours was taken a moment before, and the later one decides.
 */
static bool is_undone(int sig)
{
	int by = sig == SIGCONT ? SIGTSTP : sig == SIGTSTP ? SIGCONT : 0;
	sigset_t pending;

	sigemptyset(&pending);
	sigpending(&pending);
	return by && sigismember(&pending, by) == 1;
}

/*
 * To our process group: the program, when it is in it, has it already. To us alone: it is for the
 * program. (A signal that merged with an equal one before we saw it counts once, as for anybody.)
 */
static void forward(const struct cli_jobs *jobs, const siginfo_t *info, pid_t program)
{
	bool to_group = jobs->witness ? cli_witness_ask(jobs->witness, info->si_signo)
				      : info->si_code == SI_KERNEL;

	if (to_group && getpgid(program) == getpgrp())
		return;
	if (!is_undone(info->si_signo))
		kill(program, info->si_signo);
}

/* What a shell would see if the program were its child: a stopped job. */
static void stop_too(const struct cli_jobs *jobs)
{
	sigset_t pending;

	if (!jobs->has_terminal)
		return; /* nobody watches jobs; stopped, we could answer no trapped call */
	/* Continued before we stopped: a shell that would continue us later does not exist. */
	sigpending(&pending);
	if (sigismember(&pending, SIGCONT) == 1)
		return;
	kill(getpid(), SIGSTOP);
	/* From here on we were continued, and that SIGCONT waits to be forwarded. */
}

/* 1: it ended; 0: not yet; negative errno. */
static int look(const struct cli_jobs *jobs, struct reeve_supervisor *supervisor, int *status)
{
	pid_t program = reeve_supervisor_pid(supervisor);
	int r;

	do {
		reap_orphans(program);
		r = reeve_supervisor_wait(supervisor, WNOHANG | WUNTRACED, status);
		if (r > 0 && !WIFSTOPPED(*status))
			return 1;
		if (r > 0 && !(jobs->paused && atomic_load(jobs->paused)))
			stop_too(jobs);
	} while (r > 0 || r == -EINTR);
	return r;
}

int cli_jobs_wait(const struct cli_jobs *jobs, struct reeve_supervisor *supervisor, int *ret)
{
	for (;;) {
		siginfo_t info;
		int r = look(jobs, supervisor, ret);

		if (r)
			return r < 0 ? r : 0;
		if (sigwaitinfo(&jobs->waited, &info) > 0 && info.si_signo != SIGCHLD)
			forward(jobs, &info, reeve_supervisor_pid(supervisor));
	}
}

/*
 * What the group got before the program was made, the program did not get; the witness did not
 * either, when it is made later. What comes between the two is pending in both, and merges with
 * the one that we forward, because the program still blocks it.
 */
void cli_jobs_before_exec(void *data, pid_t program)
{
	struct cli_jobs *jobs = data;

	(void)program;
	jobs->witness = cli_witness_new();
}

void cli_jobs_end(struct cli_jobs *jobs)
{
	cli_witness_free(jobs->witness);
	jobs->witness = NULL;
}
