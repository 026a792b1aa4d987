/* SPDX-License-Identifier: MIT */
/*
 * Standing between a shell and a program so that neither notices: signals and job control.
 *
 * The program stays in our process group, so what the terminal sends (Ctrl-C, Ctrl-Z, SIGWINCH)
 * reaches it without us. We survive that, and when the program stops, we stop, so that the shell
 * sees it. What is sent to our pid alone is forwarded.
 */
#include <errno.h>
#include <fcntl.h>
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
	/* Orphans of the program come to us, so that they can be told from others and reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	take_sigchld(jobs);
	jobs->has_terminal = has_terminal();
	sigemptyset(&jobs->waited);
	sigaddset(&jobs->waited, SIGCHLD);
	for (size_t i = 0; i < CLI_COUNT(forwarded); i++)
		sigaddset(&jobs->waited, forwarded[i]);
	sigprocmask(SIG_BLOCK, &jobs->waited, &jobs->mask);
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

/* The state is the field after the name, which may contain anything. */
static bool is_stopped(pid_t pid)
{
	char path[32], text[512], *end;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] && end[2] == 'T';
}

/*
 * The terminal signals a process group; the program has it already when it is in ours. A kill(2) of
 * our pid is for the program. (One of the whole group reaches it twice.)
 */
static void forward(const siginfo_t *info, pid_t program)
{
	bool has_it = getpgid(program) == getpgrp();

	/* A shell continues the group; whoever continues only us leaves the program stopped. */
	if (info->si_signo == SIGCONT)
		has_it = has_it && !is_stopped(program);
	else
		has_it = has_it && info->si_code == SI_KERNEL;
	if (!has_it)
		kill(program, info->si_signo);
}

/* What a shell would see if the program were its child: a stopped job. */
static void stop_too(const struct cli_jobs *jobs)
{
	if (!jobs->has_terminal)
		return; /* nobody watches jobs; stopped, we could answer no trapped call */
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
		if (r > 0)
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
			forward(&info, reeve_supervisor_pid(supervisor));
	}
}
