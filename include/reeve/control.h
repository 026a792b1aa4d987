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
	/* The effective policy, for `inspect`, and so that live rules are cut down to the rights
	 * that it handles; or NULL. A reference is taken. */
	const struct reeve_ruleset *ruleset;
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
void reeve_control_stop(struct reeve_control_server *server);

/* -------------------------------------------------------------------- asking */

struct reeve_control; /* a connection to one domain */

/*
 * Opens the domain that `id` means: a hex domain id, a --name, the pid of a process in it, or a
 * unique prefix of an id; NULL where only one runs. -ENOENT: none; -EEXIST: several (the message
 * lists them); -EACCES, -EPERM: refused, the message says why; -EBUSY: the supervisor is stopped;
 * -ETIMEDOUT: it does not answer.
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
};

/* Every running domain of this user; dead entries are removed on the way. Stops when fn returns
 * non-zero, and returns that. */
int reeve_control_list(int (*fn)(void *data, const struct reeve_control_entry *entry), void *data,
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
