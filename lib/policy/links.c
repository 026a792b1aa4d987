/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <reeve/domain.h>
#include "base/cleanup.h"
#include "base/error.h"
#include "policy/decode.h"
#include "policy/links.h"

static void clear(struct rv_link *link)
{
	free(link->path);
	free(link->target);
	free(link->origin);
}

void rv_links_release(struct rv_links *links)
{
	for (size_t i = 0; i < links->count; i++)
		clear(&links->at[i]);
	free(links->at);
}

static void add(struct rv_links *links, const char *path, bool is_up)
{
	struct rv_link *grown = reallocarray(links->at, links->count + 1, sizeof(*grown));
	char *copy = strdup(path);

	if (grown)
		links->at = grown;
	if (grown && copy)
		links->at[links->count++] = (struct rv_link){.path = copy, .is_up = is_up};
	else
		free(copy), links->failed = true;
}

void rv_links_met(struct rv_links *links, const char *path)
{
	add(links, path, false);
}

void rv_links_left(struct rv_links *links, const char *path)
{
	add(links, path, true);
}

static bool settle(struct rv_link *link, const struct reeve_rule *rule)
{
	link->allowed = rule->allowed;
	link->denies = rule->flags & REEVE_RULE_DENY;
	link->target = strdup(rule->path);
	link->origin = strdup(rule->origin ? rule->origin : "rule");
	return link->target && link->origin;
}

static bool matters(const struct rv_link *link, const struct reeve_rule *rule)
{
	if (!rule)
		return false;
	return (rule->flags & REEVE_RULE_DENY) || (rule->allowed && !link->is_up);
}

void rv_links_settle(struct rv_links *links, const struct reeve_rule *rule)
{
	size_t kept = links->settled;

	for (size_t i = links->settled; i < links->count; i++) {
		if (!matters(&links->at[i], rule)) {
			clear(&links->at[i]);
			continue;
		}
		links->failed |= !settle(&links->at[i], rule);
		links->at[kept++] = links->at[i];
	}
	links->count = links->settled = kept;
}

/* ---------------------------------------------------------------------------- check */

/* Whether `path` is in `dir`, or below. */
static bool is_inside(const char *path, const char *dir)
{
	size_t length = strcmp(dir, "/") ? strlen(dir) : 0;

	return strncmp(path, dir, length) == 0 && path[length] == '/';
}

/* Nearly no link is anywhere near, and this finds it out at no cost. */
static bool is_near(const struct reeve_ruleset *ruleset, const char *path)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.path && (rule.allowed & REEVE_FS_MAKE_SYM) && is_inside(path, rule.path))
			return true;
	return false;
}

static int decide(
	struct reeve_ruleset *ruleset, const char *path, uint64_t rights, bool *ret_allowed)
{
	struct reeve_decision decision = {0};
	struct reeve_domain *domain = NULL;
	int r = reeve_domain_new(NULL, ruleset, &domain);

	if (r < 0)
		return r;
	reeve_decide_path(domain, path, rights, &decision);
	reeve_domain_free(domain);
	*ret_allowed = decision.allowed;
	return 0;
}

/* Whoever puts a link there, by rename as well, needs make_sym on its directory. */
static int can_be_made(struct reeve_ruleset *ruleset, const char *path, bool *ret)
{
	const char *slash = strrchr(path, '/');
	rv_autofree char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));

	return dir ? decide(ruleset, dir, REEVE_FS_MAKE_SYM, ret) : -ENOMEM;
}

/* Whether what the link gives is there without it: without any rule on where it leads. */
static int is_granted_besides(const struct rv_link *link, struct reeve_ruleset *ruleset, bool *ret)
{
	struct reeve_ruleset *others = NULL;
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r;

	reeve_ruleset_handled(ruleset, &handled);
	r = reeve_ruleset_new(&handled, &others);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.path && strcmp(rule.path, link->target) != 0)
			r = reeve_ruleset_add(others, &rule, NULL);
	if (r == 0)
		r = decide(others, link->target, link->allowed, ret);
	reeve_ruleset_free(others);
	return r;
}

static int refuse(const struct rv_link *link, struct reeve_error *err)
{
	rv_error(err, -EINVAL,
		"%s: %s is a symbolic link, to %s, where the policy lets programs make links",
		rv_q(link->origin), rv_q(link->path), rv_q(link->target));
	rv_error_hint(err, "one that ran under it may have put it there: remove the link, or name "
			   "what it leads to");
	return -EINVAL;
}

int rv_links_check(
	const struct rv_links *links, struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	if (links->failed)
		return rv_no_memory(err);
	for (size_t i = 0; i < links->count; i++) {
		const struct rv_link *link = &links->at[i];
		bool made = false, besides = false;
		int r = 0;

		if (link->denies || !is_near(ruleset, link->path))
			continue;
		r = can_be_made(ruleset, link->path, &made);
		if (r == 0 && made)
			r = is_granted_besides(link, ruleset, &besides);
		if (r < 0)
			return rv_no_memory(err);
		if (made && !besides)
			return refuse(link, err);
	}
	return 0;
}
