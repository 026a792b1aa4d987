/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/json_members.h"
#include "control/protocol.h"

json_t *rv_message_new(void)
{
	return json_pack("{s:i}", "version", RV_PROTOCOL_VERSION);
}

json_t *rv_message_ok(void)
{
	return json_pack("{s:i, s:b}", "version", RV_PROTOCOL_VERSION, "ok", 1);
}

/* ------------------------------------------------------------------------ errors */

json_t *rv_message_error(const struct reeve_error *err)
{
	json_t *message = rv_message_new();
	json_t *error = json_pack("{s:i}", "errno", -err->code);

	rv_message_text(error, "message", err->message);
	if (err->hint[0])
		rv_message_text(error, "hint", err->hint);
	json_object_set_new(message, "ok", json_false());
	json_object_set_new(message, "error", error);
	return message;
}

int rv_message_to_error(const json_t *message, struct reeve_error *err)
{
	const json_t *error = json_object_get(message, "error");
	const char *text = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	json_int_t number = json_integer_value(json_object_get(error, "errno"));
	char shown[sizeof(err->message)];

	if (!error)
		return 0;
	if (number <= 0 || number >= 4096)
		number = EPROTO;
	/* It was escaped over there, says a server that we need not trust with our terminal. */
	for (char *p = strncpy(shown, text ? text : "", sizeof(shown)); p < shown + sizeof(shown);
		p++)
		if ((unsigned char)*p < 0x20 && *p)
			*p = '?';
	shown[sizeof(shown) - 1] = '\0';
	rv_error(err, (int)-number, "%s", shown);
	if (hint && strpbrk(hint, "\x1b\n\r") == NULL)
		rv_error_hint(err, "%s", hint);
	return (int)-number;
}

char *rv_message_line(json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0;
	char *line = text ? realloc(text, length + 2) : NULL;

	json_decref(message);
	if (!line) {
		free(text);
		return NULL;
	}
	memcpy(line + length, "\n", 2);
	return line;
}

/* -------------------------------------------------------------------------- text */

void rv_message_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	if (!value) {
		size_t size = 4 * strlen(text) + 1;
		rv_autofree char *escaped = malloc(size);

		if (escaped)
			value = json_string(rv_escape(escaped, size, text, strlen(text)));
	}
	json_object_set_new(object, key, value);
}

static char *to_hex(const char *text)
{
	size_t length = strlen(text);
	char *hex = malloc(2 * length + 1);

	for (size_t i = 0; hex && i < length; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)text[i]);
	if (hex)
		hex[2 * length] = '\0';
	return hex;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int of_hex(const char *hex, char **ret)
{
	size_t length = strlen(hex) / 2;
	rv_autofree char *text = malloc(length + 1);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0 || high + low == 0)
			return -EINVAL;
		text[i] = (char)(high << 4 | low);
	}
	if (hex[2 * length])
		return -EINVAL;
	text[length] = '\0';
	*ret = rv_steal_ptr(&text);
	return 0;
}

void rv_message_path(json_t *object, const char *path)
{
	json_t *text = json_string(path);

	if (text) {
		json_object_set_new(object, "path", text);
	} else {
		rv_autofree char *hex = to_hex(path);

		json_object_set_new(object, "pathHex", json_string(hex ? hex : ""));
	}
}

int rv_message_get_path(const json_t *object, char **ret)
{
	const char *path = json_string_value(json_object_get(object, "path"));
	const char *hex = json_string_value(json_object_get(object, "pathHex"));

	if (!path == !hex)
		return -EINVAL;
	if (hex)
		return of_hex(hex, ret);
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------------- rules */

json_t *rv_rights_to_json(enum reeve_class cls, uint64_t bits)
{
	const struct reeve_right_info *right;
	json_t *names = json_array();

	for (size_t i = 0; (right = reeve_right_at(i)); i++)
		if (right->cls == cls && (bits & right->bit))
			json_array_append_new(names, json_string(right->name));
	return names;
}

static void add_ports(json_t *object, const struct reeve_rule *rule)
{
	json_object_set_new(object, "portFirst", json_integer(rule->port_first));
	json_object_set_new(object, "portLast", json_integer(rule->port_last));
}

static void add_path(json_t *object, const struct reeve_rule *rule)
{
	rv_message_path(object, rule->path);
}

static void add_address(json_t *object, const struct reeve_rule *rule)
{
	rv_message_text(object, "address", rule->address);
	add_ports(object, rule);
}

static void add_socket(json_t *object, const struct reeve_rule *rule)
{
	json_object_set_new(object, "family", json_integer(rule->socket_family));
	json_object_set_new(object, "socketType", json_integer(rule->socket_type));
	json_object_set_new(object, "protocol", json_integer(rule->socket_protocol));
}

/* By the names of their tables in policy files. */
static const struct {
	const char *name;
	void (*add)(json_t *object, const struct reeve_rule *rule);
} types[] = {
	[REEVE_RULE_PATH_BENEATH] = {"path_beneath", add_path},
	[REEVE_RULE_NET_PORT] = {"net_port", add_ports},
	[REEVE_RULE_NET_ADDRESS] = {"net_address", add_address},
	[REEVE_RULE_SOCKET] = {"socket", add_socket},
	[REEVE_RULE_UNIX_SOCKET] = {"unix_socket", add_path},
};

json_t *rv_rule_to_json(const struct reeve_rule *rule)
{
	enum reeve_class cls = reeve_rule_class(rule->type);
	json_t *object = json_pack("{s:s, s:s, s:o}", "class", reeve_class_name(cls), "rule",
		types[rule->type].name, "allowed", rv_rights_to_json(cls, rule->allowed));

	types[rule->type].add(object, rule);
	if (rule->quiet)
		json_object_set_new(object, "quiet", rv_rights_to_json(cls, rule->quiet));
	if (rule->flags & REEVE_RULE_DENY)
		json_object_set_new(object, "deny", json_true());
	rv_message_text(object, "origin", rule->origin);
	return object;
}

static int rights_of_json(
	enum reeve_class cls, const json_t *names, uint64_t *ret, struct reeve_error *err)
{
	uint64_t bits = 0;
	json_t *name;
	size_t i;

	if (!json_is_array(names))
		return rv_error(err, -EINVAL, "allowed: expected an array of names of rights");
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right = text ? reeve_right_find(cls, text) : NULL;

		if (!right)
			return rv_error(err, -EINVAL, "allowed: \"%s\": no right of class %s",
				text ? rv_q(text) : "?", reeve_class_name(cls));
		bits |= right->bit;
	}
	*ret = bits;
	return 0;
}

/* A number that has to be there. */
static int number_of_json(const json_t *object, const char *key, json_int_t first, json_int_t last,
	json_int_t *ret, struct reeve_error *err)
{
	const json_t *value = json_object_get(object, key);

	*ret = json_integer_value(value);
	if (json_is_integer(value) && *ret >= first && *ret <= last)
		return 0;
	return rv_error(err, -EINVAL,
		"%s: expected a number from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT, key,
		first, last);
}

static int take_path(const json_t *object, struct reeve_rule *rule, struct reeve_error *err)
{
	char *path = NULL;
	int r = rv_message_get_path(object, &path);

	rule->type = REEVE_RULE_PATH_BENEATH;
	rule->path = path;
	return r < 0 ? rv_error(err, r, "rules: expected either path or pathHex") : 0;
}

static int take_endpoint(const json_t *object, struct reeve_rule *rule, struct reeve_error *err)
{
	const json_t *address = json_object_get(object, "address");
	json_int_t first = 0, last = 0;
	int r = number_of_json(object, "portFirst", 0, UINT16_MAX, &first, err);

	if (r == 0)
		r = number_of_json(object, "portLast", first, UINT16_MAX, &last, err);
	if (r == 0 && address && !json_is_string(address))
		r = rv_error(err, -EINVAL, "address: expected a string");
	rule->type = address ? REEVE_RULE_NET_ADDRESS : REEVE_RULE_NET_PORT;
	rule->address = json_string_value(address);
	rule->port_first = (uint16_t)first;
	rule->port_last = (uint16_t)last;
	return r;
}

static int take_socket(const json_t *object, struct reeve_rule *rule, struct reeve_error *err)
{
	json_int_t family = 0, type = 0, protocol = 0;
	int r = number_of_json(object, "family", 0, 254, &family, err);

	if (r == 0)
		r = number_of_json(object, "socketType", REEVE_SOCKET_ANY, 254, &type, err);
	if (r == 0)
		r = number_of_json(object, "protocol", REEVE_SOCKET_ANY, 65534, &protocol, err);
	rule->type = REEVE_RULE_SOCKET;
	rule->socket_family = (int)family;
	rule->socket_type = (int)type;
	rule->socket_protocol = (int)protocol;
	return r;
}

/* What a rule of a class is on, and how that is written. */
static const struct on {
	enum reeve_class cls;
	int (*take)(const json_t *object, struct reeve_rule *rule, struct reeve_error *err);
	const char *members[8];
} classes[] = {
	{REEVE_FS, take_path, {"class", "allowed", "origin", "path", "pathHex"}},
	{REEVE_NET, take_endpoint,
		{"class", "allowed", "origin", "portFirst", "portLast", "address"}},
	{REEVE_SOCKET, take_socket,
		{"class", "allowed", "origin", "family", "socketType", "protocol"}},
};

static int rule_on(
	const json_t *object, const struct on *on, struct reeve_rule *ret, struct reeve_error *err)
{
	struct reeve_rule rule = {.flags = REEVE_RULE_LIVE};
	int r = rv_json_members(object, on->members, err);

	if (r == 0)
		r = rights_of_json(on->cls, json_object_get(object, "allowed"), &rule.allowed, err);
	if (r == 0)
		r = on->take(object, &rule, err);
	rule.origin = json_string_value(json_object_get(object, "origin"));
	if (r == 0)
		*ret = rule;
	return r;
}

int rv_rule_of_json(const json_t *object, struct reeve_rule *ret, struct reeve_error *err)
{
	const char *class = json_string_value(json_object_get(object, "class"));

	if (!class)
		return rv_error(err, -EINVAL, "rules: expected objects with class, path, allowed");
	for (size_t i = 0; i < RV_COUNT(classes); i++)
		if (strcmp(class, reeve_class_name(classes[i].cls)) == 0)
			return rule_on(object, &classes[i], ret, err);
	return rv_error(
		err, -EINVAL, "class: \"%s\": expected \"fs\", \"net\" or \"socket\"", rv_q(class));
}
