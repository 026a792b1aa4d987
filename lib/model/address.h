/* SPDX-License-Identifier: MIT */
/*
 * IP addresses, and the sets of them that rules name. Pure: text is parsed, nothing is resolved.
 *
 * What an address *is* counts, not how it is written: ::ffff:10.0.0.1 is 10.0.0.1 everywhere here.
 */
#ifndef RV_MODEL_ADDRESS_H
#define RV_MODEL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <reeve/error.h>

/* Normalised: an IPv4 address mapped into IPv6 is an IPv4 address. */
struct rv_ip {
	bool is_v4;
	uint8_t bytes[16]; /* network byte order; the first 4 where is_v4, the rest 0 */
};

/* `bytes` as in struct in_addr or struct in6_addr. */
struct rv_ip rv_ip_from_v4(const void *bytes);
struct rv_ip rv_ip_from_v6(const void *bytes);

enum rv_address_kind {
	RV_ADDRESS_PREFIX = 1,
	RV_ADDRESS_ANY,
	RV_ADDRESS_LOOPBACK, /* 127.0.0.0/8, ::1; where connected to, also 0.0.0.0 and :: */
	RV_ADDRESS_PRIVATE,  /* 10/8, 172.16/12, 192.168/16, fc00::/7 */
	RV_ADDRESS_PUBLIC,   /* see rv_address_match() */
};

struct rv_address {
	enum rv_address_kind kind;
	struct rv_ip ip; /* PREFIX: host bits are 0 */
	unsigned int prefix;
};

/*
 * Parses "any", "loopback", "private", "public", "192.0.2.0/24", "2001:db8::/32" or a bare address.
 * -EINVAL: anything else, a prefix that is too long, bits beyond the prefix.
 */
int rv_address_parse(const char *text, struct rv_address *ret, struct reeve_error *err);

/*
 * Whether `ip` is one of `address`. `bound`: it is what a socket is bound to, so that 0.0.0.0 and
 * :: mean "every interface"; else it is connected or sent to, and they mean this host.
 *
 * public: global unicast, and not loopback, private, shared (CGNAT), link-local, unique-local,
 * multicast, reserved, for documentation or benchmarks; nor an address that wraps such a one
 * (64:ff9b::/96, 2002::/16), nor a tunnel whose other end cannot be seen from the address.
 */
bool rv_address_match(const struct rv_address *address, const struct rv_ip *ip, bool bound);

#endif /* RV_MODEL_ADDRESS_H */
