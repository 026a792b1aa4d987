/* SPDX-License-Identifier: MIT */
/*
 * Loaded policy files are never writable from inside: a program that could change one would decide
 * about its next run, or with reload about this one. Each that lies within a writable grant is
 * denied for writing, and so is each symbolic link on the way to it: who replaces the link replaces
 * the file. Where the rules of a running domain can change, what lies elsewhere is denied too, but
 * by the supervisor alone, who would have to grant it: nothing has to be taken out of the floor.
 *
 * The same goes for the links on the way to what the policy denies: who replaces one decides what
 * the next run denies, and has the name that was denied for something else. A directory that ".."
 * leaves on such a way cannot be denied. Where a link could take its place, the way is refused.
 */
#include <string.h>
#include "base/error.h"
#include "enforce/plan.h"
#include "model/ruleset.h"
#include "policy/canon.h"
#include "policy/policy.h"

#define WRITE (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE)
/* On a directory: puts another file in the place of one below it. */
#define REPLACE                                                                                    \
	(REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SYM |      \
		REEVE_FS_MAKE_DIR | REEVE_FS_REFER)

struct protecting {
	struct reeve_plan *plan;
	const struct reeve_ruleset *asked;
	struct reeve_ruleset *made; /* NULL: nothing had to be denied so far */
	const char *file;
	struct reeve_rule deny; /* the next one, but for its path */
	const char *target;	/* where the way leads that is looked at for steps up */
	bool goes_up;		/* one of the ways does, by ".." */
	struct reeve_error *err;
	int result;
};

static uint64_t granted_on(const struct protecting *p, const char *path, size_t length)
{
	return rv_ruleset_path(p->asked, NULL, path, length, false).allowed;
}

static bool is_changeable(const struct protecting *p, const char *path)
{
	size_t length = strlen(path);

	/* What is denied, or above that, stays what it is. */
	if (rv_ruleset_denies_within(p->asked, path, length))
		return granted_on(p, path, length) & WRITE;
	return (granted_on(p, path, length) & WRITE) ||
	       (granted_on(p, path, rv_path_parent(path, length)) & REPLACE);
}

/* A denial that only what is granted later can meet. */
static int deny_later(struct protecting *p, const struct reeve_rule *deny)
{
	struct reeve_rights handled;
	int r = 0;

	if (!p->plan->mode.supervised)
		return 0;
	reeve_ruleset_handled(p->asked, &handled);
	if (!p->plan->protected)
		r = reeve_ruleset_new(&handled, &p->plan->protected);
	return r ? r : reeve_ruleset_add(p->plan->protected, deny, NULL);
}

static void deny_now(struct protecting *p, const struct reeve_rule *deny)
{
	rv_escape(p->plan->protects, sizeof(p->plan->protects), p->file, strlen(p->file));
	if (!p->made)
		p->result = rv_ruleset_copy(p->asked, &p->made);
	if (p->result == 0)
		p->result = reeve_ruleset_add(p->made, deny, NULL);
}

static bool has(const struct reeve_ruleset *ruleset, const struct reeve_rule *deny)
{
	const struct reeve_rule *rule =
		ruleset ? rv_ruleset_denial_on(ruleset, deny->path, strlen(deny->path)) : NULL;

	return rule && rule->allowed && !(deny->allowed & ~rule->allowed);
}

static void protect(void *data, const char *path)
{
	struct protecting *p = data;
	struct reeve_rule deny = p->deny;

	deny.path = path;
	if (p->result || !deny.allowed || has(p->made, &deny) || has(p->plan->protected, &deny))
		return;
	if (is_changeable(p, path))
		deny_now(p, &deny);
	else
		p->result = deny_later(p, &deny);
}

static struct reeve_rule denial(const struct protecting *p, uint64_t rights, const char *origin)
{
	struct reeve_rights handled;

	reeve_ruleset_handled(p->asked, &handled);
	return (struct reeve_rule){.type = REEVE_RULE_PATH_BENEATH,
		.flags = REEVE_RULE_DENY,
		.allowed = rights & handled.of[REEVE_FS],
		.origin = origin};
}

static void note_up(void *data, const char *dir)
{
	struct protecting *p = data;

	(void)dir;
	p->goes_up = true;
}

static void protect_file(struct protecting *p, const char *file)
{
	char path[PATH_MAX];
	struct rv_canon canon = {.on_link = protect, .on_up = note_up, .data = p};

	p->file = file;
	p->deny = denial(p, WRITE | REPLACE, RV_PROTECTED);
	if (rv_canonicalize(&canon, file, true, path) == 0)
		protect(p, path);
}

/* Should it be a link no more, then what the user denied by this name has it. */
static void protect_link(struct protecting *p, const struct rv_link *link)
{
	p->file = link->path;
	p->deny = denial(
		p, link->allowed ? link->allowed | WRITE | REPLACE : UINT64_MAX, link->origin);
	protect(p, link->path);
}

/* ------------------------------------------------------------------------ steps up */

static int refuse_up(struct protecting *p, const char *origin, const char *dir)
{
	rv_error(p->err, -EINVAL,
		"%s: \"..\" steps up from %s, which the policy lets programs replace", rv_q(origin),
		rv_q(dir));
	rv_error_hint(p->err,
		"a link there would lead the next run elsewhere: name the path without \"..\", %s",
		rv_q(p->target));
	return -EINVAL;
}

/* Once all that is denied is known: what is above that is nobody's to move, whatever is granted. */
static int check_up(struct protecting *p, const char *origin, const char *dir)
{
	size_t length = strlen(dir);

	if (rv_ruleset_denies_within(p->made ? p->made : p->asked, dir, length) ||
		!(granted_on(p, dir, rv_path_parent(dir, length)) & REEVE_FS_REMOVE_DIR))
		return 0;
	return refuse_up(p, origin, dir);
}

static void check_file_up(void *data, const char *dir)
{
	struct protecting *p = data;

	if (p->result == 0)
		p->result = check_up(p, p->file, dir);
}

static void check_file(struct protecting *p, const char *file)
{
	char path[PATH_MAX], unused[PATH_MAX];
	struct rv_canon canon = {.data = p};

	p->file = file;
	p->target = path;
	if (rv_canonicalize(&canon, file, true, path) < 0)
		return;
	canon = (struct rv_canon){.on_up = check_file_up, .data = p};
	rv_canonicalize(&canon, file, true, unused);
}

static void check_steps(struct protecting *p, const struct reeve_policy *policy)
{
	const struct rv_links *links = &policy->links;

	for (size_t i = 0; p->goes_up && p->result == 0 && i < policy->loaded.roads.count; i++)
		check_file(p, policy->loaded.roads.at[i]);
	for (size_t i = 0; p->result == 0 && i < links->count; i++) {
		p->target = links->at[i].target;
		if (links->at[i].is_up)
			p->result = check_up(p, links->at[i].origin, links->at[i].path);
	}
}

/* -------------------------------------------------------------------------- policy */

static void protect_all(struct protecting *p, const struct reeve_policy *policy)
{
	const struct rv_links *links = &policy->links;

	for (size_t i = 0; p->result == 0 && i < policy->loaded.roads.count; i++)
		protect_file(p, policy->loaded.roads.at[i]);
	for (size_t i = 0; p->result == 0 && i < links->count; i++)
		if (links->at[i].denies && !links->at[i].is_up)
			protect_link(p, &links->at[i]);
	if (p->result)
		rv_error(p->err, p->result, "%s: cannot be protected: %s", rv_q(p->file),
			strerror(-p->result));
}

int rv_plan_protect_files(struct reeve_plan *plan, const struct reeve_policy *policy,
	struct reeve_ruleset **ret, struct reeve_error *err)
{
	struct protecting p = {.plan = plan, .asked = reeve_policy_ruleset(policy), .err = err};

	protect_all(&p, policy);
	if (p.result == 0)
		check_steps(&p, policy);
	if (p.result) {
		reeve_ruleset_free(p.made);
		return p.result;
	}
	*ret = p.made ? p.made : reeve_ruleset_ref((struct reeve_ruleset *)p.asked);
	return 0;
}
