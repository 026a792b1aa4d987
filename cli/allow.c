/* SPDX-License-Identifier: MIT */
/* `reeve allow` and `reeve revoke`: change the rules of a running domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"
#include "remedy.h"
#include "verbs.h"

struct allow_options {
	struct cli_rules rules;
	const char *duration, *save;
	bool once;
};

#define AT(member) offsetof(struct allow_options, member)

static const struct cli_option allow_options[] = {
	{"--for", 0, "DURATION",
		"take the rules back after this time: 30s, 5m, 2h, 1d; a number alone is seconds",
		CLI_NOTHING, CLI_STRING, AT(duration)},
	{"--once", 0, NULL, "each rule is good for one request only", CLI_NOTHING, CLI_FLAG,
		AT(once)},
	{"--save", 0, "FILE",
		"also add the rules to this policy file, whose comments and order stay", CLI_PATHS,
		CLI_STRING, AT(save)},
	{0},
};

static int parse_duration(const char *text, json_int_t *ret)
{
	static const struct {
		const char *unit;
		json_int_t milliseconds;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000},
		{"h", 3600000}, {"d", 86400000}};
	cli_autoescape char *shown = cli_escape(text);
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	for (size_t i = 0; i < CLI_COUNT(units); i++)
		if (strcmp(end, units[i].unit) == 0 && *text >= '0' && *text <= '9' && !errno &&
			number > 0 && number <= INT64_MAX / 1000 / units[i].milliseconds) {
			*ret = number * units[i].milliseconds;
			return 0;
		}
	return cli_fail(NULL, "--for %s: expected a duration above 0, as 30s, 5m, 2h or 1d", shown);
}

static int make_request(const struct allow_options *allow, json_t **ret, bool *ret_execute)
{
	json_t *request, *rules;
	json_int_t milliseconds = 0;
	int code = allow->duration ? parse_duration(allow->duration, &milliseconds) : 0;

	if (code == 0)
		code = cli_live_rules("allow", &allow->rules, &rules, ret_execute);
	if (code)
		return code;
	request = json_pack(
		"{s:s, s:o, s:b}", "request", "allow", "rules", rules, "once", (int)allow->once);
	if (milliseconds)
		json_object_set_new(request, "milliseconds", json_integer(milliseconds));
	*ret = request;
	return 0;
}

/* With execute, which a file can say. */
static int add_to_file(const struct reeve_ruleset *ruleset, const char *file)
{
	size_t count = reeve_ruleset_count(ruleset);
	cli_autofree struct reeve_rule *rules = calloc(count + 1, sizeof(*rules));
	struct reeve_error err = {0};

	if (!rules)
		return cli_fail(NULL, "out of memory");
	for (size_t i = 0; i < count; i++)
		reeve_ruleset_at(ruleset, i, &rules[i]);
	if (reeve_policy_file_add(file, rules, count, &err) >= 0)
		return CLI_OK;
	cli_print_error(&err);
	return CLI_ERROR;
}

/* After the domain took them: what it refuses is not saved. */
static int save(const struct allow_options *allow)
{
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};

	if (!allow->save)
		return CLI_OK;
	if (cli_live_policy(&allow->rules, &policy, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	return add_to_file(reeve_policy_ruleset(policy), allow->save);
}

static int check_save(const struct allow_options *allow)
{
	if (allow->save && (allow->once || allow->duration))
		return cli_fail("allow it twice: with --save, and with --for or --once",
			"allow: what is saved holds for ever: --save does not go with %s",
			allow->once ? "--once" : "--for");
	return 0;
}

/* ------------------------------------------------------------- what stays denied */

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/* A DENY rule of the domain's on the path of a rule, above it, or below it. What is denied is so by
 * its inode as well: only what the policy itself grants below it counts again. */
static bool warn_of(const struct reeve_rule *rule, const struct reeve_rule *denial)
{
	bool below = is_below(denial->path, rule->path);
	bool same = strcmp(denial->path, rule->path) == 0 || is_below(rule->path, denial->path);
	bool protects = denial->origin && strcmp(denial->origin, CLI_PROTECTED) == 0;
	cli_autoescape char *path = cli_escape(rule->path), *denied = cli_escape(denial->path);

	if (same && protects)
		fprintf(stderr, "reeve: warning: %s: it can be read at most: " CLI_PROTECTED "\n",
			path);
	else if (same)
		fprintf(stderr,
			"reeve: warning: %s: the domain's policy denies %s inside what it grants; "
			"no live rule gives that back\n",
			path, denied);
	else if (below)
		fprintf(stderr, "reeve: warning: %s: %s stays denied %s\n", path, denied,
			protects ? "for writing: " CLI_PROTECTED : "by the domain's policy");
	return same;
}

/* How many of the rules have no effect because what they are on is denied. */
static size_t warn_of_denials(
	const struct reeve_ruleset *rules, const struct reeve_ruleset *effective)
{
	struct reeve_rule rule, denial;
	size_t without = 0;

	for (size_t i = 0; reeve_ruleset_at(rules, i, &rule) == 0; i++)
		for (size_t k = 0; reeve_ruleset_at(effective, k, &denial) == 0; k++)
			if (rule.path && (denial.flags & REEVE_RULE_DENY) &&
				(!denial.allowed || (denial.allowed & rule.allowed)))
				without += warn_of(&rule, &denial);
	return without;
}

/* Asks the domain for its policy. What cannot be asked is not warned of: the rules are in force. */
static int check_denials(const struct allow_options *allow, const struct cli_operands *operands)
{
	struct reeve_ruleset *effective = NULL;
	cli_autopolicy *rules = NULL;
	struct reeve_error err = {0};
	json_t *answer = NULL;
	size_t without = 0;

	if (cli_control_ask("allow", operands, json_pack("{s:s}", "request", "inspect"), &answer))
		return CLI_OK;
	if (cli_live_policy(&allow->rules, &rules, &err) == 0 &&
		cli_answer_ruleset(answer, &effective) == 0)
		without = warn_of_denials(reeve_policy_ruleset(rules), effective);
	reeve_ruleset_free(effective);
	json_decref(answer);
	return without ? CLI_NO : CLI_OK;
}

static int run_allow(void *data, const struct cli_operands *operands)
{
	json_t *request, *answer;
	bool execute = false;
	int code = check_save(data), denied;

	if (code == 0)
		code = make_request(data, &request, &execute);
	if (code == 0)
		code = cli_control_ask("allow", operands, request, &answer);
	if (code)
		return code;
	json_decref(answer);
	denied = check_denials(data, operands);
	code = save(data);
	if (code || !execute)
		return code ? code : denied;
	fputs("reeve: warning: execute cannot be added to a running domain; the rest was allowed\n"
	      "hint: start the program anew with --rx\n",
		stderr);
	return CLI_NO;
}

const struct cli_verb cli_verb_allow = {
	.name = "allow",
	.synopsis = "[ID]",
	.summary = "Allow more to a running domain",
	.text = "ID is a domain's id, a unique prefix of one, its --name, or the pid of a\n"
		"process in it; it may be left out when one domain runs. All rules of one\n"
		"`allow` take effect together, at once. A path may name what does not exist yet,\n"
		"and keeps its meaning when what it names is replaced.\n"
		"\n"
		"Exit code: 0 allowed; 1 no such domain, or a part has no effect: execute, which\n"
		"nothing can add to a running domain, what its policy denies by an exception, or\n"
		"writing to a policy file that was loaded; 125 refused.\n"
		"\n"
		"Examples:\n"
		"  reeve allow --ro ~/data                  the only domain that runs\n"
		"  reeve allow build --rw /srv/out --for 10m\n"
		"  reeve allow --ro ~/data --save policy.toml   ... and from now on\n",
	.options = allow_options,
	.size = sizeof(struct allow_options),
	.takes_rules = true,
	.no_policy = true,
	.rules_offset = AT(rules),
	.run = run_allow,
};

/* --------------------------------------------------------------------------- revoke */

struct revoke_options {
	struct cli_rules rules;
};

static int run_revoke(void *data, const struct cli_operands *operands)
{
	const struct revoke_options *revoke = data;
	json_t *rules, *answer;
	bool execute = false;
	json_int_t touched;
	int code = cli_live_rules("revoke", &revoke->rules, &rules, &execute);

	if (code == 0)
		code = cli_control_ask("revoke", operands,
			json_pack("{s:s, s:o}", "request", "revoke", "rules", rules), &answer);
	if (code)
		return code;
	touched = json_integer_value(json_object_get(answer, "touched"));
	json_decref(answer);
	if (touched > 0)
		return CLI_OK;
	cli_fail("`reeve rules` lists them; what the policy allows cannot be taken from a running "
		 "domain",
		"revoke: no live rule on these paths allows that");
	return CLI_NO;
}

const struct cli_verb cli_verb_revoke = {
	.name = "revoke",
	.synopsis = "[ID]",
	.summary = "Take back what was allowed to a running domain",
	.text = "Takes what the rules say from the live rules on exactly their paths:\n"
		"`--ro PATH` takes reading. What is open already stays open, and the policy that\n"
		"the program was started with cannot change.\n"
		"\n"
		"Exit code: 0 taken back; 1 no such domain, or no such live rule; 125 refused.\n",
	.options = cli_no_options,
	.size = sizeof(struct revoke_options),
	.takes_rules = true,
	.no_policy = true,
	.rules_offset = offsetof(struct revoke_options, rules),
	.run = run_revoke,
};
