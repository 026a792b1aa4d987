/* SPDX-License-Identifier: MIT */
/* Rulesets: what may be added, what comes back, and the path index. */
#include <limits.h>
#include "model/ruleset.h"
#include "tap.h"

static const struct reeve_rights all = {{0x1ffff, 15, 1, 7}};

static struct reeve_ruleset *new_ruleset(const struct reeve_rights *handled)
{
	struct reeve_ruleset *ruleset = NULL;

	CHECK_EQ(reeve_ruleset_new(handled, &ruleset), 0);
	return ruleset;
}

static struct reeve_rule path_rule(const char *path, uint64_t allowed)
{
	return (struct reeve_rule){
		.type = REEVE_RULE_PATH_BENEATH, .path = path, .allowed = allowed};
}

#define PATH(...)                                                                                  \
	{                                                                                          \
		.type = REEVE_RULE_PATH_BENEATH, .allowed = 1, .path = "/a", __VA_ARGS__           \
	}
#define PORT(...)                                                                                  \
	{                                                                                          \
		.type = REEVE_RULE_NET_PORT, .allowed = 1, __VA_ARGS__                             \
	}
#define ADDRESS(...)                                                                               \
	{                                                                                          \
		.type = REEVE_RULE_NET_ADDRESS, .allowed = 1, .address = "any", __VA_ARGS__        \
	}
#define SOCKET(...)                                                                                \
	{                                                                                          \
		.type = REEVE_RULE_SOCKET, .allowed = 1, __VA_ARGS__                               \
	}
#define UNIX(...)                                                                                  \
	{                                                                                          \
		.type = REEVE_RULE_UNIX_SOCKET, .allowed = REEVE_FS_RESOLVE_UNIX, .path = "/a",    \
		__VA_ARGS__                                                                        \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
static void errors_of_add(void)
{
	static const struct {
		struct reeve_rule rule;
		int error;
	} cases[] = {
		{PATH(.path = "/"), 0},
		{PATH(.path = "/a/..b/.c/d."), 0},
		{PATH(.path = ""), -EINVAL},
		{PATH(.path = NULL), -EINVAL},
		{PATH(.path = "a"), -EINVAL},
		{PATH(.path = "//"), -EINVAL},
		{PATH(.path = "/a/"), -EINVAL},
		{PATH(.path = "/a//b"), -EINVAL},
		{PATH(.path = "/./a"), -EINVAL},
		{PATH(.path = "/a/.."), -EINVAL},
		{PATH(.allowed = UINT64_C(1) << 17), -EINVAL},
		{PATH(.quiet = UINT64_C(1) << 17), -EINVAL},
		{PATH(.allowed = 0), -ENOMSG},
		{PATH(.allowed = 0, .quiet = 1), 0},
		{PATH(.allowed = 0, .flags = REEVE_RULE_DENY), 0},
		{PATH(.flags = 8), -EINVAL},
		{PATH(.type = 0), -EINVAL},
		{PATH(.type = 6), -EINVAL},
		{PORT(.port_first = 0, .port_last = 65535), 0},
		{PORT(.port_first = 2, .port_last = 1), -EINVAL},
		{PORT(.allowed = 16), -EINVAL},
		{PORT(.allowed = 0), -ENOMSG},
		{PORT(.flags = REEVE_RULE_DENY), -EINVAL},
		{ADDRESS(.port_last = 1), 0},
		{ADDRESS(.port_first = 2, .port_last = 1), -EINVAL},
		{ADDRESS(.address = "10.0.0.1/8"), -EINVAL},
		{ADDRESS(.address = NULL), -EINVAL},
		{SOCKET(.socket_family = 254, .socket_type = 254, .socket_protocol = 65534), 0},
		{SOCKET(.socket_type = REEVE_SOCKET_ANY, .socket_protocol = REEVE_SOCKET_ANY), 0},
		{SOCKET(.socket_family = REEVE_SOCKET_ANY), -EINVAL},
		{SOCKET(.socket_family = 255), -EINVAL},
		{SOCKET(.socket_type = 255), -EINVAL},
		{SOCKET(.socket_type = -2), -EINVAL},
		{SOCKET(.socket_protocol = 65535), -EINVAL},
		{UNIX(.path = "/run/x"), 0},
		{UNIX(.allowed = REEVE_FS_READ_FILE), -EINVAL},
		{UNIX(.path = "x"), -EINVAL},
	};
	struct reeve_ruleset *ruleset = new_ruleset(&all);
	size_t added = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reeve_error err = {0};
		int ret = reeve_ruleset_add(ruleset, &cases[i].rule, &err);

		if (ret != cases[i].error)
			printf("# case %zu: %s\n", i, err.message);
		CHECK_EQ(ret, cases[i].error);
		CHECK_EQ(err.code, ret);
		CHECK_EQ(err.message[0] != 0, ret != 0);
		added += ret == 0;
		CHECK_EQ(reeve_ruleset_count(ruleset), added);
	}
	reeve_ruleset_free(ruleset);
}
#pragma GCC diagnostic pop

static void long_paths(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(&all);
	char path[PATH_MAX + 1];
	struct reeve_rule rule = path_rule(path, 1);

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[PATH_MAX] = '\0';
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), -ENAMETOOLONG);
	path[PATH_MAX - 1] = '\0';
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	reeve_ruleset_free(ruleset);
}

/* A UNIX socket rule is an exception from a scope, or a grant of a right. */
static void unix_rules_need_a_reason(void)
{
	static const struct reeve_rights scoped = {{0, 0, 0, REEVE_SCOPE_PATHNAME_UNIX_SOCKET}};
	static const struct reeve_rights right = {{REEVE_FS_RESOLVE_UNIX, 0, 0, 0}};
	static const struct reeve_rights neither = {{1, 0, 0, REEVE_SCOPE_SIGNAL}};
	const struct reeve_rule rule = UNIX(.origin = NULL);
	struct reeve_ruleset *ruleset = new_ruleset(&scoped);

	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	reeve_ruleset_free(ruleset);
	ruleset = new_ruleset(&right);
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	reeve_ruleset_free(ruleset);
	ruleset = new_ruleset(&neither);
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), -EINVAL);
	reeve_ruleset_free(ruleset);
}

static void unknown_bits_are_refused(void)
{
	struct reeve_ruleset *ruleset = NULL;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++) {
		struct reeve_rights handled = {{0}};

		handled.of[cls] = UINT64_C(1) << 63;
		CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), -EINVAL);
		CHECK(!ruleset);
	}
}

static void rules_come_back_as_they_were(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(&all);
	char path[] = "/a", origin[] = "x.toml:7", address[] = "10.0.0.0/8";
	struct reeve_rule rule = path_rule(path, 6), got;

	rule.origin = origin;
	rule.address = address; /* not of this type: ignored */
	rule.port_first = 9;
	rule.flags = REEVE_RULE_LIVE | REEVE_RULE_OPTIONAL;
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	rule = (struct reeve_rule){.type = REEVE_RULE_NET_ADDRESS,
		.allowed = 2,
		.address = address,
		.port_first = 1,
		.port_last = 2,
		.path = path};
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	path[1] = origin[0] = address[0] = '!';

	CHECK_EQ(reeve_ruleset_at(ruleset, 0, &got), 0);
	CHECK_STR(got.path, "/a");
	CHECK_STR(got.origin, "x.toml:7");
	CHECK(!got.address && got.port_first == 0 && got.allowed == 6 && got.flags == 3);
	CHECK_EQ(reeve_ruleset_at(ruleset, 1, &got), 0);
	CHECK_STR(got.address, "10.0.0.0/8");
	CHECK(!got.path && !got.origin && got.port_first == 1 && got.port_last == 2);
	CHECK_EQ(reeve_ruleset_at(ruleset, 2, &got), -ENOENT);
	CHECK_STR(got.address, "10.0.0.0/8");
	reeve_ruleset_free(reeve_ruleset_ref(ruleset));
	CHECK_EQ(reeve_ruleset_count(ruleset), 2);
	reeve_ruleset_free(ruleset);
	reeve_ruleset_free(NULL);
	CHECK(!reeve_ruleset_ref(NULL));
}

/* ------------------------------------------------------------------ the index */

static int note(void *data, const struct reeve_rule *rule)
{
	char *seen = data;

	strcat(strcat(seen, rule->origin), " ");
	return strcmp(rule->origin, "stop") == 0 ? 42 : 0;
}

static void matching_goes_up_in_order(void)
{
	static const struct {
		const char *path, *origin;
	} rules[] = {{"/", "root"}, {"/a/b", "1"}, {"/a", "up"}, {"/a/bc", "no"}, {"/a/b", "2"},
		{"/a/b/c", "deep"}, {"/b", "no"}, {"/s", "stop"}};
	struct reeve_ruleset *ruleset = new_ruleset(&all);
	char seen[256] = "";

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct reeve_rule rule = path_rule(rules[i].path, 1);

		rule.origin = rules[i].origin;
		CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	}
	CHECK_EQ(reeve_ruleset_match_path(ruleset, "/a/b/c/d", note, seen), 0);
	CHECK_STR(seen, "deep 1 2 up root ");
	seen[0] = '\0';
	CHECK_EQ(reeve_ruleset_match_path(ruleset, "/a/b", note, seen), 0);
	CHECK_STR(seen, "1 2 up root ");
	seen[0] = '\0';
	CHECK_EQ(reeve_ruleset_match_path(ruleset, "/", note, seen), 0);
	CHECK_STR(seen, "root ");
	seen[0] = '\0';
	CHECK_EQ(reeve_ruleset_match_path(ruleset, "/s/x", note, seen), 42);
	CHECK_STR(seen, "stop ");
	reeve_ruleset_free(ruleset);
}

/* How many slots a look-up of this path looks at. */
static size_t probes(const struct rv_path_index *index, const struct rv_path_walk *walk)
{
	size_t mask = index->slot_count - 1, i = (walk->hash ^ walk->hash >> 32) & mask, n = 1;

	for (; index->slots[i] &&
		&index->nodes[index->slots[i] - 1] != rv_path_walk_node(walk, index);
		i = (i + 1) & mask)
		n++;
	return n;
}

/* Cost by depth: few slots are looked at for each directory, however many rules there are. */
static void look_ups_cost_the_depth(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(&all);
	size_t total = 0, steps = 0;
	char path[64];

	for (int i = 0; i < 50000; i++) {
		struct reeve_rule rule = path_rule(path, 1);

		snprintf(path, sizeof(path), "/srv/d%d/project-%d/src", i % 100, i);
		CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
	}
	for (int i = 0; i < 50000; i++) {
		struct rv_path_walk walk;

		snprintf(path, sizeof(path), "/srv/d%d/project-%d/src/file.c", i % 100, i);
		walk = rv_path_walk_begin(path, strlen(path));
		for (; walk.length; rv_path_walk_up(&walk), steps++)
			total += probes(&ruleset->paths, &walk);
	}
	CHECK_EQ(steps, 50000 * 6);
	CHECK(total < steps * 2);
	reeve_ruleset_free(ruleset);
}

static void walks_undo_the_hash(void)
{
	static const char path[] = "/a/\xff b/c.\x01/dddd";
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));
	size_t lengths[] = {15, 10, 5, 2, 1, 0};

	lengths[0] = strlen(path);
	lengths[1] = strlen(path) - 5;
	lengths[2] = strlen(path) - 9;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct rv_path_walk fresh = rv_path_walk_begin(path, lengths[i]);

		CHECK_EQ(walk.length, lengths[i]);
		CHECK(walk.hash == fresh.hash);
		rv_path_walk_up(&walk);
	}
	CHECK_EQ(walk.length, 0);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"errors of reeve_ruleset_add()", errors_of_add},
		{"the longest path", long_paths},
		{"UNIX socket rules need a scope or a right", unix_rules_need_a_reason},
		{"unknown bits are refused", unknown_bits_are_refused},
		{"rules come back as they were", rules_come_back_as_they_were},
		{"matching goes up, in order of addition", matching_goes_up_in_order},
		{"a look-up costs the depth of the path", look_ups_cost_the_depth},
		{"a walk undoes the hash", walks_undo_the_hash},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
