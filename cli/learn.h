/* SPDX-License-Identifier: MIT */
/*
 * `reeve learn`: from what a program did to a policy.
 *
 * learn.c runs it and records; learn_take.c takes down, for each path, what was needed of it, and
 * learn_names.c which names will be others the next time;
 * learn_granted.c knows what need not be said; learn_ladder.c, with learn_roots.c, decides what is
 * wanted for the rest, and learn_rules.c makes rules of that; learn_sockets.c does the same for
 * sockets and addresses; learn_quiet.c keeps what was refused from being told again; learn_write.c
 * makes a file of the rules.
 */
#ifndef CLI_LEARN_H
#define CLI_LEARN_H

#include <time.h>
#include <reeve/record.h>
#include "cli.h"
#include "path_table.h"

struct learned;

/* Who needed something: the first of them, as numbers + 1 of names. Small: there is one a path. */
#define LEARN_NAMES 3
struct learn_who {
	uint16_t names[LEARN_NAMES];
	uint32_t counts[LEARN_NAMES], others;
};
void learn_who_add(
	struct learned *learned, struct learn_who *who, const char *name, uint64_t count);
void learn_who_join(struct learn_who *who, const struct learn_who *other);
/* "needed by cc1 (12), as (3)", allocated; NULL: no memory. */
char *learn_who_text(const struct learned *learned, const struct learn_who *who, const char *more);

/* One path, and what was needed of it. */
struct learn_path {
	struct cli_path_key key;
	uint32_t object; /* rights on it */
	uint32_t inside; /* of a directory: making, removing, refer in it */
	struct learn_who who;
	uint32_t twin;		    /* number + 1 of the path that it was renamed or linked to */
				    /* where it is one of many: of their group */
	bool many : 1;		    /* stands for nothing by itself: learn_ladder.c */
	bool made : 1;		    /* by the run: it was not there before */
	bool replaced : 1;	    /* another has its name since */
	bool gone : 1;		    /* removed, or moved away, by the run */
	bool directory : 1;	    /* as far as seen */
	bool mixed : 1;		    /* made, and below it is a link to what was there before */
	bool temporary : 1;	    /* made under a name that will be another one next time … */
	bool perhaps_temporary : 1; /* … if it is gone */
	bool told : 1;		    /* that it is opened for writing */
	bool fan : 1;		    /* a directory for names that begin alike: learn_names.c */
};

/* A program of the run. */
struct learn_kin {
	const char *comm; /* the record's */
	char *exe;	  /* owned, while names are settled */
	pid_t pid;
	uint32_t process, parent; /* 0: not known */
	uint32_t last;		  /* while names are settled */
};

/* One rule of the policy. Strings are owned. */
struct learn_rule {
	struct reeve_rule rule;
	char *path, *address;
	struct learn_who who;
	const char *more; /* static, for the comment; or NULL */
};

struct learn_rules {
	struct learn_rule *at;
	size_t count, capacity;
};
bool learn_rules_add(struct learn_rules *rules, const struct learn_rule *rule);
void learn_rules_release(struct learn_rules *rules);

/* Sentences for the end, escaped. */
struct learn_notes {
	char **at;
	size_t count, capacity;
	size_t left_out; /* that found no room here */
};
void learn_note(struct learn_notes *notes, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void learn_notes_release(struct learn_notes *notes);

/* learn_granted.c: the directory that was asked about last, and what nothing grants there. */
struct learn_granted {
	struct reeve_ruleset *ruleset;
	struct reeve_domain *domain;
	char *directory; /* or NULL */
	size_t length;
	uint64_t missing;
	bool alike; /* no rule is on anything in it */
};
/* The ruleset of a built-in profile; `options` may be NULL. */
int learn_profile(const char *name, const struct reeve_resolve_options *options,
	struct reeve_ruleset **ret, struct reeve_error *err);
int learn_granted_init(struct learn_granted *granted, struct reeve_error *err);
void learn_granted_release(struct learn_granted *granted);
/* What of `rights` on `path` has to be said. */
uint64_t learn_without_granted(struct learn_granted *granted, const char *path, uint64_t rights);

struct learned {
	struct cli_path_table paths; /* struct learn_path */
	char (*comms)[16];	     /* names of programs */
	size_t comm_count, comm_capacity, comm_last;
	struct cli_path_table names;   /* struct learn_socket: everything that is no path */
	struct cli_path_table refused; /* by the outer policy: learn_quiet.c */
	struct learn_granted granted;  /* what the policies that ours extends grant: not learned */
	char *tmp;		       /* where private TMPDIRs are, "/tmp/reeve-0"; or NULL */
	char *cwd, *home;
	struct learn_kin *lineage; /* by the actors' ids */
	size_t lineage_count;
	time_t now;
	bool used_tmp;
	bool datagrams;	 /* UNIX datagram sockets were made */
	bool udp;	 /* an address of UDP was used */
	bool made;	 /* anything */
	uint64_t denied; /* accesses that the outer policy denied: not learned */
	struct learn_rules rules, quiet;
	struct learn_notes notes;
	bool failed; /* no memory */
};

/* 0, or CLI_ERROR after saying why. */
int learn_init(struct learned *learned);
void learn_release(struct learned *learned);

/* learn_names.c: whether a name that was made will be another one the next time. */
enum learn_newness { LEARN_NOT_NEW, LEARN_PERHAPS_NEW, LEARN_SURELY_NEW };
enum learn_newness learn_newness_of(
	const struct learned *learned, const char *path, const struct reeve_access *access);
/* Directories on the way to `path`, which was made or removed, that are named by what is in it. */
void learn_mark_fan(struct learned *learned, const char *path);
/* The directory that `path` is in, in place; not one of those. */
void learn_path_up(const struct learned *learned, char *path);

/* learn_take.c: all of a record. 0 or -ENOMEM. */
int learn_read(struct learned *learned, struct reeve_record *record);

/* How a program is called in comments. */
const char *learn_comm(const struct learned *learned, const struct reeve_actor *actor);

/* learn_ladder.c: rules for the paths. */
void learn_path_rules(struct learned *learned);
/* Whether a path is one that no rule is widened to, nor beyond. */
bool learn_is_protected(const struct learned *learned, const char *path);

/* learn_sockets.c */
struct learn_socket {
	struct cli_path_key key; /* "class rights object" */
	enum reeve_class cls;
	uint64_t rights;
	char object[128];
	uint16_t port;
	int family, type, protocol;
	struct learn_who who;
};
void learn_take_socket(struct learned *learned, const struct reeve_access *access);
void learn_socket_rules(struct learned *learned);

/* learn_quiet.c */
void learn_refusals_init(struct learned *learned);
void learn_refusals_release(struct learned *learned);
void learn_take_refused(struct learned *learned, const struct reeve_access *access);
/* Of a run that succeeded. */
void learn_quiet_rules(struct learned *learned);

/* learn_write.c */
struct learn_output {
	const char *name;
	char *const *command;
	int fd; /* opened before the run */
	bool merge, diff;
	bool succeeded; /* CMD did */
	bool created;	/* by learn_open() */
	bool written;
	/* Of a comparison: rules that the policy lacked, and that grant more than was needed. */
	size_t missing, broader;
};
/* Opens it: not through a link, and only a regular file. 0 or CLI_ERROR. */
int learn_open(struct learn_output *out);
/* What the file cannot take is taken out of `learned`. */
int learn_write(struct learn_output *out, struct learned *learned);
/* Closes it; what was made and not written is removed. */
void learn_close(const struct learn_output *out);

/* learn_broader.c: each line with a sign before it; the text is used up. */
void learn_print_lines(char sign, char *text);
/* What rules of the policy grant and this run did not need; how many rules do. */
size_t learn_print_broader(const struct reeve_policy *policy, const struct learned *learned);

#endif /* CLI_LEARN_H */
