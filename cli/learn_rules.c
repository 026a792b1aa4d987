/* SPDX-License-Identifier: MIT */
/* Of what is wanted in the end, rules. */
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

static void note_protected(struct ladder *ladder, const struct want *want)
{
	const uint64_t changes = REEVE_FS_WRITE_FILE | REEVE_FS_MAKE_REG | REEVE_FS_REMOVE_FILE;
	cli_autofree char *dir = strdup(want->key.path);
	cli_autoescape char *shown = cli_escape(want->key.path);

	if (!dir || !((want->floor | want->live) & changes))
		return;
	cli_path_up(dir);
	if (learn_is_protected(ladder->learned, dir) &&
		!learn_is_above(want->key.path, ladder->learned->cwd))
		learn_note(&ladder->learned->notes,
			"%s: is written to, outside of the working directory", shown);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
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
	uint64_t floor = there ? want->floor : want->floor & REEVE_FS_EXECUTE;
	uint64_t live = want->live | (want->floor & ~floor);

	note_protected(ladder, want);
	if (there)
		add_rule(ladder, want, floor & ~above, 0);
	add_rule(ladder, want, live & ~(above | floor), REEVE_RULE_LIVE);
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
