/* SPDX-License-Identifier: MIT */
/* The keeper: starts the domain, and stays the parent of its processes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/error.h"
#include "kernel/process.h"
#include "kernel/sys.h"
#include "supervise/ask.h"
#include "supervise/deny.h"
#include "supervise/mover.h"
#include "supervise/session.h"
#include "supervise/sockets.h"
#include "supervise/shim_env.h"

#define SHIM_RIGHTS (REEVE_FS_READ_FILE | REEVE_FS_EXECUTE)

/* ---------------------------------------------------------------------- the judge */

/* What is granted at launch, and not by a rule of the policy: the private TMPDIR, the shim. */
static int add_open(struct reeve_ruleset *ruleset, int fd, uint64_t allowed, const char *origin)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .origin = origin};
	struct reeve_rights handled;
	char link[32], path[PATH_MAX];
	ssize_t n;

	reeve_ruleset_handled(ruleset, &handled);
	rule.allowed = handled.of[REEVE_FS] & allowed;
	if (fd < 0 || !rule.allowed)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	rule.path = path;
	return reeve_ruleset_add(ruleset, &rule, NULL);
}

static int copy_rules(const struct reeve_ruleset *from, struct reeve_ruleset **ret)
{
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r;

	reeve_ruleset_handled(from, &handled);
	r = reeve_ruleset_new(&handled, ret);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(from, i, &rule) == 0; i++)
		r = reeve_ruleset_add(*ret, &rule, NULL);
	return r;
}

/* A copy of what the plan says, with what is granted besides. */
static int make_part(const struct reeve_ruleset *from, const struct reeve_supervisor *s,
	int shim_fd, struct reeve_ruleset **ret)
{
	int r = copy_rules(from, ret);

	if (r == 0)
		r = add_open(*ret, s->tmpdir.fd, UINT64_MAX, "tmpdir");
	return r ? r : add_open(*ret, shim_fd, SHIM_RIGHTS, "shim");
}

/* Denials inside of grants: what of the policy the floor has, and what is denied by identity. */
static int make_denials(struct reeve_supervisor *s, const struct rv_launch *launch, int shim_fd)
{
	struct reeve_ruleset *floor = NULL;
	int r;

	if (!rv_plan_is_split(launch->plan))
		return 0;
	r = make_part(launch->plan->floor, s, shim_fd, &floor);
	if (r == 0)
		r = rv_judge_set_floor(s->context.judge, floor, &launch->split);
	reeve_ruleset_free(floor);
	return r ? r : rv_deny_new(&launch->split, &s->context.deny);
}

/* Whether connecting to UNIX sockets can be granted live. */
static bool performs_unix(const struct reeve_plan *plan)
{
	return (plan->spec.traps & RV_TRAP_UNIX) ||
	       ((plan->spec.traps & RV_TRAP_CONNECT) && rv_plan_kernel_scopes_unix(plan));
}

static int make_judge(struct reeve_supervisor *s, const struct rv_launch *launch, int shim_fd,
	struct reeve_error *err)
{
	const struct reeve_plan *plan = launch->plan;
	struct reeve_ruleset *policy = NULL, *live = reeve_ruleset_ref(plan->live);
	struct reeve_rights handled, possible;
	int r = make_part(plan->judged, s, shim_fd, &policy);

	s->policy_rules = reeve_ruleset_count(plan->judged);
	reeve_ruleset_handled(plan->judged, &handled);
	if (r == 0 && !live)
		r = reeve_ruleset_new(&handled, &live);
	if (r == 0)
		r = performs_unix(plan)
			    ? rv_judge_new_unix(policy, live, rv_plan_kernel_scopes_unix(plan),
				      &s->context.judge)
			    : rv_judge_new(policy, live, &s->context.judge);
	possible = rv_plan_live_rights(plan);
	if (r == 0)
		rv_judge_limit_live(s->context.judge, &possible, !rv_plan_lacks_udp(plan));
	if (r == 0)
		r = make_denials(s, launch, shim_fd);
	reeve_ruleset_free(policy);
	reeve_ruleset_free(live);
	return r ? rv_error(err, r, "cannot judge requests: %s", strerror(-r)) : 0;
}

/* ----------------------------------------------------------------------- starting */

static int know_ourselves(struct rv_context *context, unsigned int traps, struct reeve_error *err)
{
	int r = rv_context_init(context, true);

	if (r == 0)
		rv_context_trust_filter(context, traps);
	return r ? rv_error(err, r, "cannot read /proc/thread-self: %s", strerror(-r)) : 0;
}

/* Of the certificate what is known before there are other processes. */
static void certify_ourselves(struct rv_certificate *certificate)
{
	certificate->pidns = rv_process_pidns();
	certificate->supervisor = rv_process_id_of(getpid());
}

static int make_events(struct rv_start *start, struct reeve_supervisor *s)
{
	int r = rv_events_new(
		0, start->options.event, start->options.event_data, &s->context.events);

	return r ? rv_error(start->err, r, "cannot start the event queue: %s", strerror(-r)) : 0;
}

static void keep_result(struct reeve_supervisor *s, const struct rv_spawn *spawn)
{
	s->context.connector_pid = spawn->connector;
	s->context.connector_fd = spawn->connector_fd;
	rv_workers_set(&s->workers, spawn->connector, spawn->connector_fd);
	s->program = spawn->program;
	s->program_pidfd = spawn->program_pidfd;
	s->listener = spawn->listener;
	s->can_kill = spawn->can_kill;
	s->has_floor = spawn->launch->ruleset_fd >= 0;
}

static int add_approver(struct rv_start *start)
{
	const struct reeve_approver *approver = start->options.approver;
	int r = approver ? reeve_supervisor_ask(start->supervisor, approver, start->err) : 0;

	return r < 0 ? r : 0;
}

/* The id is that of these processes, so they come first. */
static int identify(struct rv_start *start, struct rv_spawn *spawn)
{
	struct reeve_supervisor *s = start->supervisor;
	char id[RV_DOMAIN_ID_SIZE];
	int r;

	s->certificate.connector = rv_process_id_of(spawn->connector);
	s->certificate.program = rv_process_id_of(spawn->program);
	r = rv_certificate_make(&s->certificate);
	if (r < 0)
		return rv_error(start->err, r, "getrandom: %s", strerror(-r));
	s->context.domain = s->certificate.domain;
	rv_events_set_domain(s->context.events, s->context.domain);
	if (s->board)
		s->board->domain = s->context.domain;
	snprintf(spawn->variable, sizeof(spawn->variable), RV_SPAWN_VARIABLE "%s",
		rv_domain_id_format(s->context.domain, id));
	return 0;
}

/* Trapped calls are answered from before the exec on, which may be trapped itself. */
static int receive_and_go(struct rv_start *start, struct rv_spawn *spawn)
{
	struct reeve_supervisor *s = start->supervisor;
	int r;

	keep_result(s, spawn);
	r = identify(start, spawn);
	if (r < 0)
		return r;
	r = rv_notify_start(spawn->listener, start->options.sync_wake_up != 0, rv_dispatch,
		&s->context, &s->notify);
	if (r)
		return rv_error(start->err, r, "cannot start threads: %s", strerror(-r));
	if (start->options.identified)
		start->options.identified(start->options.identified_data, s->context.domain);
	if (start->options.before_exec)
		start->options.before_exec(start->options.before_exec_data, s->program);
	rv_ask_set_notify(s->context.ask, s->notify, s->listener);
	if (s->context.net)
		rv_waits_set_notify(s->context.net->waits, s->notify);
	r = add_approver(start);
	if (r == 0)
		r = rv_spawn_go(spawn, start->err);
	/* Until here there was one task, which could make one request, its exec. */
	if (r == 0)
		rv_notify_stand_by(s->notify);
	return r;
}

static void report_start(struct reeve_supervisor *s, const char *program)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_START, .pid = s->program, .tid = s->program, .object = program};

	rv_events_put(s->context.events, &event);
}

/* Whether anything that restricts connect(2) is left to us. */
static bool restricts_connects(const struct reeve_plan *plan)
{
	static const char *const features[] = {"scope.pathname_unix_socket", "fs.resolve_unix",
		"scope.abstract_unix_socket", "unix_datagram", "net_address", "net.connect_tcp",
		"net.bind_udp", "net.connect_send_udp"};

	for (size_t i = 0; i < RV_COUNT(features); i++) {
		if (rv_plan_has(plan, features[i], REEVE_BY_SUPERVISOR))
			return true;
	}
	return false;
}

/* What performs trapped calls on sockets. */
static int make_net(struct rv_start *start, struct reeve_supervisor *s)
{
	const struct reeve_plan *plan = start->plan;
	struct rv_net_options options = {.inside = &s->workers,
		.path_error = plan->mode.scope_error,
		.scopes_path =
			rv_plan_has(plan, "scope.pathname_unix_socket", REEVE_BY_SUPERVISOR) ||
			rv_plan_has(plan, "fs.resolve_unix", REEVE_BY_SUPERVISOR),
		.kernel_scopes_path = rv_plan_kernel_scopes_unix(plan),
		.scopes_abstract =
			rv_plan_has(plan, "scope.abstract_unix_socket", REEVE_BY_SUPERVISOR)};
	int r;

	if (!(plan->spec.traps & (RV_TRAP_CONNECT | RV_TRAP_BIND | RV_TRAP_SEND | RV_TRAP_MEMFD)))
		return 0;
	options.sends = rv_plan_judges_sends(plan);
	options.guards_tcp = plan->spec.guards & RV_GUARD_TCP;
	options.listens = plan->spec.traps & RV_TRAP_LISTEN;
	options.connects = restricts_connects(plan);
	options.binds = rv_plan_has(plan, "net_address", REEVE_BY_SUPERVISOR) ||
			rv_plan_has(plan, "net.bind_tcp", REEVE_BY_SUPERVISOR) ||
			(rv_plan_has(plan, "net.bind_udp", REEVE_BY_SUPERVISOR) &&
				!rv_plan_lacks_udp(plan));
	r = rv_net_new(&options, &s->context.net);
	if (r == 0)
		return 0;
	rv_error(start->err, r, "cannot tell who made a UNIX socket: %s", strerror(-r));
	rv_error_hint(start->err, "the kernel must have UNIX_DIAG; to run without: "
				  "--degrade pathname_unix_socket");
	return r;
}

/* The processes exist by now, and do not inherit it. Without it those who list domains have to ask
 * this one. */
static void make_board(struct reeve_supervisor *s)
{
	s->board_fd = rv_board_new(&s->board);
	if (s->board_fd >= 0)
		s->context.numbers = &s->board->numbers;
	rv_judge_show(s->context.judge, &s->context.numbers->rules);
}

static int make_mover(struct rv_start *start, const struct rv_launch *launch)
{
	struct reeve_supervisor *s = start->supervisor;
	int r = launch->ruleset_fd < 0 || !(start->plan->spec.traps & (RV_TRAP_FS | RV_TRAP_MOVES))
			? 0
			: rv_mover_new(launch->ruleset_fd, &s->context.mover);

	return r ? rv_error(start->err, r, "cannot keep the ruleset: %s", strerror(-r)) : 0;
}

/* What answers trapped calls. */
static int make_context(struct rv_start *start, const struct rv_launch *launch, int shim_fd)
{
	struct reeve_supervisor *s = start->supervisor;
	int r = make_judge(s, launch, shim_fd, start->err);

	if (r == 0)
		r = know_ourselves(&s->context, start->plan->spec.traps, start->err);
	certify_ourselves(&s->certificate);
	if (r == 0)
		make_board(s);
	if (r == 0)
		r = make_events(start, s);
	if (r == 0 && rv_ask_new(&s->context, &s->context.ask) < 0)
		r = rv_error(start->err, -ENOMEM, "out of memory");
	s->context.inner.allowed = start->plan->spec.inner_landlock;
	s->context.inner.abi = start->plan->kernel.landlock_abi;
	if (r == 0 && (start->plan->spec.traps & RV_TRAP_GUARD) &&
		rv_sockets_new(&start->plan->spec, &s->context.sockets) < 0)
		r = rv_error(start->err, -ENOMEM, "out of memory");
	if (r == 0)
		r = make_mover(start, launch);
	return r ? r : make_net(start, s);
}

/*
 * Makes the processes and the context side by side: each takes a third of a millisecond, and the
 * former are mostly the kernel's work, on another processor.
 */
static int make_both(
	struct rv_start *start, const struct rv_launch *launch, struct rv_spawn *spawn, int shim_fd)
{
	int made, waited, r = rv_spawn_start(spawn, start->err);

	if (r)
		return r;
	made = make_context(start, launch, shim_fd);
	waited = rv_spawn_await(spawn, made ? NULL : start->err);
	return made ? made : waited;
}

/* With the program prepared; on failure nothing of it is left but what rv_session_free() takes. */
static int start_prepared(struct rv_start *start, struct rv_launch *launch, int shim_fd)
{
	struct reeve_supervisor *s = start->supervisor;
	struct rv_spawn spawn = {.launch = launch, .mask = start->mask};
	int r;

	sigemptyset(&spawn.ignored);
	if (start->options.ignored_signals)
		spawn.ignored = *start->options.ignored_signals;
	r = rv_spawn_prepare(&spawn, start->err);
	if (r == 0)
		r = make_both(start, launch, &spawn, shim_fd);
	if (r == 0)
		r = receive_and_go(start, &spawn);
	if (r == 0) {
		rv_spawn_release(&spawn);
		report_start(s, start->argv[0]);
		return 0;
	}
	/* The receivers use the listener to the end, which is the program's. */
	if (s->notify)
		spawn.listener = -1;
	else
		s->listener = -1;
	rv_spawn_abort(&spawn);
	s->context.connector_fd = s->program_pidfd = -1;
	return r;
}

/*
 * Preloads the shim, where calls that it keeps from being trapped are trapped, and opens it for the
 * floor. -1 where there is none: then the program is slower, and nothing else.
 */
static int preload_shim(struct rv_start *start, struct rv_launch *launch)
{
	rv_autofree char *shim = NULL;
	rv_autoclose int fd = -1;
	char **envp = NULL;

	/* What the shim has the kernel decide is hidden from a record, and in permissive mode that
	 * is everything. */
	if (start->options.no_shim || start->plan->mode.permissive || start->plan->mode.record ||
		!(start->plan->spec.traps & RV_TRAP_FS))
		return -1;
	if (rv_shim_find(&shim) < 0)
		return -1;
	fd = open(shim, O_PATH | O_CLOEXEC);
	if (fd < 0 || rv_shim_env(launch->envp, shim, &envp) < 0)
		return -1;
	rv_launch_take_env(launch, envp);
	return rv_steal_fd(&fd);
}

static int allow_shim(const struct rv_launch *launch, int shim_fd, struct reeve_error *err)
{
	struct rv_landlock_path_beneath_attr rule = {.parent_fd = shim_fd};
	struct reeve_rights handled = rv_plan_enforced(launch->plan);
	int r;

	rule.allowed_access = handled.of[REEVE_FS] & SHIM_RIGHTS;
	if (shim_fd < 0 || !rule.allowed_access)
		return 0;
	r = rv_landlock_add_rule(launch->ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	return r ? rv_error(err, r, "the shim: landlock_add_rule: %s", strerror(-r)) : 0;
}

static int start_launch(struct rv_start *start, struct rv_launch *launch)
{
	struct reeve_supervisor *s = start->supervisor;
	rv_autoclose int shim_fd = -1;
	int r = rv_launch_set(launch, RV_SPAWN_VARIABLE, start->err);

	if (r == 0)
		r = rv_launch_prepare(launch, start->err);
	if (r == 0)
		r = rv_launch_ruleset(launch, start->err);
	if (r)
		return r;
	s->tmpdir = launch->tmpdir;
	shim_fd = preload_shim(start, launch);
	r = allow_shim(launch, shim_fd, start->err);
	return r ? r : start_prepared(start, launch, shim_fd);
}

static int launch(struct rv_start *start)
{
	struct rv_launch launch;
	int r = rv_launch_init(&launch, start->plan, start->argv, start->options.exec, start->err);

	if (r == 0)
		r = start_launch(start, &launch);
	if (r)
		rv_launch_undo(&launch);
	else /* it is the supervisor's from now on, which removes it at the end */
		launch.tmpdir = (struct rv_tmpdir)RV_TMPDIR_NONE;
	if (r)
		start->supervisor->tmpdir = (struct rv_tmpdir)RV_TMPDIR_NONE;
	rv_launch_release(&launch);
	return r;
}

/* ----------------------------------------------------------------------- keeping */

void rv_session_wake(struct reeve_supervisor *s)
{
	uint64_t one = 1;

	if (write(s->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: it is awake. */
	}
}

/* Until the next rule expires, in milliseconds for poll(2); -1: none does. */
static int until_expiry(struct reeve_supervisor *s)
{
	uint64_t next = 0, ms;

	rv_judge_expire(s->context.judge, &next);
	if (!next)
		return -1;
	ms = rv_now_ms(CLOCK_MONOTONIC);
	if (next <= ms)
		return 1;
	return next - ms > INT_MAX ? INT_MAX : (int)(next - ms);
}

/* False when the keeper is to end. */
static bool do_work(struct reeve_supervisor *s)
{
	uint64_t ignored;
	bool stopping;

	if (read(s->wake_fd, &ignored, sizeof(ignored)) < 0) {
		/* Nonblocking: another reason to be awake. */
	}
	pthread_mutex_lock(&s->lock);
	if (s->detach) {
		ptrace(PTRACE_DETACH, s->detach, 0, s->detach_signal);
		s->detach = 0;
		pthread_cond_broadcast(&s->changed);
	}
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return !stopping;
}

static bool is_stopping(struct reeve_supervisor *s)
{
	bool stopping;

	pthread_mutex_lock(&s->lock);
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

static void keep(struct reeve_supervisor *s)
{
	/* Nothing is asked of the connector's end but whether it hung up. */
	struct pollfd fds[] = {
		{.fd = s->wake_fd, .events = POLLIN}, {.fd = s->context.connector_fd, .events = 0}};

	while (do_work(s)) {
		poll(fds, 2, until_expiry(s));
		if (fds[1].revents && !is_stopping(s)) {
			/* It cannot be replaced: a second one would be in a domain beside. */
			fds[1].fd = -1;
			rv_session_kill(s);
		}
	}
}

void *rv_keeper(void *arg)
{
	struct rv_start *start = arg;
	struct reeve_supervisor *s = start->supervisor;
	int r;

	/* The program's directory is not our caller's. */
	if (unshare(CLONE_FS) < 0)
		r = rv_error(start->err, -errno, "unshare: %s", strerror(errno));
	else
		r = launch(start);
	pthread_mutex_lock(&s->lock);
	start->result = r;
	start->done = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (r == 0)
		keep(s);
	return NULL;
}
