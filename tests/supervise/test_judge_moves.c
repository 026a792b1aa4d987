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

int main(void)
{
	static const struct tap_case cases[] = {
		{"rename", moving},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
