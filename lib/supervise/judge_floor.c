/* SPDX-License-Identifier: MIT */
/*
 * What of the policy is in the kernel's floor, where denials inside of grants kept parts of it out.
 *
 * The floor goes by objects and the judge by paths. A directory of the split that was renamed,
 * removed or replaced since has its path no more: then the kernel would refuse what its path
 * promises, so each use of a part looks whether the object is still there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "enforce/split.h"
#include "supervise/judge_private.h"

struct rv_judge_floor {
	struct reeve_domain *domain;
	struct rv_split_parts parts;
	struct rv_path_index index; /* node N is parts.at[N] */
};

void rv_judge_floor_free(struct rv_judge_floor *floor)
{
	struct rv_split split = {.floor = floor ? floor->parts : (struct rv_split_parts){0}};

	if (!floor)
		return;
	rv_path_index_release(&floor->index);
	rv_split_release(&split);
	reeve_domain_free(floor->domain);
	free(floor);
}

/* Several grants may have split one object: one of them stands for it. */
static int add_part(struct rv_judge_floor *floor, const struct rv_split_part *part)
{
	const struct rv_path_walk walk = rv_path_walk_begin(part->path, strlen(part->path));
	const char *path;
	int r;

	if (rv_path_walk_node(&walk, &floor->index))
		return 0;
	r = rv_split_add(&floor->parts, part);
	if (r)
		return r;
	path = floor->parts.at[floor->parts.count - 1].path;
	return rv_path_index_intern(&floor->index, path, strlen(path)) ? 0 : -ENOMEM;
}

static bool is_below_spine(const struct rv_split *split, const char *path)
{
	for (size_t i = 0; i < split->spine.count; i++) {
		const char *above = split->spine.at[i].path;
		size_t n = strlen(above);

		if (n == 1 || (strncmp(path, above, n) == 0 && path[n] == '/'))
			return true;
	}
	return false;
}

/* Rules of the floor inside of a grant that is split can be left by their objects as well. */
static int add_inner_rules(struct rv_judge_floor *floor, const struct reeve_ruleset *ruleset,
	const struct rv_split *split)
{
	struct reeve_rule rule;
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		struct rv_split_part part = {.path = (char *)rule.path};

		if (rule.type != REEVE_RULE_PATH_BENEATH || !rule.allowed ||
			!is_below_spine(split, rule.path) || lstat(rule.path, &st) < 0)
			continue;
		part.is = (struct rv_identity){st.st_dev, st.st_ino};
		r = add_part(floor, &part);
	}
	return r;
}

static int fill(
	struct rv_judge_floor *floor, struct reeve_ruleset *ruleset, const struct rv_split *split)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < split->floor.count; i++) {
		const struct rv_split_part *part = &split->floor.at[i];
		struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
			.path = part->path,
			.allowed = part->allowed,
			.origin = part->origin};

		r = reeve_ruleset_add(ruleset, &rule, NULL);
		if (r == 0)
			r = add_part(floor, part);
	}
	if (r == 0)
		r = add_inner_rules(floor, ruleset, split);
	return r ? r : reeve_domain_new(NULL, ruleset, &floor->domain);
}

int rv_judge_set_floor(
	struct rv_judge *judge, struct reeve_ruleset *ruleset, const struct rv_split *split)
{
	struct rv_judge_floor *floor = calloc(1, sizeof(*floor));
	int r = floor ? fill(floor, ruleset, split) : -ENOMEM;

	if (r) {
		rv_judge_floor_free(floor);
		return r;
	}
	judge->floor = floor;
	return 0;
}

static bool is_there(const struct rv_split_part *part)
{
	struct stat st;

	return lstat(part->path, &st) == 0 && st.st_dev == part->is.dev &&
	       st.st_ino == part->is.ino;
}

/* Whether each part of the split that a path is below is still the object that it was. */
static bool is_as_it_was(const struct rv_judge_floor *floor, const char *path)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node = rv_path_walk_node(&walk, &floor->index);

		if (node && !is_there(&floor->parts.at[node - floor->index.nodes]))
			return false;
	}
	return true;
}

bool rv_judge_floor_allows(const struct rv_judge *judge, const char *path, uint64_t access)
{
	struct reeve_decision decision;

	if (!judge->floor)
		return true;
	reeve_decide_path(judge->floor->domain, path, access, &decision);
	return decision.allowed && is_as_it_was(judge->floor, path);
}

bool rv_judge_floor_allows_refer(const struct rv_judge *judge, const struct reeve_refer *refer)
{
	struct reeve_decision decision;

	if (!judge->floor)
		return true;
	reeve_decide_refer(judge->floor->domain, refer, &decision);
	return decision.allowed && is_as_it_was(judge->floor, refer->old_path) &&
	       is_as_it_was(judge->floor, refer->new_path);
}
