/* SPDX-License-Identifier: MIT */
/*
 * What runs, for those who want to talk to it: a directory of this user's with ID.sock, the control
 * socket, ID.json, who serves it, pid-PID (registry_certificate.c) and supervisor-PID/ID
 * (registry_supervisor.c) for each running domain; and ID.denials.json, what was denied, for the
 * last ones that ended.
 *
 * ID.json is there only while ID.sock is listened on, unless its writer died. The directory is
 * locked by flock(2) while entries are added, and while dead ones are removed.
 *
 * Anybody of this user can write here, and so can a sandboxed program to which a policy grants the
 * directory. Therefore an entry counts only with a certificate that holds (supervise/domain_id.h),
 * and a socket only if that supervisor listens on it: nobody can pass for another domain's.
 */
#ifndef RV_CONTROL_REGISTRY_H
#define RV_CONTROL_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>
#include <reeve/control.h>
#include "base/cleanup.h"
#include "kernel/process.h"
#include "supervise/domain_id.h"

#define RV_RECORDS_KEPT 32

struct rv_registry {
	int fd;		/* of the directory; -1: there is none yet */
	uint64_t pidns; /* of who opened it */
	uid_t uid;	/* the same */
	char path[256]; /* for messages and reeve_control_path() */
};

/*
 * Opens the directory after checking that it is ours alone; makes it where `create`. Without, a
 * missing one is an empty registry. -EPERM: somebody else's, or open to others.
 */
int rv_registry_open(bool create, struct rv_registry *ret, struct reeve_error *err);
void rv_registry_close(struct rv_registry *registry);
#define rv_autoregistry RV_CLEANUP(rv_registry_close) struct rv_registry

/* Waits for the lock, or with `try` gives up. Returns the fd that holds it. */
int rv_registry_lock(const struct rv_registry *registry, bool try);

/* ---- files of the directory, by name: registry_dir.c */

/* The JSON object in a regular file of ours. -ESTALE: it is not one, or not ours. */
int rv_registry_read(const struct rv_registry *registry, const char *name, json_t **ret);
/* Replaces the file in one step. Returns an fd on it. */
int rv_registry_write(const struct rv_registry *registry, const char *name, const json_t *object);

/* "ID.sock" and so on; the id of such a name, 0: it is none. */
#define RV_ENTRY_NAME 40
char *rv_entry_name(uint64_t domain, const char *suffix, char buf[RV_ENTRY_NAME]);
uint64_t rv_entry_domain(const char *name, const char *suffix);

/* In ascending order. Zeroed is valid and empty. */
struct rv_ids {
	uint64_t *at;
	size_t count, capacity;
};
/* For each of the suffixes the ids that have a file with it, by one look at the directory. */
int rv_registry_ids(const struct rv_registry *registry, const char *const *suffixes, size_t count,
	struct rv_ids *ret);
void rv_ids_release(struct rv_ids *ids);
#define rv_autoids RV_CLEANUP(rv_ids_release) struct rv_ids

/* ---- entries: registry.c */

struct rv_entry {
	uint64_t domain;
	pid_t supervisor, program, connector;
	int board;	  /* a descriptor of the supervisor (board.h); -1: none */
	uint64_t rules;	  /* of its policy that cannot change */
	uint64_t start;	  /* of the supervisor, in clock ticks after boot */
	uint64_t pidns;	  /* inode: pids of another namespace mean nothing here */
	uint64_t since;	  /* milliseconds after the epoch */
	bool subreaper;	  /* the supervisor: orphans of the domain are its children */
	const char *name; /* or NULL */
	const char *argv; /* a JSON array */
	struct rv_certificate certificate; /* domain 0: it has none that holds */
	struct rv_process process; /* the supervisor as it was found; only in our pid namespace */
};

/* What an entry's strings live in. Zeroed is valid and empty. */
struct rv_entry_source {
	char *argv;
	json_t *object;
};
void rv_entry_source_release(struct rv_entry_source *source);

/* registry_entry.c. -ENOENT; -ESTALE: not an entry, or not ours. */
int rv_entry_read(const struct rv_registry *registry, uint64_t domain,
	struct rv_entry_source *source, struct rv_entry *ret);

/* Of a domain of the calling process's. */
void rv_entry_of_self(const struct rv_certificate *certificate, struct rv_entry *ret);
json_t *rv_entry_to_json(const struct rv_entry *entry, const json_t *argv);

/* Calls fn with each entry that is certified and whose supervisor lives; what dead ones left is
 * removed. Until fn returns non-zero. */
int rv_registry_each(const struct rv_registry *registry,
	int (*fn)(void *data, const struct rv_entry *entry), void *data);
/* Removes all that is there of a domain but its record; a certificate with nothing but the id will
 * do for one without. */
void rv_registry_remove(
	const struct rv_registry *registry, const struct rv_certificate *certificate);

/* Makes ID.sock, mode 0600, and listens. Returns the fd. */
int rv_registry_listen(const struct rv_registry *registry, uint64_t domain);
/* Connects to ID.sock. -ECONNREFUSED, -ENOENT: nobody is there; -ESTALE: not a socket of ours, or
 * not the supervisor's. */
int rv_registry_connect(
	const struct rv_registry *registry, const struct rv_certificate *certificate);

/* ---- from a process to its domain: registry_certificate.c */

/* `statement`: the descriptor by which the supervisor makes one (below), or -1. */
int rv_registry_certify(const struct rv_registry *registry,
	const struct rv_certificate *certificate, int statement);
void rv_registry_uncertify(
	const struct rv_registry *registry, const struct rv_certificate *certificate);
/*
 * Of the domain whose program, connector or supervisor (the newest of its domains) has or had this
 * pid: whether it has is for the caller to compare. The certificate holds. -ENOENT; -ESTALE: there
 * is something else.
 */
int rv_registry_certificate(
	const struct rv_registry *registry, pid_t pid, struct rv_certificate *ret);
/* Which descriptor of the supervisor's is said to be its statement; -1: none. */
int rv_registry_statement(
	const struct rv_registry *registry, const struct rv_certificate *certificate);
/* The text of a link in this directory: as above. */
int rv_certificate_read(int directory, const char *name, struct rv_certificate *ret);

/* ---- from a supervisor to its domains: registry_supervisor.c. The first two are part of
 * certifying. */

int rv_registry_supervise(const struct rv_registry *registry,
	const struct rv_certificate *certificate, const char *text);
void rv_registry_unsupervise(
	const struct rv_registry *registry, const struct rv_certificate *certificate);
/*
 * The statement that all below a supervisor is in its domain (reeve_control_options): a record lock
 * on `fd`, ID.json, at the place that is the id. The kernel tells in the supervisor's fdinfo, to
 * whom may look at it, which locks are held through its table of descriptors, and wakes nobody. It
 * is gone when this process closes any descriptor of the file: then who wants to know has to ask.
 */
int rv_registry_state_all_below(int fd, uint64_t domain);
/* True also proves that the supervisor lives, in the pid namespace of who opened the registry. */
bool rv_registry_is_all_below(
	const struct rv_registry *registry, const struct rv_certificate *certificate);
/* Calls fn with the certificate of each domain of this supervisor, until it returns non-zero. What
 * opening a directory gives; there is none: 0. */
int rv_registry_supervised(const struct rv_registry *registry, const struct rv_process_id *id,
	int (*fn)(void *data, const struct rv_certificate *certificate), void *data);

/* ---- records of what was denied: registry_record.c */

int rv_record_write(const struct rv_registry *registry, uint64_t domain, const json_t *object);
/* The newest where `id` is NULL; else by id, unique prefix, or name (then the newest). -ENOENT,
 * -EEXIST. */
int rv_record_find(const struct rv_registry *registry, const char *id, json_t **ret);

#endif /* RV_CONTROL_REGISTRY_H */
