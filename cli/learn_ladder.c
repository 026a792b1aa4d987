/* SPDX-License-Identifier: MIT */
/*
 * Which rules stand for what was needed: on the file itself, on its directory, on the tree above.
 *
 * - What was there before is granted by itself, in the floor.
 * - What the run made or replaced is another object next time: a live rule, which goes by name and
 *   may name what does not exist yet, on the topmost of what was made.
 * - What has another name each time, and what is made and executed (which no live rule can grant),
 *   takes a rule on the directory that was there.
 * - Many of one directory are one rule on it, and directories like that one rule further up: never
 *   on a protected place.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "learn_ladder.h"

#define MANY_FILES	 16 /* of one directory that need the same */
#define MANY_DIRECTORIES 4  /* of one tree */

/* --------------------------------------------------------------- protected places */

bool learn_is_above(const char *dir, const char *path)
{
	size_t length = path ? strlen(dir) : 0;

	if (!path || strncmp(path, dir, length) != 0)
		return false;
	return path[length] == '\0' || path[length] == '/' || dir[1] == '\0';
}

/* With all that is below them, and those that are only roots of what belongs to different things.
 */
static bool is_shared(const char *path)
{
	static const char *const trees[] = {"/etc", "/dev", "/proc", "/sys", "/run", "/boot"};
	static const char *const places[] = {"/", "/home", "/root", "/tmp", "/var", "/var/tmp",
		"/var/lib", "/var/cache", "/var/log", "/usr", "/usr/local", "/opt", "/srv", "/mnt",
		"/media"};

	for (size_t i = 0; i < CLI_COUNT(trees); i++)
		if (learn_is_above(trees[i], path))
			return true;
	for (size_t i = 0; i < CLI_COUNT(places); i++)
		if (strcmp(places[i], path) == 0)
			return true;
	return false;
}

/* Where programs keep their things side by side, and where secrets are. */
static bool is_shared_of_home(const char *path)
{
	static const char *const places[] = {
		"", "/.config", "/.local", "/.local/share", "/.local/bin", "/.cache"};
	static const char *const secrets[] = {
		"/.ssh", "/.gnupg", "/.aws", "/.kube", "/.docker", "/.password-store", "/.mozilla"};

	for (size_t i = 0; i < CLI_COUNT(places); i++)
		if (strcmp(places[i], path) == 0)
			return true;
	for (size_t i = 0; i < CLI_COUNT(secrets); i++)
		if (learn_is_above(secrets[i], path))
			return true;
	return false;
}

bool learn_is_protected(const struct learned *learned, const char *path)
{
	const char *home = learned->home;

	if (is_shared(path) || learn_is_above(path, home))
		return true;
	if (learn_is_above(path, learned->cwd) && strcmp(path, learned->cwd) != 0)
		return true;
	return home && learn_is_above(home, path) && is_shared_of_home(path + strlen(home));
}

/* --------------------------------------------------------------------- what is wanted */

static struct want *want(struct ladder *ladder, const char *path, const struct learn_path *from)
{
	struct want *want = cli_path_table_get(&ladder->wants, path);

	ladder->learned->failed |= !want;
	if (want && from)
		learn_who_join(&want->who, &from->who);
	return want;
}

static struct want *want_key(
	struct ladder *ladder, const struct cli_path_key *key, const struct learn_path *from)
{
	struct want *want = cli_path_table_get_key(&ladder->wants, key);

	ladder->learned->failed |= !want;
	if (want)
		learn_who_join(&want->who, &from->who);
	return want;
}

/*
 * Whether a directory is not opened as a whole for what is made in it. In /dev/shm, where shared
 * memory and semaphores have names that are new each time, nothing is made unless one let CMD have
 * it while it was watched.
 */
static bool is_closed(const struct learned *learned, const char *dir)
{
	return learn_is_protected(learned, dir) && strcmp(dir, "/dev/shm") != 0;
}

/* On the directory that `path` is in, which was there. */
static void want_above(struct ladder *ladder, const char *path, uint64_t rights,
	const struct learn_path *from, enum learn_more more)
{
	cli_autofree char *dir = strdup(path);
	const struct learn_path *there;
	uint64_t live;
	struct want *entry;

	ladder->learned->failed |= !dir;
	if (!dir)
		return;
	learn_path_up(ladder->learned, dir);
	there = cli_path_table_find(&ladder->learned->paths, dir);
	/* Removed and made again, it is another one each time. */
	live = there && there->replaced ? rights & ~(uint64_t)REEVE_FS_EXECUTE : 0;
	/* What only makes or removes entries is no more than what was asked for there. */
	if (is_closed(ladder->learned, dir) && (rights & ~CLI_FS_IN_DIRECTORY)) {
		learn_leave_out(ladder, dir, path, more);
		return;
	}
	entry = want(ladder, dir, from);
	if (!entry)
		return;
	entry->floor |= rights & ~live;
	entry->live |= live;
	if (more != NOTHING)
		entry->more = (uint8_t)more;
}

static void want_at(struct ladder *ladder, const struct learn_path *path,
	const struct learn_path *root, uint64_t rights)
{
	const char *at = path->key.path;
	bool by_name = root || path->replaced || path->gone;
	uint64_t beyond = by_name ? rights & REEVE_FS_EXECUTE : 0;
	struct want *entry;

	if (!rights)
		return;
	/* What it wrote it may find there the next time: caches are for that. */
	if (by_name && (rights & REEVE_FS_WRITE_FILE))
		rights |= REEVE_FS_READ_FILE;
	if (root ? learn_is_temporary(root) : path->fan) {
		want_above(ladder, root ? root->key.path : at, rights, path, NEW_NAMES);
		return;
	}
	if (beyond)
		want_above(ladder, root ? root->key.path : at, beyond | REEVE_FS_READ_FILE, path,
			EXECUTED);
	entry = want_key(ladder, root ? &root->key : &path->key, path);
	if (!entry)
		return;
	if (by_name)
		entry->live |= rights & ~beyond;
	else
		entry->floor |= rights;
}

static void want_on(struct ladder *ladder, const struct learn_path *path, uint64_t rights)
{
	const struct learn_path *root = learn_made_root(ladder->learned, path->key.path);
	uint64_t on_files = root && root->mixed ? rights & REEVE_FS_FILE_RIGHTS : 0;

	want_at(ladder, path, root, rights & ~on_files);
	want_at(ladder, path, on_files ? learn_tight_root(ladder->learned, path->key.path) : NULL,
		on_files);
}

/* When it runs again what it made is there, and in the way: of a directory all that is in it. */
static void want_again(struct ladder *ladder, const struct learn_path *path)
{
	uint64_t right = path->directory ? REEVE_FS_REMOVE_DIR : REEVE_FS_REMOVE_FILE;
	struct want *entry;

	if (!path->made || path->gone || learn_made_root(ladder->learned, path->key.path) != path)
		return;
	want_above(ladder, path->key.path, right, path, NOTHING);
	if (!path->directory || learn_is_temporary(path))
		return;
	entry = want(ladder, path->key.path, NULL);
	if (!entry)
		return;
	if (!entry->who.names[0])
		learn_who_join(&entry->who, &path->who);
	entry->live |= CLI_FS_REMOVING | REEVE_FS_READ_DIR;
}

static void want_all(struct ladder *ladder)
{
	struct learned *learned = ladder->learned;

	for (size_t i = 0; i < learned->paths.count; i++) {
		const struct learn_path *path = cli_path_table_at(&learned->paths, i);
		const char *at = path->key.path;

		if (path->many)
			continue;
		want_on(ladder, path, learn_without_granted(&learned->granted, at, path->object));
		want_on(ladder, path, learn_without_granted(&learned->granted, at, path->inside));
		want_again(ladder, path);
	}
}

/* The other end of a terminal that it made has a new name each time, and is opened by an ioctl. */
static void want_terminals(struct ladder *ladder)
{
	const struct learn_path *maker = cli_path_table_find(&ladder->learned->paths, "/dev/ptmx");
	struct want *entry;

	if (!maker || !(maker->object & REEVE_FS_WRITE_FILE))
		return;
	entry = want(ladder, "/dev/pts", maker);
	if (!entry)
		return;
	entry->floor |= REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE | REEVE_FS_IOCTL_DEV;
	entry->more = TERMINALS;
}

/* ------------------------------------------------------------------------- moved */

/* Which rule stands for a path: of its root, or of the directory where its name is a new one. */
static struct want *stands_for(
	struct ladder *ladder, const struct learn_path *path, bool *ret_by_name)
{
	const struct learn_path *root = learn_tight_root(ladder->learned, path->key.path);
	cli_autofree char *at = strdup(root ? root->key.path : path->key.path);

	*ret_by_name = !(root && learn_is_temporary(root));
	if (at && !*ret_by_name)
		learn_path_up(ladder->learned, at);
	if (!at || (!*ret_by_name && is_closed(ladder->learned, at)))
		return NULL;
	return want(ladder, at, NULL);
}

static bool give(struct want *want, bool by_name, uint64_t rights)
{
	uint64_t lacking = rights & ~(want->floor | want->live);

	if (by_name)
		lacking &= ~REEVE_FS_EXECUTE;
	*(by_name ? &want->live : &want->floor) |= lacking;
	if (lacking && want->more == NOTHING)
		want->more = OTHER_NAME;
	return lacking != 0;
}

/* A rule on an object that could be replaced is not taken for sure where live rules are judged. */
static void go_by_name(struct want *want)
{
	uint32_t moved = want->floor & REEVE_FS_FILE_RIGHTS & ~(uint32_t)REEVE_FS_EXECUTE;

	want->live |= moved;
	want->floor &= ~moved;
}

/* The link's name is where more may be written to than this file. */
static void note_opened(struct ladder *ladder, const struct learn_path *from,
	const struct learn_path *to, uint64_t rights)
{
	const struct learn_path *root = learn_made_root(ladder->learned, to->key.path);

	if (from->told || !(rights & (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE)) || from->gone ||
		((from->object | to->object) & REEVE_FS_WRITE_FILE) ||
		learn_made_root(ladder->learned, from->key.path))
		return;
	((struct learn_path *)cli_path_table_find(&ladder->learned->paths, from->key.path))->told =
		true;
	learn_open_up(ladder, from->key.path, root ? root->key.path : to->key.path);
}

static uint64_t wanted(const void *entry)
{
	const struct want *want = entry;

	return want->floor | want->live;
}

/* Of a file, what the rules on directories above it grant; a directory's own have it all. */
static uint64_t from_above(
	const struct ladder *ladder, const struct learn_path *path, uint64_t mask)
{
	return mask == REEVE_FS_FILE_RIGHTS
		       ? mask & cli_path_table_above(&ladder->wants, path->key.path, wanted)
		       : 0;
}

/* A move must not give what the old name does not have: both have the same, then. */
static bool share(struct ladder *ladder, const struct learn_path *from, const struct learn_path *to)
{
	const uint64_t mask = from->directory || to->directory ? UINT64_MAX : REEVE_FS_FILE_RIGHTS;
	bool from_by_name, to_by_name;
	struct want *of = stands_for(ladder, to, &to_by_name);
	uint64_t rights = from_above(ladder, to, mask) | (of ? wanted(of) & mask : 0), more;

	of = stands_for(ladder, from, &from_by_name);
	if (!of)
		return false;
	more = wanted(of) & mask;
	rights &= ~from_above(ladder, from, mask);
	if (rights && from_by_name && mask == REEVE_FS_FILE_RIGHTS)
		go_by_name(of);
	if (give(of, from_by_name, rights)) {
		note_opened(ladder, from, to, rights);
		return true;
	}
	of = stands_for(ladder, to, &to_by_name);
	return of && give(of, to_by_name, more);
}

static void share_with_twins(struct ladder *ladder)
{
	const struct cli_path_table *paths = &ladder->learned->paths;
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < paths->count; i++) {
			const struct learn_path *from = cli_path_table_at(paths, i);

			if (from->twin && !from->many)
				changed |= share(
					ladder, from, cli_path_table_at(paths, from->twin - 1));
		}
	}
}

/* ----------------------------------------------------------------------------- wider */

/* Those that lie in one directory and need the same. */
struct group {
	struct cli_path_key key; /* the directory, and what its entries need */
	size_t count;
	size_t directory; /* length of the directory's path in the key */
	uint32_t needs;
	uint32_t stands; /* number + 1 of the want on the directory; 0: not looked for yet */
	bool is_protected;
};

struct groups {
	struct cli_path_table table;
	uint32_t last; /* number + 1: most are of the one before's */
};

static void put_hex(char *to, uint32_t number)
{
	for (int i = 0; i < 8; i++)
		*to++ = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
	*to = '\0';
}

static bool can_join(const struct want *want, bool of_trees)
{
	if (want->dropped || want->widened != of_trees || !want->key.path[1])
		return false;
	if (!want->floor && !want->live)
		return false;
	return of_trees || !(want->floor & CLI_FS_IN_DIRECTORY);
}

static uint32_t needs_of(const struct want *want)
{
	return want->live ? UINT32_MAX : want->floor;
}

static struct group *add_group(struct ladder *ladder, struct groups *groups, const char *path,
	size_t length, uint32_t needs)
{
	char name[PATH_MAX + 32];
	struct group *group;

	memcpy(name, path, length);
	name[length] = '\n';
	put_hex(name + length + 1, needs);
	group = cli_path_table_get(&groups->table, name);
	if (!group || group->count)
		return group;
	group->directory = length;
	group->needs = needs;
	name[length] = '\0';
	group->is_protected = learn_is_protected(ladder->learned, name);
	return group;
}

/* Number + 1 of the group of what lies beside `path` and needs the same; 0: no memory. */
static uint32_t join(struct ladder *ladder, struct groups *groups, const char *path, uint32_t needs)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : (size_t)(slash - path);
	struct group *group =
		groups->last ? cli_path_table_at(&groups->table, groups->last - 1) : NULL;

	if (!group || group->directory != length || group->needs != needs ||
		memcmp(group->key.path, path, length) != 0) {
		group = add_group(ladder, groups, path, length, needs);
		if (!group)
			return 0;
		groups->last = (uint32_t)cli_path_table_number(&groups->table, group) + 1;
	}
	group->count++;
	return groups->last;
}

static bool count_groups(struct ladder *ladder, struct groups *groups, bool of_trees)
{
	for (size_t i = 0; i < ladder->wants.count; i++) {
		struct want *entry = cli_path_table_at(&ladder->wants, i);

		entry->group = 0;
		if (!can_join(entry, of_trees) || strlen(entry->key.path) >= PATH_MAX)
			continue;
		entry->group = join(ladder, groups, entry->key.path, needs_of(entry));
		if (!entry->group)
			return false;
	}
	return true;
}

/* The want on a group's directory. */
static struct want *standing_for(struct ladder *ladder, struct group *group)
{
	struct want *to;

	if (group->stands)
		return cli_path_table_at(&ladder->wants, group->stands - 1);
	group->key.path[group->directory] = '\0';
	to = want(ladder, group->key.path, NULL);
	group->key.path[group->directory] = '\n';
	if (to)
		group->stands = (uint32_t)cli_path_table_number(&ladder->wants, to) + 1;
	return to;
}

/* The directory stands for the entry from now on. */
static bool lift(struct ladder *ladder, size_t i, struct group *group, enum learn_more more)
{
	struct want *to = standing_for(ladder, group), *from;
	uint32_t needs;

	if (!to)
		return false;
	from = cli_path_table_at(&ladder->wants, i);
	needs = needs_of(to);
	to->floor |= from->floor | from->live;
	if (!to->widened || needs != needs_of(to))
		to->group = 0; /* no longer as it was counted */
	to->more = (uint8_t)more;
	to->widened = true;
	to->dropped = false; /* it may have been lifted itself, in this round */
	learn_who_join(&to->who, &from->who);
	from->dropped = true;
	return true;
}

/* Whether anything changed. */
static bool widen(struct ladder *ladder, bool of_trees)
{
	struct groups groups = {.table.size = sizeof(struct group)};
	size_t many = of_trees ? MANY_DIRECTORIES : MANY_FILES, count = ladder->wants.count;
	bool changed = false, ok = count_groups(ladder, &groups, of_trees);

	for (size_t i = 0; ok && i < count; i++) {
		const struct want *entry = cli_path_table_at(&ladder->wants, i);
		struct group *group =
			entry->group ? cli_path_table_at(&groups.table, entry->group - 1) : NULL;

		if (!group || group->count < many || group->is_protected)
			continue;
		ok = lift(ladder, i, group, of_trees ? OF_DIRECTORIES : OF_FILES);
		changed = true;
	}
	ladder->learned->failed |= !ok;
	cli_path_table_release(&groups.table);
	return changed && ok;
}

/* ------------------------------------------------------------------------------ many */

/*
 * Of a million files nearly all are one of many that were there and were read. Those need no want
 * each, only to be counted: half of the memory that a policy takes while it is made.
 */

/* What such a path needs; 0: it is not that simple. */
static uint32_t needs_of_plain(struct learned *learned, const struct learn_path *path)
{
	const char *at = path->key.path;

	if (path->made || path->replaced || path->gone || path->directory || path->inside ||
		(path->twin && !path->many) || !at[1] || strlen(at) >= PATH_MAX ||
		learn_made_root(learned, at))
		return 0;
	return (uint32_t)learn_without_granted(&learned->granted, at, path->object);
}

static bool count_plain(struct ladder *ladder, struct groups *groups)
{
	struct learned *learned = ladder->learned;

	for (size_t i = 0; i < learned->paths.count; i++) {
		struct learn_path *path = cli_path_table_at(&learned->paths, i);
		uint32_t needs = needs_of_plain(learned, path);

		if (!needs)
			continue;
		path->twin = join(ladder, groups, path->key.path, needs);
		path->many = true;
		if (!path->twin)
			return false;
	}
	return true;
}

/* Those that are few are wanted one by one. How many are not. */
static size_t mark_many(struct ladder *ladder, const struct groups *groups)
{
	struct cli_path_table *paths = &ladder->learned->paths;
	size_t count = 0;

	for (size_t i = 0; i < paths->count; i++) {
		struct learn_path *path = cli_path_table_at(paths, i);
		const struct group *group =
			path->many ? cli_path_table_at(&groups->table, path->twin - 1) : NULL;

		path->many = group && group->count >= MANY_FILES && !group->is_protected;
		if (group && !path->many)
			path->twin = 0;
		count += path->many;
	}
	return count;
}

static void lift_many(struct ladder *ladder, struct groups *groups)
{
	struct cli_path_table *paths = &ladder->learned->paths;

	for (size_t i = 0; i < paths->count; i++) {
		const struct learn_path *path = cli_path_table_at(paths, i);
		struct group *group =
			path->many ? cli_path_table_at(&groups->table, path->twin - 1) : NULL;
		struct want *to = group ? standing_for(ladder, group) : NULL;

		if (!to)
			continue;
		to->floor |= group->needs;
		to->more = OF_FILES;
		to->widened = true;
		learn_who_join(&to->who, &path->who);
	}
}

void learn_path_rules(struct learned *learned)
{
	struct ladder ladder = {learned, {.size = sizeof(struct want)},
		{.size = sizeof(struct left_out)}, {.size = sizeof(struct left_out)}};
	struct groups groups = {.table.size = sizeof(struct group)};
	size_t many;

	learned->failed |= !count_plain(&ladder, &groups);
	if (!learned->failed) {
		many = mark_many(&ladder, &groups);
		cli_path_table_reserve(&ladder.wants, learned->paths.count - many);
		learn_mix(learned);
		want_all(&ladder);
		want_terminals(&ladder);
		share_with_twins(&ladder);
		lift_many(&ladder, &groups);
		widen(&ladder, false);
		while (widen(&ladder, true))
			;
		learn_make_rules(&ladder);
	}
	learn_note_left_out(&ladder);
	cli_path_table_release(&groups.table);
	cli_path_table_release(&ladder.wants);
}
