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

static void set_numbers(json_t *object, const char *const keys[3], const json_int_t numbers[3])
{
	for (size_t i = 0; i < 3 && keys[i]; i++)
		json_object_set_new(object, keys[i], json_integer(numbers[i]));
}

static void set_object(json_t *object, const struct reeve_rule *rule)
{
	static const char *const ports[] = {"portFirst", "portLast", NULL};
	static const char *const socket[] = {"family", "socketType", "protocol"};
	const json_int_t port[] = {rule->port_first, rule->port_last, 0};
	const json_int_t numbers[] = {
		rule->socket_family, rule->socket_type, rule->socket_protocol};

	if (rule->path)
		set_path(object, rule->path);
	else if (rule->type == REEVE_RULE_SOCKET)
		set_numbers(object, socket, numbers);
	else
		set_numbers(object, ports, port);
	if (rule->address)
		json_object_set_new(object, "address", json_string(rule->address));
}

/* Sockets that come along with something else, as with ports: a socket of one's own is --socket's.
 */
static bool is_implied(enum reeve_class cls, const char *origin)
{
	static const char own[] = "--socket ";

	return cls == REEVE_SOCKET && origin && strncmp(origin, "--", 2) == 0 &&
	       strncmp(origin, own, sizeof(own) - 1) != 0;
}

static json_t *rule_to_json(const struct reeve_rule *rule, bool revoke)
{
	enum reeve_class cls = reeve_rule_class(rule->type);
	json_t *object = json_pack("{s:s}", "class", reeve_class_name(cls));

	set_object(object, rule);
	cli_json_rights(object, "allowed", (int)cls, rule->allowed);
	/* What is taken back by itself is so whatever it came with. */
	if (!revoke || is_implied(cls, rule->origin))
		cli_json_text(object, "origin", rule->origin);
	return object;
}

static int rules_to_json(
	const char *verb, const struct reeve_ruleset *ruleset, json_t *array, bool *ret_execute)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (rule.flags & REEVE_RULE_DENY)
			return cli_fail("`reeve revoke` takes live rules away; what else the "
					"program may do is settled when it starts",
				"%s: a running domain cannot be denied more by --deny", verb);
		/* A UNIX socket is a path with the right resolve_unix. */
		if (rule.path) {
			*ret_execute |= rule.allowed & REEVE_FS_EXECUTE;
			rule.allowed &= ~REEVE_FS_EXECUTE;
		}
		if (rule.allowed)
			json_array_append_new(
				array, rule_to_json(&rule, strcmp(verb, "revoke") == 0));
	}
	return 0;
}

int cli_live_policy(
	const struct cli_rules *rules, struct reeve_policy **ret, struct reeve_error *err)
{
	struct reeve_rights all = {
		.of = {[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX),
			[REEVE_NET] = reeve_rights_of_abi(REEVE_NET, REEVE_ABI_MAX),
			[REEVE_SOCKET] = REEVE_SOCKET_CREATE}};
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
	if (cli_live_policy(rules, &policy, &err) < 0) {
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

static void print_path_rule(const json_t *rule)
{
	cli_autoescape char *shown = cli_control_text(rule, "path");
	cli_autoescape char *hex = cli_control_text(rule, "pathHex");
	const char *path = json_string_value(json_object_get(rule, "path"));
	uint64_t possible = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX);
	uint64_t allowed = bits_of(json_object_get(rule, "allowed"));
	struct stat st;
	char buf[512];

	if (path && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		possible &= REEVE_FS_FILE_RIGHTS;
	printf("%s  %s%s", cli_fs_rights(allowed & possible, possible, buf, sizeof(buf)),
		*shown ? shown : "hex:", *shown ? "" : hex);
}

/* Its rights and what it is on. */
static void print_grant(const json_t *json)
{
	char path[PATH_MAX], buf[128];
	struct reeve_rule rule;
	cli_autofree char *object = NULL;

	if (cli_answer_rule(json, path, &rule) < 0 || rule.path) {
		print_path_rule(json);
		return;
	}
	object = cli_rule_object(&rule);
	printf("%s  %s",
		reeve_rights_format(reeve_rule_class(rule.type), rule.allowed, buf, sizeof(buf)),
		object ? object : "?");
}

void cli_live_rule_print(const json_t *rule)
{
	cli_autoescape char *by = cli_control_text(rule, "by");
	cli_autoescape char *origin = cli_control_text(rule, "origin");
	json_int_t uses = json_integer_value(json_object_get(rule, "uses"));
	const json_t *left = json_object_get(rule, "millisecondsLeft");
	char span[32];

	if (json_is_true(json_object_get(rule, "deny")))
		fputs("deny ", stdout);
	print_grant(rule);
	printf("\n    by %s", *by ? by : "the policy");
	if (*origin)
		printf(" (%s)", origin);
	printf(", used %" JSON_INTEGER_FORMAT " time%s", uses, uses == 1 ? "" : "s");
	if (left)
		printf(", for another %s",
			cli_control_span((uint64_t)json_integer_value(left), span));
	puts(json_is_true(json_object_get(rule, "once")) ? ", once" : "");
}

/* The ports that it came with are listed. */
static void print_unless_implied(const json_t *rule)
{
	const char *class = json_string_value(json_object_get(rule, "class"));
	bool socket = class && strcmp(class, reeve_class_name(REEVE_SOCKET)) == 0;

	if (!is_implied(socket ? REEVE_SOCKET : REEVE_FS,
		    json_string_value(json_object_get(rule, "origin"))))
		cli_live_rule_print(rule);
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
			print_unless_implied(rule);
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
	.text = "Those that `reeve allow` or an answer added and that are still in force: by\n"
		"whom, from which flag or question, how often used, how long they hold. What\n"
		"the program may do besides, its policy says: `reeve inspect`.\n",
	.options = options,
	.size = sizeof(struct rules_options),
	.run = run_rules,
};
