/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "kernel/sys.h"
#include "policy/opened.h"

struct rv_opened *rv_opened_new(void)
{
	struct rlimit limit;
	struct rv_opened *opened;
	size_t max;

	/* A quarter, so that whatever comes next finds descriptors as well. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return NULL;
	max = limit.rlim_cur / 4 < RV_OPENED_MAX ? (size_t)limit.rlim_cur / 4 : RV_OPENED_MAX;
	opened = max ? malloc(sizeof(*opened)) : NULL;
	if (!opened)
		return NULL;
	opened->count = 0;
	opened->max = max;
	atomic_init(&opened->refs, 1);
	atomic_init(&opened->used, false);
	return opened;
}

struct rv_opened *rv_opened_ref(struct rv_opened *opened)
{
	if (opened)
		atomic_fetch_add_explicit(&opened->refs, 1, memory_order_relaxed);
	return opened;
}

/* How many of them, from `fds`, are numbers in a row. */
static size_t run_length(const int *fds, size_t count)
{
	size_t n = 1;

	while (n < count && fds[n] == fds[0] + (int)n)
		n++;
	return n;
}

/* They were opened one after the other, so nearly all of them are in one row: one call. */
static void close_all(struct rv_opened *opened)
{
	size_t n;

	for (size_t i = 0; i < opened->count; i += n) {
		const int *fds = opened->fds + i;

		n = run_length(fds, opened->count - i);
		if (rv_close_range((unsigned int)fds[0], (unsigned int)fds[n - 1], 0) == 0)
			continue;
		for (size_t k = 0; k < n; k++)
			close(fds[k]);
	}
	opened->count = 0;
}

void rv_opened_unref_p(struct rv_opened **opened)
{
	struct rv_opened *gone = *opened;

	*opened = NULL;
	if (!gone || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
		return;
	close_all(gone);
	free(gone);
}

bool rv_opened_has_room(const struct rv_opened *opened)
{
	return opened->count < opened->max;
}

void rv_opened_keep(struct rv_opened *opened, uint32_t rule, int fd)
{
	if (opened->count >= opened->max) {
		close(fd);
		return;
	}
	opened->fds[opened->count] = fd;
	opened->rules[opened->count++] = rule;
}

void rv_opened_give_up(struct rv_opened *opened)
{
	close_all(opened);
	opened->max = 0;
}

bool rv_opened_use(struct rv_opened *opened)
{
	return opened && !atomic_exchange(&opened->used, true);
}

void rv_opened_done(struct rv_opened *opened)
{
	close_all(opened);
}

int rv_opened_at(const struct rv_opened *opened, size_t *at, uint32_t rule)
{
	while (*at < opened->count && opened->rules[*at] < rule)
		(*at)++;
	return *at < opened->count && opened->rules[*at] == rule ? opened->fds[*at] : -1;
}
