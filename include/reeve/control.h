/* SPDX-License-Identifier: MIT */
/*
 * The control socket of a supervised domain: `reeve allow`, `revoke`, `rules`, `ps`, `watch` … and
 * programs that want to do the same. The protocol is JSON lines; reeve-control(7).
 *
 * The sockets lie in $XDG_RUNTIME_DIR/reeve (else /run/user/UID/reeve, else a directory of mode
 * 0700 below /tmp that is checked for owner and mode), ID.sock, mode 0600.
 */
#ifndef REEVE_CONTROL_H
#define REEVE_CONTROL_H

#include <reeve/supervisor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ------------------------------------------------------------------- serving */

struct reeve_control_server;

struct reeve_control_options {
	size_t size;
	const char *name;  /* --name, or NULL */
	char *const *argv; /* what runs, for `ps` */
	/* The policy, for `inspect`, which adds the live rules that are not in it, and so that live
	 * rules are cut down to the rights that it handles; or NULL. A reference is taken. */
	const struct reeve_ruleset *ruleset;
	const char *policy_file; /* to which answers can be saved, or NULL */
	/*
	 * The socket and the entry for `ps` are made after so many milliseconds, by the server's
	 * thread, unless it was stopped before: a domain that is gone by then was spared them, and
	 * where it denied nothing leaves no record either. What fails then is told by
	 * reeve_control_stop(). 0: at once.
	 */
	unsigned int after_ms;
	/* Loads the policy again, for the request "reload"; called from the server's thread. NULL:
	 * it cannot be. As reeve_supervisor_reload(), which it calls in the end. */
	int (*reload)(
		void *data, const char *by, struct reeve_reload *ret, struct reeve_error *err);
	void *reload_data;
	/* Who enforces what, for `inspect`; used during the call only. NULL: not told. */
	const struct reeve_plan *plan;
	/*
	 * A statement: what runs below this process with more seccomp filters than it has itself is
	 * in this domain. True of who had no children before the domain began, and starts nothing
	 * else that could be sandboxed. Then who asks for the domain of an orphan (observe.h) need
	 * not wait for an answer. Where it is wrong, others are told wrong ids.
	 */
	bool is_all_below;
};

/*
 * Serves the control socket of a running domain from one thread of its own. A peer must have our
 * uid or be root, must not have no_new_privs or a seccomp filter set that we have not, and must not
 * be below any supervisor or in the domain: a refused client is told why.
 * -EADDRINUSE: the name is taken by a running domain; -EINVAL: it cannot be a name; -EPERM: the
 * directory is not ours alone; what socket(2), bind(2), mkdir(2) give.
 *
 * Stopping tells those who watch that it is over, and leaves a record for reeve_control_denials().
 * It takes at most about two seconds, where a client does not read.
 */
int reeve_control_serve(struct reeve_supervisor *supervisor,
	const struct reeve_control_options *options, struct reeve_control_server **ret,
	struct reeve_error *err);
const char *reeve_control_path(const struct reeve_control_server *server);
/* 0, or what kept it from making the socket later on. Frees the server; NULL: 0. */
int reeve_control_stop(struct reeve_control_server *server, struct reeve_error *err);

/* -------------------------------------------------------------------- asking */

struct reeve_control; /* a connection to one domain */

/*
 * Opens the domain that `id` means: a hex domain id, a --name, the pid of a process in it, or a
 * unique prefix of an id; NULL where only one runs. -ENOENT: none; -EEXIST: several (the message
 * lists them); -EACCES, -EPERM: refused, the message says why; -EBUSY: the supervisor is stopped,
 * or does not say whether the process, an orphan, is in its domain; -ETIMEDOUT: it does not answer.
 */
int reeve_control_open(const char *id, struct reeve_control **ret, struct reeve_error *err);
void reeve_control_close(struct reeve_control *control);
uint64_t reeve_control_domain(const struct reeve_control *control);
int reeve_control_fd(const struct reeve_control *control); /* for poll(2) */

/*
 * Sends one request (a JSON object as text) and waits for its answer: malloc(3)ed JSON text. An
 * answer that is an error is returned as one. -EPIPE: the domain ended.
 */
int reeve_control_call(struct reeve_control *control, const char *request, char **ret_answer,
	struct reeve_error *err);

/*
 * Reads the next line of a stream that a request started (watch): malloc(3)ed. 1: a line; 0: the
 * end. Waits for a line, or with `nonblock` returns -EAGAIN: poll(2) tells when there is more.
 * -EINTR.
 */
int reeve_control_next(
	struct reeve_control *control, bool nonblock, char **ret_line, struct reeve_error *err);

/* A running domain. Strings live during the callback. */
struct reeve_control_entry {
	uint64_t domain;
	const char *name;      /* or NULL */
	pid_t supervisor, pid; /* pid: the program's */
	uint64_t since;	       /* milliseconds after the epoch */
	const char *argv;      /* a JSON array */

	uint64_t parent; /* the domain that its supervisor runs in, as far as known; 0: none */
	bool stopped;	 /* the supervisor is (SIGSTOP): it does not answer */
	uint64_t static_rules; /* rules of its policy that cannot change */
	/*
	 * What it shows of itself (reeve-control(7), WHERE), without being asked. False: it cannot
	 * be seen from here (another pid namespace), and has to be asked; then what follows is 0.
	 */
	bool has_numbers;
	uint64_t live_rules, questions; /* rules in force; requests that wait for an answer */
	uint64_t denied, guarded, commits;
};

/*
 * Every running domain of this user, in ascending order of ids; dead entries are removed on the
 * way. No domain is asked, so it takes no longer where one does not answer. Stops when fn returns
 * non-zero, and returns that.
 */
int reeve_control_list(int (*fn)(void *data, const struct reeve_control_entry *entry), void *data,
	struct reeve_error *err);

/*
 * The same for who only wants to know which there are, without a look at what each shows:
 * `parent` and all from `has_numbers` on are 0.
 */
int reeve_control_names(int (*fn)(void *data, const struct reeve_control_entry *entry), void *data,
	struct reeve_error *err);

/* A process in a running domain. The string lives during the callback. */
struct reeve_control_process {
	uint64_t domain; /* the innermost of the listed ones that it is in */
	pid_t pid, parent;
	char state;	  /* as in /proc/PID/stat: 'R', 'S', 'T', 'Z' … */
	const char *comm; /* chosen by the program: to be escaped */
};

/*
 * Every process of this user's running domains, in ascending order of pids; `domain` 0: of all of
 * them. As /proc has it: what forks and ends meanwhile may be missing. Supervisors and what they
 * started for themselves are in none. Where one supervisor has several domains, processes that
 * lost their parent are left out, as it cannot be told whose they are. Stops when fn returns
 * non-zero, and returns that.
 */
int reeve_control_processes(uint64_t domain,
	int (*fn)(void *data, const struct reeve_control_process *process), void *data,
	struct reeve_error *err);

/*
 * Both from one look: first every domain, as reeve_control_list() has them, then every process.
 * Takes little longer than the second alone.
 */
int reeve_control_tree(int (*on_domain)(void *data, const struct reeve_control_entry *entry),
	int (*on_process)(void *data, const struct reeve_control_process *process), void *data,
	struct reeve_error *err);

/*
 * What was denied in a domain, as the answer to the request "denials", also after its end: the last
 * 32 domains are remembered. `id` NULL: the only one that runs, or where none does the last one
 * that ended. Errors as reeve_control_open().
 */
int reeve_control_denials(const char *id, char **ret_answer, struct reeve_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_CONTROL_H */
