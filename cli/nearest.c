/* SPDX-License-Identifier: MIT */
/* "Did you mean …?" */
#include <string.h>
#include "cli.h"

#define LONGEST 48 /* no name of ours is longer */

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	size_t m = strlen(a), n = strlen(b);

	if (m > LONGEST || n > LONGEST)
		return LONGEST;
	for (unsigned int j = 0; j <= n; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= m; i++) {
		unsigned int *above = rows[(i - 1) % 3], *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				unsigned int swapped = rows[(i - 2) % 3][j - 2] + 1;

				row[j] = swapped < row[j] ? swapped : row[j];
			}
		}
	}
	return rows[m % 3][n];
}

void cli_nearest_try(struct cli_nearest *nearest, const char *candidate)
{
	unsigned int d = distance(nearest->word, candidate);

	if (!nearest->best || d < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = d;
	}
}

const char *cli_nearest_found(const struct cli_nearest *nearest)
{
	size_t letters = strlen(nearest->word + strspn(nearest->word, "-"));

	/* A third of the letters may be wrong: "--rr" is not "--net". */
	if (!nearest->best || letters == 0 || nearest->distance > (letters + 2) / 3)
		return NULL;
	return nearest->best;
}
