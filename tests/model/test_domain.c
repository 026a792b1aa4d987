/* SPDX-License-Identifier: MIT */
/* Domains and decisions, by tables. What the kernel decides too, test_property.c compares. */
#include <sys/stat.h>
#include <reeve/domain.h>
#include "tap.h"

#define RF REEVE_FS_READ_FILE
#define WF REEVE_FS_WRITE_FILE
#define MR REEVE_FS_MAKE_REG
#define RM REEVE_FS_REMOVE_FILE
#define RE REEVE_FS_REFER

static struct reeve_ruleset *new_ruleset(uint64_t fs, uint64_t net, uint64_t sock, uint64_t scope)
{
	struct reeve_rights handled = {{fs, net, sock, scope}};
	struct reeve_ruleset *ruleset = NULL;

	CHECK_EQ(reeve_ruleset_new(&handled, &ruleset), 0);
	return ruleset;
}

static void add(struct reeve_ruleset *ruleset, const char *path, uint64_t allowed, uint64_t quiet,
	unsigned int flags)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.path = path,
		.allowed = allowed,
		.quiet = quiet,
		.flags = flags};

	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, NULL), 0);
}

/* Takes over the ruleset, and the parent. */
static struct reeve_domain *below(struct reeve_domain *parent, struct reeve_ruleset *ruleset)
{
	struct reeve_domain *domain = NULL;

	CHECK_EQ(reeve_domain_new(parent, ruleset, &domain), 0);
	reeve_ruleset_free(ruleset);
	reeve_domain_free(parent);
	return domain;
}

static struct reeve_decision on_path(
	const struct reeve_domain *domain, const char *path, uint64_t access)
{
	struct reeve_decision decision;

	memset(&decision, 0xff, sizeof(decision));
	reeve_decide_path(domain, path, access, &decision);
	return decision;
}

static void no_domain_allows_everything(void)
{
	struct reeve_refer refer = {"/a/x", "/b/x", S_IFREG, 0, false, false};
	struct reeve_decision d = on_path(NULL, "/x", UINT64_MAX);

	CHECK(d.allowed && !d.error && !d.missing && !d.layer && !d.quiet);
	reeve_decide_refer(NULL, &refer, &d);
	CHECK(d.allowed);
	reeve_decide_port(NULL, 15, 1, &d);
	CHECK(d.allowed);
	reeve_decide_socket(NULL, 1, 1, 0, &d);
	CHECK(d.allowed);
	reeve_decide_scope(NULL, NULL, REEVE_SCOPE_SIGNAL, &d);
	CHECK(d.allowed);
	reeve_decide_ptrace(NULL, NULL, &d);
	CHECK(d.allowed);
}

static void innermost_denying_layer_is_named(void)
{
	struct reeve_ruleset *outer = new_ruleset(RF | WF, 0, 0, 0);
	struct reeve_ruleset *inner = new_ruleset(RF, 0, 0, 0);
	struct reeve_domain *domain;
	struct reeve_decision d;

	add(outer, "/a", RF, 0, 0);
	add(inner, "/a/b", RF, 0, 0);
	domain = below(below(NULL, outer), inner);
	CHECK_EQ(reeve_domain_depth(domain), 2);
	d = on_path(domain, "/a/b/c", RF);
	CHECK(d.allowed && d.layer == 0);
	d = on_path(domain, "/a/c", RF);
	CHECK(!d.allowed && d.layer == 2 && d.missing == RF && d.error == EACCES);
	d = on_path(domain, "/a/b", RF | WF);
	CHECK(!d.allowed && d.layer == 1 && d.missing == WF);
	d = on_path(domain, "/", RF | WF);
	CHECK(!d.allowed && d.layer == 2 && d.missing == RF);
	d = on_path(domain, "/ab", RF);
	CHECK(!d.allowed);
	reeve_domain_free(domain);
}

static void quiet_must_cover_what_is_missing(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(RF | WF, 0, 0, 0);
	struct reeve_domain *domain;

	add(ruleset, "/a", 0, RF, 0);
	add(ruleset, "/a/b", RF, WF, 0);
	domain = below(NULL, ruleset);
	CHECK(on_path(domain, "/a/x", RF).quiet);
	CHECK(!on_path(domain, "/a/x", RF | WF).quiet);
	CHECK(on_path(domain, "/a/b/x", RF | WF).quiet);
	CHECK(!on_path(domain, "/a/b/x", RF).quiet); /* allowed */
	CHECK(!on_path(domain, "/c", RF).quiet);
	reeve_domain_free(domain);
}

static void denials_inside_a_grant(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(RF | WF | MR | RM | RE, 0, 0, 0);
	struct reeve_refer out = {"/w/d/x", "/w/x", S_IFREG, 0, false, false};
	struct reeve_refer up = {"/w/p", "/w/q", S_IFDIR, 0, false, false};
	struct reeve_refer over = {"/w/f", "/w/d", S_IFREG, S_IFREG, false, false};
	struct reeve_refer fine = {"/w/f", "/w/g", S_IFREG, 0, false, false};
	struct reeve_domain *domain;
	struct reeve_decision d;

	add(ruleset, "/w", RF | WF | MR | RM | RE, 0, 0);
	add(ruleset, "/w/d", 0, 0, REEVE_RULE_DENY);
	add(ruleset, "/w/d/again", RF, 0, 0);
	add(ruleset, "/w/p/r", WF, 0, REEVE_RULE_DENY);
	add(ruleset, "/same", RF, 0, 0);
	add(ruleset, "/same", 0, 0, REEVE_RULE_DENY);
	domain = below(NULL, ruleset);
	CHECK(on_path(domain, "/w/x", RF | WF).allowed);
	CHECK(!on_path(domain, "/w/d", RF).allowed);
	CHECK(!on_path(domain, "/w/d/x", RF).allowed);
	CHECK(on_path(domain, "/w/dd", RF).allowed);
	CHECK(on_path(domain, "/w/d/again/x", RF).allowed);
	CHECK(!on_path(domain, "/w/d/again/x", WF).allowed);
	CHECK(on_path(domain, "/w/p/r/x", RF).allowed);
	CHECK(!on_path(domain, "/w/p/r/x", WF).allowed);
	CHECK(!on_path(domain, "/same", RF).allowed);
	reeve_decide_refer(domain, &fine, &d);
	CHECK(d.allowed);
	reeve_decide_refer(domain, &out, &d);
	CHECK(!d.allowed && d.error == EACCES);
	reeve_decide_refer(domain, &up, &d); /* would take /w/p/r away from its path */
	CHECK(!d.allowed && d.error == EACCES && d.layer == 1);
	reeve_decide_refer(domain, &over, &d);
	CHECK(!d.allowed && d.error == EACCES);
	reeve_domain_free(domain);
}

static int on_entry(const struct reeve_domain *domain, const char *path, uint64_t access)
{
	struct reeve_decision d;

	reeve_decide_entry(domain, path, access, &d);
	CHECK_EQ(d.allowed ? 0 : d.missing, d.allowed ? 0 : access);
	return d.error;
}

/* What a denial is on keeps its name, there or not; nothing takes the place of what is above it. */
static void entries_with_denials(void)
{
	uint64_t all =
		RF | WF | MR | RM | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_SYM | REEVE_FS_REMOVE_DIR;
	struct reeve_ruleset *ruleset = new_ruleset(all, 0, 0, 0);
	struct reeve_domain *domain;
	const struct {
		const char *path;
		uint64_t access;
		int error;
	} table[] = {
		{"/w/x", MR, 0},
		{"/w/x", RM, 0},
		{"/w/a/b/secret", MR, EACCES},
		{"/w/a/b/secret", RM, EACCES},
		{"/w/a/b/secret", REEVE_FS_MAKE_DIR, EACCES},
		{"/w/a/b/secret/x", MR, EACCES},
		{"/w/a/b/secrets", MR, 0},
		{"/w/a/b", REEVE_FS_MAKE_DIR, 0},
		{"/w/a/b", REEVE_FS_MAKE_SYM, EACCES},
		{"/w/a/b", MR, EACCES},
		{"/w/a", REEVE_FS_REMOVE_DIR, EACCES},
		{"/w/a", RM, EACCES},
		{"/w/c", RM, EACCES}, /* only writing is denied: it stays all the same */
		{"/elsewhere", MR, EACCES},
	};

	add(ruleset, "/w", all, 0, 0);
	add(ruleset, "/w/a/b/secret", 0, 0, REEVE_RULE_DENY);
	add(ruleset, "/w/c", WF, 0, REEVE_RULE_DENY);
	domain = below(NULL, ruleset);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_EQ(on_entry(domain, table[i].path, table[i].access), table[i].error);
	reeve_domain_free(domain);
}

/* Static denials hold for live grants, live ones for those alone. */
static void denials_and_live_grants(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(RF | WF | MR, 0, 0, 0), *less;
	struct reeve_rule grant = {.type = REEVE_RULE_PATH_BENEATH, .path = "/w", .allowed = WF};
	struct reeve_rule again = grant, deny = grant;
	struct reeve_domain *domain;

	again.path = "/w/d/again";
	deny.path = "/w/r";
	deny.flags = REEVE_RULE_DENY;
	deny.allowed = 0;
	add(ruleset, "/w", RF, 0, 0);
	add(ruleset, "/w/d", 0, 0, REEVE_RULE_DENY);
	domain = below(NULL, ruleset);
	CHECK_EQ(reeve_domain_stage_add(domain, &grant, NULL), 0);
	CHECK_EQ(reeve_domain_stage_add(domain, &again, NULL), 0);
	CHECK_EQ(reeve_domain_stage_add(domain, &deny, NULL), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(on_path(domain, "/w/x", RF | WF).allowed);
	CHECK(!on_path(domain, "/w/d/x", WF).allowed);
	CHECK(!on_path(domain, "/w/d/x", RF).allowed);
	CHECK(on_path(domain, "/w/d/again/x", WF).allowed);
	CHECK(on_path(domain, "/w/r/x", RF).allowed);
	CHECK(!on_path(domain, "/w/r/x", WF).allowed);
	CHECK_EQ(on_entry(domain, "/w/r", MR), EACCES);

	/* What a replacement does not handle is granted everywhere, but where it is denied. */
	less = new_ruleset(RF | WF, 0, 0, 0);
	CHECK_EQ(reeve_domain_stage_replace(domain, less), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(on_path(domain, "/any/x", MR).allowed);
	CHECK(!on_path(domain, "/w/d/x", MR).allowed);
	reeve_ruleset_free(less);
	reeve_domain_free(domain);
}

static void refer_by_table(void)
{
	/* One layer: /a and /b grant all; /ro reads; /few can make and remove, not refer. */
	static const struct {
		struct reeve_refer refer;
		int error;
	} cases[] = {
		{{"/a/x", "/b/x", S_IFREG, 0, false, false}, 0},
		{{"/a/x", "/a/y", S_IFREG, 0, false, false}, 0},
		{{"/few/x", "/few/y", S_IFREG, 0, false, false}, 0},
		{{"/few/x", "/few/y", S_IFDIR, 0, false, false}, EACCES},
		{{"/few/x", "/a/x", S_IFREG, 0, false, false}, EXDEV},
		{{"/a/x", "/few/x", S_IFREG, 0, false, false}, EXDEV},
		{{"/ro/x", "/a/x", S_IFREG, 0, true, false}, EXDEV},
		{{"/ro/x", "/a/x", S_IFREG, 0, false, false}, EACCES},
		{{"/a/x", "/ro/x", S_IFREG, 0, true, false}, EACCES},
		{{"/a/x", "/b/x", S_IFREG, S_IFREG, false, true}, 0},
		{{"/a/x", "/b/x", S_IFREG, S_IFDIR, false, true}, EACCES},
		/* Making and removing is granted everywhere here, but /gain grants more. */
		{{"/less/x", "/gain/x", S_IFREG, 0, false, false}, EXDEV},
		{{"/gain/x", "/less/x", S_IFREG, 0, false, false}, 0},
		{{"/gain/x", "/less/x", S_IFREG, S_IFREG, false, true}, EXDEV},
		{{"/less/own", "/gain/x", S_IFREG, 0, false, false}, 0},
	};
	uint64_t full = RF | WF | MR | RM | RE;
	struct reeve_ruleset *ruleset = new_ruleset(full | REEVE_FS_MAKE_DIR, 0, 0, 0);
	struct reeve_domain *domain;
	struct reeve_decision d;

	add(ruleset, "/a", full, 0, 0);
	add(ruleset, "/b", full, 0, 0);
	add(ruleset, "/ro", RF | RE, 0, 0);
	add(ruleset, "/few", MR | RM | RF | WF, 0, 0);
	add(ruleset, "/less", full & ~WF, 0, 0);
	add(ruleset, "/less/own", WF, 0, 0);
	add(ruleset, "/gain", full, 0, 0);
	domain = below(NULL, ruleset);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reeve_decide_refer(domain, &cases[i].refer, &d);
		if (d.error != cases[i].error)
			printf("# case %zu\n", i);
		CHECK_EQ(d.error, cases[i].error);
		CHECK_EQ(d.allowed, !cases[i].error);
		CHECK_EQ(d.layer, cases[i].error ? 1 : 0);
		CHECK_EQ(d.missing != 0, cases[i].error != 0);
	}
	reeve_domain_free(domain);
}

/* A layer that handles no fs right denies refer as well, once another handles one. */
static void refer_is_denied_by_every_layer(void)
{
	struct reeve_refer refer = {"/a/x", "/b/x", S_IFREG, 0, false, false};
	struct reeve_ruleset *ruleset = new_ruleset(RE, 0, 0, 0);
	struct reeve_domain *domain, *child;
	struct reeve_decision d;

	domain = below(NULL, new_ruleset(0, 1, 0, 0));
	reeve_decide_refer(domain, &refer, &d);
	CHECK(d.allowed);
	add(ruleset, "/", RE, 0, 0);
	child = below(domain, ruleset);
	reeve_decide_refer(child, &refer, &d);
	CHECK(d.error == EXDEV && d.layer == 1 && d.missing == RE);
	reeve_domain_free(child);
}

/* ---------------------------------------------------------------- live parts */

static bool reads(const struct reeve_domain *domain, const char *path)
{
	return on_path(domain, path, RF).allowed;
}

static void live_rules(void)
{
	struct reeve_rule a = {.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = RF | WF};
	struct reeve_rule bad = {.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = MR};
	struct reeve_ruleset *ruleset = new_ruleset(RF | WF, 0, 0, 0);
	struct reeve_domain *domain;

	add(ruleset, "/s", RF, 0, 0);
	domain = below(NULL, ruleset);
	CHECK(!reeve_domain_live(domain));
	CHECK_EQ(reeve_domain_stage_add(domain, &bad, NULL), -EINVAL);
	CHECK_EQ(reeve_domain_stage_add(domain, &a, NULL), 0);
	CHECK(!reads(domain, "/a/x")); /* uncommitted counts as empty */
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(reads(domain, "/a/x") && reads(domain, "/s/x") && !reads(domain, "/b"));
	CHECK_EQ(reeve_ruleset_count(reeve_domain_live(domain)), 1);

	a.allowed = WF;
	CHECK_EQ(reeve_domain_stage_intersect(domain, &a, NULL), 0);
	CHECK(reads(domain, "/a/x"));
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(!reads(domain, "/a/x") && on_path(domain, "/a/x", WF).allowed);
	a.allowed = 0;
	CHECK_EQ(reeve_domain_stage_intersect(domain, &a, NULL), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK_EQ(reeve_ruleset_count(reeve_domain_live(domain)), 0);
	CHECK(!on_path(domain, "/a/x", WF).allowed && reads(domain, "/s"));
	reeve_domain_free(domain);
}

static void live_replace_and_clear(void)
{
	struct reeve_domain *domain = below(NULL, new_ruleset(RF | WF, 0, 0, 0));
	struct reeve_ruleset *less = new_ruleset(WF, 0, 0, 0), *more = new_ruleset(MR, 0, 0, 0);
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = RF};
	struct reeve_refer refer = {"/a/x", "/b/x", S_IFREG, 0, false, false};
	struct reeve_decision d;

	CHECK_EQ(reeve_domain_stage_replace(domain, more), -EINVAL);
	CHECK(!reeve_domain_live(domain));
	add(less, "/b", WF, 0, 0);
	CHECK_EQ(reeve_domain_stage_replace(domain, less), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	/* What it does not handle is granted everywhere; refer was never handled. */
	CHECK(reads(domain, "/x") && on_path(domain, "/b", RF | WF).allowed);
	CHECK(!on_path(domain, "/x", WF).allowed);
	reeve_decide_refer(domain, &refer, &d);
	CHECK(d.error == EXDEV);
	CHECK_EQ(reeve_domain_stage_add(domain, &rule, NULL), 0); /* nothing is left to grant */
	CHECK_EQ(reeve_domain_stage_clear(domain), 0);
	CHECK(reads(domain, "/x"));
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(!reads(domain, "/x"));
	CHECK_EQ(reeve_domain_stage_add(domain, &rule, NULL), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	CHECK(reads(domain, "/a"));
	reeve_ruleset_free(less);
	reeve_ruleset_free(more);
	reeve_domain_free(domain);
}

/* A live ruleset without the scope does not lift it, and can still get exceptions from it. */
static void live_rulesets_keep_the_scope(void)
{
	struct reeve_domain *domain =
		below(NULL, new_ruleset(RF, 0, 0, REEVE_SCOPE_PATHNAME_UNIX_SOCKET));
	struct reeve_rule rule = {
		.type = REEVE_RULE_UNIX_SOCKET, .path = "/run/s", .allowed = REEVE_FS_RESOLVE_UNIX};
	struct reeve_ruleset *without = new_ruleset(RF, 0, 0, 0);
	struct reeve_decision d;

	CHECK_EQ(reeve_domain_stage_replace(domain, without), 0);
	CHECK_EQ(reeve_domain_stage_add(domain, &rule, NULL), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	reeve_decide_scope(domain, NULL, REEVE_SCOPE_PATHNAME_UNIX_SOCKET, &d);
	CHECK(d.error == EPERM && d.missing == REEVE_SCOPE_PATHNAME_UNIX_SOCKET);
	reeve_ruleset_free(without);
	reeve_domain_free(domain);
}

/* Ports are objects of their own: a range is split where one of them changes. */
static void live_ports_are_split(void)
{
	struct reeve_domain *domain = below(NULL, new_ruleset(0, 3, 0, 0));
	struct reeve_rule range = {
		.type = REEVE_RULE_NET_PORT, .allowed = 3, .port_first = 10, .port_last = 20};
	struct reeve_rule hole = {
		.type = REEVE_RULE_NET_PORT, .allowed = 1, .port_first = 12, .port_last = 13};

	CHECK_EQ(reeve_domain_stage_add(domain, &range, NULL), 0);
	CHECK_EQ(reeve_domain_stage_intersect(domain, &hole, NULL), 0);
	CHECK_EQ(reeve_domain_commit(domain), 0);
	for (uint16_t port = 9; port <= 21; port++) {
		struct reeve_decision d;

		reeve_decide_port(domain, REEVE_NET_BIND_TCP, port, &d);
		CHECK_EQ(d.allowed, port >= 10 && port <= 20);
		reeve_decide_port(domain, REEVE_NET_CONNECT_TCP, port, &d);
		CHECK_EQ(d.allowed, port >= 10 && port <= 20 && port != 12 && port != 13);
	}
	CHECK_EQ(reeve_ruleset_count(reeve_domain_live(domain)), 3);
	reeve_domain_free(domain);
}

/* ------------------------------------------------------------ other decisions */

static void addresses(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(0, 3, 0, 0);
	struct reeve_rule rules[] = {
		{.type = REEVE_RULE_NET_ADDRESS,
			.allowed = 2,
			.address = "public",
			.port_first = 443,
			.port_last = 443},
		{.type = REEVE_RULE_NET_ADDRESS,
			.allowed = 3,
			.address = "loopback",
			.port_first = 8000,
			.port_last = 8002},
		{.type = REEVE_RULE_NET_ADDRESS,
			.allowed = 2,
			.address = "any",
			.port_first = 53,
			.port_last = 53},
		{.type = REEVE_RULE_NET_PORT, .allowed = 2, .port_first = 80, .port_last = 80},
	};
	static const struct {
		const char *address;
		uint64_t access;
		uint16_t port;
		bool allowed;
	} cases[] = {
		{"8.8.8.8", 2, 443, true},
		{"10.0.0.1", 2, 443, false},
		{"8.8.8.8", 2, 444, false},
		{"127.0.0.1", 3, 8002, true},
		{"127.0.0.1", 3, 8003, false},
		{"::1", 2, 8000, true},
		{"0.0.0.0", 2, 8000, true},
		{"0.0.0.0", 1, 8000, false},
		{"10.0.0.1", 2, 53, true},
		{"10.0.0.1", 2, 80, true},
		{"10.0.0.1", 1, 80, false},
	};
	struct reeve_domain *domain;
	struct reeve_decision d;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		CHECK_EQ(reeve_ruleset_add(ruleset, &rules[i], NULL), 0);
	domain = below(NULL, ruleset);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(reeve_decide_address(
				 domain, cases[i].access, cases[i].address, cases[i].port, &d),
			0);
		if (d.allowed != cases[i].allowed)
			printf("# case %zu\n", i);
		CHECK_EQ(d.allowed, cases[i].allowed);
	}
	CHECK_EQ(reeve_decide_address(domain, 2, "public", 1, &d), -EINVAL);
	CHECK_EQ(reeve_decide_address(domain, 2, "10.0.0.0/8", 1, &d), -EINVAL);
	reeve_decide_port(domain, 2, 443, &d); /* which address is not known */
	CHECK(!d.allowed);
	reeve_decide_port(domain, 2, 53, &d);
	CHECK(d.allowed);
	reeve_domain_free(domain);
}

static void sockets(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(0, 0, 1, 0);
	struct reeve_rule rules[] = {
		{.type = REEVE_RULE_SOCKET,
			.allowed = 1,
			.socket_family = 2,
			.socket_type = 1,
			.socket_protocol = 0},
		{.type = REEVE_RULE_SOCKET,
			.allowed = 1,
			.socket_family = 1,
			.socket_type = REEVE_SOCKET_ANY,
			.socket_protocol = REEVE_SOCKET_ANY},
		{.type = REEVE_RULE_SOCKET,
			.allowed = 1,
			.socket_family = 16,
			.socket_type = REEVE_SOCKET_ANY,
			.socket_protocol = 9},
	};
	static const struct {
		int family, type, protocol;
		bool allowed;
	} cases[] = {{2, 1, 0, true}, {2, 1, 6, false}, {2, 2, 0, false}, {10, 1, 0, false},
		{1, 5, 3, true}, {16, 3, 9, true}, {16, 3, 8, false}};
	struct reeve_domain *domain;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		CHECK_EQ(reeve_ruleset_add(ruleset, &rules[i], NULL), 0);
	domain = below(NULL, ruleset);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reeve_decision d;

		reeve_decide_socket(domain, cases[i].family, cases[i].type, cases[i].protocol, &d);
		CHECK_EQ(d.allowed, cases[i].allowed);
		CHECK_EQ(d.error, cases[i].allowed ? 0 : EACCES);
	}
	reeve_domain_free(domain);
}

/* Coordinator 0 has no domain; P is one, A and B are below it, C below A. */
static void scopes_and_ptrace(void)
{
	struct reeve_domain *d[5] = {NULL};
	static const char names[] = "0PABC";
	/* Rows: accessor; columns: resource. Only P and A scope. */
	static const char *const scoped[] = {"11111", "01111", "00101", "01111", "00101"};
	static const char *const traced[] = {"11111", "01111", "00101", "00010", "00001"};

	d[1] = below(NULL, new_ruleset(0, 0, 0, REEVE_SCOPE_SIGNAL));
	d[2] = below(reeve_domain_ref(d[1]), new_ruleset(0, 0, 0, REEVE_SCOPE_SIGNAL));
	d[3] = below(reeve_domain_ref(d[1]), new_ruleset(RF, 0, 0, 0));
	d[4] = below(reeve_domain_ref(d[2]), new_ruleset(RF, 0, 0, 0));
	for (int a = 0; a < 5; a++) {
		for (int r = 0; r < 5; r++) {
			struct reeve_decision decision;

			reeve_decide_scope(d[a], d[r], REEVE_SCOPE_SIGNAL, &decision);
			if (decision.allowed != (scoped[a][r] == '1'))
				printf("# %c signals %c\n", names[a], names[r]);
			CHECK_EQ(decision.allowed, scoped[a][r] == '1');
			CHECK_EQ(decision.error, decision.allowed ? 0 : EPERM);
			reeve_decide_scope(d[a], d[r], REEVE_SCOPE_ABSTRACT_UNIX_SOCKET, &decision);
			CHECK(decision.allowed);
			reeve_decide_ptrace(d[a], d[r], &decision);
			if (decision.allowed != (traced[a][r] == '1'))
				printf("# %c traces %c\n", names[a], names[r]);
			CHECK_EQ(decision.allowed, traced[a][r] == '1');
		}
	}
	for (int i = 1; i < 5; i++)
		reeve_domain_free(d[i]);
}

static void limits_and_errors(void)
{
	struct reeve_ruleset *ruleset = new_ruleset(RF, 0, 0, 0);
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .path = "/a", .allowed = RF};
	struct reeve_domain *domain = NULL, *next = NULL;
	struct reeve_error err;

	CHECK_EQ(reeve_domain_new(NULL, NULL, &domain), -EINVAL);
	for (int i = 0; i < REEVE_LAYERS_MAX; i++)
		domain = below(domain, reeve_ruleset_ref(ruleset));
	CHECK_EQ(reeve_domain_new(domain, ruleset, &next), -E2BIG);
	CHECK(!next);
	CHECK_EQ(reeve_ruleset_add(ruleset, &rule, &err), -EBUSY);
	CHECK_EQ(reeve_domain_depth(domain), REEVE_LAYERS_MAX);
	CHECK_EQ(reeve_domain_depth(NULL), 0);
	CHECK(reeve_domain_static(domain) == ruleset);
	CHECK_EQ(on_path(domain, "/", RF).layer, REEVE_LAYERS_MAX);
	reeve_domain_free(domain);
	reeve_domain_free(NULL);
	reeve_ruleset_free(ruleset);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"no domain allows everything", no_domain_allows_everything},
		{"the innermost denying layer is named", innermost_denying_layer_is_named},
		{"quiet covers everything that is missing", quiet_must_cover_what_is_missing},
		{"deny inside a grant", denials_inside_a_grant},
		{"making and removing entries, with denials", entries_with_denials},
		{"denials and live grants", denials_and_live_grants},
		{"rename, exchange and link", refer_by_table},
		{"every layer denies refer", refer_is_denied_by_every_layer},
		{"live rules: add, intersect, commit", live_rules},
		{"live rules: replace, clear", live_replace_and_clear},
		{"live rulesets keep the scope", live_rulesets_keep_the_scope},
		{"live port ranges are split", live_ports_are_split},
		{"addresses", addresses},
		{"sockets", sockets},
		{"scopes and ptrace", scopes_and_ptrace},
		{"limits and errors", limits_and_errors},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
