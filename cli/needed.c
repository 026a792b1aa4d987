/* SPDX-License-Identifier: MIT */
/*
 * What a run was denied, or would have been, as the rules that allow it.
 *
 * A rule of a policy names what exists when it is loaded, so a right on something that the run
 * itself made, or that is gone, becomes one on the directory above that was there before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "needed.h"
#include "path_table.h"

struct need {
	struct cli_path_key key;
	uint64_t rights, count;
	bool made; /* by the run */
	char *who; /* the first that needed it */
};

/* Needs are in the order of their first. */
struct cli_needed {
	struct cli_path_table table;
	struct cli_path_table flags; /* what is no path: the flag that allows it */
	uint64_t lost;
	bool failed; /* out of memory: something is missing */
};

static const struct cli_needed empty = {
	.table = {.size = sizeof(struct need)}, .flags = {.size = sizeof(struct need)}};

struct cli_needed *cli_needed_new(void)
{
	struct cli_needed *needed = malloc(sizeof(*needed));

	if (needed)
		*needed = empty;
	return needed;
}

static void release_table(struct cli_path_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(((struct need *)cli_path_table_at(table, i))->who);
	cli_path_table_release(table);
}

static void release_needs(struct cli_needed *needed)
{
	release_table(&needed->table);
	release_table(&needed->flags);
}

void cli_needed_free(struct cli_needed *needed)
{
	if (needed)
		release_needs(needed);
	free(needed);
}

/* The entry of a path, new or not; NULL: no memory. */
static struct need *entry(struct cli_needed *needed, const char *path)
{
	struct need *need = cli_path_table_get(&needed->table, path);

	needed->failed |= !need;
	return need;
}

/* ------------------------------------------------------------------------- events */

static void count_need(struct need *need, const struct reeve_event *event)
{
	cli_autoescape char *comm = cli_escape(event->comm[0] ? event->comm : "?");

	need->count++;
	if (!need->who &&
		asprintf(&need->who, "%s (%s)", comm, event->call ? event->call : "?") < 0)
		need->who = NULL;
}

static void need_on(struct cli_needed *needed, const char *path, uint64_t rights,
	const struct reeve_event *event)
{
	struct need *need = rights ? entry(needed, path) : NULL;

	if (!need)
		return;
	need->rights |= rights;
	count_need(need, event);
}

/* Sockets and addresses. */
static void need_flag(struct cli_needed *needed, const struct reeve_event *event)
{
	char flag[256];
	struct need *need;

	if (!reeve_event_flag(event, flag, sizeof(flag))[0])
		return;
	need = cli_path_table_get(&needed->flags, flag);
	needed->failed |= !need;
	if (need)
		count_need(need, event);
}

static void need_above(struct cli_needed *needed, const char *path, uint64_t rights,
	const struct reeve_event *event)
{
	cli_autofree char *dir = strdup(path);

	if (!dir)
		needed->failed = true;
	if (!dir || dir[0] != '/')
		return;
	cli_path_up(dir);
	need_on(needed, dir, rights, event);
}

static void mark_made(struct cli_needed *needed, const char *path)
{
	struct need *need = path && path[0] == '/' ? entry(needed, path) : NULL;

	if (need)
		need->made = true;
}

/* /proc/PID means another process at each run. */
static const char *lasting(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 && path[6] >= '0' && path[6] <= '9' ? "/proc" : path;
}

/*
 * What makes and removes entries needs that in their directories. A rename or link has two: what
 * is removed is in the first (or replaced in the second), what is made in the second.
 */
static void add_entries(struct cli_needed *needed, const struct reeve_event *event)
{
	uint64_t rights = event->missing & CLI_FS_IN_DIRECTORY;

	if (!event->object2) {
		need_above(needed, event->object, rights, event);
		return;
	}
	need_above(needed, event->object, rights & ~CLI_FS_MAKING, event);
	need_above(needed, event->object2, rights, event);
}

void cli_needed_add(struct cli_needed *needed, const struct reeve_event *event)
{
	if (event->kind == REEVE_EVENT_LOST)
		needed->lost += event->count;
	if (event->kind == REEVE_EVENT_DENIED && event->cls != REEVE_FS)
		need_flag(needed, event);
	if (event->kind != REEVE_EVENT_DENIED || event->cls != REEVE_FS || !event->object ||
		event->object[0] != '/')
		return;
	if (event->asked & (CLI_FS_MAKING | REEVE_FS_REFER))
		mark_made(needed, event->object2 ? event->object2 : event->object);
	add_entries(needed, event);
	need_on(needed, lasting(event->object), event->missing & ~CLI_FS_IN_DIRECTORY, event);
}

/* ---------------------------------------------------------------------- afterwards */

static bool was_made(const struct cli_needed *needed, const char *path)
{
	const struct need *need = cli_path_table_find(&needed->table, path);

	return need && need->made;
}

/* Up to what was there before the run and is there now. */
static void settle(const struct cli_needed *needed, char *path)
{
	struct stat st;

	while (path[1] && (was_made(needed, path) || lstat(path, &st) < 0))
		cli_path_up(path);
}

/*
 * Rights that no trapped call shows, because they are asked for with a descriptor that is open:
 * ftruncate(2) where one may write, ioctl(2) on a device.
 */
static uint64_t implied(const char *path, uint64_t rights)
{
	struct stat st;

	if (rights & REEVE_FS_WRITE_FILE)
		rights |= REEVE_FS_TRUNCATE;
	if (stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		rights |= REEVE_FS_IOCTL_DEV;
	return rights;
}

/* Joins what was needed of one object in the end. */
static bool settle_all(const struct cli_needed *needed, struct cli_needed *to)
{
	for (size_t i = 0; i < needed->table.count; i++) {
		const struct need *from = cli_path_table_at(&needed->table, i);
		cli_autofree char *path = strdup(from->key.path);
		struct need *need;

		if (!path)
			return false;
		if (!from->rights)
			continue;
		settle(needed, path);
		need = entry(to, path);
		if (!need)
			return false;
		need->rights |= from->rights;
		need->count += from->count;
		if (!need->who && from->who)
			need->who = strdup(from->who);
	}
	return true;
}

static int by_path(const void *a, const void *b)
{
	const struct need *left = a, *right = b;

	return strcmp(left->key.path, right->key.path);
}

static uint64_t granted(const void *entry)
{
	return ((const struct need *)entry)->rights;
}

static int hand_out(const struct cli_needed *all, uint64_t handled,
	int (*fn)(void *data, const struct cli_need *need), void *data)
{
	size_t count = all->table.count;
	cli_autofree struct need *sorted = calloc(count + 1, sizeof(*sorted));
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	if (count)
		memcpy(sorted, all->table.entries, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_path);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t rights = implied(sorted[i].key.path, sorted[i].rights) & handled;
		struct cli_need need = {.path = sorted[i].key.path,
			.rights = rights &
				  ~cli_path_table_above(&all->table, sorted[i].key.path, granted),
			.count = sorted[i].count,
			.who = sorted[i].who};

		if (need.rights)
			r = fn(data, &need);
	}
	return r;
}

int cli_needed_each(const struct cli_needed *needed, uint64_t handled,
	int (*fn)(void *data, const struct cli_need *need), void *data)
{
	struct cli_needed all = empty;
	int r = settle_all(needed, &all) ? 0 : -ENOMEM;

	if (r == 0)
		r = hand_out(&all, handled, fn, data);
	release_needs(&all);
	return r;
}

int cli_needed_flags(const struct cli_needed *needed,
	int (*fn)(void *data, const struct cli_need *need), void *data)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < needed->flags.count; i++) {
		const struct need *flag = cli_path_table_at(&needed->flags, i);

		r = fn(data,
			&(struct cli_need){
				.path = flag->key.path, .count = flag->count, .who = flag->who});
	}
	return r;
}

uint64_t cli_needed_lost(const struct cli_needed *needed)
{
	return needed->failed && !needed->lost ? 1 : needed->lost;
}
