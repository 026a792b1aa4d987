/* SPDX-License-Identifier: MIT */
/* What was denied during a run, grouped by the flag that would allow it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "supervised.h"

#define FLAG_SIZE 512

struct group {
	char flag[FLAG_SIZE]; /* "": no flag allows it */
	char *example;	      /* an event in words */
	uint64_t count;
};

struct cli_summary {
	struct group *groups;
	size_t count;
	uint64_t denials;
};

static struct group *find_group(struct cli_summary *summary, const char *flag)
{
	struct group *groups;

	for (size_t i = 0; i < summary->count; i++)
		if (strcmp(summary->groups[i].flag, flag) == 0)
			return &summary->groups[i];
	groups = realloc(summary->groups, (summary->count + 1) * sizeof(*groups));
	if (!groups)
		return NULL;
	summary->groups = groups;
	memset(&groups[summary->count], 0, sizeof(*groups));
	strcpy(groups[summary->count].flag, flag);
	return &groups[summary->count++];
}

static int add(void *data, const struct reeve_event *event, uint64_t count)
{
	struct cli_summary *summary = data;
	struct group *group;
	char flag[FLAG_SIZE];

	summary->denials += count;
	group = find_group(summary, reeve_event_flag(event, flag, sizeof(flag)));
	if (!group)
		return 0;
	group->count += count;
	if (!group->example && reeve_event_to_text(event, &group->example) < 0)
		group->example = NULL;
	return 0;
}

struct cli_summary *cli_summary_new(struct reeve_supervisor *supervisor)
{
	struct cli_summary *summary = calloc(1, sizeof(*summary));

	if (summary)
		reeve_supervisor_denials(supervisor, add, summary);
	return summary;
}

size_t cli_summary_denials(const struct cli_summary *summary)
{
	return summary ? (size_t)summary->denials : 0;
}

/* ---------------------------------------------------------------------- printing */

/* Groups that fit, with a heading, a line for what does not, and the prompt afterwards. */
static size_t screenful(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row >= 8)
		return (size_t)size.ws_row / 2 - 2;
	return 20;
}

static int by_count(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	if ((left->flag[0] == '\0') != (right->flag[0] == '\0'))
		return left->flag[0] == '\0' ? 1 : -1;
	return (left->count < right->count) - (left->count > right->count);
}

/* Two lines: what would allow it, and the first that was denied. */
static void print_group(const struct group *group)
{
	cli_autoescape char *flag = cli_escape(group->flag);

	fprintf(stderr, "  %s", group->flag[0] ? flag : "(no flag allows this)");
	if (group->count > 1)
		fprintf(stderr, "   (%" PRIu64 " times)", group->count);
	fprintf(stderr, "\n      %s\n", group->example ? group->example : "");
}

void cli_summary_print(const struct cli_summary *summary)
{
	size_t shown = screenful();

	if (!summary || summary->denials == 0)
		return;
	qsort(summary->groups, summary->count, sizeof(*summary->groups), by_count);
	fprintf(stderr, "reeve: %" PRIu64 " request%s denied; what would allow %s:\n",
		summary->denials, summary->denials == 1 ? " was" : "s were",
		summary->denials == 1 ? "it" : "them");
	for (size_t i = 0; i < summary->count && i < shown; i++)
		print_group(&summary->groups[i]);
	if (summary->count > shown)
		fprintf(stderr, "  and %zu more\n", summary->count - shown);
}

void cli_summary_free(struct cli_summary *summary)
{
	for (size_t i = 0; summary && i < summary->count; i++)
		free(summary->groups[i].example);
	free(summary ? summary->groups : NULL);
	free(summary);
}
