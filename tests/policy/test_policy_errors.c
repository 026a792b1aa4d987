/* SPDX-License-Identifier: MIT */
/* Every kind of bad policy: the code, the message, the hint. */
#include "policy_util.h"

#define RULE  "[[path_beneath]]\nallowed_access = [\"read_file\"]\n"
#define BELOW "parent = [\"/\"]\n"

struct bad {
	const char *text;
	const char *message; /* as a whole */
	const char *hint;    /* part of it, or NULL */
};

static void check_bad(const char *name, const struct bad *bad)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err = {0};
	int r = reeve_policy_load_text(
		policy, name, bad->text, strlen(bad->text), REEVE_POLICY_AUTO, &err);

	if (r != -EINVAL || strcmp(err.message, bad->message) != 0)
		printf("# %s\n# gives %d: %s\n# not %s\n", bad->text, r, err.message, bad->message);
	CHECK_EQ(r, -EINVAL);
	CHECK_EQ(err.code, -EINVAL);
	CHECK_STR(err.message, bad->message);
	if (bad->hint)
		CHECK(has(err.hint, bad->hint));
	else
		CHECK_STR(err.hint, "");
	reeve_policy_free(policy);
}

static void check_all(const char *name, const struct bad *bad, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_bad(name, &bad[i]);
}
#define CHECK_ALL(name, table) check_all(name, table, sizeof(table) / sizeof((table)[0]))

static void unknown_keys(void)
{
	static const struct bad table[] = {
		{"abbi = 7", "p.toml:1: abbi: unknown key", "did you mean \"abi\"?"},
		{"\n\n[[path_beneth]]\nparent = []", "p.toml:3: path_beneth: unknown key",
			"did you mean \"path_beneath\"?"},
		{RULE "parents = [\"/\"]", "p.toml:3: path_beneath.parents: unknown key",
			"did you mean \"parent\"?"},
		{RULE "zzzzzzz = 1", "p.toml:3: path_beneath.zzzzzzz: unknown key",
			"expected one of allowed_access, parent"},
		{"[[ruleset]]\nhandledAccessFs = [\"execute\"]",
			"p.toml:2: ruleset.handledAccessFs: unknown key",
			"in TOML this key is written \"handled_access_fs\""},
		{"\"a\\u0000b\" = 1", "p.toml:1: a\\x00b: unknown key", NULL},
		{"\"abi\\u0000\" = 1", "p.toml:1: abi\\x00: unknown key", NULL},
		{"\"\\u001b[31m\" = 1", "p.toml:1: \\x1b[31m: unknown key",
			"expected one of abi, extends, "},
	};
	static const struct bad json[] = {
		{"{\"path_beneath\": []}", "p.json:1: path_beneath: unknown key",
			"in JSON this key is written \"pathBeneath\""},
		{"{\n\"netPort\": [{\n\"allowed_access\": [\"bind_tcp\"]}]}",
			"p.json:3: netPort.allowed_access: unknown key",
			"in JSON this key is written \"allowedAccess\""},
	};

	CHECK_ALL("p.toml", table);
	CHECK_ALL("p.json", json);
}

static void wrong_types(void)
{
	static const struct bad table[] = {
		{"abi = \"7\"", "p.toml:1: abi: \"7\": expected an integer", NULL},
		{"abi = 7.5", "p.toml:1: abi: 7.5: expected an integer", NULL},
		{"abi = true", "p.toml:1: abi: true: expected an integer", NULL},
		{"abi = 2026-11-23", "p.toml:1: abi: a date: expected an integer", NULL},
		{"abi = [7]", "p.toml:1: abi: […]: expected an integer", NULL},
		{"tmpdir = 1", "p.toml:1: tmpdir: 1: expected a string", NULL},
		{"extends = \"base\"",
			"p.toml:1: extends: \"base\": expected an array of strings with at least "
			"one element",
			NULL},
		{"extends = [\"base\", 1]", "p.toml:1: extends: 1: expected a string", NULL},
		{"[ruleset]\nscoped = [\"signal\"]",
			"p.toml:1: ruleset: {…}: expected an array of tables with at least one "
			"element",
			"[[ruleset]]"},
		{"ruleset = [1]", "p.toml:1: ruleset: 1: expected a table", NULL},
		{RULE BELOW "live = \"yes\"",
			"p.toml:4: path_beneath.live: \"yes\": expected true or false", NULL},
		{"[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [1.5]",
			"p.toml:3: net_port.port: 1.5: expected a string or an integer", NULL},
		{"[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = 80",
			"p.toml:3: net_port.port: 80: expected an array of strings or integers "
			"with at least one element",
			NULL},
	};

	CHECK_ALL("p.toml", table);
}

static void empty_and_missing(void)
{
	static const struct bad table[] = {
		{"extends = []",
			"p.toml:1: extends: []: expected an array of strings with at least one "
			"element",
			NULL},
		{"ruleset = []",
			"p.toml:1: ruleset: []: expected an array of tables with at least one "
			"element",
			NULL},
		{"\n[[ruleset]]", "p.toml:2: ruleset: expected at least one key", NULL},
		{"[[variable]]\nliteral = [\"a\"]",
			"p.toml:1: variable.name: this key is required: expected a string", NULL},
		{RULE, "p.toml:1: path_beneath: expected the key \"parent\"", NULL},
		{"[[path_beneath]]\n" BELOW,
			"p.toml:1: path_beneath: expected the key \"allowed_access\"", NULL},
		{"[[path_beneath]]\n" BELOW "except = [\"/a\"]",
			"p.toml:1: path_beneath: expected the key \"allowed_access\"", NULL},
		{"[[path_beneath]]\nexcept_access = [\"write_file\"]",
			"p.toml:1: path_beneath: expected the key \"except\", beside "
			"\"except_access\"",
			NULL},
		{"[[net_port]]\nallowed_access = [\"bind_tcp\"]",
			"p.toml:1: net_port: expected the key \"port\"", NULL},
		{"[[quiet]]\naccess = [\"fs.read_file\"]",
			"p.toml:1: quiet: expected the key \"path\" or \"port\"", NULL},
		{"[[quiet]]\npath = [\"/\"]",
			"p.toml:1: quiet.access: this key is required: expected an array of "
			"strings with at least one element",
			NULL},
		{RULE "parent = [\"\"]", "p.toml:3: path_beneath.parent: \"\": expected a path",
			NULL},
		{"extends = [\"\"]",
			"p.toml:1: extends: \"\": expected the name of a profile or file", NULL},
	};

	CHECK_ALL("p.toml", table);
}

static void wrong_values(void)
{
	static const struct bad table[] = {
		{"abi = 0", "p.toml:1: abi: 0: expected an ABI of Landlock from 1 to 12", NULL},
		{"abi = 13", "p.toml:1: abi: 13: expected an ABI of Landlock from 1 to 12",
			"could not restrict them"},
		{"tmpdir = \"public\"", "p.toml:1: tmpdir: \"public\": expected \"private\"", NULL},
		{"inner_landlock = \"yes\"",
			"p.toml:1: inner_landlock: \"yes\": expected \"floor-only\"", NULL},
		{"degrade = [\"trunkate\"]",
			"p.toml:1: degrade: \"trunkate\": expected a feature or right of `reeve "
			"check`",
			NULL},
		{"degrade = [\"fs.trunkate\"]",
			"p.toml:1: degrade: \"fs.trunkate\": expected a feature or right of `reeve "
			"check`",
			"did you mean \"fs.truncate\"?"},
		{"[[ruleset]]\ndeny = [\"memfd\"]",
			"p.toml:2: ruleset.deny: \"memfd\": expected \"execute_memfd\", "
			"\"sysv_ipc\" or \"keyring\"",
			NULL},
		{"[[ruleset]]\nunix_datagram = \"allow\"",
			"p.toml:2: ruleset.unix_datagram: \"allow\": expected \"refuse\" or "
			"\"mediate\"",
			NULL},
		{"[[ruleset]]\nunix_datagram = \"refuse\"\n[[ruleset]]\nunix_datagram = "
		 "\"mediate\"",
			"p.toml:4: ruleset.unix_datagram: \"mediate\": expected what another "
			"[[ruleset]] of this file says",
			NULL},
		{RULE BELOW "missing = \"maybe\"",
			"p.toml:4: path_beneath.missing: \"maybe\": expected \"ignore\" or "
			"\"error\"",
			NULL},
		{"[[variable]]\nname = \"1a\"",
			"p.toml:2: variable.name: \"1a\": expected a name of letters, digits and "
			"_, with a letter first",
			NULL},
		{"[[unix_socket]]\nallowed_access = [\"bind\"]\npath = [\"/a\"]",
			"p.toml:2: unix_socket.allowed_access: \"bind\": expected \"connect\"",
			NULL},
	};

	CHECK_ALL("p.toml", table);
}

static void rights(void)
{
	static const struct bad table[] = {
		{"[[path_beneath]]\nallowed_access = [\"raed_file\"]\n" BELOW,
			"p.toml:2: path_beneath.allowed_access: \"raed_file\": expected a right of "
			"class fs, such as \"execute\"",
			"did you mean \"read_file\"?"},
		{"[[path_beneath]]\nallowed_access = [\n\"read_dir\",\n\"abi.al\"]\n" BELOW,
			"p.toml:4: path_beneath.allowed_access: \"abi.al\": expected a right of "
			"class fs, such as \"execute\"",
			"did you mean \"abi.all\"?"},
		{"[[path_beneath]]\nallowed_access = [\"bind_tcp\"]\n" BELOW,
			"p.toml:2: path_beneath.allowed_access: \"bind_tcp\": expected a right of "
			"class fs, such as \"execute\"",
			NULL},
		{"[[path_beneath]]\nallowed_access = [\"abi.all\"]\n" BELOW,
			"p.toml:2: path_beneath.allowed_access: \"abi.all\": expected \"abi\" to "
			"be set in this file, for a group of rights",
			"add \"abi\""},
		{"abi = 7\n[[ruleset]]\nhandled_access_net = [\"abi.read_write\"]",
			"p.toml:3: ruleset.handled_access_net: \"abi.read_write\": expected a "
			"right of class net, such as \"bind_tcp\"",
			NULL},
		{"abi = 7\n[[ruleset]]\nhandled_socket = [\"abi.all\"]",
			"p.toml:3: ruleset.handled_socket: \"abi.all\": expected a right of class "
			"socket, such as \"create\"",
			NULL},
		{"[[ruleset]]\nhandled_permissions = [\"capability_use\"]",
			"p.toml:2: ruleset.handled_permissions: \"capability_use\": expected "
			"\"socket_create\"",
			NULL},
		{"[[ruleset]]\nscoped = [\"signals\"]",
			"p.toml:2: ruleset.scoped: \"signals\": expected a right of class scope, "
			"such as \"abstract_unix_socket\"",
			"did you mean \"signal\"?"},
		{"[[quiet]]\naccess = [\"net.bind_tcp\"]\npath = [\"/\"]",
			"p.toml:2: quiet.access: \"net.bind_tcp\": expected a right of class fs, "
			"such as \"execute\"",
			NULL},
		{"[[quiet]]\naccess = [\"fs.execute\"]\npath = [\"/\"]\nport = [1]",
			"p.toml:2: quiet.access: […]: expected a right of class net, for the ports",
			NULL},
	};

	CHECK_ALL("p.toml", table);
}

#define PORT  "[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = "
#define WHERE "p.toml:3: net_port.port: "
#define WHAT  ": expected a port from 0 to 65535, or a range like 8000-8100"

static void ports(void)
{
	static const struct bad table[] = {
		{PORT "[70000]", WHERE "70000" WHAT, NULL},
		{PORT "[-1]", WHERE "-1" WHAT, NULL},
		{PORT "[9223372036854775807]", WHERE "9223372036854775807" WHAT, NULL},
		{PORT "[\"70000\"]", WHERE "\"70000\"" WHAT, NULL},
		{PORT "[\"\"]", WHERE "\"\"" WHAT, NULL},
		{PORT "[\"-1\"]", WHERE "\"-1\"" WHAT, NULL},
		{PORT "[\"1-\"]", WHERE "\"1-\"" WHAT, NULL},
		{PORT "[\"2-1\"]", WHERE "\"2-1\"" WHAT, NULL},
		{PORT "[\"1-65536\"]", WHERE "\"1-65536\"" WHAT, NULL},
		{PORT "[\"1-2-3\"]", WHERE "\"1-2-3\"" WHAT, NULL},
		{PORT "[\" 1\"]", WHERE "\" 1\"" WHAT, NULL},
		{PORT "[\"+1\"]", WHERE "\"+1\"" WHAT, NULL},
		{PORT "[\"010\"]", WHERE "\"010\"" WHAT, NULL},
		{PORT "[\"https\"]", WHERE "\"https\"" WHAT, NULL},
		{PORT "[\"123456789-2\"]", WHERE "\"123456789-2\"" WHAT, NULL},
	};

	CHECK_ALL("p.toml", table);
}

#define ADDRESS "[[net_address]]\nallowed_access = [\"connect_tcp\"]\naddress = "
#define IN	"p.toml:3: net_address.address: "
#define FORM                                                                                       \
	": expected ADDRESS:PORT[-PORT], where ADDRESS is public, private, loopback, any, "        \
	"192.0.2.0/24 or [2001:db8::]/32"

static void addresses(void)
{
	static const struct bad table[] = {
		{ADDRESS "[\"public\"]", IN "\"public\"" FORM, NULL},
		{ADDRESS "[\"\"]", IN "\"\"" FORM, NULL},
		{ADDRESS "[\":443\"]", IN "\":443\"" FORM, NULL},
		{ADDRESS "[\"publik:443\"]", IN "\"publik:443\"" FORM, NULL},
		{ADDRESS "[\"public:\"]", IN "\"public:\"" FORM, NULL},
		{ADDRESS "[\"public:70000\"]", IN "\"public:70000\"" FORM, NULL},
		{ADDRESS "[\"example.org:443\"]", IN "\"example.org:443\"" FORM, NULL},
		{ADDRESS "[\"10.0.0.0/33:1\"]",
			IN "\"10.0.0.0/33:1\"" FORM "; the prefix length is wrong", NULL},
		{ADDRESS "[\"10.0.0.1/8:1\"]",
			IN "\"10.0.0.1/8:1\"" FORM "; bits are set beyond the prefix length", NULL},
		{ADDRESS "[\"10.0.0:1\"]", IN "\"10.0.0:1\"" FORM, NULL},
		{ADDRESS "[\"2001:db8::/32:80\"]",
			IN "\"2001:db8::/32:80\"" FORM "; an IPv6 address is written in brackets",
			NULL},
		{ADDRESS "[\"[2001:db8::/32]:80\"]", IN "\"[2001:db8::/32]:80\"" FORM, NULL},
		{ADDRESS "[\"[2001:db8::]/129:80\"]",
			IN "\"[2001:db8::]/129:80\"" FORM "; the prefix length is wrong", NULL},
		{ADDRESS "[\"[::1]x:80\"]", IN "\"[::1]x:80\"" FORM, NULL},
		{ADDRESS "[\"[10.0.0.1]:80\"]", IN "\"[10.0.0.1]:80\"" FORM, NULL},
	};

	CHECK_ALL("p.toml", table);
}

#define SOCKET "[[socket]]\nallowed_access = [\"create\"]\n"

static void sockets(void)
{
	static const struct bad table[] = {
		{SOCKET "family = [\"inet4\"]",
			"p.toml:3: socket.family: \"inet4\": expected a socket family such as "
			"inet, inet6, unix, netlink, or a number from 0 to 254",
			"did you mean \"inet\"?"},
		{SOCKET "family = [\"any\"]",
			"p.toml:3: socket.family: \"any\": expected a socket family such as inet, "
			"inet6, unix, netlink, or a number from 0 to 254",
			NULL},
		{SOCKET "family = [255]",
			"p.toml:3: socket.family: 255: expected a socket family such as inet, "
			"inet6, unix, netlink, or a number from 0 to 254",
			NULL},
		{SOCKET "family = [2]\ntype = [-1]",
			"p.toml:4: socket.type: -1: expected a socket type such as stream, dgram, "
			"raw, seqpacket, any, or a number from 0 to 254",
			NULL},
		{SOCKET "family = [2]\nprotocol = [65535]",
			"p.toml:4: socket.protocol: 65535: expected a protocol such as tcp, udp, "
			"icmp, any, or a number from 0 to 65534",
			NULL},
		{SOCKET "type = [1]", "p.toml:1: socket: expected the key \"family\"", NULL},
	};

	CHECK_ALL("p.toml", table);
}

static void templates(void)
{
	static const char what[] =
		": expected every ${ to be closed, around a name of letters, digits and _, with a "
		"letter first; a literal ${ is written $${";
	static const char *const texts[] = {"${", "${a", "/x/${a/b", "${}", "${1}", "${_a}",
		"${a-b}", "${a b}", "$$${a", "${À}"};
	char text[256], message[512];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct bad bad = {text, message, NULL};

		snprintf(text, sizeof(text), RULE "parent = [\"%s\"]", texts[i]);
		snprintf(message, sizeof(message), "p.toml:3: path_beneath.parent: \"%s\"%s",
			texts[i], what);
		check_bad("p.toml", &bad);
	}
}

static void strings(void)
{
	static const struct bad nul = {RULE "parent = [\"/a\\u0000b\"]",
		"p.toml:3: path_beneath.parent: \"/a\\x00b\": expected a string without a NUL "
		"character",
		NULL};
	char *text = malloc(2 * PATH_MAX);
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;

	check_bad("p.toml", &nul);
	CHECK(text);
	strcpy(text, RULE "parent = [\"");
	memset(text + strlen(text) + 1, 0, 1);
	for (size_t i = 0, at = strlen(text); i < PATH_MAX; i++)
		text[at + i] = 'a', text[at + i + 1] = '\0';
	strcat(text, "\"]");
	CHECK_EQ(reeve_policy_load_text(
			 policy, "p.toml", text, strlen(text), REEVE_POLICY_AUTO, &err),
		-EINVAL);
	CHECK(has(err.message, "p.toml:3: path_beneath.parent: \"aaa"));
	CHECK(has(err.message, "expected less than 4096 bytes, not 4096"));
	reeve_policy_free(policy);
	free(text);
}

/* What the parsers refuse comes with line and column. */
static void syntax(void)
{
	static const struct {
		const char *name, *text, *start;
	} table[] = {
		{"p.toml", "abi = 7\nabi = 7", "p.toml:2:"},
		{"p.toml", "abi = \n", "p.toml:1:"},
		{"p.toml", "tmpdir = \"\\q\"", "p.toml:1:"},
		{"p.toml", "x = \"\xff\"", "p.toml:1:"},
		{"p.json", "{\n\"abi\": 7,\n\"abi\": 7}", "p.json:3:"},
		{"p.json", "[]", "p.json:1:"},
		{"p.json", "", "p.json:"},
		{"p.json", "{\"abi\": null}", "p.json:1:"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct reeve_policy *policy = new_policy();
		struct reeve_error err = {0};

		CHECK_EQ(reeve_policy_load_text(policy, table[i].name, table[i].text,
				 strlen(table[i].text), REEVE_POLICY_AUTO, &err),
			-EINVAL);
		if (strncmp(err.message, table[i].start, strlen(table[i].start)) != 0)
			printf("# %s\n", err.message);
		CHECK(strncmp(err.message, table[i].start, strlen(table[i].start)) == 0);
		reeve_policy_free(policy);
	}
}

/* A name from outside cannot forge a message, nor overflow it. */
static void names(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err = {0};
	char name[3 * PATH_MAX];

	CHECK_EQ(reeve_policy_load_text(
			 policy, "a\x1b[2J\nb", "abbi = 1", 8, REEVE_POLICY_TOML, &err),
		-EINVAL);
	CHECK_STR(err.message, "a\\x1b[2J\\nb:1: abbi: unknown key");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_EQ(reeve_policy_load_text(policy, name, "abbi = 1", 8, REEVE_POLICY_TOML, &err),
		-EINVAL);
	CHECK(has(err.message, "...:1: abbi: unknown key"));
	CHECK_EQ(reeve_policy_load_text(
			 policy, name, RULE BELOW, strlen(RULE BELOW), REEVE_POLICY_TOML, NULL),
		0);
	reeve_policy_free(policy);
}

/* After a failure everything is as before. */
static void transactional(void)
{
	static const char broken[] = "degrade = [\"live\"]\ntmpdir = \"private\"\n[[variable]]\n"
				     "name = \"v\"\nliteral = [\"/x\"]\n" RULE BELOW
				     "[[ruleset]]\nscoped = [\"oops\"]\n";
	struct reeve_policy *policy = new_policy(), *untouched = new_policy();
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	struct reeve_error err;

	load_text(policy, "p.toml", RULE "parent = [\"/a\"]");
	load_text(untouched, "p.toml", RULE "parent = [\"/a\"]");
	CHECK_EQ(reeve_policy_load_text(
			 policy, "q.toml", broken, strlen(broken), REEVE_POLICY_AUTO, &err),
		-EINVAL);
	check_same(resolve(policy), resolve(untouched));
	CHECK(!reeve_policy_degraded_at(policy, 0));
	reeve_policy_settings(policy, &settings);
	CHECK(!settings.private_tmpdir);
	reeve_policy_free(policy);
	reeve_policy_free(untouched);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"unknown keys are named, with the nearest", unknown_keys},
		{"wrong types", wrong_types},
		{"empty arrays, missing keys", empty_and_missing},
		{"wrong values", wrong_values},
		{"rights and groups", rights},
		{"ports", ports},
		{"addresses", addresses},
		{"sockets", sockets},
		{"templates", templates},
		{"NUL and length of strings", strings},
		{"syntax errors have a place", syntax},
		{"names from outside are escaped and cut", names},
		{"a failed load changes nothing", transactional},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
