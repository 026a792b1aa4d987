/* SPDX-License-Identifier: MIT */
/* A judge to test: its floor allows reading below /usr, and is quiet about reading /quiet. */
#ifndef TESTS_SUPERVISE_JUDGE_UTIL_H
#define TESTS_SUPERVISE_JUDGE_UTIL_H

#include "base/cleanup.h"
#include "supervise/judge.h"
#include "tap.h"

#define RF  REEVE_FS_READ_FILE
#define WF  REEVE_FS_WRITE_FILE
#define TR  REEVE_FS_TRUNCATE
#define NET REEVE_NET_CONNECT_TCP
/* Of class fs: all but one. */
#define HANDLED (((REEVE_FS_RESOLVE_UNIX << 1) - 1) & ~REEVE_FS_IOCTL_DEV)

static inline struct reeve_rule path_rule(const char *path, uint64_t allowed)
{
	return (struct reeve_rule){
		.type = REEVE_RULE_PATH_BENEATH, .path = path, .allowed = allowed};
}

static inline struct reeve_ruleset *new_floor(void)
{
	struct reeve_rights handled = {{HANDLED, NET, 0, 0}};
	struct reeve_rule usr = path_rule("/usr", RF), quiet = path_rule("/quiet", 0);
	struct reeve_ruleset *floor = NULL;

	quiet.quiet = RF;
	CHECK_EQ(reeve_ruleset_new(&handled, &floor), 0);
	CHECK_EQ(reeve_ruleset_add(floor, &usr, NULL), 0);
	CHECK_EQ(reeve_ruleset_add(floor, &quiet, NULL), 0);
	return floor;
}

static inline struct rv_judge *new_judge(void)
{
	struct reeve_rights handled = {{HANDLED, NET, 0, 0}};
	struct reeve_ruleset *floor = new_floor(), *live = NULL;
	struct rv_judge *judge = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &live), 0);
	CHECK_EQ(rv_judge_new(floor, live, &judge), 0);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
	return judge;
}

static inline struct rv_judgement on_path(struct rv_judge *judge, const char *path, uint64_t access)
{
	struct rv_judgement judgement;

	memset(&judgement, 0xff, sizeof(judgement));
	rv_judge_path(judge, path, access, &judgement);
	return judgement;
}

static inline void stage(struct rv_judge *judge, const char *path, uint64_t allowed,
	const struct reeve_live_options *options)
{
	struct reeve_rule rule = path_rule(path, allowed);

	rule.origin = "test";
	CHECK_EQ(rv_judge_stage_add(judge, &rule, options, NULL), 0);
}

static inline void stage_deny(struct rv_judge *judge, const char *path, uint64_t rights)
{
	struct reeve_rule rule = path_rule(path, rights);

	rule.flags = REEVE_RULE_DENY;
	CHECK_EQ(rv_judge_stage_add(judge, &rule, NULL, NULL), 0);
}

static inline void commit(struct rv_judge *judge)
{
	CHECK_EQ(rv_judge_commit(judge, NULL), 0);
}

static inline int count_rule(void *data, const struct reeve_live_rule *rule)
{
	(void)rule;
	++*(size_t *)data;
	return 0;
}

static inline size_t count_rules(struct rv_judge *judge)
{
	size_t count = 0;

	CHECK_EQ(rv_judge_rules(judge, count_rule, &count), 0);
	return count;
}

#endif /* TESTS_SUPERVISE_JUDGE_UTIL_H */
