/* SPDX-License-Identifier: MIT */
/* ${name} in paths: templates, the variables of a policy, and the built-in ones. */
#ifndef RV_POLICY_VARIABLES_H
#define RV_POLICY_VARIABLES_H

#include "policy/config.h"

/* A name is a letter, then letters, digits and underscores. */
#define RV_NAME_EXPECTED "a name of letters, digits and _, with a letter first"
#define RV_NAME_MAX	 64
bool rv_is_variable_name(const char *name, size_t length);

/* Is every ${name} closed and a name? 0, or -EINVAL. */
int rv_check_template(const char *text);
#define RV_TEMPLATE_EXPECTED                                                                       \
	"every ${ to be closed, around " RV_NAME_EXPECTED "; a literal ${ is written $${"

/* What variables are known, ready for looking up. Zeroed is empty. */
struct rv_variables {
	RV_LIST(struct rv_binding) bindings; /* sorted by name, then value; no value twice */
	struct rv_arena arena;		     /* of the built-in ones' values */
	const char *cwd;
};

/*
 * Collects the bindings of `config`, those of `set` in place of any other of their name. `cwd`
 * (${PWD}) is kept by reference. -ENOMEM.
 */
int rv_variables_init(struct rv_variables *variables, const struct rv_config *config,
	const struct rv_config *set, const char *cwd);
void rv_variables_release(struct rv_variables *variables);

/*
 * Calls fn with every expansion of a template, in lexicographic order of the values: none where a
 * variable has no value. Stops when fn returns non-zero, and returns that.
 * -ENOENT: a variable is not defined, and ret_name names it; -E2BIG: too many expansions;
 * -ENAMETOOLONG: one of PATH_MAX bytes or more; -ENOMEM.
 */
int rv_expand(struct rv_variables *variables, const char *text,
	int (*fn)(void *data, const char *expanded), void *data, char ret_name[RV_NAME_MAX]);
#define RV_EXPANSIONS_MAX 65536

/* The i-th built-in variable's name, or NULL: for documents and completions. */
const char *rv_builtin_variable_at(size_t i);

#endif /* RV_POLICY_VARIABLES_H */
