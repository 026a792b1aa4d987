/* SPDX-License-Identifier: MIT */
/*
 * What is left of a domain whose connector was killed: nobody else can name all its processes. But
 * we are a subreaper, so those that lost their parent are our children, and their children become
 * ours when they are killed.
 *
 * Not every child of ours is of the domain: a shell that started something in the background and
 * then became us has left us that. Those of the domain have no_new_privs and one seccomp filter
 * more than we, and cannot get rid of either. So may a job that is sandboxed itself: what was below
 * us before the domain began is written down. Only what such a job starts later, and leaves behind
 * as an orphan, is taken for the domain's.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "supervised.h"

#define MAX_ROUNDS 10000 /* who forks faster than it is killed has won */

/* The number of filters of a task that can gain no privileges; 0: it can, or has none. */
static unsigned int filters_of(const char *pid, bool any)
{
	char path[sizeof("/proc//status") + NAME_MAX], line[128];
	unsigned int filters = 0, nnp = any;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "NoNewPrivs: %u", &nnp);
		sscanf(line, "Seccomp_filters: %u", &filters);
	}
	if (file)
		fclose(file);
	return any || nnp ? filters : 0;
}

/* Calls fn with each child of one thread, in words. The sum of what it returns. */
static int each_listed(
	const char *pid, const char *thread, int (*fn)(void *data, const char *child), void *data)
{
	char path[sizeof("/proc//task//children") + 2 * NAME_MAX], word[16];
	int sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/children", pid, thread);
	file = fopen(path, "re");
	while (file && fscanf(file, "%15s", word) == 1)
		sum += fn(data, word);
	if (file)
		fclose(file);
	return sum;
}

static int each_child(const char *pid, int (*fn)(void *data, const char *child), void *data)
{
	char path[sizeof("/proc//task") + NAME_MAX];
	struct dirent *thread;
	DIR *threads;
	int sum = 0;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	threads = opendir(path);
	while (threads && (thread = readdir(threads)))
		if (thread->d_name[0] != '.')
			sum += each_listed(pid, thread->d_name, fn, data);
	if (threads)
		closedir(threads);
	return sum;
}

/* ------------------------------------------------------------------ what was there before */

struct cli_earlier {
	struct earlier {
		pid_t pid;
		unsigned long long start; /* pids are given again */
	} * at;
	size_t count, capacity;
};

static int note(void *data, const char *child)
{
	struct cli_earlier *earlier = data;
	pid_t pid = atoi(child);

	if (earlier->count == earlier->capacity) {
		size_t capacity = earlier->capacity ? 2 * earlier->capacity : 16;
		struct earlier *at = reallocarray(earlier->at, capacity, sizeof(*at));

		if (!at)
			return 0;
		earlier->at = at;
		earlier->capacity = capacity;
	}
	earlier->at[earlier->count++] = (struct earlier){pid, cli_start_of(pid)};
	return each_child(child, note, earlier);
}

bool cli_is_childless(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD;
}

struct cli_earlier *cli_earlier_new(void)
{
	struct cli_earlier *earlier = calloc(1, sizeof(*earlier));

	if (earlier)
		each_child("self", note, earlier);
	return earlier;
}

void cli_earlier_free_p(struct cli_earlier **earlier)
{
	if (*earlier)
		free((*earlier)->at);
	free(*earlier);
}

static bool was_there(const struct cli_earlier *earlier, pid_t pid)
{
	for (size_t i = 0; earlier && i < earlier->count; i++)
		if (earlier->at[i].pid == pid && earlier->at[i].start == cli_start_of(pid))
			return true;
	return false;
}

/* ---------------------------------------------------------------------------- killing */

struct killing {
	const struct cli_earlier *earlier;
	unsigned int own; /* filters */
};

/* Ours, and not reaped: nobody else has its pid. */
static int kill_child(void *data, const char *child)
{
	const struct killing *killing = data;
	pid_t pid = atoi(child);

	if (filters_of(child, false) <= killing->own || was_there(killing->earlier, pid))
		return 0;
	return kill(pid, SIGKILL) == 0;
}

/* Waits for one, and takes all that are dead. How many were killed; -1: there are no children. */
static int reap(bool wait)
{
	int killed = 0, flags = wait ? 0 : WNOHANG;
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | __WALL | flags) < 0) {
			if (errno == EINTR)
				continue;
			return killed ? killed : -1;
		}
		if (info.si_pid == 0)
			return killed;
		killed += info.si_code == CLD_KILLED && info.si_status == SIGKILL;
		flags = WNOHANG;
	}
}

int cli_kill_orphans(const struct cli_earlier *earlier)
{
	struct killing killing = {.earlier = earlier};
	int count = 0;

	if (reap(false) < 0)
		return 0;
	killing.own = filters_of("self", true);
	for (int round = 0; round < MAX_ROUNDS && each_child("self", kill_child, &killing) > 0;
		round++) {
		int killed = reap(true);

		if (killed < 0)
			break;
		count += killed;
	}
	return count;
}
