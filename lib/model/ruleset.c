/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "model/ruleset.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

_Static_assert(
	(REEVE_NET_CONNECT_SEND_UDP << 1) - 1 <= UINT8_MAX, "struct rv_port_grant is wide enough");

/* Every bit of a class that the table of rights has. */
static uint64_t known_bits(enum reeve_class cls)
{
	const struct reeve_right_info *info;
	uint64_t bits = 0;

	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == cls)
			bits |= info->bit;
	return bits;
}

int reeve_ruleset_new(const struct reeve_rights *handled, struct reeve_ruleset **ret)
{
	struct reeve_ruleset *ruleset;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		if (handled->of[cls] & ~known_bits((enum reeve_class)cls))
			return -EINVAL;
	ruleset = calloc(1, sizeof(*ruleset));
	if (!ruleset)
		return -ENOMEM;
	atomic_init(&ruleset->refs, 1);
	atomic_init(&ruleset->frozen, false);
	ruleset->handled = *handled;
	ruleset->first_socket = ruleset->last_socket = RV_NO_RULE;
	ruleset->first_address = ruleset->last_address = RV_NO_RULE;
	*ret = ruleset;
	return 0;
}

struct reeve_ruleset *reeve_ruleset_ref(struct reeve_ruleset *ruleset)
{
	if (ruleset)
		atomic_fetch_add_explicit(&ruleset->refs, 1, memory_order_relaxed);
	return ruleset;
}

void reeve_ruleset_free(struct reeve_ruleset *ruleset)
{
	if (!ruleset || atomic_fetch_sub_explicit(&ruleset->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < ruleset->count; i++)
		free(ruleset->rules[i].strings);
	free(ruleset->rules);
	free(ruleset->ports);
	rv_path_index_release(&ruleset->paths);
	rv_path_index_release(&ruleset->pinned);
	free(ruleset);
}

void rv_ruleset_freeze(struct reeve_ruleset *ruleset)
{
	atomic_store_explicit(&ruleset->frozen, true, memory_order_release);
}

void reeve_ruleset_handled(const struct reeve_ruleset *ruleset, struct reeve_rights *ret)
{
	*ret = ruleset->handled;
}

size_t reeve_ruleset_count(const struct reeve_ruleset *ruleset)
{
	return ruleset->count;
}

int reeve_ruleset_at(const struct reeve_ruleset *ruleset, size_t i, struct reeve_rule *ret)
{
	if (i >= ruleset->count)
		return -ENOENT;
	*ret = ruleset->rules[i].pub;
	return 0;
}

/* ------------------------------------------------------------------ adding */

/* Copies a string to *at, moving it on. NULL stays NULL. */
static const char *copy_string(char **at, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *copy = *at;

	if (!text)
		return NULL;
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

/* Only the members that belong to the type; the others stay zero. */
static void copy_members(struct reeve_rule *to, const struct reeve_rule *from, char *strings)
{
	*to = (struct reeve_rule){.type = from->type,
		.flags = from->flags,
		.allowed = from->allowed,
		.quiet = from->quiet,
		.origin = copy_string(&strings, from->origin)};
	if (reeve_rule_class(from->type) == REEVE_FS)
		to->path = copy_string(&strings, from->path);
	if (reeve_rule_class(from->type) == REEVE_NET) {
		to->port_first = from->port_first;
		to->port_last = from->port_last;
	}
	if (from->type == REEVE_RULE_NET_ADDRESS)
		to->address = copy_string(&strings, from->address);
	if (from->type == REEVE_RULE_SOCKET) {
		to->socket_family = from->socket_family;
		to->socket_type = from->socket_type;
		to->socket_protocol = from->socket_protocol;
	}
}

static int make_rule(const struct reeve_rule *from, struct rv_rule *ret)
{
	struct rv_rule rule = {.next = RV_NO_RULE};
	size_t size = 1;

	size += from->origin ? strlen(from->origin) + 1 : 0;
	if (reeve_rule_class(from->type) == REEVE_FS)
		size += strlen(from->path) + 1;
	if (from->type == REEVE_RULE_NET_ADDRESS) {
		size += strlen(from->address) + 1;
		if (rv_address_parse(from->address, &rule.address, NULL) < 0)
			return -EINVAL;
	}
	rule.strings = malloc(size);
	if (!rule.strings)
		return -ENOMEM;
	copy_members(&rule.pub, from, rule.strings);
	*ret = rule;
	return 0;
}

static int make_room(struct reeve_ruleset *ruleset, size_t more)
{
	size_t capacity = ruleset->capacity ? ruleset->capacity : 8;
	void *rules;

	if (more <= ruleset->capacity - ruleset->count)
		return 0;
	if (more >= RV_NO_RULE / 2 - ruleset->count)
		return -ENOMEM;
	while (capacity - ruleset->count < more)
		capacity *= 2;
	rules = reallocarray(ruleset->rules, capacity, sizeof(*ruleset->rules));
	if (!rules)
		return -ENOMEM;
	ruleset->rules = rules;
	ruleset->capacity = capacity;
	return 0;
}

int rv_ruleset_reserve(struct reeve_ruleset *ruleset, size_t more)
{
	int r = make_room(ruleset, more);

	return r == 0 && !rv_path_index_reserve(&ruleset->paths, more) ? -ENOMEM : r;
}

/* Appends rule number `i` to a list of rules. */
static void append(struct reeve_ruleset *ruleset, uint32_t i, uint32_t *first, uint32_t *last)
{
	if (*last == RV_NO_RULE)
		*first = i;
	else
		ruleset->rules[*last].next = i;
	*last = i;
}

static size_t depth(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* What a DENY rule is on or below cannot be moved: see refer.c. */
static void index_pinned(struct reeve_ruleset *ruleset, const char *path)
{
	size_t length = strlen(path), above;

	for (;; length = above) {
		rv_path_index_intern(&ruleset->pinned, path, length);
		above = rv_path_parent(path, length);
		if (above >= length)
			return;
	}
}

static int index_path(struct reeve_ruleset *ruleset, uint32_t i)
{
	const struct reeve_rule *rule = &ruleset->rules[i].pub;
	bool denies = rule->flags & REEVE_RULE_DENY;
	struct rv_path_node *node;

	/* All or nothing: the nodes borrow the rule's string. */
	if (denies && !rv_path_index_reserve(&ruleset->pinned, depth(rule->path)))
		return -ENOMEM;
	node = rv_path_index_intern(&ruleset->paths, rule->path, strlen(rule->path));
	if (!node)
		return -ENOMEM;
	append(ruleset, i, &node->first, &node->last);
	if (denies)
		index_pinned(ruleset, rule->path);
	return 0;
}

static int index_ports(struct reeve_ruleset *ruleset, const struct reeve_rule *rule)
{
	if (!ruleset->ports)
		ruleset->ports = calloc(RV_PORTS, sizeof(*ruleset->ports));
	if (!ruleset->ports)
		return -ENOMEM;
	for (unsigned int port = rule->port_first; port <= rule->port_last; port++) {
		ruleset->ports[port].allowed |= (uint8_t)rule->allowed;
		ruleset->ports[port].quiet |= (uint8_t)rule->quiet;
	}
	return 0;
}

static int index_rule(struct reeve_ruleset *ruleset, uint32_t i)
{
	const struct reeve_rule *rule = &ruleset->rules[i].pub;

	switch (rule->type) {
	case REEVE_RULE_PATH_BENEATH:
	case REEVE_RULE_UNIX_SOCKET:
		return index_path(ruleset, i);
	case REEVE_RULE_NET_PORT:
		return index_ports(ruleset, rule);
	case REEVE_RULE_NET_ADDRESS:
		append(ruleset, i, &ruleset->first_address, &ruleset->last_address);
		return 0;
	case REEVE_RULE_SOCKET:
		append(ruleset, i, &ruleset->first_socket, &ruleset->last_socket);
		return 0;
	}
	return -EINVAL;
}

int reeve_ruleset_add(
	struct reeve_ruleset *ruleset, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct rv_rule made;
	int ret;

	if (atomic_load_explicit(&ruleset->frozen, memory_order_acquire))
		return rv_error(err, -EBUSY, "the ruleset is enforced and cannot change");
	ret = rv_rule_check(&ruleset->handled, rule, false, err);
	if (ret < 0)
		return ret;
	ret = make_room(ruleset, 1);
	if (ret == 0)
		ret = make_rule(rule, &made);
	if (ret < 0)
		return rv_error(err, ret, "cannot add a rule: %s", strerror(-ret));
	ruleset->rules[ruleset->count] = made;
	ret = index_rule(ruleset, (uint32_t)ruleset->count);
	if (ret < 0) {
		free(made.strings);
		return rv_error(err, ret, "cannot add a rule: %s", strerror(-ret));
	}
	ruleset->count++;
	return 0;
}

int rv_ruleset_copy(const struct reeve_ruleset *ruleset, struct reeve_ruleset **ret)
{
	struct reeve_ruleset *copy;
	int r = reeve_ruleset_new(&ruleset->handled, &copy);

	for (size_t i = 0; r == 0 && i < ruleset->count; i++) {
		r = reeve_ruleset_add(copy, &ruleset->rules[i].pub, NULL);
		if (r < 0)
			reeve_ruleset_free(copy);
	}
	if (r == 0)
		*ret = copy;
	return r;
}

bool rv_same_rule(const struct reeve_rule *a, const struct reeve_rule *b)
{
	return a->type == b->type && a->flags == b->flags && a->allowed == b->allowed &&
	       a->quiet == b->quiet && a->port_first == b->port_first &&
	       a->port_last == b->port_last && a->socket_family == b->socket_family &&
	       a->socket_type == b->socket_type && a->socket_protocol == b->socket_protocol &&
	       rv_same_text(a->path, b->path) && rv_same_text(a->address, b->address);
}
