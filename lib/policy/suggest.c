/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "base/error.h"
#include "policy/suggest.h"

#define WORD_MAX 48

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that make b of a. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *now = row[i % 3], *above = row[(i + 2) % 3], *two = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1,
				above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], now[j], two[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void rv_suggest(struct rv_suggestion *suggestion, const char *candidate)
{
	size_t length = strlen(suggestion->word);
	unsigned int d;

	if (length > WORD_MAX || strlen(candidate) > WORD_MAX)
		return;
	d = distance(suggestion->word, candidate);
	if (d > (length < 3 ? 1 : (length + 1) / 3) || d >= length ||
		(suggestion->best && d >= suggestion->distance))
		return;
	suggestion->best = candidate;
	suggestion->distance = d;
}

int rv_suggest_hint(const struct rv_suggestion *suggestion, struct reeve_error *err)
{
	if (suggestion->best)
		rv_error_hint(err, "did you mean \"%s\"?", suggestion->best);
	return err ? err->code : 0;
}
