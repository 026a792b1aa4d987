/* SPDX-License-Identifier: MIT */
/* The rules in a domain's answer, as a ruleset again. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"

static int rights_of(const json_t *names, enum reeve_class cls, uint64_t *ret)
{
	uint64_t bits = 0;
	json_t *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right = text ? reeve_right_find(cls, text) : NULL;

		if (!right)
			return -EPROTO;
		bits |= right->bit;
	}
	*ret = bits;
	return 0;
}

/* ---------------------------------------------------------------------------- objects */

static int number_in(const json_t *object, const char *key, json_int_t least, json_int_t most)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	return json_is_integer(value) && number >= least && number <= most ? (int)number : INT_MIN;
}

static bool read_hex(const char *hex, char path[static PATH_MAX])
{
	size_t length = strlen(hex) / 2;

	if (length >= PATH_MAX || hex[2 * length])
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned int byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || !byte)
			return false;
		path[i] = (char)byte;
	}
	path[length] = '\0';
	return true;
}

static bool read_path(const json_t *object, char path[static PATH_MAX], struct reeve_rule *rule)
{
	const char *hex = json_string_value(json_object_get(object, "pathHex"));

	rule->path = json_string_value(json_object_get(object, "path"));
	if (!rule->path && hex && read_hex(hex, path))
		rule->path = path;
	return rule->path;
}

static bool read_ports(const json_t *object, char path[static PATH_MAX], struct reeve_rule *rule)
{
	int first = number_in(object, "portFirst", 0, UINT16_MAX);
	int last = number_in(object, "portLast", 0, UINT16_MAX);

	(void)path;
	rule->port_first = (uint16_t)first;
	rule->port_last = (uint16_t)last;
	return first >= 0 && last >= 0;
}

static bool read_address(const json_t *object, char path[static PATH_MAX], struct reeve_rule *rule)
{
	rule->address = json_string_value(json_object_get(object, "address"));
	return rule->address && read_ports(object, path, rule);
}

static bool read_socket(const json_t *object, char path[static PATH_MAX], struct reeve_rule *rule)
{
	(void)path;
	rule->socket_family = number_in(object, "family", 0, INT_MAX);
	rule->socket_type = number_in(object, "socketType", REEVE_SOCKET_ANY, INT_MAX);
	rule->socket_protocol = number_in(object, "protocol", REEVE_SOCKET_ANY, INT_MAX);
	return rule->socket_family >= 0 && rule->socket_type >= REEVE_SOCKET_ANY &&
	       rule->socket_protocol >= REEVE_SOCKET_ANY;
}

static const struct kind {
	const char *name;
	enum reeve_rule_type type;
	bool (*read)(const json_t *object, char path[static PATH_MAX], struct reeve_rule *rule);
} kinds[] = {
	{"path_beneath", REEVE_RULE_PATH_BENEATH, read_path},
	{"net_port", REEVE_RULE_NET_PORT, read_ports},
	{"net_address", REEVE_RULE_NET_ADDRESS, read_address},
	{"socket", REEVE_RULE_SOCKET, read_socket},
	{"unix_socket", REEVE_RULE_UNIX_SOCKET, read_path},
};

static const struct kind *kind_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "rule"));

	for (size_t i = 0; name && i < CLI_COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* ------------------------------------------------------------------------------ rules */

int cli_answer_rule(const json_t *object, char path[static PATH_MAX], struct reeve_rule *ret)
{
	const struct kind *kind = kind_of(object);
	struct reeve_rule rule = {0};
	int r;

	if (!kind || !kind->read(object, path, &rule))
		return -EPROTO;
	rule.type = kind->type;
	rule.origin = json_string_value(json_object_get(object, "origin"));
	rule.flags = json_is_true(json_object_get(object, "deny")) ? REEVE_RULE_DENY : 0;
	r = rights_of(
		json_object_get(object, "allowed"), reeve_rule_class(rule.type), &rule.allowed);
	if (r == 0)
		r = rights_of(
			json_object_get(object, "quiet"), reeve_rule_class(rule.type), &rule.quiet);
	*ret = rule;
	return r;
}

static int read_handled(const json_t *object, struct reeve_rights *ret)
{
	struct reeve_rights handled;
	int r = json_is_object(object) ? 0 : -EPROTO;

	for (int cls = 0; r == 0 && cls < REEVE_CLASS_COUNT; cls++)
		r = rights_of(json_object_get(object, reeve_class_name((enum reeve_class)cls)),
			(enum reeve_class)cls, &handled.of[cls]);
	if (r == 0)
		*ret = handled;
	return r;
}

int cli_answer_ruleset(const json_t *answer, struct reeve_ruleset **ret)
{
	struct reeve_ruleset *ruleset = NULL;
	struct reeve_rights handled;
	char path[PATH_MAX];
	struct reeve_rule rule;
	json_t *object;
	size_t i;
	int r = read_handled(json_object_get(answer, "handled"), &handled);

	if (r == 0)
		r = reeve_ruleset_new(&handled, &ruleset);
	json_array_foreach(json_object_get(answer, "static"), i, object)
	{
		if (r == 0)
			r = cli_answer_rule(object, path, &rule);
		if (r == 0)
			r = reeve_ruleset_add(ruleset, &rule, NULL);
	}
	if (r == 0)
		*ret = ruleset;
	else
		reeve_ruleset_free(ruleset);
	return r;
}
