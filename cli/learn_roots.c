/* SPDX-License-Identifier: MIT */
/* On which of the things that the run made a rule is put. */
#include <stdlib.h>
#include <string.h>
#include "learn_ladder.h"

bool learn_is_temporary(const struct learn_path *path)
{
	return path->temporary || (path->perhaps_temporary && path->gone);
}

/* The topmost of what the run made on the way to `path`, itself included; NULL: it made none. */
const struct learn_path *learn_made_root(const struct learned *learned, const char *path)
{
	cli_autofree char *dir = learned->made ? strdup(path) : NULL;
	const struct learn_path *root = NULL;

	for (; dir && dir[1]; cli_path_up(dir)) {
		const struct learn_path *entry = cli_path_table_find(&learned->paths, dir);

		if (entry && entry->made && !entry->replaced)
			root = entry;
	}
	return root;
}

/*
 * The one that a rule for rights on files is made on. What was there and is linked into what the
 * run made must not gain rights there, or the link is refused, or everything that is linked would
 * have to be granted the same: so no such rule is on a directory above it.
 */
const struct learn_path *learn_tight_root(const struct learned *learned, const char *path)
{
	const struct learn_path *top = learn_made_root(learned, path), *root = NULL;
	cli_autofree char *dir = top && top->mixed ? strdup(path) : NULL;

	for (; dir && dir[1]; cli_path_up(dir)) {
		const struct learn_path *entry = cli_path_table_find(&learned->paths, dir);

		if (entry && entry->made && !entry->replaced && !entry->mixed)
			root = entry;
	}
	return top && top->mixed ? root : top;
}

static void mix_above(struct learned *learned, const struct learn_path *link)
{
	cli_autofree char *dir = strdup(link->key.path);

	learned->failed |= !dir;
	while (dir && dir[1]) {
		struct learn_path *entry;

		cli_path_up(dir);
		entry = cli_path_table_find(&learned->paths, dir);
		if (entry && entry->made)
			entry->mixed = true;
	}
}

/* What has another name each time, or is executed, takes the directory that it is in. */
static bool takes_directory(const struct learn_path *path)
{
	return path->made && (learn_is_temporary(path) || (path->object & REEVE_FS_EXECUTE));
}

void learn_mix(struct learned *learned)
{
	struct cli_path_table *paths = &learned->paths;

	for (size_t i = 0; learned->made && i < paths->count; i++) {
		const struct learn_path *from = cli_path_table_at(paths, i);

		if (from->twin && !from->many && !learn_made_root(learned, from->key.path))
			mix_above(learned, cli_path_table_at(paths, from->twin - 1));
	}
	for (size_t i = 0; learned->made && i < paths->count; i++) {
		const struct learn_path *path = cli_path_table_at(paths, i);
		const struct learn_path *root =
			takes_directory(path) ? learn_made_root(learned, path->key.path) : NULL;

		if (root)
			((struct learn_path *)cli_path_table_find(paths, root->key.path))->mixed =
				false;
	}
}
