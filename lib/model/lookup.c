/* SPDX-License-Identifier: MIT */
/* Finding what a ruleset's rules say about an object. */
#include <string.h>
#include "model/ruleset.h"

/* The rules on one object. A DENY rule without rights takes all of them away. */
static void add_node(const struct reeve_ruleset *ruleset, const struct rv_path_node *node,
	uint64_t *denied, struct rv_grant *grant)
{
	const struct rv_rule *rules = ruleset->rules;
	uint64_t allowed = 0;

	for (uint32_t i = node->first; i != RV_NO_RULE; i = rules[i].next) {
		const struct reeve_rule *rule = &rules[i].pub;

		if (rule->flags & REEVE_RULE_DENY)
			*denied |= rule->allowed ? rule->allowed : UINT64_MAX;
		else
			allowed |= rule->allowed;
		grant->quiet |= rule->quiet;
		grant->flags |= rule->flags;
	}
	grant->allowed |= allowed & ~*denied;
}

struct rv_grant rv_ruleset_path(
	const struct reeve_ruleset *ruleset, const char *path, size_t length, bool self_only)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, length);
	struct rv_grant grant = {0};
	uint64_t denied = 0;

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node = rv_path_walk_node(&walk, &ruleset->paths);

		if (node)
			add_node(ruleset, node, &denied, &grant);
		if (self_only)
			break;
	}
	return grant;
}

bool rv_ruleset_denies_within(const struct reeve_ruleset *ruleset, const char *path, size_t length)
{
	for (size_t i = 0; ruleset->denials && i < ruleset->count; i++) {
		const struct reeve_rule *rule = &ruleset->rules[i].pub;

		if (!(rule->flags & REEVE_RULE_DENY) || strncmp(rule->path, path, length) != 0)
			continue;
		if (length == 1 || rule->path[length] == '/' || rule->path[length] == '\0')
			return true;
	}
	return false;
}

static void add_addresses(const struct reeve_ruleset *ruleset, const struct rv_ip *ip,
	uint16_t port, bool bound, struct rv_grant *grant)
{
	const struct rv_rule *rules = ruleset->rules;

	for (uint32_t i = ruleset->first_address; i != RV_NO_RULE; i = rules[i].next) {
		const struct reeve_rule *rule = &rules[i].pub;
		bool matches = ip ? rv_address_match(&rules[i].address, ip, bound)
				  : rules[i].address.kind == RV_ADDRESS_ANY;

		if (!matches || port < rule->port_first || port > rule->port_last)
			continue;
		grant->allowed |= rule->allowed;
		grant->quiet |= rule->quiet;
	}
}

struct rv_grant rv_ruleset_endpoint(
	const struct reeve_ruleset *ruleset, const struct rv_ip *ip, uint16_t port, bool bound)
{
	struct rv_grant grant = {0};

	if (ruleset->ports)
		grant = (struct rv_grant){.allowed = ruleset->ports[port].allowed,
			.quiet = ruleset->ports[port].quiet};
	add_addresses(ruleset, ip, port, bound, &grant);
	return grant;
}

struct rv_grant rv_ruleset_port(const struct reeve_ruleset *ruleset, uint16_t port)
{
	return rv_ruleset_endpoint(ruleset, NULL, port, false);
}

static bool wildcard_match(int rule, int value)
{
	return rule == REEVE_SOCKET_ANY || rule == value;
}

struct rv_grant rv_ruleset_socket(
	const struct reeve_ruleset *ruleset, int family, int type, int protocol)
{
	const struct rv_rule *rules = ruleset->rules;
	struct rv_grant grant = {0};

	for (uint32_t i = ruleset->first_socket; i != RV_NO_RULE; i = rules[i].next) {
		const struct reeve_rule *rule = &rules[i].pub;

		if (rule->socket_family != family || !wildcard_match(rule->socket_type, type) ||
			!wildcard_match(rule->socket_protocol, protocol))
			continue;
		grant.allowed |= rule->allowed;
		grant.quiet |= rule->quiet;
	}
	return grant;
}

int reeve_ruleset_match_path(const struct reeve_ruleset *ruleset, const char *path,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, strlen(path));
	const struct rv_rule *rules = ruleset->rules;

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node = rv_path_walk_node(&walk, &ruleset->paths);
		uint32_t i = node ? node->first : RV_NO_RULE;

		for (; i != RV_NO_RULE; i = rules[i].next) {
			int ret = rules[i].pub.type == REEVE_RULE_PATH_BENEATH
					  ? fn(data, &rules[i].pub)
					  : 0;

			if (ret != 0)
				return ret;
		}
	}
	return 0;
}
