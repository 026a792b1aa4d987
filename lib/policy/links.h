/* SPDX-License-Identifier: MIT */
/*
 * Symbolic links on the way to what rules name. A rule is for what is there when the policy is
 * loaded. Where the policy lets the program make links, one run could leave a link to anything in
 * the place of what a rule names, and the next would be granted that: such grants are refused. Or
 * the next run would deny that instead of what was denied so far: links on the way to a denial are
 * kept for the plan, which denies them as well (enforce/plan_files.c). So are directories that
 * ".." leaves on that way, for a link in their place would lead elsewhere.
 */
#ifndef RV_POLICY_LINKS_H
#define RV_POLICY_LINKS_H

#include <reeve/policy.h>
#include <reeve/ruleset.h>

struct rv_link {
	char *path;   /* of the link: canonical but for itself; or of the directory */
	char *target; /* of the rule; NULL while it is not known */
	char *origin;
	uint64_t allowed;
	bool is_up;  /* a directory that ".." leaves; for denials only */
	bool denies; /* it is a denial's, and `allowed` what that takes away; 0: everything */
};

/* Zeroed is empty. */
struct rv_links {
	struct rv_link *at;
	size_t count, settled;
	bool failed; /* no memory */
};

/* A link on the way to the rule that comes next. */
void rv_links_met(struct rv_links *links, const char *path);
/* A directory that ".." leaves on that way. */
void rv_links_left(struct rv_links *links, const char *path);
/* That rule, by its path; NULL: it is none. Only those of grants and denials are kept. */
void rv_links_settle(struct rv_links *links, const struct reeve_rule *rule);
/* 0; -EINVAL: one of the links could be the program's, and gives more than there is without it. */
int rv_links_check(
	const struct rv_links *links, struct reeve_ruleset *ruleset, struct reeve_error *err);
void rv_links_release(struct rv_links *links);

#endif /* RV_POLICY_LINKS_H */
