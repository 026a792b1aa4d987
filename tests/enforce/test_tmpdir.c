/* SPDX-License-Identifier: MIT */
/* The private TMPDIR: who may own it, what is stale, and hostile trees in it. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include "enforce/tmpdir.h"
#include "helpers.h"

static const char *top; /* $TMPDIR of the test */

static void setup(void)
{
	top = make_dir();
	CHECK(setenv("TMPDIR", top, 1) == 0);
}

static const char *path_of(const char *format, const char *arg)
{
	static char path[4][PATH_MAX];
	static int next;
	char *to = path[next++ % 4];
	int n = snprintf(to, PATH_MAX, "%s/reeve-%u/", top, (unsigned int)geteuid());

	snprintf(to + n, (size_t)(PATH_MAX - n), format, arg);
	return to;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static struct rv_tmpdir make(void)
{
	struct rv_tmpdir tmpdir = RV_TMPDIR_NONE;
	struct reeve_error err = {0};

	CHECK_OK(rv_tmpdir_make(&tmpdir, &err));
	return tmpdir;
}

static void is_private(void)
{
	struct rv_tmpdir one, two;
	struct stat st;

	setup();
	one = make();
	CHECK(stat(one.path, &st) == 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 0700);
	CHECK_EQ(st.st_uid, geteuid());
	CHECK(strncmp(one.path, top, strlen(top)) == 0);
	two = make(); /* the same process again: exec keeps pid and start time */
	CHECK(strcmp(one.path, two.path) != 0);
	CHECK(exists(one.path));
	rv_tmpdir_undo(&two);
	CHECK(!exists(two.path) && exists(one.path));
	rv_tmpdir_close(&one);
	remove_dir(top);
}

static void refused(int code)
{
	struct rv_tmpdir tmpdir = RV_TMPDIR_NONE;
	struct reeve_error err = {0};

	CHECK_EQ(rv_tmpdir_make(&tmpdir, &err), code);
	CHECK(strstr(err.message, "/reeve-"));
	CHECK(err.hint[0]);
	CHECK(tmpdir.fd < 0);
	rv_tmpdir_close(&tmpdir);
}

static void base_must_be_ours(void)
{
	const char *base;

	setup();
	base = path_of("%s", "");
	((char *)base)[strlen(base) - 1] = '\0';
	CHECK(symlink("/var", base) == 0);
	refused(-ENOTDIR); /* of O_DIRECTORY, before O_NOFOLLOW */
	CHECK(unlink(base) == 0);
	write_file(base, "", 0600);
	refused(-ENOTDIR);
	CHECK(unlink(base) == 0);
	CHECK(mkdir(base, 0700) == 0 && chmod(base, 0770) == 0);
	refused(-EPERM);
	CHECK(chmod(base, 0700) == 0);
	if (geteuid() == 0) {
		CHECK(chown(base, TEST_USER, TEST_USER) == 0);
		refused(-EPERM);
	}
	remove_dir(top);
}

/* A directory with one file, named as that of a process. */
static const char *plant(const char *name)
{
	const char *path = path_of("%s", name);

	CHECK(mkdir(path, 0700) == 0);
	write_file(path_of("%s/file", name), "x", 0600);
	return path;
}

/* The name of our own directory, from before our start or of another /proc. */
static void other_name(char buf[96], const struct rv_tmpdir *own, int part)
{
	unsigned long long number[3];

	CHECK(sscanf(own->name, "%llu-%llu-%llu", &number[0], &number[1], &number[2]) == 3);
	number[part] = part == 1 ? 1 : number[part] + 1;
	snprintf(buf, 96, "%llu-%llu-%llu", number[0], number[1], number[2]);
}

static void only_stale_ones_go(void)
{
	struct rv_tmpdir own, again;
	char dead[96], reused[96], elsewhere[96], alive[96];
	int status;
	pid_t pid;

	setup();
	own = make();
	snprintf(alive, sizeof(alive), "%s", own.name);
	pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK(waitpid(pid, &status, 0) == pid);
	snprintf(dead, sizeof(dead), "%d%s", (int)pid, strchr(own.name, '-'));
	other_name(reused, &own, 1);
	other_name(elsewhere, &own, 2);
	plant(dead);
	plant(reused);
	plant(elsewhere);
	plant("notes");
	plant("1x-2-3");
	plant("7");
	CHECK(mkdir(path_of("%s", "8"), 0700) == 0);
	again = make(); /* there are eight now: reason enough */
	CHECK(!exists(path_of("%s", dead)));
	CHECK(!exists(path_of("%s", reused)));
	CHECK(exists(path_of("%s/file", elsewhere)));
	CHECK(exists(path_of("%s", alive)));
	CHECK(exists(path_of("%s/file", "notes")));
	CHECK(exists(path_of("%s/file", "1x-2-3")));
	rv_tmpdir_close(&again);
	rv_tmpdir_close(&own);
	remove_dir(top);
}

static void old_ones_go_by_age(void)
{
	const time_t day = 86400, now = 1000 * day;

	CHECK(rv_tmpdir_is_old(now - 11 * day, now, day));
	CHECK(!rv_tmpdir_is_old(now - 9 * day, now, day));
	CHECK(!rv_tmpdir_is_old(now - 11 * day, now, 12 * day)); /* a container may still run */
	CHECK(rv_tmpdir_is_old(now - 13 * day, now, 12 * day));
	CHECK(!rv_tmpdir_is_old(now, now, day));
	CHECK(!rv_tmpdir_is_old(now + day, now, day)); /* the clock was wrong, or is */
}

/* ----------------------------------------------------------------- hostile trees */

static int remove_tree(const char *name, size_t budget)
{
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	CHECK(fd >= 0);
	r = rv_remove_tree(fd, name, &budget);
	close(fd);
	return r;
}

static void shell(const char *script)
{
	CHECK(chdir(top) == 0);
	CHECK_EQ(system(script), 0);
}

static void links_are_not_followed(void)
{
	struct stat st;

	setup();
	shell("mkdir -p victim tree/sub && echo v > victim/file && chmod 500 victim &&"
	      "ln -s ../victim tree/link && ln -s ../../victim tree/sub/link &&"
	      "ln victim/file tree/hard && mkfifo tree/fifo && touch 'tree/new\nline' &&"
	      "ln -s / tree/root && ln -s loop tree/loop");
	CHECK_EQ(remove_tree("tree", 1000), 0);
	CHECK(!exists("tree"));
	CHECK(exists("victim/file"));
	CHECK(stat("victim", &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0500); /* no chmod through a link either */
	CHECK(chmod("victim", 0700) == 0);
	remove_dir(top);
}

static void check_locked(void *unused)
{
	(void)unused;
	become_user();
	shell("mkdir -p tree/ro/sub tree/none/sub tree/x && touch tree/ro/sub/f tree/none/sub/f &&"
	      "chmod 500 tree/ro/sub tree/ro && chmod 0 tree/none/sub tree/none tree/x");
	CHECK_EQ(remove_tree("tree", 1000), 0);
	CHECK(!exists("tree"));
}

static void locked_directories_go(void)
{
	setup();
	CHECK(chmod(top, 0777) == 0);
	CHECK_EQ(in_child(check_locked, NULL), 0);
	remove_dir(top);
}

/* Deeper than any path may be, and than there may be descriptors. */
static void deep_trees_go(void)
{
	int fd, next;

	setup();
	fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(mkdirat(fd, "tree", 0700) == 0);
	next = openat(fd, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1500; i++) {
		int below;

		CHECK(mkdirat(next, "d", 0700) == 0);
		below = openat(next, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		CHECK(below >= 0);
		close(next);
		next = below;
	}
	close(next);
	close(fd);
	CHECK_EQ(remove_tree("tree", 100000), 0);
	CHECK(chdir(top) == 0 && !exists("tree"));
	remove_dir(top);
}

static void work_is_bounded(void)
{
	setup();
	shell("mkdir tree && cd tree && for i in 1 2 3 4 5 6 7 8 9 10; do touch $i; done");
	CHECK_EQ(remove_tree("tree", 5), -EAGAIN);
	CHECK(exists("tree"));
	CHECK_EQ(remove_tree("tree", 50), 0);
	remove_dir(top);
}

static void check_mounts(void *unused)
{
	(void)unused;
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	shell("mkdir -p victim tree/mnt && echo v > victim/file");
	CHECK(mount("victim", "tree/mnt", NULL, MS_BIND, NULL) == 0);
	CHECK(remove_tree("tree", 1000) < 0);
	CHECK(exists("victim/file"));
}

static void mounts_are_not_entered(void)
{
	if (geteuid() != 0)
		SKIP("root: needed to mount");
	setup();
	CHECK_EQ(in_child(check_mounts, NULL), 0);
	remove_dir(top);
}

/* A program of the dead sandbox that still runs, and swaps a directory with a link out of it. */
static void swap_for_ever(void)
{
	for (;;) {
		mkdir("tree", 0700);
		mkdir("tree/a", 0700);
		close(open("tree/a/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		rename("tree/a", "tree/b");
		(void)!symlink("../victim", "tree/a");
		unlink("tree/a");
		rename("tree/b", "tree/a");
	}
}

static void races_do_not_escape(void)
{
	int status;
	pid_t pid;

	setup();
	shell("mkdir victim && echo v > victim/file");
	pid = fork();
	if (pid == 0)
		swap_for_ever();
	for (int i = 0; i < 1500; i++) {
		remove_tree("tree", 1000);
		CHECK(exists("victim/file"));
	}
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	remove_dir(top);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"tmpdir: private, one for each run", is_private},
		{"tmpdir: a base that is not ours", base_must_be_ours},
		{"tmpdir: only those of dead processes go", only_stale_ones_go},
		{"tmpdir: those of other places go by age", old_ones_go_by_age},
		{"remove: links are not followed", links_are_not_followed},
		{"remove: locked directories", locked_directories_go},
		{"remove: 1500 directories deep", deep_trees_go},
		{"remove: bounded work", work_is_bounded},
		{"remove: mounts are not entered", mounts_are_not_entered},
		{"remove: races do not escape", races_do_not_escape},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
