/* SPDX-License-Identifier: MIT */
/*
 * What it takes to learn the domain of a process.
 *
 *	bench-pidfd_domain CALLS PID...		for each, "PID ID MICROSECONDS", the median of its
 *calls
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>
#include <reeve/observe.h>

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(int pid, int calls)
{
	struct reeve_task_domain domain = {.size = sizeof(domain)};
	double *took = calloc((size_t)calls, sizeof(*took));
	int pidfd = pidfd_open(pid, 0), r = pidfd < 0 || !took ? -1 : 0;

	for (int i = 0; r == 0 && i < calls; i++) {
		double begin = microseconds();

		r = reeve_pidfd_domain(pidfd, &domain);
		took[i] = microseconds() - begin;
	}
	if (r == 0) {
		qsort(took, (size_t)calls, sizeof(*took), by_size);
		printf("%d %" PRIx64 " %.1f\n", pid, domain.last, took[calls / 2]);
	}
	free(took);
	return r;
}

int main(int argc, char **argv)
{
	int calls = argc > 2 ? atoi(argv[1]) : 0;

	for (int i = 2; i < argc; i++)
		if (calls < 1 || measure(atoi(argv[i]), calls) < 0)
			return 1;
	return argc > 2 ? 0 : 2;
}
