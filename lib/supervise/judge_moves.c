/* SPDX-License-Identifier: MIT */
/*
 * What an object would gain by live rules when it is moved. The model compares the directories, as
 * Landlock does, whose rules are tied to objects and move with them; live rules are tied to paths,
 * so that one on the new name itself, or below it, counts as well.
 *
 * Of the static rules only those count for the old place that the kernel has there for sure: the
 * floor goes by objects, and a program that may remove a directory may put another one in its
 * place.
 */
#include <string.h>
#include <sys/stat.h>
#include "model/ruleset.h"
#include "supervise/judge_private.h"

#define FS_ALL ((REEVE_FS_RESOLVE_UNIX << 1) - 1)

#define REMOVING (REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE)
#define MAKING                                                                                     \
	(REEVE_FS_REFER | REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG |             \
		REEVE_FS_MAKE_SOCK | REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM)

struct view {
	const struct rv_judge *judge;
	const struct rv_snapshot *snapshot;
	uint64_t now;
};

static struct view view_of(const struct rv_judge *judge, const struct rv_snapshot *snapshot)
{
	return (struct view){judge, snapshot, snapshot->first_expiry ? rv_boot_ms() : 0};
}

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return length == 1 ? path[1] != '\0' : !strncmp(path, above, length) && path[length] == '/';
}

/* ---------------------------------------------------------------------- static rules */

/* What nobody asks for on any path. */
static uint64_t unhandled(const struct rv_judge *judge)
{
	return FS_ALL & ~judge->handled.of[REEVE_FS] & ~REEVE_FS_REFER;
}

static uint64_t granted_on(const struct rv_judge *judge, const char *path, size_t length)
{
	return rv_ruleset_path(judge->policy, NULL, path, length, false).allowed;
}

/* No rule lets the program put another object in place of this one, or of a directory above. */
static bool is_steady(const struct rv_judge *judge, const struct reeve_rule *rule)
{
	size_t parent = rv_path_parent(rule->path, strlen(rule->path));
	uint64_t above = granted_on(judge, rule->path, parent) | unhandled(judge);

	return !rule->path[1] || !(above & REMOVING);
}

struct steady {
	const struct rv_judge *judge;
	uint64_t allowed;
};

static int add_steady(void *data, const struct reeve_rule *rule)
{
	struct steady *steady = data;

	if (!(rule->flags & REEVE_RULE_DENY) && is_steady(steady->judge, rule))
		steady->allowed |= rule->allowed;
	return 0;
}

/* What the static rules grant on a path for sure. Where denials split the floor, all that the
 * policy grants is granted by path, as the supervisor performs what the floor lacks. */
static uint64_t surely_granted(const struct rv_judge *judge, const char *path)
{
	struct steady steady = {.judge = judge};
	size_t length = strlen(path);

	if (judge->floor)
		return granted_on(judge, path, length);
	if (!atomic_load(&judge->displaced))
		reeve_ruleset_match_path(judge->policy, path, add_steady, &steady);
	return steady.allowed & ~rv_ruleset_denied(judge->policy, path, length);
}

void rv_judge_displaced(struct rv_judge *judge, const char *path)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(judge->policy, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_PATH_BENEATH &&
			(strcmp(rule.path, path) == 0 || is_below(rule.path, path)))
			atomic_store(&judge->displaced, true);
}

/* ------------------------------------------------------------------------ live rules */

static bool grants(const struct view *view, const struct rv_entry *entry)
{
	return entry->allowed && !entry->is_deny && rv_live_rule_has_path(entry->grant) &&
	       !rv_live_rule_over(entry->grant, view->now);
}

static uint64_t denied_at(const struct view *view, const struct rv_path_walk *walk)
{
	const struct rv_entry *entries = view->snapshot->entries.at;
	uint32_t i = rv_snapshot_first(view->snapshot, walk);
	uint64_t denied = 0;

	for (; i != RV_NO_RULE; i = entries[i].next)
		if (entries[i].is_deny && !rv_live_rule_over(entries[i].grant, view->now))
			denied |= entries[i].allowed ? entries[i].allowed : UINT64_MAX;
	return denied;
}

static bool is_pinned(const struct rv_entry *entry)
{
	return rv_batch_of(entry->grant)->pinned;
}

/* A rule on an object grants nothing to another one that takes its name. */
static uint64_t granted_at(
	const struct view *view, const struct rv_path_walk *walk, bool by_name_only)
{
	const struct rv_entry *entries = view->snapshot->entries.at;
	uint32_t i = rv_snapshot_first(view->snapshot, walk);
	uint64_t granted = 0;

	for (; i != RV_NO_RULE; i = entries[i].next)
		if (grants(view, &entries[i]) && !(by_name_only && is_pinned(&entries[i])) &&
			!rv_live_rule_void(entries[i].grant, view->now))
			granted |= entries[i].allowed;
	return granted;
}

static uint64_t live_on(const struct view *view, const char *path, size_t length)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, length);
	uint64_t granted = 0, denied = 0;

	for (; walk.length; rv_path_walk_up(&walk)) {
		denied |= rv_ruleset_denied_on(view->judge->policy, &walk);
		denied |= denied_at(view, &walk);
		granted |= granted_at(view, &walk, false) & ~denied;
	}
	return granted;
}

/* By rules on the very name. */
static uint64_t live_at_name(const struct view *view, const char *path)
{
	const struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));

	return granted_at(view, &walk, true) & ~denied_at(view, &walk);
}

/* By rules below the name; `denials`: what such ones take away instead. */
static uint64_t live_below(const struct view *view, const char *path, bool denials)
{
	char buf[PATH_MAX];
	uint64_t found = 0;

	for (size_t i = 0; i < view->snapshot->entries.count; i++) {
		const struct rv_entry *entry = &view->snapshot->entries.at[i];

		if (entry->is_deny != denials || !rv_live_rule_has_path(entry->grant) ||
			rv_live_rule_over(entry->grant, view->now) ||
			!is_below(rv_live_rule_path(entry->grant, buf), path))
			continue;
		if (denials && !entry->allowed)
			found = UINT64_MAX;
		else if (denials || !is_pinned(entry))
			found |= entry->allowed;
	}
	return found;
}

/* ----------------------------------------------------------------------------- moves */

/* What a right means something for, of those that a rule on one name grants. */
static uint64_t rights_of(unsigned int mode)
{
	const uint64_t content = REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE;

	if (S_ISREG(mode))
		return content | REEVE_FS_EXECUTE;
	return S_ISDIR(mode) ? UINT64_MAX : REEVE_FS_FILE_RIGHTS;
}

/*
 * Static rights that the supervisor enforces, as the kernel cannot: of those it knows nothing when
 * something is moved. They go by path, as live rules do.
 */
static uint64_t beyond_kernel(const struct rv_judge *judge)
{
	return judge->beyond_kernel & judge->handled.of[REEVE_FS];
}

static uint64_t fixed_at_name(const struct rv_judge *judge, const char *path)
{
	return rv_ruleset_path(judge->policy, NULL, path, strlen(path), true).allowed &
	       beyond_kernel(judge);
}

static uint64_t fixed_below(const struct rv_judge *judge, const char *path)
{
	struct reeve_rule rule;
	uint64_t found = 0;

	for (size_t i = 0; reeve_ruleset_at(judge->policy, i, &rule) == 0; i++)
		if (rule.path && !(rule.flags & REEVE_RULE_DENY) && is_below(rule.path, path))
			found |= rule.allowed;
	return found & beyond_kernel(judge);
}

static uint64_t gain(const struct view *view, const char *from, const char *to, unsigned int mode)
{
	size_t parent = rv_path_parent(to, strlen(to));
	uint64_t live = live_on(view, from, strlen(from));
	uint64_t fixed = surely_granted(view->judge, from) | unhandled(view->judge);
	uint64_t there = live_on(view, to, parent);

	fixed |= granted_on(view->judge, from, strlen(from)) & beyond_kernel(view->judge);
	there |= granted_on(view->judge, to, parent) & beyond_kernel(view->judge);
	if (S_ISDIR(mode)) {
		live &= ~live_below(view, from, true);
		there |= live_below(view, to, false) | fixed_below(view->judge, to);
	} else {
		there &= REEVE_FS_FILE_RIGHTS;
	}
	there |= (live_at_name(view, to) | fixed_at_name(view->judge, to)) & rights_of(mode);
	return there & ~live & ~fixed;
}

uint64_t rv_judge_move_gain(const struct rv_judge *judge, const struct rv_snapshot *snapshot,
	const struct reeve_refer *refer)
{
	struct view view = view_of(judge, snapshot);
	uint64_t gained;

	if (!snapshot->entries.count && !beyond_kernel(judge))
		return 0;
	gained = gain(&view, refer->old_path, refer->new_path, refer->old_mode);

	if (refer->is_exchange)
		gained |= gain(&view, refer->new_path, refer->old_path, refer->new_mode);
	return gained;
}

/* ----------------------------------------------------- whether a move may gain at all */

/* A live rule that adds something, and that the program's own moves may reach by the floor. */
static bool is_reached(const struct view *view, const struct rv_entry *entry)
{
	const struct rv_judge *judge = view->judge;
	uint64_t free = unhandled(judge);
	char buf[PATH_MAX];
	const char *path;

	if (!grants(view, entry))
		return false;
	path = rv_live_rule_path(entry->grant, buf);
	if (!(entry->allowed & ~surely_granted(judge, path) & ~free))
		return false;
	return ((granted_on(judge, path, strlen(path)) | free) & MAKING) ||
	       atomic_load(&judge->displaced);
}

/* The same, above where the program may make something. */
static bool reaches_up(const struct view *view, const struct reeve_rule *rule)
{
	const struct rv_entry *entries = view->snapshot->entries.at;
	struct rv_path_walk walk = rv_path_walk_begin(rule->path, strlen(rule->path));

	for (; walk.length; rv_path_walk_up(&walk)) {
		uint32_t i = rv_snapshot_first(view->snapshot, &walk);

		for (; i != RV_NO_RULE; i = entries[i].next)
			if (grants(view, &entries[i]) &&
				(entries[i].allowed & ~surely_granted(view->judge, rule->path)))
				return true;
	}
	return false;
}

/* A static rule of ours where the program may make something, or above such a place. */
static bool is_fixed_reached(const struct rv_judge *judge, const struct reeve_rule *rule)
{
	struct reeve_rule other;

	if (!rule->path || !(rule->allowed & beyond_kernel(judge)))
		return false;
	if ((granted_on(judge, rule->path, strlen(rule->path)) | unhandled(judge)) & MAKING)
		return true;
	for (size_t i = 0; reeve_ruleset_at(judge->policy, i, &other) == 0; i++)
		if (other.path && (other.allowed & MAKING) && is_below(other.path, rule->path))
			return true;
	return false;
}

static bool may_gain(const struct view *view)
{
	struct reeve_rule rule;

	for (size_t i = 0; i < view->snapshot->entries.count; i++)
		if (is_reached(view, &view->snapshot->entries.at[i]))
			return true;
	for (size_t i = 0; reeve_ruleset_at(view->judge->policy, i, &rule) == 0; i++) {
		if (!rule.path || (rule.flags & REEVE_RULE_DENY))
			continue;
		if ((rule.allowed & MAKING) && reaches_up(view, &rule))
			return true;
		if (is_fixed_reached(view->judge, &rule))
			return true;
	}
	return false;
}

bool rv_judge_guards_moves(struct rv_judge *judge)
{
	rv_autosnapshot snapshot = rv_judge_snapshot(judge);
	struct view view = view_of(judge, snapshot);
	bool displaced = atomic_load(&judge->displaced);
	int known = displaced ? 0 : atomic_load(&snapshot->guards_moves);

	if (known == 0) {
		known = may_gain(&view) ? 1 : -1;
		if (!displaced)
			atomic_store(&snapshot->guards_moves, known);
	}
	return known > 0;
}
