/* SPDX-License-Identifier: MIT */
/* `reeve explain` for what is no file: ports, sockets, scopes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "explain.h"
#include "remedy.h"

/* --------------------------------------------------------------------- ports */

/* How many there are. */
static size_t print_address_rules(const struct cli_inquiry *inquiry, uint16_t port)
{
	struct reeve_rule rule;
	size_t printed = 0;

	for (size_t i = 0; reeve_ruleset_at(inquiry->ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_NET_ADDRESS && port >= rule.port_first &&
			port <= rule.port_last && (rule.allowed & inquiry->access.rights)) {
			cli_autoescape char *object = cli_rule_object(&rule);
			cli_autoescape char *origin = cli_explain_origin(inquiry, &rule);

			printf("  %s: address rule on %s, %s\n",
				cli_explain_names(REEVE_NET, rule.allowed), object, origin);
			printed++;
		}
	return printed;
}

static bool print_port_rule(const struct cli_inquiry *inquiry, uint16_t port)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(inquiry->ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_NET_PORT && port >= rule.port_first &&
			port <= rule.port_last && (rule.allowed & inquiry->access.rights)) {
			cli_explain_grant(inquiry, &rule, inquiry->access.rights);
			return true;
		}
	return false;
}

/* For the one address where one was asked about, as the summary of a run has it. */
static void print_port_flag(const struct cli_inquiry *inquiry, const char *address, uint16_t port)
{
	static const struct {
		uint64_t right;
		const char *flag;
	} flags[] = {{REEVE_NET_BIND_TCP, "--bind-tcp"}, {REEVE_NET_CONNECT_TCP, "--connect-tcp"},
		{REEVE_NET_BIND_UDP, "--bind-udp"}, {REEVE_NET_CONNECT_SEND_UDP, "--connect-udp"}};

	const struct reeve_rule rule = {
		.type = *address ? REEVE_RULE_NET_ADDRESS : REEVE_RULE_NET_PORT,
		.allowed = inquiry->access.rights,
		.address = *address ? address : NULL,
		.port_first = port,
		.port_last = port};
	const char *brackets = strchr(address, ':') ? "[]" : "";
	char flag[128];

	for (size_t i = 0; i < CLI_COUNT(flags); i++)
		if (flags[i].right == inquiry->access.rights) {
			snprintf(flag, sizeof(flag), "%s %.1s%s%s%s%u", flags[i].flag, brackets,
				address, *brackets ? "]" : "", *address ? ":" : "", port);
			cli_remedy_print(flag, &rule);
		}
}

/* "443", "192.0.2.1:443" or "[2001:db8::1]:443"; the address is copied, "" where there is none. */
static bool parse_endpoint(const char *given, char *address, size_t size, uint16_t *port)
{
	const char *colon = strrchr(given, ':'), *digits = colon ? colon + 1 : given;
	size_t length = colon ? (size_t)(colon - given) : 0;
	bool brackets = length > 2 && given[0] == '[' && given[length - 1] == ']';
	unsigned long number;
	char *end;

	number = strtoul(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || *end || number > UINT16_MAX || length >= size ||
		(colon && !length))
		return false;
	if (memchr(given, ':', length) && !brackets)
		return false;
	snprintf(address, size, "%.*s", (int)(length - 2u * brackets), given + brackets);
	*port = (uint16_t)number;
	return true;
}

/* A port for any address, or one address and port. false: said why. */
static bool decide_endpoint(const struct cli_inquiry *inquiry, const char *address, uint16_t port,
	struct reeve_decision *ret)
{
	struct reeve_domain *domain = NULL;
	int r = reeve_domain_new(NULL, (struct reeve_ruleset *)inquiry->ruleset, &domain);

	if (r == 0 && *address)
		r = reeve_decide_address(domain, inquiry->access.rights, address, port, ret);
	else if (r == 0)
		reeve_decide_port(domain, inquiry->access.rights, port, ret);
	reeve_domain_free(domain);
	if (r == -EINVAL)
		cli_fail(NULL, "explain: %s: expected an IP address and port", inquiry->object);
	else if (r < 0)
		cli_fail(NULL, "out of memory");
	return r == 0;
}

int cli_explain_port(struct cli_inquiry *inquiry, const char *given)
{
	cli_autoescape char *shown = cli_escape(given);
	struct reeve_decision decision = {0};
	char address[64], name[96];
	uint16_t port;
	int r;

	if (!parse_endpoint(given, address, sizeof(address), &port))
		return cli_fail(
			NULL, "explain: %s: expected a port, 0 to 65535, or ADDRESS:PORT", shown);
	snprintf(name, sizeof(name), "%s%s", *address ? "" : "port ", shown);
	inquiry->object = name;
	if (!decide_endpoint(inquiry, address, port, &decision))
		return CLI_ERROR;
	r = cli_explain_verdict(inquiry, REEVE_NET, decision.allowed ? 0 : inquiry->access.rights);
	cli_explain_unhandled(inquiry, REEVE_NET, inquiry->access.rights);
	inquiry->object = "";
	if (decision.allowed && !print_port_rule(inquiry, port) && *address)
		print_address_rules(inquiry, port);
	if (r == CLI_OK)
		return r;
	puts(*address ? "  no rule grants it" : "  no rule grants it for every address");
	if (!*address)
		print_address_rules(inquiry, port);
	print_port_flag(inquiry, address, port);
	return r;
}

/* ------------------------------------------------------------------- sockets */

static void print_socket_rule(const struct cli_inquiry *inquiry, int family, int type, int protocol)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(inquiry->ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_SOCKET && rule.socket_family == family &&
			(rule.socket_type == REEVE_SOCKET_ANY || rule.socket_type == type) &&
			(rule.socket_protocol == REEVE_SOCKET_ANY ||
				rule.socket_protocol == protocol)) {
			cli_explain_grant(inquiry, &rule, REEVE_SOCKET_CREATE);
			return;
		}
}

/*
 * Where connect_tcp is restricted, the guards refuse streams that would evade it: other protocols
 * than TCP, unless a rule names them, and families that are streams to elsewhere.
 */
static bool guard_refuses(const struct cli_inquiry *inquiry, int family, int type, int protocol)
{
	static const int evading[] = {AF_VSOCK, AF_RDS, 43 /* AF_SMC */};
	bool inet = family == AF_INET || family == AF_INET6;
	bool stream = type == SOCK_STREAM || type == SOCK_SEQPACKET, names = true;
	struct reeve_rule rule;

	if (!(inquiry->handled.of[REEVE_NET] & REEVE_NET_CONNECT_TCP))
		return false;
	for (size_t i = 0; i < CLI_COUNT(evading); i++)
		names = names && family != evading[i];
	if (names && !(inet && stream && protocol != 0 && protocol != IPPROTO_TCP))
		return false;
	for (size_t i = 0; reeve_ruleset_at(inquiry->ruleset, i, &rule) == 0; i++)
		if (rule.type == REEVE_RULE_SOCKET && rule.socket_family == family &&
			(!inet || rule.socket_protocol == protocol))
			return false;
	return true;
}

int cli_explain_socket(struct cli_inquiry *inquiry, const char *given)
{
	struct reeve_domain *domain = NULL;
	struct reeve_decision decision;
	struct reeve_error err = {0};
	char name[48], flag[64], family_name[16], type_name[16];
	struct reeve_rule rule = {.type = REEVE_RULE_SOCKET, .allowed = REEVE_SOCKET_CREATE};
	int family, type, protocol, r;
	bool guarded;

	if (cli_socket_parse(given, &family, &type, &protocol, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (reeve_domain_new(NULL, (struct reeve_ruleset *)inquiry->ruleset, &domain) < 0)
		return cli_fail(NULL, "out of memory");
	reeve_decide_socket(domain, family, type, protocol, &decision);
	reeve_domain_free(domain);
	snprintf(name, sizeof(name), "%s:%s:%d", cli_socket_family_name(family, family_name),
		cli_socket_type_name(type, type_name), protocol);
	inquiry->object = name;
	rule.socket_family = family;
	rule.socket_type = type;
	rule.socket_protocol = protocol;
	guarded = guard_refuses(inquiry, family, type, protocol);
	r = cli_explain_verdict(
		inquiry, REEVE_SOCKET, decision.allowed && !guarded ? 0 : REEVE_SOCKET_CREATE);
	inquiry->object = "";
	if (guarded)
		puts("  it would evade connect_tcp, so guard.tcp refuses it unless a rule names "
		     "it");
	else
		cli_explain_unhandled(inquiry, REEVE_SOCKET, REEVE_SOCKET_CREATE);
	if (decision.allowed && !guarded)
		print_socket_rule(inquiry, family, type, protocol);
	if (r != CLI_OK && !guarded)
		puts("  no rule grants it");
	if (r == CLI_OK)
		return r;
	snprintf(flag, sizeof(flag), "--socket %s", name);
	cli_remedy_print(flag, &rule);
	return r;
}

/* -------------------------------------------------------------------- scopes */

int cli_explain_scope(struct cli_inquiry *inquiry, const char *given)
{
	uint64_t scope = inquiry->access.rights;
	bool scoped = inquiry->handled.of[REEVE_SCOPE] & scope;
	int r;

	(void)given; /* whatever is outside: scopes have no exceptions */
	inquiry->object = "what is outside the sandbox";
	r = cli_explain_verdict(inquiry, REEVE_SCOPE, scoped ? scope : 0);
	if (!scoped)
		printf("  not scoped by the policy; to deny it: --scope %s\n",
			cli_explain_names(REEVE_SCOPE, scope));
	else if (r != CLI_OK)
		puts("  scoped by the policy; what the program itself starts is reachable. No flag "
		     "lifts a scope");
	return r;
}
