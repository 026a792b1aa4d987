/* SPDX-License-Identifier: MIT */
/* Parsing by table: GNU long options, one-letter options, `--`. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"

const struct cli_option cli_common_options[] = {
	{"--help", 'h', NULL, "show this help", CLI_NOTHING, CLI_FLAG, 0},
	{0},
};

/* Offsets here are within struct cli_rules. */
const struct cli_option cli_rules_options[] = {
	{"--policy", 'p', "POLICY",
		"start from a profile (a name) or a policy file (a path, or \"-\"); of several, "
		"what "
		"all of them deny is denied, what one of them allows is allowed [workspace]",
		CLI_POLICIES, CLI_LIST, offsetof(struct cli_rules, policies)},
	{0},
};

/* The table row that a rule flag of the library amounts to. */
static struct cli_option of_rule_flag(const struct reeve_rule_flag *flag)
{
	static const struct {
		const char *argument;
		enum cli_complete complete;
	} kinds[] = {{"PATH", CLI_PATHS}, {"LIST", CLI_SCOPES}};
	struct cli_option option = {.name = flag->name,
		.argument = flag->argument,
		.does = flag->does,
		.kind = CLI_LIST};

	for (size_t i = 0; flag->argument && i < CLI_COUNT(kinds); i++)
		if (strcmp(flag->argument, kinds[i].argument) == 0)
			option.complete = kinds[i].complete;
	if (strcmp(flag->name, "--socket") == 0)
		option.complete = CLI_FAMILIES;
	return option;
}

static int each_of(const struct cli_option *options,
	int (*fn)(void *data, const struct cli_option *option, bool is_rule), void *data)
{
	int r = 0;

	for (; options && options->name && r == 0; options++)
		r = fn(data, options, false);
	return r;
}

static int each_rule_flag(
	int (*fn)(void *data, const struct cli_option *option, bool is_rule), void *data)
{
	const struct reeve_rule_flag *flag;
	int r = 0;

	for (size_t i = 0; r == 0 && (flag = reeve_rule_flag_at(i)); i++) {
		struct cli_option option = of_rule_flag(flag);

		r = fn(data, &option, true);
	}
	return r;
}

int cli_each_option(const struct cli_verb *verb,
	int (*fn)(void *data, const struct cli_option *option, bool is_rule), void *data)
{
	int r = 0;

	if (verb->takes_rules && !verb->no_policy)
		r = each_of(cli_rules_options, fn, data);
	if (r == 0)
		r = each_of(verb->options, fn, data);
	if (r == 0 && verb->takes_rules)
		r = each_rule_flag(fn, data);
	return r ? r : each_of(cli_common_options, fn, data);
}

/* ------------------------------------------------------------------- targets */

bool cli_list_add(struct cli_list *list, const char *value)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (!items)
		return false;
	list->items = items;
	list->items[list->count++] = value;
	return true;
}

static bool rules_add(struct cli_rules *rules, const char *flag, const char *value)
{
	struct cli_rule_flag *flags = realloc(rules->flags, (rules->count + 1) * sizeof(*flags));

	if (!flags)
		return false;
	rules->flags = flags;
	rules->flags[rules->count++] = (struct cli_rule_flag){flag, value};
	return true;
}

static void release_list(const struct cli_option *options, char *target)
{
	for (; options && options->name; options++)
		if (options->kind == CLI_LIST)
			free(((struct cli_list *)(void *)(target + options->offset))->items);
}

void cli_options_release(const struct cli_verb *verb, void *target)
{
	release_list(verb->options, target);
	if (verb->takes_rules) {
		char *rules = (char *)target + verb->rules_offset;

		release_list(cli_rules_options, rules);
		free(((struct cli_rules *)(void *)rules)->flags);
	}
}

/* Where an option's value goes: options of the rules have a base of their own. */
static bool store(const struct cli_option *option, char *target, const char *value)
{
	void *place = target + option->offset;

	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)place = true;
		return true;
	case CLI_STRING:
		*(const char **)place = value;
		return true;
	case CLI_LIST:
		return cli_list_add(place, value);
	}
	return false;
}

/* -------------------------------------------------------------------- look-up */

/* What to look for, and what was found. */
struct lookup {
	const char *name; /* with its length, as "--ro=/usr" has no end there */
	size_t length;
	char letter;
	struct cli_option found;
	bool is_rule;
};

static int match(void *data, const struct cli_option *option, bool is_rule)
{
	struct lookup *lookup = data;
	bool same = lookup->name ? strlen(option->name) == lookup->length &&
					   strncmp(option->name, lookup->name, lookup->length) == 0
				 : option->letter == lookup->letter;

	if (!same)
		return 0;
	lookup->found = *option;
	lookup->is_rule = is_rule;
	return 1;
}

static int nearest(void *data, const struct cli_option *option, bool is_rule)
{
	(void)is_rule;
	cli_nearest_try(data, option->name);
	return 0;
}

static int unknown_option(const struct cli_verb *verb, const char *arg)
{
	size_t length = strcspn(arg, "=");
	cli_autofree char *word = strndup(arg, length);
	cli_autoescape char *shown = cli_escape(word);
	struct cli_nearest near = {.word = word};
	const char *found = NULL;
	char hint[160];

	if (word && verb->takes_rules && cli_foreign_hint(word, hint, sizeof(hint)))
		return cli_fail(hint, "%s: unknown option %s", verb->name, shown);
	if (word && cli_each_option(verb, nearest, &near) == 0)
		found = cli_nearest_found(&near);
	if (found)
		snprintf(hint, sizeof(hint), "did you mean %s?", found);
	else
		snprintf(hint, sizeof(hint), "`reeve %s --help` lists the options", verb->name);
	return cli_fail(hint, "%s: unknown option %s", verb->name, shown);
}

/* -------------------------------------------------------------------- parsing */

struct parser {
	const struct cli_verb *verb;
	char *target;
	int argc, at;
	char **argv;
	bool help;
};

static int out_of_memory(void)
{
	return cli_fail(NULL, "out of memory");
}

/* "--" is where the options end, and no value unless it is attached. */
static bool has_next(const struct parser *parser)
{
	return parser->at + 1 < parser->argc && strcmp(parser->argv[parser->at + 1], "--") != 0;
}

/* Hands a value (NULL: none was attached) to its target, taking the next argument if need be. */
static int apply(struct parser *parser, const struct lookup *lookup, const char *value)
{
	const struct cli_option *option = &lookup->found;
	char *rules = parser->target + parser->verb->rules_offset;
	bool done;

	if (!option->argument && value)
		return cli_fail(NULL, "%s: %s takes no value", parser->verb->name, option->name);
	if (option->argument && !value) {
		if (!has_next(parser))
			return cli_fail(NULL, "%s: %s needs a value: %s %s", parser->verb->name,
				option->name, option->name, option->argument);
		value = parser->argv[++parser->at];
	}
	if (strcmp(option->name, cli_common_options[0].name) == 0) {
		parser->help = true;
		return 0;
	}
	if (lookup->is_rule)
		done = rules_add((struct cli_rules *)(void *)rules, option->name, value);
	else if (strcmp(option->name, cli_rules_options[0].name) == 0)
		done = store(option, rules, value);
	else
		done = store(option, parser->target, value);
	return done ? 0 : out_of_memory();
}

static int parse_long(struct parser *parser, char *arg)
{
	size_t length = strcspn(arg, "=");
	struct lookup lookup = {.name = arg, .length = length};

	if (cli_each_option(parser->verb, match, &lookup) == 0)
		return unknown_option(parser->verb, arg);
	/* The name that is kept must be the table's: argv's has no end. */
	return apply(parser, &lookup, arg[length] ? arg + length + 1 : NULL);
}

/* "-v", "-p POLICY", "-pPOLICY", "-vp POLICY". */
static int parse_letters(struct parser *parser, char *arg)
{
	int r = 0;

	for (char *p = arg + 1; *p && r == 0; p++) {
		struct lookup lookup = {.letter = *p};
		char *rest = NULL;

		if (cli_each_option(parser->verb, match, &lookup) == 0)
			return unknown_option(parser->verb, arg);
		if (lookup.found.argument && p[1])
			rest = p + 1;
		r = apply(parser, &lookup, rest);
		if (rest)
			break;
	}
	return r;
}

static int parse_one(struct parser *parser, char *arg)
{
	return arg[1] == '-' ? parse_long(parser, arg) : parse_letters(parser, arg);
}

int cli_parse(
	const struct cli_verb *verb, int argc, char **argv, void *target, struct cli_operands *ret)
{
	struct parser parser = {.verb = verb, .target = target, .argc = argc, .argv = argv};
	int kept = 0, r = 0;

	for (; parser.at < argc && r == 0; parser.at++) {
		char *arg = argv[parser.at];

		if (strcmp(arg, "--") == 0) {
			parser.at++;
			break;
		}
		if (arg[0] == '-' && arg[1]) {
			r = parse_one(&parser, arg);
			continue;
		}
		if (verb->first_operand_ends)
			break;
		argv[kept++] = arg;
	}
	if (r || parser.help)
		return r ? r : CLI_PARSE_HELP;
	while (parser.at < argc)
		argv[kept++] = argv[parser.at++];
	argv[kept] = NULL;
	*ret = (struct cli_operands){kept, argv};
	return 0;
}
