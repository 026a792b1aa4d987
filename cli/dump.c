/* SPDX-License-Identifier: MIT */
/*
 * `reeve help --dump-options`: every table that man pages and completions are made from, as lines
 * of tab-separated fields. An empty field is "-".
 *
 *	verb NAME SYNOPSIS COMPLETE FIRST_OPERAND_IS_COMMAND SUMMARY
 *	option VERB NAME LETTER ARGUMENT COMPLETE repeat|once own|rules|rule|common HELP
 *	word KIND WORD HELP		KIND: feature, scope, family, access, format, profile
 */
#include <string.h>
#include "cli.h"

static const char *const complete_names[] = {
	[CLI_NOTHING] = "nothing",
	[CLI_PATHS] = "paths",
	[CLI_DIRECTORIES] = "directories",
	[CLI_POLICIES] = "policies",
	[CLI_FEATURES] = "features",
	[CLI_SCOPES] = "scopes",
	[CLI_FAMILIES] = "families",
	[CLI_COMMANDS] = "commands",
	[CLI_ACCESSES] = "accesses",
	[CLI_FORMATS] = "formats",
	[CLI_VERBS] = "verbs",
};

struct dump {
	FILE *out;
	const struct cli_verb *verb;
};

static const char *field(const char *text)
{
	return text && *text ? text : "-";
}

static const char *table_of(const struct cli_option *option, bool is_rule)
{
	if (is_rule)
		return "rule";
	if (strcmp(option->name, cli_common_options[0].name) == 0)
		return "common";
	return strcmp(option->name, cli_rules_options[0].name) == 0 ? "rules" : "own";
}

static int dump_option(void *data, const struct cli_option *option, bool is_rule)
{
	const struct dump *dump = data;
	char letter[2] = {option->letter, '\0'};

	if (option->does)
		fprintf(dump->out, "option\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", dump->verb->name,
			option->name, field(letter), field(option->argument),
			complete_names[option->complete],
			option->kind == CLI_LIST ? "repeat" : "once", table_of(option, is_rule),
			option->does);
	return 0;
}

static void dump_features(FILE *out)
{
	const struct reeve_feature *feature;

	for (size_t i = 0; (feature = reeve_feature_at(i)); i++)
		fprintf(out, "word\tfeature\t%s\t%s\n", feature->name, field(feature->does));
}

static void dump_rights(FILE *out)
{
	const struct reeve_right_info *right;
	const char *word, *does;

	for (size_t i = 0; (word = cli_explain_word_at(i, &does)); i++)
		fprintf(out, "word\taccess\t%s\t%s\n", word, does);
	for (size_t i = 0; (right = reeve_right_at(i)); i++) {
		fprintf(out, "word\taccess\t%s\t%s\n", right->full_name, field(right->does));
		if (right->cls == REEVE_SCOPE)
			fprintf(out, "word\tscope\t%s\t%s\n", right->name, field(right->does));
	}
}

static int dump_profile(void *data, const char *name, const char *summary, const char *source)
{
	if (strcmp(source, "built-in") == 0)
		fprintf(data, "word\tprofile\t%s\t%s\n", name, field(summary));
	return 0;
}

void cli_dump_options(FILE *out)
{
	struct dump dump = {.out = out};
	const char *family, *format, *does;

	for (size_t i = 0; (dump.verb = cli_verb_at(i)); i++) {
		fprintf(out, "verb\t%s\t%s\t%s\t%d\t%s\n", dump.verb->name,
			field(dump.verb->synopsis), complete_names[dump.verb->complete],
			dump.verb->first_operand_ends && dump.verb->complete == CLI_COMMANDS,
			dump.verb->summary);
		cli_each_option(dump.verb, dump_option, &dump);
	}
	dump_features(out);
	dump_rights(out);
	for (size_t i = 0; (family = cli_socket_family_at(i)); i++)
		fprintf(out, "word\tfamily\t%s\t-\n", family);
	for (size_t i = 0; (format = cli_import_format_at(i, &does)); i++)
		fprintf(out, "word\tformat\t%s\t%s\n", format, does);
	reeve_profile_list(dump_profile, out);
}
