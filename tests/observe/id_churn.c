/* SPDX-License-Identifier: MIT */
/*
 * Pid reuse under load: asks for the domains of processes that come and go, inside of a domain and
 * outside, and compares with what it knows: who has this name is inside, and who is inside has
 * no_new_privs.
 *
 *	id-churn DOMAIN NAME INSIDE OUTSIDE
 *		until so many of both were right, or some of both and half a minute is over; exits 1
 *		on the first wrong one
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

static _Noreturn void churn(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		else
			usleep(1000);
	}
}

struct truth {
	bool named, confined;
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
	*ret = (struct truth){strcmp(comm, name) == 0, good && facts.no_new_privs};
	return good && !rv_pidfd_ended(pidfd);
}

/* Domains of others may run at the same time, in registries of their own: they are not given. */
static bool is_right(
	const struct truth *truth, const struct reeve_task_domain *found, uint64_t domain)
{
	if (!found->given)
		return !truth->named;
	return truth->confined && found->given & REEVE_DOMAIN_LAST && found->last == domain;
}

static int check(pid_t pid, uint64_t domain, const char *name, unsigned long left[2])
{
	struct reeve_task_domain found = {.size = sizeof(found)};
	int pidfd = pidfd_open(pid, 0), r;
	struct truth truth;
	bool known;

	if (pidfd < 0)
		return 0;
	r = reeve_pidfd_domain(pidfd, &found);
	known = learn(pid, pidfd, name, &truth);
	close(pidfd);
	if (r == 0 && (!known || is_right(&truth, &found, domain))) {
		left[found.given != 0] -= known && left[found.given != 0] > 0;
		return 0;
	}
	printf("# %d: %d, given %u, id %" PRIx64 ", named %d, confined %d\n", (int)pid, r,
		found.given, found.last, truth.named, truth.confined);
	return -1;
}

#define SECONDS 30 /* on a machine that is busy with others */

static bool is_enough(const unsigned long left[2], const unsigned long wanted[2], time_t since)
{
	bool over = time(NULL) - since >= SECONDS;

	for (size_t i = 0; i < 2; i++)
		if (left[i] && !(over && left[i] < wanted[i]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	time_t since = time(NULL);
	uint64_t domain = argc > 4 ? strtoull(argv[1], NULL, 16) : 0;
	unsigned long left[2] = {0}, wanted[2];
	int r = 0;

	if (!domain)
		return 2;
	left[1] = strtoul(argv[3], NULL, 10);
	left[0] = strtoul(argv[4], NULL, 10);
	memcpy(wanted, left, sizeof(wanted));
	if (fork() == 0)
		churn();
	while (r == 0 && !is_enough(left, wanted, since)) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (r == 0 && proc && (entry = readdir(proc)))
			if (atoi(entry->d_name) > 0)
				r = check(atoi(entry->d_name), domain, argv[2], left);
		closedir(proc);
	}
	return r < 0;
}
