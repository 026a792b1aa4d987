/* SPDX-License-Identifier: MIT */
/*
 * The small languages inside a policy's values, read the same way in files and in rule flags:
 * rights, ports, addresses, and the names of socket families, types and protocols.
 */
#ifndef RV_POLICY_VALUES_H
#define RV_POLICY_VALUES_H

#include <stdbool.h>
#include <reeve/ruleset.h>
#include "policy/suggest.h"

/* A decimal number without sign, blanks or leading zeros, at most `max`. -EINVAL. */
int rv_parse_number(const char *text, unsigned int max, unsigned int *ret);

/*
 * A right by its bare or full name, or a group ("abi.all") with `abi` not 0.
 * -EINVAL: no such right in the class; -ENODATA: a group without abi.
 */
int rv_parse_right(enum reeve_class cls, const char *name, int abi, uint64_t *ret);

/* Offers the rights and groups of a class, full names where the word has a dot. */
void rv_suggest_right(enum reeve_class cls, struct rv_suggestion *suggestion);

/* "443", "8000-8100"; the first must not be larger than the last. -EINVAL. */
#define RV_PORT_EXPECTED "a port from 0 to 65535, or a range like 8000-8100"
int rv_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last);

/* "public:443", "10.0.0.0/8:5432", "[2001:db8::]/32:80-90". */
#define RV_ENDPOINT_EXPECTED                                                                       \
	"ADDRESS:PORT[-PORT], where ADDRESS is public, private, loopback, any, 192.0.2.0/24 or "   \
	"[2001:db8::]/32"
#define RV_ADDRESS_SIZE 64

/*
 * The address is written out in the form of struct reeve_rule: "10.0.0.0/8", "2001:db8::/32",
 * a single host with its full prefix. -EINVAL, and then *ret_why may say more, or is NULL.
 */
int rv_parse_endpoint(const char *text, char ret_address[RV_ADDRESS_SIZE], uint16_t *ret_first,
	uint16_t *ret_last, const char **ret_why);

/* ---------------------------------------------------------------- sockets */

enum rv_socket_part { RV_SOCKET_FAMILY, RV_SOCKET_TYPE, RV_SOCKET_PROTOCOL };

/* "inet", "stream", "tcp"; for type and protocol "any" (REEVE_SOCKET_ANY); numbers. -EINVAL. */
int rv_parse_socket(enum rv_socket_part part, const char *text, int *ret);
/* The same for a number from a file. -EINVAL: out of range. */
int rv_socket_in_range(enum rv_socket_part part, int64_t number);
/* NULL: no name is known. */
const char *rv_socket_name(enum rv_socket_part part, int number);
const char *rv_socket_expected(enum rv_socket_part part);
void rv_suggest_socket(enum rv_socket_part part, struct rv_suggestion *suggestion);

#endif /* RV_POLICY_VALUES_H */
