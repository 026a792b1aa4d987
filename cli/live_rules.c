/* SPDX-License-Identifier: MIT */
/* Rule flags as live rules, and `reeve rules`. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "control.h"
#include "verbs.h"

/* ------------------------------------------------------------------- from the flags */

static int cannot(const char *verb, const struct reeve_rule *rule)
{
	if (rule->type == REEVE_RULE_UNIX_SOCKET)
		return cli_fail(
			NULL, "%s: live rules for UNIX sockets come with a later version", verb);
	if (rule->type != REEVE_RULE_PATH_BENEATH)
		return cli_fail(NULL, "%s: live rules of class %s come with a later version", verb,
			reeve_class_name(reeve_rule_class(rule->type)));
	return cli_fail("`reeve revoke` takes live rules away; what else the program may do is "
			"settled when it starts",
		"%s: a running domain cannot be denied more by --deny", verb);
}

/* The path, or where it is not UTF-8 its bytes in hex. */
static void set_path(json_t *object, const char *path)
{
	json_t *text = json_string(path);
	size_t length = strlen(path);
	cli_autofree char *hex = text ? NULL : calloc(2, length + 1);

	for (size_t i = 0; hex && i < length; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)path[i]);
	if (text)
		json_object_set_new(object, "path", text);
	else
		json_object_set_new(object, "pathHex", json_string(hex ? hex : ""));
}

static json_t *rule_to_json(const struct reeve_rule *rule)
{
	json_t *object = json_pack("{s:s}", "class", "fs");

	set_path(object, rule->path);
	cli_json_rights(object, "allowed", REEVE_FS, rule->allowed);
	cli_json_text(object, "origin", rule->origin);
	return object;
}

static int rules_to_json(
	const char *verb, const struct reeve_ruleset *ruleset, json_t *array, bool *ret_execute)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (rule.type != REEVE_RULE_PATH_BENEATH || (rule.flags & REEVE_RULE_DENY))
			return cannot(verb, &rule);
		*ret_execute |= rule.allowed & REEVE_FS_EXECUTE;
		rule.allowed &= ~REEVE_FS_EXECUTE;
		if (rule.allowed)
			json_array_append_new(array, rule_to_json(&rule));
	}
	return 0;
}

/* A policy that denies all, so that each flag has its full meaning. */
static int new_policy(
	const struct cli_rules *rules, struct reeve_policy **ret, struct reeve_error *err)
{
	struct reeve_rights all = {
		.of = {[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX),
			[REEVE_NET] = reeve_rights_of_abi(REEVE_NET, REEVE_ABI_MAX)}};
	/* A live rule is a name, and may name what does not exist yet. */
	struct reeve_resolve_options resolve = {.size = sizeof(resolve), .keep_missing = true};
	cli_autopolicy *policy = NULL;
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_handle(policy, &all);
	for (size_t i = 0; i < rules->count && r == 0; i++)
		r = reeve_policy_add_flag(policy, rules->flags[i].flag, rules->flags[i].value, err);
	if (r == 0)
		r = reeve_policy_resolve(policy, &resolve, err);
	if (r < 0)
		return r;
	*ret = policy;
	policy = NULL;
	return 0;
}

static int check_flags(const char *verb, const struct cli_rules *rules)
{
	if (rules->count == 0)
		return cli_fail("rules are given by flags: `--ro PATH`, `--rw PATH`",
			"%s: say which rules", verb);
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->flags[i].flag, "--scope") == 0)
			return cli_fail(
				NULL, "%s: the scopes of a running domain cannot change", verb);
	return 0;
}

int cli_live_rules(const char *verb, const struct cli_rules *rules, json_t **ret, bool *ret_execute)
{
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	json_t *array;
	int code = check_flags(verb, rules);

	if (code)
		return code;
	if (new_policy(rules, &policy, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	array = json_array();
	code = rules_to_json(verb, reeve_policy_ruleset(policy), array, ret_execute);
	if (code)
		json_decref(array);
	else
		*ret = array;
	return code;
}

/* -------------------------------------------------------------------------- the verb */

static uint64_t bits_of(const json_t *names)
{
	uint64_t bits = 0;
	json_t *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right =
			text ? reeve_right_find(REEVE_FS, text) : NULL;

		bits |= right ? right->bit : 0;
	}
	return bits;
}

static void print_rights(const json_t *rule)
{
	const char *path = json_string_value(json_object_get(rule, "path"));
	uint64_t possible = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX);
	struct stat st;
	char buf[512];

	if (path && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		possible &= REEVE_FS_FILE_RIGHTS;
	printf("%s", cli_fs_rights(bits_of(json_object_get(rule, "allowed")) & possible, possible,
			     buf, sizeof(buf)));
}

static void print_rule(const json_t *rule)
{
	cli_autoescape char *path = cli_control_text(rule, "path");
	cli_autoescape char *hex = cli_control_text(rule, "pathHex");
	cli_autoescape char *by = cli_control_text(rule, "by");
	json_int_t uses = json_integer_value(json_object_get(rule, "uses"));
	const json_t *left = json_object_get(rule, "millisecondsLeft");
	char span[32];

	if (json_is_true(json_object_get(rule, "deny")))
		fputs("deny ", stdout);
	print_rights(rule);
	printf("  %s%s\n    by %s, used %" JSON_INTEGER_FORMAT " time%s",
		*path ? path : "hex:", *path ? "" : hex, *by ? by : "the policy", uses,
		uses == 1 ? "" : "s");
	if (left)
		printf(", for another %s",
			cli_control_span((uint64_t)json_integer_value(left), span));
	puts(json_is_true(json_object_get(rule, "once")) ? ", once" : "");
}

struct rules_options {
	bool json;
};

static int run_rules(void *data, const struct cli_operands *operands)
{
	const struct rules_options *options = data;
	json_t *answer, *rule;
	size_t i;
	int code =
		cli_control_ask("rules", operands, json_pack("{s:s}", "request", "rules"), &answer);

	if (code)
		return code;
	json_array_foreach(json_object_get(answer, "rules"), i, rule)
	{
		if (!options->json) {
			print_rule(rule);
			continue;
		}
		json_object_set_new(rule, "version", json_integer(CLI_JSON_VERSION));
		cli_json_line(json_incref(rule));
	}
	if (!options->json && json_array_size(json_object_get(answer, "rules")) == 0)
		puts("No live rules.");
	json_decref(answer);
	return CLI_OK;
}

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct rules_options, json)},
	{0},
};

const struct cli_verb cli_verb_rules = {
	.name = "rules",
	.synopsis = "[ID]",
	.summary = "List the live rules of a running domain",
	.text = "Those that `reeve allow` added and that are still in force. What the program\n"
		"may do besides, its policy says: `reeve inspect`.\n",
	.options = options,
	.size = sizeof(struct rules_options),
	.run = run_rules,
};
