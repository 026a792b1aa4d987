/* SPDX-License-Identifier: MIT */
/* Random rulesets to TOML and back. */
#include "policy_util.h"

#define ROUNDS	  300
#define RULES_MAX 24

static uint64_t state;

/* xorshift64*: the same everywhere. */
static uint64_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(next() % n);
}

static uint64_t some_of(uint64_t bits)
{
	return bits & next();
}

static uint64_t known(enum reeve_class cls)
{
	const struct reeve_right_info *info;
	uint64_t bits = 0;

	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		bits |= info->cls == cls ? info->bit : 0;
	return bits;
}

/* Names that need every kind of escape. */
static const char *random_path(char *buf)
{
	static const char *const names[] = {"a", "b", "$", "${x}", "$$", "a\"b", "a\\b", "a\nb",
		"\t", "\x01", "\x7f", "é", "日本", "𝄞", " ", "'", "#", "...", "{}", "%s"};
	unsigned int depth = below(4);

	strcpy(buf, "/nowhere");
	while (depth--)
		sprintf(buf + strlen(buf), "/%s", names[below(sizeof(names) / sizeof(names[0]))]);
	return buf;
}

static struct reeve_rule random_rule(char *path)
{
	static const char *const addresses[] = {"public", "private", "loopback", "any",
		"10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "::1/128", "::/0",
		"::ffff:10.0.0.0/104"};
	struct reeve_rule rule = {
		.type = 1 + below(5),
		.flags = below(4),
		.path = random_path(path),
		.port_first = (uint16_t)next(),
		.address = addresses[below(sizeof(addresses) / sizeof(addresses[0]))],
		.socket_family = (int)below(255),
		.socket_type = (int)below(256) - 1,
		.socket_protocol = (int)below(65536) - 1,
		.origin = below(2) ? "some\nwhere \"here\":7" : NULL,
	};

	if (reeve_rule_class(rule.type) != REEVE_FS) /* where it means something */
		rule.flags &= ~REEVE_RULE_OPTIONAL;
	rule.port_last = below(2) ? rule.port_first
				  : (uint16_t)(rule.port_first + below(65536u - rule.port_first));
	return rule;
}

/* Adds a rule if it says anything. Only path rules go without existing path. */
static void add_random(struct reeve_ruleset *ruleset, const struct reeve_rights *handled)
{
	char path[256];
	struct reeve_rule rule = random_rule(path);
	uint64_t mask = rule.type == REEVE_RULE_UNIX_SOCKET
				? REEVE_FS_RESOLVE_UNIX
				: handled->of[reeve_rule_class(rule.type)];
	struct reeve_error err;
	int r;

	rule.allowed = some_of(mask);
	rule.quiet = below(3) ? 0 : some_of(mask);
	if (rule.type == REEVE_RULE_PATH_BENEATH && below(5) == 0 && mask) {
		rule.flags |= REEVE_RULE_DENY;
		rule.quiet = 0;
		if (below(2))
			rule.allowed = 0; /* all */
	}
	r = reeve_ruleset_add(ruleset, &rule, &err);
	if (r < 0 && r != -ENOMSG && r != -EINVAL)
		printf("# %s\n", err.message);
	CHECK(r == 0 || r == -ENOMSG || r == -EINVAL);
}

/* A UNIX socket rule without what it is an exception from cannot be in a ruleset. */
static void one_round(void)
{
	struct reeve_rights handled = {{some_of(known(REEVE_FS)), some_of(known(REEVE_NET)),
		some_of(known(REEVE_SOCKET)), some_of(known(REEVE_SCOPE))}};
	struct reeve_ruleset *ruleset;
	struct reeve_policy *policy = new_policy();
	char *text, *again;

	handled.of[REEVE_SCOPE] |= REEVE_SCOPE_SIGNAL;
	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	for (unsigned int i = below(RULES_MAX); i > 0; i--)
		add_random(ruleset, &handled);
	CHECK_EQ(reeve_ruleset_to_toml(ruleset, &text), 0);
	load_text(policy, "again.toml", text);
	check_same(ruleset, resolve(policy));
	/* And no further change. */
	CHECK_EQ(reeve_ruleset_to_toml(reeve_policy_ruleset(policy), &again), 0);
	CHECK(strlen(again) > 0);
	free(text);
	free(again);
	reeve_ruleset_free(ruleset);
	reeve_policy_free(policy);
}

static void random_rulesets(void)
{
	const char *seed = getenv("REEVE_TEST_SEED");

	state = seed ? strtoull(seed, NULL, 0) : UINT64_C(0x9e3779b97f4a7c15);
	printf("# REEVE_TEST_SEED=0x%llx\n", (unsigned long long)state);
	for (int i = 0; i < ROUNDS; i++)
		one_round();
}

static const char readable_text[] =
	"[[ruleset]]\n"
	"handled_access_fs = [\"execute\", \"read_file\"]\n"
	"handled_access_net = [\"connect_tcp\"]\n"
	"handled_socket = [\"create\"]\n"
	"scoped = [\"pathname_unix_socket\"]\n"
	"\n# --ro /a\n[[path_beneath]]\nallowed_access = [\"read_file\"]\n"
	"quiet = [\"execute\"]\nparent = [\"/a \\\"$${b}\\\" \\u000a\"]\n"
	"live = true\nmissing = \"ignore\"\n"
	"\n[[path_beneath]]\nexcept = [\"/a/b\"]\n"
	"\n[[path_beneath]]\nexcept_access = [\"read_file\"]\nexcept = [\"/a/c\"]\n"
	"\n[[net_port]]\nallowed_access = [\"connect_tcp\"]\nport = [443]\n"
	"\n[[net_address]]\nallowed_access = [\"connect_tcp\"]\n"
	"address = [\"[2001:db8::]/32:80-90\"]\n"
	"\n[[socket]]\nallowed_access = [\"create\"]\nfamily = [\"inet\"]\n"
	"type = [\"any\"]\nprotocol = [99]\n"
	"\n[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/run/s\"]\n";

/* The text itself, once: it is read by people. */
static void readable(void)
{
	const struct reeve_rights handled = {{REEVE_FS_EXECUTE | REEVE_FS_READ_FILE,
		REEVE_NET_CONNECT_TCP, REEVE_SOCKET_CREATE, REEVE_SCOPE_PATHNAME_UNIX_SOCKET}};
	const struct reeve_rule rules[] = {
		{.type = REEVE_RULE_PATH_BENEATH,
			.flags = REEVE_RULE_LIVE | REEVE_RULE_OPTIONAL,
			.allowed = REEVE_FS_READ_FILE,
			.quiet = REEVE_FS_EXECUTE,
			.path = "/a \"${b}\" \n",
			.origin = "--ro /a"},
		{.type = REEVE_RULE_PATH_BENEATH, .flags = REEVE_RULE_DENY, .path = "/a/b"},
		{.type = REEVE_RULE_PATH_BENEATH,
			.flags = REEVE_RULE_DENY,
			.allowed = REEVE_FS_READ_FILE,
			.path = "/a/c"},
		{.type = REEVE_RULE_NET_PORT,
			.allowed = REEVE_NET_CONNECT_TCP,
			.port_first = 443,
			.port_last = 443},
		{.type = REEVE_RULE_NET_ADDRESS,
			.allowed = REEVE_NET_CONNECT_TCP,
			.port_first = 80,
			.port_last = 90,
			.address = "2001:db8::/32"},
		{.type = REEVE_RULE_SOCKET,
			.allowed = REEVE_SOCKET_CREATE,
			.socket_family = 2,
			.socket_type = REEVE_SOCKET_ANY,
			.socket_protocol = 99},
		{.type = REEVE_RULE_UNIX_SOCKET,
			.allowed = REEVE_FS_RESOLVE_UNIX,
			.path = "/run/s"},
	};
	struct reeve_ruleset *ruleset;
	struct reeve_error err = {0};
	char *text;

	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		check_ok(reeve_ruleset_add(ruleset, &rules[i], &err), &err);
	CHECK_EQ(reeve_ruleset_to_toml(ruleset, &text), 0);
	CHECK_STR(text, readable_text);
	free(text);
	reeve_ruleset_free(ruleset);
}

/* TOML is UTF-8: other names cannot be written down. */
static void not_utf8(void)
{
	static const char *const paths[] = {
		"/\xff", "/a\xc0\x80", "/\xed\xa0\x80", "/\xf4\x90\x80\x80", "/\xe2\x82", "/\x80"};
	const struct reeve_rights handled = {{REEVE_FS_EXECUTE}};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
			.allowed = REEVE_FS_EXECUTE,
			.path = paths[i]};
		struct reeve_ruleset *ruleset;
		char *text = (char *)"untouched";

		CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
		CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
		CHECK_EQ(reeve_ruleset_to_toml(ruleset, &text), -EILSEQ);
		CHECK_STR(text, "untouched");
		reeve_ruleset_free(ruleset);
	}
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"random rulesets survive the way to TOML and back", random_rulesets},
		{"the text", readable},
		{"paths that are not UTF-8", not_utf8},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
