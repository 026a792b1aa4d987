/* SPDX-License-Identifier: MIT */
/* Between clone and exec: system calls only, nothing that could wait for another thread's lock. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "enforce/child.h"
#include "enforce/fds.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "supervise/spawn.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static __attribute__((noreturn)) void fail(int fd, enum rv_step step, int code)
{
	struct rv_report report = {.step = step, .code = code};

	if (write(fd, &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

/* ---------------------------------------------------------------------- program */

static int set_filter(const struct reeve_plan *plan)
{
	struct sock_fprog program = {(unsigned short)plan->filter_length, plan->filter};

	return rv_seccomp(SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

/* The array is a copy of the supervisor's, as all memory here. */
static void set_domain(char **envp, char *variable)
{
	for (; *envp; envp++)
		if (strcmp(*envp, RV_SPAWN_VARIABLE) == 0)
			*envp = variable;
}

/* Says where the listener is, and waits until the supervisor has it and receives. */
static void hand_over(int fd, int listener, char variable[RV_SPAWN_SIZE])
{
	struct rv_report report = {.step = RV_STEP_LISTENER, .value = listener};

	if (write(fd, &report, sizeof(report)) != sizeof(report) ||
		read(fd, variable, RV_SPAWN_SIZE) != (ssize_t)RV_SPAWN_SIZE)
		_exit(127); /* the supervisor gave up */
	close(listener);
}

static __attribute__((noreturn)) void become_program(struct rv_spawn *spawn)
{
	const struct rv_launch *launch = spawn->launch;
	int *const own[] = {&spawn->program_child_fd, &spawn->layer_fd};
	char variable[RV_SPAWN_SIZE];
	int fd = spawn->program_child_fd, r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have died before that: then our parent is another by now. */
	if (getppid() != spawn->supervisor)
		_exit(127);
	r = rv_child_fds(&launch->options, own, RV_COUNT(own));
	fd = spawn->program_child_fd;
	if (r)
		fail(fd, RV_STEP_FDS, r);
	r = rv_restrict_landlock(launch->plan, launch->options.restrict_flags, spawn->layer_fd);
	if (r)
		fail(fd, RV_STEP_LAYER, r);
	r = set_filter(launch->plan);
	if (r < 0)
		fail(fd, RV_STEP_FILTER, r);
	hand_over(fd, r, variable);
	set_domain(launch->own_envp, variable);
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
	rv_child_signals(&spawn->ignored);
	r = rv_restrict_landlock(launch->plan, floor_flags(launch), launch->ruleset_fd);
	if (r)
		fail(fd, RV_STEP_FLOOR, r);
	program = rv_child_clone(CLONE_PARENT);
	if (program == 0)
		become_program(spawn);
	if (program < 0)
		fail(fd, RV_STEP_CLONE, program);
	rv_connector_main(&spawn->connector_fds, spawn->supervisor, program);
}
