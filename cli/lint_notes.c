/* SPDX-License-Identifier: MIT */
/*
 * Comments that say that a finding is meant: "# lint: CHECK: REASON". For a finding about a rule
 * it stands in the rule's table, or in the comment right above it; for one about the policy as a
 * whole, anywhere in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lint.h"

/* The text of a policy file or built-in profile; allocated, NULL: it cannot be read. */
static char *text_of(const char *name)
{
	static const char prefix[] = "profile ";
	const char *profile =
		strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
	size_t length, read;
	const char *builtin = reeve_profile_builtin(profile, &length);
	FILE *file = fopen(name, "re");
	char *text;

	if (!file)
		return builtin ? strndup(builtin, length) : NULL;
	text = calloc(1, (1 << 20) + 1);
	read = text ? fread(text, 1, 1 << 20, file) : 0;
	if (text)
		text[read] = '\0';
	fclose(file);
	return text;
}

static bool is_blank(const char *line)
{
	return line[strspn(line, " \t\r")] == '\0';
}

static bool begins(const char *line, char with)
{
	return line[strspn(line, " \t")] == with;
}

/* Does this line annotate the check? */
static bool annotates(const char *line, const char *check)
{
	const char *at = strchr(line, '#');
	size_t length = strlen(check);

	at = at ? strstr(at, "lint: ") : NULL;
	return at && strncmp(at + 6, check, length) == 0 && at[6 + length] == ':' &&
	       !is_blank(at + 7 + length);
}

struct lines {
	char **at;
	size_t count;
};

static struct lines split(char *text)
{
	struct lines lines = {calloc(strlen(text) / 2 + 2, sizeof(char *)), 0};
	char *rest = text, *line;
	size_t room = strlen(text) / 2 + 2;

	while (lines.at && (line = strsep(&rest, "\n"))) {
		char **more = lines.count < room
				      ? lines.at
				      : reallocarray(lines.at, room *= 2, sizeof(char *));

		if (!more)
			break;
		lines.at = more;
		lines.at[lines.count++] = line;
	}
	return lines;
}

/* From the comment above the table that line `number` is in, to that table's end. */
static bool in_table(const struct lines *lines, size_t number, const char *check)
{
	size_t first = number ? number - 1 : 0, end = number;

	if (number == 0 || number > lines->count)
		return false;
	while (first > 0 && !begins(lines->at[first], '['))
		first--;
	while (first > 0 && begins(lines->at[first - 1], '#'))
		first--;
	while (end < lines->count && !begins(lines->at[end], '[') && !is_blank(lines->at[end]))
		end++;
	for (size_t i = first; i < end; i++)
		if (annotates(lines->at[i], check))
			return true;
	return false;
}

static bool anywhere(const struct lines *lines, const char *check)
{
	for (size_t i = 0; i < lines->count; i++)
		if (annotates(lines->at[i], check))
			return true;
	return false;
}

bool cli_lint_is_annotated(const struct cli_lint *lint, const struct cli_finding *finding)
{
	const char *check = cli_lint_check_of(finding->kind)->name;
	const char *colon = finding->origin ? strrchr(finding->origin, ':') : NULL;
	cli_autofree char *name =
		colon ? strndup(finding->origin, (size_t)(colon - finding->origin))
		      : strdup(lint->name);
	cli_autofree char *text = name ? text_of(name) : NULL;
	struct lines lines = {0};
	bool found;

	if (!text || (finding->origin && !colon))
		return false;
	lines = split(text);
	found = colon ? in_table(&lines, strtoul(colon + 1, NULL, 10), check)
		      : anywhere(&lines, check);
	free(lines.at);
	return found;
}
