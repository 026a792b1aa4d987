/* SPDX-License-Identifier: MIT */
/* Rules for sockets, addresses, and UNIX sockets of others. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "learn.h"

#define PORT_MAX 65535

void learn_take_socket(struct learned *learned, const struct reeve_access *access)
{
	cli_autofree char *key = NULL;
	struct learn_socket *entry;

	/* An abstract socket that could be reached was made inside. */
	if (access->cls == REEVE_SCOPE)
		return;
	if (asprintf(&key, "%d %llx %s %d", (int)access->cls, (unsigned long long)access->rights,
		    access->object, access->socket_protocol) < 0)
		key = NULL;
	entry = key ? cli_path_table_get(&learned->names, key) : NULL;
	learned->failed |= !entry;
	if (!entry)
		return;
	entry->cls = access->cls;
	entry->rights = access->rights;
	snprintf(entry->object, sizeof(entry->object), "%s", access->object);
	entry->port = access->port;
	entry->family = access->socket_family;
	entry->type = access->socket_type;
	entry->protocol = access->socket_protocol;
	learn_who_add(learned, &entry->who, learn_comm(learned, access->actor), access->count);
}

/* ----------------------------------------------------------------------- addresses */

/* "192.0.2.1:443" and "[2001:db8::1]:443" without the port. */
static void address_of(const char *object, char address[static 64])
{
	const char *colon = strrchr(object, ':');
	size_t length = colon ? (size_t)(colon - object) : strlen(object);

	if (object[0] == '[' && length >= 2) {
		object++;
		length -= 2;
	}
	snprintf(address, 64, "%.*s", (int)length, object);
}

/* Whether a rule for this word, "loopback", has the address. */
static bool is_in(const char *word, const char *address)
{
	struct reeve_rights handled = {.of[REEVE_NET] = REEVE_NET_CONNECT_TCP};
	struct reeve_rule rule = {.type = REEVE_RULE_NET_ADDRESS,
		.allowed = REEVE_NET_CONNECT_TCP,
		.address = word,
		.port_last = PORT_MAX};
	struct reeve_decision decision = {0};
	struct reeve_ruleset *ruleset = NULL;
	struct reeve_domain *domain = NULL;

	if (reeve_ruleset_new(&handled, &ruleset) == 0 &&
		reeve_ruleset_add(ruleset, &rule, NULL) == 0 &&
		reeve_domain_new(NULL, ruleset, &domain) == 0)
		reeve_decide_address(domain, REEVE_NET_CONNECT_TCP, address, 1, &decision);
	reeve_domain_free(domain);
	reeve_ruleset_free(ruleset);
	return decision.allowed;
}

/* A port that the kernel chose will be another one next time. */
static bool is_chosen(uint16_t port, uint16_t *ret_first, uint16_t *ret_last)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int first = 32768, last = 60999;

	if (file) {
		if (fscanf(file, "%u %u", &first, &last) != 2 || first > last || last > PORT_MAX)
			first = 32768, last = 60999;
		fclose(file);
	}
	*ret_first = (uint16_t)first;
	*ret_last = (uint16_t)last;
	return port >= first && port <= last;
}

enum bound { BINDS_NONE = 0, BINDS_ANY = 1, BINDS_FIXED = 2 };

/* What kinds of ports are bound: those that the kernel chooses, and others. */
static unsigned int binds(const struct learned *learned, uint64_t right)
{
	unsigned int found = BINDS_NONE;

	for (size_t i = 0; i < learned->names.count; i++) {
		const struct learn_socket *entry = cli_path_table_at(&learned->names, i);

		if (entry->cls == REEVE_NET && (entry->rights & right))
			found |= entry->port ? BINDS_FIXED : BINDS_ANY;
	}
	return found;
}

static bool is_same(const struct reeve_rule *a, const struct reeve_rule *b)
{
	if (a->type != b->type || a->allowed != b->allowed || a->port_first != b->port_first ||
		a->port_last != b->port_last)
		return false;
	return a->type == REEVE_RULE_NET_PORT ||
	       (a->type == REEVE_RULE_NET_ADDRESS && strcmp(a->address, b->address) == 0);
}

static void add(struct learned *learned, const struct reeve_rule *rule, const struct learn_who *who,
	const char *more)
{
	struct learn_rule new = {.rule = *rule, .who = *who, .more = more};

	for (size_t i = 0; i < learned->rules.count; i++) {
		struct learn_rule *old = &learned->rules.at[i];

		if (!is_same(&old->rule, rule))
			continue;
		learn_who_join(&old->who, who);
		return;
	}
	learned->failed |= !learn_rules_add(&learned->rules, &new);
}

/*
 * Ports that will be others the next time: what the program binds to whichever the kernel gives is
 * met on the loopback, and a server of UDP answers whomever asked it.
 */
static const char *widen_ports(
	const struct learned *learned, const struct learn_socket *entry, struct reeve_rule *rule)
{
	bool udp = entry->rights & REEVE_NET_CONNECT_SEND_UDP;
	unsigned int bound = binds(learned, udp ? REEVE_NET_BIND_UDP : REEVE_NET_BIND_TCP);
	bool own = (bound & BINDS_ANY) && strcmp(rule->address, "loopback") == 0;
	uint16_t first, last;

	if (!is_chosen(entry->port, &first, &last) || !(own || (udp && (bound & BINDS_FIXED))))
		return NULL;
	rule->port_first = first;
	rule->port_last = last;
	return "ports that the kernel chooses";
}

/* Connecting goes by address: which loopback, the public network, or that one host. */
static void add_connect(struct learned *learned, const struct learn_socket *entry)
{
	char address[64];
	struct reeve_rule rule = {.type = REEVE_RULE_NET_ADDRESS,
		.allowed = entry->rights,
		.address = address,
		.port_first = entry->port,
		.port_last = entry->port};

	address_of(entry->object, address);
	if (is_in("loopback", address))
		rule.address = "loopback";
	else if (is_in("public", address))
		rule.address = "public";
	add(learned, &rule, &entry->who, widen_ports(learned, entry, &rule));
}

static void add_port(struct learned *learned, const struct learn_socket *entry)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.allowed = entry->rights,
		.port_first = entry->port,
		.port_last = entry->port};

	add(learned, &rule, &entry->who, NULL);
}

static void add_address(struct learned *learned, const struct learn_socket *entry)
{
	if (entry->rights & (REEVE_NET_CONNECT_TCP | REEVE_NET_CONNECT_SEND_UDP))
		add_connect(learned, entry);
	else
		add_port(learned, entry);
	learned->udp |= (entry->rights & (REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP)) != 0;
}

/* --------------------------------------------------------------------------- sockets */

static void add_socket(struct learned *learned, const struct learn_socket *entry)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = entry->family,
		.socket_type = entry->type,
		.socket_protocol = entry->protocol};

	/* The kernel makes a datagram socket of SOCK_RAW. */
	if (entry->family == AF_UNIX)
		learned->datagrams |= entry->type == SOCK_DGRAM || entry->type == SOCK_RAW;
	else
		add(learned, &rule, &entry->who, NULL);
}

static void add_unix(struct learned *learned, const struct learn_socket *entry)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_UNIX_SOCKET,
		.allowed = REEVE_FS_RESOLVE_UNIX,
		.path = entry->object};
	cli_autoescape char *shown = cli_escape(entry->object);

	learn_note(&learned->notes,
		"%s: a socket of a program outside, which may do more than it should", shown);
	add(learned, &rule, &entry->who, NULL);
}

/* Ends of pairs, and what is scoped by who made it: always. */
static void add_own(struct learned *learned)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = AF_UNIX,
		.socket_type = REEVE_SOCKET_ANY,
		.socket_protocol = REEVE_SOCKET_ANY};
	struct learn_who nobody = {0};

	for (size_t i = 0; i < learned->names.count; i++) {
		const struct learn_socket *entry = cli_path_table_at(&learned->names, i);

		if (entry->cls == REEVE_SOCKET && entry->family == AF_UNIX)
			learn_who_join(&nobody, &entry->who);
	}
	add(learned, &rule, &nobody, "reaches only what is made inside");
}

static int by_name(const void *a, const void *b)
{
	const struct learn_socket *left = a, *right = b;

	return strcmp(left->key.path, right->key.path);
}

void learn_socket_rules(struct learned *learned)
{
	static void (*const adders[REEVE_CLASS_COUNT])(
		struct learned * learned, const struct learn_socket *entry) = {
		[REEVE_FS] = add_unix, [REEVE_NET] = add_address, [REEVE_SOCKET] = add_socket};
	size_t count = learned->names.count;
	struct learn_socket *sorted = calloc(count + 1, sizeof(*sorted));

	learned->failed |= !sorted;
	add_own(learned);
	if (sorted && count)
		memcpy(sorted, learned->names.entries, count * sizeof(*sorted));
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), by_name);
	for (size_t i = 0; sorted && i < count; i++)
		if (adders[sorted[i].cls])
			adders[sorted[i].cls](learned, &sorted[i]);
	free(sorted);
}
