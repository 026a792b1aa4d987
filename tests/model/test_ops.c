/* SPDX-License-Identifier: MIT */
/*
 * Union and intersection, against what they mean: a right is allowed by the union where either side
 * allows it, by the intersection where both do. Random rulesets, every object, every right.
 * REEVE_SEED makes others.
 */
#include <reeve/domain.h>
#include "prop.h"
#include "tap.h"

#define ROUNDS 1500

static const char *const paths[] = {"/", "/a", "/a/b", "/a/b/c", "/a/bc", "/d", "/d/e", "/f"};
#define PATHS (sizeof(paths) / sizeof(paths[0]))
static const uint16_t ports[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65534, 65535};
#define PORTS (sizeof(ports) / sizeof(ports[0]))

static uint64_t some(struct prop_random *random, uint64_t of)
{
	return prop_chance(random, 30) ? of : of & prop_next(random) & prop_next(random);
}

static struct reeve_rule random_rule(struct prop_random *random, const struct reeve_rights *handled)
{
	static const enum reeve_rule_type types[] = {REEVE_RULE_PATH_BENEATH,
		REEVE_RULE_PATH_BENEATH, REEVE_RULE_NET_PORT, REEVE_RULE_SOCKET};
	struct reeve_rule rule = {.type = types[prop_below(random, 4)]};

	rule.allowed = some(random, handled->of[reeve_rule_class(rule.type)]);
	rule.quiet = some(random, handled->of[reeve_rule_class(rule.type)]);
	rule.path = paths[prop_below(random, PATHS)];
	rule.port_first = ports[prop_below(random, PORTS)];
	rule.port_last = ports[prop_below(random, PORTS)];
	if (rule.port_last < rule.port_first)
		rule.port_last = rule.port_first;
	rule.socket_family = (int)prop_below(random, 2);
	rule.socket_type = (int)prop_below(random, 3) - 1;
	rule.socket_protocol = (int)prop_below(random, 3) - 1;
	return rule;
}

static struct reeve_ruleset *random_ruleset(struct prop_random *random)
{
	static const struct reeve_rights all = {{0x1ffff, 15, 1, 7}};
	struct reeve_rights handled;
	struct reeve_ruleset *ruleset = NULL;
	unsigned int count = prop_below(random, 8);

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		handled.of[cls] = prop_chance(random, 80) ? some(random, all.of[cls]) : 0;
	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	while (count--) {
		struct reeve_rule rule = random_rule(random, &handled);
		int ret = reeve_ruleset_add(ruleset, &rule, NULL);

		CHECK(ret == 0 || (ret == -ENOMSG && !rule.allowed && !rule.quiet));
	}
	return ruleset;
}

/* Takes over the ruleset. */
static struct reeve_domain *domain_of(struct reeve_ruleset *ruleset)
{
	struct reeve_domain *domain = NULL;

	CHECK_EQ(reeve_domain_new(NULL, ruleset, &domain), 0);
	reeve_ruleset_free(ruleset);
	return domain;
}

/* a, b, union, intersection */
struct four {
	struct reeve_domain *d[4];
};

static void compare(const bool allowed[4], const char *what, uint64_t bit)
{
	if (allowed[2] != (allowed[0] || allowed[1]) || allowed[3] != (allowed[0] && allowed[1]))
		printf("# %s, right 0x%llx: a %d, b %d, union %d, intersection %d\n", what,
			(unsigned long long)bit, allowed[0], allowed[1], allowed[2], allowed[3]);
	CHECK_EQ(allowed[2], allowed[0] || allowed[1]);
	CHECK_EQ(allowed[3], allowed[0] && allowed[1]);
}

static void compare_paths(const struct four *four)
{
	struct reeve_decision decision;
	bool allowed[4];

	for (size_t p = 0; p < PATHS; p++) {
		for (int bit = 0; bit < 17; bit++) {
			for (int i = 0; i < 4; i++) {
				reeve_decide_path(
					four->d[i], paths[p], UINT64_C(1) << bit, &decision);
				allowed[i] = decision.allowed;
			}
			/* Sockets by their path may be scoped instead: see below. */
			if (UINT64_C(1) << bit != REEVE_FS_RESOLVE_UNIX)
				compare(allowed, paths[p], UINT64_C(1) << bit);
		}
	}
}

static void compare_ports(const struct four *four)
{
	struct reeve_decision decision;
	bool allowed[4];

	for (size_t p = 0; p < PORTS; p++) {
		for (int bit = 0; bit < 4; bit++) {
			for (int i = 0; i < 4; i++) {
				reeve_decide_port(
					four->d[i], UINT64_C(1) << bit, ports[p], &decision);
				allowed[i] = decision.allowed;
			}
			compare(allowed, "port", UINT64_C(1) << bit);
		}
	}
}

static void compare_sockets(const struct four *four)
{
	struct reeve_decision decision;
	bool allowed[4];

	for (int kind = 0; kind < 18; kind++) {
		for (int i = 0; i < 4; i++) {
			reeve_decide_socket(
				four->d[i], kind % 2, kind / 2 % 3, kind / 6, &decision);
			allowed[i] = decision.allowed;
		}
		compare(allowed, "socket", 1);
	}
}

static void compare_scopes(const struct four *four)
{
	struct reeve_decision decision;
	bool allowed[4];

	for (int bit = 0; bit < 2; bit++) {
		for (int i = 0; i < 4; i++) {
			reeve_decide_scope(four->d[i], NULL, UINT64_C(1) << bit, &decision);
			allowed[i] = decision.allowed;
		}
		compare(allowed, "scope", UINT64_C(1) << bit);
	}
}

static void mean_what_they_say(void)
{
	const char *text = getenv("REEVE_SEED");
	struct prop_random random = {text && *text ? strtoull(text, NULL, 0) : 20261123};

	printf("# REEVE_SEED=%llu\n", (unsigned long long)random.state);
	for (int round = 0; round < ROUNDS; round++) {
		struct reeve_ruleset *a = random_ruleset(&random), *b = random_ruleset(&random);
		struct reeve_ruleset *both = NULL, *either = NULL;
		struct four four;

		CHECK_EQ(reeve_ruleset_union(a, b, &either), 0);
		CHECK_EQ(reeve_ruleset_intersect(a, b, &both), 0);
		four = (struct four){
			{domain_of(a), domain_of(b), domain_of(either), domain_of(both)}};
		compare_paths(&four);
		compare_ports(&four);
		compare_sockets(&four);
		compare_scopes(&four);
		for (int i = 0; i < 4; i++)
			reeve_domain_free(four.d[i]);
	}
}

/* ------------------------------------------------------------------- by hand */

static struct reeve_ruleset *ruleset_with(
	struct reeve_rights handled, const struct reeve_rule *rules, size_t count)
{
	struct reeve_ruleset *ruleset = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(reeve_ruleset_add(ruleset, &rules[i], NULL), 0);
	return ruleset;
}

static void some_cannot_be_intersected(void)
{
	static const struct reeve_rights handled = {{1, 1, 0, 0}};
	static const struct reeve_rule rules[] = {
		{.type = REEVE_RULE_NET_ADDRESS, .allowed = 1, .address = "any"},
		{.type = REEVE_RULE_PATH_BENEATH, .flags = REEVE_RULE_DENY, .path = "/a"},
	};

	for (size_t i = 0; i < 2; i++) {
		struct reeve_ruleset *a = ruleset_with(handled, &rules[i], 1), *made = NULL;
		struct reeve_ruleset *b = ruleset_with(handled, NULL, 0);

		CHECK_EQ(reeve_ruleset_intersect(a, b, &made), -EOPNOTSUPP);
		CHECK_EQ(reeve_ruleset_intersect(b, a, &made), -EOPNOTSUPP);
		CHECK(!made);
		CHECK_EQ(reeve_ruleset_union(a, b, &made), 0);
		CHECK_EQ(reeve_ruleset_count(made), 1);
		reeve_ruleset_free(made);
		reeve_ruleset_free(a);
		reeve_ruleset_free(b);
	}
}

/* A denial of rights that the union does not handle must not turn into one of everything. */
static void dropped_denials_stay_dropped(void)
{
	static const struct reeve_rule rules[] = {
		{.type = REEVE_RULE_PATH_BENEATH, .allowed = 3, .path = "/a"},
		{.type = REEVE_RULE_PATH_BENEATH,
			.allowed = 2,
			.quiet = 1,
			.path = "/a/b",
			.flags = REEVE_RULE_DENY},
		{.type = REEVE_RULE_PATH_BENEATH,
			.allowed = 2,
			.path = "/a/c",
			.flags = REEVE_RULE_DENY},
	};
	struct reeve_ruleset *a = ruleset_with((struct reeve_rights){{3, 0, 0, 0}}, rules, 3);
	struct reeve_ruleset *b = ruleset_with((struct reeve_rights){{1, 0, 0, 0}}, NULL, 0);
	struct reeve_ruleset *made = NULL;
	struct reeve_decision decision;
	struct reeve_domain *domain;

	CHECK_EQ(reeve_ruleset_union(a, b, &made), 0);
	CHECK_EQ(reeve_ruleset_count(made), 2);
	domain = domain_of(made);
	reeve_decide_path(domain, "/a/b/x", 1, &decision);
	CHECK(decision.allowed);
	reeve_decide_path(domain, "/a/c/x", 1, &decision);
	CHECK(decision.allowed);
	reeve_domain_free(domain);
	reeve_ruleset_free(a);
	reeve_ruleset_free(b);
}

/* What can be revoked must not become static: see the floor. */
static void live_stays_live(void)
{
	static const struct reeve_rights handled = {{1, 1, 1, 0}};
	static const struct reeve_rule live[] = {
		{.type = REEVE_RULE_PATH_BENEATH,
			.allowed = 1,
			.path = "/a",
			.flags = REEVE_RULE_LIVE},
		{.type = REEVE_RULE_NET_PORT,
			.allowed = 1,
			.port_last = 9,
			.flags = REEVE_RULE_LIVE},
		{.type = REEVE_RULE_SOCKET, .allowed = 1, .flags = REEVE_RULE_LIVE},
	};
	static const struct reeve_rule fixed[] = {
		{.type = REEVE_RULE_PATH_BENEATH, .allowed = 1, .path = "/a/b", .origin = "here"},
		{.type = REEVE_RULE_NET_PORT, .allowed = 1, .port_first = 4, .port_last = 20},
		{.type = REEVE_RULE_SOCKET, .allowed = 1, .socket_type = REEVE_SOCKET_ANY},
	};
	struct reeve_ruleset *a = ruleset_with(handled, live, 3);
	struct reeve_ruleset *b = ruleset_with(handled, fixed, 3), *made = NULL;
	struct reeve_rule rule;

	CHECK_EQ(reeve_ruleset_intersect(b, a, &made), 0);
	CHECK_EQ(reeve_ruleset_count(made), 3);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(reeve_ruleset_at(made, i, &rule), 0);
		CHECK_EQ(rule.flags, REEVE_RULE_LIVE);
		if (rule.type == REEVE_RULE_PATH_BENEATH)
			CHECK_STR(rule.origin, "here");
		if (rule.type == REEVE_RULE_NET_PORT)
			CHECK(rule.port_first == 4 && rule.port_last == 9);
	}
	reeve_ruleset_free(made);
	reeve_ruleset_free(a);
	reeve_ruleset_free(b);
}

static bool has_unix_rule(const struct reeve_ruleset *ruleset, const char *path)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_UNIX_SOCKET && strcmp(rule.path, path) == 0)
			return true;
	return false;
}

/* Pathname sockets restricted by the scope on one side, by the right on the other. */
static void unix_by_scope_and_by_right(void)
{
	static const struct reeve_rule a_rule[] = {{.type = REEVE_RULE_UNIX_SOCKET,
		.allowed = REEVE_FS_RESOLVE_UNIX,
		.path = "/run/a"}};
	static const struct reeve_rule b_rule[] = {{.type = REEVE_RULE_PATH_BENEATH,
		.allowed = REEVE_FS_RESOLVE_UNIX,
		.path = "/run"}};
	struct reeve_rights scope = {{0, 0, 0, REEVE_SCOPE_PATHNAME_UNIX_SOCKET}}, handled;
	struct reeve_rights right = {{REEVE_FS_RESOLVE_UNIX, 0, 0, 0}};
	struct reeve_ruleset *a = ruleset_with(scope, a_rule, 1);
	struct reeve_ruleset *b = ruleset_with(right, b_rule, 1), *made = NULL;

	CHECK_EQ(reeve_ruleset_union(a, b, &made), 0);
	reeve_ruleset_handled(made, &handled);
	CHECK(handled.of[REEVE_SCOPE] == REEVE_SCOPE_PATHNAME_UNIX_SOCKET && !handled.of[REEVE_FS]);
	CHECK(has_unix_rule(made, "/run") && has_unix_rule(made, "/run/a"));
	reeve_ruleset_free(made);
	CHECK_EQ(reeve_ruleset_intersect(a, b, &made), 0);
	reeve_ruleset_handled(made, &handled);
	CHECK(handled.of[REEVE_SCOPE] == REEVE_SCOPE_PATHNAME_UNIX_SOCKET &&
		handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX);
	CHECK(has_unix_rule(made, "/run/a") && !has_unix_rule(made, "/run"));
	reeve_ruleset_free(made);
	reeve_ruleset_free(a);
	reeve_ruleset_free(b);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"union and intersection mean what they say", mean_what_they_say},
		{"some rules cannot be intersected", some_cannot_be_intersected},
		{"dropped denials stay dropped", dropped_denials_stay_dropped},
		{"live stays live", live_stays_live},
		{"pathname sockets by scope and by right", unix_by_scope_and_by_right},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
