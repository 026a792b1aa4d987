/* SPDX-License-Identifier: MIT */
/* Renames and links below live rules. */
#define _GNU_SOURCE
#include "probe.h"
#include <sys/mman.h>

static int supervisor, supervisee;

static int move(void *data)
{
	const char *const *names = data;

	return rename(names[0], names[1]) < 0 ? errno : 0;
}

static int make_link(void *data)
{
	const char *const *names = data;

	return link(names[0], names[1]) < 0 ? errno : 0;
}

static int swap(void *data)
{
	const char *const *names = data;

	return renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) < 0 ? errno : 0;
}

/* Where the probe finds the names, too. */
static const char **names_at;

static void *paths(const char *from, const char *to)
{
	static char text[2][200]; /* of this process: what is shared has copies */
	char *shared = (char *)names_at + 2 * sizeof(*names_at);

	snprintf(text[0], sizeof(text[0]), "%s", in_scratch(from));
	snprintf(text[1], sizeof(text[1]), "%s", in_scratch(to));
	memcpy(shared, text, sizeof(text));
	names_at[0] = shared;
	names_at[1] = shared + sizeof(text[0]);
	return names_at;
}

static int commit_without(int fd, const char *path)
{
	if (add_path(fd, path, LANDLOCK_ACCESS_FS_WRITE_FILE, LANDLOCK_ADD_RULE_INTERSECT) < 0)
		return errno;
	return commit(fd) < 0 ? errno : 0;
}

/* A rule of the floor that is too weak to read, in both places; a live rule for reading in one. */
static void nothing_gained_by_moves(void)
{
	const __u64 rights = RW_RIGHTS | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_MAKE_DIR |
			     LANDLOCK_ACCESS_FS_REMOVE_DIR;
	struct probe probe;

	make_scratch();
	make_file("a/early");
	CHECK(mkdir(in_scratch("a/dir"), 0700) == 0);
	names_at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(names_at != MAP_FAILED);
	supervisor = make_ruleset(rights, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	supervisee = supervisee_of(supervisor);
	CHECK_EQ(add_path(supervisee, in_scratch("a"), rights & ~READ, 0), 0);
	CHECK_EQ(add_path(supervisee, in_scratch("b"), rights & ~READ, 0), 0);
	probe = probe_start(supervisee, supervisor);
	/* What was moved before a live rule is committed is there. */
	CHECK_EQ(probe_call(&probe, move, paths("a/early", "b/early")), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("b"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/early"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	CHECK_EQ(probe_call(&probe, move, paths("a/file", "b/got")), EXDEV);
	CHECK_EQ(probe_call(&probe, make_link, paths("a/file", "b/got")), EXDEV);
	CHECK_EQ(probe_call(&probe, swap, paths("a/file", "b/file")), EXDEV);
	CHECK_EQ(probe_call(&probe, move, paths("a/dir", "b/dir")), EXDEV);
	/* Nothing is gained that way, nor within one directory. */
	CHECK_EQ(probe_call(&probe, move, paths("b/file", "a/other")), 0);
	CHECK_EQ(probe_call(&probe, move, paths("a/file", "a/again")), 0);
	/* Errors are the native ones. */
	CHECK_EQ(probe_call(&probe, move, paths("a/nothing", "b/got")), ENOENT);
	CHECK_EQ(probe_call(&probe, make_link, paths("a/again", "a/other")), EEXIST);
	CHECK_EQ(commit_without(supervisor, in_scratch("b")), 0);
	CHECK_EQ(probe_call(&probe, move, paths("a/again", "b/got")), 0);
	probe_end(&probe);
	remove_scratch();
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"nothing is gained by moves", nothing_gained_by_moves},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
