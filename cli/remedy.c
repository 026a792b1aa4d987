/* SPDX-License-Identifier: MIT */
#include "remedy.h"
#include <stdlib.h>
#include <string.h>

#define WRITE (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE)
/* On a directory: puts another file in the place of one in it. */
#define REPLACE                                                                                    \
	(REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SYM |      \
		REEVE_FS_MAKE_DIR | REEVE_FS_REFER)

const char *cli_remedy_denial(const struct reeve_event *event)
{
	static const char prefix[] = "denial: ";

	return event->by && strncmp(event->by, prefix, sizeof(prefix) - 1) == 0
		       ? event->by + sizeof(prefix) - 1
		       : NULL;
}

/* Nothing adds execute to a running domain, but the next run can have it from the start. */
static void suggest_execute(const struct reeve_event *event, char flag[static CLI_REMEDY_SIZE])
{
	struct reeve_event reading = *event;

	if (flag[0] || event->cls != REEVE_FS || !(event->missing & REEVE_FS_EXECUTE))
		return;
	reading.missing = REEVE_FS_READ_FILE;
	if (strncmp(reeve_event_flag(&reading, flag, CLI_REMEDY_SIZE), "--ro ", 5) == 0)
		flag[3] = 'x';
}

/* A socket by itself is of no use: what people want is a connection, whose flag brings the socket.
 */
static void suggest_network(const struct reeve_event *event, char flag[static CLI_REMEDY_SIZE])
{
	static const struct {
		const char *object, *flags;
	} table[] = {
		{"inet:stream", "--connect-tcp [ADDRESS:]PORT, or --net"},
		{"inet6:stream", "--connect-tcp [ADDRESS:]PORT, or --net"},
		{"inet:dgram", "--connect-udp [ADDRESS:]PORT, or --net"},
		{"inet6:dgram", "--connect-udp [ADDRESS:]PORT, or --net"},
	};

	for (size_t i = 0; event->cls == REEVE_SOCKET && i < CLI_COUNT(table); i++)
		if (strcmp(event->object, table[i].object) == 0)
			snprintf(flag, CLI_REMEDY_SIZE, "%s", table[i].flags);
}

/* Whoever makes a terminal opens its other end, by no name that anybody could be told of. */
static void suggest_terminals(const struct reeve_event *event, char flag[static CLI_REMEDY_SIZE])
{
	if (event->object && strcmp(event->object, "/dev/ptmx") == 0)
		snprintf(flag, CLI_REMEDY_SIZE, "--rw /dev/ptmx --rw /dev/pts");
}

void cli_remedy_flag(const struct reeve_event *event, char flag[static CLI_REMEDY_SIZE])
{
	const char *denial = cli_remedy_denial(event);

	reeve_event_flag(event, flag, CLI_REMEDY_SIZE);
	/* What a denial takes away no flag gives back. */
	if (!flag[0] && denial)
		snprintf(flag, CLI_REMEDY_SIZE, "(denied by %s)", denial);
	suggest_execute(event, flag);
	suggest_network(event, flag);
	suggest_terminals(event, flag);
}

/* --------------------------------------------------------------------------- rules */

static bool file_rule(const struct reeve_event *event, struct reeve_rule *ret, char **ret_path)
{
	const char *object = event->object2 ? event->object2 : event->object;
	char *slash;

	if (!object || object[0] != '/' || !(*ret_path = strdup(object)))
		return false;
	slash = strrchr(*ret_path, '/');
	/* A file that is not there yet cannot be named but by a live rule. */
	if ((event->missing & CLI_FS_IN_DIRECTORY) || (event->asked & CLI_FS_MAKING))
		slash[slash == *ret_path] = '\0';
	/* The next run's processes have other directories. */
	else if (strncmp(object, "/proc/", 6) == 0 && object[6] >= '1' && object[6] <= '9')
		(*ret_path)[strlen("/proc")] = '\0';
	*ret = (struct reeve_rule){.type = event->missing == REEVE_FS_RESOLVE_UNIX
						   ? REEVE_RULE_UNIX_SOCKET
						   : REEVE_RULE_PATH_BENEATH,
		.allowed = event->missing,
		.path = *ret_path};
	return true;
}

/* "192.0.2.1:443", "[2001:db8::1]:443": for the one address where there is one. */
static bool port_rule(const struct reeve_event *event, struct reeve_rule *ret, char **ret_path)
{
	const char *colon = event->object ? strrchr(event->object, ':') : NULL;
	const char *digits = colon ? colon + 1 : event->object;
	unsigned long port = digits ? strtoul(digits, NULL, 10) : UINT16_MAX + 1;
	size_t length = colon ? (size_t)(colon - event->object) : 0;
	bool brackets = length > 2 && event->object[0] == '[';

	if (port > UINT16_MAX)
		return false;
	*ret_path = length ? strndup(event->object + brackets, length - 2u * brackets) : NULL;
	*ret = (struct reeve_rule){.type = *ret_path ? REEVE_RULE_NET_ADDRESS : REEVE_RULE_NET_PORT,
		.allowed = event->missing,
		.address = *ret_path,
		.port_first = (uint16_t)port,
		.port_last = (uint16_t)port};
	return true;
}

static bool socket_rule(const struct reeve_event *event, struct reeve_rule *ret)
{
	struct reeve_error err = {0};
	int family, type, protocol;

	if (!event->object || cli_socket_parse(event->object, &family, &type, &protocol, &err) < 0)
		return false;
	*ret = (struct reeve_rule){.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = family,
		.socket_type = type,
		.socket_protocol = protocol};
	return true;
}

bool cli_remedy_rule(const struct reeve_event *event, struct reeve_rule *ret, char **ret_path)
{
	*ret_path = NULL;
	if (!event->missing || cli_remedy_denial(event))
		return false;
	if (event->cls == REEVE_FS)
		return file_rule(event, ret, ret_path);
	if (event->cls == REEVE_NET)
		return port_rule(event, ret, ret_path);
	return event->cls == REEVE_SOCKET && socket_rule(event, ret);
}

/* ------------------------------------------------------------------------ printing */

static void print_indented(const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		printf("      %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void cli_remedy_print(const char *flag, const struct reeve_rule *rule)
{
	cli_autofree char *toml = NULL;

	if (flag && *flag)
		printf("  to allow it: %s\n", flag);
	if (!rule || reeve_rule_to_toml(rule, &toml) < 0)
		return;
	puts("    in a policy file:");
	print_indented(toml);
}

void cli_remedy_print_denial(const char *path, const char *origin)
{
	cli_autoescape char *shown = cli_escape(origin);

	printf("  %s is denied inside what is granted, by %s\n", path,
		*shown ? shown : "an exception");
	puts("  no flag gives that back; in a policy, a grant further down counts again");
}

/* ----------------------------------------------------------------------- protected */

static uint64_t granted(const struct reeve_policy *policy, const char *path, uint64_t rights)
{
	struct reeve_decision decision;
	struct reeve_domain *domain = NULL;

	if (reeve_domain_new(NULL, (struct reeve_ruleset *)reeve_policy_ruleset(policy), &domain) <
		0)
		return 0;
	reeve_decide_path(domain, path, rights, &decision);
	reeve_domain_free(domain);
	return decision.allowed ? rights : rights & ~decision.missing;
}

static bool is_policy_file(const struct reeve_policy *policy, const char *path)
{
	const char *file;

	for (size_t i = 0; (file = reeve_policy_file_at(policy, i)); i++)
		if (strcmp(file, path) == 0)
			return true;
	return false;
}

bool cli_is_protected(const struct reeve_policy *policy, const char *path)
{
	struct reeve_rights handled;
	cli_autofree char *above = strdup(path);
	char *slash = above ? strrchr(above, '/') : NULL;

	reeve_ruleset_handled(reeve_policy_ruleset(policy), &handled);
	if (!slash || !is_policy_file(policy, path) || !(handled.of[REEVE_FS] & (WRITE | REPLACE)))
		return false;
	slash[slash == above] = '\0';
	return granted(policy, path, WRITE & handled.of[REEVE_FS]) ||
	       granted(policy, above, REPLACE & handled.of[REEVE_FS]);
}
