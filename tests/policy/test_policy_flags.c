/* SPDX-License-Identifier: MIT */
/* Rule flags: what each adds, what none takes, and that they only widen. */
#include "policy_util.h"

static const char everything[] =
	"abi = 12\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\nhandled_access_net = "
	"[\"abi.all\"]\nhandled_socket = [\"create\"]\nscoped = [\"abi.all\", "
	"\"pathname_unix_socket\"]\n";

#define UDP (REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP)

static void flag(struct reeve_policy *policy, const char *name, const char *value)
{
	struct reeve_error err = {0};

	check_ok(reeve_policy_add_flag(policy, name, value, &err), &err);
}

/* The first rule that a flag adds to a policy that handles everything. */
static struct reeve_policy *first_rule(const char *name, const char *value, struct reeve_rule *ret)
{
	struct reeve_policy *policy = new_policy();

	load_text(policy, "all.toml", everything);
	flag(policy, name, value);
	CHECK_EQ(reeve_ruleset_at(resolve(policy), 0, ret), 0);
	return policy;
}

static void paths(void)
{
	const uint64_t read = REEVE_FS_READ_FILE | REEVE_FS_READ_DIR;
	const uint64_t most = reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX) &
			      ~(REEVE_FS_RESOLVE_UNIX | REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK);
	const struct {
		const char *name;
		enum reeve_rule_type type;
		unsigned int flags;
		uint64_t allowed;
	} table[] = {
		{"--ro", REEVE_RULE_PATH_BENEATH, 0, read},
		{"--rx", REEVE_RULE_PATH_BENEATH, 0, read | REEVE_FS_EXECUTE},
		{"--rox", REEVE_RULE_PATH_BENEATH, 0, read | REEVE_FS_EXECUTE},
		{"--rw", REEVE_RULE_PATH_BENEATH, 0, most & ~REEVE_FS_EXECUTE},
		{"--rwx", REEVE_RULE_PATH_BENEATH, 0, most},
		{"--deny", REEVE_RULE_PATH_BENEATH, REEVE_RULE_DENY, 0},
		{"--unix", REEVE_RULE_UNIX_SOCKET, 0, REEVE_FS_RESOLVE_UNIX},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_rule rule;
		struct reeve_policy *policy = first_rule(table[i].name, "sub/x", &rule);
		char origin[64];

		snprintf(origin, sizeof(origin), "%s sub/x", table[i].name);
		CHECK_EQ(rule.type, table[i].type);
		CHECK_EQ(rule.flags, table[i].flags);
		CHECK_EQ(rule.allowed, table[i].allowed);
		CHECK_STR(rule.path, "/work-dir/sub/x");
		CHECK_STR(rule.origin, origin);
		CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)), 1);
		reeve_policy_free(policy);
	}
}

/* A port brings the sockets that it takes. */
static void ports(void)
{
	static const struct {
		const char *name, *value;
		enum reeve_rule_type type;
		uint64_t allowed;
		int first, last;
		const char *address;
		int socket_type, protocol;
		size_t more; /* before the sockets */
	} table[] = {
		{"--connect-tcp", "443", REEVE_RULE_NET_PORT, REEVE_NET_CONNECT_TCP, 443, 443, NULL,
			1, 6},
		{"--bind-tcp", "0-1023", REEVE_RULE_NET_PORT, REEVE_NET_BIND_TCP, 0, 1023, NULL, 1,
			6},
		{"--connect-udp", "53", REEVE_RULE_NET_PORT, REEVE_NET_CONNECT_SEND_UDP, 53, 53,
			NULL, 2, 17, 1},
		{"--bind-udp", "65535", REEVE_RULE_NET_PORT, REEVE_NET_BIND_UDP, 65535, 65535, NULL,
			2, 17},
		{"--connect-tcp", "public:443", REEVE_RULE_NET_ADDRESS, REEVE_NET_CONNECT_TCP, 443,
			443, "public", 1, 6},
		{"--bind-tcp", "[2001:db8::]/32:80-90", REEVE_RULE_NET_ADDRESS, REEVE_NET_BIND_TCP,
			80, 90, "2001:db8::/32", 1, 6},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_rule rule;
		struct reeve_policy *policy = first_rule(table[i].name, table[i].value, &rule);

		CHECK_EQ(rule.type, table[i].type);
		CHECK_EQ(rule.allowed, table[i].allowed);
		CHECK_EQ(rule.port_first, table[i].first);
		CHECK_EQ(rule.port_last, table[i].last);
		if (table[i].address)
			CHECK_STR(rule.address, table[i].address);
		for (size_t k = 0; k < 4; k++) {
			size_t at = 1 + table[i].more + k;

			CHECK_EQ(reeve_ruleset_at(reeve_policy_ruleset(policy), at, &rule), 0);
			CHECK_EQ(rule.type, REEVE_RULE_SOCKET);
			CHECK_EQ(rule.socket_family, k < 2 ? 2 : 10);
			CHECK_EQ(rule.socket_type, table[i].socket_type);
			CHECK_EQ(rule.socket_protocol, k % 2 ? table[i].protocol : 0);
		}
		CHECK_EQ(reeve_ruleset_count(reeve_policy_ruleset(policy)), 5 + table[i].more);
		reeve_policy_free(policy);
	}
}

/*
 * Sockets that are there for one port of UDP are for no other, and may be bound to what the kernel
 * chooses. What could do all of UDP before still can.
 */
static void udp(void)
{
	static const char sockets[] = "abi = 7\n[[ruleset]]\nhandled_socket = [\"create\"]\n";
	static const char open[] = "[[socket]]\nallowed_access = [\"create\"]\n"
				   "family = [\"inet\"]\ntype = [\"dgram\"]\n";
	static const struct {
		const char *text[2], *flags[2];
		uint64_t handled;
	} table[] = {{{sockets, ""}, {"--connect-udp"}, UDP}, {{sockets, ""}, {"--bind-udp"}, UDP},
		{{sockets, ""}, {"--connect-tcp"}, 0}, {{sockets, open}, {"--connect-udp"}, 0},
		{{sockets, ""}, {"--connect-udp", "--net"}, 0},
		{{"abi = 7\n[[ruleset]]\nscoped = [\"signal\"]\n", ""}, {"--connect-udp"}, 0}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_policy *policy = new_policy();
		const struct reeve_ruleset *ruleset;
		struct reeve_rights rights;
		char text[512];

		snprintf(text, sizeof(text), "%s%s", table[i].text[0], table[i].text[1]);
		load_text(policy, "udp.toml", text);
		flag(policy, table[i].flags[0], "53");
		if (table[i].flags[1])
			flag(policy, table[i].flags[1], NULL);
		ruleset = resolve(policy);
		reeve_ruleset_handled(ruleset, &rights);
		CHECK_EQ(rights.of[REEVE_NET], table[i].handled);
		if (i == 0) {
			CHECK_EQ(allowed_on(ruleset, REEVE_RULE_NET_PORT, NULL, 53),
				REEVE_NET_CONNECT_SEND_UDP);
			CHECK_EQ(allowed_on(ruleset, REEVE_RULE_NET_PORT, NULL, 0),
				REEVE_NET_BIND_UDP);
		}
		reeve_policy_free(policy);
	}
}

static void sockets(void)
{
	static const struct {
		const char *value;
		int family, type, protocol;
	} table[] = {{"inet", 2, -1, -1}, {"unix:stream", 1, 1, -1},
		{"inet6:raw:icmpv6", 10, 3, 58}, {"16:3:0", 16, 3, 0},
		{"vsock:any:any", 40, -1, -1}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_rule rule;
		struct reeve_policy *policy = first_rule("--socket", table[i].value, &rule);

		CHECK_EQ(rule.type, REEVE_RULE_SOCKET);
		CHECK_EQ(rule.socket_family, table[i].family);
		CHECK_EQ(rule.socket_type, table[i].type);
		CHECK_EQ(rule.socket_protocol, table[i].protocol);
		reeve_policy_free(policy);
	}
}

/* --socket and --scope restrict; the others do not. */
static void handled(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_rights rights;
	struct reeve_error err;

	flag(policy, "--ro", "/");
	flag(policy, "--connect-tcp", "1");
	flag(policy, "--deny", "/x");
	flag(policy, "--unix", "/x");
	flag(policy, "--net", NULL);
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	flag(policy, "--scope", "signal,abstract_unix_socket");
	flag(policy, "--socket", "netlink");
	reeve_ruleset_handled(resolve(policy), &rights);
	CHECK_EQ(rights.of[REEVE_FS], 0);
	CHECK_EQ(rights.of[REEVE_NET], 0);
	CHECK_EQ(rights.of[REEVE_SOCKET], REEVE_SOCKET_CREATE);
	CHECK_EQ(rights.of[REEVE_SCOPE], REEVE_SCOPE_ABSTRACT_UNIX_SOCKET | REEVE_SCOPE_SIGNAL);
	reeve_policy_free(policy);
}

struct heard {
	int count;
	char last[256];
};

static void hear(void *data, enum reeve_log_level level, const char *message)
{
	struct heard *heard = data;

	CHECK_EQ(level, REEVE_LOG_WARNING);
	heard->count++;
	snprintf(heard->last, sizeof(heard->last), "%s", message);
}

static void no_effect(void)
{
	struct reeve_policy *policy = new_policy();
	struct heard heard = {0};
	const struct reeve_log log = {hear, &heard};

	load_text(policy, "p.toml",
		"[[ruleset]]\nhandled_access_fs = [\"write_file\"]\nscoped = [\"signal\"]\n");
	reeve_policy_set_log(policy, &log);
	flag(policy, "--rw", "/"); /* one right of it is handled */
	CHECK_EQ(
		allowed_on(resolve(policy), REEVE_RULE_PATH_BENEATH, "/", -1), REEVE_FS_WRITE_FILE);
	CHECK_EQ(heard.count, 0);
	flag(policy, "--ro", "/");
	CHECK_EQ(reeve_ruleset_count(resolve(policy)), 1);
	CHECK_EQ(heard.count, 1);
	CHECK_STR(heard.last,
		"--ro /: has no effect: the policy does not restrict this, so it is allowed");
	flag(policy, "--connect-tcp", "80"); /* one warning, not five */
	resolve(policy);
	CHECK_EQ(heard.count, 3);
	flag(policy, "--net",
		NULL); /* several rules: whoever wants them all need not hear of each */
	resolve(policy);
	CHECK_EQ(heard.count, 5);
	reeve_policy_free(policy);
}

/* What workspace-net says beside extending workspace. */
static void net(void)
{
	struct reeve_policy *policy = new_policy();
	const struct reeve_ruleset *ruleset;
	struct reeve_rights before, after;
	struct reeve_rule rule;
	int addresses = 0;

	CHECK_EQ(unsetenv("XDG_CONFIG_HOME"), 0);
	CHECK_EQ(setenv("HOME", "/nowhere", 1), 0);
	load_text(policy, "all.toml", everything);
	reeve_ruleset_handled(resolve(policy), &before);
	flag(policy, "--net", NULL);
	ruleset = resolve(policy);
	reeve_ruleset_handled(ruleset, &after);
	CHECK(memcmp(&before, &after, sizeof(after)) == 0);
	CHECK_EQ(allowed_on(ruleset, REEVE_RULE_PATH_BENEATH, "/usr", -1), 0);
	CHECK_EQ(allowed_on(ruleset, REEVE_RULE_NET_PORT, NULL, 53), REEVE_NET_CONNECT_TCP);
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		addresses += rule.type == REEVE_RULE_NET_ADDRESS;
	CHECK_EQ(addresses, 2);
	reeve_policy_free(policy);
}

static const struct {
	const char *name, *value;
	int code;
	const char *message, *hint;
} bad[] = {
	{"--rp", "/", -ENOENT, "--rp: no such rule flag", "did you mean \"--ro\"?"},
	{"", "/", -ENOENT, ": no such rule flag", ""},
	{"--ro", NULL, -EINVAL, "--ro: expected PATH", ""},
	{"--net", "x", -EINVAL, "--net: expected no value, not \"x\"", ""},
	{"--ro", "", -EINVAL, "--ro \"\": expected a path", ""},
	{"--deny", "execute_memfd", -EINVAL, "--deny \"execute_memfd\": expected a path",
		"deny = [\"execute_memfd\"] in a policy file denies that; ./execute_memfd is the "
		"path"},
	{"--rw", "${", -EINVAL,
		"--rw \"${\": expected every ${ to be closed, around a name of letters, "
		"digits and _, with a letter first; a literal ${ is written $${",
		""},
	{"--connect-tcp", "70000", -EINVAL,
		"--connect-tcp \"70000\": expected a port from 0 to 65535, or a range like "
		"8000-8100",
		""},
	{"--bind-udp", "", -EINVAL,
		"--bind-udp \"\": expected a port from 0 to 65535, or a range like "
		"8000-8100",
		""},
	{"--connect-tcp", "::1:80", -EINVAL,
		"--connect-tcp \"::1:80\": expected ADDRESS:PORT[-PORT], where ADDRESS is "
		"public, private, loopback, any, 192.0.2.0/24 or [2001:db8::]/32",
		"an IPv6 address is written in brackets"},
	{"--connect-tcp", "public:443:1", -EINVAL,
		"--connect-tcp \"public:443:1\": expected ADDRESS:PORT[-PORT], where "
		"ADDRESS is public, private, loopback, any, 192.0.2.0/24 or "
		"[2001:db8::]/32",
		"an IPv6 address is written in brackets"},
	{"--socket", "inet:straem", -EINVAL,
		"--socket \"inet:straem\": expected a socket type such as stream, dgram, "
		"raw, seqpacket, any, or a number from 0 to 254",
		"did you mean \"stream\"?"},
	{"--socket", "inet:1:2:3", -EINVAL,
		"--socket \"inet:1:2:3\": expected FAMILY[:TYPE[:PROTOCOL]]", ""},
	{"--socket", "any", -EINVAL,
		"--socket \"any\": expected a socket family such as inet, inet6, unix, "
		"netlink, or a number from 0 to 254",
		""},
	{"--socket", "inet:", -EINVAL,
		"--socket \"inet:\": expected a socket type such as stream, dgram, raw, "
		"seqpacket, any, or a number from 0 to 254",
		""},
	{"--scope", "signal,sginal", -EINVAL,
		"--scope \"signal,sginal\": expected a comma-separated list of "
		"abstract_unix_socket, signal, pathname_unix_socket",
		"did you mean \"signal\"?"},
	{"--scope", "signal,", -EINVAL,
		"--scope \"signal,\": expected a comma-separated list of "
		"abstract_unix_socket, signal, pathname_unix_socket",
		""},
	{"--scope", "abi.all", -EINVAL,
		"--scope \"abi.all\": expected a comma-separated list of "
		"abstract_unix_socket, signal, pathname_unix_socket",
		""},
};

static void bad_values(void)
{
	char longer[PATH_MAX + 1];
	struct reeve_error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reeve_policy *policy = new_policy();

		CHECK_EQ(reeve_policy_add_flag(policy, bad[i].name, bad[i].value, &err),
			bad[i].code);
		CHECK_STR(err.message, bad[i].message);
		CHECK_STR(err.hint, bad[i].hint);
		CHECK_EQ(reeve_policy_resolve(policy, NULL, NULL), -EINVAL); /* nothing stayed */
		reeve_policy_free(policy);
	}
	memset(longer, 'a', PATH_MAX);
	longer[PATH_MAX] = '\0';
	{
		struct reeve_policy *policy = new_policy();

		CHECK_EQ(reeve_policy_add_flag(policy, "--ro", longer, &err), -ENAMETOOLONG);
		reeve_policy_free(policy);
	}
}

/* Every flag has its help, and is found by its name. */
static void listed(void)
{
	const struct reeve_rule_flag *row;
	size_t count = 0;
	struct reeve_error err;

	for (; (row = reeve_rule_flag_at(count)); count++) {
		struct reeve_policy *policy = new_policy();

		CHECK(strncmp(row->name, "--", 2) == 0);
		CHECK(strlen(row->does) > 5);
		CHECK(reeve_policy_add_flag(policy, row->name, row->argument ? NULL : "x", &err) ==
			-EINVAL);
		reeve_policy_free(policy);
	}
	CHECK_EQ(count, 14);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"paths", paths},
		{"ports bring sockets", ports},
		{"a port of UDP is not all of UDP", udp},
		{"sockets", sockets},
		{"flags widen, but for --socket and --scope", handled},
		{"a flag without effect is a warning", no_effect},
		{"--net", net},
		{"values that flags do not take", bad_values},
		{"the table of flags", listed},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
