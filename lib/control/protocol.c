/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
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

static json_t *rights_to_json(uint64_t bits)
{
	const struct reeve_right_info *right;
	json_t *names = json_array();

	for (size_t i = 0; (right = reeve_right_at(i)); i++)
		if (right->cls == REEVE_FS && (bits & right->bit))
			json_array_append_new(names, json_string(right->name));
	return names;
}

json_t *rv_rule_to_json(const struct reeve_rule *rule)
{
	json_t *object = json_pack("{s:s, s:o}", "class", reeve_class_name(REEVE_FS), "allowed",
		rights_to_json(rule->allowed));

	rv_message_path(object, rule->path);
	if (rule->flags & REEVE_RULE_DENY)
		json_object_set_new(object, "deny", json_true());
	rv_message_text(object, "origin", rule->origin);
	return object;
}

static int rights_of_json(const json_t *names, uint64_t *ret, struct reeve_error *err)
{
	uint64_t bits = 0;
	json_t *name;
	size_t i;

	if (!json_is_array(names))
		return rv_error(err, -EINVAL, "allowed: expected an array of names of rights");
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right =
			text ? reeve_right_find(REEVE_FS, text) : NULL;

		if (!right)
			return rv_error(err, -EINVAL, "allowed: \"%s\": no right of class fs",
				text ? rv_q(text) : "?");
		bits |= right->bit;
	}
	*ret = bits;
	return 0;
}

static int check_class(const json_t *object, struct reeve_error *err)
{
	const char *class = json_string_value(json_object_get(object, "class"));

	if (!class)
		return rv_error(err, -EINVAL, "rules: expected objects with class, path, allowed");
	for (int i = 0; i < REEVE_CLASS_COUNT; i++)
		if (i != REEVE_FS && strcmp(class, reeve_class_name((enum reeve_class)i)) == 0)
			return rv_error(err, -EOPNOTSUPP,
				"live rules of class %s come with a later version", class);
	if (strcmp(class, reeve_class_name(REEVE_FS)) != 0)
		return rv_error(err, -EINVAL, "class: \"%s\": expected \"fs\"", rv_q(class));
	return 0;
}

int rv_rule_of_json(const json_t *object, struct reeve_rule *ret, struct reeve_error *err)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .flags = REEVE_RULE_LIVE};
	char *path = NULL;
	int r = check_class(object, err);

	if (r == 0)
		r = rights_of_json(json_object_get(object, "allowed"), &rule.allowed, err);
	if (r)
		return r;
	r = rv_message_get_path(object, &path);
	if (r < 0)
		return rv_error(err, r, "rules: expected either path or pathHex");
	rule.path = path;
	rule.origin = json_string_value(json_object_get(object, "origin"));
	*ret = rule;
	return 0;
}
