/* SPDX-License-Identifier: MIT */
/* Sockets for people: names of families and types, as `reeve run --socket` takes them. */
#include <errno.h>
#include <sys/socket.h>
#include "cli.h"

struct number_name {
	int number;
	const char *name;
};

static const struct number_name families[] = {
	{AF_UNIX, "unix"},
	{AF_INET, "inet"},
	{AF_INET6, "inet6"},
	{AF_NETLINK, "netlink"},
	{AF_PACKET, "packet"},
	{AF_VSOCK, "vsock"},
	{AF_ALG, "alg"},
	{AF_BLUETOOTH, "bluetooth"},
	{AF_CAN, "can"},
	{AF_TIPC, "tipc"},
	{AF_RDS, "rds"},
	{AF_KCM, "kcm"},
	{43, "smc"}, /* AF_SMC */
	{44, "xdp"}, /* AF_XDP */
	{0, NULL},
};

static const struct number_name types[] = {
	{SOCK_STREAM, "stream"},
	{SOCK_DGRAM, "dgram"},
	{SOCK_RAW, "raw"},
	{SOCK_RDM, "rdm"},
	{SOCK_SEQPACKET, "seqpacket"},
	{SOCK_DCCP, "dccp"},
	{SOCK_PACKET, "packet"},
	{0, NULL},
};

static const char *name_of(const struct number_name *table, int number, char buf[16])
{
	for (; table->name; table++)
		if (table->number == number)
			return table->name;
	snprintf(buf, 16, "%d", number);
	return buf;
}

const char *cli_socket_family_name(int family, char buf[16])
{
	return name_of(families, family, buf);
}

const char *cli_socket_type_name(int type, char buf[16])
{
	return type == REEVE_SOCKET_ANY ? "any" : name_of(types, type, buf);
}

const char *cli_socket_family_at(size_t i)
{
	return i < CLI_COUNT(families) ? families[i].name : NULL;
}

/* The library knows all names: what --socket makes of the text is read back from the rule. */
static bool read_back(struct reeve_policy *policy, struct reeve_rule *ret)
{
	const struct reeve_ruleset *ruleset;

	if (reeve_policy_resolve(policy, NULL, NULL) < 0)
		return false;
	ruleset = reeve_policy_ruleset(policy);
	return reeve_ruleset_at(ruleset, 0, ret) == 0 && ret->type == REEVE_RULE_SOCKET;
}

int cli_socket_parse(
	const char *text, int *family, int *type, int *protocol, struct reeve_error *err)
{
	cli_autopolicy *policy = NULL;
	struct reeve_rule rule;
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_add_flag(policy, "--socket", text, err);
	if (r < 0 || !read_back(policy, &rule))
		return r < 0 ? r : -EINVAL;
	*family = rule.socket_family;
	*type = rule.socket_type == REEVE_SOCKET_ANY ? SOCK_STREAM : rule.socket_type;
	*protocol = rule.socket_protocol == REEVE_SOCKET_ANY ? 0 : rule.socket_protocol;
	return 0;
}
