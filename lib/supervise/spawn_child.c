/* SPDX-License-Identifier: MIT */
/* Between clone and exec: system calls only, nothing that could wait for another thread's lock. */
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "enforce/fds.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "supervise/spawn.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

pid_t rv_spawn_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);

	return pid < 0 ? -errno : (pid_t)pid;
}

static __attribute__((noreturn)) void fail(int fd, enum rv_step step, int code)
{
	struct rv_report report = {.step = step, .code = code};

	if (write(fd, &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

/* Handlers are functions of a program that is not ours any more; what is ignored stays so. */
static void reset_signals(const sigset_t *ignored)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL}, ign = {.sa_handler = SIG_IGN}, old;

	for (int sig = 1; sig < _NSIG; sig++) {
		if (sigaction(sig, NULL, &old) < 0)
			continue;
		if (sigismember(ignored, sig) == 1)
			sigaction(sig, &ign, NULL);
		else if (old.sa_handler != SIG_IGN && old.sa_handler != SIG_DFL)
			sigaction(sig, &dfl, NULL);
	}
}

/* ---------------------------------------------------------------------- program */

static int set_filter(const struct reeve_plan *plan)
{
	struct sock_fprog program = {(unsigned short)plan->filter_length, plan->filter};

	return rv_seccomp(SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

/* Says where the listener is, and waits until the supervisor has it and receives. */
static void hand_over(int fd, int listener)
{
	struct rv_report report = {.step = RV_STEP_LISTENER, .value = listener};
	char go;

	if (write(fd, &report, sizeof(report)) != sizeof(report) || read(fd, &go, 1) != 1)
		_exit(127); /* the supervisor gave up */
	close(listener);
}

static __attribute__((noreturn)) void become_program(struct rv_spawn *spawn)
{
	const struct rv_launch *launch = spawn->launch;
	int fd = spawn->program_child_fd, r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have died before that: then our parent is another by now. */
	if (getppid() != spawn->supervisor)
		_exit(127);
	r = rv_restrict_landlock(launch->plan, launch->options.restrict_flags, spawn->layer_fd);
	if (r)
		fail(fd, RV_STEP_LAYER, r);
	r = set_filter(launch->plan);
	if (r < 0)
		fail(fd, RV_STEP_FILTER, r);
	hand_over(fd, r);
	sigprocmask(SIG_SETMASK, &spawn->mask, NULL);
	fail(fd, RV_STEP_EXEC, rv_launch_exec(launch));
}

/* -------------------------------------------------------------------- connector */

static int limit_fds(const struct reeve_exec_options *options)
{
	return options->keep_all_fds ? 0 : rv_fds_mark(options->keep_fds, options->keep_fds_count);
}

/*
 * The connector's kill(-1) is refused once for each process outside: the kernel's audit need not
 * hear of that. What the program does after its exec is another flag's.
 */
static unsigned int floor_flags(const struct rv_launch *launch)
{
	return launch->options.restrict_flags | REEVE_RESTRICT_LOG_SAME_EXEC_OFF;
}

void rv_spawn_child(struct rv_spawn *spawn)
{
	const struct rv_launch *launch = spawn->launch;
	int fd = spawn->connector_fds.command;
	pid_t program;
	int r = limit_fds(&launch->options);

	if (r)
		fail(fd, RV_STEP_FDS, r);
	reset_signals(&spawn->ignored);
	r = rv_restrict_landlock(launch->plan, floor_flags(launch), launch->ruleset_fd);
	if (r)
		fail(fd, RV_STEP_FLOOR, r);
	program = rv_spawn_clone(CLONE_PARENT);
	if (program == 0)
		become_program(spawn);
	if (program < 0)
		fail(fd, RV_STEP_CLONE, program);
	rv_connector_main(&spawn->connector_fds, spawn->supervisor, program);
}
