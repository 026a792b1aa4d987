/* SPDX-License-Identifier: MIT */
/* Live rules: what they decide, and how they change. Races are in test_judge_race.c. */
#include <time.h>
#include "judge_util.h"

static void floor_live_or_nobody(void)
{
	struct rv_judge *judge = new_judge();
	struct rv_judgement j;

	CHECK(!rv_judge_has_live(judge));
	CHECK_EQ(on_path(judge, "/usr/bin/x", RF).result, RV_FLOOR_ALLOWS);
	j = on_path(judge, "/home/u/x", RF | WF);
	CHECK_EQ(j.result, RV_DENIED);
	CHECK_EQ(j.decision.missing, RF | WF);
	CHECK_EQ(j.decision.error, EACCES);
	CHECK_EQ(j.decision.layer, 1);

	stage(judge, "/home/u", RF, NULL);
	CHECK_EQ(on_path(judge, "/home/u/x", RF).result, RV_DENIED);
	commit(judge);
	CHECK(rv_judge_has_live(judge));
	j = on_path(judge, "/home/u/x", RF);
	CHECK_EQ(j.result, RV_LIVE_ALLOWS);
	CHECK(j.decision.allowed);
	CHECK_STR(j.by, "test");
	j = on_path(judge, "/home/u/x", RF | WF);
	CHECK_EQ(j.result, RV_DENIED);
	CHECK_EQ(j.decision.missing, WF);
	CHECK_EQ(on_path(judge, "/home/ux", RF).result, RV_DENIED);
	rv_judge_free(judge);
}

/* One right from the floor, one live, is allowed. */
static void floor_and_live_add_up(void)
{
	struct rv_judge *judge = new_judge();

	stage(judge, "/usr/share", WF, NULL);
	commit(judge);
	CHECK_EQ(on_path(judge, "/usr/share/x", RF | WF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/usr/share/x", RF).result, RV_FLOOR_ALLOWS);
	rv_judge_free(judge);
}

static void denials_take_away_live_grants_only(void)
{
	struct rv_judge *judge = new_judge();

	stage(judge, "/w", RF | WF, NULL);
	stage_deny(judge, "/w/secret", 0);
	stage(judge, "/w/secret/open", RF, NULL);
	stage_deny(judge, "/usr/lib", 0);
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/x", RF | WF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/w/secret/x", RF).result, RV_DENIED);
	CHECK_EQ(on_path(judge, "/w/secret/open/x", RF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/w/secret/open/x", RF | WF).decision.missing, WF);
	CHECK_EQ(on_path(judge, "/usr/lib/x", RF).result, RV_FLOOR_ALLOWS);
	rv_judge_free(judge);
}

static void quiet_of_floor_and_live(void)
{
	struct reeve_rule quiet = {.type = REEVE_RULE_PATH_BENEATH, .path = "/home", .quiet = WF};
	struct rv_judge *judge = new_judge();

	CHECK(on_path(judge, "/quiet/x", RF).decision.quiet);
	CHECK(!on_path(judge, "/quiet/x", RF | WF).decision.quiet);
	CHECK(!on_path(judge, "/home/x", WF).decision.quiet);
	CHECK_EQ(rv_judge_stage_add(judge, &quiet, NULL, NULL), 0);
	commit(judge);
	CHECK(on_path(judge, "/home/x", WF).decision.quiet);
	CHECK(!rv_judge_has_live(judge));
	/* What is left missing decides, not what was asked. */
	stage(judge, "/quiet", WF, NULL);
	commit(judge);
	CHECK(on_path(judge, "/quiet/x", RF | WF).decision.quiet);
	rv_judge_free(judge);
}

/* ----------------------------------------------------------------------- changes */

static int revoke_on(struct rv_judge *judge, const char *path, uint64_t allowed, unsigned int flags)
{
	struct reeve_rule rule = path_rule(path, allowed);

	rule.flags = flags;
	return rv_judge_stage_revoke(judge, &rule, NULL);
}

static void revoking(void)
{
	struct rv_judge *judge = new_judge();

	stage(judge, "/w", RF | WF, NULL);
	stage(judge, "/w", RF, NULL);
	stage(judge, "/w/x", RF, NULL);
	stage_deny(judge, "/w", WF);
	commit(judge);
	CHECK_EQ(count_rules(judge), 4);
	CHECK_EQ(revoke_on(judge, "/nothing", RF, 0), 0);
	CHECK_EQ(revoke_on(judge, "/w", TR, 0), 0);
	CHECK_EQ(revoke_on(judge, "/w", RF, 0), 2);
	CHECK_EQ(on_path(judge, "/w/y", RF).result, RV_LIVE_ALLOWS);
	commit(judge);
	CHECK_EQ(count_rules(judge), 3);
	CHECK_EQ(on_path(judge, "/w/y", RF).result, RV_DENIED);
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/w/y", WF).result, RV_DENIED);
	CHECK_EQ(revoke_on(judge, "/w", 0, REEVE_RULE_DENY), 1);
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/y", WF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(revoke_on(judge, "/w", 0, 0), 1);
	CHECK_EQ(revoke_on(judge, "/w/x", 0, 0), 1);
	commit(judge);
	CHECK_EQ(count_rules(judge), 0);
	CHECK(!rv_judge_has_live(judge));
	rv_judge_free(judge);
}

static void intersecting(void)
{
	struct reeve_rule only_read = path_rule("/w", RF), nothing = path_rule("/w/x", 0);
	struct rv_judge *judge = new_judge();

	stage(judge, "/w", RF | WF, NULL);
	stage(judge, "/w/x", TR, NULL);
	commit(judge);
	CHECK_EQ(rv_judge_stage_intersect(judge, &only_read, NULL), 0);
	CHECK_EQ(rv_judge_stage_intersect(judge, &nothing, NULL), 0);
	CHECK_EQ(on_path(judge, "/w/y", WF).result, RV_LIVE_ALLOWS);
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/y", WF).result, RV_DENIED);
	CHECK_EQ(on_path(judge, "/w/y", RF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(count_rules(judge), 1);
	rv_judge_free(judge);
}

static void clearing(void)
{
	struct rv_judge *judge = new_judge();

	stage(judge, "/w", RF, NULL);
	commit(judge);
	CHECK_EQ(rv_judge_stage_clear(judge), 0);
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_LIVE_ALLOWS);
	stage(judge, "/v", RF, NULL);
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_DENIED);
	CHECK_EQ(on_path(judge, "/v/x", RF).result, RV_LIVE_ALLOWS);
	/* Nothing staged: nothing changes. */
	commit(judge);
	CHECK_EQ(on_path(judge, "/v/x", RF).result, RV_LIVE_ALLOWS);
	rv_judge_free(judge);
}

static struct reeve_ruleset *ruleset_of(uint64_t fs, uint64_t net)
{
	struct reeve_rights handled = {{fs, net, 0, 0}};
	struct reeve_ruleset *ruleset = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	return ruleset;
}

static int replace(struct rv_judge *judge, struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	int r = rv_judge_stage_replace(judge, ruleset, err);

	reeve_ruleset_free(ruleset);
	return r;
}

static void replacing(void)
{
	struct rv_judge *judge = new_judge();
	struct reeve_ruleset *ruleset = ruleset_of(HANDLED, NET);
	struct reeve_rule rule = path_rule("/v", RF);
	struct reeve_error err;

	stage(judge, "/w", RF, NULL);
	commit(judge);
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	CHECK_EQ(replace(judge, ruleset, NULL), 0);
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_DENIED);
	CHECK_EQ(on_path(judge, "/v/x", RF).result, RV_LIVE_ALLOWS);

	/* What it does not handle it allows everywhere. */
	CHECK_EQ(replace(judge, ruleset_of(HANDLED & ~WF, NET), NULL), 0);
	commit(judge);
	CHECK_EQ(on_path(judge, "/any/x", WF).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/any/x", RF).result, RV_DENIED);

	CHECK_EQ(replace(judge, ruleset_of(HANDLED | REEVE_FS_IOCTL_DEV, NET), NULL), -EINVAL);
	CHECK_EQ(replace(judge, ruleset_of(HANDLED & ~REEVE_FS_EXECUTE, NET), &err), -EOPNOTSUPP);
	CHECK(strstr(err.message, "execute") && err.hint[0]);
	CHECK_EQ(replace(judge, ruleset_of(HANDLED, 0), &err), -EOPNOTSUPP);
	CHECK(strstr(err.message, "net.connect_tcp") && err.hint[0]);
	/* A refused replacement stages nothing. */
	commit(judge);
	CHECK_EQ(on_path(judge, "/any/x", WF).result, RV_LIVE_ALLOWS);
	rv_judge_free(judge);
}

static void what_cannot_be_live(void)
{
	static const struct {
		struct reeve_rule rule;
		int want;
		const char *word;
	} cases[] = {
		{{.type = REEVE_RULE_NET_PORT, .allowed = NET, .port_first = 1, .port_last = 1},
			-EOPNOTSUPP, "connect_tcp"},
		{{.type = REEVE_RULE_NET_ADDRESS, .allowed = NET, .address = "any"}, -EOPNOTSUPP,
			"connect_tcp"},
		{{.type = REEVE_RULE_SOCKET, .allowed = 1}, -EINVAL, "create"},
		{{.type = REEVE_RULE_UNIX_SOCKET, .path = "/s", .allowed = REEVE_FS_RESOLVE_UNIX},
			-EOPNOTSUPP, "UNIX socket"},
		{{.type = REEVE_RULE_PATH_BENEATH, .path = "/x", .allowed = RF | REEVE_FS_EXECUTE},
			-EOPNOTSUPP, "execute"},
		{{.type = REEVE_RULE_PATH_BENEATH, .path = "/x", .allowed = REEVE_FS_RESOLVE_UNIX},
			-EOPNOTSUPP, "UNIX"},
		{{.type = REEVE_RULE_PATH_BENEATH, .path = "/x", .allowed = REEVE_FS_IOCTL_DEV},
			-EINVAL, "ioctl_dev"},
		{{.type = REEVE_RULE_PATH_BENEATH, .path = "/x/", .allowed = RF}, -EINVAL,
			"canonical"},
		{{.type = REEVE_RULE_PATH_BENEATH, .path = "/x"}, -ENOMSG, "allows nothing"},
		{{.type = 99, .path = "/x", .allowed = RF}, -EINVAL, "type"},
	};
	const struct reeve_rights none = {{0}};
	struct rv_judge *judge = new_judge();

	rv_judge_limit_live(judge, &none, false);
	for (size_t i = 0; i < RV_COUNT(cases); i++) {
		struct reeve_error err = {0};

		printf("# case %zu\n", i);
		CHECK_EQ(rv_judge_stage_add(judge, &cases[i].rule, NULL, &err), cases[i].want);
		CHECK(strstr(err.message, cases[i].word));
	}
	commit(judge);
	CHECK_EQ(count_rules(judge), 0);
	rv_judge_free(judge);
}

static void initial_rules_without_what_cannot_be_live(void)
{
	struct reeve_ruleset *live = ruleset_of(HANDLED, NET), *floor = new_floor();
	struct reeve_rule both = path_rule("/w", RF | REEVE_FS_EXECUTE);
	struct reeve_rule none = path_rule("/v", REEVE_FS_EXECUTE);
	struct rv_judge *judge = NULL;

	both.origin = "policy.toml:7";
	CHECK_EQ(reeve_ruleset_add(live, &both, NULL), 0);
	CHECK_EQ(reeve_ruleset_add(live, &none, NULL), 0);
	CHECK_EQ(rv_judge_new(floor, live, &judge), 0);
	reeve_ruleset_free(live);
	reeve_ruleset_free(floor);
	CHECK_STR(on_path(judge, "/w/x", RF).by, "policy.toml:7");
	CHECK_EQ(on_path(judge, "/w/x", REEVE_FS_EXECUTE).result, RV_DENIED);
	CHECK_EQ(count_rules(judge), 1);
	rv_judge_free(judge);
}

/* ---------------------------------------------------------------- once, and expiry */

static void once_is_for_one_request(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();
	struct rv_judgement first, second;
	uint64_t next;

	stage(judge, "/w", RF, &once);
	commit(judge);
	first = on_path(judge, "/w/x", RF);
	second = on_path(judge, "/w/x", RF);
	CHECK_EQ(first.result, RV_LIVE_ALLOWS);
	CHECK_EQ(second.result, RV_LIVE_ALLOWS);
	CHECK_EQ(first.ticket, second.ticket);
	CHECK(rv_judge_used(judge, &first));
	CHECK(!rv_judge_used(judge, &second));
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_DENIED);
	CHECK(!rv_judge_has_live(judge));
	CHECK_EQ(count_rules(judge), 0);
	CHECK_EQ(rv_judge_expire(judge, &next), 1);
	CHECK_EQ(rv_judge_expire(judge, &next), 0);
	rv_judge_free(judge);
}

static void once_is_spent_only_where_needed(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();
	struct rv_judgement j;

	stage(judge, "/w/x", RF, &once);
	stage(judge, "/w/x", WF, &once);
	stage(judge, "/w", RF, NULL);
	commit(judge);
	j = on_path(judge, "/w/x", RF);
	CHECK(rv_judge_used(judge, &j));
	CHECK_EQ(count_rules(judge), 3);
	j = on_path(judge, "/w/x", RF | WF);
	CHECK_EQ(j.ticket_count, 2);
	CHECK(rv_judge_used(judge, &j));
	CHECK_EQ(count_rules(judge), 2);
	rv_judge_free(judge);
}

/* Two rules granted once, one already spent: the other is not spent either. */
static void all_or_none_are_spent(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();
	struct rv_judgement both, read_only, again;

	stage(judge, "/w", RF, &once);
	stage(judge, "/w", WF, &once);
	commit(judge);
	both = on_path(judge, "/w/x", RF | WF);
	read_only = on_path(judge, "/w/x", RF);
	CHECK(rv_judge_used(judge, &read_only));
	CHECK(!rv_judge_used(judge, &both));
	again = on_path(judge, "/w/x", WF);
	CHECK_EQ(again.result, RV_LIVE_ALLOWS);
	CHECK(rv_judge_used(judge, &again));
	rv_judge_free(judge);
}

/* A rule that is changed by a commit stays the same rule. */
static void once_survives_commits_once(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct reeve_rule only_read = path_rule("/w", RF);
	struct rv_judge *judge = new_judge();
	struct rv_judgement before, after;

	stage(judge, "/w", RF | WF, &once);
	commit(judge);
	before = on_path(judge, "/w/x", RF);
	CHECK_EQ(rv_judge_stage_intersect(judge, &only_read, NULL), 0);
	CHECK(rv_judge_used(judge, &before)); /* while the change is staged */
	commit(judge);
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_DENIED);

	stage(judge, "/w", RF, &once);
	commit(judge);
	before = on_path(judge, "/w/x", RF);
	stage(judge, "/v", RF, NULL);
	commit(judge);
	after = on_path(judge, "/w/x", RF);
	CHECK(rv_judge_used(judge, &after));
	CHECK(!rv_judge_used(judge, &before));
	rv_judge_free(judge);
}

static void revoked_before_use(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();
	struct rv_judgement always, single;

	stage(judge, "/w", RF, NULL);
	stage(judge, "/v", RF, &once);
	commit(judge);
	always = on_path(judge, "/w/x", RF);
	single = on_path(judge, "/v/x", RF);
	CHECK_EQ(rv_judge_stage_clear(judge), 0);
	commit(judge);
	CHECK(rv_judge_used(judge, &always)); /* it was judged before */
	CHECK(!rv_judge_used(judge, &single));
	rv_judge_free(judge);
}

static void joined_judgements(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();
	struct rv_judgement made, opened, again;

	stage(judge, "/w", REEVE_FS_MAKE_REG | WF, &once);
	commit(judge);
	made = on_path(judge, "/w", REEVE_FS_MAKE_REG);
	opened = again = on_path(judge, "/w/x", WF);
	CHECK_EQ(made.ticket, opened.ticket);
	CHECK(rv_judgement_join(&made, &opened));
	CHECK_EQ(made.ticket_count, 1);
	CHECK(rv_judge_used(judge, &made));
	CHECK(!rv_judge_used(judge, &again));
	rv_judge_free(judge);
}

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void expiry(void)
{
	struct reeve_live_options soon = {.size = sizeof(soon), .milliseconds = 30};
	struct reeve_live_options later = {.size = sizeof(later), .milliseconds = 3600000};
	struct rv_judge *judge = new_judge();
	uint64_t next = 1, before;

	CHECK_EQ(rv_judge_expire(judge, &next), 0);
	CHECK_EQ(next, 0);
	before = monotonic_ms();
	stage(judge, "/w", RF, &soon);
	stage(judge, "/v", RF, &later);
	commit(judge);
	rv_judge_expire(judge, &next);
	CHECK(next >= before && next <= monotonic_ms() + 30);
	while (on_path(judge, "/w/x", RF).result == RV_LIVE_ALLOWS)
		;
	CHECK(monotonic_ms() + 1 >= before + 30);
	CHECK_EQ(count_rules(judge), 1);
	rv_judge_expire(judge, &next);
	CHECK(next > before + 3000000 && next <= monotonic_ms() + 3600000);
	CHECK_EQ(on_path(judge, "/v/x", RF).result, RV_LIVE_ALLOWS);
	CHECK(rv_judge_has_live(judge));
	rv_judge_free(judge);
}

/* Also without rv_judge_expire() having been called. */
static void has_live_ends_with_the_last_rule(void)
{
	struct reeve_live_options soon = {.size = sizeof(soon), .milliseconds = 5};
	struct rv_judge *judge = new_judge();

	stage(judge, "/w", RF, &soon);
	commit(judge);
	while (rv_judge_has_live(judge))
		;
	CHECK_EQ(on_path(judge, "/w/x", RF).result, RV_DENIED);
	rv_judge_free(judge);
}

/* ----------------------------------------------------------------------- listing */

static int keep_first(void *data, const struct reeve_live_rule *rule)
{
	struct reeve_live_rule *first = data;

	*first = *rule;
	CHECK_STR(rule->rule.path, "/w");
	CHECK_STR(rule->rule.origin, "--ro /w");
	CHECK_STR(rule->by, "alice");
	return 42;
}

static void ending(void)
{
	struct rv_judge *judge = new_judge();
	struct rv_judgement before;

	CHECK(!rv_judge_has_ended(judge));
	stage(judge, "/a", RF, NULL);
	commit(judge);
	before = on_path(judge, "/a/f", RF);
	CHECK_EQ(before.result, RV_LIVE_ALLOWS);
	stage(judge, "/a", WF, NULL);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(rv_judge_end(judge), 0);
	CHECK(rv_judge_has_ended(judge) && !rv_judge_has_live(judge));
	CHECK(!rv_judge_used(judge, &before));
	CHECK_EQ(on_path(judge, "/a/f", RF).result, RV_DENIED);
	/* Whatever was staged, or is from now on. */
	CHECK_EQ(rv_judge_commit(judge, NULL), 0);
	stage(judge, "/a", RF, NULL);
	CHECK(rv_judge_commit(judge, NULL) < 0);
	CHECK_EQ(on_path(judge, "/a/f", RF).result, RV_DENIED);
	rv_judge_free(judge);
}

static void listing(void)
{
	struct reeve_live_options options = {
		.size = sizeof(options), .by = "alice", .milliseconds = 3600000};
	struct reeve_rule rule = path_rule("/w", RF);
	struct rv_judge *judge = new_judge();
	struct reeve_live_rule first;
	struct rv_judgement j;
	time_t now = time(NULL);

	rule.origin = "--ro /w";
	CHECK_EQ(rv_judge_stage_add(judge, &rule, &options, NULL), 0);
	stage(judge, "/v", RF, NULL);
	commit(judge);
	j = on_path(judge, "/w/x", RF);
	CHECK_STR(j.by, "--ro /w");
	CHECK(rv_judge_used(judge, &j));
	CHECK(rv_judge_used(judge, &j));
	CHECK_EQ(rv_judge_rules(judge, keep_first, &first), 42);
	CHECK_EQ(first.rule.type, REEVE_RULE_PATH_BENEATH);
	CHECK_EQ(first.rule.flags, REEVE_RULE_LIVE);
	CHECK_EQ(first.rule.allowed, RF);
	CHECK_EQ(first.uses, 2);
	CHECK(!first.once);
	CHECK(first.since.tv_sec >= now);
	CHECK(first.milliseconds_left > 3000000 && first.milliseconds_left <= 3600000);
	rv_judge_free(judge);
}

/* Paths and origins are kept in pieces that rules share; what is told is what was said. */
static const struct said {
	const char *path, *origin;
	uint64_t allowed;
} said[] = {
	{"/", "a.toml:1", RF},
	{"/a", "a.toml:2", WF},
	{"/a/b", "a.toml:02", RF | WF},
	{"/a/c", "a.toml:1234567890", RF},
	{"/a/b/c", "--ro", RF},
	{"/a/b/cc", NULL, TR},
	{"/b/c", "b:7:c", RF},
	{"/a/b", ":9", TR},
	{"/a/b/c", "b.toml:999999999", WF},
};

static int compare_said(void *data, const struct reeve_live_rule *rule)
{
	const struct said **next = data, *is = (*next)++;

	CHECK_STR(rule->rule.path, is->path);
	CHECK_EQ(rule->rule.origin != NULL, is->origin != NULL);
	if (is->origin)
		CHECK_STR(rule->rule.origin, is->origin);
	CHECK_EQ(rule->rule.allowed, is->allowed);
	CHECK(!rule->by);
	return 0;
}

static void allowed_by(struct rv_judge *judge, const char *path, uint64_t access, const char *by)
{
	struct rv_judgement j = on_path(judge, path, access);

	CHECK_EQ(j.result, RV_LIVE_ALLOWS);
	CHECK_STR(j.by, by);
}

static void listing_initial(void)
{
	struct reeve_ruleset *live = ruleset_of(HANDLED, NET), *floor = new_floor();
	const struct said *next = said;
	struct rv_judge *judge = NULL;

	for (size_t i = 0; i < RV_COUNT(said); i++) {
		struct reeve_rule rule = path_rule(said[i].path, said[i].allowed);

		rule.origin = said[i].origin;
		CHECK_EQ(reeve_ruleset_add(live, &rule, NULL), 0);
	}
	CHECK_EQ(rv_judge_new(floor, live, &judge), 0);
	reeve_ruleset_free(live);
	reeve_ruleset_free(floor);
	CHECK_EQ(rv_judge_rules(judge, compare_said, &next), 0);
	CHECK_EQ(next - said, (int)RV_COUNT(said));
	CHECK_EQ(on_path(judge, "/a/b/d", RF | WF | TR).result, RV_LIVE_ALLOWS);
	CHECK_EQ(on_path(judge, "/a/bc", TR).result, RV_DENIED);
	allowed_by(judge, "/a/b/cc", TR, "live rule");
	allowed_by(judge, "/a/b", TR, ":9");
	allowed_by(judge, "/etc", RF, "a.toml:1");
	rv_judge_free(judge);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"the floor, a live rule, or nobody", floor_live_or_nobody},
		{"floor and live rules add up", floor_and_live_add_up},
		{"live denials take away live grants only", denials_take_away_live_grants_only},
		{"quiet, of the floor and live", quiet_of_floor_and_live},
		{"revoke", revoking},
		{"intersect", intersecting},
		{"clear, and commits of nothing", clearing},
		{"replace", replacing},
		{"what cannot be live is refused with a reason", what_cannot_be_live},
		{"initial rules, less what cannot be live",
			initial_rules_without_what_cannot_be_live},
		{"once is for one request", once_is_for_one_request},
		{"once is spent only where it is needed", once_is_spent_only_where_needed},
		{"all rules that are needed once are spent, or none", all_or_none_are_spent},
		{"once stays once over commits", once_survives_commits_once},
		{"revoked between judging and using", revoked_before_use},
		{"two judgements of one request", joined_judgements},
		{"rules expire", expiry},
		{"no live rule after the last expired", has_live_ends_with_the_last_rule},
		{"no live rule once they have ended", ending},
		{"rules are listed with what is known of them", listing},
		{"initial rules are listed as they were said", listing_initial},
	};

	return tap_run(cases, RV_COUNT(cases));
}
