/* SPDX-License-Identifier: MIT */
/* Plans put in force on the running kernel, as whoever runs the test and as an ordinary user. */
#include <arpa/inet.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "helpers.h"
#include "kernel/sys.h"

static struct reeve_kernel kernel;

static void need_abi(int abi)
{
	kernel.size = sizeof(kernel);
	CHECK_EQ(reeve_kernel_probe(&kernel), 0);
	if (kernel.landlock_abi < abi)
		SKIP("landlock: a newer ABI is needed");
}

/* A plan for a policy with %s for the test's directory. */
static struct reeve_plan *plan_in(const char *format, const char *dir)
{
	char text[20480];

	snprintf(text, sizeof(text), format, dir, dir, dir, dir);
	return plan_of(text);
}

static int try_open(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* A tree that an ordinary user may use: in/file, out/file. */
static const char *make_tree(void)
{
	const char *dir = make_dir();
	char path[PATH_MAX + 64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "in" : "out");
		CHECK(mkdir(path, 0755) == 0 && chmod(path, 0777) == 0);
		strcat(path, "/file");
		write_file(path, "text\n", 0666);
	}
	return dir;
}

/* ----------------------------------------------------------------------- effects */

#define GRANT_IN                                                                                   \
	"abi = 1\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"                                \
	"[[path_beneath]]\nallowed_access = [\"abi.all\"]\nparent = [\"%s/in\"]\n"

static void check_granted_in(void *data)
{
	const char *dir = data;
	struct reeve_plan *plan = plan_in(GRANT_IN, dir);
	struct reeve_error err = {0};

	CHECK_EQ(try_open(dir, "out/file", O_RDONLY), 0);
	CHECK_OK(reeve_plan_restrict(plan, 0, &err));
	CHECK_EQ(try_open(dir, "in/file", O_RDWR), 0);
	CHECK_EQ(try_open(dir, "in/new", O_WRONLY | O_CREAT), 0);
	CHECK_EQ(unlinkat(open(dir, O_PATH | O_DIRECTORY), "in/new", 0), 0);
	CHECK_EQ(try_open(dir, "out/file", O_RDONLY), -EACCES);
	CHECK_EQ(try_open(dir, "out/new", O_WRONLY | O_CREAT), -EACCES);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
}

static void as_user(void *data)
{
	become_user();
	check_granted_in(data);
}

static void denies_and_grants(void)
{
	const char *dir;

	need_abi(1);
	dir = make_tree();
	CHECK_EQ(in_child(check_granted_in, (void *)dir), 0);
	CHECK_EQ(in_child(as_user, (void *)dir), 0);
	remove_dir(dir);
}

/* --ro on a file: read_dir cannot be, read_file must. */
static void check_file_rule(void *data)
{
	const char *dir = data;
	struct reeve_plan *plan = plan_in(
		"[[ruleset]]\nhandled_access_fs = [\"read_file\", \"read_dir\", \"make_reg\"]\n"
		"[[path_beneath]]\nallowed_access = [\"read_file\", \"read_dir\", \"make_reg\"]\n"
		"parent = [\"%s/in/file\"]\n",
		dir);
	struct reeve_error err = {0};

	CHECK_OK(reeve_plan_restrict(plan, 0, &err));
	CHECK_EQ(try_open(dir, "in/file", O_RDONLY), 0);
	CHECK_EQ(try_open(dir, "in", O_RDONLY), -EACCES);
}

static void file_rights_are_masked(void)
{
	const char *dir;

	need_abi(1);
	dir = make_tree();
	CHECK_EQ(in_child(check_file_rule, (void *)dir), 0);
	remove_dir(dir);
}

/* A failed restriction must have changed nothing. */
static void check_refused(const char *format, const char *dir, int code, const char *words)
{
	struct reeve_plan *plan = plan_in(format, dir);
	struct reeve_error err = {0};

	CHECK_EQ(reeve_plan_restrict(plan, 0, &err), code);
	CHECK_EQ(err.code, code);
	if (!strstr(err.message, words))
		printf("# \"%s\" is not in \"%s\"\n", words, err.message);
	CHECK(strstr(err.message, words));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	reeve_plan_free(plan);
}

static void errors_name_rule_and_path(void)
{
	const char *dir;
	char link[PATH_MAX + 64];

	need_abi(1);
	dir = make_tree();
	check_refused("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n[[path_beneath]]\n"
		      "allowed_access = [\"make_reg\"]\nparent = [\"%s/nothing\"]\n",
		dir, -ENOENT, "/nothing: No such file or directory");
	check_refused("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n[[path_beneath]]\n"
		      "allowed_access = [\"make_reg\"]\nparent = [\"%s/nothing\"]\n",
		dir, -ENOENT, "test.toml:");
	/* A link that appears between resolving and restricting. */
	struct reeve_plan *plan = plan_in("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n"
					  "[[path_beneath]]\nallowed_access = [\"make_reg\"]\n"
					  "parent = [\"%s/later\"]\n",
		dir);
	struct reeve_error err = {0};

	snprintf(link, sizeof(link), "%s/later", dir);
	CHECK(symlink("/", link) == 0);
	CHECK_EQ(reeve_plan_restrict(plan, 0, &err), -ELOOP);
	CHECK(strstr(err.hint, "symbolic link"));
	reeve_plan_free(plan);
	remove_dir(dir);
}

/*
 * The policy cuts such a rule itself where the path is a file when it is resolved; so it becomes
 * one afterwards.
 */
static void nothing_left_is_an_error(void)
{
	const char *dir;
	char path[PATH_MAX + 64];
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	dir = make_tree();
	plan = plan_in("[[ruleset]]\nhandled_access_fs = [\"make_reg\", \"remove_file\"]\n"
		       "[[path_beneath]]\nallowed_access = [\"make_reg\", \"remove_file\"]\n"
		       "parent = [\"%s/thing\"]\n",
		dir);
	snprintf(path, sizeof(path), "%s/thing", dir);
	write_file(path, "", 0600);
	CHECK_EQ(reeve_plan_restrict(plan, 0, &err), -ENOTDIR);
	CHECK(strstr(err.message, "/thing: not a directory"));
	CHECK(strstr(err.message, "remove_file, make_reg"));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	reeve_plan_free(plan);
	remove_dir(dir);
}

static void optional_paths_may_be_missing(void)
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	plan = plan_of("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n[[path_beneath]]\n"
		       "allowed_access = [\"make_reg\"]\nparent = [\"/nonexistent/x\"]\n"
		       "missing = \"ignore\"\n");
	CHECK_OK(reeve_plan_restrict(plan, 0, &err));
}

static int try_connect(unsigned short port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	CHECK(fd >= 0);
	r = connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static void port_ranges_are_expanded(void)
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(4);
	plan = plan_of("[[ruleset]]\nhandled_access_net = [\"connect_tcp\"]\n[[net_port]]\n"
		       "allowed_access = [\"connect_tcp\"]\nport = [\"2-4\", 9]\n");
	CHECK_OK(reeve_plan_restrict(plan, 0, &err));
	for (unsigned short port = 1; port < 12; port++) {
		bool granted = (port >= 2 && port <= 4) || port == 9;

		CHECK_EQ(try_connect(port), granted ? -ECONNREFUSED : -EACCES);
	}
}

/* ------------------------------------------------------------------------- flags */

static void unknown_flags(void)
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	plan = plan_of("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n");
	CHECK_EQ(reeve_plan_restrict(plan, 0x80, &err), -EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

static void log_flags(void)
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};
	unsigned int flags = REEVE_RESTRICT_LOG_SAME_EXEC_OFF | REEVE_RESTRICT_LOG_NEW_EXEC_ON |
			     REEVE_RESTRICT_LOG_SUBDOMAINS_OFF;

	need_abi(1);
	plan = plan_of("[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n");
	if (kernel.landlock_abi < 7)
		CHECK_EQ(reeve_plan_restrict(plan, flags, &err), -ENOTSUP);
	else
		CHECK_OK(reeve_plan_restrict(plan, flags, &err));
}

struct other {
	pthread_barrier_t go;
	int before, after, seccomp;
};

static void *other_thread(void *data)
{
	struct other *other = data;

	pthread_barrier_wait(&other->go);
	pthread_barrier_wait(&other->go);
	other->after = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ? errno : 0;
	other->seccomp = prctl(PR_GET_SECCOMP);
	return NULL;
}

static void tsync(void)
{
	struct other other = {0};
	struct reeve_plan *plan;
	struct reeve_error err = {0};
	pthread_t thread;
	int r;

	need_abi(1);
	plan = plan_of("[[ruleset]]\nhandled_access_fs = [\"read_dir\"]\n");
	pthread_barrier_init(&other.go, NULL, 2);
	CHECK(pthread_create(&thread, NULL, other_thread, &other) == 0);
	pthread_barrier_wait(&other.go);
	r = reeve_plan_restrict(plan, REEVE_RESTRICT_TSYNC, &err);
	if (kernel.landlock_abi < 8) {
		CHECK_EQ(r, -ENOTSUP);
		CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	} else {
		CHECK_OK(r);
	}
	pthread_barrier_wait(&other.go);
	pthread_join(thread, NULL);
	CHECK_EQ(other.after, kernel.landlock_abi < 8 ? 0 : EACCES);
	CHECK_EQ(other.seccomp, kernel.landlock_abi < 8 ? 0 : SECCOMP_MODE_FILTER);
	if (kernel.landlock_abi < 8)
		CHECK_OK(reeve_plan_restrict(plan, REEVE_RESTRICT_TSYNC, &err));
}

static void layers_run_out(void)
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	plan = plan_of("[[ruleset]]\nhandled_access_fs = [\"make_block\"]\n");
	for (int i = 0; i < REEVE_LAYERS_MAX; i++)
		CHECK_OK(reeve_plan_restrict(plan, 0, &err));
	CHECK_EQ(reeve_plan_restrict(plan, 0, &err), -E2BIG);
	CHECK(strstr(err.message, "16 layers"));
}

/* ------------------------------------------------------------------------- sizes */

static void a_thousand_paths(void)
{
	const char *dir;
	char path[PATH_MAX + 64], *text = malloc(200000);
	size_t at = 0;
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	dir = make_dir();
	CHECK(text);
	at += (size_t)sprintf(text + at, "[[ruleset]]\nhandled_access_fs = [\"read_dir\"]\n"
					 "[[path_beneath]]\nallowed_access = [\"read_dir\"]\n"
					 "parent = [");
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		CHECK(mkdir(path, 0755) == 0);
		at += (size_t)sprintf(text + at, "\"%s\",", path);
	}
	strcpy(text + at, "]\n");
	plan = plan_of(text);
	CHECK_EQ(reeve_ruleset_count(reeve_plan_floor(plan)), 1000);
	fflush(NULL);
	if (fork() == 0) {
		CHECK_OK(reeve_plan_restrict(plan, 0, &err));
		CHECK_EQ(try_open(dir, "999", O_RDONLY), 0);
		CHECK_EQ(try_open(dir, "..", O_RDONLY), -EACCES);
		_exit(0);
	}
	int status;

	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	remove_dir(dir);
}

/* ------------------------------------------------------------------- kept open */

static int open_fds(void)
{
	int n = 0;

	for (int fd = 3; fd < 2048; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A policy for DIR/in whose path is kept open, and its plan. */
static struct reeve_plan *plan_kept_open(const char *dir)
{
	struct reeve_resolve_options options = {.size = sizeof(options), .keep_open = true};
	struct reeve_policy *policy;
	struct reeve_error err = {0};
	struct reeve_plan *plan;
	char text[20480];

	snprintf(text, sizeof(text), GRANT_IN, dir);
	CHECK_OK(reeve_policy_new(&policy));
	CHECK_OK(reeve_policy_load_text(
		policy, "test.toml", text, strlen(text), REEVE_POLICY_TOML, &err));
	CHECK_OK(reeve_policy_resolve(policy, &options, &err));
	CHECK_OK(reeve_plan_new(policy, NULL, &plan, &err));
	reeve_policy_free(policy);
	return plan;
}

/* Renames in and out against each other. */
static void swap(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_EQ(renameat(fd, "in", fd, "was-in"), 0);
	CHECK_EQ(renameat(fd, "out", fd, "in"), 0);
	CHECK_EQ(renameat(fd, "was-in", fd, "out"), 0);
	close(fd);
}

/* What was there when the policy was resolved is granted, and once only: then the path counts. */
static void kept_open(void)
{
	const char *dir = make_tree();
	int before = open_fds();
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	need_abi(1);
	reeve_plan_free(plan_kept_open(dir));
	CHECK_EQ(open_fds(), before);
	plan = plan_kept_open(dir);
	CHECK_EQ(open_fds(), before + 1);
	swap(dir);
	fflush(NULL);
	if (fork() == 0) {
		CHECK_OK(reeve_plan_restrict(plan, 0, &err));
		CHECK_EQ(open_fds(), before);
		CHECK_EQ(try_open(dir, "out/file", O_RDONLY), 0);
		CHECK_EQ(try_open(dir, "in/file", O_RDONLY), -EACCES);
		CHECK_OK(reeve_plan_restrict(plan, 0, &err)); /* by the path: nothing is left */
		CHECK_EQ(try_open(dir, "out/file", O_RDONLY), -EACCES);
		_exit(0);
	}
	int status;

	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	reeve_plan_free(plan);
	CHECK_EQ(open_fds(), before);
	remove_dir(dir);
}

/* A link, to be granted as what it leads to. */
static void check_link(const char *dir, const char *name, const char *target)
{
	struct reeve_resolve_options options = {.size = sizeof(options), .keep_open = true};
	struct reeve_policy *policy;
	struct reeve_error err = {0};
	char text[20480], want[PATH_MAX + 8];
	struct reeve_rule rule;
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target)
		CHECK_EQ(symlinkat(target, fd, name), 0);
	close(fd);
	snprintf(text, sizeof(text),
		"abi = 1\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.all\"]\nparent = [\"%s/%s\"]\n",
		dir, name);
	CHECK_OK(reeve_policy_new(&policy));
	CHECK_OK(reeve_policy_load_text(
		policy, "test.toml", text, strlen(text), REEVE_POLICY_TOML, &err));
	CHECK_OK(reeve_policy_resolve(policy, &options, &err));
	CHECK_EQ(reeve_ruleset_at(reeve_policy_ruleset(policy), 0, &rule), 0);
	snprintf(want, sizeof(want), "%s/in", dir);
	CHECK_STR(rule.path, want);
	reeve_policy_free(policy);
}

static void link_to_itself(const char *dir, const char *name)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK_EQ(symlinkat(".", fd, name), 0);
	close(fd);
}

static void links_are_canonical(void)
{
	const char *dir = make_tree();
	char absolute[PATH_MAX + 8];

	snprintf(absolute, sizeof(absolute), "%s/in", dir);
	check_link(dir, "a", absolute);
	check_link(dir, "b", "in");
	check_link(dir, "c", "./in");
	check_link(dir, "d", "b");
	check_link(dir, "e", "out/../in/");
	link_to_itself(dir, "f");
	check_link(dir, "f/b", NULL);
	check_link(dir, "f/f/a", NULL);
	check_link(dir, "b/", NULL);
	remove_dir(dir);
}

/* A few descriptors are enough for any number of rules. */
static void few_descriptors(void)
{
	const char *dir = make_tree();
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	need_abi(1);
	for (int limit = open_fds() + 8; limit < 24; limit++) {
		fflush(NULL);
		if (fork() == 0) {
			CHECK(setrlimit(RLIMIT_NOFILE,
				      &(struct rlimit){(rlim_t)limit, (rlim_t)limit}) == 0);
			plan = plan_kept_open(dir);
			CHECK_OK(reeve_plan_restrict(plan, 0, &err));
			CHECK_EQ(try_open(dir, "in/file", O_RDONLY), 0);
			CHECK_EQ(try_open(dir, "out/file", O_RDONLY), -EACCES);
			_exit(0);
		}
		int status;

		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
	remove_dir(dir);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"restrict: denies and grants, root and user", denies_and_grants},
		{"restrict: directory rights on a file are masked", file_rights_are_masked},
		{"restrict: errors name rule and path", errors_name_rule_and_path},
		{"restrict: nothing left on a file", nothing_left_is_an_error},
		{"restrict: optional paths", optional_paths_may_be_missing},
		{"restrict: port ranges", port_ranges_are_expanded},
		{"restrict: unknown flags", unknown_flags},
		{"restrict: log flags", log_flags},
		{"restrict: all threads", tsync},
		{"restrict: layers run out", layers_run_out},
		{"restrict: a thousand paths", a_thousand_paths},
		{"restrict: paths kept open since resolving", kept_open},
		{"restrict: links kept open", links_are_canonical},
		{"restrict: few file descriptors", few_descriptors},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
