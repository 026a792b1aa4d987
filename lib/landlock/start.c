/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/seccomp.h>
#include "enforce/child.h"
#include "enforce/fds.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "landlock/compat.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"
#include "landlock/start.h"
#include "model/feature.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define KCMP_VM 1

/* ------------------------------------------------------------------------ may it work */

/* A vfork(2) child: what is undone for it here would be undone for its parent. Where the kernel
 * does not tell, the parent loses its power over the supervisor ruleset, and nothing else. */
static bool shares_memory(void)
{
	return syscall(SYS_kcmp, getpid(), getppid(), KCMP_VM, 0, 0) == 0;
}

int rv_supervision_probe(struct reeve_kernel *ret)
{
	*ret = (struct reeve_kernel){.size = sizeof(*ret)};
	return reeve_kernel_probe(ret);
}

const char *rv_supervision_lacks(const struct reeve_kernel *kernel)
{
	uint64_t effective, permitted;

	if (kernel->listener_taken)
		return "this process is in a supervised domain already, and there is one listener "
		       "for each process";
	if (rv_capget(0, &effective, &permitted) == 0 && (permitted & ~effective))
		return "it has capabilities that are permitted and not in effect: no process like "
		       "it may look at its memory";
	if (kernel->yama >= 1 && !rv_may_trace())
		return "kernel.yama.ptrace_scope lets no process but an ancestor look at another, "
		       "without CAP_SYS_PTRACE; `reeve run` works";
	return rv_supervisor_lacks(kernel);
}

/* One end of a datagram pair, and any datagram socket, sends to whatever path it likes. */
static bool has_datagram_socket(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	bool found = !dir;

	while (!found && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		found = rv_fds_refuse(RV_FD_UNIX_DATAGRAM, &fd, 1, NULL) < 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static const char *refused(const struct rv_start_how *how)
{
	struct reeve_kernel kernel;

	if (rv_single_threaded() != 1)
		return "a supervised domain cannot be entered by one thread of several: fork "
		       "first, or restrict before the first thread is started";
	if (shares_memory())
		return "a vfork child shares its parent's memory: use fork, or restrict after exec";
	if ((how->sockets & RV_SOCKETS_UNIX) && has_datagram_socket())
		return "a UNIX datagram socket is open, which can send to any path: close it first";
	if (rv_supervision_probe(&kernel) < 0)
		return "out of memory or descriptors";
	return rv_supervision_lacks(&kernel);
}

/* --------------------------------------------------------------------------- starting */

struct start {
	int socket;
	pid_t supervisor;
	struct rv_start_connector connector;
	sigset_t mask;
	bool subreaper;
};

/* A subreaper would become the supervisor's parent, and see it in its wait(-1). */
static void begin(struct start *start)
{
	sigset_t all;
	int is_subreaper = 0;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &start->mask);
	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
	start->subreaper = is_subreaper;
	if (is_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void end(const struct start *start)
{
	if (start->subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigprocmask(SIG_SETMASK, &start->mask, NULL);
}

int rv_start_process(void (*run)(const void *data), const void *data)
{
	pid_t pid = rv_child_clone(0);

	if (pid == 0) {
		pid = rv_child_clone(0);
		if (pid == 0)
			run(data);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return pid < 0 ? pid : 0;
}

static void become_supervisor(const void *data)
{
	rv_landlock_supervisor(data);
}

static int hear(int fd, struct rv_start_report *ret)
{
	ssize_t n;

	do
		n = recv(fd, ret, sizeof(*ret), 0);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*ret)) {
		ret->why[sizeof(ret->why) - 1] = '\0';
		return ret->code;
	}
	*ret = (struct rv_start_report){
		.code = -EAGAIN, .why = "the supervisor could not be started"};
	return -EAGAIN;
}

static int start_supervisor(struct start *start, const struct rv_start_how *how)
{
	struct rv_start_child child = {.handle = how->handle,
		.spec = how->spec,
		.caller = getpid(),
		.sockets = how->sockets};
	struct rv_start_report report;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return rv_compat_errno(errno);
	start->socket = pair[0];
	child.socket = pair[1];
	child.caller_socket = pair[0];
	r = rv_start_process(become_supervisor, &child);
	close(pair[1]);
	if (r < 0)
		return rv_compat_errno(-r);
	r = hear(start->socket, &report);
	start->supervisor = report.pid;
	return r < 0 ? rv_compat_fail(-r, "%s", report.why) : 0;
}

/* ------------------------------------------------------------------------- restricting */

static int hand_over(const struct start *start, int listener)
{
	const struct rv_start_numbers numbers = {listener, start->connector.command};
	struct rv_start_report report;
	int r;

	if (send(start->socket, &numbers, sizeof(numbers), MSG_NOSIGNAL) != sizeof(numbers))
		return rv_compat_fail(EAGAIN, "the supervisor is gone");
	r = hear(start->socket, &report);
	return r < 0 ? rv_compat_fail(-r, "%s", report.why) : 0;
}

/*
 * Landlock first: its calls are refused by the filter. What fails after it leaves the caller
 * restricted to the static rules, which is all that an error could mean.
 */
static int restrict_by_kernel(struct start *start, const struct rv_start_how *how)
{
	int r = how->handle->ruleset_fd < 0
			? 0
			: rv_landlock_restrict_self(how->handle->ruleset_fd, how->flags);

	if (r == 0 && (how->sockets & RV_SOCKETS_PERFORMED))
		r = rv_start_connector(&start->connector, start->supervisor, how->flags);
	return rv_compat_result(r);
}

static int restrict_with(struct start *start, const struct rv_start_how *how)
{
	rv_autoclose int listener = -1;

	if (restrict_by_kernel(start, how))
		return -1;
	listener = rv_seccomp(SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		(void *)(uintptr_t)how->filter);
	rv_registry_drop();
	if (listener < 0)
		return rv_compat_fail(
			-listener, "the seccomp filter was refused; the static rules are in force");
	return hand_over(start, listener);
}

static int prepare(struct start *start, const struct rv_start_how *how)
{
	int r = how->sockets & RV_SOCKETS_PERFORMED ? rv_start_connector_prepare(&start->connector)
						    : 0;

	return r < 0 ? rv_compat_fail(-r, "the connector cannot be prepared") : 0;
}

int rv_start_supervised(const struct rv_start_how *how)
{
	struct start start = {.socket = -1, .connector = RV_START_CONNECTOR_NONE};
	const char *why = refused(how);
	int r, saved;

	if (why)
		return rv_compat_fail(ENOTSUP, "%s", why);
	begin(&start);
	r = prepare(&start, how);
	if (r == 0)
		r = start_supervisor(&start, how);
	if (r == 0)
		r = restrict_with(&start, how);
	saved = errno;
	rv_close_p(&start.socket);
	rv_start_connector_close(&start.connector);
	end(&start);
	errno = saved;
	return r;
}
