/* SPDX-License-Identifier: MIT */
/* What makes a rule valid, and for whom. */
#include <limits.h>
#include <string.h>
#include "model/ruleset.h"
#include "base/error.h"

#define FLAGS_KNOWN (REEVE_RULE_LIVE | REEVE_RULE_OPTIONAL | REEVE_RULE_DENY)

enum reeve_class reeve_rule_class(enum reeve_rule_type type)
{
	switch (type) {
	case REEVE_RULE_PATH_BENEATH:
	case REEVE_RULE_UNIX_SOCKET:
		return REEVE_FS;
	case REEVE_RULE_NET_PORT:
	case REEVE_RULE_NET_ADDRESS:
		return REEVE_NET;
	case REEVE_RULE_SOCKET:
		return REEVE_SOCKET;
	}
	return REEVE_CLASS_COUNT;
}

static int check_path(const struct reeve_rule *rule, struct reeve_error *err)
{
	if (!rule->path || !rv_path_is_canonical(rule->path))
		return rv_error(err, -EINVAL,
			"path \"%s\" is not canonical: expected an absolute path without \".\", "
			"\"..\", \"//\" and final slash",
			rv_q(rule->path));
	if (strlen(rule->path) >= PATH_MAX)
		return rv_error(err, -ENAMETOOLONG, "path \"%s\" is longer than %d bytes",
			rv_q(rule->path), PATH_MAX - 1);
	return 0;
}

static int check_ports(const struct reeve_rule *rule, struct reeve_error *err)
{
	if (rule->port_first > rule->port_last)
		return rv_error(err, -EINVAL, "port range %u-%u is upside down", rule->port_first,
			rule->port_last);
	return 0;
}

static int check_address(const struct reeve_rule *rule, struct reeve_error *err)
{
	struct rv_address address;

	if (!rule->address)
		return rv_error(err, -EINVAL, "an address rule needs an address");
	if (rv_address_parse(rule->address, &address, err) < 0)
		return -EINVAL;
	return check_ports(rule, err);
}

static int check_socket(const struct reeve_rule *rule, struct reeve_error *err)
{
	static const char *const what[] = {"family", "type", "protocol"};
	const int value[] = {rule->socket_family, rule->socket_type, rule->socket_protocol};
	static const int least[] = {0, REEVE_SOCKET_ANY, REEVE_SOCKET_ANY};
	static const int most[] = {254, 254, 65534};

	for (size_t i = 0; i < RV_COUNT(value); i++)
		if (value[i] < least[i] || value[i] > most[i])
			return rv_error(err, -EINVAL,
				"socket %s %d is out of range: expected 0 to %d%s", what[i],
				value[i], most[i], least[i] < 0 ? ", or any" : "");
	return 0;
}

/* A UNIX socket rule is an exception from either of two things. */
static uint64_t grantable(const struct reeve_rights *handled, const struct reeve_rule *rule)
{
	enum reeve_class cls = reeve_rule_class(rule->type);
	uint64_t rights = cls < REEVE_CLASS_COUNT ? handled->of[cls] : 0;

	if (rule->type != REEVE_RULE_UNIX_SOCKET)
		return rights;
	if (handled->of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET)
		rights |= REEVE_FS_RESOLVE_UNIX;
	return rights & REEVE_FS_RESOLVE_UNIX;
}

static int check_rights(const struct reeve_rights *handled, const struct reeve_rule *rule,
	bool may_be_empty, struct reeve_error *err)
{
	uint64_t foreign = (rule->allowed | rule->quiet) & ~grantable(handled, rule);
	char names[256];

	if (foreign)
		return rv_error(err, -EINVAL, "the ruleset does not handle %s",
			reeve_rights_format(
				reeve_rule_class(rule->type), foreign, names, sizeof(names)));
	if (!rule->allowed && !rule->quiet && !(rule->flags & REEVE_RULE_DENY) && !may_be_empty)
		return rv_error(err, -ENOMSG, "the rule allows nothing");
	return 0;
}

static int check_object(const struct reeve_rule *rule, struct reeve_error *err)
{
	switch (rule->type) {
	case REEVE_RULE_PATH_BENEATH:
	case REEVE_RULE_UNIX_SOCKET:
		return check_path(rule, err);
	case REEVE_RULE_NET_PORT:
		return check_ports(rule, err);
	case REEVE_RULE_NET_ADDRESS:
		return check_address(rule, err);
	case REEVE_RULE_SOCKET:
		return check_socket(rule, err);
	}
	return rv_error(err, -EINVAL, "unknown rule type %d", (int)rule->type);
}

int rv_rule_check(const struct reeve_rights *handled, const struct reeve_rule *rule,
	bool may_be_empty, struct reeve_error *err)
{
	int ret = check_object(rule, err);

	if (ret < 0)
		return ret;
	if (rule->flags & ~FLAGS_KNOWN)
		return rv_error(
			err, -EINVAL, "unknown rule flags 0x%x", rule->flags & ~FLAGS_KNOWN);
	if (rule->flags & REEVE_RULE_DENY && rule->type != REEVE_RULE_PATH_BENEATH)
		return rv_error(err, -EINVAL, "only a path can be denied inside a grant");
	return check_rights(handled, rule, may_be_empty, err);
}
