/* SPDX-License-Identifier: MIT */
/* The life of a supervisor, as supervisor.h has it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/options.h"
#include "kernel/sys.h"
#include "supervise/ask.h"
#include "supervise/deny.h"
#include "supervise/mover.h"
#include "supervise/session.h"
#include "supervise/sockets.h"

/* ---------------------------------------------------------------------- starting */

static int make_session(struct reeve_supervisor **ret)
{
	struct reeve_supervisor *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->board_fd = s->program_pidfd = s->listener = s->context.connector_fd =
		s->context.own_fds = -1;
	s->tmpdir = (struct rv_tmpdir)RV_TMPDIR_NONE;
	rv_workers_init(&s->workers);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0) {
		int r = -errno;

		rv_session_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* The keeper hears no signal: they are for the program that embeds us. */
static int run_keeper(struct rv_start *start)
{
	struct reeve_supervisor *s = start->supervisor;
	sigset_t all, saved;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	if (!start->options.signal_mask)
		start->mask = saved;
	r = pthread_create(&s->keeper, NULL, rv_keeper, start);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (r)
		return rv_error(start->err, -r, "cannot start a thread: %s", strerror(r));
	pthread_mutex_lock(&s->lock);
	while (!start->done)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	if (start->result)
		pthread_join(s->keeper, NULL);
	return start->result;
}

static int check_start(
	const struct reeve_plan *plan, const struct rv_start *start, struct reeve_error *err)
{
	const sigset_t *ignored = start->options.ignored_signals;
	struct sigaction chld;

	if (!plan->mode.supervised)
		return rv_error(err, -EINVAL, "the plan was not made for a supervisor");
	if (start->options.record && !plan->mode.record)
		return rv_error(err, -EINVAL, "the plan was not made for a record");
	sigaction(SIGCHLD, NULL, &chld);
	if (chld.sa_handler != SIG_IGN && !(chld.sa_flags & SA_NOCLDWAIT))
		return 0;
	rv_error(err, -EINVAL, "SIGCHLD is ignored, so nobody could tell how the program ended");
	rv_error_hint(err, "set it to SIG_DFL%s",
		ignored ? "" : "; the program can still ignore it: ignored_signals");
	return -EINVAL;
}

int reeve_supervisor_start(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_supervisor_options *options, struct reeve_supervisor **ret,
	struct reeve_error *err)
{
	struct rv_start start = {
		.plan = plan, .argv = argv, .err = err, .options.sync_wake_up = -1};
	int r = rv_options_take(&start.options, sizeof(start.options), options, err);

	if (r)
		return r;
	if (start.options.signal_mask)
		start.mask = *start.options.signal_mask;
	r = check_start(plan, &start, err);
	if (r)
		return r;
	r = make_session(&start.supervisor);
	if (r)
		return rv_error(err, r, "cannot supervise: %s", strerror(-r));
	start.supervisor->live = (plan->spec.traps & RV_TRAP_FS) || !plan->mode.no_events;
	start.supervisor->context.permissive = plan->mode.permissive;
	start.supervisor->context.record = start.options.record;
	r = run_keeper(&start);
	if (r) {
		rv_session_free(start.supervisor);
		return r;
	}
	*ret = start.supervisor;
	return 0;
}

uint64_t reeve_supervisor_domain(const struct reeve_supervisor *s)
{
	return s->context.domain;
}

pid_t reeve_supervisor_pid(const struct reeve_supervisor *s)
{
	return s->program;
}

int reeve_supervisor_pidfd(const struct reeve_supervisor *s)
{
	return s->program_pidfd;
}

int reeve_supervisor_set_sync(struct reeve_supervisor *s, bool sync_wake_up)
{
	return rv_notify_set_sync(s->notify, sync_wake_up);
}

/* ----------------------------------------------------------------------- waiting */

static int to_status(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return W_EXITCODE(info->si_status, 0);
	case CLD_DUMPED:
		return W_EXITCODE(0, info->si_status) | WCOREFLAG;
	case CLD_KILLED:
		return W_EXITCODE(0, info->si_status);
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return W_STOPCODE(info->si_status);
	}
}

/* No task has the filter any more: nobody is left in the domain. */
static bool is_over(const struct reeve_supervisor *s)
{
	struct pollfd listener = {.fd = s->listener};

	return poll(&listener, 1, 0) > 0 && (listener.revents & (POLLHUP | POLLERR));
}

/*
 * Where nobody is left to be killed, the connector need not look, and its end takes a quarter of a
 * millisecond, meanwhile. It is our child, and not reaped before end_connector().
 */
static void end_empty(struct reeve_supervisor *s)
{
	if (is_over(s))
		kill(s->context.connector_pid, SIGKILL);
}

static void program_ended(struct reeve_supervisor *s, int status)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_EXIT, .pid = s->program, .tid = s->program, .status = status};

	pthread_mutex_lock(&s->lock);
	s->reaped = true;
	s->status = status;
	pthread_mutex_unlock(&s->lock);
	end_empty(s);
	rv_events_put(s->context.events, &event);
}

/*
 * The program asked its parent to trace it (PTRACE_TRACEME). Nobody here does: it goes on, with the
 * signal that stopped it. Only the thread that is its parent may say so.
 */
static void detach(struct reeve_supervisor *s, int sig)
{
	pthread_mutex_lock(&s->lock);
	s->detach = s->program;
	s->detach_signal = sig == SIGTRAP ? 0 : sig;
	rv_session_wake(s);
	while (s->detach)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static int wait_options(int flags)
{
	return WEXITED | __WALL | (flags & WNOHANG) | (flags & WUNTRACED ? WSTOPPED : 0) |
	       (flags & WCONTINUED);
}

/* Whether it was reaped before, and how it ended. */
static bool was_reaped(struct reeve_supervisor *s, int *ret_status)
{
	bool reaped;

	pthread_mutex_lock(&s->lock);
	reaped = s->reaped;
	if (reaped && ret_status)
		*ret_status = s->status;
	pthread_mutex_unlock(&s->lock);
	return reaped;
}

int reeve_supervisor_wait(struct reeve_supervisor *s, int flags, int *ret_status)
{
	siginfo_t info = {0};
	int status;

	do {
		if (was_reaped(s, ret_status))
			return s->program;
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)s->program, &info, wait_options(flags)) < 0) {
			/* Another thread was first? */
			if (errno == ECHILD && was_reaped(s, ret_status))
				return s->program;
			return -errno;
		}
		if (info.si_pid == 0)
			return 0;
		if (info.si_code == CLD_TRAPPED)
			detach(s, info.si_status & 0x7f);
	} while (info.si_code == CLD_TRAPPED);
	status = to_status(&info);
	if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		program_ended(s, status);
	if (ret_status)
		*ret_status = status;
	return s->program;
}

/* ----------------------------------------------------------------------- killing */

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512], *end;
	rv_autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	end = strrchr(text, ')'); /* the name before it may contain anything */
	return end && end[1] && end[2] && end[3] ? atoi(end + 4) : -1;
}

/* A pid may be reused at any time: the pidfd is held while its parent is asked for. */
static int kill_child(pid_t child, pid_t parent)
{
	rv_autoclose int fd = rv_pidfd_open(child);

	if (fd < 0 || parent_of(child) != parent)
		return 0;
	return rv_pidfd_kill(fd, SIGKILL) == 0;
}

/* The children of a process, and theirs first. Those that lost their parent are not found so. */
static int kill_below(pid_t pid, unsigned int depth)
{
	char path[64], word[16];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = depth < 64 ? fopen(path, "re") : NULL;
	while (file && fscanf(file, "%15s", word) == 1) {
		pid_t child = atoi(word);

		count += kill_below(child, depth + 1);
		count += kill_child(child, pid);
	}
	if (file)
		fclose(file);
	return count;
}

/* Without the connector, or without a signal scope to hold it. */
static int kill_without(struct reeve_supervisor *s)
{
	if (was_reaped(s, NULL))
		return 0;
	return kill_below(s->program, 0) + (rv_pidfd_kill(s->program_pidfd, SIGKILL) == 0);
}

static int command_signal(struct reeve_supervisor *s, int sig)
{
	return s->can_kill ? rv_workers_signal(&s->workers, sig) : -EPERM;
}

int rv_session_kill(struct reeve_supervisor *s)
{
	int r = command_signal(s, SIGKILL);

	return r < 0 ? kill_without(s) : r;
}

void reeve_supervisor_kill(struct reeve_supervisor *s)
{
	rv_session_kill(s);
}

int reeve_supervisor_stop(struct reeve_supervisor *s)
{
	return command_signal(s, SIGSTOP);
}

int reeve_supervisor_continue(struct reeve_supervisor *s)
{
	return command_signal(s, SIGCONT);
}

/* ------------------------------------------------------------------------ ending */

/* How many were killed besides the program. -ECHILD: by who cannot name them all. */
static int kill_rest(struct reeve_supervisor *s)
{
	bool running = !was_reaped(s, NULL);
	int r;

	if (!running && is_over(s))
		return 0;
	r = command_signal(s, SIGKILL);
	if (r < 0)
		kill_without(s);
	while (running && reeve_supervisor_wait(s, 0, NULL) == -EINTR)
		;
	if (r < 0)
		return is_over(s) ? 0 : -ECHILD;
	return running && r > 0 ? r - 1 : r;
}

static void stop_keeper(struct reeve_supervisor *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_mutex_unlock(&s->lock);
	end_empty(s);
	rv_session_wake(s);
	pthread_join(s->keeper, NULL);
}

static void end_connector(struct reeve_supervisor *s)
{
	siginfo_t info;

	rv_close_p(&s->context.connector_fd);
	s->context.connector_fd = -1;
	while (waitid(P_PID, (id_t)s->context.connector_pid, &info, WEXITED | __WALL) < 0 &&
		errno == EINTR)
		;
}

static void remove_tmpdir(struct reeve_supervisor *s)
{
	size_t budget = SIZE_MAX;

	if (s->tmpdir.parent_fd >= 0)
		rv_remove_tree(s->tmpdir.parent_fd, s->tmpdir.name, &budget);
	rv_tmpdir_close(&s->tmpdir);
}

void rv_session_free(struct reeve_supervisor *s)
{
	rv_ask_stop(s->context.ask);
	rv_notify_join(s->notify);
	rv_net_free(s->context.net);
	rv_sockets_free(s->context.sockets);
	rv_mover_free(s->context.mover);
	rv_workers_release(&s->workers);
	rv_ask_free(s->context.ask);
	rv_close_p(&s->listener);
	rv_close_p(&s->program_pidfd);
	rv_close_p(&s->context.connector_fd);
	rv_close_p(&s->wake_fd);
	rv_context_release(&s->context);
	if (s->context.events)
		rv_events_free(s->context.events);
	if (s->context.judge)
		rv_judge_free(s->context.judge);
	rv_deny_free(s->context.deny);
	rv_board_free(s->board);
	rv_close_p(&s->board_fd);
	remove_tmpdir(s);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int reeve_supervisor_end(struct reeve_supervisor *s)
{
	int left;

	if (!s)
		return 0;
	left = kill_rest(s);
	stop_keeper(s);
	end_connector(s);
	rv_net_stop(s->context.net);
	rv_session_free(s);
	return left;
}
