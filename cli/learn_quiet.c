/* SPDX-License-Identifier: MIT */
/*
 * What was refused while it was learned, and what CMD went on without: it will be asked for and
 * refused again, which is no news then. Such requests get quiet rules, which grant nothing.
 *
 * Not where CMD failed, perhaps for want of them; and not for secrets: who asks for those is told
 * of every time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "learn.h"

#define QUIET_MAX 64 /* rules; the rest is reported again */

struct learn_refusal {
	struct cli_path_key key; /* "class rights numbers object object2" */
	enum reeve_class cls;
	uint64_t rights;
	char *object, *object2; /* allocated; the second may be NULL */
	uint16_t port;
	int family, type, protocol;
	struct learn_who who;
};

void learn_refusals_init(struct learned *learned)
{
	learned->refused.size = sizeof(struct learn_refusal);
}

void learn_refusals_release(struct learned *learned)
{
	for (size_t i = 0; i < learned->refused.count; i++) {
		struct learn_refusal *refusal = cli_path_table_at(&learned->refused, i);

		free(refusal->object);
		free(refusal->object2);
	}
	cli_path_table_release(&learned->refused);
}

/* ------------------------------------------------------------------------- taking */

static bool fill(struct learn_refusal *refusal, const struct reeve_access *access)
{
	refusal->cls = access->cls;
	refusal->rights = access->rights;
	refusal->port = access->port;
	refusal->family = access->socket_family;
	refusal->type = access->socket_type;
	refusal->protocol = access->socket_protocol;
	refusal->object = strdup(access->object);
	refusal->object2 = access->object2 ? strdup(access->object2) : NULL;
	return refusal->object && (refusal->object2 || !access->object2);
}

void learn_take_refused(struct learned *learned, const struct reeve_access *access)
{
	cli_autofree char *key = NULL;
	struct learn_refusal *refusal = NULL;

	learned->denied += access->count;
	if (asprintf(&key, "%d %llx %d %d %s\n%s", (int)access->cls,
		    (unsigned long long)access->rights, access->socket_type,
		    access->socket_protocol, access->object,
		    access->object2 ? access->object2 : "") < 0)
		key = NULL;
	if (key)
		refusal = cli_path_table_get(&learned->refused, key);
	if (!refusal || (!refusal->object && !fill(refusal, access)))
		learned->failed = true;
	else
		learn_who_add(
			learned, &refusal->who, learn_comm(learned, access->actor), access->count);
}

/* -------------------------------------------------------------------------- rules */

static bool is_on_same(const struct reeve_rule *a, const struct reeve_rule *b)
{
	if (a->type != b->type || a->port_first != b->port_first ||
		a->socket_family != b->socket_family || a->socket_type != b->socket_type ||
		a->socket_protocol != b->socket_protocol)
		return false;
	return a->path == b->path || (a->path && b->path && strcmp(a->path, b->path) == 0);
}

static void keep_quiet(
	struct learned *learned, const struct reeve_rule *about, const struct learn_who *who)
{
	struct learn_rules *rules = &learned->quiet;
	struct learn_rule rule = {.rule = *about,
		.who = *who,
		.more = "refused, and it went on without: not reported"};

	for (size_t i = 0; i < rules->count; i++)
		if (is_on_same(&rules->at[i].rule, about)) {
			rules->at[i].rule.quiet |= about->quiet;
			learn_who_join(&rules->at[i].who, who);
			return;
		}
	if (rules->count < QUIET_MAX && !learn_rules_add(rules, &rule))
		learned->failed = true;
}

/* What is there before each run: rules on paths are on objects. */
static bool is_there_before(const struct learned *learned, const char *path)
{
	const struct learn_path *entry = cli_path_table_find(&learned->paths, path);

	return !(entry && entry->made) && access(path, F_OK) == 0;
}

static void keep_quiet_at(struct learned *learned, const char *path, uint64_t rights, bool above,
	const struct learn_who *who)
{
	cli_autofree char *at = strdup(path);
	struct reeve_rule rule = {
		.type = REEVE_RULE_PATH_BENEATH, .quiet = rights & ~REEVE_FS_RESOLVE_UNIX};

	learned->failed |= !at;
	if (!at || path[0] != '/' || !rule.quiet)
		return;
	if (above)
		cli_path_up(at);
	while (at[1] && !is_there_before(learned, at))
		cli_path_up(at);
	rule.path = at;
	keep_quiet(learned, &rule, who);
}

static void quiet_for_path(struct learned *learned, const struct learn_refusal *refusal)
{
	uint64_t inside = refusal->rights & CLI_FS_IN_DIRECTORY;
	uint64_t on = refusal->rights & ~CLI_FS_IN_DIRECTORY;

	if (refusal->object2) {
		keep_quiet_at(
			learned, refusal->object, inside & ~CLI_FS_MAKING, true, &refusal->who);
		keep_quiet_at(
			learned, refusal->object2, inside & ~CLI_FS_REMOVING, true, &refusal->who);
		return;
	}
	keep_quiet_at(learned, refusal->object, inside, true, &refusal->who);
	keep_quiet_at(learned, refusal->object, on, false, &refusal->who);
}

static void quiet_for_socket(struct learned *learned, const struct learn_refusal *refusal)
{
	struct reeve_rule rule = {.quiet = refusal->rights};

	if (refusal->cls == REEVE_NET) {
		rule.type = REEVE_RULE_NET_PORT;
		rule.port_first = rule.port_last = refusal->port;
	} else if (refusal->cls == REEVE_SOCKET) {
		rule.type = REEVE_RULE_SOCKET;
		rule.socket_family = refusal->family;
		rule.socket_type = refusal->type;
		rule.socket_protocol = refusal->protocol;
	} else {
		return; /* no rule is about scopes */
	}
	keep_quiet(learned, &rule, &refusal->who);
}

static void quiet_for_unix(struct learned *learned, const struct learn_refusal *refusal)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_UNIX_SOCKET,
		.quiet = REEVE_FS_RESOLVE_UNIX,
		.path = refusal->object};

	if (refusal->object[0] == '/' && access(refusal->object, F_OK) == 0)
		keep_quiet(learned, &rule, &refusal->who);
}

/* What the profile `learn` lets nobody read, whatever the outer policy was. */
static int secrets_domain(struct reeve_domain **ret, struct reeve_error *err)
{
	struct reeve_resolve_options options = {.size = sizeof(options), .keep_missing = true};
	struct reeve_ruleset *ruleset = NULL;
	int r = learn_profile("learn", &options, &ruleset, err);

	if (r == 0)
		r = reeve_domain_new(NULL, ruleset, ret);
	reeve_ruleset_free(ruleset);
	return r;
}

static bool is_secret(const struct reeve_domain *secrets, const char *path)
{
	struct reeve_decision decision = {0};

	if (!path || path[0] != '/')
		return false;
	reeve_decide_path(secrets, path, REEVE_FS_READ_FILE, &decision);
	return !decision.allowed;
}

static void quiet_for(struct learned *learned, const struct learn_refusal *refusal)
{
	if (refusal->cls != REEVE_FS)
		quiet_for_socket(learned, refusal);
	else if (refusal->rights & REEVE_FS_RESOLVE_UNIX)
		quiet_for_unix(learned, refusal);
	else
		quiet_for_path(learned, refusal);
}

void learn_quiet_rules(struct learned *learned)
{
	struct reeve_domain *secrets = NULL;
	struct reeve_error err = {0};

	if (!learned->refused.count)
		return;
	if (secrets_domain(&secrets, &err) < 0) {
		learned->failed = true;
		return;
	}
	for (size_t i = 0; i < learned->refused.count; i++) {
		const struct learn_refusal *refusal = cli_path_table_at(&learned->refused, i);

		if (is_secret(secrets, refusal->object) || is_secret(secrets, refusal->object2))
			continue;
		quiet_for(learned, refusal);
	}
	reeve_domain_free(secrets);
}
