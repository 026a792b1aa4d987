/* SPDX-License-Identifier: MIT */
/*
 * The differential test: every operation of fs_ops.c is done natively, below a Landlock sandbox
 * that allows it, and by the supervisor for live rules, where the floor grants nothing of it. What
 * it returns and what it leaves behind must be equal.
 */
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <linux/openat2.h>
#include "fs_driver.h"
#include "fs_ops.h"
#include "fs_tree.h"

#define TOLD_SIZE 16384
#define USER	  65534
#define OTHER	  1234

static const char *const modes[] = {"native", "static", "live"};

struct world {
	char base[PATH_MAX];
	char dirs[3][PATH_MAX + 16];
	struct driver drivers[3];
	struct driver_rule rules[4];
	uint64_t performed;
	unsigned int operations, successes, performances, differences;
	int other;
};

/* ---- in the child */

static void serve(int fd, void *data)
{
	unsigned int i;

	CHECK(chdir(data) == 0);
	while (read(fd, &i, sizeof(i)) == sizeof(i)) {
		struct op op;
		struct op_result result;

		CHECK(op_at(i, &op));
		result = op_do(&op);
		CHECK(write(fd, &result, sizeof(result)) == sizeof(result));
	}
}

/* ---- in the test */

/* A read-only mount, where we may mount; else a directory, the same for all. */
static void make_mount(struct world *w)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/mount", w->base);
	CHECK(mkdir(path, 0755) == 0);
	if (unshare(CLONE_NEWNS) == 0) {
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		CHECK(mount(path, path, NULL, MS_BIND, NULL) == 0);
	}
	snprintf(path, sizeof(path), "%s/mount/file", w->base);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/mount", w->base);
	if (geteuid() != 0 || mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
		CHECK(chmod(path, 0555) == 0);
}

static void make_world(struct world *w)
{
	const char *tmp = getenv("TMPDIR");
	char template[PATH_MAX];

	snprintf(template, sizeof(template), "%s/reeve-diff-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(template) && realpath(template, w->base));
	CHECK(chmod(w->base, 0755) == 0);
	make_mount(w);
	w->rules[0] = (struct driver_rule){w->base, UINT64_MAX, true};
	w->rules[1] = (struct driver_rule){"/dev",
		REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE | REEVE_FS_IOCTL_DEV | REEVE_FS_READ_DIR,
		true};
	w->rules[2] = (struct driver_rule){"/proc", UINT64_MAX, false};
	w->other = geteuid() == 0 ? OTHER : 0;
	for (int m = 0; m < 3; m++) {
		char parent[PATH_MAX + 8];

		snprintf(parent, sizeof(parent), "%s/%s", w->base, modes[m]);
		CHECK(mkdir(parent, 0755) == 0);
		snprintf(w->dirs[m], sizeof(w->dirs[m]), "%s/tree", parent);
		CHECK(mkdir(w->dirs[m], 0755) == 0);
	}
}

static uint64_t handled(void)
{
	int abi = rv_landlock_create_ruleset(NULL, 0, RV_LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		SKIP("landlock: not there");
	return reeve_rights_of_abi(REEVE_FS, abi);
}

static void start(struct world *w)
{
	for (int m = 0; m < 3; m++) {
		w->drivers[m] = (struct driver){.mode = (enum driver_mode)m,
			.handled = handled(),
			.rules = w->rules,
			.run = serve,
			.data = w->dirs[m]};
		driver_start(&w->drivers[m]);
	}
}

static void run_one(struct world *w, unsigned int i, int m, struct op_result *result, char *told)
{
	tree_make(w->dirs[m], w->other);
	CHECK(write(w->drivers[m].fd, &i, sizeof(i)) == sizeof(i));
	if (read(w->drivers[m].fd, result, sizeof(*result)) != sizeof(*result)) {
		printf("# the %s child died at operation %u\n", modes[m], i);
		CHECK(false);
	}
	tree_tell(w->dirs[m], told, TOLD_SIZE);
	tree_wipe(w->dirs[m]);
}

static void complain(struct world *w, const struct op *op, const struct op_result results[3],
	char told[3][TOLD_SIZE], int m)
{
	char text[300];

	if (w->differences++ > 40)
		return;
	op_describe(op, text, sizeof(text));
	printf("# %s\n", text);
	for (int i = 0; i < 3; i++)
		printf("#   %s: %d errno %d fl %o fd %u mode %o size %llu\n", modes[i],
			results[i].result, results[i].error, results[i].fl, results[i].fd_flags,
			results[i].type_mode, (unsigned long long)results[i].size);
	if (strcmp(told[0], told[m]) != 0)
		for (char *a = told[0], *b = told[m]; *a || *b;) {
			size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");

			if (n != k || memcmp(a, b, n) != 0) {
				printf("#   tree: %.*s\n#   %s: %.*s\n", (int)n, a, modes[m],
					(int)k, b);
				break;
			}
			a += n + !!a[n];
			b += k + !!b[k];
		}
}

/* An injected descriptor was opened through its pin: this bit of its status is lost. */
static void forget_nofollow(struct op_result *result)
{
	result->fl &= ~(uint32_t)O_NOFOLLOW;
}

static void compare_one(struct world *w, unsigned int i, const struct op *op)
{
	static char told[3][TOLD_SIZE];
	struct op_result results[3];
	struct rv_notify_counters before, after;

	rv_notify_counters(w->drivers[DRIVER_LIVE].notify, &before);
	for (int m = 0; m < 3; m++) {
		run_one(w, i, m, &results[m], told[m]);
		forget_nofollow(&results[m]);
	}
	rv_notify_counters(w->drivers[DRIVER_LIVE].notify, &after);
	w->operations++;
	for (int m = 1; m < 3; m++) {
		/* All that is asked of a cached lookup is that it may fail. */
		if ((op->resolve & RESOLVE_CACHED) &&
			(results[0].error == EAGAIN || results[m].error == EAGAIN))
			continue;
		if (memcmp(&results[0], &results[m], sizeof(results[0])) != 0 ||
			strcmp(told[0], told[m]) != 0) {
			complain(w, op, results, told, m);
			return;
		}
	}
	if (results[DRIVER_LIVE].result != 0)
		return;
	w->successes++;
	if (after.performed + after.injected > before.performed + before.injected) {
		w->performances++;
	} else if (!op_is_native(op)) {
		printf("# granted, but not by the supervisor:\n");
		complain(w, op, results, told, 2);
	}
}

static void clean_up(const struct world *w)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/mount", w->base);
	while (umount2(path, MNT_DETACH) == 0)
		;
	tree_wipe(w->base);
	CHECK(rmdir(w->base) == 0);
}

static void compare_all(void)
{
	static struct world w;
	unsigned int step =
		getenv("REEVE_DIFF_STEP") ? (unsigned int)atoi(getenv("REEVE_DIFF_STEP")) : 13;
	struct op op;

	make_world(&w);
	start(&w);
	for (unsigned int i = 0; op_at(i, &op); i++) {
		if (i % step == 0 || op.kind == OP_DELETED_CWD) /* few, and each is another case */
			compare_one(&w, i, &op);
	}
	for (int m = 0; m < 3; m++)
		CHECK_EQ(driver_end(&w.drivers[m]), 0);
	printf("# %u operations, %u succeed, %u of them by the supervisor, %u differ\n",
		w.operations, w.successes, w.performances, w.differences);
	clean_up(&w);
	CHECK(w.performances > 100);
	CHECK_EQ(w.differences, 0);
}

static void as_user(void)
{
	if (geteuid() == 0) {
		CHECK(setgroups(0, NULL) == 0);
		CHECK(setresgid(USER, USER, USER) == 0);
		CHECK(setresuid(USER, USER, USER) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	}
	compare_all();
}

static void as_root(void)
{
	if (geteuid() != 0)
		SKIP("root: needs it");
	compare_all();
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"equal to native calls, as an ordinary user", as_user},
		{"equal to native calls, as root", as_root},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
