/* SPDX-License-Identifier: MIT */
/* What an answer is about, more or less widely, in each class; and the rules that it makes. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include "base/strbuf.h"
#include "supervise/ask_private.h"
#include "supervise/event_private.h"

#define BIT(cls) (1u << (cls))

const char *const rv_scope_names[] = {[REEVE_ANSWER_OBJECT] = "object",
	[REEVE_ANSWER_DIRECTORY] = "directory",
	[REEVE_ANSWER_TREE] = "tree",
	[REEVE_ANSWER_KIND] = "kind",
	[REEVE_ANSWER_ADDRESS] = "address",
	[REEVE_ANSWER_PORT] = "port",
	[REEVE_ANSWER_TYPE] = "type",
	[REEVE_ANSWER_FAMILY] = "family",
	NULL};

bool rv_scope_fits(enum reeve_class cls, enum reeve_answer_scope scope)
{
	static const unsigned int classes[] = {
		[REEVE_ANSWER_OBJECT] = BIT(REEVE_FS) | BIT(REEVE_NET) | BIT(REEVE_SOCKET),
		[REEVE_ANSWER_DIRECTORY] = BIT(REEVE_FS),
		[REEVE_ANSWER_TREE] = BIT(REEVE_FS),
		[REEVE_ANSWER_KIND] = BIT(REEVE_FS) | BIT(REEVE_NET) | BIT(REEVE_SOCKET),
		[REEVE_ANSWER_ADDRESS] = BIT(REEVE_NET),
		[REEVE_ANSWER_PORT] = BIT(REEVE_NET),
		[REEVE_ANSWER_TYPE] = BIT(REEVE_SOCKET),
		[REEVE_ANSWER_FAMILY] = BIT(REEVE_SOCKET),
	};

	return classes[scope] & BIT(cls);
}

/* ------------------------------------------------------------------- what it holds for */

static bool is_same(const struct reeve_question *q, const struct rv_want *want)
{
	return strcmp(q->object, want->object) == 0 && rv_same_text(q->object2, want->object2);
}

static bool is_beneath(const char *directory, const struct rv_want *want)
{
	return rv_path_is_beneath(want->object, directory) ||
	       (want->object2 && rv_path_is_beneath(want->object2, directory));
}

static const char *tree_of(const struct reeve_question *q, const char *tree)
{
	return tree ? tree : q->tree ? q->tree : q->directory;
}

bool rv_scope_holds(const struct reeve_question *q, enum reeve_answer_scope scope, const char *tree,
	const struct rv_want *want)
{
	if (q->cls != want->cls)
		return false;
	switch (scope) {
	case REEVE_ANSWER_OBJECT:
		return is_same(q, want);
	case REEVE_ANSWER_DIRECTORY:
		return is_beneath(q->directory, want);
	case REEVE_ANSWER_TREE:
		return is_beneath(tree_of(q, tree), want);
	case REEVE_ANSWER_KIND:
		return true;
	case REEVE_ANSWER_ADDRESS:
		return strcmp(q->address, want->address) == 0;
	case REEVE_ANSWER_PORT:
		return q->port == want->port;
	case REEVE_ANSWER_TYPE:
		return q->socket_family == want->socket[0] && q->socket_type == want->socket[1];
	case REEVE_ANSWER_FAMILY:
		return q->socket_family == want->socket[0];
	}
	return false;
}

bool rv_scope_holds_question(const struct reeve_question *q, enum reeve_answer_scope scope,
	const char *tree, const struct reeve_question *other)
{
	const struct rv_want want = {.cls = other->cls,
		.object = other->object,
		.object2 = other->object2,
		.address = other->address,
		.port = other->port,
		.socket = {other->socket_family, other->socket_type, other->socket_protocol}};

	/* The rights on a directory hold beneath it. */
	if (q->cls == REEVE_FS && scope == REEVE_ANSWER_OBJECT && other->cls == REEVE_FS)
		return is_beneath(q->object, &want);
	return rv_scope_holds(q, scope, tree, &want);
}

/* ---------------------------------------------------------------------------- rules: fs */

static int object_rules(const struct reeve_question *q, struct reeve_rule *ret)
{
	/* By a rule on the name alone no entry can be made, removed or moved. */
	if (q->object2 || (q->missing & RV_IN_DIRECTORY))
		return -EINVAL;
	ret->path = q->object;
	ret->allowed = q->object_is_directory ? q->beneath : q->missing;
	return 1;
}

static int directory_rules(const struct reeve_question *q, struct reeve_rule *ret)
{
	ret[0].path = q->directory;
	if (!q->directory2)
		return 1;
	ret[1] = ret[0];
	ret[1].path = q->directory2;
	return 2;
}

static int path_rules(
	const struct reeve_question *q, enum reeve_answer_scope scope, struct reeve_rule *ret)
{
	/* Connecting to a UNIX socket has a table of its own in policy files. */
	ret[0] = (struct reeve_rule){.type = q->missing == REEVE_FS_RESOLVE_UNIX
						     ? REEVE_RULE_UNIX_SOCKET
						     : REEVE_RULE_PATH_BENEATH,
		.allowed = q->beneath};
	if (scope == REEVE_ANSWER_OBJECT)
		return object_rules(q, ret);
	if (scope == REEVE_ANSWER_DIRECTORY)
		return directory_rules(q, ret);
	ret[0].path = q->tree;
	if (scope == REEVE_ANSWER_KIND) {
		ret[0].path = "/";
		ret[0].allowed = q->missing;
	}
	return ret[0].path ? 1 : -EINVAL;
}

/* ------------------------------------------------------------------------ rules: socket */

/* What the kernel takes for the usual protocol besides 0. */
static int usual_protocol(int family, int type)
{
	if (family != AF_INET && family != AF_INET6)
		return 0;
	return type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
}

static int socket_rules(
	const struct reeve_question *q, enum reeve_answer_scope scope, struct reeve_rule *ret)
{
	int usual = q->socket_protocol ? 0 : usual_protocol(q->socket_family, q->socket_type);

	ret[0] = (struct reeve_rule){.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = q->socket_family,
		.socket_type = scope == REEVE_ANSWER_FAMILY ? REEVE_SOCKET_ANY : q->socket_type,
		.socket_protocol =
			scope == REEVE_ANSWER_OBJECT ? q->socket_protocol : REEVE_SOCKET_ANY};
	/* No rule is about sockets of all families. */
	if (scope == REEVE_ANSWER_KIND)
		return -EINVAL;
	if (scope != REEVE_ANSWER_OBJECT || !usual)
		return 1;
	ret[1] = ret[0];
	ret[1].socket_protocol = usual;
	return 2;
}

/* --------------------------------------------------------------------------- rules: net */

static void name_peer(
	const struct reeve_question *q, enum reeve_answer_scope scope, struct reeve_rule *rule)
{
	bool any_address = scope == REEVE_ANSWER_PORT || scope == REEVE_ANSWER_KIND;
	bool any_port = scope == REEVE_ANSWER_ADDRESS || scope == REEVE_ANSWER_KIND;

	rule->type = any_address ? REEVE_RULE_NET_PORT : REEVE_RULE_NET_ADDRESS;
	rule->address = any_address ? NULL : q->address;
	rule->port_first = any_port ? 0 : q->port;
	rule->port_last = any_port ? UINT16_MAX : q->port;
}

/* A UDP socket that sends before it is bound is bound by that, to a port of the kernel's choice. */
static int peer_rules(
	const struct reeve_question *q, enum reeve_answer_scope scope, struct reeve_rule *ret)
{
	bool sends = q->missing & REEVE_NET_CONNECT_SEND_UDP;
	uint64_t besides = sends ? q->missing & REEVE_NET_BIND_UDP : 0;

	ret[0] = (struct reeve_rule){.allowed = q->missing & ~besides};
	name_peer(q, scope, &ret[0]);
	ret[1] = (struct reeve_rule){.type = REEVE_RULE_NET_PORT, .allowed = besides};
	return besides ? 2 : 1;
}

/* With the socket that it takes, where no rule lets that be made. */
static int net_rules(
	const struct reeve_question *q, enum reeve_answer_scope scope, struct reeve_rule *ret)
{
	int count = peer_rules(q, scope, ret);

	return q->socket_family ? count + socket_rules(q, REEVE_ANSWER_OBJECT, ret + count) : count;
}

int rv_scope_rules(const struct reeve_question *q, enum reeve_answer_scope scope,
	struct reeve_rule ret[REEVE_QUESTION_RULES])
{
	if (!rv_scope_fits(q->cls, scope))
		return -EINVAL;
	if (q->cls == REEVE_FS)
		return path_rules(q, scope, ret);
	return q->cls == REEVE_NET ? net_rules(q, scope, ret) : socket_rules(q, scope, ret);
}

void rv_make_live(struct reeve_rule *rule)
{
	if (rule->type == REEVE_RULE_UNIX_SOCKET)
		rule->type = REEVE_RULE_PATH_BENEATH;
}

int reeve_question_rules(const struct reeve_question *q, enum reeve_answer_scope scope,
	struct reeve_rule ret[REEVE_QUESTION_RULES])
{
	struct reeve_rule rules[REEVE_QUESTION_RULES];
	int count = scope <= REEVE_ANSWER_FAMILY && (q->scopes & BIT(scope))
			    ? rv_scope_rules(q, scope, rules)
			    : -EINVAL;

	for (int i = 0; i < count; i++)
		ret[i] = rules[i];
	return count;
}
