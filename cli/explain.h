/* SPDX-License-Identifier: MIT */
/* `reeve explain`: the object (explain_path.c) and the answers (explain.c, explain_net.c). */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <sys/stat.h>
#include "cli.h"
#include "layers.h"

/* An access of one class, as asked. */
struct cli_access {
	enum reeve_class cls;
	uint64_t rights;		    /* one bit, or those of a word */
	const char *name;		    /* "fs.read_file", "write" */
	const struct cli_access_word *word; /* where it was a word */
};

/* A word for what people want to do with a path; the rights depend on what is there. */
struct cli_access_word {
	const char *word, *does;
	uint64_t on_file, on_directory, on_nothing;
};

/* Where a path leads. */
struct cli_object {
	char *path; /* absolute, no symbolic links but perhaps in a last component that is not there
		     */
	char *parent; /* its directory */
	mode_t mode;  /* 0: nothing is there */
};

/* Resolves as the kernel would. 0, or CLI_ERROR after saying why. */
int cli_object_find(const char *given, struct cli_object *ret);
void cli_object_release(struct cli_object *object);
#define cli_autoobject __attribute__((cleanup(cli_object_release))) struct cli_object

/* The rights that matter for this access on the object, and the path that is judged: Landlock looks
 * for make_* and remove_* at the directory. Both are borrowed from the arguments. */
const char *cli_object_judged(
	const struct cli_object *object, const struct cli_access *access, uint64_t *ret_rights);

/* The shortest rule flag that allows `missing` at `path`, allocated; NULL: there is none. */
char *cli_flag_for_path(const char *path, uint64_t missing);

/* What one answer is made from. */
struct cli_inquiry {
	const struct reeve_ruleset *ruleset;
	struct reeve_rights handled;
	const struct reeve_plan *plan;	   /* what is enforced here; NULL: not known */
	const struct reeve_policy *policy; /* what it was made of; NULL: a running domain's */
	const char *text; /* of a running domain: its policy, whose comments are the origins */
	struct cli_access access;
	const char *object; /* escaped, as the answer names it */
};

/* The answer's first line, and the exit code: `missing` is what the policy denies of the access,
 * some of which may be given up by name on this machine. */
int cli_explain_verdict(const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t missing);
/* Says which of the rights are not handled. */
void cli_explain_unhandled(
	const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t rights);
/* Says that a rule grants these rights. */
void cli_explain_grant(
	const struct cli_inquiry *inquiry, const struct reeve_rule *rule, uint64_t rights);
/* Where a rule came from, escaped; to be freed by cli_escape_free(). */
char *cli_explain_origin(const struct cli_inquiry *inquiry, const struct reeve_rule *rule);
/* Names, in a static buffer: for one use. */
const char *cli_explain_names(enum reeve_class cls, uint64_t rights);

/* The answers of explain_net.c. */
int cli_explain_port(struct cli_inquiry *inquiry, const char *given);
int cli_explain_socket(struct cli_inquiry *inquiry, const char *given);
int cli_explain_scope(struct cli_inquiry *inquiry, const char *given);

/* explain.c: the answer to ACCESS OBJECT, the exit code. */
int cli_explain_answer(struct cli_inquiry *inquiry, int count, char *const *items);
int cli_explain_parse_access(const char *name, struct cli_access *ret);

/* The answer of a policy that is loaded and resolved. */
int cli_explain_policy(const struct reeve_policy *policy, const struct cli_access *access,
	int count, char *const *items);

/* explain_layers.c: the answer of a static run. */
int cli_explain_layer(const struct cli_layer *layer, const struct cli_access *access, int count,
	char *const *items);

/* explain_domain.c: of a running domain, and of what was denied in one. */
int cli_explain_domain(const char *id, int count, char *const *items);
int cli_explain_denied(const char *id);

#endif /* CLI_EXPLAIN_H */
