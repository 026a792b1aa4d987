/* SPDX-License-Identifier: MIT */
/*
 * A supervised shell or helper whose questions a test answers. `work` is its own, `outside` is
 * granted to nobody.
 */
#ifndef TESTS_SUPERVISE_ASK_UTIL_H
#define TESTS_SUPERVISE_ASK_UTIL_H

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "../enforce/helpers.h"

#define WAIT_SECONDS 60
#define SEEN_MAX     2048

struct seen {
	uint64_t id;
	pid_t pid;
	char object[256], object2[256], tree[256], directory[256], comm[16], text[512];
	uint64_t missing;
	unsigned int waiting;
	size_t parents;
	bool gone;
};

struct asked {
	char dir[PATH_MAX], work[PATH_MAX + 8], outside[PATH_MAX + 8], exe[PATH_MAX + 32];
	struct reeve_supervisor *supervisor;
	int approver;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct seen seen[SEEN_MAX];
	size_t count, taken;
	char events[8192]; /* "answer …" and "denied …" lines */
};

static inline struct reeve_kernel kernel_here(void)
{
	struct reeve_kernel kernel = {.size = sizeof(kernel)};

	CHECK_EQ(reeve_kernel_probe(&kernel), 0);
	return kernel;
}

/* Given up by name where the kernel lacks it. */
static inline uint64_t truncate_here(void)
{
	return kernel_here().rights.of[REEVE_FS] & REEVE_FS_TRUNCATE;
}

static inline struct timespec soon(long seconds)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += seconds;
	return at;
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void pause_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static inline void on_asked(void *data, const struct reeve_question *question)
{
	struct asked *asked = data;
	struct seen *seen;
	char *text;

	pthread_mutex_lock(&asked->lock);
	CHECK(asked->count < SEEN_MAX);
	seen = &asked->seen[asked->count++];
	seen->id = question->id;
	seen->pid = question->pid;
	seen->missing = question->missing;
	seen->waiting = question->waiting;
	seen->parents = question->parents_count;
	memcpy(seen->comm, question->comm, sizeof(seen->comm));
	snprintf(seen->object, sizeof(seen->object), "%s", question->object);
	snprintf(seen->object2, sizeof(seen->object2), "%s",
		question->object2 ? question->object2 : "");
	snprintf(seen->tree, sizeof(seen->tree), "%s", question->tree ? question->tree : "");
	snprintf(seen->directory, sizeof(seen->directory), "%s", question->directory);
	CHECK_EQ(reeve_question_to_text(question, &text), 0);
	snprintf(seen->text, sizeof(seen->text), "%s", text);
	free(text);
	pthread_cond_broadcast(&asked->changed);
	pthread_mutex_unlock(&asked->lock);
}

static inline void on_gone(void *data, uint64_t id)
{
	struct asked *asked = data;

	pthread_mutex_lock(&asked->lock);
	for (size_t i = 0; i < asked->count; i++)
		asked->seen[i].gone |= asked->seen[i].id == id;
	pthread_cond_broadcast(&asked->changed);
	pthread_mutex_unlock(&asked->lock);
}

static inline void on_event(void *data, const struct reeve_event *event)
{
	struct asked *asked = data;
	char line[512];

	if (event->kind != REEVE_EVENT_ANSWER && event->kind != REEVE_EVENT_DENIED)
		return;
	snprintf(line, sizeof(line), "%s %s by %s %s\n",
		event->kind == REEVE_EVENT_ANSWER ? "answer" : "denied",
		event->answer ? event->answer : "", event->by, event->object);
	pthread_mutex_lock(&asked->lock);
	if (strlen(asked->events) + strlen(line) < sizeof(asked->events))
		strcat(asked->events, line);
	pthread_cond_broadcast(&asked->changed);
	pthread_mutex_unlock(&asked->lock);
}

/* Waits with the lock until `*value` is at least `least`. */
static inline void wait_for(struct asked *asked, const size_t *value, size_t least)
{
	struct timespec deadline = soon(WAIT_SECONDS);

	while (*value < least)
		if (pthread_cond_timedwait(&asked->changed, &asked->lock, &deadline)) {
			printf("# waited for %zu, there are %zu\n", least, *value);
			CHECK(false);
		}
}

/* The next question that the test has not looked at. */
static inline struct seen *next_question(struct asked *asked)
{
	struct seen *seen;

	pthread_mutex_lock(&asked->lock);
	wait_for(asked, &asked->count, asked->taken + 1);
	seen = &asked->seen[asked->taken++];
	pthread_mutex_unlock(&asked->lock);
	return seen;
}

static inline bool is_gone(struct asked *asked, const struct seen *seen)
{
	struct timespec deadline = soon(WAIT_SECONDS);
	int r = 0;

	pthread_mutex_lock(&asked->lock);
	while (!seen->gone && r == 0)
		r = pthread_cond_timedwait(&asked->changed, &asked->lock, &deadline);
	pthread_mutex_unlock(&asked->lock);
	return r == 0;
}

static inline bool has_event(struct asked *asked, const char *text)
{
	struct timespec deadline = soon(WAIT_SECONDS);
	int r = 0;

	pthread_mutex_lock(&asked->lock);
	while (!strstr(asked->events, text) && r == 0)
		r = pthread_cond_timedwait(&asked->changed, &asked->lock, &deadline);
	if (r)
		printf("# no event \"%s\" in\n# %s\n", text, asked->events);
	pthread_mutex_unlock(&asked->lock);
	return r == 0;
}

static inline void no_more_questions(struct asked *asked)
{
	pthread_mutex_lock(&asked->lock);
	if (asked->count != asked->taken)
		printf("# a question about %s\n", asked->seen[asked->taken].object);
	CHECK_EQ(asked->count, asked->taken);
	pthread_mutex_unlock(&asked->lock);
}

/* ---- the domain */

static inline void copy_self(const char *to)
{
	char command[2 * PATH_MAX], self[PATH_MAX] = "";

	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(command, sizeof(command), "cp '%s' '%s' && chmod 755 '%s'", self, to, to);
	CHECK_EQ(system(command), 0);
}

static inline void prepare(struct asked *asked)
{
	memset(asked, 0, sizeof(*asked));
	pthread_mutex_init(&asked->lock, NULL);
	pthread_cond_init(&asked->changed, NULL);
	strcpy(asked->dir, make_dir());
	snprintf(asked->work, sizeof(asked->work), "%s/work", asked->dir);
	snprintf(asked->outside, sizeof(asked->outside), "%s/outside", asked->dir);
	snprintf(asked->exe, sizeof(asked->exe), "%s/helper", asked->work);
	CHECK_EQ(mkdir(asked->work, 0755), 0);
	CHECK_EQ(mkdir(asked->outside, 0755), 0);
	CHECK_EQ(chdir(asked->work), 0);
	copy_self(asked->exe);
}

/* `more`: tables that the policy has besides. */
static inline struct reeve_plan *plan_in(const struct asked *asked, const char *more)
{
	struct reeve_policy *policy;
	struct reeve_plan *plan;
	struct reeve_error err = {0};
	char toml[3 * PATH_MAX];

	snprintf(toml, sizeof(toml),
		"abi = 6\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\nmissing = \"ignore\"\n"
		"parent = [\"/usr\", \"/bin\", \"/lib\", \"/lib64\", \"/etc\", \"/proc\", "
		"\"/dev\"]\n"
		"[[path_beneath]]\nallowed_access = [\"write_file\"]\nparent = [\"/dev/null\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.all\"]\nparent = [\"%s\"]\n%s",
		asked->work, more);
	policy = policy_of(toml);
	/* Where the kernel has it, this gives nothing up. */
	CHECK_OK(reeve_policy_degrade(policy, "fs.truncate", &err));
	CHECK_OK(reeve_policy_degrade(policy, "fs.ioctl_dev", &err));
	CHECK_OK(reeve_policy_degrade(policy, "scope.signal", &err));
	CHECK_OK(reeve_plan_new_supervised(policy, NULL, NULL, &plan, &err));
	reeve_policy_free(policy);
	return plan;
}

static inline void ask(struct asked *asked)
{
	const struct reeve_approver approver = {
		.size = sizeof(approver), .asked = on_asked, .gone = on_gone, .data = asked};
	struct reeve_error err = {0};

	CHECK_OK(asked->approver = reeve_supervisor_ask(asked->supervisor, &approver, &err));
}

static inline void start_under(struct asked *asked, const char *more, char *const argv[])
{
	struct reeve_supervisor_options options = {.size = sizeof(options),
		.event = on_event,
		.event_data = asked,
		.sync_wake_up = -1,
		.no_shim = true};
	struct reeve_plan *plan = plan_in(asked, more);
	struct reeve_error err = {0};

	CHECK_OK(reeve_supervisor_start(plan, argv, &options, &asked->supervisor, &err));
	reeve_plan_free(plan);
}

static inline void start(struct asked *asked, char *const argv[])
{
	start_under(asked, "", argv);
}

/* A shell that first waits for the file `go`: by then somebody can be asked. */
static inline void start_shell(struct asked *asked, const char *script)
{
	char text[4096];
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", text, NULL};

	snprintf(text, sizeof(text),
		"exec >/dev/null 2>&1; while [ ! -e go ]; do sleep 0.01; done; O=../outside; %s",
		script);
	start(asked, argv);
	ask(asked);
	write_file("go", "", 0644);
}

static inline void start_helper(struct asked *asked, const char *what, const char *a, const char *b)
{
	char *argv[] = {asked->exe, (char *)what, (char *)a, (char *)b, NULL};

	start(asked, argv);
	ask(asked);
	write_file("go", "", 0644);
}

static inline void wait_for_go(void)
{
	while (access("go", F_OK) < 0)
		pause_ms(5);
}

static inline int answer_as(struct asked *asked, const struct seen *seen,
	struct reeve_answer answer, struct reeve_error *err)
{
	answer.size = sizeof(answer);
	if (!answer.by)
		answer.by = "the test";
	*err = (struct reeve_error){0};
	return reeve_supervisor_answer(asked->supervisor, seen->id, &answer, err);
}

static inline void answer(struct asked *asked, const struct seen *seen, bool allow,
	enum reeve_answer_scope scope, enum reeve_answer_term term)
{
	struct reeve_error err;

	CHECK_OK(answer_as(asked, seen,
		(struct reeve_answer){.allow = allow, .scope = scope, .term = term}, &err));
}

/* Waits for the program's end, removes all; its exit code. */
static inline int finish(struct asked *asked)
{
	int status;

	CHECK(reeve_supervisor_wait(asked->supervisor, 0, &status) > 0);
	reeve_supervisor_end(asked->supervisor);
	CHECK_EQ(chdir("/"), 0);
	remove_dir(asked->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline const char *outside(const struct asked *asked, const char *name)
{
	static char path[2][PATH_MAX + 300];
	static int which;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", asked->outside, name);
	return path[which];
}

static inline const char *content(const char *path)
{
	static char text[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

#endif /* TESTS_SUPERVISE_ASK_UTIL_H */
