/* SPDX-License-Identifier: MIT */
/*
 * Rules beside what was used: lines of JSON as `reeve deps` and `reeve run --events` write them. A
 * line counts that has an "object" and the names of rights in "rights" or "asked"; with "object2"
 * it is about two names.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "lint.h"

#define DIRECTORY_RIGHTS                                                                           \
	(REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SOCK |         \
		REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM |                     \
		REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_REFER)

/* What was used of each rule. */
struct use {
	uint64_t rights;
	char *place; /* the deepest directory above everything that was used */
};

struct used {
	struct cli_lint *lint;
	struct use *uses; /* by the number of the rule */
	uint64_t rights;  /* of the access at hand */
	const char *path;
	size_t lines; /* that counted */
};

/* ------------------------------------------------------------------------- one path */

static size_t number_of(const struct used *used, const struct reeve_rule *rule)
{
	struct reeve_rule other;
	size_t i = 0;

	for (; reeve_ruleset_at(used->lint->ruleset, i, &other) == 0; i++)
		if (other.path == rule->path && other.origin == rule->origin &&
			other.allowed == rule->allowed)
			break;
	return i;
}

/* Up to where both paths go together. */
static void join(char *place, const char *path)
{
	size_t i = 0, slash = 0;

	for (; place[i] && place[i] == path[i]; i++)
		if (place[i] == '/')
			slash = i;
	if (!place[i] && (path[i] == '/' || !path[i]))
		return;
	if (!path[i] && place[i] == '/')
		slash = i;
	place[slash ? slash : 1] = '\0';
}

static int on_use(void *data, const struct reeve_rule *rule)
{
	struct used *used = data;
	uint64_t rights = rule->allowed & used->rights;
	struct use *use;

	if ((rule->flags & REEVE_RULE_DENY) || !rights)
		return 0;
	use = &used->uses[number_of(used, rule)];
	use->rights |= rights;
	if (!use->place)
		use->place = strdup(used->path);
	else
		join(use->place, used->path);
	used->rights &= ~rights;
	return used->rights == 0;
}

static void use_path(struct used *used, const char *path, uint64_t rights)
{
	used->path = path;
	used->rights = rights;
	if (path[0] == '/' && rights)
		reeve_ruleset_match_path(used->lint->ruleset, path, on_use, used);
}

/* What is made or removed is a right on the directory. */
static void use_object(struct used *used, const char *object, uint64_t rights)
{
	cli_autofree char *above = strdup(object);
	char *slash = above ? strrchr(above, '/') : NULL;

	use_path(used, object, rights & ~DIRECTORY_RIGHTS);
	if (!slash)
		return;
	slash[slash == above] = '\0';
	use_path(used, above, rights & DIRECTORY_RIGHTS);
}

/* ------------------------------------------------------------------------ the lines */

static uint64_t rights_in(const json_t *names, bool *ret_files)
{
	uint64_t rights = 0;
	const json_t *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right =
			text ? reeve_right_find(REEVE_CLASS_COUNT, text) : NULL;

		if (right && right->cls == REEVE_FS)
			rights |= right->bit;
	}
	*ret_files = rights != 0;
	return rights;
}

/* What may be asked for with a descriptor that was opened so. */
static uint64_t implied(uint64_t rights)
{
	return rights & REEVE_FS_WRITE_FILE ? rights | REEVE_FS_TRUNCATE | REEVE_FS_IOCTL_DEV
					    : rights | REEVE_FS_IOCTL_DEV;
}

static void take(struct used *used, const json_t *line)
{
	const json_t *names = json_object_get(line, "rights");
	const char *object = json_string_value(json_object_get(line, "object"));
	const char *object2 = json_string_value(json_object_get(line, "object2"));
	bool files = false;
	uint64_t rights;

	if (!json_is_array(names))
		names = json_object_get(line, "asked");
	if (!object || !json_is_array(names))
		return;
	rights = rights_in(names, &files);
	used->lines++;
	if (!files)
		return;
	use_object(used, object, implied(rights));
	if (object2)
		use_object(used, object2, implied(rights));
}

static int read_lines(struct used *used, FILE *file, const char *shown)
{
	cli_autofree char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t n;

	while ((n = getline(&line, &size, file)) >= 0) {
		json_error_t error;
		json_t *object = json_loadb(line, (size_t)n, 0, &error);

		number++;
		if (!json_is_object(object)) {
			json_decref(object);
			return cli_fail(NULL,
				"policy lint: --used %s:%zu: expected a JSON object in each line",
				shown, number);
		}
		take(used, object);
		json_decref(object);
	}
	return used->lines ? 0
			   : cli_fail("`reeve deps --json -o FILE -- CMD` writes such a file",
				     "policy lint: --used %s: no line of it is an access", shown);
}

/* ------------------------------------------------------------------------- findings */

static void narrower(struct cli_lint *lint, const struct reeve_rule *rule, const struct use *use)
{
	cli_autoescape char *path = cli_escape(rule->path), *place = cli_escape(use->place);
	size_t length = strlen(rule->path);

	if (use->place && strlen(use->place) > length)
		cli_lint_add(lint, LINT_NARROWER, rule, "%s: only %s was used", path, place);
}

/* What a rule grants is one thing to read and another to write: names of groups are enough. */
static void compare(struct cli_lint *lint, const struct reeve_rule *rule, const struct use *use)
{
	static const struct {
		const char *word;
		uint64_t rights;
	} groups[] = {{"reading", REEVE_FS_READ_FILE | REEVE_FS_READ_DIR},
		{"writing", REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE | DIRECTORY_RIGHTS},
		{"executing", REEVE_FS_EXECUTE}};
	cli_autoescape char *path = cli_escape(rule->path);

	if (!use->rights) {
		cli_lint_add(lint, LINT_UNUSED, rule, "%s was not used", path);
		return;
	}
	for (size_t i = 0; i < CLI_COUNT(groups); i++)
		if ((rule->allowed & groups[i].rights) && !(use->rights & groups[i].rights))
			cli_lint_add(lint, LINT_UNUSED_RIGHTS, rule, "%s: %s was not needed", path,
				groups[i].word);
	narrower(lint, rule, use);
}

static void compare_all(struct used *used)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(used->lint->ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_PATH_BENEATH && !(rule.flags & REEVE_RULE_DENY) &&
			rule.allowed && !(rule.origin && strncmp(rule.origin, "profile ", 8) == 0))
			compare(used->lint, &rule, &used->uses[i]);
}

int cli_lint_used(struct cli_lint *lint, const char *name)
{
	size_t count = reeve_ruleset_count(lint->ruleset);
	struct used used = {.lint = lint, .uses = calloc(count + 1, sizeof(*used.uses))};
	cli_autoescape char *shown = cli_escape(name);
	FILE *file = used.uses ? fopen(name, "re") : NULL;
	int r;

	if (!file) {
		r = cli_fail(NULL, "policy lint: --used %s: %s", shown, strerror(errno));
	} else {
		r = read_lines(&used, file, shown);
		fclose(file);
	}
	if (r == 0)
		compare_all(&used);
	for (size_t i = 0; used.uses && i < count; i++)
		free(used.uses[i].place);
	free(used.uses);
	return r;
}
