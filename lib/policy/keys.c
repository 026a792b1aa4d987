/* SPDX-License-Identifier: MIT */
/* The language of policies: the document, what it sets, and what values of all tables share. */
#include <string.h>
#include "base/error.h"
#include "policy/keys.h"
#include "policy/values.h"
#include "policy/variables.h"
#include <reeve/check.h>

const char *rv_copy(struct rv_decoder *d, const struct toml_value *value)
{
	size_t length;
	const char *text = toml_string(value, &length);

	return rv_arena_add(&d->config->arena, text, length);
}

const char *rv_text(const struct toml_value *value)
{
	size_t length;

	return toml_string(value, &length);
}

int rv_copy_path(struct rv_decoder *d, const struct toml_value *value, const char **ret)
{
	if (!*rv_text(value))
		return rv_expected(d, value, "a path");
	if (rv_check_template(rv_text(value)) < 0)
		return rv_expected(d, value, RV_TEMPLATE_EXPECTED);
	*ret = rv_copy(d, value);
	return *ret ? 0 : rv_no_memory(d->err);
}

/* -------------------------------------------------------------------- rights */

static int unknown_right(struct rv_decoder *d, enum reeve_class cls, const struct toml_value *value)
{
	struct rv_suggestion suggestion = {.word = rv_text(value)};

	rv_expected(d, value, "a right of class %s, such as \"%s\"", reeve_class_name(cls),
		reeve_right_of_bit(cls, 1)->name);
	rv_suggest_right(cls, &suggestion);
	rv_suggest_hint(&suggestion, d->err);
	return -EINVAL;
}

int rv_take_right(
	struct rv_decoder *d, enum reeve_class cls, const struct toml_value *value, uint64_t *bits)
{
	uint64_t bit;
	int r = rv_parse_right(cls, rv_text(value), d->abi, &bit);

	if (r == -ENODATA) {
		rv_expected(d, value, "\"abi\" to be set in this file, for a group of rights");
		rv_error_hint(d->err, "add \"abi\" at the top of the file, with the version of "
				      "Landlock that it was written for");
		return -EINVAL;
	}
	if (r < 0)
		return unknown_right(d, cls, value);
	*bits |= bit;
	return 0;
}

int rv_take_rights(
	struct rv_decoder *d, enum reeve_class cls, const struct toml_value *array, uint64_t *bits)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < toml_array_count(array); i++)
		r = rv_take_right(d, cls, toml_array_at(array, i), bits);
	return r;
}

int rv_take_permissions(struct rv_decoder *d, const struct toml_value *array, uint64_t *bits)
{
	for (size_t i = 0; i < toml_array_count(array); i++)
		if (strcmp(rv_text(toml_array_at(array, i)), "socket_create") != 0)
			return rv_expected(d, toml_array_at(array, i), "\"socket_create\"");
	*bits |= REEVE_SOCKET_CREATE;
	return 0;
}

/* ------------------------------------------------------------------ variable */

static int take_name(struct rv_decoder *d, const struct toml_value *value)
{
	if (!rv_is_variable_name(rv_text(value), strlen(rv_text(value))))
		return rv_expected(d, value, RV_NAME_EXPECTED);
	d->entry.variable = rv_copy(d, value);
	return d->entry.variable ? 0 : rv_no_memory(d->err);
}

static int take_literals(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.lists[0] = value;
	return 0;
}

static int bind(struct rv_decoder *d, const struct toml_value *literal)
{
	const char *value = literal ? rv_copy(d, literal) : NULL;

	if ((literal && !value) || rv_config_add_binding(d->config, d->entry.variable, value) < 0)
		return rv_no_memory(d->err);
	return 0;
}

static int finish_variable(struct rv_decoder *d, const struct toml_value *table)
{
	const struct toml_value *literals = d->entry.lists[0];
	int r = literals ? 0 : bind(d, NULL);

	for (size_t i = 0; r == 0 && literals && i < toml_array_count(literals); i++)
		r = bind(d, toml_array_at(literals, i));
	(void)table;
	return r;
}

static const struct rv_key variable_keys[] = {
	{"name", RV_STRING, .required = true, .take = take_name},
	{"literal", RV_STRINGS, .take = take_literals},
};
static const struct rv_table variable_table = {
	"variable", variable_keys, RV_COUNT(variable_keys), finish_variable};

/* ------------------------------------------------------------------- ruleset */

static int take_handled_fs(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_FS, value, &d->config->handled.of[REEVE_FS]);
}

static int take_handled_net(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_NET, value, &d->config->handled.of[REEVE_NET]);
}

static int take_handled_socket(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_SOCKET, value, &d->config->handled.of[REEVE_SOCKET]);
}

/* The same in the shape that the maintainer of Landlock wants it to have. */
static int take_handled_permissions(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_permissions(d, value, &d->config->handled.of[REEVE_SOCKET]);
}

static int take_scoped(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_SCOPE, value, &d->config->handled.of[REEVE_SCOPE]);
}

unsigned int rv_denial(const char *name)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} denials[] = {
		{"execute_memfd", REEVE_DENY_EXECUTE_MEMFD},
		{"sysv_ipc", REEVE_DENY_SYSV_IPC},
		{"keyring", REEVE_DENY_KEYRING},
	};

	for (size_t i = 0; i < RV_COUNT(denials); i++)
		if (strcmp(denials[i].name, name) == 0)
			return denials[i].bit;
	return 0;
}

static int take_deny(struct rv_decoder *d, const struct toml_value *value)
{
	for (size_t i = 0; i < toml_array_count(value); i++) {
		const struct toml_value *element = toml_array_at(value, i);
		unsigned int bit = rv_denial(rv_text(element));

		if (!bit)
			return rv_expected(
				d, element, "\"execute_memfd\", \"sysv_ipc\" or \"keyring\"");
		d->config->deny |= bit;
	}
	return 0;
}

static int take_unix_datagram(struct rv_decoder *d, const struct toml_value *value)
{
	enum reeve_unix_datagram said;

	if (strcmp(rv_text(value), "refuse") == 0)
		said = REEVE_UNIX_DATAGRAM_REFUSE;
	else if (strcmp(rv_text(value), "mediate") == 0)
		said = REEVE_UNIX_DATAGRAM_MEDIATE;
	else
		return rv_expected(d, value, "\"refuse\" or \"mediate\"");
	if (d->datagram_said && said != d->config->unix_datagram)
		return rv_expected(d, value, "what another [[ruleset]] of this file says");
	d->datagram_said = true;
	d->config->unix_datagram = said;
	return 0;
}

static int finish_ruleset(struct rv_decoder *d, const struct toml_value *table)
{
	return toml_table_count(table) ? 0 : rv_wrong(d, table, "expected at least one key");
}

static const struct rv_key ruleset_keys[] = {
	{"handled_access_fs", RV_STRINGS, .take = take_handled_fs},
	{"handled_access_net", RV_STRINGS, .take = take_handled_net},
	{"handled_socket", RV_STRINGS, .take = take_handled_socket},
	{"handled_permissions", RV_STRINGS, .take = take_handled_permissions},
	{"scoped", RV_STRINGS, .take = take_scoped},
	{"deny", RV_STRINGS, .take = take_deny},
	{"unix_datagram", RV_STRING, .take = take_unix_datagram},
};
static const struct rv_table ruleset_table = {
	"ruleset", ruleset_keys, RV_COUNT(ruleset_keys), finish_ruleset};

/* -------------------------------------------------------------- the document */

static int take_abi(struct rv_decoder *d, const struct toml_value *value)
{
	int64_t abi = toml_integer(value);

	if (abi < 1)
		return rv_expected(d, value, "an ABI of Landlock from 1 to %d", REEVE_ABI_MAX);
	if (abi > REEVE_ABI_MAX) {
		rv_expected(d, value, "an ABI of Landlock from 1 to %d", REEVE_ABI_MAX);
		rv_error_hint(d->err, "this version of reeve does not know the rights of a newer "
				      "ABI, so it could not restrict them");
		return -EINVAL;
	}
	d->abi = (int)abi;
	return 0;
}

int rv_take_extension(struct rv_decoder *d, const char *name, unsigned int line)
{
	enum reeve_unix_datagram *datagram = &d->config->unix_datagram, before = *datagram;
	int r;

	*datagram = REEVE_UNIX_DATAGRAM_DEFAULT;
	r = d->extend(d->data, name, line);
	if (*datagram == REEVE_UNIX_DATAGRAM_DEFAULT || before == REEVE_UNIX_DATAGRAM_REFUSE)
		*datagram = before;
	return r;
}

static int take_extends(struct rv_decoder *d, const struct toml_value *value)
{
	int r = 0;

	for (size_t i = 0; r == 0 && d->extend && i < toml_array_count(value); i++) {
		const struct toml_value *element = toml_array_at(value, i);

		if (!*rv_text(element))
			return rv_expected(d, element, "the name of a profile or file");
		r = rv_take_extension(d, rv_text(element), toml_line(element));
	}
	return r;
}

static int take_degrade(struct rv_decoder *d, const struct toml_value *value)
{
	for (size_t i = 0; i < toml_array_count(value); i++) {
		const struct toml_value *element = toml_array_at(value, i);
		const struct reeve_feature *feature = reeve_feature_find(rv_text(element));
		struct rv_suggestion suggestion = {.word = rv_text(element)};

		if (feature) {
			if (rv_config_add_degraded(d->config, feature->name) < 0)
				return rv_no_memory(d->err);
			continue;
		}
		rv_expected(d, element, "a feature or right of `reeve check`");
		for (size_t k = 0; (feature = reeve_feature_at(k)); k++)
			rv_suggest(&suggestion, feature->name);
		rv_suggest_hint(&suggestion, d->err);
		return -EINVAL;
	}
	return 0;
}

static int take_refuse_cwd(struct rv_decoder *d, const struct toml_value *value)
{
	struct rv_refusal refusal = {.base = d->base};
	int r = 0;

	for (size_t i = 0; r == 0 && i < toml_array_count(value); i++) {
		const struct toml_value *element = toml_array_at(value, i);

		r = rv_copy_path(d, element, &refusal.path);
		refusal.origin = rv_origin(d, toml_line(element));
		if (r == 0 && (!refusal.origin || rv_config_add_refusal(d->config, &refusal) < 0))
			r = rv_no_memory(d->err);
	}
	return r;
}

static int take_tmpdir(struct rv_decoder *d, const struct toml_value *value)
{
	if (strcmp(rv_text(value), "private") != 0)
		return rv_expected(d, value, "\"private\"");
	d->config->private_tmpdir = true;
	return 0;
}

static int take_inner_landlock(struct rv_decoder *d, const struct toml_value *value)
{
	if (strcmp(rv_text(value), "floor-only") != 0)
		return rv_expected(d, value, "\"floor-only\"");
	d->config->floor_only = true;
	return 0;
}

/* In the order in which they are taken: groups need `abi`, and `ruleset` overrides `extends`. */
static const struct rv_key policy_keys[] = {
	{"abi", RV_INTEGER, .take = take_abi},
	{"extends", RV_STRINGS, .take = take_extends},
	{"degrade", RV_STRINGS, .take = take_degrade},
	{"refuse_cwd", RV_STRINGS, .take = take_refuse_cwd},
	{"tmpdir", RV_STRING, .take = take_tmpdir},
	{"inner_landlock", RV_STRING, .take = take_inner_landlock},
	{"variable", RV_TABLES, .table = &variable_table},
	{"ruleset", RV_TABLES, .table = &ruleset_table},
	{"path_beneath", RV_TABLES, .table = &rv_path_beneath_table},
	{"net_port", RV_TABLES, .table = &rv_net_port_table},
	{"net_address", RV_TABLES, .table = &rv_net_address_table},
	{"unix_socket", RV_TABLES, .table = &rv_unix_socket_table},
	{"socket", RV_TABLES, .table = &rv_socket_table},
	{"quiet", RV_TABLES, .table = &rv_quiet_table},
};
const struct rv_table rv_policy_table = {"", policy_keys, RV_COUNT(policy_keys), NULL};
