/* SPDX-License-Identifier: MIT */
/*
 * Pid reuse under load: asks for the domains of processes that come and go, inside of a domain and
 * outside, and compares with what it knows: who has this name is inside, and who is inside has
 * no_new_privs.
 *
 *	id-churn DOMAIN NAME INSIDE OUTSIDE
 *		until so many of both were right, or some of both and half a minute is over; exits 1
 *		on the first wrong one
 *
 * A supervisor that is kept from answering proves nothing: one that is inside may then not be
 * given, after the 5 s that reeve_pidfd_domain() waits for it, and no sooner.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <reeve/observe.h>
#include "kernel/pidfd.h"
#include "supervise/lineage.h"

/* All pids may be taken until those that ended have been waited for. */
static pid_t fork_at_last(void)
{
	pid_t pid;

	while ((pid = fork()) < 0 && errno == EAGAIN)
		usleep(1000);
	return pid;
}

/* Without the descriptors: who reads our output sees its end when the parent ends. */
static _Noreturn void churn(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(0, ~0u, 0);
	while (getppid() == parent) {
		pid_t pid = fork_at_last();

		if (pid <= 0)
			_exit(pid < 0);
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct truth {
	bool named, confined;
	double waited; /* seconds, for the answer */
};

/* False: it ended, so nothing can be said. */
static bool learn(pid_t pid, int pidfd, const char *name, struct truth *ret)
{
	char path[32], comm[32] = "";
	int fd = rv_open_task(pid);
	struct rv_task_facts facts;
	FILE *file;
	bool good = fd >= 0 && rv_task_facts(fd, &facts) == 0;

	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	good &= file && fgets(comm, sizeof(comm), file);
	if (file)
		fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	ret->named = strcmp(comm, name) == 0;
	ret->confined = good && facts.no_new_privs;
	return good && !rv_pidfd_ended(pidfd);
}

#define ANSWER_SECONDS 4.9

/* Domains of others may run at the same time, in registries of their own: they are not given. */
static bool is_right(
	const struct truth *truth, const struct reeve_task_domain *found, uint64_t domain)
{
	if (!found->given)
		return !truth->named || truth->waited >= ANSWER_SECONDS;
	return truth->confined && found->given & REEVE_DOMAIN_LAST && found->last == domain;
}

static int check(pid_t pid, uint64_t domain, const char *name, unsigned long left[2])
{
	struct reeve_task_domain found = {.size = sizeof(found)};
	int pidfd = pidfd_open(pid, 0), r;
	struct truth truth = {.waited = -now()};
	bool known;

	if (pidfd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOMEM)
		return 0; /* it ended, and may be a thread now */
	r = pidfd < 0 ? -errno : reeve_pidfd_domain(pidfd, &found);
	truth.waited += now();
	known = learn(pid, pidfd, name, &truth);
	close(pidfd);
	if (r == 0 && (!known || is_right(&truth, &found, domain))) {
		left[found.given != 0] -= known && left[found.given != 0] > 0;
		return 0;
	}
	printf("# %d: %d, given %u, id %" PRIx64 ", named %d, confined %d, after %.1f s\n",
		(int)pid, r, found.given, found.last, truth.named, truth.confined, truth.waited);
	return -1;
}

#define SECONDS 30 /* on a machine that is busy with others */

struct task {
	uint64_t domain;
	const char *name;
	unsigned long left[2], wanted[2]; /* outside, inside */
	double until;
};

static bool is_enough(const struct task *task)
{
	bool over = now() >= task->until;

	for (size_t i = 0; i < 2; i++)
		if (task->left[i] && !(over && task->left[i] < task->wanted[i]))
			return false;
	return true;
}

/* All that /proc lists: 1: enough were right, 0: not yet; negative: one was wrong. */
static int scan(struct task *task)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = proc ? 0 : -1;

	while (r == 0 && (entry = readdir(proc))) {
		if (atoi(entry->d_name) > 0)
			r = check(atoi(entry->d_name), task->domain, task->name, task->left);
		if (r == 0)
			r = is_enough(task);
	}
	if (proc)
		closedir(proc);
	else
		perror("# /proc");
	return r;
}

int main(int argc, char **argv)
{
	struct task task = {.until = now() + SECONDS};
	pid_t self = getpid(), pid;
	int r = 0;

	if (argc != 5)
		return 2;
	task.domain = strtoull(argv[1], NULL, 16);
	task.name = argv[2];
	task.left[1] = strtoul(argv[3], NULL, 10);
	task.left[0] = strtoul(argv[4], NULL, 10);
	memcpy(task.wanted, task.left, sizeof(task.wanted));
	pid = fork_at_last();
	if (pid == 0)
		churn(self);
	if (pid < 0)
		return 2;
	while (r == 0)
		r = scan(&task);
	return r < 0;
}
