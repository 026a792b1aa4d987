/* SPDX-License-Identifier: MIT */
/* `reeve help`, `reeve VERB --help`: made from the tables. */
#include <string.h>
#include "verbs.h"

#define OPTION_INDENT 28 /* where an option's description starts */
#define VERB_WIDTH    14

static const char top_text[] =
	"reeve runs a program that can reach only what you allow: no root, no daemon.\n"
	"\n"
	"Try it, in a project of yours:\n"
	"  reeve run -- make                 what is in here is writable, nothing else;\n"
	"                                    no network, no home, no signals outside\n"
	"  reeve run -- cat ~/.ssh/id_rsa    Permission denied\n"
	"  reeve run --ro ~/data -- make     ... and ~/data may be read\n"
	"  reeve run --dry-run -- make       what would be enforced, and by whom\n"
	"\n"
	"Usage: reeve VERB [OPTION]... [OPERAND]...\n"
	"\n"
	"Verbs:\n";

static const char top_end[] =
	"\n"
	"`reeve help VERB` or `reeve VERB --help` tells more; so do the man pages\n"
	"reeve(1), reeve-run(1) and reeve-policy(5).\n"
	"\n"
	"Exit codes: 0 done, or allowed; 1 no; 125 reeve failed. `run` ends as its\n"
	"program does, or with 126 where that cannot be executed, 127 where it is not\n"
	"found.\n";

static void verb_line(FILE *out, const struct cli_verb *verb)
{
	fprintf(out, "  %-*s", VERB_WIDTH, verb->name);
	cli_fill(out, 2 + VERB_WIDTH, 2 + VERB_WIDTH, verb->summary);
}

static void verb_lines(FILE *out, const char *group)
{
	const struct cli_verb *verb;
	size_t length = group ? strlen(group) : 0;

	for (size_t i = 0; (verb = cli_verb_at(i)); i++)
		if (!group ||
			(strncmp(verb->name, group, length) == 0 && verb->name[length] == ' '))
			verb_line(out, verb);
}

void cli_help_top(FILE *out)
{
	fputs(top_text, out);
	verb_lines(out, NULL);
	fputs(top_end, out);
}

void cli_help_group(FILE *out, const char *group)
{
	fprintf(out, "Usage: reeve %s VERB [OPTION]... [OPERAND]...\n\nVerbs:\n", group);
	verb_lines(out, group);
	fprintf(out, "\n`reeve help %s VERB` tells more.\n", group);
}

/* What help_line() prints to, and where it is. */
struct help_state {
	FILE *out;
	bool rules;  /* print the rule flags, or the others? */
	bool headed; /* the heading was printed */
};

static int help_line(void *data, const struct cli_option *option, bool is_rule)
{
	struct help_state *state = data;
	char left[64], letter[8] = "    ";

	if (is_rule != state->rules || !option->does)
		return 0;
	if (!state->headed)
		fputs(is_rule ? "\nRules, which widen the policy:\n" : "\nOptions:\n", state->out);
	state->headed = true;
	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "  %s%s%s%s", letter, option->name,
		option->argument ? " " : "", option->argument ? option->argument : "");
	cli_column(state->out, left, 0, OPTION_INDENT - 1);
	fputc(' ', state->out);
	cli_fill(state->out, OPTION_INDENT, OPTION_INDENT, option->does);
	return 0;
}

void cli_help_verb(FILE *out, const struct cli_verb *verb)
{
	struct help_state options = {.out = out}, rules = {.out = out, .rules = true};

	fprintf(out, "Usage: reeve %s [OPTION]...%s%s%s\n\n", verb->name,
		verb->takes_rules ? " [RULE]..." : "", verb->synopsis[0] ? " " : "",
		verb->synopsis);
	fprintf(out, "%s.\n", verb->summary);
	cli_each_option(verb, help_line, &options);
	cli_each_option(verb, help_line, &rules);
	if (verb->text)
		fprintf(out, "\n%s", verb->text);
}

/* ----------------------------------------------------------------- the verbs */

struct help_options {
	bool dump;
};

static int run_help(void *data, const struct cli_operands *operands)
{
	const struct help_options *options = data;
	const struct cli_verb *verb;
	int words = 1;

	if (options->dump) {
		cli_dump_options(stdout);
		return CLI_OK;
	}
	if (operands->count == 0) {
		cli_help_top(stdout);
		return CLI_OK;
	}
	verb = cli_verb_find(operands->count, operands->items, &words);
	if (verb && words == operands->count) {
		cli_help_verb(stdout, verb);
		return CLI_OK;
	}
	if (operands->count == 1 && cli_verb_is_group(operands->items[0])) {
		cli_help_group(stdout, operands->items[0]);
		return CLI_OK;
	}
	if (verb)
		return cli_fail(NULL, "help: too many operands");
	return cli_verb_unknown(operands->count, operands->items);
}

/* --dump-options is for the tools that make the man pages and completions: no help shows it. */
static const struct cli_option help_options[] = {
	{"--dump-options", 0, NULL, NULL, CLI_NOTHING, CLI_FLAG,
		offsetof(struct help_options, dump)},
	{0},
};

const struct cli_verb cli_verb_help = {
	.name = "help",
	.synopsis = "[VERB]",
	.summary = "Explain reeve, or one verb",
	.options = help_options,
	.size = sizeof(struct help_options),
	.complete = CLI_VERBS,
	.run = run_help,
};

static int run_version(void *data, const struct cli_operands *operands)
{
	(void)data;
	if (operands->count > 0)
		return cli_fail(NULL, "version: takes no operands");
	printf("reeve %s\n", reeve_version());
	return CLI_OK;
}

static const struct cli_option no_options[] = {{0}};

const struct cli_verb cli_verb_version = {
	.name = "version",
	.synopsis = "",
	.summary = "Show the version of reeve",
	.options = no_options,
	.run = run_version,
};
