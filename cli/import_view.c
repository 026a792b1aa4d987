/* SPDX-License-Identifier: MIT */
/*
 * What a stack of mounts shows, as grants and exceptions.
 *
 * A mount decides for its path and everything below, until another one further down does. In a
 * policy grants add up on the way down, and an exception takes away; so a node becomes a grant of
 * what is gained there and an exception for what is lost. The policy handles what is missing
 * anywhere: what is there everywhere needs no rule.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "import.h"

void cli_view_add(struct cli_view *view, const struct cli_view_node *node)
{
	struct cli_view_node *nodes = reallocarray(
				     view->nodes, view->count + 1, sizeof(*view->nodes)),
			     *added;

	if (!nodes) {
		view->import->failed = true;
		return;
	}
	view->nodes = nodes;
	added = &nodes[view->count];
	*added = *node;
	added->path = cli_import_text(view->import, "%s", node->path);
	added->origin = cli_import_text(view->import, "%s", node->origin);
	if (!added->path || !added->origin) {
		free((char *)added->path);
		free((char *)added->origin);
		return;
	}
	/* "/" is above everything, and its own slash is the one of what is below. */
	added->length = strcmp(added->path, "/") == 0 ? 0 : strlen(added->path);
	view->count++;
}

static bool is_at_or_above(const struct cli_view_node *node, const char *path)
{
	return strncmp(node->path, path, node->length) == 0 &&
	       (path[node->length] == '/' || path[node->length] == '\0');
}

void cli_view_forget(struct cli_view *view, const char *path, uint64_t mask)
{
	const struct cli_view_node above = {
		.path = path, .length = strcmp(path, "/") == 0 ? 0 : strlen(path)};

	for (size_t i = 0; i < view->count; i++)
		if (!view->nodes[i].seals && is_at_or_above(&above, view->nodes[i].path))
			view->nodes[i].mask &= ~mask;
}

void cli_view_cover(struct cli_view *view, const char *path, const char *by)
{
	const struct cli_view_node cover = {
		.path = path, .length = strcmp(path, "/") == 0 ? 0 : strlen(path)};
	size_t kept = 0;

	for (size_t i = 0; i < view->count; i++) {
		struct cli_view_node *node = &view->nodes[i];

		if (!is_at_or_above(&cover, node->path)) {
			view->nodes[kept++] = *node;
			continue;
		}
		cli_import_note(view->import, CLI_IMPORT_COVERED, node->origin, node->path,
			"hidden by %s", by);
		free((char *)node->path);
		free((char *)node->origin);
	}
	view->count = kept;
}

/* ------------------------------------------------------------------------ looking up */

static int by_depth(const void *a, const void *b)
{
	const struct cli_view_node *left = a, *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return strcmp(left->path, right->path);
}

struct seen {
	uint64_t rights, here; /* so far; what nodes on the path that is at hand spoke of */
	size_t length;	       /* of that path */
	bool sealed;
};

static void apply(struct seen *seen, const struct cli_view_node *node)
{
	uint64_t first, again;

	/* Of what is hidden nothing comes back by being made writable or executable. */
	if (!seen->rights && node->mask != UINT64_MAX)
		return;
	if (node->length != seen->length)
		seen->here = 0;
	seen->length = node->length;
	first = node->mask & ~seen->here;
	again = node->mask & seen->here;
	seen->rights = (seen->rights & ~first) | (node->rights & first);
	seen->rights &= ~(again & ~node->rights);
	seen->here |= node->mask;
	seen->sealed = seen->sealed || node->seals;
}

/* What is there at a path; nodes are sorted by depth. `length`: of the path, the rest is not
 * looked at. */
static uint64_t rights_at(const struct cli_view *view, const char *path)
{
	struct seen seen = {.length = SIZE_MAX};

	for (size_t i = 0; i < view->count; i++) {
		const struct cli_view_node *node = &view->nodes[i];

		if (!is_at_or_above(node, path))
			continue;
		if (seen.sealed && node->length != seen.length)
			break;
		apply(&seen, node);
	}
	return seen.rights;
}

static uint64_t rights_above(const struct cli_view *view, const char *path)
{
	cli_autofree char *above = cli_import_text(view->import, "%s", path);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (!slash || strcmp(path, "/") == 0)
		return 0;
	slash[slash == above] = '\0';
	return rights_at(view, above);
}

/* What is missing somewhere. */
static uint64_t handled_by(const struct cli_view *view)
{
	uint64_t everywhere = rights_at(view, "/"), handled;

	for (size_t i = 0; i < view->count; i++)
		everywhere &= rights_at(view, view->nodes[i].path);
	handled = IMPORT_ALL & ~everywhere;
	/* Landlock denies refer wherever it handles any right of files; and an exception can only
	 * be enforced where making and removing entries is handled. */
	return handled ? handled | IMPORT_WRITE : 0;
}

/* ---------------------------------------------------------------------------- rules */

/* Where several nodes are on one path, all of them are its origin. */
static char *origins(const struct cli_view *view, size_t first, size_t end)
{
	char *text = cli_import_text(view->import, "%s", view->nodes[first].origin);

	for (size_t i = first + 1; text && i < end; i++) {
		char *longer = strcmp(view->nodes[i].origin, view->nodes[i - 1].origin) == 0
				       ? NULL
				       : cli_import_text(view->import, "%s; %s", text,
						 view->nodes[i].origin);

		if (!longer)
			continue;
		free(text);
		text = longer;
	}
	return text;
}

static void add_rule(struct cli_view *view, const struct cli_view_node *node, unsigned int flags,
	uint64_t rights, const char *origin)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.flags = flags | (node->optional ? REEVE_RULE_OPTIONAL : 0),
		.allowed = rights,
		.path = node->path,
		.origin = origin};

	cli_import_rule(view->import, &rule);
}

/* What is no directory has no rights of directories to lose, and so on. */
static uint64_t possible_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return UINT64_MAX;
	return REEVE_FS_FILE_RIGHTS & (S_ISSOCK(st.st_mode) ? UINT64_MAX : ~REEVE_FS_RESOLVE_UNIX);
}

/*
 * Beside an exception it is reeve's supervisor that opens files, and of /proc it cannot: what is
 * there means another process for each who looks.
 */
static bool is_in_proc(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0;
}

static void add_path(struct cli_view *view, const struct cli_view_node *node, uint64_t handled,
	const char *origin)
{
	uint64_t possible = handled & possible_at(node->path);
	uint64_t above = rights_above(view, node->path) & possible;
	uint64_t here = rights_at(view, node->path) & possible;

	if (here == above) {
		cli_import_note(view->import, CLI_IMPORT_COVERED, origin, node->path, "%s",
			here ? "what is above it says so already" : "nothing is granted there");
		return;
	}
	if ((above & ~here) && is_in_proc(node->path)) {
		cli_import_note(view->import,
			access(node->path, F_OK) == 0 ? CLI_IMPORT_NONE : CLI_IMPORT_COVERED,
			origin, node->path, "%s",
			access(node->path, F_OK) < 0 ? "it is not there"
						     : "no exceptions can be made inside of /proc; "
						       "what only root may write "
						       "there needs none for others");
		return;
	}
	if (here & ~above)
		add_rule(view, node, 0, here, origin);
	if (above & ~here)
		add_rule(view, node, REEVE_RULE_DENY, here ? above & ~here : 0, origin);
}

void cli_view_finish(struct cli_view *view)
{
	uint64_t handled;
	size_t end;

	if (view->count)
		qsort(view->nodes, view->count, sizeof(*view->nodes), by_depth);
	handled = handled_by(view);
	for (size_t i = 0; i < view->count; i = end) {
		cli_autofree char *origin = NULL;

		for (end = i + 1; end < view->count; end++)
			if (strcmp(view->nodes[i].path, view->nodes[end].path) != 0)
				break;
		origin = origins(view, i, end);
		/* A path that anybody needs has to be there. */
		for (size_t k = i + 1; k < end; k++)
			view->nodes[i].optional &= view->nodes[k].optional;
		if (handled && origin)
			add_path(view, &view->nodes[i], handled, origin);
	}
	view->import->handled.of[REEVE_FS] |= handled;
	for (size_t i = 0; i < view->count; i++) {
		free((char *)view->nodes[i].path);
		free((char *)view->nodes[i].origin);
	}
	free(view->nodes);
	*view = (struct cli_view){.import = view->import};
}
