/* SPDX-License-Identifier: MIT */
/* What was denied during a run, grouped by the flag that would allow it. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "remedy.h"
#include "supervised.h"

struct group {
	char flag[CLI_REMEDY_SIZE]; /* "": no flag allows it */
	char *example;		    /* an event in words */
	uint64_t count;
};

struct groups {
	struct group *at;
	size_t count;
	uint64_t requests;
};

struct cli_summary {
	struct groups denied;  /* by flag */
	struct groups guarded; /* by guard, in place of the flag */
};

static struct group *find_group(struct groups *groups, const char *flag)
{
	struct group *at;

	for (size_t i = 0; i < groups->count; i++)
		if (strcmp(groups->at[i].flag, flag) == 0)
			return &groups->at[i];
	at = realloc(groups->at, (groups->count + 1) * sizeof(*at));
	if (!at)
		return NULL;
	groups->at = at;
	memset(&at[groups->count], 0, sizeof(*at));
	snprintf(at[groups->count].flag, CLI_REMEDY_SIZE, "%s", flag);
	return &at[groups->count++];
}

static void add_to(
	struct groups *groups, const char *flag, const struct reeve_event *event, uint64_t count)
{
	struct group *group = find_group(groups, flag);

	groups->requests += count;
	if (!group)
		return;
	group->count += count;
	if (!group->example && reeve_event_to_text(event, &group->example) < 0)
		group->example = NULL;
}

static int add(void *data, const struct reeve_event *event, uint64_t count)
{
	struct cli_summary *summary = data;
	char flag[CLI_REMEDY_SIZE];

	if (event->kind == REEVE_EVENT_GUARD) {
		/* Programs take ENOSYS for an older kernel, and get along. */
		if (event->error != ENOSYS)
			add_to(&summary->guarded, event->by, event, count);
		return 0;
	}
	cli_remedy_flag(event, flag);
	add_to(&summary->denied, flag, event, count);
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
	return summary ? (size_t)summary->denied.requests : 0;
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

/* Whether a flag for a path would grant the home directory as a whole. */
static bool takes_home(const char *flag)
{
	const char *path = strncmp(flag, "--r", 3) == 0 ? strchr(flag, '/') : NULL;
	const char *home = getenv("HOME");
	size_t length = path ? strlen(path) : 0;

	if (!path || !home || strncmp(home, path, length) != 0)
		return false;
	return length == 1 || home[length] == '/' || home[length] == '\0';
}

/* Two lines: what would allow it, and the first that was denied. */
static void print_group(const struct group *group)
{
	cli_autoescape char *flag = cli_escape_quoted(group->flag);

	fprintf(stderr, "  %s", group->flag[0] ? flag : "(no flag allows this)");
	if (group->count > 1)
		fprintf(stderr, "   (%" PRIu64 " times)", group->count);
	if (takes_home(group->flag))
		fprintf(stderr, "   (your whole home%s)",
			strncmp(group->flag, "--rw", 4) == 0
				? "; to grant one file or directory in it, create that first"
				: "");
	fprintf(stderr, "\n      %s\n", group->example ? group->example : "");
}

static void print_denied(const struct groups *denied, size_t shown, bool permissive)
{
	bool one = denied->requests == 1;
	const char *were = one ? " was" : "s were";

	if (permissive)
		were = one ? " would be" : "s would be";
	qsort(denied->at, denied->count, sizeof(*denied->at), by_count);
	fprintf(stderr, "reeve: %" PRIu64 " request%s denied; what would allow %s:\n",
		denied->requests, were, one ? "it" : "them");
	for (size_t i = 0; i < denied->count && i < shown; i++)
		print_group(&denied->at[i]);
	if (denied->count <= shown)
		return;
	fprintf(stderr,
		"  and %zu more: `reeve denials` lists them; with --permissive and "
		"--write-policy FILE,\n  `reeve run` writes a policy that allows what was needed\n",
		denied->count - shown);
}

static bool has_group(const struct groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->count; i++)
		if (!strcmp(groups->at[i].flag, name))
			return true;
	return false;
}

static void print_guarded(const struct groups *guarded)
{
	fprintf(stderr,
		"reeve: %" PRIu64 " call%s refused, whatever is granted (GUARDS in "
		"reeve-run(1)):\n",
		guarded->requests, guarded->requests == 1 ? " was" : "s were");
	for (size_t i = 0; i < guarded->count; i++)
		fprintf(stderr, "  %s\n", guarded->at[i].example ? guarded->at[i].example : "");
	/* The only one that has a choice, and the others' error says nothing of it. */
	if (has_group(guarded, "unix_datagram"))
		fprintf(stderr, "hint: a policy with unix_datagram = \"mediate\" (reeve-policy(5)) "
				"allows such sockets; what they may send to is granted with "
				"--unix\n");
}

void cli_summary_print(const struct cli_summary *summary, bool permissive)
{
	if (summary && summary->denied.requests > 0)
		print_denied(&summary->denied, screenful(), permissive);
	if (summary && summary->guarded.requests > 0)
		print_guarded(&summary->guarded);
}

static void free_groups(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->at[i].example);
	free(groups->at);
}

void cli_summary_free(struct cli_summary *summary)
{
	if (!summary)
		return;
	free_groups(&summary->denied);
	free_groups(&summary->guarded);
	free(summary);
}
