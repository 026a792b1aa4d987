/* SPDX-License-Identifier: MIT */
/*
 * The shape of the command line: verbs, their options, and what prints. A verb is a row of the
 * table in verbs.c and one file; its option table drives parsing, `--help`, the man pages and the
 * completions, so none of them can say anything else than the others.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <reeve/reeve.h>

/* Exit codes (design §9). Those of `run` come from reeve_exec_exit_code() too. */
#define CLI_OK	  0
#define CLI_NO	  1
#define CLI_ERROR 125

#define CLI_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLI_WIDTH	 80

/* ---- cleanup, as in the library, whose private headers the CLI does not see */
void cli_free_p(void *p);
void cli_policy_free_p(struct reeve_policy **p);
void cli_plan_free_p(struct reeve_plan **p);
#define cli_autofree   __attribute__((cleanup(cli_free_p)))
#define cli_autopolicy __attribute__((cleanup(cli_policy_free_p))) struct reeve_policy
#define cli_autoplan   __attribute__((cleanup(cli_plan_free_p))) struct reeve_plan

/* ---- rights */

/* Rights on a directory, by what they do to an entry of it. */
#define CLI_FS_MAKING                                                                              \
	(REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SOCK |         \
		REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM)
#define CLI_FS_REMOVING	    (REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE)
#define CLI_FS_IN_DIRECTORY (CLI_FS_MAKING | CLI_FS_REMOVING | REEVE_FS_REFER)

/* ---- options */

/* Values in the order given, borrowed from argv. */
struct cli_list {
	const char **items;
	size_t count;
};

enum cli_kind {
	CLI_FLAG,   /* target: bool, set to true */
	CLI_STRING, /* target: const char *, the last one wins */
	CLI_LIST,   /* target: struct cli_list, may be repeated */
};

/* What completions offer for an option's value or a verb's operands. */
enum cli_complete {
	CLI_NOTHING,
	CLI_PATHS,
	CLI_DIRECTORIES,
	CLI_POLICIES, /* profiles and policy files */
	CLI_FEATURES,
	CLI_SCOPES,
	CLI_FAMILIES, /* of sockets */
	CLI_COMMANDS,
	CLI_ACCESSES, /* first operand of explain */
	CLI_FORMATS,  /* first operand of policy import */
	CLI_VERBS,
};

/* One row of a verb's option table, which ends with a row without a name. */
struct cli_option {
	const char *name;     /* "--policy" */
	char letter;	      /* 'p' for -p, or 0 */
	const char *argument; /* "POLICY", or NULL where it takes none */
	const char *does;     /* for help, man page and completions */
	enum cli_complete complete;
	enum cli_kind kind;
	size_t offset; /* of the target in the verb's struct */
};

/* A rule flag as it was given: "--ro" and "/usr". `value` is NULL where it takes none. */
struct cli_rule_flag {
	const char *flag, *value;
};

/* What -p and the rule flags said. */
struct cli_rules {
	struct cli_list policies;
	struct cli_rule_flag *flags;
	size_t count;
};

struct cli_operands {
	int count;
	char **items; /* items[count] is NULL */
};

struct cli_verb {
	const char *name;     /* "run", or "policy show" */
	const char *synopsis; /* what follows the options: "[--] CMD [ARG]..." */
	const char *summary;  /* one line */
	const char *text;     /* paragraphs for `--help`, below the options; or NULL */
	const struct cli_option *options;
	size_t size;		    /* of the struct that the options fill in */
	bool takes_rules;	    /* -p and the rule flags are accepted … */
	bool no_policy;		    /* … but -p is not: there is a policy already */
	size_t rules_offset;	    /* … and go to the struct cli_rules there */
	bool first_operand_ends;    /* options after the first operand belong to CMD */
	enum cli_complete complete; /* operands */
	int (*run)(void *options, const struct cli_operands *operands);
};

/* The i-th verb, or NULL past the end. */
const struct cli_verb *cli_verb_at(size_t i);

/* The rows that every verb has (--help), and those of every verb that takes rules (-p). */
extern const struct cli_option cli_common_options[];
extern const struct cli_option cli_rules_options[];

/*
 * Calls fn for each option of a verb in the order of its help: its own, -p, rule flags, --help.
 * Stops at, and returns, the first non-zero result.
 */
int cli_each_option(const struct cli_verb *verb,
	int (*fn)(void *data, const struct cli_option *option, bool is_rule), void *data);

#define CLI_PARSE_HELP 1 /* --help was among them */

/*
 * Parses argv (without the verb) into `target` and `ret`; reorders argv where operands and options
 * mix. 0, CLI_PARSE_HELP, or CLI_ERROR after printing why.
 */
int cli_parse(
	const struct cli_verb *verb, int argc, char **argv, void *target, struct cli_operands *ret);
void cli_options_release(const struct cli_verb *verb, void *target);
bool cli_list_add(struct cli_list *list, const char *value);

/*
 * The candidate that `word` was probably meant to be, or NULL. Feed them one by one to a zeroed
 * struct; strings are borrowed.
 */
struct cli_nearest {
	const char *word;
	const char *best;
	unsigned int distance;
};
void cli_nearest_try(struct cli_nearest *nearest, const char *candidate);
const char *cli_nearest_found(const struct cli_nearest *nearest);

/* What to say of an option of landrun, bwrap or firejail, in buf; NULL: it is none. */
const char *cli_foreign_hint(const char *option, char *buf, size_t size);

/* ---- the policy that -p and the rule flags make (rules.c) */

struct cli_build {
	const struct cli_rules *rules;
	const struct cli_list *degrade; /* or NULL */
	const char *chdir;		/* --chdir: an absolute path that becomes ${PWD}, or NULL */
	bool quiet, verbose;
	bool keep_open; /* see struct reeve_resolve_options: a start follows at once */
};

/* Loaded, widened and resolved. 0 or a negative errno with `err` set. */
int cli_build_policy(
	const struct cli_build *build, struct reeve_policy **ret, struct reeve_error *err);
/* A path as it must be written where "$" begins a variable; allocated, NULL: no memory. */
char *cli_quote_dollars(const char *path);
/* Prints warnings, and with `verbose` (a bool *) true what was decided, to stderr. */
void cli_log(void *data, enum reeve_log_level level, const char *message);

/* A file or profile alone (policy.c), as `policy check` takes it. */
int cli_policy_load_named(struct reeve_policy *policy, const char *name, struct reeve_error *err);

/* ---- verbs and their displays */
/* dry_run.c; `options` NULL: --static. */
int cli_run_dry(const struct reeve_policy *policy,
	const struct reeve_supervised_plan_options *options, char *const *command, bool verbose);
void cli_show_rules(const struct reeve_ruleset *ruleset, bool full); /* show.c */
void cli_show_handled(const struct reeve_ruleset *ruleset);
void cli_show_settings(const struct reeve_policy *policy);
/* The i-th word of `deny` in policy files, or NULL, and its REEVE_DENY_* bit. */
const char *cli_denial_name(size_t i);
unsigned int cli_denial_bit(size_t i);
int cli_show_json(const struct reeve_policy *policy); /* show_json.c */

/* "ro", "rwx -make_char" or "make_reg, make_dir": rights of a file hierarchy by the rule flags'
 * words, as far as these are possible: handled, and of a file where the path is one. */
char *cli_fs_rights(uint64_t allowed, uint64_t possible, char *buf, size_t size);
/* "connect_tcp 443", "inet:stream:any", … what a rule is about, allocated; NULL: no memory. */
char *cli_rule_object(const struct reeve_rule *rule);

/* ---- sockets (sockets.c) */
/* "inet" for AF_INET; a number in `buf` where there is no name. */
const char *cli_socket_family_name(int family, char buf[16]);
const char *cli_socket_type_name(int type, char buf[16]);
/* FAMILY[:TYPE[:PROTOCOL]]; type defaults to stream, protocol to 0. 0 or -EINVAL, `err` says why.
 */
int cli_socket_parse(
	const char *text, int *family, int *type, int *protocol, struct reeve_error *err);
const char *cli_socket_family_at(size_t i);

/* ---- explain */
/* The i-th word that `explain` takes for several rights, "read", with what it means; or NULL. */
const char *cli_explain_word_at(size_t i, const char **ret_does);

/* The i-th format of `policy import`, or NULL past the end. */
const char *cli_import_format_at(size_t i, const char **ret_does);

/* ---- help (help.c) */
void cli_help_top(FILE *out);
void cli_help_verb(FILE *out, const struct cli_verb *verb);
void cli_help_group(FILE *out, const char *group);
void cli_dump_options(FILE *out); /* dump.c */

/* ---- output (output.c) */

/* `text` with what could upset a terminal as \n, \x1b …; allocated, never NULL (aborts no one:
 * a static "?" stands in without memory, so release it with cli_escape_free()). */
char *cli_escape(const char *text);
/* Of what is quoted for a shell: its backslashes stay, so that it can be typed. */
char *cli_escape_quoted(const char *text);
void cli_escape_free(char *text);
void cli_escape_p(char **p);
#define cli_autoescape __attribute__((cleanup(cli_escape_p)))

/* "reeve: MESSAGE" and "hint: HINT" on stderr. */
void cli_print_error(const struct reeve_error *err);
/* The same for the CLI's own; hint may be NULL. Arguments must be escaped. Returns CLI_ERROR. */
int cli_fail(const char *hint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Flushes stdout; `code`, or CLI_ERROR with a message where output was lost. */
int cli_finish(int code);

/* Prints `text` wrapped at CLI_WIDTH with a hanging indent; the cursor is at column `at`. Ends the
 * line. */
void cli_fill(FILE *out, unsigned int at, unsigned int indent, const char *text);
/* Prints `text` and pads to `width` columns; where it is too long, goes on in the next line. */
void cli_column(FILE *out, const char *text, unsigned int at, unsigned int width);
/* Columns that `text` takes on a terminal. */
unsigned int cli_columns(const char *text);
/* Cuts `text` to so many columns, with "..." at its end; to no fewer than those. 0: no limit. */
void cli_cut(char *text, unsigned int room);
/* How many columns are left of a line of the terminal that is stdout, after those; 0: stdout is
 * none, or they are more. */
unsigned int cli_room(unsigned int taken);

/* ---- files that a verb writes (out_file.c) */

/* Before the run, for writing: not through a link, and only a regular file. -1 after saying why. */
int cli_out_open(const char *option, const char *name);
/* All of it, from where fd is; -errno. */
int cli_out_write(int fd, const char *text, size_t length);
/* On stderr, what a record lacks; those that are hidden "are FATE". */
void cli_warn_unrecorded(struct reeve_record *record, const char *fate);

enum cli_style { CLI_HEADING, CLI_GOOD, CLI_BAD };
/* Prints `text` to stdout, in colour where stdout is a terminal and NO_COLOR is not set. */
void cli_styled(enum cli_style style, const char *text);

#endif /* CLI_CLI_H */
