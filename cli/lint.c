/* SPDX-License-Identifier: MIT */
/* `reeve policy lint`: the verb, and the table of what is looked for. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "lint.h"
#include "verbs.h"

/* --------------------------------------------------------------------- the checks */

static const struct cli_lint_check checks[LINT_KINDS] = {
	[LINT_MISSING] = {"missing", CLI_LINT_ERROR,
		"a path that does not exist ends `reeve run` with 125",
		"correct it, or say missing = \"ignore\""},
	[LINT_OPTIONAL] = {"optional", CLI_LINT_NOTE, "it never matches on this machine",
		"nothing, where the policy is for several machines"},
	[LINT_SHADOWED] = {"shadowed", CLI_LINT_WARNING,
		"it adds nothing: who removes it, or relies on it, is mistaken",
		"remove the rule, or narrow the one above it"},
	[LINT_OVERLAP] = {"overlap", CLI_LINT_NOTE,
		"here another rule grants it as well; elsewhere it may not",
		"nothing, where the policy is for several machines"},
	[LINT_DENIED] = {"denied", CLI_LINT_WARNING,
		"a denial on the same object counts more than a grant, so this one has no effect",
		"remove one of them, or grant what is below the denied object"},
	[LINT_DENIES_NOTHING] = {"denies-nothing", CLI_LINT_WARNING,
		"nothing is granted above it, so it is denied without it",
		"remove it, or correct the path"},
	[LINT_HOME] = {"home-writable", CLI_LINT_ERROR,
		"who writes there decides what runs when you log in, and which keys are trusted",
		"grant the directories that are needed, such as the project's and a cache"},
	[LINT_ROOT] = {"root-writable", CLI_LINT_ERROR,
		"everything that the user may write is within reach",
		"grant the directories that are needed"},
	[LINT_STARTUP] = {"startup-writable", CLI_LINT_WARNING,
		"what is written there is run outside of the sandbox later",
		"deny it: except = [\"PATH\"] in the table that grants what is above", true},
	[LINT_SECRET] = {"secret-readable", CLI_LINT_WARNING,
		"what can be read can be sent away, or used by whoever wrote the program",
		"grant less above it, or deny it: except = [\"PATH\"]", true},
	[LINT_WRITE_EXECUTE] = {"write-execute", CLI_LINT_WARNING,
		"a program can be written there and run, also by what was broken into",
		"grant execute and write_file on different trees, or say why it is meant"},
	[LINT_CONTROL] = {"control-socket", CLI_LINT_ERROR,
		"who serves it runs programs outside of the sandbox for whoever asks",
		"leave the socket out; scoped = [\"pathname_unix_socket\"] denies all others",
		true},
	[LINT_AGENT] = {"agent-socket", CLI_LINT_WARNING,
		"who serves it signs, decrypts or shows things in your name",
		"leave the socket out where it is not what the program is for", true},
	[LINT_SOCKETS] = {"unix-sockets", CLI_LINT_WARNING,
		"every UNIX socket is within reach: agents, the session bus, docker, tmux",
		"scoped = [\"pathname_unix_socket\", \"abstract_unix_socket\"], and "
		"[[unix_socket]] "
		"for what is needed"},
	[LINT_DEVICE] = {"device", CLI_LINT_WARNING,
		"devices beside the harmless ones: disks, memory, other terminals, cameras",
		"grant /dev/null, /dev/zero, /dev/full, /dev/random and /dev/urandom by name",
		true},
	[LINT_MAKE_DEVICE] = {"make-device", CLI_LINT_WARNING,
		"a device that root makes there opens the whole disk",
		"leave make_char and make_block out"},
	[LINT_TEMPORARY] = {"shared-tmp", CLI_LINT_WARNING,
		"other programs keep files and sockets there",
		"tmpdir = \"private\": a directory of its own, which TMPDIR names", true},
	[LINT_NETWORK] = {"network", CLI_LINT_WARNING, "what is read can be sent anywhere",
		"handled_access_net = [\"bind_tcp\", \"connect_tcp\"], handled_socket = "
		"[\"create\"], and rules for what is needed"},
	[LINT_EVERYWHERE] = {"any-address", CLI_LINT_NOTE,
		"the port is allowed to every address, those of this machine and its network "
		"included",
		"[[net_address]] with public:PORT, or with the addresses that are needed"},
	[LINT_SIGNALS] = {"signals", CLI_LINT_WARNING,
		"other processes of the user can be signalled", "scoped = [\"signal\"]"},
	[LINT_UNUSED] = {"unused", CLI_LINT_WARNING, "nothing in the log needed it",
		"remove it, where the log shows all that the program does"},
	[LINT_UNUSED_RIGHTS] = {"unused-rights", CLI_LINT_WARNING,
		"nothing in the log needed these rights", "leave them out"},
	[LINT_NARROWER] = {"narrower", CLI_LINT_NOTE,
		"all that the log shows is in one place further down", "grant that place"},
};

const struct cli_lint_check *cli_lint_check_of(enum cli_lint_kind kind)
{
	return &checks[kind];
}

/* ------------------------------------------------------------------------ findings */

static bool is_known(const struct cli_lint *lint, enum cli_lint_kind kind, const char *origin,
	const char *message)
{
	for (size_t i = 0; i < lint->count; i++) {
		const struct cli_finding *finding = &lint->findings[i];

		if (finding->kind == kind && strcmp(finding->message, message) == 0 &&
			strcmp(finding->origin ? finding->origin : "", origin ? origin : "") == 0)
			return true;
	}
	return false;
}

#define GATHERED_MAX 3

/* Adds a message to a finding about the same rule. False: there is none, or no memory. */
static bool gather(
	struct cli_lint *lint, enum cli_lint_kind kind, const char *origin, const char *message)
{
	for (size_t i = 0; checks[kind].gathers && origin && i < lint->count; i++) {
		struct cli_finding *finding = &lint->findings[i];
		char *longer;

		if (finding->kind != kind || !finding->origin ||
			strcmp(finding->origin, origin) != 0)
			continue;
		if (finding->told >= GATHERED_MAX) {
			finding->more++;
			return true;
		}
		if (asprintf(&longer, "%s; %s", finding->message, message) < 0)
			return false;
		free(finding->message);
		finding->message = longer;
		finding->told++;
		return true;
	}
	return false;
}

/* What a profile that is extended has for other machines is not this policy's to change. */
static bool is_of_a_profile(const struct cli_lint *lint, const char *origin)
{
	static const char prefix[] = "profile ";
	size_t length = strlen(lint->name);

	if (!origin || strncmp(origin, prefix, sizeof(prefix) - 1) != 0)
		return false;
	origin += sizeof(prefix) - 1;
	return strncmp(origin, lint->name, length) != 0 || origin[length] != ':';
}

void cli_lint_add(struct cli_lint *lint, enum cli_lint_kind kind, const struct reeve_rule *rule,
	const char *fmt, ...)
{
	const char *origin = rule ? rule->origin : NULL;
	struct cli_finding *findings, finding = {.kind = kind, .told = 1};
	va_list args;

	if (checks[kind].level == CLI_LINT_NOTE && is_of_a_profile(lint, origin))
		return;
	va_start(args, fmt);
	if (vasprintf(&finding.message, fmt, args) < 0)
		finding.message = NULL;
	va_end(args);
	finding.origin = origin ? strdup(origin) : NULL;
	if (finding.message && (is_known(lint, kind, origin, finding.message) ||
				       gather(lint, kind, origin, finding.message))) {
		free(finding.message);
		free(finding.origin);
		return;
	}
	findings = reallocarray(lint->findings, lint->count + 1, sizeof(*findings));
	if (findings)
		lint->findings = findings;
	if (!findings || !finding.message || (origin && !finding.origin)) {
		lint->failed = true;
		free(finding.message);
		free(finding.origin);
		return;
	}
	findings[lint->count++] = finding;
}

uint64_t cli_lint_allowed(const struct cli_lint *lint, const char *path, uint64_t rights)
{
	struct reeve_decision decision;

	reeve_decide_path(lint->domain, path, rights, &decision);
	return decision.allowed ? rights : rights & ~decision.missing;
}

struct granting {
	uint64_t rights;
	struct reeve_rule rule;
	bool found;
};

static int on_rule(void *data, const struct reeve_rule *rule)
{
	struct granting *granting = data;

	if ((rule->flags & REEVE_RULE_DENY) || !(rule->allowed & granting->rights))
		return 0;
	granting->rule = *rule;
	granting->found = true;
	return 1;
}

bool cli_lint_granting(
	const struct cli_lint *lint, const char *path, uint64_t rights, struct reeve_rule *ret)
{
	struct granting granting = {.rights = rights};

	reeve_ruleset_match_path(lint->ruleset, path, on_rule, &granting);
	*ret = granting.rule;
	return granting.found;
}

/* ------------------------------------------------------------------------- printing */

struct lint_options {
	struct cli_rules rules;
	const char *fail_on, *level, *used;
	bool json;
};

static const char *const level_names[] = {
	[CLI_LINT_NOTE] = "note", [CLI_LINT_WARNING] = "warning", [CLI_LINT_ERROR] = "error"};

static int print_json(const struct cli_lint *lint, const struct cli_finding *finding)
{
	const struct cli_lint_check *check = &checks[finding->kind];
	json_t *line = cli_json_new("finding");

	if (!line)
		return cli_fail(NULL, "out of memory");
	cli_json_text(line, "policy", lint->name);
	cli_json_text(line, "check", check->name);
	cli_json_text(line, "level", level_names[check->level]);
	cli_json_text(line, "origin", finding->origin);
	cli_json_text(line, "message", finding->message);
	json_object_set_new(line, "more", json_integer((json_int_t)finding->more));
	cli_json_text(line, "why", check->why);
	cli_json_text(line, "instead", check->instead);
	return cli_json_line(line) ? 0 : cli_fail(NULL, "out of memory");
}

static int print_text(const struct cli_lint *lint, const struct cli_finding *finding)
{
	const struct cli_lint_check *check = &checks[finding->kind];
	cli_autoescape char *origin = cli_escape(finding->origin ? finding->origin : lint->name);

	printf("%s: ", origin);
	cli_styled(
		check->level == CLI_LINT_NOTE ? CLI_HEADING : CLI_BAD, level_names[check->level]);
	printf(": %s", finding->message);
	if (finding->more)
		printf("; and %zu more", finding->more);
	printf(" [%s]\n  why: ", check->name);
	cli_fill(stdout, 7, 7, check->why);
	fputs("  instead: ", stdout);
	cli_fill(stdout, 11, 11, check->instead);
	return 0;
}

/* Worst first, then as they were found, which is the order of the rules. */
static int print_all(const struct cli_lint *lint, const struct lint_options *options,
	enum cli_lint_level least, int *ret_worst)
{
	int r = 0;

	for (int level = CLI_LINT_ERROR; level >= CLI_LINT_NOTE; level--)
		for (size_t i = 0; r == 0 && i < lint->count; i++) {
			const struct cli_finding *finding = &lint->findings[i];

			if ((int)checks[finding->kind].level != level ||
				cli_lint_is_annotated(lint, finding))
				continue;
			*ret_worst = level > *ret_worst ? level : *ret_worst;
			if (level < (int)least)
				continue;
			r = options->json ? print_json(lint, finding) : print_text(lint, finding);
		}
	return r;
}

/* ------------------------------------------------------------------------- the verb */

static void release(struct cli_lint *lint)
{
	for (size_t i = 0; i < lint->count; i++) {
		free(lint->findings[i].origin);
		free(lint->findings[i].message);
	}
	free(lint->findings);
	reeve_domain_free(lint->domain);
}

static int look(struct cli_lint *lint, const struct lint_options *options)
{
	int r;

	lint->ruleset = reeve_policy_ruleset(lint->policy);
	reeve_ruleset_handled(lint->ruleset, &lint->handled);
	r = reeve_domain_new(NULL, (struct reeve_ruleset *)lint->ruleset, &lint->domain);
	if (r < 0)
		return cli_fail(NULL, "out of memory");
	cli_lint_rules(lint);
	cli_lint_places(lint);
	r = options->used ? cli_lint_used(lint, options->used) : 0;
	return r == 0 && lint->failed ? cli_fail(NULL, "out of memory") : r;
}

static int parse_level(const char *option, const char *word, enum cli_lint_level *ret)
{
	cli_autoescape char *shown = cli_escape(word);

	for (size_t i = 0; word && i < CLI_COUNT(level_names); i++)
		if (strcmp(level_names[i], word) == 0) {
			*ret = (enum cli_lint_level)i;
			return 0;
		}
	return word ? cli_fail(NULL, "policy lint: %s %s: expected error, warning or note", option,
			      shown)
		    : 0;
}

static int lint_policy(const struct reeve_policy *policy, const char *name,
	const struct lint_options *options, int *ret_worst)
{
	struct cli_lint lint = {.policy = policy, .name = name};
	enum cli_lint_level least = CLI_LINT_WARNING;
	int r = parse_level("--level", options->level, &least);

	if (r == 0)
		r = look(&lint, options);
	if (r == 0)
		r = print_all(&lint, options, least, ret_worst);
	release(&lint);
	return r;
}

/* A file or profile alone. Paths that are not there are findings. */
static int lint_named(const char *name, const struct lint_options *options, int *ret_worst)
{
	struct reeve_resolve_options resolve = {.size = sizeof(resolve), .keep_missing = true};
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	int r = reeve_policy_new(&policy);

	if (r < 0)
		return cli_fail(NULL, "out of memory");
	r = cli_policy_load_named(policy, name, &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, &resolve, &err);
	if (r < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	return lint_policy(policy, name, options, ret_worst);
}

static int lint_built(const struct lint_options *options, int *ret_worst)
{
	struct cli_build build = {.rules = &options->rules};
	const struct cli_list *policies = &options->rules.policies;
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};

	if (cli_build_policy(&build, &policy, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	return lint_policy(
		policy, policies->count ? policies->items[0] : "workspace", options, ret_worst);
}

static int run_lint(void *data, const struct cli_operands *operands)
{
	const struct lint_options *options = data;
	enum cli_lint_level fail_on = CLI_LINT_WARNING;
	int worst = -1, r = parse_level("--fail-on", options->fail_on, &fail_on);

	if (operands->count > 0 && (options->rules.count || options->rules.policies.count))
		return cli_fail(NULL, "policy lint: FILE, or -p and rules, not both");
	for (int i = 0; r == 0 && i < operands->count; i++)
		r = lint_named(operands->items[i], options, &worst);
	if (r == 0 && operands->count == 0)
		r = lint_built(options, &worst);
	if (r)
		return r;
	return worst >= (int)fail_on ? CLI_NO : CLI_OK;
}

#define AT(member) offsetof(struct lint_options, member)

static const struct cli_option lint_options[] = {
	{"--fail-on", 0, "LEVEL",
		"exit with 1 from this level on: error, warning (unless said), note", CLI_NOTHING,
		CLI_STRING, AT(fail_on)},
	{"--level", 0, "LEVEL", "print from this level on; warning unless said", CLI_NOTHING,
		CLI_STRING, AT(level)},
	{"--used", 0, "FILE", "compare with what was used: JSON lines of deps, learn or --events",
		CLI_PATHS, CLI_STRING, AT(used)},
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG, AT(json)},
	{0},
};

const struct cli_verb cli_verb_policy_lint = {
	.name = "policy lint",
	.synopsis = "[FILE]...",
	.summary = "Find what a policy should not allow, and what in it has no effect",
	.text = "Each FILE (or profile) is looked at alone; without one, what -p and rules make,\n"
		"or workspace. A comment \"# lint: CHECK: REASON\" in or above a rule's table\n"
		"says that a finding is meant.\n"
		"\n"
		"Exit code: 0 nothing found; 1 something from --fail-on's level on; 125 reeve\n"
		"failed.\n",
	.options = lint_options,
	.size = sizeof(struct lint_options),
	.takes_rules = true,
	.rules_offset = AT(rules),
	.complete = CLI_POLICIES,
	.run = run_lint,
};
