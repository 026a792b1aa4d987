/* SPDX-License-Identifier: MIT */
/* `reeve policy lint`: what a policy allows that it should not, and what in it has no effect. */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "cli.h"

enum cli_lint_level { CLI_LINT_NOTE, CLI_LINT_WARNING, CLI_LINT_ERROR };

/* A kind of finding, and what is said of each. */
struct cli_lint_check {
	const char *name; /* as in the output and in "# lint: NAME" */
	enum cli_lint_level level;
	const char *why, *instead;
	bool gathers; /* several about one rule are one */
};

enum cli_lint_kind {
	LINT_MISSING,
	LINT_OPTIONAL,
	LINT_SHADOWED,
	LINT_OVERLAP,
	LINT_DENIED,
	LINT_DENIES_NOTHING,
	LINT_HOME,
	LINT_ROOT,
	LINT_STARTUP,
	LINT_SECRET,
	LINT_WRITE_EXECUTE,
	LINT_CONTROL,
	LINT_AGENT,
	LINT_SOCKETS,
	LINT_DEVICE,
	LINT_MAKE_DEVICE,
	LINT_TEMPORARY,
	LINT_NETWORK,
	LINT_EVERYWHERE,
	LINT_SIGNALS,
	LINT_UNUSED,
	LINT_UNUSED_RIGHTS,
	LINT_NARROWER,
	LINT_KINDS
};

/* One policy that is looked at. */
struct cli_lint {
	const struct reeve_policy *policy;
	const struct reeve_ruleset *ruleset;
	const char *name; /* of the policy, as given */
	struct reeve_rights handled;
	struct reeve_domain *domain;
	struct cli_finding *findings;
	size_t count;
	bool failed; /* out of memory */
};

struct cli_finding {
	enum cli_lint_kind kind;
	char *origin;  /* "policy.toml:12"; NULL: the policy as a whole */
	char *message; /* escaped where it has to be */
	size_t told;   /* places that the message names, where it gathers */
	size_t more;   /* others of the kind that are not in the message */
};

const struct cli_lint_check *cli_lint_check_of(enum cli_lint_kind kind);

/* Takes down a finding; `rule` NULL: about the policy as a whole. One of a kind and message for
 * each origin. */
void cli_lint_add(struct cli_lint *lint, enum cli_lint_kind kind, const struct reeve_rule *rule,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What the policy allows of `rights` at a path; a right that is not handled is allowed. */
uint64_t cli_lint_allowed(const struct cli_lint *lint, const char *path, uint64_t rights);
/* The rule that grants one of `rights` there, nearest first. False: none does. */
bool cli_lint_granting(
	const struct cli_lint *lint, const char *path, uint64_t rights, struct reeve_rule *ret);

void cli_lint_rules(struct cli_lint *lint);  /* lint_rules.c: rules without effect */
void cli_lint_places(struct cli_lint *lint); /* lint_places.c: what should not be reachable */
/* lint_used.c: rules that are broader than what an event or access log shows. 0 or CLI_ERROR. */
int cli_lint_used(struct cli_lint *lint, const char *file);

/* lint_notes.c: is the finding annotated in the file that it is about? */
bool cli_lint_is_annotated(const struct cli_lint *lint, const struct cli_finding *finding);

#endif /* CLI_LINT_H */
