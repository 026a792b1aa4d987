/* SPDX-License-Identifier: MIT */
/* open() and close() of one file, timed: for openclose.c and what is held beside it. */
#ifndef BENCH_OPENCLOSE_H
#define BENCH_OPENCLOSE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "clock.h"

#define BATCHES 50

/* Nanoseconds per pair. */
static inline double batch(const char *path, long loops)
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

/* Of the best of many batches, each shorter than a time slice. */
static inline double best_batch(const char *path, long loops)
{
	double best = 0;

	for (int i = 0; i < BATCHES; i++) {
		double took = batch(path, loops);

		if (i == 0 || took < best)
			best = took;
	}
	return best;
}

#endif /* BENCH_OPENCLOSE_H */
