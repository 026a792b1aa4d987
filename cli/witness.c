/* SPDX-License-Identifier: MIT */
/*
 * A process of our own in our process group that does nothing but tell which signals it got too.
 *
 * A signal that was sent to us may have been sent to us alone (`kill PID`), then the program needs
 * to hear of it, or to our whole process group (`kill %1`, Ctrl-C), then the program has it
 * already. What came with a signal does not say which: the sender and the code are the same. But
 * another process of the group has it, or has not.
 *
 * It blocks all signals, so what it got stays pending until it is asked. Linux sends to the members
 * of a group one after the other with the list of tasks locked, and we may be woken before the
 * witness had its turn; setpgid(2) takes the same lock for writing, so once that returned, everyone
 * had theirs.
 *
 * Two equal signals of which one comes just between our look at ours and at its own merge there and
 * not here: then the program gets one more. None is ever lost.
 *
 * It shares our memory and descriptors (a clone costs microseconds, and no pipe stays open for its
 * sake), and our thread's errno: so it calls only what cannot fail while we look at it.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "supervised.h"

#define STACK_SIZE 16384

struct cli_witness {
	atomic_int question; /* a signal's number; 0: answered */
	bool answer;
	pid_t pid, parent;
	char stack[STACK_SIZE] __attribute__((aligned(16)));
};

/* Sleeps while the question is still `value`, but not for ever: the other one may have died. */
static void wait_while(struct cli_witness *w, int value)
{
	struct timespec longest = {.tv_sec = value ? 0 : 3600, .tv_nsec = value ? 100000000 : 0};

	syscall(SYS_futex, &w->question, FUTEX_WAIT, value, &longest, NULL, 0);
}

static void put(struct cli_witness *w, int value)
{
	atomic_store(&w->question, value);
	syscall(SYS_futex, &w->question, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Takes it, so that the next question is about the next signal. */
static bool take(int sig)
{
	sigset_t pending, wanted;

	sigemptyset(&pending);
	sigpending(&pending);
	if (sigismember(&pending, sig) != 1)
		return false;
	sigemptyset(&wanted);
	sigaddset(&wanted, sig);
	syscall(SYS_rt_sigtimedwait, &wanted, NULL, NULL, (size_t)_NSIG / 8);
	return true;
}

static int witness(void *data)
{
	struct cli_witness *w = data;

	prctl(PR_SET_NAME, "reeve-witness", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while (getppid() == w->parent) {
		int sig = atomic_load(&w->question);

		if (!sig) {
			wait_while(w, 0);
			continue;
		}
		w->answer = take(sig);
		put(w, 0);
	}
	return 0;
}

struct cli_witness *cli_witness_new(void)
{
	struct cli_witness *w = calloc(1, sizeof(*w));
	sigset_t all, saved;

	if (!w)
		return NULL;
	w->parent = getpid();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	/* No exit signal: waiting for any child does not find it. */
	w->pid = clone(witness, w->stack + STACK_SIZE, CLONE_VM | CLONE_FILES | CLONE_FS, w);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (w->pid > 0)
		return w;
	free(w);
	return NULL;
}

/* Only SIGKILL can end it before us. */
static bool is_dead(struct cli_witness *w)
{
	if (w->pid > 0 && waitpid(w->pid, NULL, WNOHANG | __WCLONE) != 0)
		w->pid = 0;
	return w->pid == 0;
}

static bool question(struct cli_witness *w, int sig)
{
	put(w, sig);
	while (atomic_load(&w->question)) {
		wait_while(w, sig);
		if (atomic_load(&w->question) && is_dead(w))
			return false;
	}
	return w->answer;
}

bool cli_witness_ask(struct cli_witness *w, int sig)
{
	if (is_dead(w))
		return false;
	/* Our shell may have moved us meanwhile: then it comes along. And see above. */
	setpgid(w->pid, getpgrp());
	if (cli_is_stopped(w->pid)) { /* the group was stopped, and then we alone continued */
		if (sig == SIGCONT)
			return false;
		kill(w->pid, SIGCONT);
		question(w, SIGCONT); /* that was ours */
	}
	return question(w, sig);
}

void cli_witness_free(struct cli_witness *w)
{
	if (!w)
		return;
	if (!is_dead(w))
		kill(w->pid, SIGKILL);
	while (w->pid && waitpid(w->pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
	free(w);
}
