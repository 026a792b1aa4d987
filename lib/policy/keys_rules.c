/* SPDX-License-Identifier: MIT */
/* The language of policies: the tables of rules, and the drafts that they make. */
#include <string.h>
#include "base/error.h"
#include "policy/keys.h"
#include "policy/values.h"
#include "policy/variables.h"

/* What rv_entry.lists are for. */
enum { OBJECTS, EXCEPTIONS, PORTS = EXCEPTIONS };

static int allowed(struct rv_decoder *d, enum reeve_class cls, const struct toml_value *value)
{
	d->entry.rights = value;
	return rv_take_rights(d, cls, value, &d->entry.allowed);
}

static int take_allowed_fs(struct rv_decoder *d, const struct toml_value *value)
{
	return allowed(d, REEVE_FS, value);
}

static int take_allowed_net(struct rv_decoder *d, const struct toml_value *value)
{
	return allowed(d, REEVE_NET, value);
}

static int take_allowed_socket(struct rv_decoder *d, const struct toml_value *value)
{
	return allowed(d, REEVE_SOCKET, value);
}

static int take_permitted_socket(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.rights = value;
	return rv_take_permissions(d, value, &d->entry.allowed);
}

static int unix_rights(struct rv_decoder *d, const struct toml_value *array, uint64_t *bits)
{
	for (size_t i = 0; i < toml_array_count(array); i++)
		if (strcmp(rv_text(toml_array_at(array, i)), "connect") != 0)
			return rv_expected(d, toml_array_at(array, i), "\"connect\"");
	*bits = REEVE_FS_RESOLVE_UNIX;
	return 0;
}

static int take_allowed_unix(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.rights = value;
	return unix_rights(d, value, &d->entry.allowed);
}

static int take_except_access(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_FS, value, &d->entry.taken);
}

static int take_quiet_fs(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_FS, value, &d->entry.quiet);
}

static int take_quiet_net(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_NET, value, &d->entry.quiet);
}

static int take_quiet_socket(struct rv_decoder *d, const struct toml_value *value)
{
	return rv_take_rights(d, REEVE_SOCKET, value, &d->entry.quiet);
}

static int take_quiet_unix(struct rv_decoder *d, const struct toml_value *value)
{
	return unix_rights(d, value, &d->entry.quiet);
}

/* ------------------------------------------------- what all tables of rules have */

static int take_rights(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.rights = value;
	return 0;
}

static int take_list_0(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.lists[0] = value;
	return 0;
}

static int take_list_1(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.lists[1] = value;
	return 0;
}

static int take_list_2(struct rv_decoder *d, const struct toml_value *value)
{
	d->entry.lists[2] = value;
	return 0;
}

static int take_live(struct rv_decoder *d, const struct toml_value *value)
{
	if (toml_boolean(value))
		d->entry.flags |= REEVE_RULE_LIVE;
	return 0;
}

static int take_missing(struct rv_decoder *d, const struct toml_value *value)
{
	if (strcmp(rv_text(value), "ignore") == 0)
		d->entry.flags |= REEVE_RULE_OPTIONAL;
	else if (strcmp(rv_text(value), "error") != 0)
		return rv_expected(d, value, "\"ignore\" or \"error\"");
	return 0;
}

static int add(struct rv_decoder *d, const struct toml_value *at, struct reeve_rule rule)
{
	struct rv_draft draft = {.rule = rule, .base = d->base, .source = RV_DRAFT_TEXT};

	draft.rule.origin = rv_origin(d, toml_line(at));
	if (!draft.rule.origin || rv_config_add_draft(d->config, &draft) < 0)
		return rv_no_memory(d->err);
	return 0;
}

static struct reeve_rule rule_of_entry(const struct rv_decoder *d, enum reeve_rule_type type)
{
	return (struct reeve_rule){
		.type = type,
		.flags = d->entry.flags,
		.allowed = d->entry.allowed,
		.quiet = d->entry.quiet,
	};
}

/* One draft for each path of an array. */
static int add_paths(struct rv_decoder *d, const char *key, const struct toml_value *array,
	struct reeve_rule rule)
{
	int r = 0;

	d->key = key;
	for (size_t i = 0; r == 0 && array && i < toml_array_count(array); i++) {
		const struct toml_value *element = toml_array_at(array, i);

		r = rv_copy_path(d, element, &rule.path);
		if (r == 0)
			r = add(d, element, rule);
	}
	return r;
}

/* A rule needs rights and objects. */
static int check_complete(struct rv_decoder *d, const struct toml_value *table, const char *objects)
{
	char key[RV_KEY_SIZE];

	if (!d->entry.lists[OBJECTS])
		return rv_wrong(d, table, "expected the key \"%s\"", rv_spell(d, objects, key));
	if (!d->entry.rights && !d->entry.quiet)
		return rv_wrong(
			d, table, "expected the key \"%s\"", rv_spell(d, "allowed_access", key));
	return 0;
}

/* -------------------------------------------------------------- path_beneath */

/* `except` may stand alone: it takes away from grants that other tables make. */
static int finish_path_beneath(struct rv_decoder *d, const struct toml_value *table)
{
	const struct toml_value *except = d->entry.lists[EXCEPTIONS];
	struct reeve_rule deny = {.type = REEVE_RULE_PATH_BENEATH,
		.flags = d->entry.flags | REEVE_RULE_DENY,
		.allowed = d->entry.taken};
	char key[RV_KEY_SIZE];
	int r = 0;

	if (d->entry.taken && !except)
		return rv_wrong(d, table, "expected the key \"except\", beside \"%s\"",
			rv_spell(d, "except_access", key));
	if (!except || d->entry.lists[OBJECTS] || d->entry.rights || d->entry.quiet)
		r = check_complete(d, table, "parent");
	if (r == 0)
		r = add_paths(d, "parent", d->entry.lists[OBJECTS],
			rule_of_entry(d, REEVE_RULE_PATH_BENEATH));
	return r < 0 ? r : add_paths(d, "except", except, deny);
}

static const struct rv_key path_beneath_keys[] = {
	{"allowed_access", RV_STRINGS, .take = take_allowed_fs},
	{"parent", RV_STRINGS, .take = take_list_0},
	{"except", RV_STRINGS, .take = take_list_1},
	{"except_access", RV_STRINGS, .take = take_except_access},
	{"quiet", RV_STRINGS, .take = take_quiet_fs},
	{"live", RV_BOOLEAN, .take = take_live},
	{"missing", RV_STRING, .take = take_missing},
};
const struct rv_table rv_path_beneath_table = {
	"path_beneath", path_beneath_keys, RV_COUNT(path_beneath_keys), finish_path_beneath};

/* ------------------------------------------------------------------ net_port */

static int ports_of(struct rv_decoder *d, const struct toml_value *element, struct reeve_rule *rule)
{
	if (toml_type(element) == TOML_STRING) {
		if (rv_parse_ports(rv_text(element), &rule->port_first, &rule->port_last) == 0)
			return 0;
	} else if (toml_integer(element) >= 0 && toml_integer(element) <= UINT16_MAX) {
		rule->port_first = rule->port_last = (uint16_t)toml_integer(element);
		return 0;
	}
	return rv_expected(d, element, RV_PORT_EXPECTED);
}

static int add_ports(struct rv_decoder *d, const struct toml_value *array, struct reeve_rule rule)
{
	int r = 0;

	d->key = "port";
	for (size_t i = 0; r == 0 && i < toml_array_count(array); i++) {
		r = ports_of(d, toml_array_at(array, i), &rule);
		if (r == 0)
			r = add(d, toml_array_at(array, i), rule);
	}
	return r;
}

static int finish_net_port(struct rv_decoder *d, const struct toml_value *table)
{
	int r = check_complete(d, table, "port");

	return r < 0 ? r
		     : add_ports(d, d->entry.lists[OBJECTS], rule_of_entry(d, REEVE_RULE_NET_PORT));
}

static const struct rv_key net_port_keys[] = {
	{"allowed_access", RV_STRINGS, .take = take_allowed_net},
	{"port", RV_MIXED, .take = take_list_0},
	{"quiet", RV_STRINGS, .take = take_quiet_net},
	{"live", RV_BOOLEAN, .take = take_live},
};
const struct rv_table rv_net_port_table = {
	"net_port", net_port_keys, RV_COUNT(net_port_keys), finish_net_port};

/* --------------------------------------------------------------- net_address */

static int add_endpoint(
	struct rv_decoder *d, const struct toml_value *element, struct reeve_rule rule)
{
	char address[RV_ADDRESS_SIZE];
	const char *why;

	if (rv_parse_endpoint(rv_text(element), address, &rule.port_first, &rule.port_last, &why) <
		0)
		return rv_expected(d, element, "%s%s%s", RV_ENDPOINT_EXPECTED, why ? "; " : "",
			why ? why : "");
	rule.address = rv_arena_puts(&d->config->arena, address);
	return rule.address ? add(d, element, rule) : rv_no_memory(d->err);
}

static int finish_net_address(struct rv_decoder *d, const struct toml_value *table)
{
	const struct toml_value *array = d->entry.lists[OBJECTS];
	int r = check_complete(d, table, "address");

	d->key = "address";
	for (size_t i = 0; r == 0 && i < toml_array_count(array); i++)
		r = add_endpoint(
			d, toml_array_at(array, i), rule_of_entry(d, REEVE_RULE_NET_ADDRESS));
	return r;
}

static const struct rv_key net_address_keys[] = {
	{"allowed_access", RV_STRINGS, .take = take_allowed_net},
	{"address", RV_STRINGS, .take = take_list_0},
	{"quiet", RV_STRINGS, .take = take_quiet_net},
	{"live", RV_BOOLEAN, .take = take_live},
};
const struct rv_table rv_net_address_table = {
	"net_address", net_address_keys, RV_COUNT(net_address_keys), finish_net_address};

/* --------------------------------------------------------------- unix_socket */

static int finish_unix_socket(struct rv_decoder *d, const struct toml_value *table)
{
	int r = check_complete(d, table, "path");

	return r < 0 ? r
		     : add_paths(d, "path", d->entry.lists[OBJECTS],
			       rule_of_entry(d, REEVE_RULE_UNIX_SOCKET));
}

static const struct rv_key unix_socket_keys[] = {
	{"allowed_access", RV_STRINGS, .take = take_allowed_unix},
	{"path", RV_STRINGS, .take = take_list_0},
	{"quiet", RV_STRINGS, .take = take_quiet_unix},
	{"live", RV_BOOLEAN, .take = take_live},
	{"missing", RV_STRING, .take = take_missing},
};
const struct rv_table rv_unix_socket_table = {
	"unix_socket", unix_socket_keys, RV_COUNT(unix_socket_keys), finish_unix_socket};

/* -------------------------------------------------------------------- socket */

static int socket_number(
	struct rv_decoder *d, enum rv_socket_part part, const struct toml_value *element, int *ret)
{
	struct rv_suggestion suggestion = {0};

	if (toml_type(element) == TOML_INTEGER) {
		if (rv_socket_in_range(part, toml_integer(element)) < 0)
			return rv_expected(d, element, "%s", rv_socket_expected(part));
		*ret = (int)toml_integer(element);
		return 0;
	}
	suggestion.word = rv_text(element);
	if (rv_parse_socket(part, suggestion.word, ret) == 0)
		return 0;
	rv_expected(d, element, "%s", rv_socket_expected(part));
	rv_suggest_socket(part, &suggestion);
	rv_suggest_hint(&suggestion, d->err);
	return -EINVAL;
}

/* One level of family × type × protocol; a list that is not there is "any". */
static int add_sockets(struct rv_decoder *d, enum rv_socket_part part,
	const struct toml_value *family, struct reeve_rule *rule)
{
	static const char *const keys[] = {"family", "type", "protocol"};
	int *const members[] = {&rule->socket_family, &rule->socket_type, &rule->socket_protocol};
	const struct toml_value *list, *element;
	int r = 0;

	if (part > RV_SOCKET_PROTOCOL)
		return add(d, family, *rule);
	list = d->entry.lists[part];
	*members[part] = REEVE_SOCKET_ANY;
	if (!list)
		return add_sockets(d, part + 1, family, rule);
	for (size_t i = 0; r == 0 && i < toml_array_count(list); i++) {
		element = toml_array_at(list, i);
		d->key = keys[part];
		r = socket_number(d, part, element, members[part]);
		if (r == 0)
			r = add_sockets(
				d, part + 1, part == RV_SOCKET_FAMILY ? element : family, rule);
	}
	return r;
}

static int finish_socket(struct rv_decoder *d, const struct toml_value *table)
{
	struct reeve_rule rule = rule_of_entry(d, REEVE_RULE_SOCKET);
	int r = check_complete(d, table, "family");

	return r < 0 ? r : add_sockets(d, RV_SOCKET_FAMILY, table, &rule);
}

static const struct rv_key socket_keys[] = {
	{"allowed_access", RV_STRINGS, .take = take_allowed_socket},
	{"allowed_permissions", RV_STRINGS, .take = take_permitted_socket},
	{"family", RV_MIXED, .take = take_list_0},
	{"type", RV_MIXED, .take = take_list_1},
	{"protocol", RV_MIXED, .take = take_list_2},
	{"quiet", RV_STRINGS, .take = take_quiet_socket},
	{"live", RV_BOOLEAN, .take = take_live},
};
const struct rv_table rv_socket_table = {
	"socket", socket_keys, RV_COUNT(socket_keys), finish_socket};

/* --------------------------------------------------------------------- quiet */

/* Adds a right to the class of each kind of object that the table names. */
static int quiet_right(
	struct rv_decoder *d, const struct toml_value *value, uint64_t *fs, uint64_t *net)
{
	const char *name = rv_text(value);
	uint64_t bit;
	int r = -EINVAL, other = -EINVAL;

	if (d->entry.lists[OBJECTS] && (r = rv_parse_right(REEVE_FS, name, d->abi, &bit)) == 0)
		*fs |= bit;
	if (d->entry.lists[PORTS] && (other = rv_parse_right(REEVE_NET, name, d->abi, &bit)) == 0)
		*net |= bit;
	if (r == 0 || other == 0)
		return 0;
	return rv_take_right(d, d->entry.lists[OBJECTS] ? REEVE_FS : REEVE_NET, value, &bit);
}

static int quiet_rights(struct rv_decoder *d, uint64_t *fs, uint64_t *net)
{
	int r = 0;

	d->key = "access";
	for (size_t i = 0; r == 0 && i < toml_array_count(d->entry.rights); i++)
		r = quiet_right(d, toml_array_at(d->entry.rights, i), fs, net);
	if (r == 0 && d->entry.lists[OBJECTS] && !*fs)
		return rv_expected(d, d->entry.rights, "a right of class fs, for the paths");
	if (r == 0 && d->entry.lists[PORTS] && !*net)
		return rv_expected(d, d->entry.rights, "a right of class net, for the ports");
	return r;
}

static int finish_quiet(struct rv_decoder *d, const struct toml_value *table)
{
	const struct toml_value *paths = d->entry.lists[OBJECTS], *ports = d->entry.lists[PORTS];
	struct reeve_rule path = rule_of_entry(d, REEVE_RULE_PATH_BENEATH);
	struct reeve_rule port = rule_of_entry(d, REEVE_RULE_NET_PORT);
	int r;

	if (!paths && !ports)
		return rv_wrong(d, table, "expected the key \"path\" or \"port\"");
	r = quiet_rights(d, &path.quiet, &port.quiet);
	if (r == 0)
		r = add_paths(d, "path", paths, path);
	return r < 0 || !ports ? r : add_ports(d, ports, port);
}

static const struct rv_key quiet_keys[] = {
	{"access", RV_STRINGS, .required = true, .take = take_rights},
	{"path", RV_STRINGS, .take = take_list_0},
	{"port", RV_MIXED, .take = take_list_1},
	{"missing", RV_STRING, .take = take_missing},
};
const struct rv_table rv_quiet_table = {"quiet", quiet_keys, RV_COUNT(quiet_keys), finish_quiet};
