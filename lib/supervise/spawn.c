/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/child.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "supervise/spawn.h"

/* ------------------------------------------------------------------ the extra layer */

/*
 * The program's own layer: signals stay below it, and the connector cannot be traced from it. A
 * layer that does not handle refer turns every rename across directories into EXDEV where a layer
 * above it handles the file system, so this one grants it everywhere. Never abstract sockets: those
 * that the connector makes would be foreign.
 */
static struct rv_landlock_ruleset_attr layer_attr(const struct reeve_plan *plan)
{
	struct rv_landlock_ruleset_attr attr = {0};
	struct reeve_rights handled = rv_plan_enforced(plan);

	if (handled.of[REEVE_FS])
		attr.handled_access_fs = plan->kernel.rights.of[REEVE_FS] & REEVE_FS_REFER;
	attr.scoped = handled.of[REEVE_SCOPE] & REEVE_SCOPE_SIGNAL;
	/* Without either, any layer does: it only has to be one more. */
	if (!attr.handled_access_fs && !attr.scoped)
		attr.handled_access_fs = REEVE_FS_MAKE_BLOCK;
	return attr;
}

static int grant_on_root(int ruleset_fd, uint64_t allowed)
{
	struct rv_landlock_path_beneath_attr rule = {.allowed_access = allowed};
	int rv_autoclose root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	rule.parent_fd = root;
	return rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int make_layer(const struct reeve_plan *plan, int *ret, struct reeve_error *err)
{
	struct rv_landlock_ruleset_attr attr = layer_attr(plan);
	size_t size = attr.scoped ? offsetof(struct rv_landlock_ruleset_attr, quiet_access_fs)
				  : offsetof(struct rv_landlock_ruleset_attr, handled_access_net);
	int rv_autoclose fd = rv_landlock_create_ruleset(&attr, size, 0);
	int r = fd;

	if (fd >= 0 && attr.handled_access_fs)
		r = grant_on_root(fd, attr.handled_access_fs);
	if (r < 0)
		return rv_error(err, r, "the program's own Landlock layer: %s", strerror(-r));
	*ret = rv_steal_fd(&fd);
	return 0;
}

/* --------------------------------------------------------------------- before */

static int make_pair(int *ret_ours, int *ret_theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

static int open_descriptors(struct rv_spawn *spawn)
{
	int r = make_pair(&spawn->connector_fd, &spawn->connector_fds.command);

	if (r == 0)
		r = make_pair(&spawn->program_fd, &spawn->program_child_fd);
	if (r)
		return r;
	spawn->supervisor = getpid();
	spawn->connector_fds.supervisor = rv_pidfd_open(spawn->supervisor);
	if (spawn->connector_fds.supervisor < 0)
		return spawn->connector_fds.supervisor;
	spawn->connector_fds.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return spawn->connector_fds.proc < 0 ? -errno : 0;
}

int rv_spawn_prepare(struct rv_spawn *spawn, struct reeve_error *err)
{
	const struct reeve_exec_options *options = &spawn->launch->options;
	int r;

	spawn->connector_fd = spawn->program_pidfd = spawn->listener = -1;
	spawn->layer_fd = spawn->program_fd = spawn->program_child_fd = -1;
	spawn->connector_fds = (struct rv_connector_fds){-1, -1, -1};
	r = rv_child_check_fds(options, err);
	if (r == 0)
		r = make_layer(spawn->launch->plan, &spawn->layer_fd, err);
	if (r)
		return r;
	r = open_descriptors(spawn);
	return r ? rv_error(err, r, "cannot prepare a supervised program: %s", strerror(-r)) : 0;
}

/* --------------------------------------------------------------------- starting */

static int describe_failure(const struct rv_report *report, struct reeve_error *err)
{
	static const char *const what[] = {
		[RV_STEP_FDS] = "cannot close file descriptors",
		[RV_STEP_CLONE] = "cannot start a process",
		[RV_STEP_FILTER] = "cannot set the seccomp filter",
	};
	int code = report->code ? report->code : -EPROTO;

	if (report->step == RV_STEP_FLOOR || report->step == RV_STEP_LAYER)
		return rv_restrict_landlock_error(code, err);
	if (report->step > 0 && (size_t)report->step < RV_COUNT(what) && what[report->step])
		return rv_error(err, code, "%s: %s", what[report->step], strerror(-code));
	return rv_error(err, -EPROTO, "the program ended before it was started");
}

static int listen_to(int fd, struct rv_report *report)
{
	ssize_t n;

	memset(report, 0, sizeof(*report));
	do
		n = read(fd, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	return n == sizeof(*report) ? 1 : 0;
}

/* A report of this step, else its failure in words. */
static int expect(int fd, enum rv_step step, struct rv_report *report, struct reeve_error *err)
{
	listen_to(fd, report);
	return report->step == (int)step ? 0 : describe_failure(report, err);
}

static int fetch_listener(struct rv_spawn *spawn, int number, struct reeve_error *err)
{
	int fd = rv_pidfd_getfd(spawn->program_pidfd, number), code = fd;

	if (fd >= 0) {
		spawn->listener = fd;
		return 0;
	}
	rv_error(err, code, "cannot fetch the seccomp listener (pidfd_getfd): %s", strerror(-code));
	rv_error_hint(err, "inside a container, its seccomp profile must allow pidfd_getfd(2); "
			   "--static needs none of it");
	return code;
}

static void close_child_ends(struct rv_spawn *spawn)
{
	int *const fds[] = {&spawn->layer_fd, &spawn->program_child_fd,
		&spawn->connector_fds.command, &spawn->connector_fds.supervisor,
		&spawn->connector_fds.proc};

	for (size_t i = 0; i < RV_COUNT(fds); i++) {
		rv_close_p(fds[i]);
		*fds[i] = -1;
	}
}

int rv_spawn_start(struct rv_spawn *spawn, struct reeve_error *err)
{
	spawn->connector = rv_child_clone(0);
	if (spawn->connector == 0)
		rv_spawn_child(spawn);
	close_child_ends(spawn);
	if (spawn->connector < 0)
		return rv_error(err, spawn->connector, "cannot start a process: %s",
			strerror(-spawn->connector));
	return 0;
}

int rv_spawn_await(struct rv_spawn *spawn, struct reeve_error *err)
{
	struct rv_report report;
	int r = expect(spawn->connector_fd, RV_STEP_READY, &report, err);

	if (r)
		return r;
	spawn->program = report.value;
	spawn->can_kill = report.code;
	spawn->program_pidfd = rv_pidfd_open(spawn->program);
	if (spawn->program_pidfd < 0)
		return rv_error(err, spawn->program_pidfd, "pidfd_open: %s",
			strerror(-spawn->program_pidfd));
	r = expect(spawn->program_fd, RV_STEP_LISTENER, &report, err);
	return r ? r : fetch_listener(spawn, report.value, err);
}

#define PF_FORKNOEXEC                                                                              \
	0x40u /* the kernel's, in /proc/PID/stat: forked, and nothing executed yet                 \
	       */

/* Also true for one that ended. */
static bool has_executed(pid_t pid)
{
	rv_autoclose int fd = -1;
	char path[32], text[512], state;
	unsigned int flags;
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return true;
	text[n] = '\0';
	end = strrchr(text, ')'); /* the name before it may contain anything */
	if (!end || sscanf(end, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return true;
	return state == 'Z' || state == 'X' || !(flags & PF_FORKNOEXEC);
}

/*
 * 1: a report. 0: the program's end was closed by its exec. A process that the embedding program
 * forks meanwhile has a copy of that end and may keep it, so the end of file may never come.
 */
static int listen_for_exec(const struct rv_spawn *spawn, struct rv_report *report)
{
	struct pollfd ready = {.fd = spawn->program_fd, .events = POLLIN};

	while (poll(&ready, 1, 10) == 0) {
		/* What it said, it said before. */
		if (has_executed(spawn->program) && poll(&ready, 1, 0) == 0)
			return 0;
	}
	return listen_to(spawn->program_fd, report);
}

int rv_spawn_go(struct rv_spawn *spawn, struct reeve_error *err)
{
	struct rv_report report;

	if (send(spawn->program_fd, spawn->variable, RV_SPAWN_SIZE, MSG_NOSIGNAL) ==
			(ssize_t)RV_SPAWN_SIZE &&
		!listen_for_exec(spawn, &report))
		return 0; /* closed by its exec, or it was killed meanwhile: a run that ended */
	if (report.step == RV_STEP_EXEC)
		return rv_launch_exec_error(spawn->launch, report.code, err);
	return describe_failure(&report, err);
}

/* ----------------------------------------------------------------------- ending */

static void reap(pid_t pid)
{
	siginfo_t info;

	while (pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL) < 0 && errno == EINTR)
		;
}

void rv_spawn_abort(struct rv_spawn *spawn)
{
	int *const fds[] = {&spawn->connector_fd, &spawn->program_pidfd, &spawn->listener};

	if (spawn->program > 0)
		kill(spawn->program, SIGKILL); /* our child, and not reaped yet */
	rv_spawn_release(spawn);
	for (size_t i = 0; i < RV_COUNT(fds); i++) {
		rv_close_p(fds[i]);
		*fds[i] = -1;
	}
	reap(spawn->program);
	reap(spawn->connector);
}

void rv_spawn_release(struct rv_spawn *spawn)
{
	close_child_ends(spawn);
	rv_close_p(&spawn->program_fd);
	spawn->program_fd = -1;
}
