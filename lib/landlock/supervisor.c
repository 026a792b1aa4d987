/* SPDX-License-Identifier: MIT */
/*
 * The process that adds live rules to the domain of one that restricted itself. It was cloned from
 * that one before, so it has its credentials, root, and the domain it had until then; its judge is
 * rebuilt whenever the image's generation is another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "kernel/sys.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"
#include "landlock/start.h"
#include "supervise/mover.h"
#include "supervise/net.h"
#include "supervise/sockets.h"
#include "supervise/spawn.h"

/* Where what it inherits ends up; the rest of the first three is /dev/null. */
enum { FD_SOCKET, FD_RULESET, FD_COUNT };

struct supervisor {
	struct rv_context context;
	struct rv_workers workers; /* the connector's */
	unsigned int sockets;	   /* RV_SOCKETS_* */
	const struct rv_image *image;
	struct rv_records fixed; /* the static rules */
	pthread_mutex_t lock;	 /* guards the judge's rebuilding */
	_Atomic uint64_t seen;	 /* generation that the judge has */
};

/* ---------------------------------------------------------------------------- judging */

/* Rules for UNIX sockets count unless the scope is set, which knows no exceptions. */
static uint64_t judged_unix(const struct supervisor *s)
{
	bool scoped = s->image->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET;

	return (s->sockets & RV_SOCKETS_UNIX) && !scoped ? REEVE_FS_RESOLVE_UNIX : 0;
}

static int stage_one(
	struct rv_judge *judge, const struct rv_record *record, const struct reeve_rights *rights)
{
	struct rv_pin pin = {record->dev, record->ino};
	struct reeve_rule rule;

	rv_record_rule(record, &rule);
	rule.allowed &= rights->of[reeve_rule_class(rule.type)];
	if (!rule.allowed)
		return 0;
	return rule.path ? rv_judge_stage_pinned(judge, &rule, &pin)
			 : rv_judge_stage_add(judge, &rule, NULL, NULL);
}

static int stage(
	struct rv_judge *judge, const struct rv_records *records, const struct reeve_rights *rights)
{
	const struct rv_record *record = NULL;
	int r = 0;

	while (r == 0 && (record = rv_record_next(records, record)))
		r = stage_one(judge, record, rights);
	return r;
}

static int rebuild(struct supervisor *s)
{
	/* What nothing can add to a running domain is left to the floor. */
	const uint64_t paths = ~(REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX);
	const struct reeve_rights granted = {.of = {[REEVE_FS] = paths | judged_unix(s),
						     [REEVE_NET] = UINT64_MAX,
						     [REEVE_SOCKET] = UINT64_MAX}};
	struct reeve_rights fixed = {.of = {[REEVE_FS] = judged_unix(s)}};
	struct rv_judge *judge = s->context.judge;
	struct rv_records live;
	uint64_t generation;
	int r = rv_image_live(s->image, &live, &generation);

	if (r)
		return r;
	r = rv_judge_stage_clear(judge);
	/* The static rules count with live ones only: alone they are the floor, which has no
	 * UNIX sockets. On ports and sockets they are never anything else. */
	if (live.size)
		fixed.of[REEVE_FS] |= paths;
	if (r == 0)
		r = stage(judge, &s->fixed, &fixed);
	if (r == 0)
		r = stage(judge, &live, &granted);
	free((void *)(uintptr_t)live.at);
	if (r == 0)
		r = rv_judge_commit(judge, NULL);
	if (r == 0)
		atomic_store(&s->seen, generation);
	return r;
}

/* Without memory nothing works, until a later request finds some: what goes on unseen now might
 * gain rights, or change whom we act for. */
static int refresh(struct supervisor *s)
{
	int r = 0;

	if (atomic_load(&s->seen) == rv_image_generation(s->image))
		return 0;
	pthread_mutex_lock(&s->lock);
	if (atomic_load(&s->seen) != rv_image_generation(s->image))
		r = rebuild(s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static struct rv_answer judge_now(
	void *data, int listener, const struct seccomp_notif *request, bool may_block)
{
	struct supervisor *s = data;

	if (refresh(s) < 0)
		return rv_answer_errno(ENOMEM);
	return rv_dispatch(&s->context, listener, request, may_block);
}

/* What the judge decides of a static rule; sockets by path are staged with the live rules. */
static int add_fixed(const struct rv_record *record, const struct reeve_rights *rights,
	struct reeve_ruleset *floor)
{
	struct reeve_rule rule;

	rv_record_rule(record, &rule);
	rule.allowed &= rights->of[reeve_rule_class(rule.type)];
	return rule.allowed ? reeve_ruleset_add(floor, &rule, NULL) : 0;
}

static int make_judge(struct supervisor *s)
{
	const bool has_unix = s->sockets & RV_SOCKETS_UNIX;
	struct reeve_rights handled = s->image->handled, fixed;
	struct reeve_ruleset *floor = NULL, *live = NULL;
	const struct rv_record *record = NULL;
	int r;

	/* What the kernel decides of sockets is its own, unless live rules may add to it. */
	if (!s->image->supervisor)
		handled.of[REEVE_NET] &= rv_beyond_kernel(REEVE_NET);
	if (!s->image->supervisor)
		handled.of[REEVE_SOCKET] = 0;
	handled.of[REEVE_SCOPE] = 0;
	fixed = handled;
	fixed.of[REEVE_SOCKET] = 0; /* the filter's */
	if (has_unix) {
		handled.of[REEVE_FS] |= REEVE_FS_RESOLVE_UNIX;
		fixed.of[REEVE_FS] &= ~REEVE_FS_RESOLVE_UNIX;
	}
	r = reeve_ruleset_new(&handled, &floor);
	if (r == 0)
		r = reeve_ruleset_new(&handled, &live);
	while (r == 0 && (record = rv_record_next(&s->fixed, record)))
		r = add_fixed(record, &fixed, floor);
	if (r == 0)
		r = has_unix ? rv_judge_new_unix(floor, live, false, &s->context.judge)
			     : rv_judge_new(floor, live, &s->context.judge);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
	return r ? r : rv_judge_set_alone(s->context.judge);
}

/* --------------------------------------------------------------------------- starting */

static __attribute__((noreturn)) void give_up(int code, const char *why)
{
	struct rv_start_report report = {.code = code, .pid = getpid()};

	snprintf(report.why, sizeof(report.why), "%s", why);
	send(FD_SOCKET, &report, sizeof(report), MSG_NOSIGNAL);
	_exit(1);
}

static void say_done(void)
{
	struct rv_start_report report = {.pid = getpid()};

	if (send(FD_SOCKET, &report, sizeof(report), MSG_NOSIGNAL) != sizeof(report))
		_exit(0); /* the caller is gone */
}

/* Handlers are the caller's functions, and all signals but the deadly ones stay blocked. */
static void reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	for (int sig = 1; sig < _NSIG; sig++)
		sigaction(sig, &dfl, NULL);
}

/* Libc's message about a broken heap must not get into what is opened later. */
static void fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 2);
	if (fd > 2)
		close(fd);
}

/* Pipes end when the caller's side of them does, so none may stay open here. */
static void drop_descriptors(int socket, int ruleset)
{
	/* First out of the way: either number may be the other's. */
	int high = ruleset < 0 ? -1 : fcntl(ruleset, F_DUPFD, FD_COUNT);

	if (dup2(socket, FD_SOCKET) < 0)
		_exit(1);
	close(FD_RULESET);
	if (ruleset >= 0 && dup2(high, FD_RULESET) < 0)
		_exit(1);
	if (rv_close_range(FD_COUNT, ~0u, 0) < 0) {
		for (int fd = FD_COUNT; fd < 65536; fd++)
			close(fd);
	}
	fcntl(FD_SOCKET, F_SETFD, FD_CLOEXEC);
}

static int know_ourselves(struct rv_context *context)
{
	context->connector_pid = context->connector_fd = -1;
	return rv_context_init(context, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* What every trapped call will need, tried before anything is restricted. */
static int try_to_look(const struct rv_start_child *child)
{
	rv_autoclose int pidfd = rv_pidfd_open(child->caller), mem = -1, fd = -1;
	char path[40];

	if (pidfd < 0)
		return pidfd;
	fd = rv_pidfd_getfd(pidfd, child->caller_socket);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child->caller);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	return mem < 0 ? -errno : 0;
}

static void prepare_sockets(struct supervisor *s)
{
	const bool scoped = s->image->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	const struct rv_net_options options = {.inside = &s->workers,
		.scopes_path = s->sockets & RV_SOCKETS_UNIX,
		.grants_only = !(s->sockets & RV_SOCKETS_PERFORMED),
		.binds = s->sockets & RV_SOCKETS_UDP,
		.connects = s->sockets & RV_SOCKETS_PERFORMED,
		.sends = s->sockets & RV_SOCKETS_UDP,
		.path_error = scoped ? EPERM : EACCES};
	int r = rv_net_new(&options, &s->context.net);

	if (r < 0 && options.scopes_path)
		give_up(-ENOTSUP, "it cannot be told who made a UNIX socket: the kernel must have "
				  "UNIX_DIAG");
	if (r < 0)
		give_up(r, "out of memory or descriptors");
}

static void prepare(struct supervisor *s, const struct rv_start_child *child)
{
	int r;

	pthread_mutex_init(&s->lock, NULL);
	rv_workers_init(&s->workers);
	s->sockets = child->sockets;
	r = rv_image_map(child->handle->image_fd, &s->image);
	drop_descriptors(child->socket, child->handle->ruleset_fd);
	rv_registry_drop();
	if (r == 0 && child->handle->ruleset_fd >= 0)
		r = rv_mover_new(FD_RULESET, &s->context.mover);
	close(FD_RULESET);
	fill_standard();
	if (r == 0)
		r = rv_image_static(s->image, &s->fixed);
	if (r == 0)
		r = make_judge(s);
	if (r == 0)
		r = rebuild(s);
	if (r == 0 && (child->spec->traps & RV_TRAP_GUARD))
		r = rv_sockets_new(child->spec, &s->context.sockets);
	if (r)
		give_up(r, "the rules cannot be read");
	if (s->sockets)
		prepare_sockets(s);
	r = know_ourselves(&s->context);
	if (r == 0)
		r = try_to_look(child);
	if (r)
		give_up(-ENOTSUP, "the kernel refuses to let another process look at this one "
				  "(/proc, not dumpable, or a container's seccomp profile)");
}

/* The connector says first which process it is. */
static int take_connector(struct supervisor *s, int caller, int number)
{
	int fd = rv_pidfd_getfd(caller, number);
	struct rv_report ready;

	if (fd < 0)
		return fd;
	if (recv(fd, &ready, sizeof(ready), 0) != sizeof(ready) || ready.step != RV_STEP_READY) {
		close(fd);
		return -EPIPE;
	}
	s->context.connector_pid = ready.value;
	s->context.connector_fd = fd;
	rv_workers_set(&s->workers, ready.value, fd);
	return 0;
}

static int fetch_listener(struct supervisor *s, pid_t caller)
{
	rv_autoclose int pidfd = rv_pidfd_open(caller);
	struct rv_start_numbers numbers;
	int r = pidfd;

	if (recv(FD_SOCKET, &numbers, sizeof(numbers), 0) != sizeof(numbers))
		_exit(0); /* it gave up, or died */
	if (r >= 0 && (s->sockets & RV_SOCKETS_PERFORMED))
		r = take_connector(s, pidfd, numbers.command);
	return r < 0 ? r : rv_pidfd_getfd(pidfd, numbers.listener);
}

/* Until no task has the filter any more. */
static void serve(struct supervisor *s, int listener)
{
	struct pollfd end = {.fd = listener};
	struct rv_notify *notify;
	int r = rv_notify_start(listener, true, judge_now, s, &notify);

	if (r)
		give_up(r, "no threads for the supervisor; the static rules are in force");
	rv_notify_stand_by(notify);
	if (s->context.net)
		rv_waits_set_notify(s->context.net->waits, notify);
	say_done();
	close(FD_SOCKET);
	fill_standard();
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	rv_net_stop(s->context.net); /* what waits for the twin waits no more */
	rv_notify_join(notify);
}

void rv_landlock_supervisor(const struct rv_start_child *child)
{
	static struct supervisor supervisor;
	int listener;

	reset_signals();
	setsid();
	prctl(PR_SET_NAME, "reeve-landlock", 0, 0, 0);
	prepare(&supervisor, child);
	if (chdir("/") < 0) {
		/* Only keeps a mount busy. */
	}
	say_done();
	listener = fetch_listener(&supervisor, child->caller);
	if (listener < 0)
		give_up(listener, "the listener cannot be fetched; the static rules are in force");
	serve(&supervisor, listener);
	_exit(0);
}
