/* SPDX-License-Identifier: MIT */
/*
 * open() and close() of one file, again and again, timed from inside:
 *
 *	openclose FILE LOOPS
 *
 * prints nanoseconds per pair, the best of many batches, each shorter than a time slice: a batch
 *that was interrupted tells about the machine, not about the sandbox.
 */
#include "openclose.h"

int main(int argc, char **argv)
{
	long loops = argc == 3 ? atol(argv[2]) : 0;

	if (loops < 1) {
		fprintf(stderr, "usage: openclose FILE LOOPS\n");
		return 1;
	}
	printf("%.2f\n", best_batch(argv[1], loops));
	return 0;
}
