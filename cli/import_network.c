/* SPDX-License-Identifier: MIT */
/* Lists of ports and addresses that are allowed and denied, as grants alone. */
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "import.h"

/* --------------------------------------------------------------------------- ports */

static bool may_bind(const struct cli_port_set *set, unsigned int port)
{
	return set->allowed[port] || !set->denied[port];
}

void cli_import_port_set(struct cli_import *import, const struct cli_port_set *set, uint64_t right,
	const char *origin)
{
	unsigned int first = 0, end;

	import->handled.of[REEVE_NET] |= right;
	for (; first < 65536; first = end) {
		end = first + 1;
		if (!may_bind(set, first))
			continue;
		while (end < 65536 && may_bind(set, end))
			end++;
		cli_import_ports(import, right, first, end - 1, origin);
	}
}

/* ----------------------------------------------------------------------- addresses */

static bool parse_one(const char *text, bool allow, struct cli_prefix *ret)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits;
	char *end = NULL;

	*ret = (struct cli_prefix){.allow = allow};
	if (length >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	ret->width = strchr(address, ':') ? 128 : 32;
	if (inet_pton(ret->width == 128 ? AF_INET6 : AF_INET, address, ret->bytes) != 1)
		return false;
	bits = slash ? strtoul(slash + 1, &end, 10) : ret->width;
	ret->bits = (unsigned int)bits;
	return bits <= ret->width && (!slash || (slash[1] >= '0' && slash[1] <= '9' && !*end));
}

size_t cli_import_prefixes(const char *text, bool allow, struct cli_prefix ret[2])
{
	static const struct {
		const char *name, *v4, *v6;
	} names[] = {{"any", "0.0.0.0/0", "::/0"}, {"localhost", "127.0.0.0/8", "::1/128"},
		{"link-local", "169.254.0.0/16", "fe80::/64"},
		{"multicast", "224.0.0.0/4", "ff00::/8"}};

	for (size_t i = 0; i < CLI_COUNT(names); i++)
		if (strcmp(names[i].name, text) == 0) {
			parse_one(names[i].v4, allow, &ret[0]);
			parse_one(names[i].v6, allow, &ret[1]);
			return 2;
		}
	return parse_one(text, allow, &ret[0]);
}

struct addresses {
	struct cli_import *import;
	const struct cli_prefix *prefixes;
	size_t count;
	const char *origin;
};

static bool bit_of(const unsigned char *bytes, unsigned int bit)
{
	return bytes[bit / 8] & (0x80u >> bit % 8);
}

static bool same_bits(const struct cli_prefix *a, const struct cli_prefix *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if (bit_of(a->bytes, i) != bit_of(b->bytes, i))
			return false;
	return a->width == b->width;
}

/* Whether a prefix of the list holds all of `at`; *ret_within: one holds a part of it. */
static bool covers(
	const struct addresses *all, const struct cli_prefix *at, bool allow, bool *ret_within)
{
	bool covered = false;

	*ret_within = false;
	for (size_t i = 0; i < all->count; i++) {
		const struct cli_prefix *prefix = &all->prefixes[i];

		if (prefix->allow != allow)
			continue;
		if (prefix->bits <= at->bits)
			covered = covered || same_bits(prefix, at, prefix->bits);
		else
			*ret_within = *ret_within || same_bits(prefix, at, at->bits);
	}
	return covered;
}

static void grant(const struct addresses *all, const struct cli_prefix *at)
{
	char host[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN + 8];
	const struct reeve_rule rule = {.type = REEVE_RULE_NET_ADDRESS,
		.allowed = REEVE_NET_CONNECT_TCP | REEVE_NET_CONNECT_SEND_UDP,
		.port_last = 65535,
		.address = address,
		.origin = all->origin};

	inet_ntop(at->width == 128 ? AF_INET6 : AF_INET, at->bytes, host, sizeof(host));
	snprintf(address, sizeof(address), "%s/%u", host, at->bits);
	cli_import_rule(all->import, &rule);
}

/* Half by half, until one answer holds for all of it. Allowed comes first, then denied. */
static void split(const struct addresses *all, const struct cli_prefix *at)
{
	struct cli_prefix half = *at;
	bool allows_within, denies_within;
	bool allowed = covers(all, at, true, &allows_within);
	bool denied = covers(all, at, false, &denies_within);

	if (allowed || (!denied && !denies_within)) {
		grant(all, at);
		return;
	}
	if (denied && !allows_within)
		return;
	half.bits++;
	split(all, &half);
	half.bytes[at->bits / 8] |= (unsigned char)(0x80u >> at->bits % 8);
	split(all, &half);
}

void cli_import_addresses(struct cli_import *import, const struct cli_prefix *prefixes,
	size_t count, const char *origin)
{
	const struct addresses all = {import, prefixes, count, origin};

	import->handled.of[REEVE_NET] |= REEVE_NET_CONNECT_TCP | REEVE_NET_CONNECT_SEND_UDP;
	split(&all, &(struct cli_prefix){.width = 32});
	split(&all, &(struct cli_prefix){.width = 128});
}
