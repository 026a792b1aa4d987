/* SPDX-License-Identifier: MIT */
/* What unit files say of the network: socket families, ports, addresses. Each is a list that
 * several directives make, so the rules come in the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "import_systemd.h"

/* ------------------------------------------------------------------------ families */

static const struct {
	const char *name;
	int number;
} families[] = {{"AF_UNIX", AF_UNIX}, {"AF_LOCAL", AF_UNIX}, {"AF_INET", AF_INET},
	{"AF_INET6", AF_INET6}, {"AF_NETLINK", AF_NETLINK}, {"AF_PACKET", AF_PACKET},
	{"AF_AX25", AF_AX25}, {"AF_IPX", AF_IPX}, {"AF_APPLETALK", AF_APPLETALK},
	{"AF_NETROM", AF_NETROM}, {"AF_BRIDGE", AF_BRIDGE}, {"AF_ATMPVC", AF_ATMPVC},
	{"AF_X25", AF_X25}, {"AF_ROSE", AF_ROSE}, {"AF_NETBEUI", AF_NETBEUI},
	{"AF_SECURITY", AF_SECURITY}, {"AF_KEY", AF_KEY}, {"AF_ASH", AF_ASH},
	{"AF_ECONET", AF_ECONET}, {"AF_ATMSVC", AF_ATMSVC}, {"AF_RDS", AF_RDS},
	{"AF_IRDA", AF_IRDA}, {"AF_PPPOX", AF_PPPOX}, {"AF_WANPIPE", AF_WANPIPE},
	{"AF_LLC", AF_LLC}, {"AF_IB", AF_IB}, {"AF_MPLS", AF_MPLS}, {"AF_CAN", AF_CAN},
	{"AF_TIPC", AF_TIPC}, {"AF_BLUETOOTH", AF_BLUETOOTH}, {"AF_IUCV", AF_IUCV},
	{"AF_RXRPC", AF_RXRPC}, {"AF_ISDN", AF_ISDN}, {"AF_PHONET", AF_PHONET},
	{"AF_IEEE802154", AF_IEEE802154}, {"AF_CAIF", AF_CAIF}, {"AF_ALG", AF_ALG},
	{"AF_NFC", AF_NFC}, {"AF_VSOCK", AF_VSOCK}, {"AF_KCM", AF_KCM}, {"AF_QIPCRTR", 42},
	{"AF_SMC", 43}, {"AF_XDP", 44}, {"AF_MCTP", 45}};

static int set_family(
	struct unit *unit, const struct unit_setting *setting, const char *word, bool allowed)
{
	for (size_t i = 0; i < CLI_COUNT(families); i++)
		if (strcmp(families[i].name, word) == 0) {
			unit->families[families[i].number] = allowed;
			return 0;
		}
	return cli_unit_wrong(setting, "names of socket families, such as AF_INET, or none");
}

static int allow_family(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	return strcmp(word, "none") == 0 ? 0 : set_family(unit, setting, word, true);
}

static int deny_family(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	word += word[0] == '~';
	return *word ? set_family(unit, setting, word, false) : 0;
}

/* The first says whether the list begins empty or full. */
int cli_unit_families(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	bool denies = setting->value[0] == '~';

	(void)directive;
	if (!unit->families_said)
		for (int i = 0; i < UNIT_FAMILIES; i++)
			unit->families[i] = denies;
	if (!unit->families_said)
		unit->family_origin = cli_import_text(unit->import, "%s", setting->origin);
	unit->families_said = true;
	return cli_unit_words(unit, setting, denies ? deny_family : allow_family);
}

/* --------------------------------------------------------------------------- ports */

static bool parse_ports(const char *text, unsigned int *first, unsigned int *last)
{
	unsigned long a, b;
	char *end;

	if (strcmp(text, "any") == 0) {
		*first = 0;
		*last = 65535;
		return true;
	}
	errno = 0;
	a = b = strtoul(text, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		b = strtoul(end + 1, &end, 10);
	*first = (unsigned int)a;
	*last = (unsigned int)b;
	return *text >= '0' && *text <= '9' && !*end && !errno && a <= b && b <= 65535 && a > 0;
}

static void mark(struct cli_port_set *set, bool allow, unsigned int first, unsigned int last)
{
	for (unsigned int port = first; port <= last; port++)
		(allow ? set->allowed : set->denied)[port] = true;
}

/* One part of [FAMILY:][PROTOCOL:]PORTS in front of a colon; false: it is none. */
static bool take_part(const char *part, bool *family, bool *tcp, bool *udp)
{
	if (strcmp(part, "ipv4") == 0 || strcmp(part, "ipv6") == 0)
		*family = true;
	else if (strcmp(part, "tcp") == 0)
		*udp = false;
	else if (strcmp(part, "udp") == 0)
		*tcp = false;
	else
		return false;
	return true;
}

static int add_ports(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	bool allow = strcmp(setting->name, "SocketBindAllow") == 0;
	bool family = false, tcp = true, udp = true;
	cli_autofree char *copy = cli_import_text(unit->import, "%s", word);
	char *rest = copy, *part;
	unsigned int first = 0, last = 65535;
	bool good = copy != NULL;

	while (good && (part = strsep(&rest, ":")))
		good = take_part(part, &family, &tcp, &udp) ||
		       (!rest && parse_ports(part, &first, &last));
	if (copy && !good)
		return cli_unit_wrong(setting, "[ipv4:|ipv6:][tcp:|udp:]PORT[-PORT], or any");
	if (family)
		cli_unit_note(unit, allow ? CLI_IMPORT_NONE : CLI_IMPORT_DIFFERS, setting,
			allow ? "ports are allowed for both versions of IP or none: not allowed"
			      : "denied for both versions of IP");
	if (family && allow)
		return 0;
	if (tcp)
		mark(&unit->tcp, allow, first, last);
	if (udp)
		mark(&unit->udp, allow, first, last);
	return 0;
}

int cli_unit_ports(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	char *longer =
		cli_import_text(unit->import, "%s%s%s", unit->port_origin ? unit->port_origin : "",
			unit->port_origin ? "; " : "", setting->origin);

	(void)directive;
	free(unit->port_origin);
	unit->port_origin = longer;
	unit->ports_said = unit->ports_said || strcmp(setting->name, "SocketBindDeny") == 0;
	return cli_unit_words(unit, setting, add_ports);
}

/* ----------------------------------------------------------------------- addresses */

static int add_address(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	bool allow = strcmp(setting->name, "IPAddressAllow") == 0;
	struct cli_prefix found[2], *prefixes;
	size_t count = cli_import_prefixes(word, allow, found);

	if (!count)
		return cli_unit_wrong(setting,
			"IP addresses, prefixes, any, localhost, link-local or "
			"multicast");
	prefixes = reallocarray(unit->prefixes, unit->prefix_count + count, sizeof(*prefixes));
	if (!prefixes) {
		unit->import->failed = true;
		return 0;
	}
	unit->prefixes = prefixes;
	memcpy(prefixes + unit->prefix_count, found, count * sizeof(*prefixes));
	unit->prefix_count += count;
	return 0;
}

int cli_unit_addresses(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	char *longer = cli_import_text(unit->import, "%s%s%s",
		unit->prefix_origin ? unit->prefix_origin : "", unit->prefix_origin ? "; " : "",
		setting->origin);

	(void)directive;
	free(unit->prefix_origin);
	unit->prefix_origin = longer;
	return cli_unit_words(unit, setting, add_address);
}

static bool any_denied(const struct unit *unit)
{
	for (size_t i = 0; i < unit->prefix_count; i++)
		if (!unit->prefixes[i].allow)
			return true;
	return false;
}

void cli_unit_finish_network(struct unit *unit)
{
	struct cli_import *import = unit->import;

	if (unit->no_network)
		cli_import_no_network(import, !unit->families_said || unit->families[AF_UNIX],
			!unit->families_said || unit->families[AF_NETLINK], unit->no_network);
	if (unit->families_said)
		import->handled.of[REEVE_SOCKET] |= REEVE_SOCKET_CREATE;
	for (int i = 1; unit->families_said && !unit->no_network && i < UNIT_FAMILIES; i++)
		if (unit->families[i])
			cli_import_family(import, i, unit->family_origin);
	if (unit->ports_said) {
		cli_import_port_set(import, &unit->tcp, REEVE_NET_BIND_TCP, unit->port_origin);
		cli_import_port_set(import, &unit->udp, REEVE_NET_BIND_UDP, unit->port_origin);
	}
	if (!any_denied(unit))
		return;
	cli_import_addresses(import, unit->prefixes, unit->prefix_count, unit->prefix_origin);
	cli_import_note(import, CLI_IMPORT_DIFFERS, unit->prefix_origin, "addresses",
		"what the service connects and sends to is restricted, not who connects to it, "
		"nor protocols other than TCP and UDP");
}
