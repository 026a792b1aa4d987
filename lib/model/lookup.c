/* SPDX-License-Identifier: MIT */
/* Finding what a ruleset's rules say about an object. */
#include <string.h>
#include "model/ruleset.h"

/* What a rule takes away. A DENY rule without rights takes all of them. */
static uint64_t taken_by(const struct reeve_rule *rule)
{
	if (!(rule->flags & REEVE_RULE_DENY))
		return 0;
	return rule->allowed ? rule->allowed : UINT64_MAX;
}

/* The rules on one object. */
static void add_node(const struct reeve_ruleset *ruleset, const struct rv_path_node *node,
	uint64_t *denied, struct rv_grant *grant)
{
	const struct rv_rule *rules = ruleset->rules;
	uint64_t allowed = 0;

	for (uint32_t i = node->first; i != RV_NO_RULE; i = rules[i].next) {
		const struct reeve_rule *rule = &rules[i].pub;

		if (rule->flags & REEVE_RULE_DENY)
			*denied |= taken_by(rule);
		else
			allowed |= rule->allowed;
		grant->quiet |= rule->quiet;
		grant->flags |= rule->flags;
	}
	grant->allowed |= allowed & ~*denied;
}

uint64_t rv_ruleset_denied_on(const struct reeve_ruleset *ruleset, const struct rv_path_walk *walk)
{
	const struct rv_path_node *node =
		ruleset->pinned.count ? rv_path_walk_node(walk, &ruleset->paths) : NULL;
	uint64_t denied = 0;

	for (uint32_t i = node ? node->first : RV_NO_RULE; i != RV_NO_RULE;
		i = ruleset->rules[i].next)
		denied |= taken_by(&ruleset->rules[i].pub);
	return denied;
}

uint64_t rv_ruleset_denied(const struct reeve_ruleset *ruleset, const char *path, size_t length)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, length);
	uint64_t denied = 0;

	for (; ruleset->pinned.count && walk.length; rv_path_walk_up(&walk))
		denied |= rv_ruleset_denied_on(ruleset, &walk);
	return denied;
}

struct rv_grant rv_ruleset_path(const struct reeve_ruleset *ruleset,
	const struct reeve_ruleset *denying, const char *path, size_t length, bool self_only)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, length);
	struct rv_grant grant = {0};
	uint64_t denied = 0;

	for (; walk.length; rv_path_walk_up(&walk)) {
		const struct rv_path_node *node = rv_path_walk_node(&walk, &ruleset->paths);

		if (denying)
			denied |= rv_ruleset_denied_on(denying, &walk);
		if (node)
			add_node(ruleset, node, &denied, &grant);
		if (self_only)
			break;
	}
	return grant;
}

bool rv_ruleset_denies_within(const struct reeve_ruleset *ruleset, const char *path, size_t length)
{
	const struct rv_path_walk walk = rv_path_walk_begin(path, length);

	return ruleset->pinned.count && rv_path_walk_node(&walk, &ruleset->pinned);
}

static const struct reeve_rule *denial_at(
	const struct reeve_ruleset *ruleset, const struct rv_path_walk *walk, uint64_t rights)
{
	const struct rv_path_node *node = rv_path_walk_node(walk, &ruleset->paths);

	for (uint32_t i = node ? node->first : RV_NO_RULE; i != RV_NO_RULE;
		i = ruleset->rules[i].next)
		if (taken_by(&ruleset->rules[i].pub) & rights)
			return &ruleset->rules[i].pub;
	return NULL;
}

const struct reeve_rule *rv_ruleset_denial_on(
	const struct reeve_ruleset *ruleset, const char *path, size_t length)
{
	const struct rv_path_walk walk = rv_path_walk_begin(path, length);

	return ruleset->pinned.count ? denial_at(ruleset, &walk, UINT64_MAX) : NULL;
}

const struct reeve_rule *rv_ruleset_denial_over(
	const struct reeve_ruleset *ruleset, const char *path, size_t length, uint64_t rights)
{
	struct rv_path_walk walk = rv_path_walk_begin(path, length);

	for (; ruleset->pinned.count && walk.length; rv_path_walk_up(&walk)) {
		const struct reeve_rule *rule = denial_at(ruleset, &walk, rights);

		if (rule)
			return rule;
	}
	return NULL;
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
