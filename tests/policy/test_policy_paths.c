/* SPDX-License-Identifier: MIT */
/* Variables, and paths as they exist. */
#include <fcntl.h>
#include "policy_util.h"

#define PATH(ruleset, path) allowed_on(ruleset, REEVE_RULE_PATH_BENEATH, path, -1)

/* ----------------------------------------------------------------- variables */

static const char *expand_one(const char *variable)
{
	static char path[PATH_MAX];
	struct reeve_policy *policy = new_policy();
	struct reeve_rule rule;
	char text[256];

	snprintf(text, sizeof(text),
		"[[path_beneath]]\nallowed_access = [\"execute\"]\nmissing = \"ignore\"\n"
		"parent = [\"/x/${%s}\"]\n",
		variable);
	load_text(policy, "p.toml", text);
	if (reeve_ruleset_at(resolve(policy), 0, &rule) < 0)
		return "undefined";
	CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)), 1);
	snprintf(path, sizeof(path), "%s", rule.path + strlen("/x"));
	reeve_policy_free(policy);
	return path;
}

static void builtin_variables(void)
{
	char text[64];

	enter_home();
	CHECK_EQ(setenv("HOME", "/h/./me/", 1), 0);
	CHECK_STR(expand_one("HOME"), "/h/me");
	CHECK_STR(expand_one("PWD"), "/work-dir");
	snprintf(text, sizeof(text), "/%u", getuid());
	CHECK_STR(expand_one("UID"), text);
	snprintf(text, sizeof(text), "/run/user/%u", getuid());
	CHECK_STR(expand_one("XDG_RUNTIME_DIR"), text);
	CHECK_STR(expand_one("XDG_CONFIG_HOME"), "/h/me/.config");
	CHECK_STR(expand_one("XDG_STATE_HOME"), "/h/me/.local/state");
	CHECK_STR(expand_one("GOMODCACHE"), "/h/me/go/pkg/mod");
	CHECK_STR(expand_one("GOCACHE"), "/h/me/.cache/go-build");
	CHECK_STR(expand_one("NPM_CONFIG_CACHE"), "/h/me/.npm");
	CHECK_STR(expand_one("VIRTUAL_ENV"), "undefined");
	CHECK_STR(expand_one("SSH_AUTH_SOCK"), "undefined");
	CHECK_EQ(setenv("XDG_CACHE_HOME", "/c", 1), 0);
	CHECK_STR(expand_one("GOCACHE"), "/c/go-build");
	CHECK_EQ(setenv("XDG_CACHE_HOME", "c", 1), 0); /* relative: to be ignored */
	CHECK_STR(expand_one("GOCACHE"), "/h/me/.cache/go-build");
	CHECK_EQ(setenv("GOPATH", "/g1", 1), 0);
	CHECK_STR(expand_one("GOMODCACHE"), "/g1/pkg/mod");
	CHECK_EQ(setenv("SSH_AUTH_SOCK", "/s", 1), 0);
	CHECK_STR(expand_one("SSH_AUTH_SOCK"), "/s");
	CHECK_EQ(setenv("USER", "me", 1), 0);
	CHECK_STR(expand_one("USER"), "/me");
	CHECK_EQ(setenv("REEVE_TEST", "/not/this", 1), 0); /* a closed list */
	CHECK_STR(expand_one("REEVE_TEST"), "undefined");
}

/* Without HOME and USER: the entry of passwd, where there is one. */
static void use_as_standard_fds(int fd)
{
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		CHECK_EQ(dup2(fd, i), i);
}

/* One terminal on all three is one value; none is no value. */
static void variable_of_terminals(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), out = dup(STDOUT_FILENO), tty, null;
	char name[64];
	const char *with, *without;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
		ptsname_r(master, name, sizeof(name)) != 0)
		SKIP("pty: cannot make a pseudo terminal");
	tty = open(name, O_RDWR | O_NOCTTY);
	null = open("/dev/null", O_RDWR);
	CHECK(tty >= 0 && null >= 0);
	fflush(stdout);
	use_as_standard_fds(tty);
	with = strdup(expand_one("TTY"));
	use_as_standard_fds(null);
	without = expand_one("TTY");
	CHECK_EQ(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	CHECK_STR(with, name);
	CHECK_STR(without, "undefined");
}

static void variables_from_passwd(void)
{
	if (getuid() != 0)
		SKIP("root: the entry of root is known");
	CHECK_EQ(unsetenv("HOME"), 0);
	CHECK_EQ(unsetenv("USER"), 0);
	CHECK_STR(expand_one("HOME"), "/root");
	CHECK_STR(expand_one("USER"), "/root");
}

static void products(void)
{
	static const char text[] = "[[variable]]\nname = \"a\"\nliteral = [\"1\", \"2\", \"1\"]\n"
				   "[[variable]]\nname = \"b\"\nliteral = [\"x\"]\n"
				   "[[variable]]\nname = \"b\"\nliteral = [\"y\", \"${a}\"]\n"
				   "[[variable]]\nname = \"none\"\n"
				   "[[variable]]\nname = \"HOME\"\nliteral = [\"/mine\"]\n"
				   "[[path_beneath]]\nallowed_access = [\"execute\"]\nparent = [\n"
				   "\"/${a}/${b}${a}\", \"/n/${none}/${a}\", \"${HOME}\", \"/$$\", "
				   "\"/$${a}\", \"/$x$\","
				   " \"/$$$${b}/{}\"]\n";
	static const char *const wanted[] = {"/1/${a}1", "/1/${a}2", "/1/x1", "/1/x2", "/1/y1",
		"/1/y2", "/2/${a}1", "/2/${a}2", "/2/x1", "/2/x2", "/2/y1", "/2/y2", "/mine", "/$",
		"/${a}", "/$x$", "/$${b}/{}"};
	struct reeve_policy *policy = new_policy();
	struct reeve_rule rule;
	struct reeve_error err;

	load_text(policy, "p.toml", text);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		CHECK_EQ(reeve_ruleset_at(resolve(policy), i, &rule), 0);
		CHECK_STR(rule.path, wanted[i]);
	}
	CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)),
		sizeof(wanted) / sizeof(wanted[0]));
	CHECK_EQ(reeve_policy_set_variable(policy, "HOME", "/other", &err), 0);
	CHECK_EQ(PATH(resolve(policy), "/other"), REEVE_FS_EXECUTE);
	CHECK_EQ(PATH(resolve(policy), "/mine"), 0);
	reeve_policy_free(policy);
}

static void undefined(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;

	load_text(policy, "p.toml", "\n" READ_RULE("/a/${nope}"));
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	CHECK_STR(
		err.message, "p.toml:4: parent: \"/a/${nope}\": the variable nope is not defined");
	CHECK(has(err.hint, "[[variable]]"));
	reeve_policy_free(policy);
	/* A grant may be skipped, what it excepts may not. */
	policy = new_policy();
	load_text(
		policy, "p.toml", READ_RULE("/") "missing = \"ignore\"\nexcept = [\"/${nope}\"]\n");
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	CHECK_STR(err.message, "p.toml:5: except: \"/${nope}\": the variable nope is not defined");
	reeve_policy_free(policy);
}

static void explosions(void)
{
	struct reeve_policy *policy = new_policy();
	const struct reeve_resolve_options options = {
		.size = sizeof(options), .keep_missing = true};
	struct reeve_error err;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	CHECK(file);
	fputs("[[variable]]\nname = \"a\"\nliteral = [", file);
	for (int i = 0; i < 1000; i++)
		fprintf(file, "\"%d\", ", i);
	fputs("]\n[[variable]]\nname = \"none\"\n" READ_RULE("/${a}${a}${a}${a}${none}"), file);
	fputs("[[variable]]\nname = \"long\"\nliteral = [\"", file);
	for (int i = 0; i < 4000; i++)
		fputs("n", file);
	fputs("\"]\n", file);
	CHECK_EQ(fclose(file), 0);
	load_text(policy, "p.toml", text);
	CHECK_EQ(reeve_ruleset_count(resolve(policy)), 0); /* at once */
	load_text(policy, "q.toml", READ_RULE("/${a}${a}${a}"));
	CHECK_EQ(reeve_policy_resolve(policy, &options, &err), -E2BIG);
	CHECK_STR(err.message,
		"q.toml:3: parent: \"/${a}${a}${a}\": its variables stand for too many paths");
	reeve_policy_free(policy);
	policy = new_policy();
	load_text(policy, "p.toml", text);
	load_text(policy, "q.toml", READ_RULE("/${long}/${long}"));
	CHECK_EQ(reeve_policy_resolve(policy, &options, &err), -ENAMETOOLONG);
	reeve_policy_free(policy);
	free(text);
}

/* --------------------------------------------------------------------- paths */

static void existing_paths(void)
{
	static const char text[] = READ_RULE("file")
		READ_RULE("dangling/../../dir/./") "missing = \"ignore\"\n" READ_RULE("link/inner")
			READ_RULE("absolute");
	struct reeve_policy *policy = new_policy();
	const struct reeve_ruleset *ruleset;
	struct reeve_error err;

	enter_scratch();
	CHECK_EQ(mkdir("dir", 0700), 0);
	write_file("file", "");
	write_file("dir/inner", "");
	CHECK_EQ(symlink("nothing", "dangling"), 0);
	CHECK_EQ(symlink("dir", "link"), 0);
	CHECK_EQ(symlink(here("dir"), "absolute"), 0);
	write_file("p.toml", text);
	load(policy, "p.toml");
	CHECK_EQ(chdir("/"), 0); /* relative to the file, not to here */
	check_ok(reeve_policy_resolve(policy, NULL, &err), &err);
	ruleset = reeve_policy_ruleset(policy);
	CHECK_EQ(reeve_ruleset_count(ruleset), 3);
	for (size_t i = 0; i < 3; i++) {
		struct reeve_rule rule;
		char real[PATH_MAX];

		CHECK_EQ(reeve_ruleset_at(ruleset, i, &rule), 0);
		CHECK(realpath(rule.path, real));
		CHECK_STR(rule.path, real);
	}
	reeve_policy_free(policy);
}

static void check_missing(const char *text, int code, const char *message)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;
	int r;

	load_text(policy, "p.toml", text);
	r = reeve_policy_resolve(policy, NULL, &err);
	if (r != code)
		printf("# %s: %s\n", text, r ? err.message : "works");
	CHECK_EQ(r, code);
	CHECK(has(err.message, message));
	reeve_policy_free(policy);
}

static void missing_paths(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;
	char text[512];

	enter_scratch();
	write_file("file", "");
	CHECK_EQ(symlink("loop", "loop"), 0);
	check_missing(READ_RULE("none"), -ENOENT, "/none\": No such file or directory");
	check_missing(READ_RULE("file/"), -ENOTDIR, "Not a directory");
	check_missing(READ_RULE("file/."), -ENOTDIR, "Not a directory");
	check_missing(READ_RULE("file/.."), -ENOTDIR, "Not a directory");
	check_missing(READ_RULE("file/x"), -ENOTDIR, "Not a directory");
	check_missing(READ_RULE("none/.."), -ENOENT, "No such file");
	check_missing(READ_RULE("loop"), -ELOOP, "Too many levels of symbolic links");
	snprintf(text, sizeof(text),
		"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"%0300d\"]\n", 1);
	check_missing(text, -ENAMETOOLONG, "File name too long");
	/* Live rules and exceptions go by path; a dangling link means what it points to. */
	CHECK_EQ(symlink("later/x", "dangling"), 0);
	load_text(
		policy, "p.toml", READ_RULE("dangling") "live = true\nexcept = [\"later/x/y\"]\n");
	check_ok(reeve_policy_resolve(policy, NULL, &err), &err);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("later/x")), REEVE_FS_READ_FILE);
	{
		struct reeve_rule rule;

		CHECK_EQ(reeve_ruleset_at(reeve_policy_ruleset(policy), 1, &rule), 0);
		CHECK_STR(rule.path, here("later/x/y"));
	}
	reeve_policy_free(policy);
}

#define LIVE_RULE(path) READ_RULE(path) "live = true\n"

/* What is remembered of a directory that is not there counts for live rules, and for no others. */
static void missing_directories(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;

	enter_scratch();
	CHECK_EQ(symlink("gone/by", "road"), 0);
	load_text(policy, "p.toml",
		LIVE_RULE("none/a") LIVE_RULE("none/b") LIVE_RULE("road/a") LIVE_RULE("road/b"));
	check_ok(reeve_policy_resolve(policy, NULL, &err), &err);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("none/a")), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("none/b")), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("gone/by/a")), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("gone/by/b")), REEVE_FS_READ_FILE);
	reeve_policy_free(policy);
	check_missing(LIVE_RULE("none/a") READ_RULE("none/b"), -ENOENT,
		"/none/b\": No such file or directory");
	check_missing(LIVE_RULE("road/a") READ_RULE("road/b"), -ENOENT,
		"/road/b\": No such file or directory");
	check_missing(LIVE_RULE("none/a") LIVE_RULE("none/.."), -ENOENT, "No such file");
}

/* A failed resolve leaves the last good one in place. */
static void resolve_again(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.allowed = REEVE_FS_EXECUTE,
		.path = "/does/not/exist",
		.origin = "--rx /does/not/exist"};
	struct reeve_error err;

	load_text(policy, "p.toml", READ_RULE("/"));
	check_ok(reeve_policy_resolve(policy, NULL, &err), &err);
	CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)), 1);
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), 0);
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -ENOENT);
	CHECK_STR(err.message, "--rx /does/not/exist: No such file or directory");
	CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)), 1);
	reeve_policy_free(policy);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"built-in variables", builtin_variables},
		{"TTY is what standard input, output and error are", variable_of_terminals},
		{"HOME and USER of the passwd entry", variables_from_passwd},
		{"variables multiply", products},
		{"undefined variables", undefined},
		{"too many and too long expansions", explosions},
		{"paths are made canonical", existing_paths},
		{"paths that do not exist", missing_paths},
		{"directories that do not exist", missing_directories},
		{"a failed resolve leaves the last one", resolve_again},
	};

	return tap_run_in_scratch(cases, sizeof(cases) / sizeof(cases[0]));
}
