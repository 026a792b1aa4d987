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
 *
 * The program may fork at any time: what a child has of it keeps nothing open that anybody waits
 * for. A supervisor is its maker's, however; a forked child has no threads of it and must not use
 * it, nor free it. Plans, policies and rulesets are data, and a child's own.
 */
#ifndef REEVE_SUPERVISOR_H
#define REEVE_SUPERVISOR_H

#include <sys/select.h> /* sigset_t, in strict C11 too */
#include <reeve/event.h>
#include <reeve/record.h>
#include <reeve/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -------------------------------------------------------------------- plan */

struct reeve_supervised_plan_options {
	size_t size;
	bool no_events; /* trap nothing for events' sake; live fs rules are then refused */
	/*
	 * The policy is judged completely, and nothing of it enforced: what it would deny is an
	 * event (reeve_event.permissive), and goes on. Enforced are the signal scope, which keeps
	 * the supervisor out of reach, and the guards, whose refusals are events as ever. Not with
	 * no_events (-EINVAL).
	 */
	bool permissive;
	/*
	 * What connect(2) gives for a UNIX socket's path that is out of scope, where the supervisor
	 * decides it: EPERM as the proposed LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET does; 0: EACCES, as
	 * the kernel's RESOLVE_UNIX.
	 */
	int scope_error;
	/* Trap all that a record can have (record.h). Not with no_events (-EINVAL). */
	bool record;
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

struct reeve_approver; /* below: questions */

struct reeve_supervisor_options {
	size_t size;
	const struct reeve_exec_options *exec; /* chdir, environment, fds; NULL: defaults */
	const sigset_t *signal_mask;	       /* the program's; NULL: the calling thread's */
	int sync_wake_up; /* 1: hand the CPU over at each trapped call (good for one process at a
			     time), 0: do not (good for parallel builds), -1: the default */
	/* Called for each event from a thread of the supervisor's own, maybe before
	 * reeve_supervisor_start() has returned: may block, then events are lost (and counted), and
	 * the program is not held up. */
	void (*event)(void *data, const struct reeve_event *event);
	void *event_data;
	bool no_shim; /* do not preload the try-then-trap shim */
	/* Signals that the program starts out ignoring, besides those that the caller ignores: who
	 * inherited an ignored SIGCHLD must not ignore it (-EINVAL), but can pass it on. */
	const sigset_t *ignored_signals;
	/* Called once from a thread of the supervisor's, when the program's process exists and
	 * waits to exec: what is done here happens before anything that the program does. */
	void (*before_exec)(void *data, pid_t program);
	void *before_exec_data;
	/* Is asked from the first request on, as by reeve_supervisor_ask(), with 1 as its id: so
	 * maybe before reeve_supervisor_start() has returned and *ret is known. NULL: nobody is.
	 * Copied. -EOPNOTSUPP: the plan traps nothing. */
	const struct reeve_approver *approver;
	/* What every trapped call needs is noted there (record.h): a plan with `record` (-EINVAL).
	 * Borrowed until reeve_supervisor_end(). NULL: no record. */
	struct reeve_record *record;
	/* Called before before_exec, from the same thread: the domain's id. NULL: not. */
	void (*identified)(void *data, uint64_t domain);
	void *identified_data;
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

/*
 * A descriptor on the program, for poll(2), epoll or libuv: readable once it has ended, and
 * reeve_supervisor_wait() will not block. Owned by the supervisor.
 */
int reeve_supervisor_pidfd(const struct reeve_supervisor *supervisor);

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
 * Sends SIGSTOP, and later SIGCONT, to every process of the domain: while something is asked on the
 * terminal that it uses. (Who was stopped by somebody else goes on as well.)
 * reeve_supervisor_wait() reports such a stop like any other. Returns how many there are; -EPERM:
 * nobody can name them all here (the kernel has no signal scope); -EPIPE: the domain ended.
 */
int reeve_supervisor_stop(struct reeve_supervisor *supervisor);
int reeve_supervisor_continue(struct reeve_supervisor *supervisor);

/*
 * Ends the domain: kills what is left of it, reaps the program, joins the threads, frees. A control
 * server of it (control.h) must be stopped before. Returns how many processes besides the program
 * had to be killed; -ECHILD: its connector was killed by somebody (or the kernel has no signal
 * scope), so that processes which lost their parent may be left. NULL is allowed.
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
 * stage_add: a rule, without execute (-EOPNOTSUPP: nothing can add execute to a running domain),
 *   and only with rights whose denial the domain traps (-EOPNOTSUPP, above all those of UDP where
 *   it was started without any UDP); other errors as reeve_ruleset_add(). A path may not exist yet.
 * stage_revoke: what `rule` grants is taken from the live rules on exactly its object (of ports,
 * the same range; of sockets also the same origin, where `rule` has one, since several rules may
 * need the same socket); rule->allowed 0: all of it. Returns how many rules that touched: 0 is not
 * an error. The floor cannot change. stage_intersect, stage_clear, stage_replace: see domain.h.
 * -EOPNOTSUPP: the plan traps nothing (no_events); -EPIPE: the domain ended. These two come first,
 * in this order; then what class the rule is of, its object, its flags, its rights, and what can be
 * live of them.
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

/*
 * All of these rules in a commit of their own, by options->by, or none of them: what others have
 * staged stays staged. `options` NULL: until revoked, by nobody named, as in stage_add. Errors of
 * stage_add.
 */
int reeve_supervisor_grant(struct reeve_supervisor *supervisor, const struct reeve_rule *rules,
	size_t count, const struct reeve_live_options *options, struct reeve_error *err);

/*
 * Another policy for a running domain: the policy's live rules are replaced, in one commit, by all
 * that `after` grants beyond the floor, whether it says `live` or not. Rules that were added
 * otherwise (stage_add, answers) stay. `before` and `settings` (NULL: not compared) are those of
 * the policy that the domain was started with; both are resolved. Also an event,
 * REEVE_EVENT_RELOAD.
 *
 * What cannot change is left as it is, and named in ret->fixed: what the floor grants, execute,
 * denials, what stage_add refuses, what is handled, settings. Errors, upon which nothing has
 * changed: those of stage_add; -EINVAL: not resolved.
 */
struct reeve_reload {
	size_t size;		     /* sizeof(struct reeve_reload) */
	size_t added, removed, kept; /* of the policy's live rules */
	char **fixed; /* sentences for people, with origin, escaped; owned by the struct */
	size_t fixed_count;
};
int reeve_supervisor_reload(struct reeve_supervisor *supervisor, const struct reeve_ruleset *before,
	const struct reeve_policy_settings *settings, const struct reeve_policy *after,
	const char *by, struct reeve_reload *ret, struct reeve_error *err);
void reeve_reload_release(struct reeve_reload *reload);

/* For who could not even load the new policy: the event that says so. */
void reeve_supervisor_reload_failed(
	struct reeve_supervisor *supervisor, const char *by, const struct reeve_error *err);

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

/* The latest denials and refusals by guards, by their `kind`, oldest first; equal ones are joined
 * and counted. Stops when fn returns
 * non-zero, and returns that. */
int reeve_supervisor_denials(struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data);

/* ------------------------------------------------------------------- questions */

/*
 * While somebody can be asked (reeve_supervisor_ask()), a request that only the policy denies is
 * *held*: its caller waits, and a question is put. What does not exist, would fail anyway, is kept
 * quiet by a rule, or can never be granted live (execute) is not asked about. Requests for the same
 * are one question. A question ends by an answer; when all its callers died or got a signal that
 * they handle (EINTR, or the call is restarted); or when nobody can be asked any more: denied.
 *
 * An answered request runs again from the beginning, on what is there by then: what was shown is
 * what is granted. If it now means another object, that is another question.
 */

struct reeve_task {
	pid_t pid;
	char comm[16];
};

#define REEVE_PARENTS_MAX 8

/* Strings and arrays live as long as the callback runs. */
struct reeve_question {
	size_t size; /* sizeof(struct reeve_question) */
	uint64_t id; /* from 1 within a domain, never used again */
	uint64_t domain;
	struct timespec since; /* CLOCK_REALTIME */
	pid_t pid, tid;	       /* of who asked first */
	char comm[16];
	const char *exe;		  /* NULL: unknown */
	const struct reeve_task *parents; /* of pid, nearest first, within the domain */
	size_t parents_count;
	const char *call; /* "openat" */
	enum reeve_class cls;
	uint64_t asked, missing; /* missing: what an answer grants, at least */
	const char *object;	 /* canonical path; of other classes see below */
	const char *object2;	 /* of a rename or link, or NULL */
	bool object_is_directory;
	/* REEVE_FS: what wider answers are about. directory2: where object2 is elsewhere, or NULL.
	 * tree: a sensible directory further up, or NULL where there is none. */
	const char *directory, *directory2, *tree;
	uint64_t beneath;	/* the rights that they grant */
	unsigned int waiting;	/* requests that wait for the answer */
	unsigned int questions; /* how many questions wait, this one included */
	/* Which scopes can be allowed for longer than once: bits 1 << enum reeve_answer_scope. */
	unsigned int scopes;
	/* REEVE_NET: object is "192.0.2.1:443" or "[2001:db8::1]:443"; address "192.0.2.1/32". */
	const char *address;
	uint16_t port;
	/* REEVE_SOCKET: object is "inet:raw:icmp", or "inet:stream" where the protocol is the usual
	 * one, which is 0 here. REEVE_NET: of the socket, where no rule lets it be made, so that an
	 * answer for longer than once grants that as well; else 0. */
	int socket_family, socket_type, socket_protocol;
	bool is_unlimited; /* REEVE_SOCKET: no rule says what such a socket may reach */
};

enum reeve_answer_scope {
	REEVE_ANSWER_OBJECT,	/* what was shown; of a directory also what is beneath it */
	REEVE_ANSWER_DIRECTORY, /* class fs: the directory that it is in, and what is beneath */
	REEVE_ANSWER_TREE,	/* question.tree, or answer.tree, and what is beneath */
	REEVE_ANSWER_KIND, /* these rights on everything; sockets of any kind can only be denied */
	/* Class net: every port of the address; the port, whatever the address. */
	REEVE_ANSWER_ADDRESS,
	REEVE_ANSWER_PORT,
	/* Class socket: the family and type, whatever the protocol; the family. */
	REEVE_ANSWER_TYPE,
	REEVE_ANSWER_FAMILY,
};

enum reeve_answer_term {
	REEVE_ANSWER_ONCE,     /* the requests that wait, and no others */
	REEVE_ANSWER_SESSION,  /* as long as the domain runs, or until it is revoked */
	REEVE_ANSWER_DURATION, /* for `milliseconds` */
};

struct reeve_answer {
	size_t size; /* sizeof(struct reeve_answer) */
	bool allow;
	enum reeve_answer_scope scope;
	enum reeve_answer_term term;
	uint64_t milliseconds;
	const char *tree; /* the object's directory or one above it; NULL: the question's */
	const char *save; /* an allowed SESSION: also into this policy file; NULL: not */
	const char *by;	  /* who answers, for events and `rules` */
};

struct reeve_approver {
	size_t size; /* sizeof(struct reeve_approver) */
	/* From a thread of the supervisor's own, one call at a time, in the order of ids; must not
	 * block for long, but may answer. asked: a new question, and at first all that wait. gone:
	 * one of them has been answered by somebody, or nobody waits for it any more. */
	void (*asked)(void *data, const struct reeve_question *question);
	void (*gone)(void *data, uint64_t id);
	void *data;
};

/*
 * From now on somebody can be asked. Several may be; who answers first has answered. Returns an id
 * ≥ 1; -EOPNOTSUPP: the plan traps nothing (no_events); -ENOMEM, -EAGAIN.
 */
int reeve_supervisor_ask(struct reeve_supervisor *supervisor, const struct reeve_approver *approver,
	struct reeve_error *err);

/* Not this one any more; its functions are not called once this returned (but from within one of
 * them). When it was the last one, all questions are answered: denied. */
void reeve_supervisor_ask_end(struct reeve_supervisor *supervisor, int id);

/* The questions that wait, oldest first. Stops when fn returns non-zero, and returns that. */
int reeve_supervisor_questions(struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_question *question), void *data);

/*
 * Answers a question. What is allowed for longer than once becomes a live rule, in one commit of
 * its own; what is denied for longer is not asked about again.
 * -ENOENT: there is no such question (any more), and nothing was changed; -EINVAL: an answer that
 * this question cannot have (by a rule on the object alone no entry can be made or removed; a tree
 * that is not above the object); what reeve_policy_file_add() gives, and then it was not answered;
 * -ENOSPC: too many denials to remember; -ENOMEM.
 */
int reeve_supervisor_answer(struct reeve_supervisor *supervisor, uint64_t question,
	const struct reeve_answer *answer, struct reeve_error *err);

/* The same by JSON, {"question": 5, "answer": "allow", …} as reeve-control(7) has it. `by` and
 * `save` are the caller's: "save": true means that file, and is -EOPNOTSUPP where it is NULL. Also
 * -EINVAL: no such answer, or a member that is not known. */
int reeve_supervisor_answer_json(struct reeve_supervisor *supervisor, const char *json,
	const char *by, const char *save, struct reeve_error *err);

/*
 * The rules that allowing it would make: how many, at most REEVE_QUESTION_RULES; their paths are
 * the question's. -EINVAL: that scope cannot be granted.
 */
#define REEVE_QUESTION_RULES 4
int reeve_question_rules(const struct reeve_question *question, enum reeve_answer_scope scope,
	struct reeve_rule ret[REEVE_QUESTION_RULES]);

/* One line of JSON without newline (reeve-control(7)), with the lines that each answer would write
 * into a policy file; `save` is the one, or NULL. malloc(3). -ENOMEM. */
int reeve_question_to_json(const struct reeve_question *question, const char *save, char **ret);

/* "cat[12] wants to read /etc/hosts": one line for people, escaped; malloc(3). -ENOMEM. */
int reeve_question_to_text(const struct reeve_question *question, char **ret);

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
