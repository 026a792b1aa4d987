/* SPDX-License-Identifier: MIT */
/* The judge and the watchdog of reeve_verify(): made-up features that do not hold must show. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "kernel/sys.h"
#include "observe/verify.h"
#include "tap.h"

/* ------------------------------------------------------------------- processes */

static void says_seven(void *data, struct rv_outcome *out)
{
	(void)data;
	out->code = 7;
}

static void dies(void *data, struct rv_outcome *out)
{
	(void)data;
	(void)out;
	raise(SIGKILL);
}

static void leaves(void *data, struct rv_outcome *out)
{
	(void)data;
	(void)out;
	_exit(3);
}

static void hangs(void *data, struct rv_outcome *out)
{
	(void)data;
	(void)out;
	for (;;)
		pause();
}

static void no_child_left(void)
{
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void reports(void)
{
	struct rv_outcome got;

	CHECK_EQ(rv_run(says_seven, NULL, &got), 0);
	CHECK_EQ(got.end, RV_END_DONE);
	CHECK_EQ(got.code, 7);
	no_child_left();
}

static void sees_death(void)
{
	struct rv_outcome got;

	CHECK_EQ(rv_run(dies, NULL, &got), 0);
	CHECK_EQ(got.end, RV_END_DIED);
	CHECK_STR(got.text, "died of SIGKILL");
	CHECK_EQ(rv_run(leaves, NULL, &got), 0);
	CHECK_EQ(got.end, RV_END_DIED);
	CHECK_STR(got.text, "exited with 3");
	no_child_left();
}

/* No time at all is always too short for what never ends. */
static void ends_the_stuck(void)
{
	struct rv_outcome got;

	CHECK_EQ(rv_run_within(0, hangs, NULL, &got), 0);
	CHECK_EQ(got.end, RV_END_STUCK);
	no_child_left();
}

static void bears_ignored_sigchld(void)
{
	struct rv_outcome got;

	signal(SIGCHLD, SIG_IGN);
	CHECK_EQ(rv_run(says_seven, NULL, &got), 0);
	CHECK_EQ(got.code, 7);
	CHECK_EQ(rv_run_within(0, hangs, NULL, &got), 0);
	CHECK_EQ(got.end, RV_END_STUCK);
}

/* ------------------------------------------------------------------- the judge */

static int op_mkdir(const struct rv_stage *stage)
{
	(void)stage;
	return mkdir("here/new", 0700) < 0 ? -errno : 0;
}

static int op_works(const struct rv_stage *stage)
{
	(void)stage;
	return 0;
}

static int op_fails(const struct rv_stage *stage)
{
	(void)stage;
	return -ENOTTY;
}

static int op_lacks(const struct rv_stage *stage)
{
	(void)stage;
	return RV_LACKING;
}

static void box_mkdir(const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	box->handled.of[REEVE_FS] |= REEVE_FS_MAKE_DIR;
	if (!grants)
		return;
	snprintf(box->path, sizeof(box->path), "%s", stage->path);
	box->rules[0] = (struct reeve_rule){
		.type = REEVE_RULE_PATH_BENEATH, .allowed = REEVE_FS_MAKE_DIR, .path = box->path};
	box->rules_count = 1;
}

static void box_right(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	box_mkdir(stage, grants, box);
}

static void box_never(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)grants;
	box_mkdir(stage, false, box);
}

static void box_always(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)grants;
	box_mkdir(stage, true, box);
}

static void box_wrong(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	(void)grants;
	box->text = "no = such [ policy";
}

static char dir[] = "/tmp/reeve-test-trial.XXXXXX";

static void remove_dir(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_EQ(system(command), 0);
}

/* A row as those of reeve_verify(), and what must come of it. */
struct trial {
	const char *name;
	struct rv_row row;
	bool is_matrix;
	enum reeve_verdict verdict;
	const char *words; /* of the detail */
};

static void check(const struct trial *trial)
{
	struct rv_proof proof = {.kernel.size = sizeof(proof.kernel)};

	CHECK_EQ(reeve_kernel_probe(&proof.kernel), 0);
	if (!(proof.kernel.rights.of[REEVE_FS] & REEVE_FS_MAKE_DIR))
		SKIP("landlock: this kernel has none");
	CHECK(mkdtemp(dir));
	snprintf(proof.dir, sizeof(proof.dir), "%s", dir);
	CHECK_EQ((trial->is_matrix ? rv_prove_matrix : rv_prove_sides)(&proof, &trial->row), 0);
	remove_dir();
	printf("# %s\n", proof.detail);
	CHECK(proof.told || trial->is_matrix);
	CHECK_EQ(proof.verdict, trial->verdict);
	CHECK(strstr(proof.detail, trial->words));
	no_child_left();
}

static void run_trial(void)
{
	check(tap_data);
}

static int make_nothing(const struct rv_stage *stage)
{
	(void)stage;
	return 0;
}

static int make_fails(const struct rv_stage *stage)
{
	(void)stage;
	return -EBUSY;
}

/* The resource must be there, whoever it is. */
static int op_alive(const struct rv_stage *stage)
{
	return kill(stage->victim, 0) < 0 ? -errno : 0;
}

static int op_gone(const struct rv_stage *stage)
{
	return stage->victim > 0 ? -EPERM : -ESRCH;
}

static const struct trial trials[] = {
	{"what holds is held",
		{.what = "mkdir()", .op = op_mkdir, .refused = EACCES, .box = box_right}, false,
		REEVE_HELD, "refused with EACCES, granted by its rule: mkdir()"},
	{"not refused is broken",
		{.what = "mkdir()", .op = op_mkdir, .refused = EACCES, .box = box_always}, false,
		REEVE_BROKEN, "mkdir() without its rule worked, expected: EACCES"},
	{"not granted is broken",
		{.what = "mkdir()", .op = op_mkdir, .refused = EACCES, .box = box_never}, false,
		REEVE_BROKEN, "mkdir() with its rule failed with EACCES, expected: worked"},
	{"refused with another errno is broken",
		{.what = "mkdir()", .op = op_mkdir, .refused = EPERM, .box = box_right}, false,
		REEVE_BROKEN, "without its rule failed with EACCES, expected: EPERM"},
	{"a guard that forbids too much is broken",
		{.what = "mkdir()",
			.op = op_mkdir,
			.refused = EACCES,
			.box = box_right,
			.neighbour = op_mkdir},
		false, REEVE_BROKEN, "failed with EACCES, expected: worked"},
	/* What fails unsandboxed too is no victim of the guard. */
	{"a neighbour that never works is no victim",
		{.what = "mkdir()",
			.op = op_mkdir,
			.refused = EACCES,
			.box = box_right,
			.neighbour = op_fails},
		false, REEVE_HELD, "mkdir()"},
	{"a box that cannot be entered is broken",
		{.what = "mkdir()", .op = op_mkdir, .refused = EACCES, .box = box_wrong}, false,
		REEVE_BROKEN, "could not be sandboxed"},
	{"what never works proves nothing",
		{.what = "an ioctl", .op = op_fails, .refused = EACCES, .box = box_right}, false,
		REEVE_SKIPPED, "cannot be tried: unsandboxed, it failed with ENOTTY"},
	/* Even where failing is expected, failing like the refusal proves nothing. */
	{"what fails like a refusal proves nothing",
		{.what = "an ioctl",
			.op = op_fails,
			.refused = ENOTTY,
			.flags = RV_ROW_FUTILE,
			.box = box_right},
		false, REEVE_SKIPPED, "cannot be tried"},
	{"a stage that lacks something proves nothing",
		{.what = "an ioctl",
			.op = op_lacks,
			.refused = EPERM,
			.flags = RV_ROW_FUTILE,
			.box = box_right},
		false, REEVE_SKIPPED, "lacks what it needs"},
	{"a futile call that reaches the kernel is broken",
		{.what = "an ioctl",
			.op = op_fails,
			.refused = EPERM,
			.flags = RV_ROW_FUTILE | RV_ROW_NO_GRANT,
			.box = box_right},
		false, REEVE_BROKEN, "sandboxed failed with ENOTTY, expected: EPERM"},
	{"a guard that is not there is broken",
		{.what = "a call",
			.op = op_works,
			.refused = EPERM,
			.flags = RV_ROW_NO_GRANT,
			.box = box_right},
		false, REEVE_BROKEN, "sandboxed worked, expected: EPERM"},
	{"what the kernel lacks is not asked of it",
		{.what = "a call",
			.op = op_works,
			.refused = EPERM,
			.box = box_right,
			.wants_class = REEVE_FS,
			.wants = UINT64_C(1) << 62},
		false, REEVE_SKIPPED, "needs a kernel with"},
	{"a scope that lets pass is broken",
		{.what = "a signal",
			.op = op_alive,
			.refused = EPERM,
			.box = box_right,
			.make = make_nothing},
		true, REEVE_BROKEN, "none_to_scoped: worked, expected: EPERM"},
	{"a scope that cannot be crossed at all proves nothing",
		{.what = "a signal",
			.op = op_gone,
			.refused = EPERM,
			.box = box_right,
			.make = make_nothing},
		true, REEVE_SKIPPED, "cannot be tried: none_to_none: failed with EPERM"},
	{"a resource that cannot be made proves nothing",
		{.what = "a signal",
			.op = op_alive,
			.refused = EPERM,
			.box = box_right,
			.make = make_fails},
		true, REEVE_SKIPPED, "found no resource"},
};

/* With as many layers as there can be, nothing more can be tried, and nothing is wrong. */
static void no_layer_left(void)
{
	static const struct trial trial = {
		.row = {.what = "mkfifo()", .op = op_works, .refused = EACCES, .box = box_right},
		.verdict = REEVE_SKIPPED,
		.words = "16 layers"};
	struct rv_box box = {.handled.of[REEVE_FS] = RV_BOX_FS};
	struct reeve_error err;
	int r = 0;

	for (int i = 0; i < 17 && r == 0; i++)
		r = rv_box_enter(&box, &err);
	if (r != -E2BIG)
		SKIP("landlock: this kernel has none");
	check(&trial);
}

/* ----------------------------------------------------------- other machines */

static void hide_landlock(void)
{
	struct sock_filter code[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, RV_NR_LANDLOCK_CREATE_RULESET},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog program = {RV_COUNT(code), code};

	CHECK_EQ(rv_set_no_new_privs(), 0);
	if (rv_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		SKIP("seccomp: this kernel has no filters");
}

static void expect_skipped(void *data, const struct reeve_feature *feature,
	enum reeve_verdict verdict, const char *detail)
{
	int *features = data;

	(*features)++;
	printf("# %s: %s\n", feature->name, detail);
	CHECK_EQ(verdict, REEVE_SKIPPED);
}

/* Nothing can be proven there, but nothing is wrong either. */
static void no_landlock(void)
{
	struct reeve_error err = {0};
	int features = 0;

	hide_landlock();
	CHECK_EQ(reeve_verify(expect_skipped, &features, &err), 0);
	CHECK(features > 30);
	no_child_left();
}

/* In a domain that already refuses half of what is to be tried. */
static void expect_not_broken(void *data, const struct reeve_feature *feature,
	enum reeve_verdict verdict, const char *detail)
{
	int *held = data;

	printf("# %s: %s\n", feature->name, detail);
	CHECK(verdict != REEVE_BROKEN);
	*held += verdict == REEVE_HELD;
}

static void inside_another(void)
{
	struct rv_box box = {.handled.of[REEVE_FS] = RV_BOX_FS | REEVE_FS_MAKE_SYM};
	struct reeve_error err = {0};
	int held = 0;

	if (rv_box_enter(&box, &err) < 0)
		SKIP("landlock: this kernel has none");
	CHECK_EQ(reeve_verify(expect_not_broken, &held, &err), 0);
	CHECK(held > 5);
	no_child_left();
}

static void no_place_for_files(void)
{
	struct reeve_error err = {0};
	int features = 0;

	CHECK_EQ(setenv("TMPDIR", "/proc/self/nowhere", 1), 0);
	CHECK_EQ(reeve_verify(expect_skipped, &features, &err), -ENOENT);
	CHECK_EQ(features, 0);
	CHECK(strstr(err.message, "/proc/self/nowhere"));
}

/* --------------------------------------------------------------------- telling */

static void worst_wins(void)
{
	struct rv_proof proof = {0};

	rv_tell(&proof, REEVE_SKIPPED, "a");
	CHECK_EQ(proof.verdict, REEVE_SKIPPED);
	rv_tell(&proof, REEVE_HELD, "%s", "b");
	rv_tell(&proof, REEVE_SKIPPED, "c");
	rv_tell(&proof, REEVE_HELD, "d");
	CHECK_STR(proof.detail, "b; d");
	rv_tell_held(&proof, "how", "x");
	rv_tell_held(&proof, "how", "y");
	rv_tell_held(&proof, "other", "z");
	CHECK_STR(proof.detail, "b; d; how: x, y; other: z");
	rv_tell(&proof, REEVE_BROKEN, "e");
	rv_tell(&proof, REEVE_HELD, "f");
	CHECK_EQ(proof.verdict, REEVE_BROKEN);
	CHECK_STR(proof.detail, "e");
	for (int i = 0; i < 1000; i++)
		rv_tell(&proof, REEVE_BROKEN, "%d", i);
	CHECK(strlen(proof.detail) < sizeof(proof.detail));
	CHECK_STR(proof.detail + strlen(proof.detail) - 3, "...");
}

/* First the cases that are functions, then those that are rows. */
int main(void)
{
	static const struct tap_case functions[] = {
		{"an outcome is received", reports},
		{"a child that dies is told", sees_death},
		{"a child that hangs is ended", ends_the_stuck},
		{"the caller may ignore SIGCHLD", bears_ignored_sigchld},
		{"sixteen layers around are no fault", no_layer_left},
		{"without Landlock nothing is broken", no_landlock},
		{"inside another domain nothing is broken", inside_another},
		{"a directory that is not there is an error", no_place_for_files},
		{"the worst verdict wins", worst_wins},
	};
	struct tap_case cases[RV_COUNT(functions) + RV_COUNT(trials)];

	memcpy(cases, functions, sizeof(functions));
	for (size_t i = 0; i < RV_COUNT(trials); i++)
		cases[RV_COUNT(functions) + i] =
			(struct tap_case){trials[i].name, run_trial, &trials[i]};
	return tap_run(cases, RV_COUNT(cases));
}
