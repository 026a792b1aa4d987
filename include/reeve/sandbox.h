/* SPDX-License-Identifier: MIT */
/*
 * Enforcing a policy: on the calling process, or on a program that it becomes.
 *
 * First a *plan* is made: what the policy asks for, piece by piece, and who enforces it here.
 * Making a plan changes nothing. What nobody can enforce on this machine is an error unless the
 * policy degrades it by name: there is no silent best effort.
 */
#ifndef REEVE_SANDBOX_H
#define REEVE_SANDBOX_H

#include <sys/select.h> /* sigset_t, in strict C11 too */
#include <sys/types.h>
#include <reeve/policy.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct reeve_kernel; /* what a kernel can do; see check.h */
struct reeve_plan;

enum reeve_enforcer {
	REEVE_BY_NOBODY = 0, /* not enforceable here, and not degraded: the plan fails */
	REEVE_BY_LANDLOCK,   /* the kernel's Landlock */
	REEVE_BY_SECCOMP,    /* the kernel, by a seccomp filter that looks at arguments only */
	REEVE_BY_SUPERVISOR, /* reeve's supervisor */
	REEVE_DEGRADED,	     /* asked for, not enforceable here, given up by name */
	REEVE_OBSERVED,	     /* permissive: judged by the supervisor, and allowed all the same */
	REEVE_BY_OBSERVER,   /* nothing to enforce: reeve can find it out */
};

/* "Landlock", "seccomp", "supervisor", "nobody", "nobody (degraded)",
 * "supervisor (judged only)", "reeve". */
const char *reeve_enforcer_name(enum reeve_enforcer enforcer);

/* One piece of a plan. Strings live as long as the plan. */
struct reeve_plan_item {
	const char *feature; /* "fs.read_file", "scope.signal", "guard.tiocsti", "live" … */
	enum reeve_enforcer by;
	const char *why; /* "needs Landlock ABI 10, this kernel has 7", or "" */
};

/*
 * Makes a plan for a resolved policy. `kernel` NULL: the running one, probed now. The plan keeps
 * what it needs of the policy.
 *
 * -EOPNOTSUPP: something cannot be enforced here; the message names the first such feature and
 *   what it needs, the hint how to go on. -EINVAL: the policy is not resolved. -ENOMEM.
 */
int reeve_plan_new(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	struct reeve_plan **ret, struct reeve_error *err);

/*
 * The same, but what nobody enforces is left in the plan as REEVE_BY_NOBODY, for display. Such a
 * plan is refused by the functions below with -EOPNOTSUPP.
 */
int reeve_plan_describe(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	struct reeve_plan **ret, struct reeve_error *err);
void reeve_plan_free(struct reeve_plan *plan);

/* The i-th item in display order (fs, net, socket, scope, settings, guards), or NULL. */
const struct reeve_plan_item *reeve_plan_at(const struct reeve_plan *plan, size_t i);

/* The ruleset as Landlock gets it (would get it, if permissive): without what others enforce.
 * Owned by the plan. */
const struct reeve_ruleset *reeve_plan_floor(const struct reeve_plan *plan);

/* Number of instructions of the seccomp filter, 0 where none is needed. */
size_t reeve_plan_filter_length(const struct reeve_plan *plan);

/* The filter as text, one instruction or comment a line, allocated with malloc(3). -ENOMEM. */
int reeve_plan_filter_dump(const struct reeve_plan *plan, char **ret);

/* ------------------------------------------------------------ on this process */

#define REEVE_RESTRICT_TSYNC		  1u /* all threads of the process, not the caller only */
#define REEVE_RESTRICT_LOG_SAME_EXEC_OFF  2u /* kernel: LANDLOCK_RESTRICT_SELF_LOG_* (ABI 7) */
#define REEVE_RESTRICT_LOG_NEW_EXEC_ON	  4u
#define REEVE_RESTRICT_LOG_SUBDOMAINS_OFF 8u

/*
 * Restricts the calling thread (with REEVE_RESTRICT_TSYNC the whole process), for good:
 * no_new_privs, Landlock, seccomp filter, in this order. Threads and processes made later inherit
 * it. no_new_privs is set by landlock_restrict_self() where the kernel can (ABI 11).
 *
 * All or nothing as far as the kernel allows: everything that can fail for want of memory or
 * support is prepared before the first irrevocable step.
 *
 * -EINVAL: unknown flags; -ENOTSUP: TSYNC in a process that has other threads, where the kernel's
 *   Landlock cannot (ABI < 8); a LOG flag it does not know; -EOPNOTSUPP: see reeve_plan_describe();
 *   -E2BIG: 16 layers are in force already; a path of the policy that changed meanwhile: what
 *   open(2) gives; -ENOMEM.
 */
int reeve_plan_restrict(const struct reeve_plan *plan, unsigned int flags, struct reeve_error *err);

/* --------------------------------------------------------------- a program */

struct reeve_exec_options {
	size_t size;		     /* sizeof(struct reeve_exec_options) */
	unsigned int restrict_flags; /* REEVE_RESTRICT_LOG_* */
	const char *chdir;	     /* NULL: stay */
	char *const *envp;	     /* NULL: environ */
	const int *keep_fds;	     /* fds above 2 that stay open; all others are closed */
	size_t keep_fds_count;
	bool keep_all_fds; /* close none; for `reeve sandboxer`, which behaves like the kernel's */

	/* ---- only for a program that is started beside the caller: reeve_plan_exec() has none */

	/*
	 * The program's descriptor `to` is what `from` is here. All at once: {{3, 4}, {4, 3}}
	 * exchanges them. Not close-on-exec in the program; `from` stays open here.
	 */
	const struct reeve_fd_map *fds;
	size_t fds_count;
	bool new_session; /* setsid(2) */
	/*
	 * An open terminal (the pty's other end): it becomes the program's controlling terminal in
	 * a new session, and its descriptors 0, 1 and 2, which `fds` may change. NULL: none.
	 */
	const int *terminal;
};

struct reeve_fd_map {
	int from, to;
};

/*
 * Becomes `argv` under the plan: makes the private TMPDIR where the policy wants one (removing
 * those of runs that are gone), sets TMPDIR, changes directory, closes file descriptors, restricts
 * itself, and execs. argv[0] is looked up in PATH of the new environment as execvp(3) does.
 * Returns only on failure:
 *
 * -ENOENT: no such program (exit code 127); -EACCES, -ENOEXEC and other errors of execve(2): it
 * cannot be executed (126), the hint then names what the policy lacks; anything else: reeve failed
 * (125). reeve_exec_exit_code() maps `err`.
 */
int reeve_plan_exec(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *options, struct reeve_error *err);

struct reeve_spawn_options {
	size_t size;			       /* sizeof(struct reeve_spawn_options) */
	const struct reeve_exec_options *exec; /* NULL: defaults */
	const sigset_t *signal_mask;	       /* the program's; NULL: the calling thread's */
};

/*
 * Starts argv under the plan as a child of the calling process, and returns its pid; no supervisor,
 * no thread stays behind. May be called from any thread of any program: between clone and exec the
 * child makes system calls only, and the caller's working directory, handlers and mask stay as
 * they are. It is a child like any other: it sends SIGCHLD when it ends, and has to be waited for.
 * `options` may be NULL. *ret_pidfd (may be NULL) is a descriptor on it, close-on-exec, the
 * caller's to close: readable once it has ended, and what waitid(P_PIDFD) takes.
 *
 * Errors are those of reeve_plan_exec(), found before anything is started where that can be, and
 * then: -EBADF: a descriptor of `fds`, keep_fds or `terminal` is not open, or `to` is negative or
 * twice the same (-EINVAL); -ENOTTY, -EPERM: `terminal` is none, or another session's; -EAGAIN: no
 * more processes or threads.
 */
pid_t reeve_plan_spawn(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_spawn_options *options, int *ret_pidfd, struct reeve_error *err);

/* What `reeve run` exits with after this failure of reeve_plan_exec(): 125, 126 or 127. */
int reeve_exec_exit_code(const struct reeve_error *err);

/*
 * What `argv[0]` needs that the plan's policy does not let it read or execute (the program, its
 * interpreter, shared libraries), as a hint for a person. 0: nothing found, `ret` is ""; 1: a hint;
 * best effort, from the files as they are now. Does not restrict anything.
 */
int reeve_plan_diagnose(const struct reeve_plan *plan, const char *program, char *const *envp,
	char *ret, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_SANDBOX_H */
