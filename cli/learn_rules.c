/* SPDX-License-Identifier: MIT */
/* Of what is wanted in the end, rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "learn_ladder.h"

static const char *const reasons[] = {[NOTHING] = NULL,
	[NEW_NAMES] = "names that are new each time",
	[EXECUTED] = "what was made is executed",
	[OF_FILES] = "many files",
	[OF_DIRECTORIES] = "many directories",
	[TERMINALS] = "terminals that it makes, and all of yours",
	[OTHER_NAME] = "a link or a move must not grant more than there was"};

const char *learn_reason(enum learn_more more)
{
	return reasons[more];
}

/* ------------------------------------------------------------------------ left out */

void learn_leave_out(struct ladder *ladder, const char *dir, const char *path, enum learn_more more)
{
	struct left_out *left = cli_path_table_get(&ladder->left_out, dir);
	struct cli_path_key key;

	ladder->learned->failed |= !left;
	if (!left)
		return;
	key = left->key;
	if (!left->count)
		*left = (struct left_out){
			.key = key, .example = strdup(strrchr(path, '/') + 1), .more = more};
	if (more == EXECUTED)
		left->more = more;
	left->count++;
}

void learn_open_up(struct ladder *ladder, const char *path, const char *root)
{
	struct left_out *opened = cli_path_table_get(&ladder->opened, root);

	ladder->learned->failed |= !opened;
	if (opened && !opened->count++)
		opened->example = strdup(path);
}

static void note_opened(struct ladder *ladder)
{
	for (size_t i = 0; i < ladder->opened.count; i++) {
		struct left_out *opened = cli_path_table_at(&ladder->opened, i);
		cli_autoescape char *root = cli_escape(opened->key.path);
		cli_autoescape char *name = cli_escape(opened->example ? opened->example : "");

		if (opened->count == 1)
			learn_note(&ladder->learned->notes,
				"%s: opened for writing, as it is linked into %s", name, root);
		else
			learn_note(&ladder->learned->notes,
				"%s and %zu more: opened for writing, as they are linked into %s; "
				"copies need no such right (git clone --no-hardlinks)",
				name, opened->count - 1, root);
		free(opened->example);
	}
	cli_path_table_release(&ladder->opened);
}

void learn_note_left_out(struct ladder *ladder)
{
	note_opened(ladder);
	for (size_t i = 0; i < ladder->left_out.count; i++) {
		struct left_out *left = cli_path_table_at(&ladder->left_out, i);
		cli_autoescape char *dir = cli_escape(left->key.path);
		cli_autoescape char *name = cli_escape(left->example ? left->example : "");
		char others[48] = "";

		if (left->count > 1)
			snprintf(others, sizeof(others), " and %zu more", left->count - 1);
		learn_note(&ladder->learned->notes,
			"%s: not granted: %s (%s%s), and the directory is not for CMD alone; "
			"`reeve run %s` with it would",
			dir, learn_reason(left->more), name, others,
			left->more == EXECUTED ? "--rwx" : "--rw");
		free(left->example);
	}
	cli_path_table_release(&ladder->left_out);
}

/* --------------------------------------------------------------------------- rules */

static int by_path(const void *a, const void *b)
{
	const struct want *left = a, *right = b;

	return strcmp(left->key.path, right->key.path);
}

/* What the rule in the floor grants. */
static uint64_t granted(const void *entry)
{
	const struct want *want = entry;

	return want->dropped ? 0 : want->floor;
}

static void add_rule(
	struct ladder *ladder, const struct want *want, uint64_t rights, unsigned int flags)
{
	struct learn_rule rule = {.rule = {.type = REEVE_RULE_PATH_BENEATH,
					  .flags = flags,
					  .allowed = rights,
					  .path = want->key.path},
		.who = want->who,
		.more = learn_reason((enum learn_more)want->more)};

	if (rights && !learn_rules_add(&ladder->learned->rules, &rule))
		ladder->learned->failed = true;
}

static void note_protected(struct ladder *ladder, const struct want *want, uint64_t rights)
{
	const uint64_t changes = REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE | CLI_FS_IN_DIRECTORY;
	cli_autofree char *dir = strdup(want->key.path);
	cli_autoescape char *shown = cli_escape(want->key.path);

	if (!dir || !(rights & changes))
		return;
	cli_path_up(dir);
	if (learn_is_protected(ladder->learned, dir) &&
		!learn_is_above(want->key.path, ladder->learned->cwd))
		learn_note(&ladder->learned->notes,
			"%s: is written to, outside of the working directory", shown);
}

/* What a directory is granted for a file or two in it. */
static void note_executed(struct ladder *ladder, const struct want *want, uint64_t floor)
{
	cli_autoescape char *shown = cli_escape(want->key.path);

	if (want->more == EXECUTED && (floor & REEVE_FS_EXECUTE))
		learn_note(&ladder->learned->notes,
			"%s: may be read and executed as a whole, as CMD executes what it makes in "
			"it; less will do where it makes that in a directory that is there before",
			shown);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* CMD may have put a symbolic link in its place, or on the way to it: to what it was denied. */
static bool leads_elsewhere(const char *path)
{
	cli_autofree char *there = strdup(path), *real = there ? realpath(there, NULL) : NULL;

	while (there && !real && errno == ENOENT && there[1] && !is_there(there)) {
		cli_path_up(there);
		real = realpath(there, NULL);
	}
	return !real || strcmp(real, there) != 0;
}

static void note_link(struct ladder *ladder, const struct want *want)
{
	cli_autoescape char *shown = cli_escape(want->key.path);

	learn_note(&ladder->learned->notes,
		"%s: not granted: a symbolic link is there now, or on the way to it", shown);
}

/* Those that stand for something, by path; NULL: no memory. */
static struct want *sort(const struct ladder *ladder, size_t *ret_count)
{
	struct want *sorted = calloc(ladder->wants.count + 1, sizeof(*sorted));

	*ret_count = 0;
	for (size_t i = 0; sorted && i < ladder->wants.count; i++) {
		const struct want *entry = cli_path_table_at(&ladder->wants, i);

		if (!entry->dropped && (entry->floor || entry->live))
			sorted[(*ret_count)++] = *entry;
	}
	if (sorted)
		qsort(sorted, *ret_count, sizeof(*sorted), by_path);
	return sorted;
}

/* What is not there any more can only be named. */
static void make_rule(struct ladder *ladder, const struct want *want)
{
	uint64_t above = cli_path_table_above(&ladder->wants, want->key.path, granted);
	bool there = is_there(want->key.path);
	uint64_t floor = there ? want->floor & ~above : 0;
	uint64_t live = want->live | (there ? 0 : want->floor & ~(uint64_t)REEVE_FS_EXECUTE);

	live &= ~(above | floor);
	if ((floor | live) && leads_elsewhere(want->key.path)) {
		note_link(ladder, want);
		return;
	}
	note_protected(ladder, want, floor | live);
	note_executed(ladder, want, floor);
	add_rule(ladder, want, floor, 0);
	add_rule(ladder, want, live, REEVE_RULE_LIVE);
}

void learn_make_rules(struct ladder *ladder)
{
	size_t count;
	struct want *sorted = sort(ladder, &count);

	ladder->learned->failed |= !sorted;
	for (size_t i = 0; sorted && i < count; i++)
		make_rule(ladder, &sorted[i]);
	free(sorted);
}
