/* SPDX-License-Identifier: MIT */
/*
 * Adding rules to the text of a policy and leaving everything else in it as it is: comments, order,
 * spelling, line ends. A path goes to the end of the list of a [[path_beneath]] table that grants
 * just the same; what no table grants becomes a new table at the end.
 *
 * The text is parsed before and after: it must then say what it said, and the rule.
 */
#ifndef RV_POLICY_EDIT_H
#define RV_POLICY_EDIT_H

#include <stdbool.h>
#include <reeve/ruleset.h>
#include "base/strbuf.h"

struct rv_edit {
	const char *name; /* of the text, in messages */
	const char *text; /* NUL-terminated, and none in it */
	size_t length;
	bool json;
};

/*
 * A rule with an origin gets a table of its own in TOML, below a comment that says it.
 *
 * 1: *ret is the new text, malloc(3)ed; 0: it says so already, and *ret is left alone. -EINVAL: the
 * text is no policy; -EOPNOTSUPP: such a rule cannot be added to this text, the message says why;
 * -EILSEQ: the path is not UTF-8, which policies are; -ENOMEM.
 */
int rv_edit_add(const struct rv_edit *edit, const struct reeve_rule *rule, char **ret,
	struct reeve_error *err);

/* ---- emit.c: the same spelling wherever a rule is written */

/* A string in which a '$' stands for itself; valid TOML and JSON. -EILSEQ: not UTF-8. */
int rv_put_path(struct rv_strbuf *sb, const char *path);
/* ["a", "b"] */
void rv_put_right_names(struct rv_strbuf *sb, enum reeve_class cls, uint64_t bits);
/* A table with its header. -EILSEQ. */
int rv_put_rule(struct rv_strbuf *sb, const struct reeve_rule *rule);

#endif /* RV_POLICY_EDIT_H */
