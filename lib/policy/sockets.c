/* SPDX-License-Identifier: MIT */
/* The names of socket families, types and protocols. */
#include <string.h>
#include "base/cleanup.h"
#include "policy/values.h"

struct name {
	const char *name;
	int number;
};

/* Numbers are the kernel's (include/linux/socket.h); libc's headers may be older. */
static const struct name families[] = {
	{"unix", 1},
	{"inet", 2},
	{"ax25", 3},
	{"ipx", 4},
	{"appletalk", 5},
	{"netrom", 6},
	{"atmpvc", 8},
	{"x25", 9},
	{"inet6", 10},
	{"rose", 11},
	{"key", 15},
	{"netlink", 16},
	{"packet", 17},
	{"atmsvc", 20},
	{"rds", 21},
	{"pppox", 24},
	{"llc", 26},
	{"ib", 27},
	{"mpls", 28},
	{"can", 29},
	{"tipc", 30},
	{"bluetooth", 31},
	{"iucv", 32},
	{"rxrpc", 33},
	{"isdn", 34},
	{"phonet", 35},
	{"ieee802154", 36},
	{"caif", 37},
	{"alg", 38},
	{"nfc", 39},
	{"vsock", 40},
	{"kcm", 41},
	{"qipcrtr", 42},
	{"smc", 43},
	{"xdp", 44},
	{"mctp", 45},
};

static const struct name types[] = {
	{"any", REEVE_SOCKET_ANY},
	{"stream", 1},
	{"dgram", 2},
	{"raw", 3},
	{"rdm", 4},
	{"seqpacket", 5},
	{"dccp", 6},
	{"packet", 10},
};

static const struct name protocols[] = {
	{"any", REEVE_SOCKET_ANY},
	{"icmp", 1},
	{"igmp", 2},
	{"ipip", 4},
	{"tcp", 6},
	{"udp", 17},
	{"dccp", 33},
	{"gre", 47},
	{"esp", 50},
	{"ah", 51},
	{"icmpv6", 58},
	{"l2tp", 115},
	{"sctp", 132},
	{"udplite", 136},
	{"raw", 255},
	{"mptcp", 262},
};

static const struct part {
	const struct name *names;
	size_t count;
	int max; /* of the proposed struct landlock_socket_attr */
	const char *expected;
} parts[] = {
	[RV_SOCKET_FAMILY] = {families, RV_COUNT(families), 254,
		"a socket family such as inet, inet6, unix, netlink, or a number from 0 to 254"},
	[RV_SOCKET_TYPE] = {types, RV_COUNT(types), 254,
		"a socket type such as stream, dgram, raw, seqpacket, any, or a number from 0 to "
		"254"},
	[RV_SOCKET_PROTOCOL] = {protocols, RV_COUNT(protocols), 65534,
		"a protocol such as tcp, udp, icmp, any, or a number from 0 to 65534"},
};

int rv_socket_in_range(enum rv_socket_part part, int64_t number)
{
	return number >= 0 && number <= parts[part].max ? 0 : -EINVAL;
}

int rv_parse_socket(enum rv_socket_part part, const char *text, int *ret)
{
	const struct part *p = &parts[part];
	unsigned int number;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->names[i].name, text) == 0) {
			*ret = p->names[i].number;
			return 0;
		}
	if (rv_parse_number(text, (unsigned int)p->max, &number) < 0)
		return -EINVAL;
	*ret = (int)number;
	return 0;
}

const char *rv_socket_name(enum rv_socket_part part, int number)
{
	const struct part *p = &parts[part];

	for (size_t i = 0; i < p->count; i++)
		if (p->names[i].number == number)
			return p->names[i].name;
	return NULL;
}

const char *rv_socket_expected(enum rv_socket_part part)
{
	return parts[part].expected;
}

void rv_suggest_socket(enum rv_socket_part part, struct rv_suggestion *suggestion)
{
	for (size_t i = 0; i < parts[part].count; i++)
		rv_suggest(suggestion, parts[part].names[i].name);
}
