/* SPDX-License-Identifier: MIT */
/* The layers of static runs that a process is in, from its environment. */
#include <stdlib.h>
#include <string.h>
#include "layers.h"

#define VARIABLE    CLI_LAYERS_VARIABLE "="
#define LAYERS_MAX  REEVE_LAYERS_MAX
#define ENVIRON_MAX (4 << 20)

/* The variable's value, allocated; NULL: there is none, or it may not be read. */
static char *value_of(pid_t pid)
{
	char name[32], *line = NULL, *found = NULL;
	size_t size = 0, seen = 0;
	ssize_t length;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/environ", (int)pid);
	file = fopen(name, "re");
	while (file && !found && seen < ENVIRON_MAX &&
		(length = getdelim(&line, &size, '\0', file)) > 0) {
		seen += (size_t)length;
		if (strncmp(line, VARIABLE, strlen(VARIABLE)) == 0)
			found = strdup(line + strlen(VARIABLE));
	}
	if (file)
		fclose(file);
	free(line);
	return found;
}

/* In place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++, *to++ = *text == 't' ? '\t' : *text == 'n' ? '\n' : *text;
		else
			*to++ = *text;
	}
	*to = '\0';
}

/* The next field, ended and plain; NULL: there is none. */
static char *next_field(char **line)
{
	char *field = strsep(line, "\t");

	if (field)
		unescape(field);
	return field;
}

static bool add_flag(struct cli_rules *rules, const char *name, const char *value)
{
	struct cli_rule_flag *flags = reallocarray(rules->flags, rules->count + 1, sizeof(*flags));

	if (!flags)
		return false;
	rules->flags = flags;
	flags[rules->count++] = (struct cli_rule_flag){name, value};
	return true;
}

static bool take_option(struct cli_layer *layer, const char *name, const char *value)
{
	if (strcmp(name, "-p") == 0 && value)
		return cli_list_add(&layer->rules.policies, value);
	if (strcmp(name, "--degrade") == 0 && value)
		return cli_list_add(&layer->degrade, value);
	if (strcmp(name, "--chdir") == 0 && value)
		return (layer->chdir = value);
	return add_flag(&layer->rules, name, value);
}

static bool take_layer(struct cli_layer *layer, char *line)
{
	const char *since, *name;

	layer->cwd = next_field(&line);
	since = next_field(&line);
	if (!since || layer->cwd[0] != '/')
		return false;
	layer->since = (time_t)strtoll(since, NULL, 10);
	while ((name = next_field(&line))) {
		const char *value = next_field(&line);

		if (!value || !take_option(layer, name, value[0] == '=' ? value + 1 : NULL))
			return false;
	}
	return true;
}

void cli_layers_read(pid_t pid, struct cli_layers *ret)
{
	struct cli_layers layers = {.text = value_of(pid)};
	char *rest = layers.text, *line;
	bool good;

	layers.at = calloc(LAYERS_MAX, sizeof(*layers.at));
	good = layers.at && layers.text;
	while (good && layers.count < LAYERS_MAX && (line = strsep(&rest, "\n")))
		good = take_layer(&layers.at[layers.count++], line);
	*ret = (struct cli_layers){0};
	if (good && !rest)
		*ret = layers;
	else
		cli_layers_release(&layers);
}

void cli_layers_release(struct cli_layers *layers)
{
	for (size_t i = 0; layers->at && i < layers->count; i++) {
		free(layers->at[i].rules.policies.items);
		free(layers->at[i].rules.flags);
		free(layers->at[i].degrade.items);
	}
	free(layers->at);
	free(layers->text);
	*layers = (struct cli_layers){0};
}
