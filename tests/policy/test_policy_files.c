/* SPDX-License-Identifier: MIT */
/* Files: what can be loaded, what extends what; profiles, built in and the user's own. */
#include <fcntl.h>
#include <sys/stat.h>
#include <reeve/domain.h>
#include "policy_util.h"

#define PATH(ruleset, path) allowed_on(ruleset, REEVE_RULE_PATH_BENEATH, path, -1)

static void check_fails(const char *path, int code, const char *part)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err = {0};
	int r = reeve_policy_load(policy, path, &err);

	if (r != code)
		printf("# %s: %s\n", path, err.message);
	CHECK_EQ(r, code);
	CHECK_EQ(err.code, code);
	CHECK(has(err.message, part));
	CHECK_EQ(reeve_policy_resolve(policy, NULL, NULL), -EINVAL);
	reeve_policy_free(policy);
}

static void not_regular(void)
{
	int fd;

	enter_scratch();
	check_fails("./none.toml", -ENOENT, "./none.toml: cannot open the policy file: No such");
	check_fails("./", -EISDIR, "./: a directory: expected a policy file");
	check_fails("/dev/null", -ENXIO, "/dev/null: not a regular file");
	CHECK_EQ(mkfifo("fifo.toml", 0600), 0);
	check_fails("fifo.toml", -ENXIO, "fifo.toml: not a regular file"); /* and does not wait */
	CHECK_EQ(symlink("loop.toml", "loop.toml"), 0);
	check_fails("loop.toml", -ELOOP, "loop.toml: cannot open");
	fd = open("huge.toml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && ftruncate(fd, (off_t)1 << 30) == 0 && close(fd) == 0);
	check_fails("huge.toml", -EFBIG, "huge.toml: larger than 64 MiB");
}

static void unreadable(void)
{
	enter_scratch();
	if (geteuid() == 0)
		SKIP("user: root reads everything");
	write_file("secret.toml", "abi = 7\n");
	CHECK_EQ(chmod("secret.toml", 0), 0);
	check_fails("secret.toml", -EACCES, "secret.toml: cannot open the policy file: Permission");
}

static void standard_input(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_rule rule;
	struct reeve_error err;
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], READ_RULE("/"), strlen(READ_RULE("/"))), strlen(READ_RULE("/")));
	CHECK_EQ(close(fds[1]), 0);
	CHECK(dup2(fds[0], 0) == 0);
	load(policy, "-");
	CHECK_EQ(reeve_ruleset_at(resolve(policy), 0, &rule), 0);
	CHECK_STR(rule.origin, "standard input:3");
	CHECK(!reeve_policy_file_at(policy, 0));
	CHECK_EQ(reeve_policy_load_file(policy, "-", REEVE_POLICY_JSON, &err), -EINVAL); /* eof */
	CHECK(has(err.message, "standard input:"));
	reeve_policy_free(policy);
}

/* ------------------------------------------------------------------- extends */

static void extending(void)
{
	struct reeve_policy *policy = new_policy();
	const struct reeve_ruleset *ruleset;
	struct reeve_rule rule;
	struct reeve_rights handled;

	enter_scratch();
	CHECK_EQ(mkdir("sub", 0700), 0);
	/* Both sides of a diamond; each with its own abi; JSON too; relative to the file. */
	write_file("top.toml",
		"abi = 1\nextends = [\"sub/left.json\", \"./sub/right.toml\"]\n" READ_RULE("top"));
	write_file("sub/left.json",
		"{\"abi\": 2, \"extends\": [\"bottom.toml\"], \"ruleset\": [{\"handledAccessFs\": "
		"[\"abi.all\"]}]}");
	write_file("sub/right.toml", "extends = [\"../sub/bottom.toml\"]\n" READ_RULE("right"));
	write_file("sub/bottom.toml",
		"abi = 3\n[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\n"
		"parent = [\"bottom\"]\n");
	load(policy, "top.toml");
	ruleset = resolve(policy);
	reeve_ruleset_handled(ruleset, &handled);
	CHECK_EQ(handled.of[REEVE_FS],
		reeve_rights_of_abi(REEVE_FS, 2) |
			(reeve_rights_of_abi(REEVE_FS, 3) & ~REEVE_FS_EXECUTE));
	CHECK_EQ(reeve_ruleset_count(ruleset), 3);
	CHECK_EQ(PATH(ruleset, here("top")), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(ruleset, here("sub/right")), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(ruleset, here("sub/bottom")),
		reeve_rights_of_abi(REEVE_FS, 3) & ~REEVE_FS_EXECUTE);
	CHECK_EQ(reeve_ruleset_at(ruleset, 0, &rule), 0);
	CHECK_STR(rule.origin, "sub/bottom.toml:4");
	CHECK_STR(reeve_policy_file_at(policy, 0), here("top.toml"));
	CHECK_STR(reeve_policy_file_at(policy, 1), here("sub/left.json"));
	CHECK_STR(reeve_policy_file_at(policy, 2), here("sub/bottom.toml"));
	CHECK_STR(reeve_policy_file_at(policy, 3), here("sub/right.toml"));
	CHECK(!reeve_policy_file_at(policy, 4));
	reeve_policy_free(policy);
}

static void cycles(void)
{
	enter_scratch();
	write_file("self.toml", "extends = [\"self.toml\"]\n");
	check_fails("./self.toml", -ELOOP, "./self.toml:1: extends: a cycle: ./self.toml → ./self");
	write_file("a.toml", "\nextends = [\"b.toml\"]\n");
	write_file("b.toml", "extends = [\n\"c.toml\"]\n");
	write_file("c.toml", "extends = [\"b.toml\"]\n");
	check_fails("a.toml", -ELOOP,
		"a.toml:2: extends: b.toml:2: extends: c.toml:1: extends: a cycle: b.toml → c.toml "
		"→ b.toml");
	CHECK_EQ(symlink("a.toml", "alias.toml"), 0);
	write_file("b.toml", "extends = [\"alias.toml\"]\n");
	check_fails("a.toml", -ELOOP, "a cycle: a.toml → b.toml → alias.toml");
}

static void too_deep(void)
{
	char name[32], text[64];

	enter_scratch();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d.toml", i);
		snprintf(text, sizeof(text), "extends = [\"f%d.toml\"]\n", i + 1);
		write_file(name, text);
	}
	check_fails("f0.toml", -ELOOP, "f0.toml:1: extends: f1.toml:1: extends: ");
}

static void errors_inside(void)
{
	enter_scratch();
	write_file("a.toml", "extends = [\"b.toml\"]\n");
	write_file("b.toml", "abbi = 1\n");
	check_fails("a.toml", -EINVAL, "a.toml:1: extends: b.toml:1: abbi: unknown key");
	write_file("b.toml", "extends = [\"no-such-profile\"]\n");
	check_fails("a.toml", -ENOENT,
		"a.toml:1: extends: b.toml:1: extends: no profile \"no-such-profile\": expected "
		"one of base, ");
	write_file("b.toml", "extends = [\"../\"]\n");
	check_fails("a.toml", -EISDIR, "a directory");
}

/* An included file's word on datagrams: the includer's counts, of two included the stricter. */
static void extended_settings(void)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	static const char both[] = "extends = [\"mediate.toml\", \"refuse.toml\"]\n"
				   "[[ruleset]]\nscoped = [\"signal\"]\n";
	static const char back[] = "extends = [\"refuse.toml\", \"mediate.toml\"]\n"
				   "[[ruleset]]\nscoped = [\"signal\"]\n";
	static const char own[] = "extends = [\"refuse.toml\"]\n[[ruleset]]\nunix_datagram = "
				  "\"mediate\"\ndeny = [\"keyring\"]\n";
	static const struct {
		const char *text;
		enum reeve_unix_datagram wanted;
	} table[] = {{both, REEVE_UNIX_DATAGRAM_REFUSE}, {back, REEVE_UNIX_DATAGRAM_REFUSE},
		{own, REEVE_UNIX_DATAGRAM_MEDIATE}};

	enter_scratch();
	write_file("mediate.toml", "[[ruleset]]\nunix_datagram = \"mediate\"\n");
	write_file("refuse.toml", "tmpdir = \"private\"\n[[ruleset]]\nunix_datagram = "
				  "\"refuse\"\ndeny = [\"sysv_ipc\"]\n");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_policy *policy = new_policy();

		write_file("p.toml", table[i].text);
		load(policy, "p.toml");
		reeve_policy_settings(policy, &settings);
		CHECK_EQ(settings.unix_datagram, table[i].wanted);
		CHECK(settings.private_tmpdir);
		CHECK(settings.deny & REEVE_DENY_SYSV_IPC);
		reeve_policy_free(policy);
	}
}

/* ------------------------------------------------------------------ profiles */

static const char *const builtin[] = {"base", "git-ssh", "go", "learn", "learn-net", "node", "none",
	"python", "rust", "workspace", "workspace-net"};
#define BUILTIN_COUNT (sizeof(builtin) / sizeof(builtin[0]))

static int check_listed(void *data, const char *name, const char *summary, const char *source)
{
	size_t *i = data;

	CHECK(*i < BUILTIN_COUNT);
	CHECK_STR(name, builtin[*i]);
	CHECK(strlen(summary) > 10);
	CHECK_STR(source, "built-in");
	++*i;
	return 0;
}

static void builtin_profiles(void)
{
	size_t length, count = 0;

	enter_home();
	CHECK_EQ(reeve_profile_list(check_listed, &count), 0);
	CHECK_EQ(count, BUILTIN_COUNT);
	CHECK(!reeve_profile_builtin("nope", &length));
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		struct reeve_policy *policy = new_policy();
		struct reeve_error err;

		CHECK(reeve_profile_builtin(builtin[i], &length));
		CHECK_EQ(length, strlen(reeve_profile_builtin(builtin[i], NULL)));
		load(policy, builtin[i]);
		check_ok(resolve_in(policy, here("project"), &err), &err);
		CHECK(!reeve_policy_file_at(policy, 0));
		reeve_policy_free(policy);
	}
}

static struct reeve_policy *resolved_for_comparison(const char *profile, bool from_text)
{
	const struct reeve_resolve_options options = {
		.size = sizeof(options), .cwd = here("project"), .keep_missing = true};
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;
	char name[128];
	size_t length;
	const char *text = reeve_profile_builtin(profile, &length);

	snprintf(name, sizeof(name), "profile %s", profile);
	if (from_text)
		check_ok(
			reeve_policy_load_text(policy, name, text, length, REEVE_POLICY_TOML, &err),
			&err);
	else
		check_ok(reeve_policy_load_profile(policy, profile, &err), &err);
	check_ok(reeve_policy_resolve(policy, &options, &err), &err);
	return policy;
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_same_rules(const struct reeve_ruleset *a, const struct reeve_ruleset *b)
{
	struct reeve_rights of_a, of_b;
	struct reeve_rule x, y;

	reeve_ruleset_handled(a, &of_a);
	reeve_ruleset_handled(b, &of_b);
	CHECK(memcmp(&of_a, &of_b, sizeof(of_a)) == 0);
	CHECK_EQ(reeve_ruleset_count(a), reeve_ruleset_count(b));
	for (size_t i = 0; reeve_ruleset_at(a, i, &x) == 0; i++) {
		CHECK_EQ(reeve_ruleset_at(b, i, &y), 0);
		CHECK(x.type == y.type && x.flags == y.flags && x.allowed == y.allowed);
		CHECK(x.quiet == y.quiet && x.socket_family == y.socket_family);
		CHECK(x.socket_type == y.socket_type && x.socket_protocol == y.socket_protocol);
		CHECK(x.port_first == y.port_first && x.port_last == y.port_last);
		CHECK(same_string(x.path, y.path) && same_string(x.address, y.address));
		CHECK_STR(x.origin, y.origin);
	}
}

/* Built-in profiles are decoded when reeve is built: to what their text says. */
static void compiled_profiles(void)
{
	enter_home();
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		struct reeve_policy *a = resolved_for_comparison(builtin[i], false);
		struct reeve_policy *b = resolved_for_comparison(builtin[i], true);
		struct reeve_policy_settings x = {.size = sizeof(x)}, y = x;

		check_same_rules(reeve_policy_ruleset(a), reeve_policy_ruleset(b));
		reeve_policy_settings(a, &x);
		reeve_policy_settings(b, &y);
		CHECK(x.deny == y.deny && x.unix_datagram == y.unix_datagram);
		CHECK(x.private_tmpdir == y.private_tmpdir);
		CHECK(x.inner_landlock_floor_only == y.inner_landlock_floor_only);
		for (size_t k = 0; reeve_policy_degraded_at(a, k); k++)
			CHECK_STR(reeve_policy_degraded_at(a, k), reeve_policy_degraded_at(b, k));
		reeve_policy_free(a);
		reeve_policy_free(b);
	}
}

/* Those for learning let a program read everything but secrets. */
static bool is_for_learning(const char *profile)
{
	return strncmp(profile, "learn", 5) == 0;
}

static bool can_read(const struct reeve_policy *policy, const char *path)
{
	struct reeve_decision decision;
	struct reeve_domain *domain;

	CHECK_EQ(reeve_domain_new(
			 NULL, (struct reeve_ruleset *)reeve_policy_ruleset(policy), &domain),
		0);
	reeve_decide_path(domain, path, REEVE_FS_READ_FILE, &decision);
	reeve_domain_free(domain);
	return decision.allowed;
}

static void nothing_secret_while_learning(void)
{
	static const char *const secrets[] = {"/etc/shadow", "/etc/gshadow", "/etc/sudoers",
		"/etc/ssl/private", "${HOME}/.ssh", "${HOME}/.ssh/id_ed25519", "${HOME}/.aws",
		"${HOME}/.gnupg", "${HOME}/.npmrc", "${HOME}/.netrc", "${HOME}/.git-credentials",
		"${HOME}/.config/git/credentials", "${HOME}/.cargo/credentials.toml",
		"${HOME}/.docker/config.json", "${HOME}/.kube/config", "${HOME}/.bash_history"};

	enter_home();
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		const struct reeve_resolve_options options = {
			.size = sizeof(options), .cwd = here("project"), .keep_missing = true};
		struct reeve_policy *policy;
		struct reeve_error err;
		char path[PATH_MAX];

		if (!is_for_learning(builtin[i]))
			continue;
		policy = new_policy();
		load(policy, builtin[i]);
		check_ok(reeve_policy_resolve(policy, &options, &err), &err);
		CHECK(can_read(policy, "/var/lib/some/file"));
		for (size_t k = 0; k < sizeof(secrets) / sizeof(secrets[0]); k++) {
			const char *rest = strchr(secrets[k], '}');

			snprintf(path, sizeof(path), "%s%s", rest ? here("home") : "",
				rest ? rest + 1 : secrets[k]);
			CHECK(!can_read(policy, path));
		}
		reeve_policy_free(policy);
	}
}

/* What no other profile may ever grant, whoever asks: checked on the rules as they are, paths
 * missing. */
static void nothing_secret(void)
{
	static const char *const secrets[] = {"/etc", "/etc/shadow", "/etc/gshadow", "/etc/sudoers",
		"/etc/ssh", "/etc/ssl", "/etc/ssl/private", "/dev", "/dev/shm", "/dev/mem", "/root",
		"/home", "/var", "/run", "/tmp", "/boot", "/sys", "/"};
	static const char *const at_home[] = {"", ".ssh", ".ssh/id_ed25519", ".aws", ".gnupg",
		".npmrc", ".pypirc", ".netrc", ".git-credentials", ".config",
		".config/git/credentials", ".cargo", ".cargo/credentials.toml", ".local",
		".local/share", ".cache", ".docker", ".kube", ".bash_history", ".npm", ".nvm",
		"go"};

	enter_home();
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		const struct reeve_resolve_options options = {
			.size = sizeof(options), .cwd = here("project"), .keep_missing = true};
		struct reeve_policy *policy;
		struct reeve_error err;
		char path[PATH_MAX];

		if (is_for_learning(builtin[i]))
			continue;
		policy = new_policy();
		load(policy, builtin[i]);
		check_ok(reeve_policy_resolve(policy, &options, &err), &err);
		for (size_t k = 0; k < sizeof(secrets) / sizeof(secrets[0]); k++)
			CHECK_EQ(PATH(reeve_policy_ruleset(policy), secrets[k]), 0);
		for (size_t k = 0; k < sizeof(at_home) / sizeof(at_home[0]); k++) {
			snprintf(path, sizeof(path), "%s%s%s", here("home"), *at_home[k] ? "/" : "",
				at_home[k]);
			CHECK_EQ(PATH(reeve_policy_ruleset(policy), path), 0);
		}
		reeve_policy_free(policy);
	}
}

static void workspace(void)
{
	struct reeve_policy *policy = new_policy(), *none = new_policy();
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	struct reeve_rights handled, same;
	struct reeve_rule rule;
	struct reeve_error err;
	uint64_t all = reeve_rights_of_abi(REEVE_FS, 7);

	enter_home();
	load(policy, "workspace");
	load(none, "none");
	check_ok(resolve_in(policy, here("project"), &err), &err);
	check_ok(resolve_in(none, here("project"), &err), &err);
	CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(none)), 0);
	reeve_ruleset_handled(reeve_policy_ruleset(policy), &handled);
	reeve_ruleset_handled(reeve_policy_ruleset(none), &same);
	CHECK(memcmp(&handled, &same, sizeof(same)) == 0);
	CHECK_EQ(handled.of[REEVE_FS], all);
	CHECK_EQ(handled.of[REEVE_NET], REEVE_NET_BIND_TCP | REEVE_NET_CONNECT_TCP);
	CHECK_EQ(handled.of[REEVE_SOCKET], REEVE_SOCKET_CREATE);
	CHECK_EQ(handled.of[REEVE_SCOPE], REEVE_SCOPE_ABSTRACT_UNIX_SOCKET | REEVE_SCOPE_SIGNAL |
						  REEVE_SCOPE_PATHNAME_UNIX_SOCKET);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), here("project")),
		all & ~(REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK));
	reeve_policy_settings(policy, &settings);
	CHECK(settings.private_tmpdir);
	CHECK(!reeve_policy_degraded_at(policy, 0)); /* nothing is given up by default */
	for (size_t i = 0; reeve_ruleset_at(reeve_policy_ruleset(policy), i, &rule) == 0; i++) {
		CHECK(rule.type != REEVE_RULE_NET_PORT && rule.type != REEVE_RULE_NET_ADDRESS);
		if (rule.type == REEVE_RULE_SOCKET)
			CHECK(rule.socket_family == 1 || rule.socket_family == 16);
		/* Only the project, terminals and the null devices can be written. */
		if (rule.allowed & REEVE_FS_WRITE_FILE && strncmp(rule.path, "/dev/", 5) != 0)
			CHECK_STR(rule.path, here("project"));
	}
	reeve_policy_free(policy);
	reeve_policy_free(none);
}

static void refused_directories(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;

	enter_home();
	CHECK_EQ(mkdir("home/project", 0700), 0);
	CHECK_EQ(symlink("home", "link"), 0);
	load(policy, "workspace");
	CHECK_EQ(resolve_in(policy, "/", &err), -EINVAL);
	CHECK(has(
		err.message, ": refuse_cwd: the working directory / would be granted as a whole"));
	CHECK(has(err.hint, "--rw DIR"));
	CHECK_EQ(resolve_in(policy, here("home"), &err), -EINVAL);
	CHECK_EQ(resolve_in(policy, here("link"), &err), -EINVAL);
	CHECK_EQ(resolve_in(policy, here(""), &err), -EINVAL); /* above it */
	CHECK(has(err.message, ", and with it "));
	check_ok(resolve_in(policy, here("home/project"), &err), &err);
	check_ok(resolve_in(policy, here("project"), &err), &err);
	/* The current directory, where none is said. */
	CHECK_EQ(chdir("home"), 0);
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	CHECK_EQ(chdir("project"), 0);
	check_ok(reeve_policy_resolve(policy, NULL, &err), &err);
	CHECK_EQ(resolve_in(policy, "relative", &err), -EINVAL);
	reeve_policy_free(policy);
}

static int find_mine(void *data, const char *name, const char *summary, const char *source)
{
	if (strcmp(name, "mine") == 0) {
		CHECK_STR(summary, "My own");
		CHECK_STR(source, here("home/.config/reeve/profiles/mine.toml"));
		*(int *)data |= 1;
	}
	if (strcmp(name, "none") == 0) {
		CHECK_STR(source, here("home/.config/reeve/profiles/none.toml"));
		*(int *)data |= 2;
	}
	return 0;
}

/* Found first in the user's directory; one that extends its own name means the built-in one. */
static void user_profiles(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;
	int seen = 0;

	enter_home();
	CHECK_EQ(mkdir("home/.config", 0700), 0);
	CHECK_EQ(mkdir("home/.config/reeve", 0700), 0);
	CHECK_EQ(mkdir("home/.config/reeve/profiles", 0700), 0);
	write_file("home/.config/reeve/profiles/mine.toml", "#  My own\n" READ_RULE("/mine"));
	write_file("home/.config/reeve/profiles/none.toml",
		"extends = [\"none\", \"mine\"]\n" READ_RULE("/more"));
	write_file("home/.config/reeve/profiles/not-one.txt", "");
	CHECK_EQ(reeve_profile_list(find_mine, &seen), 0);
	CHECK_EQ(seen, 3);
	load(policy, "none");
	CHECK_EQ(PATH(resolve(policy), "/mine"), REEVE_FS_READ_FILE);
	CHECK_EQ(PATH(resolve(policy), "/more"), REEVE_FS_READ_FILE);
	CHECK_STR(reeve_policy_file_at(policy, 0), here("home/.config/reeve/profiles/none.toml"));
	reeve_policy_free(policy);

	policy = new_policy();
	CHECK_EQ(setenv("XDG_CONFIG_HOME", here("elsewhere"), 1), 0);
	CHECK_EQ(reeve_policy_load_profile(policy, "mine", &err), -ENOENT);
	CHECK(has(err.message, "no profile \"mine\": expected one of base, git-ssh, go, learn, "
			       "learn-net, node, none, "
			       "python, rust, workspace, workspace-net"));
	CHECK_EQ(setenv("XDG_CONFIG_HOME", "relative", 1), 0); /* to be ignored */
	check_ok(reeve_policy_load_profile(policy, "mine", &err), &err);
	CHECK_EQ(reeve_policy_load_profile(policy, "../mine", &err), -ENOENT);
	CHECK_EQ(reeve_policy_load_profile(policy, "", &err), -ENOENT);
	CHECK_EQ(reeve_policy_load_profile(policy, ".mine", &err), -ENOENT);
	reeve_policy_free(policy);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"what is not a regular file", not_regular},
		{"what cannot be read", unreadable},
		{"standard input", standard_input},
		{"extends: relative files, both notations, a diamond", extending},
		{"cycles of extends", cycles},
		{"extends without end", too_deep},
		{"errors in what is extended", errors_inside},
		{"settings of what is extended", extended_settings},
		{"built-in profiles load and resolve", builtin_profiles},
		{"built-in profiles are what their text says", compiled_profiles},
		{"no profile grants a secret", nothing_secret},
		{"nor those for learning", nothing_secret_while_learning},
		{"workspace and none", workspace},
		{"working directories that workspace refuses", refused_directories},
		{"user profiles", user_profiles},
	};

	return tap_run_in_scratch(cases, sizeof(cases) / sizeof(cases[0]));
}
