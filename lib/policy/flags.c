/* SPDX-License-Identifier: MIT */
/* Rule flags: --ro PATH and its like, the same in every verb that takes rules. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "policy/decode.h"
#include "policy/keys.h"
#include "policy/policy.h"
#include "policy/values.h"
#include "policy/variables.h"

#define READ (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)
/*
 * What writing takes: all of the class but what has a flag of its own, and but devices: root could
 * make one for the whole disk below a directory that it may write to.
 */
#define NOT_WRITE                                                                                  \
	(REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX | REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK)

struct flag {
	struct reeve_rule_flag flag;
	int (*add)(const struct flag *flag, struct rv_config *config, const char *value,
		struct reeve_error *err);
	uint64_t allowed;
	int socket_type, protocol; /* of ports: what a socket for it is created with */
};

static const char *origin_of(const struct flag *flag, struct rv_config *config, const char *value)
{
	char text[PATH_MAX + 32];

	snprintf(text, sizeof(text), "%s%s%s", flag->flag.name, value ? " " : "",
		value ? value : "");
	return rv_arena_puts(&config->arena, text);
}

static int add_draft(const struct flag *flag, struct rv_config *config, struct reeve_rule rule,
	const char *value, enum rv_draft_source source, struct reeve_error *err)
{
	struct rv_draft draft = {.rule = rule, .source = source};

	draft.rule.origin = origin_of(flag, config, value);
	if (!draft.rule.origin || rv_config_add_draft(config, &draft) < 0)
		return rv_no_memory(err);
	return 0;
}

/* "--connect-tcp 70000: expected …" */
static int bad_value(
	const struct flag *flag, const char *value, const char *expected, struct reeve_error *err)
{
	return rv_error(
		err, -EINVAL, "%s \"%s\": expected %s", flag->flag.name, rv_q(value), expected);
}

/* ----------------------------------------------------------------------- paths */

static int add_path_rule(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_rule rule, struct reeve_error *err)
{
	if (!*value)
		return bad_value(flag, value, "a path", err);
	if (strlen(value) >= PATH_MAX)
		return rv_error(err, -ENAMETOOLONG, "%s \"%s\": %s", flag->flag.name, rv_q(value),
			strerror(ENAMETOOLONG));
	if (rv_check_template(value) < 0)
		return bad_value(flag, value, RV_TEMPLATE_EXPECTED, err);
	rule.path = rv_arena_puts(&config->arena, value);
	if (!rule.path)
		return rv_no_memory(err);
	return add_draft(flag, config, rule, value, RV_DRAFT_FLAG, err);
}

static int add_path(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	uint64_t write = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX) & ~(uint64_t)NOT_WRITE;
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .allowed = flag->allowed};

	if (rule.allowed & REEVE_FS_WRITE_FILE)
		rule.allowed |= write;
	return add_path_rule(flag, config, value, rule, err);
}

static int add_deny(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .flags = REEVE_RULE_DENY};

	/* A path that is not there can be denied, so nothing else would tell. */
	if (rv_denial(value)) {
		bad_value(flag, value, "a path", err);
		rv_error_hint(err, "deny = [\"%s\"] in a policy file denies that; ./%s is the path",
			value, value);
		return -EINVAL;
	}
	return add_path_rule(flag, config, value, rule, err);
}

static int add_unix(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	struct reeve_rule rule = {.type = REEVE_RULE_UNIX_SOCKET, .allowed = flag->allowed};

	return add_path_rule(flag, config, value, rule, err);
}

/* --------------------------------------------------------------------- network */

/* Where socket creation is handled, a port is of no use without a socket. */
static int add_ip_sockets(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	static const int families[] = {2, 10}; /* inet, inet6 */
	const int protocols[] = {0, flag->protocol};
	struct reeve_rule rule = {.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_type = flag->socket_type};
	int r = 0;

	for (size_t i = 0; r == 0 && i < 4; i++) {
		rule.socket_family = families[i / 2];
		rule.socket_protocol = protocols[i % 2];
		r = add_draft(flag, config, rule, value, RV_DRAFT_IMPLIED, err);
	}
	return r;
}

/* What other tools take, and we do not. */
static const char *port_hint(const char *value)
{
	if (strchr(value, ','))
		return "the flag can be given several times, each with a port or a range";
	return isalpha((unsigned char)value[0]) ? "/etc/services has the numbers of services"
						: NULL;
}

/* What a UDP socket that is not bound becomes when it sends. */
static int add_any_port(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT, .allowed = REEVE_NET_BIND_UDP};

	return add_draft(flag, config, rule, value, RV_DRAFT_IMPLIED, err);
}

static int add_ports(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT, .allowed = flag->allowed};
	char address[RV_ADDRESS_SIZE];
	const char *why = NULL;
	int r;

	if (!strchr(value, ':')) {
		r = rv_parse_ports(value, &rule.port_first, &rule.port_last);
		why = port_hint(value);
	} else {
		rule.type = REEVE_RULE_NET_ADDRESS;
		r = rv_parse_endpoint(value, address, &rule.port_first, &rule.port_last, &why);
		if (r == 0 && !(rule.address = rv_arena_puts(&config->arena, address)))
			return rv_no_memory(err);
	}
	if (r < 0) {
		bad_value(flag, value,
			rule.type == REEVE_RULE_NET_PORT ? RV_PORT_EXPECTED : RV_ENDPOINT_EXPECTED,
			err);
		if (why)
			rv_error_hint(err, "%s", why);
		return -EINVAL;
	}
	r = add_draft(flag, config, rule, value, RV_DRAFT_FLAG, err);
	if (r == 0 && flag->allowed == REEVE_NET_CONNECT_SEND_UDP)
		r = add_any_port(flag, config, value, err);
	return r < 0 ? r : add_ip_sockets(flag, config, value, err);
}

/* What profile workspace-net says itself; it only widens, as every flag. */
static int add_net(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	int r;

	(void)value;
	r = rv_load_own_part("workspace-net", config, err);
	if (r < 0)
		return rv_error_wrap(err, r, "%s", flag->flag.name);
	config->handled = (struct reeve_rights){{0}};
	return 0;
}

/* --------------------------------------------------------------------- sockets */

static int bad_socket(const struct flag *flag, const char *value, enum rv_socket_part part,
	const char *word, struct reeve_error *err)
{
	struct rv_suggestion suggestion = {.word = word};

	bad_value(flag, value, rv_socket_expected(part), err);
	rv_suggest_socket(part, &suggestion);
	rv_suggest_hint(&suggestion, err);
	return -EINVAL;
}

/* FAMILY[:TYPE[:PROTOCOL]] */
static int add_socket(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	int numbers[] = {REEVE_SOCKET_ANY, REEVE_SOCKET_ANY, REEVE_SOCKET_ANY};
	struct reeve_rule rule = {.type = REEVE_RULE_SOCKET, .allowed = flag->allowed};
	const char *at = value;
	char word[32];

	for (int part = 0; at; part++) {
		size_t n = strcspn(at, ":");

		if (part > RV_SOCKET_PROTOCOL || n >= sizeof(word))
			return bad_value(flag, value, "FAMILY[:TYPE[:PROTOCOL]]", err);
		memcpy(word, at, n);
		word[n] = '\0';
		if (rv_parse_socket((enum rv_socket_part)part, word, &numbers[part]) < 0)
			return bad_socket(flag, value, (enum rv_socket_part)part, word, err);
		at = at[n] ? at + n + 1 : NULL;
	}
	rule.socket_family = numbers[RV_SOCKET_FAMILY];
	rule.socket_type = numbers[RV_SOCKET_TYPE];
	rule.socket_protocol = numbers[RV_SOCKET_PROTOCOL];
	config->handled.of[REEVE_SOCKET] |= flag->allowed;
	return add_draft(flag, config, rule, value, RV_DRAFT_FLAG, err);
}

/* ---------------------------------------------------------------------- scopes */

static int bad_scope(
	const struct flag *flag, const char *value, const char *word, struct reeve_error *err)
{
	struct rv_suggestion suggestion = {.word = word};
	const struct reeve_right_info *info;

	bad_value(flag, value,
		"a comma-separated list of abstract_unix_socket, signal, pathname_unix_socket",
		err);
	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == REEVE_SCOPE)
			rv_suggest(&suggestion, info->name);
	rv_suggest_hint(&suggestion, err);
	return -EINVAL;
}

static int add_scopes(const struct flag *flag, struct rv_config *config, const char *value,
	struct reeve_error *err)
{
	const char *at = value;
	char word[48];
	uint64_t bit;

	while (at) {
		size_t n = strcspn(at, ",");

		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		if (n >= sizeof(word) || rv_parse_right(REEVE_SCOPE, word, 0, &bit) < 0)
			return bad_scope(flag, value, word, err);
		config->handled.of[REEVE_SCOPE] |= bit;
		at = at[n] ? at + n + 1 : NULL;
	}
	return 0;
}

/* ------------------------------------------------------------------- the table */

#define STREAM 1, 6  /* SOCK_STREAM, IPPROTO_TCP */
#define DGRAM  2, 17 /* SOCK_DGRAM, IPPROTO_UDP */

static const struct flag flags[] = {
	{{"--ro", "PATH", "read files and directories beneath PATH"}, add_path, READ},
	{{"--rx", "PATH", "read and execute beneath PATH"}, add_path, READ | REEVE_FS_EXECUTE},
	{{"--rox", "PATH", "the same as --rx"}, add_path, READ | REEVE_FS_EXECUTE},
	{{"--rw", "PATH", "read, write, create and remove beneath PATH"}, add_path,
		READ | REEVE_FS_WRITE_FILE},
	{{"--rwx", "PATH", "the same as --rw, and execute"}, add_path,
		READ | REEVE_FS_WRITE_FILE | REEVE_FS_EXECUTE},
	{{"--deny", "PATH", "nothing beneath PATH, though it is inside a grant"}, add_deny, 0},
	{{"--unix", "PATH", "connect to the UNIX socket at PATH"}, add_unix, REEVE_FS_RESOLVE_UNIX},
	{{"--connect-tcp", "[ADDRESS:]PORT[-PORT]", "connect to TCP ports"}, add_ports,
		REEVE_NET_CONNECT_TCP, STREAM},
	{{"--bind-tcp", "[ADDRESS:]PORT[-PORT]", "listen on TCP ports"}, add_ports,
		REEVE_NET_BIND_TCP, STREAM},
	{{"--connect-udp", "[ADDRESS:]PORT[-PORT]", "connect and send to UDP ports"}, add_ports,
		REEVE_NET_CONNECT_SEND_UDP, DGRAM},
	{{"--bind-udp", "[ADDRESS:]PORT[-PORT]", "receive on UDP ports"}, add_ports,
		REEVE_NET_BIND_UDP, DGRAM},
	{{"--net", NULL, "the network part of profile workspace-net: public web, DNS"}, add_net, 0},
	{{"--socket", "FAMILY[:TYPE[:PROTOCOL]]",
		 "create such sockets; families not named, unix included, are then denied"},
		add_socket, REEVE_SOCKET_CREATE},
	{{"--scope", "LIST",
		 "no reaching outside by abstract_unix_socket, signal, pathname_unix_socket"},
		add_scopes, 0},
};

const struct reeve_rule_flag *reeve_rule_flag_at(size_t i)
{
	return i < RV_COUNT(flags) ? &flags[i].flag : NULL;
}

static int unknown_flag(const char *name, struct reeve_error *err)
{
	struct rv_suggestion suggestion = {.word = name};

	rv_error(err, -ENOENT, "%s: no such rule flag", rv_q(name));
	for (size_t i = 0; i < RV_COUNT(flags); i++)
		rv_suggest(&suggestion, flags[i].flag.name);
	rv_suggest_hint(&suggestion, err);
	return -ENOENT;
}

static int add_flag(struct reeve_policy *policy, const struct flag *flag, const char *value,
	struct reeve_error *err)
{
	rv_autoconfig config = {0};
	int r;

	if (!value && flag->flag.argument)
		return rv_error(
			err, -EINVAL, "%s: expected %s", flag->flag.name, flag->flag.argument);
	if (value && !flag->flag.argument)
		return rv_error(err, -EINVAL, "%s: expected no value, not \"%s\"", flag->flag.name,
			rv_q(value));
	r = flag->add(flag, &config, value, err);
	if (r == 0 && rv_config_include(&policy->extra, &config) < 0)
		r = rv_no_memory(err);
	return r;
}

int reeve_policy_add_flag(
	struct reeve_policy *policy, const char *flag, const char *value, struct reeve_error *err)
{
	for (size_t i = 0; i < RV_COUNT(flags); i++)
		if (strcmp(flags[i].flag.name, flag) == 0)
			return add_flag(policy, &flags[i], value, err);
	return unknown_flag(flag, err);
}
