/* SPDX-License-Identifier: MIT */
/* A supervisor within somebody's program: loops, several domains, threads, forks. */
#include "embed.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SHELL(script) ((char *const[]){(char *)"/bin/sh", (char *)"-c", (char *)(script), NULL})

static struct reeve_supervisor *start(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_supervisor_options *options)
{
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};

	if (reeve_supervisor_start(plan, argv, options, &supervisor, &err)) {
		printf("# %s\n", err.message);
		CHECK(!"started");
	}
	return supervisor;
}

static int exit_code(struct reeve_supervisor *supervisor)
{
	int status = 0;

	CHECK_EQ(reeve_supervisor_wait(supervisor, 0, &status), reeve_supervisor_pid(supervisor));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One loop for everything: the end of two programs, and their events. */
static void one_loop(void)
{
	struct reeve_plan *plan = supervised_plan();
	struct reeve_event_queue *queue;
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .event = reeve_event_queue_put};
	struct reeve_supervisor *running[2];
	int epoll = epoll_create1(EPOLL_CLOEXEC), ended = 0, denied[2] = {0};

	CHECK_EQ(reeve_event_queue_new(64, &queue), 0);
	options.event_data = queue;
	for (int i = 0; i < 2; i++) {
		struct epoll_event end = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		running[i] = start(plan, SHELL("echo > /tmp/reeve-embed-denied"), &options);
		CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, reeve_supervisor_pidfd(running[i]), &end),
			0);
	}
	CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, reeve_event_queue_fd(queue),
			 &(struct epoll_event){.events = EPOLLIN, .data.u32 = 2}),
		0);
	while (ended < 2 || !denied[0] || !denied[1]) {
		struct epoll_event ready;
		struct reeve_event *event;

		CHECK_EQ(epoll_wait(epoll, &ready, 1, 20000), 1);
		if (ready.data.u32 < 2) {
			struct reeve_supervisor *s = running[ready.data.u32];

			CHECK(exit_code(s) != 0);
			CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_DEL, reeve_supervisor_pidfd(s), NULL),
				0);
			ended++;
			continue;
		}
		while (reeve_event_queue_next(queue, &event) > 0) {
			int which = event->domain == reeve_supervisor_domain(running[1]);

			if (event->kind == REEVE_EVENT_DENIED)
				denied[which]++;
			free(event);
		}
	}
	CHECK(reeve_supervisor_domain(running[0]) != reeve_supervisor_domain(running[1]));
	for (int i = 0; i < 2; i++)
		CHECK_EQ(reeve_supervisor_end(running[i]), 0);
	reeve_event_queue_free(queue);
	reeve_plan_free(plan);
}

/* A queue that is full loses, and says how much. */
static void queue_loses(void)
{
	struct reeve_event event = {.size = sizeof(event), .kind = REEVE_EVENT_DENIED}, *got;
	struct reeve_event_queue *queue;
	struct pollfd ready;

	CHECK_EQ(reeve_event_queue_new(1, &queue), -EINVAL);
	CHECK_EQ(reeve_event_queue_new(SIZE_MAX, &queue), -EINVAL);
	CHECK_EQ(reeve_event_queue_new(2, &queue), 0);
	ready = (struct pollfd){.fd = reeve_event_queue_fd(queue), .events = POLLIN};
	CHECK_EQ(poll(&ready, 1, 0), 0);
	CHECK_EQ(reeve_event_queue_next(queue, &got), 0);
	for (int i = 0; i < 5; i++)
		reeve_event_queue_put(queue, &event);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(poll(&ready, 1, 0), 1);
		CHECK_EQ(reeve_event_queue_next(queue, &got), 1);
		CHECK_EQ(got->kind, REEVE_EVENT_DENIED);
		free(got);
	}
	CHECK_EQ(poll(&ready, 1, 0), 0);
	reeve_event_queue_put(queue, &event);
	CHECK_EQ(reeve_event_queue_next(queue, &got), 1);
	CHECK_EQ(got->kind, REEVE_EVENT_LOST);
	CHECK_EQ(got->count, 3);
	free(got);
	CHECK_EQ(poll(&ready, 1, 0), 1);
	CHECK_EQ(reeve_event_queue_next(queue, &got), 1);
	CHECK_EQ(got->kind, REEVE_EVENT_DENIED);
	free(got);
	reeve_event_queue_free(queue);
	reeve_event_queue_free(NULL);
}

static void descriptors_and_terminal(void)
{
	struct reeve_plan *plan = supervised_plan();
	int out[2], other[2];
	struct reeve_fd_map fds[2];
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = fds, .fds_count = 2};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .exec = &exec};
	struct reeve_supervisor *supervisor;

	CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(other, O_CLOEXEC) == 0);
	fds[0] = (struct reeve_fd_map){out[1], 1};
	fds[1] = (struct reeve_fd_map){other[1], 8};
	exec.new_session = true;
	supervisor = start(plan,
		SHELL("echo out; test $(ps -o sid= -p $$) = $$ && echo session >&8"), &options);
	close(out[1]);
	close(other[1]);
	CHECK_STR(read_all(out[0]), "out\n");
	CHECK_STR(read_all(other[0]), "session\n");
	CHECK_EQ(exit_code(supervisor), 0);
	reeve_supervisor_end(supervisor);
	reeve_plan_free(plan);
}

static void setup_errors(void)
{
	struct reeve_plan *plan = supervised_plan(), *in_place = plan_in_code();
	struct reeve_fd_map fds[] = {{1000, 1}};
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = fds, .fds_count = 1};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .exec = &exec};
	struct reeve_supervisor *supervisor = NULL;
	struct reeve_error err = {0};
	char *const absent[] = {(char *)"no-such-program", NULL};

	CHECK_EQ(reeve_supervisor_start(in_place, absent, &options, &supervisor, &err), -EINVAL);
	CHECK_EQ(reeve_supervisor_start(plan, absent, &options, &supervisor, &err), -ENOENT);
	CHECK_EQ(reeve_exec_exit_code(&err), 127);
	CHECK_EQ(reeve_supervisor_start(plan, SHELL("true"), &options, &supervisor, &err), -EBADF);
	CHECK_EQ(reeve_exec_exit_code(&err), 125);
	CHECK(!supervisor);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	reeve_plan_free(plan);
	reeve_plan_free(in_place);
}

/* Rules that change while it runs, staged and committed from another thread. */
struct granting {
	struct reeve_supervisor *supervisor;
	char path[40];
};

static void *grant(void *data)
{
	const struct granting *granting = data;
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.allowed = REEVE_FS_WRITE_FILE | REEVE_FS_MAKE_REG,
		.path = granting->path};
	struct reeve_live_options live = {.size = sizeof(live), .by = "test"};
	int r = reeve_supervisor_stage_add(granting->supervisor, &rule, &live, NULL);

	if (r == 0)
		r = reeve_supervisor_commit(granting->supervisor, "test", NULL);
	return r ? data : NULL;
}

static void changes_rules(void)
{
	struct reeve_plan *plan = supervised_plan();
	struct granting granting = {.path = "/tmp/reeve-embed-XXXXXX"};
	int go[2], out[2];
	struct reeve_fd_map fds[2];
	struct reeve_exec_options exec = {.size = sizeof(exec), .fds = fds, .fds_count = 2};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .exec = &exec};
	char script[300];
	pthread_t thread;
	void *failed;

	CHECK(mkdtemp(granting.path));
	snprintf(script, sizeof(script),
		"exec 2>/dev/null; (: >%s/file) && echo early; echo; read x; "
		"(: >%s/file) && echo late; rm -f %s/file",
		granting.path, granting.path, granting.path);
	CHECK(pipe2(go, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	fds[0] = (struct reeve_fd_map){go[0], 0};
	fds[1] = (struct reeve_fd_map){out[1], 1};
	granting.supervisor = start(plan, SHELL(script), &options);
	close(out[1]);
	CHECK_EQ(read(out[0], script, 1), 1); /* it has tried */
	CHECK_EQ(script[0], '\n');
	CHECK_EQ(pthread_create(&thread, NULL, grant, &granting), 0);
	CHECK_EQ(pthread_join(thread, &failed), 0);
	CHECK(!failed);
	CHECK_EQ(write(go[1], "\n", 1), 1);
	CHECK_STR(read_all(out[0]), "late\n");
	reeve_supervisor_end(granting.supervisor);
	reeve_plan_free(plan);
	snprintf(script, sizeof(script), "rm -r %s", granting.path);
	CHECK_EQ(system(script), 0);
}

static volatile sig_atomic_t handled;

static void handle(int sig)
{
	(void)sig;
	handled++;
}

/* No handler is installed, and other children are not touched. */
static void leaves_the_program_alone(void)
{
	struct reeve_plan *plan = supervised_plan();
	struct sigaction action = {.sa_handler = handle}, before[32], now;
	struct reeve_supervisor *supervisor;
	int status;
	pid_t own;

	sigaction(SIGUSR1, &action, NULL);
	for (int sig = 1; sig < 32; sig++)
		sigaction(sig, NULL, &before[sig]);
	own = fork();
	if (own == 0)
		_exit(11);
	supervisor = start(plan, SHELL("exit 4"), NULL);
	CHECK_EQ(exit_code(supervisor), 4);
	CHECK_EQ(reeve_supervisor_end(supervisor), 0);
	CHECK_EQ(waitpid(own, &status, 0), own);
	CHECK_EQ(WEXITSTATUS(status), 11);
	for (int sig = 1; sig < 32; sig++) {
		sigaction(sig, NULL, &now);
		CHECK(now.sa_handler == before[sig].sa_handler);
	}
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(handled, 1);
	reeve_plan_free(plan);
}

/* Children that are forked meanwhile, go on without exec and have copies of every descriptor. */
static void forks_meanwhile(void)
{
	struct reeve_plan *plan = supervised_plan();
	struct reeve_supervisor *supervisor[8];
	pid_t idle[8];

	for (size_t i = 0; i < COUNT(supervisor); i++) {
		supervisor[i] = start(plan, SHELL("cat /etc/passwd >/dev/null; exit 6"), NULL);
		idle[i] = fork();
		if (idle[i] == 0) {
			pause();
			_exit(0);
		}
	}
	for (size_t i = 0; i < COUNT(supervisor); i++) {
		CHECK_EQ(exit_code(supervisor[i]), 6);
		CHECK_EQ(reeve_supervisor_end(supervisor[i]), 0);
	}
	for (size_t i = 0; i < COUNT(idle); i++) {
		kill(idle[i], SIGKILL);
		CHECK_EQ(waitpid(idle[i], NULL, 0), idle[i]);
	}
	reeve_plan_free(plan);
}

#define FORKS 2000

static atomic_bool stop_forking;
static pid_t forked[FORKS];
static size_t forked_count;

static void *fork_all_the_time(void *arg)
{
	while (!atomic_load(&stop_forking) && forked_count < FORKS) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid > 0)
			forked[forked_count++] = pid;
		usleep(300);
	}
	return arg;
}

/* Whoever is forked in the middle of a start has its descriptors; nothing may wait for them. */
static void forks_in_the_middle(void)
{
	struct reeve_plan *plan = supervised_plan();
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, fork_all_the_time, NULL), 0);
	for (int i = 0; i < 20; i++) {
		struct reeve_supervisor *supervisor = start(plan, SHELL("exit 0"), NULL);

		CHECK_EQ(exit_code(supervisor), 0);
		reeve_supervisor_end(supervisor);
	}
	atomic_store(&stop_forking, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	for (size_t i = 0; i < forked_count; i++) {
		kill(forked[i], SIGKILL);
		waitpid(forked[i], NULL, 0);
	}
	reeve_plan_free(plan);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"one epoll loop for two domains and their events", one_loop},
		{"an event queue that is full", queue_loses},
		{"descriptors, and a session", descriptors_and_terminal},
		{"errors of starting", setup_errors},
		{"rules staged and committed by another thread", changes_rules},
		{"no handlers, and nobody else's children", leaves_the_program_alone},
		{"forks meanwhile", forks_meanwhile},
		{"forks in the middle of a start", forks_in_the_middle},
	};

	become_user(argc, argv);
	setenv("PATH", "/usr/bin:/bin", 1);
	return tap_run(cases, COUNT(cases));
}
