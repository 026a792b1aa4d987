/* SPDX-License-Identifier: MIT */
/* Supervised plans, and the life of a supervisor within a program of somebody else's. */
#include <pthread.h>
#include <signal.h>
#include "../enforce/helpers.h"
#include "enforce/plan.h"
#include "supervise/domain_id.h"

#define READ_ALL                                                                                   \
	"abi = 6\n"                                                                                \
	"[[ruleset]]\n"                                                                            \
	"handled_access_fs = [\"abi.all\"]\n"                                                      \
	"[[path_beneath]]\n"                                                                       \
	"allowed_access = [\"read_file\", \"read_dir\", \"execute\"]\n"                            \
	"parent = [\"/\"]\n"

#define LIVE(access)                                                                               \
	"[[path_beneath]]\n"                                                                       \
	"allowed_access = [\"" access "\"]\n"                                                      \
	"parent = [\"/opt\"]\n"                                                                    \
	"live = true\n"

/* ------------------------------------------------------------------------ plans */

static int plan_for(const char *toml, const struct reeve_kernel *kernel, bool no_events,
	struct reeve_plan **plan, struct reeve_error *err)
{
	struct reeve_supervised_plan_options options = {
		.size = sizeof(options), .no_events = no_events};
	struct reeve_policy *policy = policy_of(toml);
	int r = reeve_plan_new_supervised(policy, kernel, &options, plan, err);

	reeve_policy_free(policy);
	return r;
}

static void refuses(const struct reeve_kernel *kernel, const char *message)
{
	struct reeve_error err = {0};
	struct reeve_plan *plan = NULL;

	CHECK_EQ(plan_for(READ_ALL, kernel, false, &plan, &err), -EOPNOTSUPP);
	CHECK(!plan);
	if (!strstr(err.message, message))
		printf("# %s\n", err.message);
	CHECK(strstr(err.message, message));
	CHECK(err.hint[0]);
}

static void kernels_that_cannot(void)
{
	struct reeve_kernel k = fake_kernel(7);

	k.yama = 3;
	refuses(&k, "ptrace_scope 3");
	k.yama = 1;
	k.wait_killable_recv = false;
	refuses(&k, "WAIT_KILLABLE_RECV");
	k.wait_killable_recv = true;
	k.listener_taken = true;
	unsetenv("REEVE_DOMAIN");
	refuses(&k, "EBUSY");
	setenv("REEVE_DOMAIN", "1a2b", 1);
	refuses(&k, "supervised domain 1a2b");
	k = fake_kernel(5);
	refuses(&k, "scope.signal");
	become_user();
	k = fake_kernel(7);
	k.yama = 2;
	refuses(&k, "ptrace_scope 2");
}

static void live_rules_stay_out_of_the_floor(void)
{
	struct reeve_kernel k = fake_kernel(7);
	struct reeve_error err = {0};
	struct reeve_plan *plan;
	struct reeve_rule rule;

	CHECK_OK(plan_for(READ_ALL LIVE("write_file"), &k, false, &plan, &err));
	CHECK_EQ(reeve_ruleset_count(reeve_plan_floor(plan)), 1);
	CHECK(rv_plan_has(plan, "live", REEVE_BY_SUPERVISOR));
	CHECK(rv_plan_has(plan, "events", REEVE_BY_SUPERVISOR));
	CHECK(rv_plan_has(plan, "scope.signal", REEVE_BY_LANDLOCK));
	CHECK_EQ(reeve_ruleset_count(plan->live), 1);
	CHECK_EQ(reeve_ruleset_at(plan->live, 0, &rule), 0);
	CHECK_STR(rule.path, "/opt");
	reeve_plan_free(plan);

	CHECK_EQ(plan_for(READ_ALL LIVE("write_file"), &k, true, &plan, &err), -EOPNOTSUPP);
	CHECK(strstr(err.message, "--events none"));
	CHECK_EQ(plan_for(READ_ALL LIVE("execute"), &k, false, &plan, &err), -EOPNOTSUPP);
	CHECK(strstr(err.message, "execute"));
}

static void events_decide_what_is_trapped(void)
{
	struct reeve_kernel k = fake_kernel(7);
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	CHECK_OK(plan_for(READ_ALL, &k, false, &plan, &err));
	CHECK(plan->spec.supervised);
	CHECK_EQ(plan->spec.traps, RV_TRAP_FS | RV_TRAP_EXEC | RV_TRAP_GUARD | RV_TRAP_BIND);
	CHECK_EQ(reeve_plan_restrict(plan, 0, &err), -EINVAL);
	reeve_plan_free(plan);
	CHECK_OK(plan_for(READ_ALL, &k, true, &plan, &err));
	CHECK(plan->spec.supervised);
	CHECK_EQ(plan->spec.traps, 0);
	reeve_plan_free(plan);
}

/* What the kernel lacks is trapped whether events are wanted or not; what it has never for that. */
static void sockets_are_trapped_for_what_the_kernel_lacks(void)
{
	static const char scope[] = "[[ruleset]]\nscoped = [\"pathname_unix_socket\"]\n";
	static const char address[] =
		"[[ruleset]]\nhandled_access_net = [\"connect_tcp\"]\n[[net_address]]\n"
		"allowed_access = [\"connect_tcp\"]\naddress = [\"public:443\"]\n";
	static const struct {
		const char *policy;
		int abi;
		unsigned int traps;
	} rows[] = {
		{scope, 7, RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_MOVES},
		{scope, 9, 0},
		{address, 7, RV_TRAP_CONNECT | RV_TRAP_BIND},
		{address, 9, RV_TRAP_CONNECT | RV_TRAP_BIND},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reeve_kernel k = fake_kernel(rows[i].abi);
		struct reeve_error err = {0};
		struct reeve_plan *plan;

		CHECK_OK(plan_for(rows[i].policy, &k, true, &plan, &err));
		CHECK_EQ(plan->spec.traps, rows[i].traps);
		reeve_plan_free(plan);
	}
}

static void ids(void)
{
	char text[RV_DOMAIN_ID_SIZE];
	struct rv_certificate a = {.pidns = 1}, b = {.pidns = 1};

	CHECK_EQ(rv_certificate_make(&a), 0);
	CHECK_EQ(rv_certificate_make(&b), 0);
	CHECK(a.domain && b.domain && a.domain != b.domain);
	CHECK_STR(rv_domain_id_format(0x1abc, text), "1abc");
	CHECK_STR(rv_domain_id_format(UINT64_MAX, text), "ffffffffffffffff");
}

/* ------------------------------------------------------------------------- life */

/* The running kernel's, or the case is skipped where it cannot enforce what is asked for. */
static struct reeve_plan *plan_here(void)
{
	struct reeve_error err = {0};
	struct reeve_plan *plan = NULL;
	int r = plan_for(READ_ALL, NULL, false, &plan, &err);

	if (r == -EOPNOTSUPP)
		SKIP("landlock: the running kernel's lacks what this asks for");
	CHECK_OK(r);
	return plan;
}

static struct reeve_supervisor *start(char *const argv[])
{
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	plan = plan_here();
	CHECK_OK(reeve_supervisor_start(plan, argv, NULL, &supervisor, &err));
	reeve_plan_free(plan);
	return supervisor;
}

static void *start_in_thread(void *argv)
{
	return start(argv);
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void outlives_the_thread_that_started_it(void)
{
	char *argv[] = {(char *)"cat", NULL};
	struct reeve_supervisor *supervisor;
	pthread_t thread;
	void *result;
	int in[2], status = 0, saved = dup(0);

	CHECK(saved >= 0 && pipe2(in, O_CLOEXEC) == 0 && dup2(in[0], 0) == 0);
	CHECK_EQ(pthread_create(&thread, NULL, start_in_thread, argv), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	supervisor = result;
	CHECK_EQ(reeve_supervisor_wait(supervisor, WNOHANG, &status), 0);
	close(in[1]);
	close(in[0]);
	CHECK_EQ(reeve_supervisor_wait(supervisor, 0, &status), reeve_supervisor_pid(supervisor));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_EQ(reeve_supervisor_wait(supervisor, 0, &status), reeve_supervisor_pid(supervisor));
	CHECK_EQ(reeve_supervisor_end(supervisor), 0);
}

static void leaves_nothing(void)
{
	char *argv[] = {(char *)"true", NULL}, *missing[] = {(char *)"/nonsense/program", NULL};
	struct reeve_error err = {0};
	struct reeve_supervisor *supervisor;
	struct reeve_plan *plan;
	int before = count_fds();

	for (int i = 0; i < 20; i++) {
		supervisor = start(argv);
		CHECK_EQ(reeve_supervisor_wait(supervisor, 0, NULL),
			reeve_supervisor_pid(supervisor));
		CHECK_EQ(reeve_supervisor_end(supervisor), 0);
	}
	plan = plan_here();
	CHECK_EQ(reeve_supervisor_start(plan, missing, NULL, &supervisor, &err), -ENOENT);
	CHECK_EQ(reeve_exec_exit_code(&err), 127);
	reeve_plan_free(plan);
	CHECK_EQ(count_fds(), before);
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

static void end_kills(void)
{
	char *argv[] = {(char *)"sh", (char *)"-c",
		(char *)"sleep 1000 & setsid sleep 1000 & echo; exec sleep 1000", NULL};
	struct reeve_supervisor *supervisor;
	int out[2], saved = dup(1), left;
	char byte;

	CHECK(saved >= 0 && pipe2(out, O_CLOEXEC) == 0 && dup2(out[1], 1) == 1);
	supervisor = start(argv);
	CHECK(dup2(saved, 1) == 1);
	close(out[1]);
	CHECK_EQ(read(out[0], &byte, 1), 1);
	left = reeve_supervisor_end(supervisor);
	/* The setsid may have forked, or not yet. */
	if (left < 2 || left > 3)
		printf("# %d were left\n", left);
	CHECK(left == 2 || left == 3);
	CHECK_EQ(read(out[0], &byte, 1), 0); /* none of them holds it any more */
}

static void kill_ends_it(void)
{
	char *argv[] = {(char *)"sleep", (char *)"1000", NULL};
	struct reeve_supervisor *supervisor = start(argv);
	int status = 0;

	reeve_supervisor_kill(supervisor);
	CHECK_EQ(reeve_supervisor_wait(supervisor, 0, &status), reeve_supervisor_pid(supervisor));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(reeve_supervisor_end(supervisor), 0);
	CHECK_EQ(reeve_supervisor_end(NULL), 0);
}

static void needs_sigchld(void)
{
	char *argv[] = {(char *)"true", NULL};
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	plan = plan_here();
	signal(SIGCHLD, SIG_IGN);
	CHECK_EQ(reeve_supervisor_start(plan, argv, NULL, &supervisor, &err), -EINVAL);
	signal(SIGCHLD, SIG_DFL);
	reeve_plan_free(plan);
	plan = plan_of(READ_ALL);
	CHECK_EQ(reeve_supervisor_start(plan, argv, NULL, &supervisor, &err), -EINVAL);
	reeve_plan_free(plan);
}

/* A handler of ours must not run in the program, whenever the signal comes. */
static void on_signal(int sig)
{
	(void)sig;
}

static void signals_are_the_programs_own(void)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"kill -USR1 $$", NULL};
	struct reeve_supervisor_options options = {.size = sizeof(options)};
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};
	struct reeve_plan *plan;
	sigset_t none;
	int status = 0;

	sigemptyset(&none);
	signal(SIGUSR1, on_signal);
	options.signal_mask = &none;
	options.sync_wake_up = -1;
	plan = plan_here();
	CHECK_OK(reeve_supervisor_start(plan, argv, &options, &supervisor, &err));
	reeve_plan_free(plan);
	CHECK(reeve_supervisor_wait(supervisor, 0, &status) > 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	reeve_supervisor_end(supervisor);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"plan: kernels that cannot are refused, with the reason", kernels_that_cannot},
		{"plan: live rules stay out of the floor", live_rules_stay_out_of_the_floor},
		{"plan: events decide what is trapped", events_decide_what_is_trapped},
		{"plan: sockets are trapped for what the kernel lacks",
			sockets_are_trapped_for_what_the_kernel_lacks},
		{"domain ids", ids},
		{"a program outlives the thread that started it",
			outlives_the_thread_that_started_it},
		{"a supervisor leaves nothing, and neither does a failed start", leaves_nothing},
		{"end kills what is left, and counts it", end_kills},
		{"kill ends the program", kill_ends_it},
		{"without SIGCHLD, or with a static plan, nothing is started", needs_sigchld},
		{"handlers are not inherited", signals_are_the_programs_own},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
