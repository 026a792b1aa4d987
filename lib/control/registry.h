/* SPDX-License-Identifier: MIT */
/*
 * What runs, for those who want to talk to it: a directory of this user's with ID.sock, the control
 * socket, and ID.json, who serves it, for each running domain; and ID.denials.json, what was
 * denied, for the last ones that ended.
 *
 * ID.json is there only while ID.sock is listened on, unless its writer died. The directory is
 * locked by flock(2) while entries are added, and while dead ones are removed.
 */
#ifndef RV_CONTROL_REGISTRY_H
#define RV_CONTROL_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>
#include <reeve/control.h>
#include "base/cleanup.h"

#define RV_RECORDS_KEPT 32

struct rv_registry {
	int fd;		/* of the directory; -1: there is none yet */
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

/* Reads a JSON object from a regular file of ours. -ESTALE: it is not one, or not ours. */
int rv_registry_read(const struct rv_registry *registry, const char *name, json_t **ret);
/* Replaces the file in one step. */
int rv_registry_write(const struct rv_registry *registry, const char *name, const json_t *object);

/* "ID.sock" and so on; the id of such a name, 0: it is none. */
#define RV_ENTRY_NAME 40
char *rv_entry_name(uint64_t domain, const char *suffix, char buf[RV_ENTRY_NAME]);
uint64_t rv_entry_domain(const char *name, const char *suffix);

/* Calls fn with each id that has a file with this suffix. */
int rv_registry_names(const struct rv_registry *registry, const char *suffix,
	int (*fn)(void *data, uint64_t domain), void *data);

/* ---- entries: registry.c */

struct rv_entry {
	uint64_t domain;
	pid_t supervisor, program;
	uint64_t start;	      /* of the supervisor, in clock ticks after boot */
	uint64_t pidns;	      /* inode: pids of another namespace mean nothing here */
	uint64_t since;	      /* milliseconds after the epoch */
	const char *name;     /* or NULL */
	const json_t *object; /* has it all, and "argv" */
};

/* Fills in what tells of the calling process. */
int rv_entry_of_self(struct rv_entry *ret);
json_t *rv_entry_to_json(const struct rv_entry *entry, const json_t *argv);

/* Calls fn with each entry whose supervisor lives; dead ones are removed. Until fn returns
 * non-zero.
 */
int rv_registry_each(const struct rv_registry *registry,
	int (*fn)(void *data, const struct rv_entry *entry), void *data);
/* Removes ID.json and ID.sock. */
void rv_registry_remove(const struct rv_registry *registry, uint64_t domain);

/* Makes ID.sock, mode 0600, and listens. Returns the fd. */
int rv_registry_listen(const struct rv_registry *registry, uint64_t domain);
/* Connects to ID.sock. -ECONNREFUSED, -ENOENT: nobody is there; -ESTALE: not a socket of ours. */
int rv_registry_connect(const struct rv_registry *registry, uint64_t domain);

/* ---- records of what was denied: registry_record.c */

int rv_record_write(const struct rv_registry *registry, uint64_t domain, const json_t *object);
/* The newest where `id` is NULL; else by id, unique prefix, or name (then the newest). -ENOENT,
 * -EEXIST. */
int rv_record_find(const struct rv_registry *registry, const char *id, json_t **ret);

/* ---- processes: registry_process.c */

struct rv_process {
	pid_t parent;
	char state;
	uint64_t start;
};
int rv_process_read(pid_t pid, struct rv_process *ret);
uint64_t rv_process_pidns(void); /* the calling process's; 0: unknown */
/* Calls fn with pid and each of its ancestors, until it returns non-zero. Negative: /proc fails. */
int rv_process_ancestors(
	pid_t pid, int (*fn)(void *data, pid_t pid, const struct rv_process *process), void *data);

#endif /* RV_CONTROL_REGISTRY_H */
