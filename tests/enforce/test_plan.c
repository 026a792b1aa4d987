/* SPDX-License-Identifier: MIT */
/* Plans and features, for kernels of every ABI. Nothing here is enforced. */
#include "enforce/plan.h"
#include "helpers.h"

static const char everything[] = "abi = 12\n"
				 "[[ruleset]]\n"
				 "handled_access_fs = [\"abi.all\"]\n"
				 "handled_access_net = [\"abi.all\"]\n"
				 "handled_socket = [\"create\"]\n"
				 "scoped = [\"abi.all\", \"pathname_unix_socket\"]\n"
				 "deny = [\"execute_memfd\", \"sysv_ipc\", \"keyring\"]\n"
				 "unix_datagram = \"refuse\"\n"
				 "[[path_beneath]]\n"
				 "allowed_access = [\"abi.read_execute\"]\n"
				 "parent = [\"/usr\"]\n"
				 "[[path_beneath]]\n"
				 "allowed_access = [\"abi.read_write\"]\n"
				 "parent = [\"/srv\"]\n"
				 "except = [\"/srv/.git\"]\n"
				 "[[path_beneath]]\n"
				 "allowed_access = [\"read_file\"]\n"
				 "parent = [\"/opt\"]\n"
				 "live = true\n"
				 "[[unix_socket]]\n"
				 "allowed_access = [\"connect\"]\n"
				 "path = [\"/run/bus\"]\n"
				 "[[net_address]]\n"
				 "allowed_access = [\"connect_tcp\"]\n"
				 "address = [\"public:443\"]\n"
				 "[[socket]]\n"
				 "allowed_access = [\"create\"]\n"
				 "family = [\"inet\"]\n"
				 "type = [\"stream\"]\n"
				 "protocol = [\"any\"]\n"
				 "[[quiet]]\n"
				 "access = [\"fs.read_file\"]\n"
				 "path = [\"/proc/sys\"]\n";

static const struct reeve_plan_item *find(const struct reeve_plan *plan, const char *feature)
{
	const struct reeve_plan_item *item;

	for (size_t i = 0; (item = reeve_plan_at(plan, i)); i++) {
		if (strcmp(item->feature, feature) == 0)
			return item;
	}
	return NULL;
}

static enum reeve_enforcer by(const struct reeve_plan *plan, const char *feature)
{
	const struct reeve_plan_item *item = find(plan, feature);

	if (!item)
		printf("# %s is not in the plan\n", feature);
	CHECK(item);
	return item->by;
}

static struct reeve_plan *describe(const char *toml, const struct reeve_kernel *kernel)
{
	struct reeve_policy *policy = policy_of(toml);
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	CHECK_OK(reeve_plan_describe(policy, kernel, &plan, &err));
	reeve_policy_free(policy);
	return plan;
}

/* ------------------------------------------------------------------- features */

static void table_covers_rights(void)
{
	const struct reeve_right_info *info;
	const struct reeve_feature *feature;

	for (size_t i = 0; (info = reeve_right_at(i)); i++) {
		feature = reeve_feature_find(info->full_name);
		CHECK(feature);
		CHECK_STR(feature->name, info->full_name);
	}
	for (size_t i = 0; (feature = reeve_feature_at(i)); i++) {
		CHECK(reeve_feature_find(feature->name) == feature);
		CHECK(feature->capability[0] == 'C' && feature->does[0]);
	}
	CHECK(!reeve_feature_at(1000));
}

static void finds_bare_names(void)
{
	CHECK_STR(reeve_feature_find("truncate")->name, "fs.truncate");
	CHECK_STR(reeve_feature_find("pathname_unix_socket")->name, "scope.pathname_unix_socket");
	CHECK_STR(reeve_feature_find("unix_socket")->name, "unix_socket");
	CHECK(!reeve_feature_find("truncat"));
	CHECK(!reeve_feature_find(""));
	CHECK(!reeve_feature_find("fs"));
}

static void says_what_is_needed(void)
{
	struct reeve_kernel k = fake_kernel(7);
	char why[120];

	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("net.bind_udp"), &k, why, sizeof(why)),
		REEVE_BY_SUPERVISOR);
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("quiet"), &k, why, sizeof(why)),
		REEVE_BY_NOBODY);
	CHECK_STR(why, "needs Landlock ABI 10 (Linux 7.2), this kernel has ABI 7");
	k.user_notif = k.wait_killable_recv = false;
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("live"), &k, why, sizeof(why)),
		REEVE_BY_NOBODY);
	CHECK_STR(why, "needs seccomp user notification (Linux 5.0)");
	k.user_notif = true;
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("live"), &k, why, sizeof(why)),
		REEVE_BY_NOBODY);
	CHECK_STR(why, "needs seccomp's WAIT_KILLABLE_RECV (Linux 5.19)");
	k.wait_killable_recv = true;
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("live"), &k, why, sizeof(why)),
		REEVE_BY_SUPERVISOR);
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("ask"), &k, why, sizeof(why)),
		REEVE_BY_SUPERVISOR);
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("tsync"), &k, NULL, 0), REEVE_BY_NOBODY);
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("fs.truncate"), &k, why, sizeof(why)),
		REEVE_BY_LANDLOCK);
	CHECK_STR(why, "");
	k.rights.of[REEVE_FS] &= ~REEVE_FS_TRUNCATE; /* by trying, not by the ABI's number */
	CHECK_EQ(reeve_feature_enforcer(reeve_feature_find("fs.truncate"), &k, why, sizeof(why)),
		REEVE_BY_NOBODY);
}

/* ------------------------------------------------------------------- every ABI */

static void check_rights(const struct reeve_plan *plan, int abi)
{
	const struct reeve_right_info *info;
	struct reeve_rights handled;

	reeve_ruleset_handled(reeve_plan_floor(plan), &handled);
	for (size_t i = 0; (info = reeve_right_at(i)); i++) {
		bool kernel = info->abi > 0 && info->abi <= abi;

		if (info->cls == REEVE_SOCKET || info->abi == 0)
			continue;
		CHECK_EQ(by(plan, info->full_name), kernel ? REEVE_BY_LANDLOCK : REEVE_BY_NOBODY);
		CHECK_EQ(!!(handled.of[info->cls] & info->bit), kernel);
	}
	CHECK_EQ(handled.of[REEVE_SOCKET], 0);
	CHECK_EQ(by(plan, "scope.pathname_unix_socket"),
		abi >= 9 ? REEVE_BY_LANDLOCK : REEVE_BY_NOBODY);
	CHECK_EQ(by(plan, "unix_socket"), abi >= 9 ? REEVE_BY_LANDLOCK : REEVE_BY_NOBODY);
	CHECK_EQ(by(plan, "quiet"), abi >= 10 ? REEVE_BY_LANDLOCK : REEVE_BY_NOBODY);
}

static void check_settings(const struct reeve_plan *plan, int abi)
{
	static const char *const supervised[] = {
		"live", "net_address", "deny_inside", "execute_memfd"};
	static const char *const filtered[] = {"socket.create", "deny.sysv_ipc", "deny.keyring",
		"guard.arch", "guard.tty", "guard.io_uring", "unix_datagram"};

	for (size_t i = 0; i < sizeof(supervised) / sizeof(supervised[0]); i++)
		CHECK_EQ(by(plan, supervised[i]), REEVE_BY_NOBODY);
	for (size_t i = 0; i < sizeof(filtered) / sizeof(filtered[0]); i++)
		CHECK_EQ(by(plan, filtered[i]), REEVE_BY_SECCOMP);
	CHECK_EQ(!!find(plan, "guard.tcp"), abi >= 4);
	CHECK_EQ(!!find(plan, "guard.sched"), abi >= 6);
	CHECK(reeve_plan_filter_length(plan) > 10);
}

static void everything_on_every_abi(void)
{
	for (int abi = 0; abi <= REEVE_ABI_MAX; abi++) {
		struct reeve_kernel kernel = fake_kernel(abi);
		struct reeve_plan *plan = describe(everything, &kernel);
		struct reeve_error err = {0};

		check_rights(plan, abi);
		check_settings(plan, abi);
		CHECK_EQ(reeve_plan_restrict(plan, 0, &err), -EOPNOTSUPP);
		reeve_plan_free(plan);
	}
}

/* The error lists what is missing; giving up exactly that, by the hint's own names, is enough. */
static void degrading_by_the_hint_is_enough(void)
{
	for (int abi = 0; abi <= REEVE_ABI_MAX; abi++) {
		struct reeve_kernel kernel = fake_kernel(abi);
		struct reeve_policy *policy = policy_of(everything);
		struct reeve_plan *plan;
		struct reeve_error err = {0};
		int rounds = 0;

		CHECK_EQ(reeve_plan_new(policy, &kernel, &plan, &err), -EOPNOTSUPP);
		CHECK_EQ(err.code, -EOPNOTSUPP);
		CHECK(err.message[0] && err.hint[0]);
		CHECK_OK(reeve_plan_describe(policy, &kernel, &plan, &err));
		for (size_t i = 0; reeve_plan_at(plan, i); i++) {
			const struct reeve_plan_item *item = reeve_plan_at(plan, i);

			if (item->by != REEVE_BY_NOBODY)
				continue;
			CHECK(item->why[0]);
			rounds++;
			CHECK_OK(reeve_policy_degrade(policy, item->feature, &err));
		}
		CHECK(rounds >= 4);
		reeve_plan_free(plan);
		CHECK_OK(reeve_policy_resolve(policy,
			&(struct reeve_resolve_options){
				.size = sizeof(struct reeve_resolve_options), .keep_missing = true},
			&err));
		CHECK_OK(reeve_plan_new(policy, &kernel, &plan, &err));
		CHECK_EQ(by(plan, "live"), REEVE_DEGRADED);
		reeve_plan_free(plan);
		reeve_policy_free(policy);
	}
}

/* ---------------------------------------------------------------------- errors */

static void fail_on(const char *toml, const struct reeve_kernel *kernel, struct reeve_error *err)
{
	struct reeve_policy *policy = policy_of(toml);
	struct reeve_plan *plan = NULL;

	CHECK_EQ(reeve_plan_new(policy, kernel, &plan, err), -EOPNOTSUPP);
	CHECK(!plan);
	reeve_policy_free(policy);
}

static void names_all_that_is_missing(void)
{
	static const char toml[] =
		"[[ruleset]]\nhandled_access_fs = [\"read_file\", \"truncate\"]\n"
		"scoped = [\"signal\"]\n";
	struct reeve_kernel kernel = fake_kernel(2);
	struct reeve_error err = {0};

	fail_on(toml, &kernel, &err);
	CHECK(strstr(err.message, "fs.truncate cannot be enforced here: needs Landlock ABI 3"));
	CHECK(strstr(err.message, "this kernel has ABI 2"));
	CHECK(strstr(err.message, "also scope.signal (needs Landlock ABI 6"));
	CHECK(!strstr(err.message, "read_file"));
	CHECK(strstr(err.hint, "--degrade fs.truncate --degrade scope.signal"));
	CHECK(strstr(err.hint, "degrade = [\"fs.truncate\""));
}

static void no_landlock_has_its_own_words(void)
{
	static const char toml[] = "[[ruleset]]\nhandled_access_fs = [\"read_file\"]\n";
	struct reeve_kernel kernel = fake_kernel(0);
	struct reeve_error err = {0};

	fail_on(toml, &kernel, &err);
	CHECK_STR(err.message, "this kernel has no Landlock");
	kernel.landlock_error = EOPNOTSUPP;
	fail_on(toml, &kernel, &err);
	CHECK(strstr(err.message, "not enabled at boot"));
	CHECK(strstr(err.hint, "lsm="));
}

static void no_seccomp_is_said(void)
{
	struct reeve_kernel kernel = fake_kernel(7);
	struct reeve_error err = {0};

	kernel.seccomp_filter = false;
	fail_on("[[ruleset]]\nhandled_access_fs = [\"read_file\"]\n", &kernel, &err);
	CHECK(strstr(err.message, "guard.arch cannot be enforced here: needs seccomp"));
}

static void unresolved_is_refused(void)
{
	struct reeve_policy *policy;
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	CHECK_OK(reeve_policy_new(&policy));
	CHECK_EQ(reeve_plan_new(policy, NULL, &plan, &err), -EINVAL);
	reeve_policy_free(policy);
}

/* -------------------------------------------------------------------- degrading */

static const char extensions[] =
	"degrade = [\"live\", \"net_address\", \"deny_inside\", \"execute_memfd\", "
	"\"pathname_unix_socket\", \"quiet\", \"fs.read_file\"]\n"
	"[[ruleset]]\n"
	"handled_access_fs = [\"read_file\", \"write_file\"]\n"
	"handled_access_net = [\"connect_tcp\"]\n"
	"scoped = [\"pathname_unix_socket\"]\n"
	"deny = [\"execute_memfd\"]\n"
	"[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/a\"]\nlive = true\n"
	"[[path_beneath]]\nallowed_access = [\"write_file\"]\nparent = [\"/b\"]\n"
	"except = [\"/b/c\"]\n"
	"[[net_address]]\nallowed_access = [\"connect_tcp\"]\naddress = [\"10.0.0.0/8:5432\"]\n"
	"[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/run/bus\"]\n"
	"[[quiet]]\naccess = [\"fs.read_file\"]\npath = [\"/q\"]\n";

static bool has_rule(const struct reeve_plan *plan, const char *path, uint64_t allowed)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(reeve_plan_floor(plan), i, &rule) == 0; i++) {
		CHECK_EQ(rule.flags & ~REEVE_RULE_OPTIONAL, 0);
		if (rule.path && strcmp(rule.path, path) == 0 && rule.allowed == allowed)
			return true;
	}
	return false;
}

static bool has_port(const struct reeve_plan *plan, unsigned int port)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(reeve_plan_floor(plan), i, &rule) == 0; i++) {
		if (rule.type == REEVE_RULE_NET_PORT && rule.port_first == port &&
			rule.port_last == port)
			return true;
	}
	return false;
}

static void degrading_does_what_it_says(void)
{
	struct reeve_kernel kernel = fake_kernel(7);
	struct reeve_plan *plan = describe(extensions, &kernel);
	struct reeve_rights handled;

	CHECK(has_rule(plan, "/a", REEVE_FS_READ_FILE));
	CHECK(has_rule(plan, "/b", REEVE_FS_WRITE_FILE));
	CHECK(!has_rule(plan, "/b/c", 0) && !has_rule(plan, "/q", 0));
	CHECK(!has_rule(plan, "/run/bus", REEVE_FS_RESOLVE_UNIX));
	CHECK(has_port(plan, 5432));
	CHECK_EQ(by(plan, "unix_socket"), REEVE_DEGRADED);
	CHECK_EQ(by(plan, "quiet"), REEVE_DEGRADED);
	/* What can be enforced is, degraded or not. */
	CHECK_EQ(by(plan, "fs.read_file"), REEVE_BY_LANDLOCK);
	reeve_ruleset_handled(reeve_plan_floor(plan), &handled);
	CHECK_EQ(handled.of[REEVE_SCOPE], 0);
	reeve_plan_free(plan);
}

static void new_kernels_do_it_themselves(void)
{
	struct reeve_kernel kernel = fake_kernel(10);
	struct reeve_plan *plan = describe(extensions, &kernel);
	struct reeve_rights handled;

	CHECK_EQ(by(plan, "scope.pathname_unix_socket"), REEVE_BY_LANDLOCK);
	CHECK_EQ(by(plan, "unix_socket"), REEVE_BY_LANDLOCK);
	CHECK_EQ(by(plan, "quiet"), REEVE_BY_LANDLOCK);
	CHECK(has_rule(plan, "/run/bus", REEVE_FS_RESOLVE_UNIX));
	CHECK(has_rule(plan, "/q", 0));
	reeve_ruleset_handled(reeve_plan_floor(plan), &handled);
	CHECK(handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX);
	reeve_plan_free(plan);
}

/* How many kinds of calls are trapped, but for guards. */
static int count_traps(const char *toml, int abi, bool no_events)
{
	const struct rv_plan_mode mode = {.supervised = true, .no_events = no_events};
	struct reeve_kernel kernel = fake_kernel(abi);
	struct reeve_policy *policy = policy_of(toml);
	struct reeve_error err = {0};
	struct reeve_plan *plan;
	int count;

	CHECK_OK(rv_plan_make(policy, &kernel, &mode, true, &plan, &err));
	count = __builtin_popcount(plan->spec.traps);
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return count;
}

static void no_events_no_traps(void)
{
	static const char toml[] =
		"abi = 9\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"
		"handled_access_net = [\"abi.all\"]\nhandled_socket = [\"create\"]\n"
		"scoped = [\"abi.all\", \"pathname_unix_socket\"]\n"
		"[[unix_socket]]\nallowed_access = [\"connect\"]\npath = [\"/run/bus\"]\n"
		"[[net_port]]\nallowed_access = [\"connect_tcp\"]\nport = [443]\n";

	for (int abi = 9; abi <= 12; abi++) {
		CHECK_EQ(count_traps(toml, abi, true), 0);
		CHECK(count_traps(toml, abi, false) > 0);
	}
	CHECK(count_traps(toml, 8, true) > 0); /* the scope of paths is the supervisor's */
}

static unsigned int traps_of(const char *toml, int abi)
{
	const struct rv_plan_mode mode = {.supervised = true};
	struct reeve_policy *policy = policy_of(toml);
	struct reeve_kernel kernel = fake_kernel(abi);
	struct reeve_plan *plan;
	struct reeve_error err = {0};
	unsigned int traps;

	CHECK_OK(rv_plan_make(policy, &kernel, &mode, true, &plan, &err));
	traps = plan->spec.traps;
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return traps;
}

/* For live rules and events where the kernel scopes UNIX sockets; sends only where asked for. */
static void kernel_scopes_are_watched(void)
{
	static const char scope[] = "abi = 6\n[[ruleset]]\nscoped = [\"pathname_unix_socket\"]\n";
	static const char mediate[] = "abi = 6\n[[ruleset]]\nscoped = [\"pathname_unix_socket\"]\n"
				      "unix_datagram = \"mediate\"\n";
	const unsigned int asked = RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_SEND;

	for (int abi = 9; abi <= 12; abi++) {
		CHECK_EQ(traps_of(scope, abi) & asked, RV_TRAP_CONNECT);
		CHECK_EQ(traps_of(mediate, abi) & asked, RV_TRAP_CONNECT | RV_TRAP_SEND);
		CHECK_EQ(count_traps(mediate, abi, true), 0);
	}
	CHECK_EQ(traps_of(scope, 8) & asked, RV_TRAP_UNIX | RV_TRAP_CONNECT);
	CHECK_EQ(traps_of(mediate, 8) & asked, asked);
}

/* Where a degraded right leaves a rule empty, the rule goes, and is no error. */
static void degraded_rules_vanish(void)
{
	static const char toml[] =
		"degrade = [\"truncate\"]\n"
		"[[ruleset]]\nhandled_access_fs = [\"truncate\", \"read_file\"]\n"
		"[[path_beneath]]\nallowed_access = [\"truncate\"]\n"
		"parent = [\"/a\"]\n";
	struct reeve_kernel kernel = fake_kernel(2);
	struct reeve_plan *plan = describe(toml, &kernel);

	CHECK_EQ(reeve_ruleset_count(reeve_plan_floor(plan)), 0);
	CHECK_EQ(by(plan, "fs.truncate"), REEVE_DEGRADED);
	reeve_plan_free(plan);
}

static void filter_can_be_shown(void)
{
	struct reeve_kernel kernel = fake_kernel(7);
	struct reeve_plan *plan = describe(extensions, &kernel);
	char *text = NULL;
	size_t lines = 0;

	CHECK_EQ(reeve_plan_filter_dump(plan, &text), 0);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	CHECK(lines >= reeve_plan_filter_length(plan));
	free(text);
	reeve_plan_free(plan);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"features: every right has one", table_covers_rights},
		{"features: bare names", finds_bare_names},
		{"features: the reason says what is needed", says_what_is_needed},
		{"plan: everything, on every ABI", everything_on_every_abi},
		{"plan: degrading what is missing is enough", degrading_by_the_hint_is_enough},
		{"plan: an error names all that is missing", names_all_that_is_missing},
		{"plan: no Landlock", no_landlock_has_its_own_words},
		{"plan: no seccomp", no_seccomp_is_said},
		{"plan: an unresolved policy", unresolved_is_refused},
		{"plan: what degrading does to the floor", degrading_does_what_it_says},
		{"plan: the same on ABI 10", new_kernels_do_it_themselves},
		{"plan: nothing is trapped without events", no_events_no_traps},
		{"plan: UNIX sockets that the kernel scopes are watched",
			kernel_scopes_are_watched},
		{"plan: rules of degraded rights", degraded_rules_vanish},
		{"plan: the filter as text", filter_can_be_shown},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
