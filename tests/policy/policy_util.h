/* SPDX-License-Identifier: MIT */
/* What the tests of policies share. */
#ifndef TESTS_POLICY_UTIL_H
#define TESTS_POLICY_UTIL_H

#include <ftw.h>
#include <limits.h>
#include <reeve/policy.h>
#include "tap.h"

#define READ_RULE(path)                                                                            \
	"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"" path "\"]\n"

static inline struct reeve_policy *new_policy(void)
{
	struct reeve_policy *policy;

	CHECK_EQ(reeve_policy_new(&policy), 0);
	return policy;
}

/* Fails with the library's own words. */
static inline void check_ok(int r, const struct reeve_error *err)
{
	if (r < 0)
		printf("# %d: %s (%s)\n", r, err->message, err->hint);
	CHECK_EQ(r, 0);
}

static inline void load_text(struct reeve_policy *policy, const char *name, const char *text)
{
	struct reeve_error err = {0};

	check_ok(reeve_policy_load_text(policy, name, text, strlen(text), REEVE_POLICY_AUTO, &err),
		&err);
}

/* With paths that need not exist, in /work-dir. */
static inline const struct reeve_ruleset *resolve(struct reeve_policy *policy)
{
	const struct reeve_resolve_options options = {
		.size = sizeof(options), .cwd = "/work-dir", .keep_missing = true};
	struct reeve_error err = {0};

	check_ok(reeve_policy_resolve(policy, &options, &err), &err);
	return reeve_policy_ruleset(policy);
}

static inline bool has(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	printf("# \"%s\"\n# has no \"%s\"\n", text, part);
	return false;
}

/* -------------------------------------------------- what a ruleset means, as text */

static inline int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The object of a rule, as text. */
static inline void describe_object(const struct reeve_rule *rule, char *buf, size_t size)
{
	snprintf(buf, size, "type %d flags %u path %s ports %u-%u address %s socket %d %d %d",
		(int)rule->type, rule->flags, rule->path ? rule->path : "-", rule->port_first,
		rule->port_last, rule->address ? rule->address : "-", rule->socket_family,
		rule->socket_type, rule->socket_protocol);
}

/*
 * What a ruleset handles, and its objects with the rights that add up on each, sorted: equal texts
 * are equal rulesets. Small ones only.
 */
static inline char *describe(const struct reeve_ruleset *ruleset)
{
	size_t count = reeve_ruleset_count(ruleset), size = 256 + count * (PATH_MAX + 256);
	char **lines = calloc(count + 1, sizeof(*lines)), *text = malloc(size);
	struct reeve_rights handled;
	struct reeve_rule rule, other;
	char object[PATH_MAX + 128], again[PATH_MAX + 128];
	size_t at;

	CHECK(lines && text);
	reeve_ruleset_handled(ruleset, &handled);
	at = (size_t)sprintf(text, "handled %llx %llx %llx %llx\n",
		(unsigned long long)handled.of[0], (unsigned long long)handled.of[1],
		(unsigned long long)handled.of[2], (unsigned long long)handled.of[3]);
	for (size_t i = 0; i < count; i++) {
		unsigned long long allowed = 0, quiet = 0;

		CHECK_EQ(reeve_ruleset_at(ruleset, i, &rule), 0);
		describe_object(&rule, object, sizeof(object));
		for (size_t k = 0; k < count; k++) {
			CHECK_EQ(reeve_ruleset_at(ruleset, k, &other), 0);
			describe_object(&other, again, sizeof(again));
			if (strcmp(object, again) != 0)
				continue;
			allowed |= other.allowed;
			quiet |= other.quiet;
		}
		CHECK(asprintf(&lines[i], "%s allowed %llx quiet %llx\n", object, allowed, quiet) >
			0);
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
			at += (size_t)sprintf(text + at, "%s", lines[i]);
	}
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
	return text;
}

/* Both rulesets mean the same. */
static inline void check_same(const struct reeve_ruleset *a, const struct reeve_ruleset *b)
{
	char *first = describe(a), *second = describe(b);

	if (strcmp(first, second) != 0)
		printf("# --- one\n%s# --- other\n%s", first, second);
	CHECK(strcmp(first, second) == 0);
	free(first);
	free(second);
}

/* All rights that rules of a type on exactly this path, or port, allow. */
static inline uint64_t allowed_on(
	const struct reeve_ruleset *ruleset, enum reeve_rule_type type, const char *path, int port)
{
	struct reeve_rule rule;
	uint64_t allowed = 0;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.type == type && (!path || strcmp(rule.path, path) == 0) &&
			(port < 0 || (rule.port_first <= port && port <= rule.port_last)))
			allowed |= rule.allowed;
	return allowed;
}

/* A file below the current directory. */
static inline void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

/* A directory of this case's own, and into it; see tap_run_in_scratch(). */
static inline void enter_scratch(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/case-XXXXXX", getenv("TMPDIR"));
	CHECK(mkdtemp(path));
	CHECK_EQ(chdir(path), 0);
}

static inline void load(struct reeve_policy *policy, const char *path)
{
	struct reeve_error err = {0};

	check_ok(reeve_policy_load(policy, path, &err), &err);
}

/* The absolute path of a name below the current directory. */
static inline const char *here(const char *name)
{
	static char path[4][PATH_MAX * 2];
	static int next;
	char *cwd = realpath(".", NULL), *at = path[next++ % 4];

	CHECK(cwd);
	snprintf(at, sizeof(path[0]), "%s%s%s", cwd, *name ? "/" : "", name);
	free(cwd);
	return at;
}

/* In `cwd`, with existing paths only. */
static inline int resolve_in(struct reeve_policy *policy, const char *cwd, struct reeve_error *err)
{
	const struct reeve_resolve_options options = {.size = sizeof(options), .cwd = cwd};

	return reeve_policy_resolve(policy, &options, err);
}

/* A user of their own: HOME is a directory of this test. */
static inline void enter_home(void)
{
	enter_scratch();
	CHECK_EQ(mkdir("home", 0700), 0);
	CHECK_EQ(mkdir("project", 0700), 0);
	CHECK_EQ(setenv("HOME", here("home"), 1), 0);
	static const char *const unset[] = {"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
		"XDG_STATE_HOME", "XDG_RUNTIME_DIR", "CARGO_HOME", "RUSTUP_HOME", "GOPATH",
		"GOMODCACHE", "GOCACHE", "GOROOT", "NVM_DIR", "PYENV_ROOT", "VIRTUAL_ENV",
		"SSH_AUTH_SOCK", "npm_config_cache", "NPM_CONFIG_CACHE", "USER"};
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		CHECK_EQ(unsetenv(unset[i]), 0);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* tap_run() with a TMPDIR that is removed afterwards. */
static inline int tap_run_in_scratch(const struct tap_case *cases, size_t count)
{
	const char *base = getenv("TMPDIR");
	char path[PATH_MAX];
	int failed;

	snprintf(path, sizeof(path), "%s/reeve-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(path) || setenv("TMPDIR", path, 1) < 0)
		return 1;
	failed = tap_run(cases, count);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed;
}

#endif /* TESTS_POLICY_UTIL_H */
