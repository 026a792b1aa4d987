/* SPDX-License-Identifier: MIT */
/* reeve_plan_spawn(): a program beside the caller, and the caller as it was. */
#include "embed.h"
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

static char *const say_hello[] = {
	(char *)"/bin/sh", (char *)"-c", (char *)"echo hello; exit 7", NULL};

#define SHELL(script) ((char *const[]){(char *)"/bin/sh", (char *)"-c", (char *)(script), NULL})

/* ---------------------------------------------------------------------- what works */

static void runs_restricted(void)
{
	struct reeve_plan *plan = plan_in_code();
	struct reeve_error err = {0};
	int pidfd = -1;

	CHECK(reeve_plan_spawn(plan, SHELL("exit 7"), NULL, &pidfd, &err) > 0);
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(wait_for(pidfd), 7);
	CHECK(reeve_plan_spawn(plan, SHELL("echo > /tmp/x"), NULL, &pidfd, &err) > 0);
	CHECK(wait_for(pidfd) != 0);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0); /* we are not restricted */
	CHECK_EQ(access("/tmp", W_OK), 0);
	reeve_plan_free(plan);
}

static void by_pid(void)
{
	struct reeve_plan *plan = plan_in_code();
	int status = 0;
	pid_t pid = reeve_plan_spawn(plan, SHELL("exit 3"), NULL, NULL, NULL);

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 3);
	reeve_plan_free(plan);
}

static void descriptors(void)
{
	struct reeve_plan *plan = plan_in_code();
	int out[2], err_pipe[2], pidfd;
	struct reeve_fd_map fds[3];
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = fds, .fds_count = 3};
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = &exec};
	char *const *script = SHELL("echo out; echo err >&2; echo nine >&9; "
				    "ls /proc/self/fd | wc -l >&9");

	CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(err_pipe, O_CLOEXEC) == 0);
	/* Crossed over: each number is also the source of another. */
	fds[0] = (struct reeve_fd_map){out[1], 1};
	fds[1] = (struct reeve_fd_map){err_pipe[1], 2};
	fds[2] = (struct reeve_fd_map){out[1], 9};
	CHECK(reeve_plan_spawn(plan, script, &options, &pidfd, NULL) > 0);
	close(out[1]);
	close(err_pipe[1]);
	CHECK_STR(read_all(err_pipe[0]), "err\n");
	/* 0, 1, 2, 9, and the one that ls reads from: nothing else got in. */
	CHECK_STR(read_all(out[0]), "out\nnine\n5\n");
	CHECK_EQ(wait_for(pidfd), 0);
	reeve_plan_free(plan);
}

static void descriptors_exchanged(void)
{
	struct reeve_plan *plan = plan_in_code();
	int a[2], b[2], pidfd;
	struct reeve_fd_map fds[2];
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = fds, .fds_count = 2};
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = &exec};
	char script[100];

	CHECK(pipe2(a, O_CLOEXEC) == 0 && pipe2(b, O_CLOEXEC) == 0);
	fds[0] = (struct reeve_fd_map){a[1], b[1]};
	fds[1] = (struct reeve_fd_map){b[1], a[1]};
	snprintf(script, sizeof(script), "echo a >&%d; echo b >&%d", a[1], b[1]);
	CHECK(reeve_plan_spawn(plan, SHELL(script), &options, &pidfd, NULL) > 0);
	close(a[1]);
	close(b[1]);
	CHECK_STR(read_all(a[0]), "b\n");
	CHECK_STR(read_all(b[0]), "a\n");
	CHECK_EQ(wait_for(pidfd), 0);
	reeve_plan_free(plan);
}

static void environment_and_directory(void)
{
	struct reeve_plan *plan = plan_in_code();
	static char *const env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"WHO=me", NULL};
	int out[2], pidfd;
	struct reeve_fd_map map;
	struct reeve_exec_options exec = {
		.size = sizeof(exec), .envp = env, .chdir = "/usr", .fds = &map, .fds_count = 1};
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = &exec};
	char before[PATH_MAX], after[PATH_MAX];

	CHECK(getcwd(before, sizeof(before)));
	CHECK(pipe2(out, O_CLOEXEC) == 0);
	map = (struct reeve_fd_map){out[1], 1};
	CHECK(reeve_plan_spawn(plan, SHELL("pwd; echo $WHO $HOME"), &options, &pidfd, NULL) > 0);
	close(out[1]);
	CHECK_STR(read_all(out[0]), "/usr\nme\n");
	CHECK_EQ(wait_for(pidfd), 0);
	CHECK(getcwd(after, sizeof(after)));
	CHECK_STR(after, before);
	reeve_plan_free(plan);
}

static void signals(void)
{
	struct reeve_plan *plan = plan_in_code();
	struct reeve_spawn_options options = {.size = sizeof(options)};
	sigset_t mask, now;
	int pidfd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	options.signal_mask = &mask;
	/* SIGUSR1 stays pending, SIGUSR2 ends it. */
	CHECK(reeve_plan_spawn(plan, SHELL("kill -USR1 $$; kill -USR2 $$; exit 5"), &options,
		      &pidfd, NULL) > 0);
	CHECK_EQ(wait_for(pidfd), 128 + SIGUSR2);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK_EQ(sigismember(&now, SIGUSR1), 0);
	reeve_plan_free(plan);
}

static int open_pty(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master))
		SKIP("pty: none to be had");
	*ret_slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(*ret_slave >= 0);
	return master;
}

static void terminal(void)
{
	struct reeve_plan *plan = plan_in_code();
	int slave, master = open_pty(&slave), pidfd;
	struct reeve_exec_options exec = {.size = sizeof(exec), .terminal = &slave};
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = &exec};
	char text[200] = "";
	ssize_t n;

	CHECK(reeve_plan_spawn(plan,
		      SHELL("test -t 0 && test -t 1 && test -t 2 && ps -o tty= -p $$"), &options,
		      &pidfd, NULL) > 0);
	CHECK_EQ(wait_for(pidfd), 0);
	close(slave);
	n = read(master, text, sizeof(text) - 1);
	CHECK(n > 0);
	CHECK(strstr(text, ptsname(master) + strlen("/dev/")));
	reeve_plan_free(plan);
}

static void *spawn_many(void *data)
{
	for (int i = 0; i < 20; i++) {
		int pidfd;

		if (reeve_plan_spawn(data, SHELL("exit 9"), NULL, &pidfd, NULL) < 0 ||
			wait_for(pidfd) != 9)
			return data;
		close(pidfd);
	}
	return NULL;
}

/* Several threads, and forks that go on without exec and hold copies of every descriptor. */
static void from_threads(void)
{
	struct reeve_plan *plan = plan_in_code();
	pthread_t threads[4];
	void *failed;
	pid_t idle[20];

	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, spawn_many, plan), 0);
	for (size_t i = 0; i < COUNT(idle); i++) {
		idle[i] = fork();
		if (idle[i] == 0) {
			pause();
			_exit(0);
		}
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		CHECK_EQ(pthread_join(threads[i], &failed), 0);
		CHECK(!failed);
	}
	for (size_t i = 0; i < COUNT(idle); i++) {
		kill(idle[i], SIGKILL);
		waitpid(idle[i], NULL, 0);
	}
	reeve_plan_free(plan);
}

/* ------------------------------------------------------------------------- errors */

static void expect(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *exec, int code, int exit_code)
{
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = exec};
	struct reeve_error err = {0};
	int pidfd = -77;

	CHECK_EQ(reeve_plan_spawn(plan, argv, &options, &pidfd, &err), code);
	CHECK_EQ(pidfd, -77);
	CHECK_EQ(err.code, code);
	CHECK(err.message[0]);
	CHECK_EQ(reeve_exec_exit_code(&err), exit_code);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG | __WALL), -1); /* nothing is left */
}

/* In the order in which they are found: each call has everything wrong that comes after, too. */
static void errors_in_order(void)
{
	struct reeve_plan *plan = plan_in_code();
	const int closed = 1000, not_a_tty = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct reeve_fd_map fds[] = {{closed, 1}, {not_a_tty, -1}, {not_a_tty, 1}, {not_a_tty, 1}};
	char *const empty[] = {NULL};
	char *const absent[] = {(char *)"no-such-program", NULL};
	char *const directory[] = {(char *)"/usr", NULL};
	struct reeve_exec_options exec = {.size = sizeof(exec),
		.restrict_flags = REEVE_RESTRICT_TSYNC,
		.keep_fds = &closed,
		.keep_fds_count = 1,
		.fds = fds,
		.fds_count = 1,
		.terminal = &closed,
		.chdir = "/no/such/directory"};

	expect(plan, empty, &exec, -EINVAL, 125);
	exec.restrict_flags = 0;
	expect(plan, empty, &exec, -EINVAL, 125);
	expect(plan, NULL, &exec, -EINVAL, 125);
	expect(plan, absent, &exec, -EBADF, 125); /* keep_fds */
	exec.keep_fds_count = 0;
	expect(plan, absent, &exec, -EBADF, 125); /* from */
	exec.fds = fds + 1;
	expect(plan, absent, &exec, -EINVAL, 125); /* to */
	exec.fds = fds + 2;
	exec.fds_count = 2;
	expect(plan, absent, &exec, -EINVAL, 125); /* twice */
	exec.fds_count = 1;
	expect(plan, absent, &exec, -EBADF, 125); /* terminal */
	exec.terminal = &not_a_tty;
	expect(plan, absent, &exec, -ENOTTY, 125);
	exec.terminal = NULL;
	expect(plan, absent, &exec, -ENOENT, 125); /* chdir */
	exec.chdir = NULL;
	expect(plan, absent, &exec, -ENOENT, 127);
	expect(plan, directory, &exec, -EACCES, 126);
	reeve_plan_free(plan);
}

static void wrong_plan(void)
{
	struct reeve_plan *plan = supervised_plan();

	expect(plan, say_hello, NULL, -EINVAL, 125);
	reeve_plan_free(plan);
}

/* The process itself cannot take that back. */
static void not_in_place(void)
{
	struct reeve_plan *plan = plan_in_code();
	struct reeve_exec_options exec = {.size = sizeof(exec), .new_session = true};
	struct reeve_error err = {0};

	CHECK_EQ(reeve_plan_exec(plan, say_hello, &exec, &err), -EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	reeve_plan_free(plan);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"runs a program restricted, and nobody else", runs_restricted},
		{"without a pidfd", by_pid},
		{"descriptors", descriptors},
		{"descriptors that change places", descriptors_exchanged},
		{"environment and directory are the program's", environment_and_directory},
		{"signal mask", signals},
		{"a terminal of its own", terminal},
		{"from several threads, beside forks that hold descriptors", from_threads},
		{"errors, in order", errors_in_order},
		{"a supervised plan", wrong_plan},
		{"a new session is for a new process", not_in_place},
	};

	become_user(argc, argv);
	setenv("PATH", "/usr/bin:/bin", 1);
	return tap_run(cases, COUNT(cases));
}
