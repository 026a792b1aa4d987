/* SPDX-License-Identifier: MIT */
/*
 * What the functions that start and steer a domain say to wrong arguments, and in which order where
 * several things are wrong: what nobody can have here, then what is over, then what was asked.
 */
#include "embed.h"
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#define READ REEVE_FS_READ_FILE

static char *const waiting[] = {(char *)"/bin/sh", (char *)"-c", (char *)"read x <&0", NULL};

static struct reeve_plan *plan_without_traps(void)
{
	struct reeve_supervised_plan_options options = {.size = sizeof(options), .no_events = true};
	struct reeve_policy *policy = policy_in_code();
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	if (reeve_plan_new_supervised(policy, NULL, &options, &plan, &err))
		SKIP("landlock: no program can be supervised here");
	reeve_policy_free(policy);
	return plan;
}

/* A program that waits until its standard input ends, and that end. */
static struct reeve_supervisor *start(struct reeve_plan *plan, int *ret_input)
{
	struct reeve_fd_map in = {-1, 0};
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = &in, .fds_count = 1};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .exec = &exec};
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};
	int ends[2];

	CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0);
	in.from = ends[0];
	if (reeve_supervisor_start(plan, waiting, &options, &supervisor, &err)) {
		printf("# %s\n", err.message);
		CHECK(!"started");
	}
	close(ends[0]);
	*ret_input = ends[1];
	return supervisor;
}

/* ------------------------------------------------------------------------ one rule */

static char long_path[PATH_MAX + 2];

static const struct {
	const char *what;
	struct reeve_rule rule;
	int add, take; /* what staging it says, and taking it away */
	bool once;
} rules[] = {
	{"a port of nothing", {.type = REEVE_RULE_NET_PORT}, -ENOMSG, 0, 0},
	{"ports the wrong way round", {.type = REEVE_RULE_NET_PORT, .port_first = 1}, -EINVAL,
		-EINVAL, 0},
	{"no address", {.type = REEVE_RULE_NET_ADDRESS}, -EINVAL, -EINVAL, 0},
	{"a socket out of range", {.type = REEVE_RULE_SOCKET, .socket_family = -5}, -EINVAL,
		-EINVAL, 0},
	{"no such type", {.type = (enum reeve_rule_type)99, .path = "x"}, -EINVAL, -EINVAL, 0},
	{"no path, before flags", {.type = REEVE_RULE_PATH_BENEATH, .flags = 1u << 20}, -EINVAL,
		-EINVAL, 0},
	{"a relative path", {.type = REEVE_RULE_PATH_BENEATH, .path = "a", .allowed = READ},
		-EINVAL, -EINVAL, 0},
	{"a path that is no canonical one",
		{.type = REEVE_RULE_PATH_BENEATH, .path = "/a/../b", .allowed = READ}, -EINVAL,
		-EINVAL, 0},
	{"a long path, before what it allows",
		{.type = REEVE_RULE_PATH_BENEATH, .path = long_path, .allowed = UINT64_C(1) << 60},
		-ENAMETOOLONG, -ENAMETOOLONG, 0},
	{"unknown flags, before what it allows",
		{.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .flags = 1u << 20}, -EINVAL,
		-EINVAL, 0},
	{"a right that is not handled, before execute",
		{.type = REEVE_RULE_PATH_BENEATH,
			.path = "/a",
			.allowed = REEVE_FS_IOCTL_DEV | REEVE_FS_EXECUTE},
		-EINVAL, 0, 0},
	{"nothing", {.type = REEVE_RULE_PATH_BENEATH, .path = "/a"}, -ENOMSG, 0, 0},
	{"execute",
		{.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = READ | REEVE_FS_EXECUTE},
		-EOPNOTSUPP, 0, 0},
	{"a denial for one request",
		{.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .flags = REEVE_RULE_DENY}, -EINVAL,
		0, true},
	{"a rule", {.type = REEVE_RULE_PATH_BENEATH, .path = "/a/none", .allowed = READ}, 0, 0, 0},
};

static void check(int got, int want, const char *what, const char *how)
{
	if (got != want)
		printf("# %s: %s\n", how, what);
	CHECK_EQ(got, want);
}

/* `all`: what every call says, whatever its rule; 1: what is in the table. */
static void try_rules(struct reeve_supervisor *s, int all)
{
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct reeve_live_options options = {
			.size = sizeof(options), .once = rules[i].once};
		struct reeve_error err = {0};
		int add = all == 1 ? rules[i].add : all, take = all == 1 ? rules[i].take : all;

		check(reeve_supervisor_stage_intersect(s, &rules[i].rule, &err), take,
			rules[i].what, "intersect");
		check(reeve_supervisor_stage_revoke(s, &rules[i].rule, &err), take, rules[i].what,
			"revoke");
		err = (struct reeve_error){0};
		check(reeve_supervisor_stage_add(s, &rules[i].rule, &options, &err), add,
			rules[i].what, "add");
		CHECK_EQ(err.code, add);
		CHECK(!add == !err.message[0]);
	}
}

static int count(void *data, const struct reeve_live_rule *rule)
{
	(void)rule;
	++*(int *)data;
	return 0;
}

static void live_rules(void)
{
	struct reeve_plan *plan = supervised_plan();
	int input, staged = 0;
	struct reeve_supervisor *s = start(plan, &input);

	try_rules(s, 1);
	CHECK_EQ(reeve_supervisor_commit(s, "test", NULL), 0);
	CHECK_EQ(reeve_supervisor_rules(s, count, &staged), 0);
	CHECK_EQ(staged, 1); /* what was refused was not staged by half */
	/* What is over comes before what is wrong. */
	close(input);
	CHECK(reeve_supervisor_wait(s, 0, NULL) > 0);
	CHECK(reeve_supervisor_wait(s, 0, NULL) > 0); /* known from now on */
	try_rules(s, -EPIPE);
	CHECK_EQ(reeve_supervisor_stage_clear(s), -EPIPE);
	CHECK_EQ(reeve_supervisor_commit(s, NULL, NULL), -EPIPE);
	reeve_supervisor_end(s);
	reeve_plan_free(plan);
}

/* A domain that traps nothing: no live rule, nobody to ask; before all else that is wrong. */
static void without_traps(void)
{
	struct reeve_plan *plan = plan_without_traps();
	struct reeve_approver nobody = {.size = sizeof(nobody)};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .approver = &nobody};
	char *const absent[] = {(char *)"no-such-program", NULL};
	struct reeve_supervisor *s, *none = NULL;
	struct reeve_error err = {0};
	int input;

	s = start(plan, &input);
	try_rules(s, -EOPNOTSUPP);
	CHECK_EQ(reeve_supervisor_stage_clear(s), -EOPNOTSUPP);
	CHECK_EQ(reeve_supervisor_commit(s, NULL, &err), -EOPNOTSUPP);
	CHECK_EQ(reeve_supervisor_ask(s, &nobody, &err), -EOPNOTSUPP);
	close(input);
	CHECK(reeve_supervisor_wait(s, 0, NULL) > 0);
	try_rules(s, -EOPNOTSUPP);
	reeve_supervisor_end(s);
	CHECK_EQ(reeve_supervisor_start(plan, absent, &options, &none, &err), -ENOENT);
	CHECK_EQ(reeve_supervisor_start(plan, waiting, &options, &none, &err), -EOPNOTSUPP);
	CHECK(!none);
	reeve_plan_free(plan);
}

/* ----------------------------------------------------------------------- questions */

static void answers(void)
{
	static const struct {
		const char *json;
		int error;
	} table[] = {
		{"", -EINVAL},
		{"[]", -EINVAL},
		{"{\"question\": 5}", -EINVAL},
		{"{\"question\": \"5\", \"answer\": \"allow\"}", -EINVAL},
		{"{\"question\": 5, \"answer\": \"perhaps\"}", -EINVAL},
		{"{\"question\": 5, \"answer\": \"allow\", \"scope\": \"all\"}", -EINVAL},
		{"{\"question\": 5, \"answer\": \"allow\", \"save\": true}", -EOPNOTSUPP},
		{"{\"question\": 5, \"answer\": \"allow\"}", -ENOENT},
		{"{\"question\": 5, \"answer\": \"deny\"}", -ENOENT},
	};
	struct reeve_answer answer = {.size = sizeof(answer), .allow = true};
	struct reeve_plan *plan = supervised_plan();
	struct reeve_error err = {0};
	int input;
	struct reeve_supervisor *s = start(plan, &input);

	for (size_t i = 0; i < COUNT(table); i++)
		check(reeve_supervisor_answer_json(s, table[i].json, NULL, NULL, &err),
			table[i].error, table[i].json, "answer");
	CHECK_EQ(reeve_supervisor_answer(s, 1, &answer, &err), -ENOENT);
	reeve_supervisor_unsubscribe(s, 77);
	reeve_supervisor_ask_end(s, 77);
	close(input);
	CHECK(reeve_supervisor_wait(s, 0, NULL) > 0);
	CHECK_EQ(reeve_supervisor_answer(s, 1, &answer, &err), -ENOENT);
	reeve_supervisor_end(s);
	reeve_plan_free(plan);
}

/* --------------------------------------------------------------------------- plans */

static void plans(void)
{
	struct reeve_plan *in_place = plan_in_code(), *supervised = supervised_plan(), *none = NULL;
	const struct reeve_supervised_plan_options record = {.size = sizeof(record),
							   .no_events = true,
							   .record = true},
						   permissive = {.size = sizeof(permissive),
							   .no_events = true,
							   .permissive = true};
	struct reeve_policy *unresolved, *resolved = policy_in_code();
	struct reeve_error err = {0};

	CHECK_EQ(reeve_policy_new(&unresolved), 0);
	CHECK_EQ(reeve_plan_new(unresolved, NULL, &none, &err), -EINVAL);
	CHECK_EQ(reeve_plan_new_supervised(unresolved, NULL, NULL, &none, &err), -EINVAL);
	CHECK_EQ(reeve_plan_describe(unresolved, NULL, &none, &err), -EINVAL);
	CHECK_EQ(reeve_plan_new_supervised(resolved, NULL, &record, &none, &err), -EINVAL);
	CHECK(strstr(err.message, "record"));
	CHECK_EQ(reeve_plan_new_supervised(resolved, NULL, &permissive, &none, &err), -EINVAL);
	CHECK(strstr(err.message, "permissive"));
	CHECK(!none);
	CHECK_EQ(reeve_plan_restrict(supervised, 0, &err), -EINVAL);
	CHECK_EQ(reeve_plan_restrict(in_place, 1u << 30, &err), -EINVAL);
	CHECK_EQ(reeve_plan_exec(supervised, waiting, NULL, &err), -EINVAL);
	CHECK_EQ(reeve_plan_spawn(supervised, waiting, NULL, NULL, &err), -EINVAL);
	/* Nothing was restricted meanwhile. */
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	reeve_policy_free(unresolved);
	reeve_policy_free(resolved);
	reeve_plan_free(in_place);
	reeve_plan_free(supervised);
	reeve_plan_free(NULL);
	reeve_supervisor_end(NULL);
	reeve_event_queue_free(NULL);
}

/* --------------------------------------------------------------------------- sizes */

static char *const ending[] = {(char *)"/bin/true", NULL};

/* What a caller with this size says to every function that takes such a struct, all else zero. */
static void try_size(size_t size, int want)
{
	static _Alignas(max_align_t) char given[4096 + 64];
	const struct reeve_rule rule = {
		.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = REEVE_FS_READ_FILE};
	struct reeve_spawn_options spawn = {.size = sizeof(spawn), .exec = (void *)given};
	struct reeve_plan *in_place = plan_in_code(), *supervised = supervised_plan(), *plan = NULL;
	struct reeve_policy *policy;
	struct reeve_supervisor *s;
	int input;

	memcpy(given, &size, sizeof(size));
	CHECK_EQ(reeve_policy_new(&policy), 0);
	check(reeve_plan_new_supervised(policy, NULL, (void *)given, &plan, NULL), -EINVAL,
		"supervised plan", "size");
	check(reeve_plan_spawn(in_place, ending, (void *)given, NULL, NULL) > 0 ? 0 : -EINVAL, want,
		"spawn", "size");
	check(reeve_plan_spawn(in_place, ending, &spawn, NULL, NULL) > 0 ? 0 : -EINVAL, want,
		"exec", "size");
	s = NULL;
	check(reeve_supervisor_start(supervised, ending, (void *)given, &s, NULL), want, "start",
		"size");
	reeve_supervisor_end(s);
	s = start(supervised, &input);
	check(reeve_supervisor_stage_add(s, &rule, (void *)given, NULL), want, "live", "size");
	check(reeve_supervisor_grant(s, &rule, 1, (void *)given, NULL), want, "grant", "size");
	check(reeve_supervisor_ask(s, (void *)given, NULL), want ? want : 1, "approver", "size");
	check(reeve_supervisor_answer(s, 1, (void *)given, NULL), want ? want : -ENOENT, "answer",
		"size");
	close(input);
	reeve_supervisor_end(s);
	reeve_policy_free(policy);
	reeve_plan_free(in_place);
	reeve_plan_free(supervised);
}

static void sizes(void)
{
	try_size(0, -EINVAL); /* forgotten: what was set would count for nothing */
	try_size(sizeof(size_t) - 1, -EINVAL);
	try_size(sizeof(size_t), 0); /* of an older version */
	try_size(4096, 0);	     /* of a newer one, which asks for nothing new */
	try_size(4097, -EINVAL);
	try_size(SIZE_MAX, -EINVAL);
}

/* A newer program that asks for what this library lacks. */
static void unknown_options(void)
{
	struct {
		struct reeve_live_options known;
		uint64_t unknown;
	} options = {.known.size = sizeof(options), .unknown = 1};
	const struct reeve_rule rule = {
		.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = REEVE_FS_READ_FILE};
	struct reeve_plan *plan = supervised_plan();
	struct reeve_error err = {0};
	int input;
	struct reeve_supervisor *s = start(plan, &input);

	CHECK_EQ(reeve_supervisor_stage_add(s, &rule, &options.known, &err), -EINVAL);
	CHECK(strstr(err.message, "lacks"));
	options.unknown = 0;
	CHECK_EQ(reeve_supervisor_stage_add(s, &rule, &options.known, &err), 0);
	CHECK_EQ(reeve_supervisor_grant(s, &rule, 1, NULL, &err), 0);
	CHECK_EQ(reeve_supervisor_commit(s, NULL, &err), 0);
	close(input);
	reeve_supervisor_end(s);
	reeve_plan_free(plan);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"plans", plans},
		{"live rules", live_rules},
		{"a domain that traps nothing", without_traps},
		{"answers", answers},
		{"structs of every size", sizes},
		{"options that are not known here", unknown_options},
	};

	become_user(argc, argv);
	return tap_run(cases, COUNT(cases));
}
