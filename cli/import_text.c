/* SPDX-License-Identifier: MIT */
/* An import as a policy file: each rule below a comment that says where it came from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "import.h"

static void put_rights(FILE *file, const char *key, enum reeve_class cls, uint64_t rights)
{
	const struct reeve_right_info *info;
	const char *comma = "";

	if (!rights)
		return;
	fprintf(file, "%s = [", key);
	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == cls && (rights & info->bit)) {
			fprintf(file, "%s\"%s\"", comma, info->name);
			comma = ", ";
		}
	fputs("]\n", file);
}

static void put_denials(FILE *file, unsigned int deny)
{
	const char *comma = "deny = [", *name;

	for (size_t i = 0; (name = cli_denial_name(i)); i++)
		if (deny & cli_denial_bit(i)) {
			fprintf(file, "%s\"%s\"", comma, name);
			comma = ", ";
		}
	if (deny)
		fputs("]\n", file);
}

static void put_ruleset(FILE *file, const struct cli_import *import)
{
	const struct reeve_rights *handled = &import->handled;

	fputs("[[ruleset]]\n", file);
	put_rights(file, "handled_access_fs", REEVE_FS, handled->of[REEVE_FS]);
	put_rights(file, "handled_access_net", REEVE_NET, handled->of[REEVE_NET]);
	put_rights(file, "handled_socket", REEVE_SOCKET, handled->of[REEVE_SOCKET]);
	put_rights(file, "scoped", REEVE_SCOPE, handled->of[REEVE_SCOPE]);
	put_denials(file, import->deny);
	/* None of these tools restricts datagrams as such: where sockets are mediated, so are they.
	 */
	if ((handled->of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) ||
		(handled->of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET))
		fputs("unix_datagram = \"mediate\"\n", file);
}

static void put_origin(FILE *file, const char *origin)
{
	cli_autoescape char *shown = cli_escape(origin);

	fprintf(file, "\n# %s\n", shown);
}

/* --------------------------------------------------------------------------- rules */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Rules that differ in their path, or family, alone are one table. */
static bool same_table(const struct reeve_rule *a, const struct reeve_rule *b)
{
	bool lists = a->type == REEVE_RULE_PATH_BENEATH || a->type == REEVE_RULE_UNIX_SOCKET ||
		     a->type == REEVE_RULE_SOCKET;

	return lists && a->type == b->type && a->allowed == b->allowed && a->quiet == b->quiet &&
	       a->flags == b->flags && a->socket_type == b->socket_type &&
	       a->socket_protocol == b->socket_protocol && same_text(a->origin, b->origin);
}

static int cannot_write(const struct reeve_rule *rule, int r, struct reeve_error *err)
{
	cli_autoescape char *shown = cli_escape(rule->path);

	if (r == -EILSEQ)
		snprintf(err->message, sizeof(err->message),
			"policy import: %s: not UTF-8, which the names in a policy must be", shown);
	return r;
}

/* The line of a rule's TOML in which its object stands; NULL: there is no such line. */
static char *object_line(char *toml)
{
	static const char *const keys[] = {
		"\nparent = [", "\nexcept = [", "\npath = [", "\nfamily = ["};

	for (size_t i = 0; i < CLI_COUNT(keys); i++) {
		char *found = strstr(toml, keys[i]);

		if (found)
			return found + 1;
	}
	return NULL;
}

/* The objects of all later rules of the same table, which are then done, one a line. */
static int put_objects(FILE *file, const struct cli_import *import, size_t first, bool *done,
	struct reeve_error *err)
{
	for (size_t i = first + 1; i < import->count; i++) {
		cli_autofree char *toml = NULL;
		char *line, *end;
		int r;

		if (done[i] || !same_table(&import->rules[first], &import->rules[i]))
			continue;
		r = reeve_rule_to_toml(&import->rules[i], &toml);
		if (r)
			return cannot_write(&import->rules[i], r, err);
		line = object_line(toml);
		end = line ? strchr(line, '\n') : NULL;
		line = line ? strchr(line, '[') + 1 : toml;
		fprintf(file, ",\n\t%.*s", end ? (int)(end - 1 - line) : 0, line);
		done[i] = true;
	}
	return 0;
}

static int put_rule(
	FILE *file, const struct cli_import *import, size_t i, bool *done, struct reeve_error *err)
{
	cli_autofree char *toml = NULL;
	char *line, *end;
	int r = reeve_rule_to_toml(&import->rules[i], &toml);

	if (r)
		return cannot_write(&import->rules[i], r, err);
	put_origin(file, import->rules[i].origin);
	line = object_line(toml);
	end = line ? strchr(line, '\n') : NULL;
	if (!end) {
		fputs(toml, file);
		return 0;
	}
	fprintf(file, "%.*s", (int)(end - 1 - toml), toml);
	r = put_objects(file, import, i, done, err);
	fprintf(file, "%s", end - 1);
	return r;
}

static int put_rules(FILE *file, const struct cli_import *import, struct reeve_error *err)
{
	cli_autofree bool *done = calloc(import->count + 1, sizeof(*done));
	int r = done ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < import->count; i++)
		if (!done[i])
			r = put_rule(file, import, i, done, err);
	return r;
}

/* --------------------------------------------------------------------------- notes */

static const char *const headings[] = {
	[CLI_IMPORT_NONE] = "Nothing in a policy says the same as this:",
	[CLI_IMPORT_DIFFERS] = "This is not quite the same:",
	[CLI_IMPORT_COVERED] = "This needs no rule:",
};

static void put_notes(FILE *file, const struct cli_import *import, enum cli_import_fate fate)
{
	size_t printed = 0;

	for (size_t i = 0; i < import->note_count; i++) {
		const struct cli_import_note *note = &import->notes[i];
		cli_autoescape char *origin = cli_escape(note->origin);
		cli_autoescape char *what = cli_escape(note->what);
		cli_autoescape char *why = cli_escape(note->why);

		if (note->fate != fate)
			continue;
		if (printed++ == 0)
			fprintf(file, "\n# %s\n", headings[fate]);
		fprintf(file, "#   %s: %s: %s\n", origin, what, why);
	}
}

char *cli_import_to_toml(
	const struct cli_import *import, const char *source, struct reeve_error *err)
{
	cli_autoescape char *shown = cli_escape(source);
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (!file)
		return NULL;
	fprintf(file, "# From `reeve policy import`: %s\n", shown);
	if (import->private_tmpdir)
		fputs("tmpdir = \"private\"\n", file);
	fputs("\n", file);
	put_ruleset(file, import);
	r = put_rules(file, import, err);
	for (size_t fate = 0; fate < CLI_COUNT(headings); fate++)
		put_notes(file, import, (enum cli_import_fate)fate);
	if (fclose(file) != 0 || r) {
		free(text);
		return NULL;
	}
	return text;
}
