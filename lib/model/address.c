/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "model/address.h"
#include "base/error.h"

/* A prefix, for tables. */
struct block {
	uint8_t bytes[4];
	unsigned int prefix;
};

static const struct block private_v4[] = {{{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}};
static const struct block private_v6[] = {{{0xfc}, 7}};
static const struct block loopback_v4[] = {{{127}, 8}};

/* The special-purpose registries of IANA: what is not the public internet. */
static const struct block not_public_v4[] = {
	{{0}, 8},	      /* this network, and this host */
	{{10}, 8},	      /* private */
	{{100, 64}, 10},      /* shared by carriers (CGNAT) */
	{{127}, 8},	      /* loopback */
	{{169, 254}, 16},     /* link-local; cloud metadata */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* 6to4 relays */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 3},	      /* multicast, reserved, broadcast */
};

static const struct block public_v6[] = {{{0x20}, 3}};
static const struct block not_public_v6[] = {
	{{0x20, 0x01, 0x00}, 23},	/* protocol assignments, Teredo among them */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff, 0x00}, 20},	/* documentation */
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};    /* 64:ff9b::/96 */
static const uint8_t sixtofour[2] = {0x20, 0x02};	      /* 2002::/16 */
static const uint8_t v6_loopback[16] = {[15] = 1};

struct rv_ip rv_ip_from_v4(const void *bytes)
{
	struct rv_ip ip = {.is_v4 = true};

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

struct rv_ip rv_ip_from_v6(const void *bytes)
{
	struct rv_ip ip = {.is_v4 = false};

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return rv_ip_from_v4((const uint8_t *)bytes + sizeof(mapped));
	memcpy(ip.bytes, bytes, 16);
	return ip;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int prefix)
{
	unsigned int whole = prefix / 8, rest = prefix % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool in_blocks(const struct rv_ip *ip, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (same_prefix(ip->bytes, blocks[i].bytes, blocks[i].prefix))
			return true;
	return false;
}

#define IN(ip, blocks) in_blocks(ip, blocks, RV_COUNT(blocks))

static bool is_unspecified(const struct rv_ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

static bool is_loopback(const struct rv_ip *ip)
{
	return ip->is_v4 ? IN(ip, loopback_v4)
			 : memcmp(ip->bytes, v6_loopback, sizeof(v6_loopback)) == 0;
}

static bool is_public(const struct rv_ip *ip)
{
	struct rv_ip inner;

	if (ip->is_v4)
		return !IN(ip, not_public_v4);
	if (memcmp(ip->bytes, nat64, sizeof(nat64)) == 0)
		inner = rv_ip_from_v4(ip->bytes + sizeof(nat64));
	else if (memcmp(ip->bytes, sixtofour, sizeof(sixtofour)) == 0)
		inner = rv_ip_from_v4(ip->bytes + sizeof(sixtofour));
	else
		return IN(ip, public_v6) && !IN(ip, not_public_v6);
	return !IN(&inner, not_public_v4);
}

bool rv_address_match(const struct rv_address *address, const struct rv_ip *ip, bool bound)
{
	switch (address->kind) {
	case RV_ADDRESS_ANY:
		return true;
	case RV_ADDRESS_LOOPBACK:
		return is_loopback(ip) || (!bound && is_unspecified(ip));
	case RV_ADDRESS_PRIVATE:
		return ip->is_v4 ? IN(ip, private_v4) : IN(ip, private_v6);
	case RV_ADDRESS_PUBLIC:
		return is_public(ip);
	case RV_ADDRESS_PREFIX:
		return ip->is_v4 == address->ip.is_v4 &&
		       same_prefix(ip->bytes, address->ip.bytes, address->prefix);
	}
	return false;
}

static bool parse_class(const char *text, struct rv_address *ret)
{
	static const struct {
		const char *name;
		enum rv_address_kind kind;
	} classes[] = {
		{"any", RV_ADDRESS_ANY},
		{"loopback", RV_ADDRESS_LOOPBACK},
		{"private", RV_ADDRESS_PRIVATE},
		{"public", RV_ADDRESS_PUBLIC},
	};

	for (size_t i = 0; i < RV_COUNT(classes); i++) {
		if (strcmp(text, classes[i].name) == 0) {
			*ret = (struct rv_address){.kind = classes[i].kind};
			return true;
		}
	}
	return false;
}

/* Decimal without sign and leading zeros, at most `most`; -1 for anything else. */
static int parse_prefix(const char *text, int most)
{
	int value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		if (value > most)
			return -1;
	}
	return value;
}

/* The address part of "ADDRESS/PREFIX"; false where it is none. */
static bool parse_ip(const char *text, size_t length, uint8_t bytes[16], bool *is_v4)
{
	char copy[INET6_ADDRSTRLEN];

	if (length == 0 || length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*is_v4 = inet_pton(AF_INET, copy, bytes) == 1;
	return *is_v4 || inet_pton(AF_INET6, copy, bytes) == 1;
}

/* Clears what is beyond the prefix; true where there was something. */
static bool clear_host_bits(uint8_t *bytes, unsigned int size, unsigned int prefix)
{
	bool found = false;

	for (unsigned int bit = prefix; bit < size * 8; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		found |= (bytes[bit / 8] & mask) != 0;
		bytes[bit / 8] &= (uint8_t)~mask;
	}
	return found;
}

static int host_bits_error(const char *text, const uint8_t *bytes, bool is_v4, unsigned int prefix,
	struct reeve_error *err)
{
	char shown[INET6_ADDRSTRLEN];

	inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, shown, sizeof(shown));
	rv_error(err, -EINVAL, "address \"%s\" has bits set beyond its prefix of %u", rv_q(text),
		prefix);
	rv_error_hint(
		err, "write \"%s/%u\" for the whole block, or leave out the prefix", shown, prefix);
	return -EINVAL;
}

/* ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
static void normalise(struct rv_address *address)
{
	if (address->ip.is_v4 || address->prefix < 96)
		return;
	address->ip = rv_ip_from_v6(address->ip.bytes);
	if (address->ip.is_v4)
		address->prefix -= 96;
}

int rv_address_parse(const char *text, struct rv_address *ret, struct reeve_error *err)
{
	size_t length = strcspn(text, "/");
	struct rv_address address = {.kind = RV_ADDRESS_PREFIX};
	int most, prefix;

	if (parse_class(text, ret))
		return 0;
	if (!parse_ip(text, length, address.ip.bytes, &address.ip.is_v4)) {
		rv_error(err, -EINVAL, "\"%s\" is not an address", rv_q(text));
		rv_error_hint(err, "expected public, private, loopback, any, an IP address or a "
				   "block like 192.0.2.0/24 or 2001:db8::/32");
		return -EINVAL;
	}
	most = address.ip.is_v4 ? 32 : 128;
	prefix = text[length] ? parse_prefix(text + length + 1, most) : most;
	if (prefix < 0)
		return rv_error(err, -EINVAL,
			"address \"%s\": the prefix must be a number from 0 to %d", rv_q(text),
			most);
	address.prefix = (unsigned int)prefix;
	if (clear_host_bits(address.ip.bytes, (unsigned int)most / 8, address.prefix))
		return host_bits_error(
			text, address.ip.bytes, address.ip.is_v4, address.prefix, err);
	normalise(&address);
	*ret = address;
	return 0;
}
