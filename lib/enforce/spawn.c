/* SPDX-License-Identifier: MIT */
/* A program under a plan as a child, without a supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include "base/error.h"
#include "base/options.h"
#include "enforce/child.h"
#include "enforce/fds.h"
#include "enforce/launch.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"

enum step { STEP_FDS = 1, STEP_LANDLOCK, STEP_FILTER, STEP_EXEC };

/* What the child says before it gives up. */
struct report {
	int32_t step, code;
};

struct spawn {
	const struct reeve_plan *plan;
	char *const *argv;
	const struct reeve_exec_options *exec;
	sigset_t mask;
	bool has_mask, want_pidfd;
	struct reeve_error *err;
	struct rv_launch launch;
	int report[2];
	pid_t pid; /* or a negative errno */
	int pidfd;
};

/* ------------------------------------------------------------------------- the child */

static __attribute__((noreturn)) void fail(int fd, enum step step, int code)
{
	struct report report = {step, code};

	_exit(write(fd, &report, sizeof(report)) < 0 ? 126 : 127);
}

static int set_filter(const struct reeve_plan *plan)
{
	struct sock_fprog program = {(unsigned short)plan->filter_length, plan->filter};

	return plan->filter_length ? rv_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) : 0;
}

static int set_fds(struct spawn *spawn)
{
	const struct reeve_exec_options *options = &spawn->launch.options;
	int *const own[] = {&spawn->report[1], &spawn->launch.ruleset_fd};
	int r = options->keep_all_fds ? 0 : rv_fds_mark(options->keep_fds, options->keep_fds_count);

	return r ? r : rv_child_fds(options, own, RV_COUNT(own));
}

static __attribute__((noreturn)) void become(struct spawn *spawn)
{
	struct rv_launch *launch = &spawn->launch;
	sigset_t none;
	int r = set_fds(spawn);

	sigemptyset(&none);
	if (r)
		fail(spawn->report[1], STEP_FDS, r);
	rv_child_signals(&none);
	r = rv_restrict_landlock(spawn->plan, launch->options.restrict_flags, launch->ruleset_fd);
	if (r)
		fail(spawn->report[1], STEP_LANDLOCK, r);
	r = set_filter(spawn->plan);
	if (r < 0)
		fail(spawn->report[1], STEP_FILTER, r);
	sigprocmask(SIG_SETMASK, &spawn->mask, NULL);
	fail(spawn->report[1], STEP_EXEC, rv_launch_exec(launch));
}

/* ------------------------------------------------------------------------ the parent */

static int describe(const struct spawn *spawn, const struct report *report)
{
	switch (report->step) {
	case STEP_EXEC:
		return rv_launch_exec_error(&spawn->launch, report->code, spawn->err);
	case STEP_LANDLOCK:
		return rv_restrict_landlock_error(report->code, spawn->err);
	case STEP_FILTER:
		return rv_error(spawn->err, report->code, "cannot set the seccomp filter: %s",
			strerror(-report->code));
	default:
		return rv_error(spawn->err, report->code,
			"cannot set up the program's file descriptors: %s",
			strerror(-report->code));
	}
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* What is in the pipe was written before: an end of file would wait for whoever else was forked
 * meanwhile, and has the other end too. */
static int hear(const struct spawn *spawn)
{
	struct report report;

	if (read(spawn->report[0], &report, sizeof(report)) != (ssize_t)sizeof(report))
		return 0;
	reap(spawn->pid);
	return describe(spawn, &report);
}

static int open_pidfd(struct spawn *spawn)
{
	if (!spawn->want_pidfd)
		return 0;
	spawn->pidfd = rv_pidfd_open(spawn->pid);
	if (spawn->pidfd >= 0)
		return 0;
	kill(spawn->pid, SIGKILL); /* not reaped yet: it is ours */
	reap(spawn->pid);
	return rv_error(spawn->err, spawn->pidfd, "pidfd_open: %s", strerror(-spawn->pidfd));
}

/* CLONE_VFORK: this thread goes on once the child has executed its program, or ended. */
static int clone_child(struct spawn *spawn)
{
	int r;

	if (pipe2(spawn->report, O_CLOEXEC | O_NONBLOCK) < 0)
		return rv_error(spawn->err, -errno, "cannot start a process: %s", strerror(errno));
	spawn->pid = rv_child_clone(CLONE_VFORK);
	if (spawn->pid == 0)
		become(spawn);
	close(spawn->report[1]);
	if (spawn->pid < 0)
		return rv_error(spawn->err, spawn->pid, "cannot start a process: %s",
			strerror(-spawn->pid));
	r = hear(spawn);
	return r ? r : open_pidfd(spawn);
}

static int start(struct spawn *spawn)
{
	int r = rv_launch_init(&spawn->launch, spawn->plan, spawn->argv, spawn->exec, spawn->err);

	spawn->report[0] = -1;
	if (r == 0)
		r = rv_plan_in_place(spawn->plan, spawn->err);
	if (r == 0)
		r = rv_child_check_fds(&spawn->launch.options, spawn->err);
	if (r == 0)
		r = rv_launch_prepare(&spawn->launch, spawn->err);
	if (r == 0)
		r = rv_launch_ruleset(&spawn->launch, spawn->err);
	if (r == 0)
		r = clone_child(spawn);
	rv_close_p(&spawn->report[0]);
	if (r)
		rv_launch_undo(&spawn->launch);
	rv_launch_release(&spawn->launch);
	return r;
}

/* With a working directory of its own; all signals blocked, as the child begins with that mask. */
static void *spawner(void *arg)
{
	struct spawn *spawn = arg;
	int r;

	if (unshare(CLONE_FS) < 0)
		r = rv_error(spawn->err, -errno, "unshare: %s", strerror(errno));
	else
		r = start(spawn);
	if (r)
		spawn->pid = r;
	return NULL;
}

static int run_spawner(struct spawn *spawn)
{
	sigset_t all, saved;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	if (!spawn->has_mask)
		spawn->mask = saved;
	r = pthread_create(&thread, NULL, spawner, spawn);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (r)
		return rv_error(spawn->err, -r, "cannot start a thread: %s", strerror(r));
	pthread_join(thread, NULL);
	return 0;
}

pid_t reeve_plan_spawn(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_spawn_options *options, int *ret_pidfd, struct reeve_error *err)
{
	struct reeve_spawn_options known = {0};
	struct spawn spawn = {.plan = plan,
		.argv = argv,
		.want_pidfd = ret_pidfd != NULL,
		.pidfd = -1,
		.err = err};
	int r = rv_options_take(&known, sizeof(known), options, err);

	if (r)
		return r;
	spawn.exec = known.exec;
	spawn.has_mask = known.signal_mask != NULL;
	if (known.signal_mask)
		spawn.mask = *known.signal_mask;
	r = run_spawner(&spawn);
	if (r || spawn.pid < 0)
		return r ? r : spawn.pid;
	if (ret_pidfd)
		*ret_pidfd = spawn.pidfd;
	return spawn.pid;
}
