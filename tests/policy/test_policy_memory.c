/* SPDX-License-Identifier: MIT */
/* Each allocation fails in turn: -ENOMEM, nothing changed, nothing lost. Linked with --wrap. */
#include "policy_util.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long until_failure = -1; /* -1: never */

static bool fails(void)
{
	return until_failure >= 0 && until_failure-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static const char text[] =
	"abi = 9\nextends = [\"none\"]\ndegrade = [\"live\"]\nrefuse_cwd = [\"/r\"]\n"
	"[[variable]]\nname = \"v\"\nliteral = [\"a\", \"b\"]\n"
	"[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
	"[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\nparent = [\"${v}/${v}\"]\n"
	"except = [\"/x\"]\n"
	"[[net_address]]\nallowed_access = [\"connect_tcp\"]\naddress = [\"public:443\"]\n"
	"[[socket]]\nallowed_access = [\"create\"]\nfamily = [\"inet\", \"inet6\"]\n"
	"[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/s\"]\n"
	"[[quiet]]\naccess = [\"fs.read_file\"]\npath = [\"/q\"]\n";

static int load_it(struct reeve_policy *policy)
{
	return reeve_policy_load_text(
		policy, "p.toml", text, strlen(text), REEVE_POLICY_AUTO, NULL);
}

static int add_flags(struct reeve_policy *policy)
{
	int r = reeve_policy_add_flag(policy, "--connect-tcp", "public:80", NULL);

	if (r == 0)
		r = reeve_policy_add_flag(policy, "--rw", "w", NULL);
	if (r == 0)
		r = reeve_policy_add_flag(policy, "--net", NULL, NULL);
	if (r == 0)
		r = reeve_policy_degrade(policy, "quiet", NULL);
	return r < 0 ? r : reeve_policy_set_variable(policy, "x", "y", NULL);
}

static int resolve_it(struct reeve_policy *policy)
{
	const struct reeve_resolve_options options = {
		.size = sizeof(options), .cwd = "/work-dir", .keep_missing = true};

	return reeve_policy_resolve(policy, &options, NULL);
}

static int emit(struct reeve_policy *policy)
{
	char *toml = NULL;
	int r = reeve_ruleset_to_toml(reeve_policy_ruleset(policy), &toml);

	free(toml);
	return r;
}

/* A step on a policy for which all steps before were done: fails until memory suffices. */
static void starve(int (*const steps[])(struct reeve_policy *), size_t last)
{
	for (long failing = 0;; failing++) {
		struct reeve_policy *policy = new_policy();
		int r;

		for (size_t i = 0; i < last; i++)
			CHECK_EQ(steps[i](policy), 0);
		until_failure = failing;
		r = steps[last](policy);
		if (until_failure >= 0) { /* none failed */
			until_failure = -1;
			CHECK_EQ(r, 0);
			CHECK(failing > 0);
			reeve_policy_free(policy);
			return;
		}
		CHECK_EQ(r, -ENOMEM);
		CHECK_EQ(steps[last](policy), 0);
		reeve_policy_free(policy);
	}
}

static int (*const steps[])(struct reeve_policy *) = {
	load_it, load_it, add_flags, resolve_it, emit};

static void loading(void)
{
	starve(steps, 0);
}

static void composing(void)
{
	starve(steps, 1);
}

static void adding(void)
{
	starve(steps, 2);
}

static void resolving(void)
{
	starve(steps, 3);
}

static void emitting(void)
{
	starve(steps, 4);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"loading", loading},
		{"composing", composing},
		{"adding flags", adding},
		{"resolving", resolving},
		{"writing out", emitting},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
