/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "policy/values.h"

int rv_parse_number(const char *text, unsigned int max, unsigned int *ret)
{
	unsigned int number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(unsigned char)*text - '0';

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*ret = number;
	return 0;
}

/* ------------------------------------------------------------------ rights */

static const char *const groups[] = {"abi.all", "abi.read_execute", "abi.read_write"};

int rv_parse_right(enum reeve_class cls, const char *name, int abi, uint64_t *ret)
{
	const struct reeve_right_info *info;

	if (strncmp(name, "abi.", 4) == 0) {
		uint64_t bits;

		/* No released ABI has socket rights: a group would silently handle nothing. */
		if (cls == REEVE_SOCKET || reeve_rights_group(cls, name, REEVE_ABI_MAX, &bits) < 0)
			return -EINVAL;
		return abi ? reeve_rights_group(cls, name, abi, ret) : -ENODATA;
	}
	info = reeve_right_find(strchr(name, '.') ? REEVE_CLASS_COUNT : cls, name);
	if (!info || info->cls != cls)
		return -EINVAL;
	*ret = info->bit;
	return 0;
}

void rv_suggest_right(enum reeve_class cls, struct rv_suggestion *suggestion)
{
	bool full = strchr(suggestion->word, '.');
	const struct reeve_right_info *info;
	uint64_t bits;

	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == cls)
			rv_suggest(suggestion, full ? info->full_name : info->name);
	for (size_t i = 0; cls != REEVE_SOCKET && i < RV_COUNT(groups); i++)
		if (reeve_rights_group(cls, groups[i], REEVE_ABI_MAX, &bits) == 0)
			rv_suggest(suggestion, groups[i]);
}

/* ------------------------------------------------------- ports and addresses */

int rv_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	const char *dash = strchr(text, '-');
	unsigned int first, last;
	char buf[8];

	if (!dash) {
		if (rv_parse_number(text, UINT16_MAX, &first) < 0)
			return -EINVAL;
		last = first;
	} else {
		if ((size_t)(dash - text) >= sizeof(buf))
			return -EINVAL;
		memcpy(buf, text, (size_t)(dash - text));
		buf[dash - text] = '\0';
		if (rv_parse_number(buf, UINT16_MAX, &first) < 0 ||
			rv_parse_number(dash + 1, UINT16_MAX, &last) < 0 || first > last)
			return -EINVAL;
	}
	*ret_first = (uint16_t)first;
	*ret_last = (uint16_t)last;
	return 0;
}

static bool has_host_bits(const unsigned char *bytes, size_t size, unsigned int prefix)
{
	for (unsigned int bit = prefix; bit < size * 8; bit++)
		if (bytes[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

/* `prefix` is the text after the slash, or NULL. */
static int parse_ip(int family, const char *host, const char *prefix, char *ret, const char **why)
{
	size_t size = family == AF_INET ? 4 : 16;
	unsigned int bits = (unsigned int)size * 8;
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (inet_pton(family, host, bytes) != 1)
		return -EINVAL;
	if (prefix && rv_parse_number(prefix, bits, &bits) < 0) {
		*why = "the prefix length is wrong";
		return -EINVAL;
	}
	if (has_host_bits(bytes, size, bits)) {
		*why = "bits are set beyond the prefix length";
		return -EINVAL;
	}
	inet_ntop(family, bytes, text, sizeof(text));
	snprintf(ret, RV_ADDRESS_SIZE, "%s/%u", text, bits);
	return 0;
}

/* `text` is changed. */
static int parse_address(char *text, char *ret, const char **why)
{
	static const char *const names[] = {"public", "private", "loopback", "any"};
	char *slash, *bracket;

	for (size_t i = 0; i < RV_COUNT(names); i++)
		if (strcmp(text, names[i]) == 0) {
			strcpy(ret, names[i]);
			return 0;
		}
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (text[0] != '[')
		return parse_ip(AF_INET, text, slash, ret, why);
	bracket = strchr(text, ']');
	if (!bracket || bracket[1])
		return -EINVAL;
	*bracket = '\0';
	return parse_ip(AF_INET6, text + 1, slash, ret, why);
}

int rv_parse_endpoint(const char *text, char ret_address[RV_ADDRESS_SIZE], uint16_t *ret_first,
	uint16_t *ret_last, const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	char address[RV_ADDRESS_SIZE], parsed[RV_ADDRESS_SIZE];
	int r;

	*ret_why = NULL;
	if (!colon || (size_t)(colon - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(colon - text));
	address[colon - text] = '\0';
	if (address[0] != '[' && strchr(address, ':')) {
		*ret_why = "an IPv6 address is written in brackets";
		return -EINVAL;
	}
	r = parse_address(address, parsed, ret_why);
	if (r < 0)
		return r;
	r = rv_parse_ports(colon + 1, ret_first, ret_last);
	if (r == 0)
		strcpy(ret_address, parsed);
	return r;
}
