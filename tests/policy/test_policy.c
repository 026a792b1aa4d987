/* SPDX-License-Identifier: MIT */
/* What a good policy means: landlockconfig's format in both notations, composition, our keys. */
#include "policy_util.h"

#define PATH(ruleset, path) allowed_on(ruleset, REEVE_RULE_PATH_BENEATH, path, -1)
#define PORT(ruleset, port) allowed_on(ruleset, REEVE_RULE_NET_PORT, NULL, port)

static struct reeve_policy *load_one(const char *name, const char *text)
{
	struct reeve_policy *policy = new_policy();

	load_text(policy, name, text);
	return policy;
}

/* ------------------------------------------------------------ landlockconfig */

static const char tools_toml[] =
	"abi = 5\n"
	"[[variable]]\nname = \"rw\"\nliteral = [\"/tmp\", \"/var/tmp\"]\n"
	"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\n"
	"parent = [\"/usr\", \"/opt/${rw}\"]\n"
	"[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\n"
	"parent = [\"${rw}\"]\n"
	"[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [8080, 0]\n";

static const char tools_json[] =
	"{\"netPort\": [{\"port\": [0, 8080], \"allowedAccess\": [\"bind_tcp\"]}],\n"
	"\"pathBeneath\": [{\"parent\": [\"${rw}\"], \"allowedAccess\": [\"abi.read_write\"]},\n"
	" {\"allowedAccess\": [\"abi.read_execute\"], \"parent\": [\"/usr\", \"/opt/${rw}\"]}],\n"
	"\"variable\": [{\"name\": \"rw\", \"literal\": [\"/var/tmp\", \"/tmp\"]}], \"abi\": 5}";

static void both_notations(void)
{
	struct reeve_policy *toml = load_one("p.toml", tools_toml);
	struct reeve_policy *json = load_one("p.json", tools_json);
	const struct reeve_ruleset *ruleset = resolve(toml);
	struct reeve_rights handled;

	check_same(ruleset, resolve(json));
	reeve_ruleset_handled(ruleset, &handled);
	CHECK_EQ(handled.of[REEVE_FS], reeve_rights_of_abi(REEVE_FS, 5));
	CHECK_EQ(handled.of[REEVE_NET], REEVE_NET_BIND_TCP);
	CHECK_EQ(handled.of[REEVE_SCOPE], 0);
	CHECK_EQ(PATH(ruleset, "/usr"),
		REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE | REEVE_FS_REFER);
	CHECK_EQ(PATH(ruleset, "/opt/var/tmp"), PATH(ruleset, "/usr"));
	CHECK_EQ(PATH(ruleset, "/tmp"), reeve_rights_of_abi(REEVE_FS, 5) & ~REEVE_FS_EXECUTE);
	CHECK_EQ(PORT(ruleset, 8080), REEVE_NET_BIND_TCP);
	CHECK_EQ(PORT(ruleset, 0), REEVE_NET_BIND_TCP);
	CHECK_EQ(PORT(ruleset, 1), 0);
	reeve_policy_free(toml);
	reeve_policy_free(json);
}

/* Several tables add up; every group in every class; old ABIs have less. */
static void rulesets_and_groups(void)
{
	struct reeve_policy *policy = load_one("p.toml",
		"abi = 1\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
		"handled_access_net = [\"abi.all\"]\nscoped = [\"abi.all\"]\n"
		"[[ruleset]]\nhandled_access_fs = [\"truncate\", \"fs.refer\"]\n"
		"scoped = [\"signal\", \"signal\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\nparent = [\"/a\"]\n");
	struct reeve_rights handled;

	reeve_ruleset_handled(resolve(policy), &handled);
	CHECK_EQ(handled.of[REEVE_FS],
		reeve_rights_of_abi(REEVE_FS, 1) | REEVE_FS_TRUNCATE | REEVE_FS_REFER);
	CHECK_EQ(handled.of[REEVE_NET], 0);
	CHECK_EQ(handled.of[REEVE_SCOPE], REEVE_SCOPE_SIGNAL);
	CHECK_EQ(PATH(reeve_policy_ruleset(policy), "/a"),
		REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE);
	reeve_policy_free(policy);
}

/* Loads texts in this order, twice over, and back: the result must not differ. */
static void check_composition(const char *first, const char *second, const char *expected)
{
	const char *const orders[][4] = {{first, second}, {second, first},
		{first, second, first, second}, {second, second, first, first}};
	struct reeve_policy *policy, *wanted = load_one("wanted.toml", expected);

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		policy = new_policy();
		for (size_t k = 0; k < 4 && orders[i][k]; k++)
			load_text(policy, "p.toml", orders[i][k]);
		check_same(resolve(policy), resolve(wanted));
		reeve_policy_free(policy);
	}
	reeve_policy_free(wanted);
}

static void composition(void)
{
	check_composition(
		"abi = 5\n[[variable]]\nname = \"rw\"\nliteral = [\"/tmp\", \"/var/tmp\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\nparent = [\"/usr\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\nparent = [\"${rw}\"]\n",
		"abi = 4\n[[variable]]\nname = \"rw\"\nliteral = [\"/srv/tmp\"]\n"
		"[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\nparent = "
		"[\"/srv/b\"]\n",
		"abi = 4\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_execute\"]\n"
		"parent = [\"/usr\", \"/srv/b\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\n"
		"parent = [\"/tmp\", \"/var/tmp\", \"/srv/tmp\"]\n");
	/* What one of them does not handle is gone, with the rules that only grant it. */
	check_composition(
		"[[ruleset]]\nhandled_access_fs = [\"read_file\"]\nscoped = [\"signal\"]\n"
		"[[path_beneath]]\nallowed_access = [\"execute\"]\nparent = [\"/a\"]\n"
		"[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [1]\n",
		"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/a\", \"/b\"]\n",
		"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/a\", \"/b\"]\n");
	check_composition("[[ruleset]]\nscoped = [\"abstract_unix_socket\", \"signal\"]\n"
			  "handled_socket = [\"create\"]\n",
		"abi = 6\n[[ruleset]]\nscoped = [\"abi.all\", \"pathname_unix_socket\"]\n"
		"[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/s\"]\n",
		"[[ruleset]]\nscoped = [\"abstract_unix_socket\", \"signal\"]\n");
}

/* The shape that the maintainer of Landlock wants socket creation to have. */
static void permissions(void)
{
	check_composition(
		"[[ruleset]]\nhandled_permissions = [\"socket_create\"]\n"
		"[[socket]]\nallowed_permissions = [\"socket_create\"]\nfamily = [\"inet\"]\n",
		"[[ruleset]]\nhandled_socket = [\"create\"]\n",
		"[[ruleset]]\nhandled_socket = [\"create\"]\n"
		"[[socket]]\nallowed_access = [\"create\"]\nfamily = [\"inet\"]\n");
}

/* What a composition cut away does not come back with the right. */
static void composition_is_final(void)
{
	struct reeve_policy *policy =
		load_one("a.toml", "[[ruleset]]\nscoped = [\"signal\"]\n"
				   "[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [1]\n");
	const struct reeve_rights again = {{[REEVE_NET] = REEVE_NET_BIND_TCP}};

	load_text(policy, "b.toml", "[[ruleset]]\nscoped = [\"signal\"]\n");
	CHECK_EQ(reeve_policy_handle(policy, &again), 0);
	CHECK_EQ(reeve_ruleset_count(resolve(policy)), 0);
	reeve_policy_free(policy);
}

/* Nothing in common: that is no policy. */
static void composition_to_nothing(void)
{
	struct reeve_policy *policy = load_one(
		"a.toml", "[[path_beneath]]\nallowed_access = [\"execute\"]\nparent = [\"/\"]\n");
	struct reeve_error err;

	load_text(policy, "b.toml",
		"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/\"]\n");
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	CHECK_STR(err.message,
		"the policy restricts nothing: no right is handled, nothing is scoped");
	CHECK(!reeve_policy_ruleset(policy));
	reeve_policy_free(policy);
}

static void nothing_at_all(void)
{
	struct reeve_policy *policy = new_policy();
	struct reeve_error err;

	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	load_text(policy, "p.toml", "");
	load_text(policy, "p.json", "{}");
	CHECK_EQ(reeve_policy_resolve(policy, NULL, &err), -EINVAL);
	CHECK(has(err.message, "restricts nothing"));
	reeve_policy_free(policy);
}

/* ------------------------------------------------------------------- our keys */

static void find_rule(const struct reeve_ruleset *ruleset, enum reeve_rule_type type, size_t skip,
	struct reeve_rule *ret)
{
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, ret) == 0; i++)
		if (ret->type == type && skip-- == 0)
			return;
	CHECK(!"no such rule");
}

static void paths_with_exceptions(void)
{
	struct reeve_policy *policy = load_one("p.toml",
		"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/w\"]\n"
		"except = [\n\"/w/.git\"]\nlive = true\nmissing = \"ignore\"\n"
		"quiet = [\"read_file\"]\n"
		"[[path_beneath]]\nexcept = [\"/w/x\"]\n"
		"[[path_beneath]]\nexcept = [\"/w/y\"]\nexcept_access = [\"write_file\"]\n");
	const struct reeve_ruleset *ruleset = resolve(policy);
	struct reeve_rule rule;

	CHECK_EQ(reeve_ruleset_count(ruleset), 4);
	find_rule(ruleset, REEVE_RULE_PATH_BENEATH, 3, &rule);
	CHECK_STR(rule.path, "/w/y");
	CHECK_EQ(rule.flags, REEVE_RULE_DENY);
	CHECK_EQ(rule.allowed, REEVE_FS_WRITE_FILE);
	find_rule(ruleset, REEVE_RULE_PATH_BENEATH, 0, &rule);
	CHECK_STR(rule.path, "/w");
	CHECK_STR(rule.origin, "p.toml:3");
	CHECK_EQ(rule.flags, REEVE_RULE_LIVE | REEVE_RULE_OPTIONAL);
	CHECK_EQ(rule.quiet, REEVE_FS_READ_FILE);
	find_rule(ruleset, REEVE_RULE_PATH_BENEATH, 1, &rule);
	CHECK_STR(rule.path, "/w/.git");
	CHECK_STR(rule.origin, "p.toml:5");
	CHECK_EQ(rule.flags, REEVE_RULE_LIVE | REEVE_RULE_OPTIONAL | REEVE_RULE_DENY);
	CHECK_EQ(rule.allowed, 0);
	find_rule(ruleset, REEVE_RULE_PATH_BENEATH, 2, &rule);
	CHECK_STR(rule.path, "/w/x");
	CHECK_EQ(rule.flags, REEVE_RULE_DENY);
	reeve_policy_free(policy);
}

static void ranges_and_addresses(void)
{
	struct reeve_policy *policy = load_one("p.toml",
		"[[net_port]]\nallowed_access = [\"connect_tcp\"]\nport = [\"8000-8100\", \"9\"]\n"
		"[[net_address]]\nallowed_access = [\"net.connect_tcp\"]\nlive = true\n"
		"address = [\"public:443\", \"10.0.0.0/8:5432\", \"[2001:db8::]/32:80-90\",\n"
		"\"192.0.2.1:1\", \"[::1]:2\", \"any:0-65535\"]\n");
	static const struct {
		const char *address;
		int first, last;
	} wanted[] = {{"public", 443, 443}, {"10.0.0.0/8", 5432, 5432}, {"2001:db8::/32", 80, 90},
		{"192.0.2.1/32", 1, 1}, {"::1/128", 2, 2}, {"any", 0, 65535}};
	const struct reeve_ruleset *ruleset = resolve(policy);
	struct reeve_rule rule;

	CHECK_EQ(PORT(ruleset, 8000), REEVE_NET_CONNECT_TCP);
	CHECK_EQ(PORT(ruleset, 8100), REEVE_NET_CONNECT_TCP);
	CHECK_EQ(PORT(ruleset, 8101), 0);
	CHECK_EQ(PORT(ruleset, 9), REEVE_NET_CONNECT_TCP);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		find_rule(ruleset, REEVE_RULE_NET_ADDRESS, i, &rule);
		CHECK_STR(rule.address, wanted[i].address);
		CHECK_EQ(rule.port_first, wanted[i].first);
		CHECK_EQ(rule.port_last, wanted[i].last);
		CHECK_EQ(rule.flags, REEVE_RULE_LIVE);
	}
	reeve_policy_free(policy);
}

static void socket_rules(void)
{
	struct reeve_policy *policy = load_one("p.toml",
		"[[socket]]\nallowed_access = [\"create\"]\nfamily = [\"inet\", 10]\n"
		"type = [\"stream\", \"2\"]\nprotocol = [\"any\", \"tcp\", 0]\n"
		"[[socket]]\nallowed_access = [\"create\"]\nfamily = [\"netlink\"]\n");
	const struct reeve_ruleset *ruleset = resolve(policy);
	static const int families[] = {2, 10}, types[] = {1, 2}, protocols[] = {-1, 6, 0};
	struct reeve_rule rule;
	struct reeve_rights handled;

	reeve_ruleset_handled(ruleset, &handled);
	CHECK_EQ(handled.of[REEVE_SOCKET], REEVE_SOCKET_CREATE);
	CHECK_EQ(reeve_ruleset_count(ruleset), 13);
	for (size_t i = 0; i < 12; i++) {
		CHECK_EQ(reeve_ruleset_at(ruleset, i, &rule), 0);
		CHECK_EQ(rule.socket_family, families[i / 6]);
		CHECK_EQ(rule.socket_type, types[i / 3 % 2]);
		CHECK_EQ(rule.socket_protocol, protocols[i % 3]);
	}
	CHECK_EQ(reeve_ruleset_at(ruleset, 12, &rule), 0);
	CHECK_EQ(rule.socket_family, 16);
	CHECK_EQ(rule.socket_type, REEVE_SOCKET_ANY);
	CHECK_EQ(rule.socket_protocol, REEVE_SOCKET_ANY);
	reeve_policy_free(policy);
}

/* An exception scopes what it is an exception from, unless resolve_unix is handled. */
static void unix_sockets(void)
{
	static const char rule[] =
		"[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/run/s\"]\n";
	struct reeve_policy *policy = load_one("p.toml", rule);
	struct reeve_rights handled;
	char text[512];

	CHECK_EQ(allowed_on(resolve(policy), REEVE_RULE_UNIX_SOCKET, "/run/s", -1),
		REEVE_FS_RESOLVE_UNIX);
	reeve_ruleset_handled(reeve_policy_ruleset(policy), &handled);
	CHECK_EQ(handled.of[REEVE_SCOPE], REEVE_SCOPE_PATHNAME_UNIX_SOCKET);
	CHECK_EQ(handled.of[REEVE_FS], 0);
	reeve_policy_free(policy);
	snprintf(text, sizeof(text), "abi = 9\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n%s",
		rule);
	policy = load_one("p.toml", text);
	reeve_ruleset_handled(resolve(policy), &handled);
	CHECK_EQ(handled.of[REEVE_SCOPE], 0);
	reeve_policy_free(policy);
}

static void quiet_rules(void)
{
	struct reeve_policy *policy = load_one("p.toml",
		"[[ruleset]]\nhandled_access_fs = [\"read_file\"]\n"
		"handled_access_net = [\"bind_tcp\"]\n"
		"[[quiet]]\naccess = [\"fs.read_file\", \"net.bind_tcp\"]\npath = [\"/q\"]\n"
		"port = [1, \"5-6\"]\n"
		/* not handled: there is no denial to be quiet about */
		"[[quiet]]\naccess = [\"execute\"]\npath = [\"/r\"]\n");
	const struct reeve_ruleset *ruleset = resolve(policy);
	struct reeve_rule rule;

	CHECK_EQ(reeve_ruleset_count(ruleset), 3);
	CHECK_EQ(reeve_ruleset_at(ruleset, 0, &rule), 0);
	CHECK_STR(rule.path, "/q");
	CHECK_EQ(rule.allowed, 0);
	CHECK_EQ(rule.quiet, REEVE_FS_READ_FILE);
	CHECK_EQ(reeve_ruleset_at(ruleset, 2, &rule), 0);
	CHECK_EQ(rule.port_first, 5);
	CHECK_EQ(rule.quiet, REEVE_NET_BIND_TCP);
	reeve_policy_free(policy);
}

static void settings(void)
{
	struct reeve_policy_settings got = {.size = sizeof(got)};
	struct reeve_policy *policy =
		load_one("p.toml", "tmpdir = \"private\"\ninner_landlock = \"floor-only\"\n"
				   "degrade = [\"live\", \"truncate\", \"live\"]\n"
				   "[[ruleset]]\ndeny = [\"execute_memfd\", "
				   "\"keyring\"]\nunix_datagram = \"mediate\"\n"
				   "scoped = [\"signal\"]\n");
	struct {
		struct reeve_policy_settings old;
	} small = {.old = {.size = offsetof(struct reeve_policy_settings, private_tmpdir),
			   .private_tmpdir = false}};

	reeve_policy_settings(policy, &got);
	CHECK_EQ(got.size, sizeof(got));
	CHECK_EQ(got.deny, REEVE_DENY_EXECUTE_MEMFD | REEVE_DENY_KEYRING);
	CHECK_EQ(got.unix_datagram, REEVE_UNIX_DATAGRAM_MEDIATE);
	CHECK(got.private_tmpdir);
	CHECK(got.inner_landlock_floor_only);
	CHECK_STR(reeve_policy_degraded_at(policy, 0), "live");
	CHECK_STR(reeve_policy_degraded_at(policy, 1), "fs.truncate");
	CHECK(!reeve_policy_degraded_at(policy, 2));
	/* A caller built against an older header gets no more than it knows. */
	reeve_policy_settings(policy, &small.old);
	CHECK_EQ(small.old.deny, REEVE_DENY_EXECUTE_MEMFD | REEVE_DENY_KEYRING);
	CHECK(!small.old.private_tmpdir);
	/* Composed with one that says nothing of the kind. */
	load_text(policy, "q.toml", "[[ruleset]]\ndeny = [\"keyring\"]\nscoped = [\"signal\"]\n");
	reeve_policy_settings(policy, &got);
	CHECK_EQ(got.deny, REEVE_DENY_KEYRING);
	CHECK(got.private_tmpdir);
	CHECK_EQ(got.unix_datagram, REEVE_UNIX_DATAGRAM_MEDIATE);
	reeve_policy_free(policy);
}

/* Only a denial in the filter: that is a restriction too. */
static void only_denials(void)
{
	struct reeve_policy *policy = load_one("p.toml", "[[ruleset]]\ndeny = [\"sysv_ipc\"]\n");

	CHECK_EQ(reeve_ruleset_count(resolve(policy)), 0);
	reeve_policy_free(policy);
}

/* ------------------------------------------------------------------ by the API */

static void added_rules(void)
{
	struct reeve_policy *policy = load_one("p.toml", "[[ruleset]]\nscoped = [\"signal\"]\n");
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.allowed = REEVE_FS_EXECUTE,
		.path = "sub/../${x}",
		.origin = "me"};
	const struct reeve_rights more = {{[REEVE_NET] = REEVE_NET_BIND_UDP}};
	const struct reeve_rights wrong = {{[REEVE_NET] = UINT64_C(1) << 40}};
	struct reeve_error err;
	struct reeve_rights handled;

	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), 0);
	CHECK_EQ(reeve_policy_handle(policy, &more), 0);
	CHECK_EQ(reeve_policy_handle(policy, &wrong), -EINVAL);
	rule.path = "${x";
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), -EINVAL);
	rule.path = "";
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), -EINVAL);
	rule.path = NULL;
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), -EINVAL);
	rule = (struct reeve_rule){.type = REEVE_RULE_NET_PORT,
		.port_first = 2,
		.port_last = 1,
		.allowed = REEVE_NET_BIND_TCP};
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), -EINVAL);
	rule = (struct reeve_rule){.type = REEVE_RULE_NET_PORT};
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), -ENOMSG);

	CHECK_EQ(reeve_policy_set_variable(policy, "x", "/wrong", &err), 0);
	CHECK_EQ(reeve_policy_set_variable(policy, "x", "bin", &err), 0);
	CHECK_EQ(reeve_policy_set_variable(policy, "1x", "bin", &err), -EINVAL);
	CHECK_EQ(reeve_policy_degrade(policy, "quiet", &err), 0);
	CHECK_EQ(reeve_policy_degrade(policy, "quite", &err), -EINVAL);
	CHECK_STR(err.hint, "did you mean \"quiet\"?");
	CHECK_STR(reeve_policy_degraded_at(policy, 0), "quiet");
	/* "sub" does not exist, and nobody knows what ".." of it is */
	{
		const struct reeve_resolve_options options = {
			.size = sizeof(options), .cwd = "/", .keep_missing = true};

		CHECK_EQ(reeve_policy_resolve(policy, &options, &err), -ENOENT);
		CHECK(has(err.message, "me: \"/sub/../bin\": "));
	}
	reeve_policy_free(policy);

	policy = load_one("p.toml", "[[ruleset]]\nscoped = [\"signal\"]\n");
	rule = (struct reeve_rule){
		.type = REEVE_RULE_PATH_BENEATH, .allowed = REEVE_FS_EXECUTE, .path = "./a//b/"};
	CHECK_EQ(reeve_policy_add_rule(policy, &rule, &err), 0);
	CHECK_EQ(reeve_policy_handle(policy, &more), 0);
	CHECK_EQ(PATH(resolve(policy), "/work-dir/a/b"), REEVE_FS_EXECUTE);
	reeve_ruleset_handled(reeve_policy_ruleset(policy), &handled);
	CHECK_EQ(handled.of[REEVE_FS], REEVE_FS_EXECUTE);
	CHECK_EQ(handled.of[REEVE_NET], REEVE_NET_BIND_UDP);
	CHECK_EQ(handled.of[REEVE_SCOPE], REEVE_SCOPE_SIGNAL);
	reeve_policy_free(policy);
}

/* As large as an issue's measure: what is not linear would be killed by the runner. */
static void large(void)
{
	const size_t count = 150000;
	struct reeve_policy *policy;
	FILE *file;
	char *text;
	size_t size;

	file = open_memstream(&text, &size);
	CHECK(file);
	fputs("abi = 7\n[[path_beneath]]\nallowed_access = [\"abi.all\"]\nparent = [\n", file);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "\"/nowhere/dir%zu/with-a-long-name-%zu\",\n", i % 1000, i);
	fputs("]\n", file);
	for (size_t i = 0; i < count / 4; i++)
		fprintf(file,
			"[[variable]]\nname = \"v%zu\"\nliteral = [\"/v\"]\n[[path_beneath]]\n"
			"allowed_access = [\"execute\"]\nparent = [\"${v%zu}/%zu\"]\n",
			i, i, i);
	fputs("[[net_port]]\nallowed_access = [\"abi.all\"]\nport = [\n", file);
	for (size_t i = 0; i < count; i++)
		fputs("\"0-65535\", ", file);
	fputs("]\n", file);
	CHECK_EQ(fclose(file), 0);
	CHECK(size > 10000000);
	policy = load_one("large.toml", text);
	CHECK_EQ(reeve_ruleset_count(resolve(policy)), count + count / 4 + 1);
	reeve_policy_free(policy);
	free(text);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"TOML and JSON mean the same", both_notations},
		{"rulesets add up, groups go by abi", rulesets_and_groups},
		{"composition: any order, any number of times", composition},
		{"composition is final", composition_is_final},
		{"permissions", permissions},
		{"composition that leaves nothing", composition_to_nothing},
		{"nothing at all", nothing_at_all},
		{"paths: except, live, missing, quiet", paths_with_exceptions},
		{"port ranges and addresses", ranges_and_addresses},
		{"socket rules multiply", socket_rules},
		{"unix sockets scope", unix_sockets},
		{"quiet rules", quiet_rules},
		{"settings", settings},
		{"a policy of denials", only_denials},
		{"rules, rights and variables added one by one", added_rules},
		{"10 MB", large},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
