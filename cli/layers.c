/* SPDX-License-Identifier: MIT */
/* What a static run says of itself: a line, whose fields are parted by tabs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "layers.h"

#define LONGEST (32 << 10) /* of what Linux lets a string be, a quarter */

/* Tabs and line feeds part, and may be in a path. */
static void put_field(FILE *out, const char *text)
{
	static const char special[] = "\\\t\n", letters[] = "\\tn";

	for (; *text; text++) {
		const char *found = strchr(special, *text);

		if (found)
			fprintf(out, "\\%c", letters[found - special]);
		else
			putc(*text, out);
	}
}

/* "=" before a value, as there may be none. */
static void put(FILE *out, const char *name, const char *value)
{
	fputs("\t", out);
	put_field(out, name);
	fputs(value ? "\t=" : "\t", out);
	if (value)
		put_field(out, value);
}

static void put_list(FILE *out, const char *name, const struct cli_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		put(out, name, list->items[i]);
}

static void put_layer(FILE *out, const char *cwd, const struct run_options *run)
{
	put_field(out, cwd);
	fprintf(out, "\t%" PRIdMAX, (intmax_t)time(NULL));
	if (run->chdir)
		put(out, "--chdir", run->chdir);
	put_list(out, "-p", &run->rules.policies);
	put_list(out, "--degrade", &run->degrade);
	for (size_t i = 0; i < run->rules.count; i++)
		put(out, run->rules.flags[i].flag, run->rules.flags[i].value);
}

char *cli_layers_add(const struct run_options *run)
{
	cli_autofree char *cwd = getcwd(NULL, 0);
	const char *before = getenv(CLI_LAYERS_VARIABLE);
	char *text = NULL;
	size_t size;
	FILE *out = cwd ? open_memstream(&text, &size) : NULL;

	if (!out)
		return NULL;
	fprintf(out, CLI_LAYERS_VARIABLE "=%s%s", before ? before : "",
		before && *before ? "\n" : "");
	put_layer(out, cwd, run);
	if (fclose(out) == 0 && size < LONGEST)
		return text;
	free(text);
	return NULL;
}
