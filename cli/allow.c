/* SPDX-License-Identifier: MIT */
/* `reeve allow` and `reeve revoke`: change the rules of a running domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"
#include "verbs.h"

struct allow_options {
	struct cli_rules rules;
	const char *duration;
	bool once;
};

#define AT(member) offsetof(struct allow_options, member)

static const struct cli_option allow_options[] = {
	{"--for", 0, "DURATION",
		"take the rules back after this time: 30s, 5m, 2h, 1d; a number alone is seconds",
		CLI_NOTHING, CLI_STRING, AT(duration)},
	{"--once", 0, NULL, "each rule is good for one request only", CLI_NOTHING, CLI_FLAG,
		AT(once)},
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

static int run_allow(void *data, const struct cli_operands *operands)
{
	json_t *request, *answer;
	bool execute = false;
	int code = make_request(data, &request, &execute);

	if (code == 0)
		code = cli_control_ask("allow", operands, request, &answer);
	if (code)
		return code;
	json_decref(answer);
	if (!execute)
		return CLI_OK;
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
		"Exit code: 0 allowed; 1 no such domain, or execute was asked for, which nothing\n"
		"can add to a running domain; 125 refused.\n"
		"\n"
		"Examples:\n"
		"  reeve allow --ro ~/data                  the only domain that runs\n"
		"  reeve allow build --rw /srv/out --for 10m\n",
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
