/* SPDX-License-Identifier: MIT */
/*
 * open() and close() of one file, again and again, timed from inside:
 *
 *	openclose FILE LOOPS
 *
 * prints nanoseconds per pair, the best of many batches, each shorter than a time slice: a batch
 *that was interrupted tells about the machine, not about the sandbox.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 50

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double batch(const char *path, long loops)
{
	double before = now();

	for (long i = 0; i < loops; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			perror(path);
			exit(1);
		}
		close(fd);
	}
	return (now() - before) / (double)loops;
}

int main(int argc, char **argv)
{
	long loops = argc == 3 ? atol(argv[2]) : 0;
	double best = 0;

	if (loops < 1) {
		fprintf(stderr, "usage: openclose FILE LOOPS\n");
		return 1;
	}
	for (int i = 0; i < BATCHES; i++) {
		double took = batch(argv[1], loops);

		if (i == 0 || took < best)
			best = took;
	}
	printf("%.2f\n", best);
	return 0;
}
