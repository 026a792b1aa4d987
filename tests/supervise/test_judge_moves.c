/* SPDX-License-Identifier: MIT */
/* Live rules: renames and links. */
#include <sys/stat.h>
#include "judge_util.h"

static struct rv_judgement on_move(struct rv_judge *judge, const char *from, const char *to)
{
	struct reeve_refer refer = {.old_path = from, .new_path = to, .old_mode = S_IFREG};
	struct rv_judgement judgement;

	memset(&judgement, 0xff, sizeof(judgement));
	rv_judge_refer(judge, &refer, &judgement);
	return judgement;
}

static void moving(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	uint64_t all = RF | WF | REEVE_FS_MAKE_REG | REEVE_FS_REMOVE_FILE | REEVE_FS_REFER;
	struct rv_judge *judge = new_judge();
	struct rv_judgement j;

	j = on_move(judge, "/a/x", "/b/x");
	CHECK_EQ(j.result, RV_DENIED);
	CHECK_EQ(j.decision.error, EACCES);
	stage(judge, "/a", all, NULL);
	commit(judge);
	CHECK_EQ(on_move(judge, "/a/x", "/b/x").result, RV_DENIED);
	stage(judge, "/b", all, &once);
	stage(judge, "/b", all, &once);
	stage(judge, "/elsewhere", all, NULL);
	commit(judge);
	j = on_move(judge, "/a/x", "/b/x");
	CHECK_EQ(j.result, RV_LIVE_ALLOWS);
	CHECK_EQ(j.ticket_count, 2);
	CHECK(rv_judge_used(judge, &j));
	j = on_move(judge, "/a/x", "/b/x");
	CHECK(rv_judge_used(judge, &j));
	CHECK_EQ(on_move(judge, "/a/x", "/b/x").result, RV_DENIED);

	/* A right that the object would gain. */
	stage(judge, "/b", all | TR, NULL);
	commit(judge);
	j = on_move(judge, "/a/x", "/b/x");
	CHECK_EQ(j.result, RV_DENIED);
	CHECK_EQ(j.decision.error, EXDEV);
	CHECK_EQ(j.decision.missing, TR);
	CHECK_EQ(on_move(judge, "/b/x", "/a/x").result, RV_LIVE_ALLOWS);

	stage_deny(judge, "/a/d/secret", 0);
	commit(judge);
	CHECK_EQ(on_move(judge, "/b/d", "/a/d").decision.error, EACCES);
	CHECK_EQ(on_move(judge, "/b/x", "/a/x").result, RV_LIVE_ALLOWS);
	rv_judge_free(judge);
}

/* ------------------------------------------ what the static rules allow, below live ones */

#define MOVE                                                                                       \
	(REEVE_FS_MAKE_REG | REEVE_FS_MAKE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_REMOVE_DIR |      \
		REEVE_FS_REFER)

struct grant {
	const char *path;
	uint64_t allowed;
};

static struct rv_judge *judge_of(const struct grant *grants)
{
	struct reeve_rights handled = {{HANDLED, NET, 0, 0}};
	struct reeve_ruleset *floor = NULL, *live = NULL;
	struct rv_judge *judge = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &floor), 0);
	CHECK_EQ(reeve_ruleset_new(&handled, &live), 0);
	for (; grants->path; grants++) {
		struct reeve_rule rule = path_rule(grants->path, grants->allowed);

		CHECK_EQ(reeve_ruleset_add(floor, &rule, NULL), 0);
	}
	CHECK_EQ(rv_judge_new(floor, live, &judge), 0);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
	return judge;
}

static int error_of_move(
	struct rv_judge *judge, const char *from, const char *to, unsigned int mode)
{
	struct reeve_refer refer = {.old_path = from, .new_path = to, .old_mode = mode};
	struct rv_judgement judgement;

	rv_judge_refer(judge, &refer, &judgement);
	return judgement.result == RV_DENIED ? judgement.decision.error : 0;
}

static void below_a_live_rule(void)
{
	static const struct grant grants[] = {
		{"/a", MOVE | WF}, {"/b", MOVE | WF}, {"/r", MOVE | WF | RF}, {NULL, 0}};
	struct rv_judge *judge = judge_of(grants);

	CHECK(!rv_judge_guards_moves(judge));
	stage(judge, "/elsewhere", RF, NULL);
	stage(judge, "/r/more", RF | WF, NULL);
	commit(judge);
	CHECK(!rv_judge_guards_moves(judge)); /* nothing can be moved there, or gains there */
	stage(judge, "/b", RF, NULL);
	commit(judge);
	CHECK(rv_judge_guards_moves(judge));
	CHECK_EQ(error_of_move(judge, "/a/x", "/b/x", S_IFREG), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/x", "/b/x", S_IFDIR), EXDEV);
	CHECK_EQ(error_of_move(judge, "/b/x", "/a/x", S_IFREG), 0);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/y", S_IFREG), 0);
	CHECK_EQ(error_of_move(judge, "/r/x", "/b/x", S_IFREG), 0);
	rv_judge_free(judge);
}

/* Live rules go by path: those on the name itself and below it count. */
static void at_and_below_the_name(void)
{
	static const struct grant grants[] = {{"/a", MOVE | WF}, {NULL, 0}};
	struct rv_judge *judge = judge_of(grants);

	stage(judge, "/a/name", RF, NULL);
	stage(judge, "/a/dir/sub", RF, NULL);
	commit(judge);
	CHECK(rv_judge_guards_moves(judge));
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/name", S_IFREG), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/name", "/a/x", S_IFREG), 0);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/dir", S_IFDIR), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/dir", S_IFREG), 0);
	rv_judge_free(judge);
}

/* A denial inside of a live grant is not left behind. */
static void out_of_a_denial(void)
{
	static const struct grant grants[] = {{"/a", MOVE | WF}, {NULL, 0}};
	struct rv_judge *judge = judge_of(grants);

	stage(judge, "/a", RF, NULL);
	stage_deny(judge, "/a/d/secret", RF);
	commit(judge);
	CHECK_EQ(error_of_move(judge, "/a/d/secret", "/a/x", S_IFREG), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/d", "/a/x", S_IFDIR), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/d/other", "/a/x", S_IFREG), 0);
	rv_judge_free(judge);
}

/* The floor goes by objects: another directory may have come to where it grants reading. */
static void where_the_floor_may_be_gone(void)
{
	static const struct grant grants[] = {{"/a", MOVE | WF}, {"/a/r", RF}, {"/b", MOVE | WF},
		{"/r", MOVE | RF | WF}, {NULL, 0}};
	struct rv_judge *judge = judge_of(grants);

	stage(judge, "/b", RF, NULL);
	commit(judge);
	CHECK_EQ(error_of_move(judge, "/a/r/x", "/b/x", S_IFREG), EXDEV);
	CHECK_EQ(error_of_move(judge, "/r/x", "/b/x", S_IFREG), 0);
	rv_judge_displaced(judge, "/r/x");
	CHECK_EQ(error_of_move(judge, "/r/x", "/b/x", S_IFREG), 0);
	rv_judge_displaced(judge, "/r");
	CHECK_EQ(error_of_move(judge, "/r/x", "/b/x", S_IFREG), EXDEV);
	rv_judge_free(judge);
}

/* Sockets that the supervisor scopes: the kernel knows of no right to them. */
static void sockets_by_path(void)
{
	struct reeve_rights handled = {{HANDLED, NET, 0, 0}};
	struct reeve_rule here = path_rule("/a", MOVE | RF | WF | REEVE_FS_MAKE_SOCK);
	struct reeve_rule below = path_rule("/a/s", REEVE_FS_RESOLVE_UNIX);
	struct reeve_rule one = path_rule("/a/one", REEVE_FS_RESOLVE_UNIX);
	struct reeve_ruleset *floor = NULL, *live = NULL;
	struct rv_judge *judge = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &floor), 0);
	CHECK_EQ(reeve_ruleset_new(&handled, &live), 0);
	CHECK_EQ(reeve_ruleset_add(floor, &here, NULL), 0);
	CHECK_EQ(reeve_ruleset_add(floor, &below, NULL), 0);
	CHECK_EQ(reeve_ruleset_add(floor, &one, NULL), 0);
	CHECK_EQ(rv_judge_new_unix(floor, live, false, &judge), 0);
	CHECK(rv_judge_guards_moves(judge));
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/s/x", S_IFSOCK), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/one", S_IFSOCK), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/s", S_IFDIR), EXDEV);
	CHECK_EQ(error_of_move(judge, "/a/one", "/a/x", S_IFSOCK), 0);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/y", S_IFSOCK), 0);
	CHECK_EQ(error_of_move(judge, "/a/x", "/a/one", S_IFREG), 0);
	rv_judge_free(judge);
	/* Where the kernel has the right, it compares it. */
	CHECK_EQ(rv_judge_new_unix(floor, live, true, &judge), 0);
	CHECK(!rv_judge_guards_moves(judge));
	rv_judge_free(judge);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"rename", moving},
		{"what the floor allows, below a live rule", below_a_live_rule},
		{"live rules on the name, and below it", at_and_below_the_name},
		{"out of a live denial", out_of_a_denial},
		{"where the floor may be gone", where_the_floor_may_be_gone},
		{"UNIX sockets that the supervisor scopes", sockets_by_path},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
