/* SPDX-License-Identifier: MIT */
/* The effective policy for programs. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "json.h"

json_t *cli_json_new(const char *type)
{
	return json_pack("{s:i, s:s}", "version", CLI_JSON_VERSION, "type", type);
}

void cli_json_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	if (!value) {
		cli_autoescape char *escaped = cli_escape(text);

		value = json_string(escaped);
	}
	json_object_set_new(object, key, value);
}

void cli_json_rights(json_t *object, const char *key, int cls, uint64_t bits)
{
	const struct reeve_right_info *right;
	json_t *names = json_array();

	for (size_t i = 0; (right = reeve_right_at(i)); i++)
		if ((int)right->cls == cls && (bits & right->bit))
			json_array_append_new(names, json_string(right->name));
	json_object_set_new(object, key, names);
}

/* Printed with all that is not ASCII escaped, and DEL: it may go to a terminal, and has names in.
 */
bool cli_json_line(json_t *object)
{
	cli_autofree char *text =
		object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(object);
	if (!text) {
		cli_fail(NULL, "cannot write JSON");
		return false;
	}
	for (const char *at = text; *at; at++) {
		if (*at == 0x7f)
			fputs("\\u007f", stdout);
		else
			putchar(*at);
	}
	putchar('\n');
	return true;
}

static bool line_handled(const struct reeve_ruleset *ruleset)
{
	json_t *line = cli_json_new("handled");
	struct reeve_rights handled;

	reeve_ruleset_handled(ruleset, &handled);
	for (int i = 0; i < REEVE_CLASS_COUNT; i++)
		cli_json_rights(line, reeve_class_name((enum reeve_class)i), i, handled.of[i]);
	return cli_json_line(line);
}

static void add_degraded(json_t *line, const struct reeve_policy *policy)
{
	json_t *features = json_array();
	const char *feature;

	for (size_t i = 0; (feature = reeve_policy_degraded_at(policy, i)); i++)
		json_array_append_new(features, json_string(feature));
	json_object_set_new(line, "degrade", features);
}

static void add_files(json_t *line, const struct reeve_policy *policy)
{
	json_t *files = json_array();
	const char *file;

	for (size_t i = 0; (file = reeve_policy_file_at(policy, i)); i++) {
		cli_autoescape char *escaped = cli_escape(file);

		json_array_append_new(files, json_string(escaped));
	}
	json_object_set_new(line, "files", files);
}

static void add_deny(json_t *line, unsigned int deny)
{
	json_t *list = json_array();
	const char *name;

	for (size_t i = 0; (name = cli_denial_name(i)); i++)
		if (deny & cli_denial_bit(i))
			json_array_append_new(list, json_string(name));
	json_object_set_new(line, "deny", list);
}

static bool line_settings(const struct reeve_policy *policy)
{
	static const char *const datagram[] = {"default", "refuse", "mediate"};
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	json_t *line = cli_json_new("settings");

	reeve_policy_settings(policy, &settings);
	add_deny(line, settings.deny);
	cli_json_text(line, "unix_datagram", datagram[settings.unix_datagram]);
	cli_json_text(line, "tmpdir", settings.private_tmpdir ? "private" : NULL);
	cli_json_text(
		line, "inner_landlock", settings.inner_landlock_floor_only ? "floor-only" : NULL);
	add_degraded(line, policy);
	add_files(line, policy);
	return cli_json_line(line);
}

static const char *const rule_names[] = {
	[REEVE_RULE_PATH_BENEATH] = "path_beneath",
	[REEVE_RULE_NET_PORT] = "net_port",
	[REEVE_RULE_NET_ADDRESS] = "net_address",
	[REEVE_RULE_SOCKET] = "socket",
	[REEVE_RULE_UNIX_SOCKET] = "unix_socket",
};

static void add_ports(json_t *line, const struct reeve_rule *rule)
{
	json_object_set_new(line, "port_first", json_integer(rule->port_first));
	json_object_set_new(line, "port_last", json_integer(rule->port_last));
}

static void add_object(json_t *line, const struct reeve_rule *rule)
{
	switch (rule->type) {
	case REEVE_RULE_PATH_BENEATH:
	case REEVE_RULE_UNIX_SOCKET:
		cli_json_text(line, "path", rule->path);
		return;
	case REEVE_RULE_NET_ADDRESS:
		cli_json_text(line, "address", rule->address);
		add_ports(line, rule);
		return;
	case REEVE_RULE_NET_PORT:
		add_ports(line, rule);
		return;
	case REEVE_RULE_SOCKET:
		json_object_set_new(line, "family", json_integer(rule->socket_family));
		json_object_set_new(line, "socket_type", json_integer(rule->socket_type));
		json_object_set_new(line, "protocol", json_integer(rule->socket_protocol));
		return;
	}
}

static bool line_rule(const struct reeve_rule *rule)
{
	int cls = (int)reeve_rule_class(rule->type);
	json_t *line = cli_json_new("rule");

	cli_json_text(line, "rule", rule_names[rule->type]);
	add_object(line, rule);
	cli_json_rights(line, "allowed", cls, rule->allowed);
	if (rule->quiet)
		cli_json_rights(line, "quiet", cls, rule->quiet);
	json_object_set_new(line, "deny", json_boolean(rule->flags & REEVE_RULE_DENY));
	json_object_set_new(line, "live", json_boolean(rule->flags & REEVE_RULE_LIVE));
	cli_json_text(line, "origin", rule->origin);
	return cli_json_line(line);
}

int cli_show_json(const struct reeve_policy *policy)
{
	const struct reeve_ruleset *ruleset = reeve_policy_ruleset(policy);
	struct reeve_rule rule;
	bool ok = line_handled(ruleset) && line_settings(policy);

	for (size_t i = 0; ok && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		ok = line_rule(&rule);
	return ok ? CLI_OK : CLI_ERROR;
}
