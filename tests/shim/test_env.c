/* SPDX-License-Identifier: MIT */
/* The environment that loads the shim. */
#include "base/cleanup.h"
#include "supervise/shim_env.h"
#include "tap.h"

#define OPTION "verify_asan_link_order=0"

static void check(char *const envp[], const char *const want[])
{
	char **got;
	size_t i;

	CHECK_EQ(rv_shim_env(envp, "/s/shim.so", &got), 0);
	for (i = 0; want[i]; i++)
		CHECK_STR(got[i], want[i]);
	CHECK(!got[i]);
	free(got);
}

#define ENV(...)  ((char *const *)(const char *const[]){__VA_ARGS__, NULL})
#define WANT(...) ((const char *const[]){__VA_ARGS__, NULL})

static void env(void)
{
	char *const none[] = {NULL};

	check(none, WANT("LD_PRELOAD=/s/shim.so", "ASAN_OPTIONS=" OPTION));
	check(ENV("A=b"), WANT("A=b", "LD_PRELOAD=/s/shim.so", "ASAN_OPTIONS=" OPTION));
	check(ENV("LD_PRELOAD=/x.so", "ASAN_OPTIONS=detect_leaks=0", "Z="),
		WANT("LD_PRELOAD=/x.so:/s/shim.so", "ASAN_OPTIONS=detect_leaks=0:" OPTION, "Z="));
	check(ENV("LD_PRELOAD=", "ASAN_OPTIONS="),
		WANT("LD_PRELOAD=/s/shim.so", "ASAN_OPTIONS=" OPTION));
	check(ENV("LD_PRELOAD=/s/shim.so /x.so", "ASAN_OPTIONS=a=1," OPTION),
		WANT("LD_PRELOAD=/s/shim.so /x.so", "ASAN_OPTIONS=a=1," OPTION));
	check(ENV("LD_PRELOAD=/t/s/shim.so"),
		WANT("LD_PRELOAD=/t/s/shim.so:/s/shim.so", "ASAN_OPTIONS=" OPTION));
	check(ENV("LD_PRELOADS=/x", "XLD_PRELOAD=/y"),
		WANT("LD_PRELOADS=/x", "XLD_PRELOAD=/y", "LD_PRELOAD=/s/shim.so",
			"ASAN_OPTIONS=" OPTION));
}

static void find(void)
{
	char *path = NULL;

	setenv("REEVE_SHIM", "/nonexistent/shim.so", 1);
	CHECK_EQ(rv_shim_find(&path), -ENOENT);
	setenv("REEVE_SHIM", "tmp", 1);
	CHECK_EQ(rv_shim_find(&path), -ENOENT);
	CHECK(!path);
	setenv("REEVE_SHIM", "/proc/self/exe", 1);
	CHECK_EQ(rv_shim_find(&path), 0);
	CHECK_STR(path, "/proc/self/exe");
	free(path);
}

static void find_unnameable(void)
{
	char name[] = "/tmp/reeve test:XXXXXX", *path = NULL;
	int fd = mkstemp(name);

	CHECK(fd >= 0);
	setenv("REEVE_SHIM", name, 1);
	CHECK_EQ(rv_shim_find(&path), -EINVAL);
	unlink(name);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"LD_PRELOAD and ASAN_OPTIONS get one word more, once", env},
		{"REEVE_SHIM names it", find},
		{"a path that LD_PRELOAD cannot name", find_unnameable},
	};

	return tap_run(cases, RV_COUNT(cases));
}
