/* SPDX-License-Identifier: MIT */
/*
 * A program in a domain that is watched, and whose rules can be changed while it runs.
 *
 *	reeve_plan_new_supervised(policy, NULL, NULL, &plan, &err);
 *	reeve_supervisor_start(plan, argv, NULL, &supervisor, &err);
 *	reeve_supervisor_wait(supervisor, 0, &status);
 *	reeve_supervisor_end(supervisor);
 *
 * The supervisor is threads of the calling process; the program is its child. Functions may be
 * called from any thread. No signal handler is installed, and only children of reeve's own are
 * waited for.
 */
#ifndef REEVE_SUPERVISOR_H
#define REEVE_SUPERVISOR_H

#include <sys/select.h> /* sigset_t, in strict C11 too */
#include <reeve/event.h>
#include <reeve/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -------------------------------------------------------------------- plan */

struct reeve_supervised_plan_options {
	size_t size;
	bool no_events; /* trap nothing for events' sake; live fs rules are then refused */
};

/*
 * As reeve_plan_new(), for a program under a supervisor: what the kernel lacks may be enforced
 * REEVE_BY_SUPERVISOR, and live rules are kept out of the floor. `options` may be NULL.
 *
 * Also -EOPNOTSUPP: Yama 2 or 3, no SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19), or an
 * outer supervisor has the only listener (EBUSY in the message): a nested run; each with a hint.
 */
int reeve_plan_new_supervised(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct reeve_supervised_plan_options *options, struct reeve_plan **ret,
	struct reeve_error *err);
int reeve_plan_describe_supervised(const struct reeve_policy *policy,
	const struct reeve_kernel *kernel, const struct reeve_supervised_plan_options *options,
	struct reeve_plan **ret, struct reeve_error *err);

/* --------------------------------------------------------------------- life */

struct reeve_supervisor;

struct reeve_supervisor_options {
	size_t size;
	const struct reeve_exec_options *exec; /* chdir, environment, fds; NULL: defaults */
	const sigset_t *signal_mask;	       /* the program's; NULL: the calling thread's */
	int sync_wake_up; /* 1: hand the CPU over at each trapped call (good for one process at a
			     time), 0: do not (good for parallel builds), -1: the default */
	/* Called for each event from a thread of the supervisor's own: may block, then events are
	 * lost (and counted), and the program is not held up. */
	void (*event)(void *data, const struct reeve_event *event);
	void *event_data;
	bool no_shim; /* do not preload the try-then-trap shim */
	/* Signals that the program starts out ignoring, besides those that the caller ignores: who
	 * inherited an ignored SIGCHLD must not ignore it (-EINVAL), but can pass it on. */
	const sigset_t *ignored_signals;
};

/*
 * Starts argv under the plan (made by reeve_plan_new_supervised()). The caller should be a
 * subreaper (prctl(2)) if it wants to outlive daemons of the program. The plan may be freed
 * afterwards. `options` may be NULL.
 *
 * Errors of starting the program are those of reeve_plan_exec(), with the same exit codes by
 * reeve_exec_exit_code(). -EAGAIN: no more processes or threads.
 */
int reeve_supervisor_start(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_supervisor_options *options, struct reeve_supervisor **ret,
	struct reeve_error *err);

uint64_t reeve_supervisor_domain(const struct reeve_supervisor *supervisor); /* its ID */
pid_t reeve_supervisor_pid(const struct reeve_supervisor *supervisor);	     /* the program's */

/* Changes how trapped calls wake threads, see reeve_supervisor_options. -ENOSYS: the kernel cannot.
 */
int reeve_supervisor_set_sync(struct reeve_supervisor *supervisor, bool sync_wake_up);

/*
 * waitpid(2) for exactly the program; flags WNOHANG, WUNTRACED, WCONTINUED. Its pid, 0 with
 * WNOHANG, or negative errno. A stop for a tracer (PTRACE_TRACEME) is not reported: it is detached.
 */
int reeve_supervisor_wait(struct reeve_supervisor *supervisor, int flags, int *ret_status);

/* Sends SIGKILL to every process of the domain. */
void reeve_supervisor_kill(struct reeve_supervisor *supervisor);

/*
 * Ends the domain: kills what is left of it, reaps the program, joins the threads, frees. A control
 * server of it (control.h) must be stopped before. Returns how many processes besides the program
 * had to be killed, as far as known. NULL is allowed.
 */
int reeve_supervisor_end(struct reeve_supervisor *supervisor);

/* ---------------------------------------------------------------- live rules */

struct reeve_live_options {
	size_t size;
	uint64_t milliseconds; /* how long the rule holds after its commit; 0: until revoked */
	bool once;	       /* for one request only */
	const char *by;	       /* who grants it, for `rules` and events */
};

/*
 * Changes of the live rules are staged, and take effect together by a commit, which publishes one
 * snapshot: every request is judged against exactly one.
 *
 * stage_add: a rule of class fs, without execute (-EOPNOTSUPP: nothing can add execute to a
 *   running domain); other errors as reeve_ruleset_add(). Its path may not exist yet.
 * stage_revoke: what `rule` grants is taken from the live rules on exactly its object
 * (rule->allowed 0: all of it). Returns how many rules that touched: 0 is not an error. The floor
 * cannot change. stage_intersect, stage_clear, stage_replace: see domain.h. -EOPNOTSUPP: the plan
 * traps nothing (no_events); -EPIPE: the domain ended.
 */
int reeve_supervisor_stage_add(struct reeve_supervisor *supervisor, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err);
int reeve_supervisor_stage_revoke(struct reeve_supervisor *supervisor,
	const struct reeve_rule *rule, struct reeve_error *err);
int reeve_supervisor_stage_intersect(struct reeve_supervisor *supervisor,
	const struct reeve_rule *rule, struct reeve_error *err);
int reeve_supervisor_stage_replace(struct reeve_supervisor *supervisor,
	const struct reeve_ruleset *ruleset, struct reeve_error *err);
int reeve_supervisor_stage_clear(struct reeve_supervisor *supervisor);
int reeve_supervisor_commit(
	struct reeve_supervisor *supervisor, const char *by, struct reeve_error *err);

/* One committed live rule. Strings live during the callback. */
struct reeve_live_rule {
	struct reeve_rule rule;
	const char *by;
	uint64_t uses;		    /* requests that it decided */
	struct timespec since;	    /* CLOCK_REALTIME */
	uint64_t milliseconds_left; /* UINT64_MAX: until revoked */
	bool once;
};
int reeve_supervisor_rules(struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data);

/* --------------------------------------------------------------------- events */

/*
 * Further readers of the events, besides options.event: called from the same thread, in order,
 * until unsubscribed (then not any more, once unsubscribe has returned). Returns an id ≥ 1,
 * -ENOMEM.
 */
int reeve_supervisor_subscribe(struct reeve_supervisor *supervisor,
	void (*fn)(void *data, const struct reeve_event *event), void *data);
void reeve_supervisor_unsubscribe(struct reeve_supervisor *supervisor, int id);

/* The latest denials, oldest first; equal ones are joined and counted. Stops when fn returns
 * non-zero, and returns that. */
int reeve_supervisor_denials(struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data);

/* ------------------------------------------------------------------- counters */

struct reeve_supervisor_counters {
	size_t size;
	uint64_t trapped, continued, performed, injected, denied, guarded, events, events_lost;
	uint64_t commits;
};
void reeve_supervisor_counters(
	struct reeve_supervisor *supervisor, struct reeve_supervisor_counters *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_SUPERVISOR_H */
