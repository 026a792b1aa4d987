/* SPDX-License-Identifier: MIT */
/*
 * `reeve policy import`: what other tools were told, as a policy of reeve.
 *
 * A reader of one format fills in a struct cli_import: rules, each with where it came from, and
 * *notes* about what has no equivalent, so that nothing is dropped silently. Tools that lay mounts
 * over one another (bwrap, systemd, firejail) describe the files by a struct cli_view, which
 * becomes grants and exceptions in the end.
 *
 * Running out of memory is remembered, and said once by who began the import.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli.h"

#define IMPORT_READ (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)
/* What a read-only mount takes away. It leaves ioctl and sockets: they are not the file system's.
 */
#define IMPORT_WRITE                                                                               \
	(REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE | REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE |    \
		REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SOCK |  \
		REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM | REEVE_FS_REFER)
#define IMPORT_ALL                                                                                 \
	(IMPORT_READ | IMPORT_WRITE | REEVE_FS_EXECUTE | REEVE_FS_IOCTL_DEV | REEVE_FS_RESOLVE_UNIX)

/* ---- what it came to (import.c) */

enum cli_import_fate {
	CLI_IMPORT_NONE,    /* nothing in a policy says the same */
	CLI_IMPORT_DIFFERS, /* something says nearly the same: the note tells the difference */
	CLI_IMPORT_COVERED, /* needs no rule: reeve does it anyway, or it says nothing new */
};

struct cli_import_note {
	enum cli_import_fate fate;
	char *origin, *what, *why;
};

struct cli_import {
	const char *format;
	struct reeve_rights handled;
	unsigned int deny; /* REEVE_DENY_* */
	bool private_tmpdir;
	bool failed;		  /* out of memory */
	struct reeve_rule *rules; /* their strings are owned */
	size_t count;
	struct cli_import_note *notes;
	size_t note_count;
};

/* Adds a rule; its strings are copied. A path must be absolute. What it grants is handled then. */
void cli_import_rule(struct cli_import *import, const struct reeve_rule *rule);
/* One rule on a range of ports. */
void cli_import_ports(struct cli_import *import, uint64_t right, unsigned int first,
	unsigned int last, const char *origin);
/* Lets sockets of one family be created, of all types and protocols. */
void cli_import_family(struct cli_import *import, int family, const char *origin);
/* No network: sockets of the machine only (of these as far as said), no port, no abstract socket
 * from outside. */
void cli_import_no_network(
	struct cli_import *import, bool unix_too, bool netlink_too, const char *origin);
void cli_import_note(struct cli_import *import, enum cli_import_fate fate, const char *origin,
	const char *what, const char *why, ...) __attribute__((format(printf, 5, 6)));

/* The object that a path names: links followed as far as there is something; absolute. Allocated,
 * or NULL, which is remembered. */
char *cli_import_path(struct cli_import *import, const char *path);
/* printf(3) to allocated memory; NULL is remembered. */
char *cli_import_text(struct cli_import *import, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The words of argv from `first` on, as one line. Allocated. */
char *cli_import_words(struct cli_import *import, char *const *argv, int first, int count);

/* ---- the policy's text (import_text.c); allocated, NULL: no memory, or `err` says why */
char *cli_import_to_toml(
	const struct cli_import *import, const char *source, struct reeve_error *err);

/* ---- files under mounts (import_view.c) */

/* What a node says of its path and all below, as far as no node further down says otherwise. */
struct cli_view_node {
	const char *path, *origin;
	size_t length;
	uint64_t mask;	 /* the rights that it speaks of */
	uint64_t rights; /* those of them that are there */
	bool optional;	 /* the path may be missing */
	bool seals;	 /* nothing further down counts */
};

struct cli_view {
	struct cli_import *import;
	struct cli_view_node *nodes;
	size_t count;
};

/* Adds a node; on one path, what any node takes away is gone. `node` is copied, with strings. */
void cli_view_add(struct cli_view *view, const struct cli_view_node *node);
/* Drops what is said of a path and below: something is mounted over it. */
void cli_view_cover(struct cli_view *view, const char *path, const char *by);
/* What was said of these rights there and below counts no more; seals stay. */
void cli_view_forget(struct cli_view *view, const char *path, uint64_t mask);
/* Makes rules of it, and releases it. */
void cli_view_finish(struct cli_view *view);

/* ---- addresses and ports (import_network.c) */

/* Ports of one protocol that may be bound: what is denied and not allowed explicitly is not. */
struct cli_port_set {
	bool denied[65536], allowed[65536];
};
void cli_import_port_set(struct cli_import *import, const struct cli_port_set *set, uint64_t right,
	const char *origin);

struct cli_prefix {
	unsigned char bytes[16];  /* in network order */
	unsigned int bits, width; /* width: 32 or 128 */
	bool allow;
};
/* "10.0.0.0/8", "::1", "any", "localhost", "link-local", "multicast": one prefix or one of each
 * family. How many, 0: it is none of these. */
size_t cli_import_prefixes(const char *text, bool allow, struct cli_prefix ret[2]);
/* connect_tcp and connect_send_udp to what is allowed, or not denied, of these prefixes. */
void cli_import_addresses(struct cli_import *import, const struct cli_prefix *prefixes,
	size_t count, const char *origin);

/* ---- formats; each returns 0 or CLI_ERROR after saying why */
int cli_import_landrun(struct cli_import *import, const struct cli_operands *operands);
int cli_import_sandboxer(struct cli_import *import, const struct cli_operands *operands);
int cli_import_bwrap(struct cli_import *import, const struct cli_operands *operands);
int cli_import_systemd(struct cli_import *import, const struct cli_operands *operands);
int cli_import_firejail(struct cli_import *import, const struct cli_operands *operands);

/* ---- files of lines (import_lines.c) */

/* Calls fn for each line of a file, joined where it ends in a backslash when `joins`; without
 * blanks around. 0, what fn returned, or CLI_ERROR after saying why. */
int cli_import_lines(const char *path, bool joins,
	int (*fn)(void *data, const char *line, const char *origin), void *data);

#endif /* CLI_IMPORT_H */
