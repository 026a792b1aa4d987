/* SPDX-License-Identifier: MIT */
/* `reeve explain`: may the program do this, and which line of which file says so? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "explain.h"
#include "remedy.h"
#include "verbs.h"

struct explain_options {
	struct cli_rules rules;
	const char *domain;
	bool denied;
};

/* ------------------------------------------------------------------- access */

#define MAKE_ANY                                                                                   \
	(REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SYM | REEVE_FS_REMOVE_DIR |         \
		REEVE_FS_REMOVE_FILE)

static const struct cli_access_word words[] = {
	{"read", "read a file, or list a directory", REEVE_FS_READ_FILE, REEVE_FS_READ_DIR,
		REEVE_FS_READ_FILE},
	{"write", "change or truncate a file, create one, or change a directory's entries",
		REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE, MAKE_ANY,
		REEVE_FS_MAKE_REG | REEVE_FS_WRITE_FILE},
	{"execute", "execute a file", REEVE_FS_EXECUTE, REEVE_FS_EXECUTE, REEVE_FS_EXECUTE},
};

const char *cli_explain_word_at(size_t i, const char **ret_does)
{
	if (i >= CLI_COUNT(words))
		return NULL;
	*ret_does = words[i].does;
	return words[i].word;
}

static int unknown_access(const char *name)
{
	cli_autoescape char *shown = cli_escape(name);
	struct cli_nearest near = {.word = name};
	const struct reeve_right_info *right;
	const char *found;
	char hint[96] = "read, write, execute, or a right: `reeve check` lists them";

	for (size_t i = 0; i < CLI_COUNT(words); i++)
		cli_nearest_try(&near, words[i].word);
	for (size_t i = 0; (right = reeve_right_at(i)); i++)
		cli_nearest_try(&near, strchr(name, '.') ? right->full_name : right->name);
	found = cli_nearest_found(&near);
	if (found)
		snprintf(hint, sizeof(hint), "did you mean %s?", found);
	return cli_fail(hint, "explain: unknown access %s", shown);
}

int cli_explain_parse_access(const char *name, struct cli_access *ret)
{
	const struct reeve_right_info *right = reeve_right_find(REEVE_CLASS_COUNT, name);

	for (size_t i = 0; i < CLI_COUNT(words); i++)
		if (strcmp(words[i].word, name) == 0) {
			*ret = (struct cli_access){
				.cls = REEVE_FS, .name = words[i].word, .word = &words[i]};
			return 0;
		}
	for (int cls = 0; !right && cls < REEVE_CLASS_COUNT; cls++)
		right = reeve_right_find((enum reeve_class)cls, name);
	if (!right)
		return unknown_access(name);
	*ret = (struct cli_access){
		.cls = right->cls, .rights = right->bit, .name = right->full_name};
	return 0;
}

/* ------------------------------------------------------------------- answers */

const char *cli_explain_names(enum reeve_class cls, uint64_t rights)
{
	static char text[512];

	return reeve_rights_format(cls, rights, text, sizeof(text));
}

static void print_verdict(const struct cli_inquiry *inquiry, bool allowed)
{
	cli_styled(allowed ? CLI_GOOD : CLI_BAD, allowed ? "allowed" : "denied");
	printf(": %s%s%s\n", inquiry->access.name, inquiry->object[0] ? " on " : "",
		inquiry->object);
}

/* Who enforces one right here: the plan's item of that name. */
static const struct reeve_plan_item *item_of(
	const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t bit)
{
	const struct reeve_right_info *right = reeve_right_of_bit(cls, bit);
	const struct reeve_plan_item *item;

	for (size_t i = 0; inquiry->plan && right && (item = reeve_plan_at(inquiry->plan, i)); i++)
		if (strcmp(item->feature, right->full_name) == 0)
			return item;
	return NULL;
}

/* The rights among `missing` that the policy denies and that were given up by name here. */
static uint64_t degraded_of(
	const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t missing)
{
	uint64_t degraded = 0;

	for (uint64_t rest = missing; rest; rest &= rest - 1) {
		uint64_t bit = rest & ~(rest - 1);
		const struct reeve_plan_item *item = item_of(inquiry, cls, bit);

		if (!item)
			continue;
		if (item->by == REEVE_DEGRADED)
			degraded |= bit;
		if (item->by == REEVE_BY_NOBODY)
			printf("  but nobody enforces %s here, so `reeve run` refuses: %s\n",
				item->feature, item->why);
	}
	return degraded;
}

/* "denied" is only half an answer where the kernel cannot do it and the policy gave it up. */
int cli_explain_verdict(const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t missing)
{
	uint64_t degraded = degraded_of(inquiry, cls, missing);
	bool allowed = (missing & ~degraded) == 0;

	print_verdict(inquiry, allowed);
	if (missing & degraded)
		printf("  the policy denies %s, but gives it up where it cannot be enforced, as "
		       "here\n",
			cli_explain_names(cls, missing & degraded));
	return allowed ? CLI_OK : CLI_NO;
}

void cli_explain_unhandled(const struct cli_inquiry *inquiry, enum reeve_class cls, uint64_t rights)
{
	uint64_t free_rights = rights & ~inquiry->handled.of[cls];

	if (free_rights)
		printf("  not handled by the policy, so allowed everywhere: %s\n",
			cli_explain_names(cls, free_rights));
}

/* The comment above the table that line `number` of a domain's policy is in. */
static char *comment_above(const char *text, unsigned long number)
{
	const char *comment = NULL, *line = text;

	for (unsigned long i = 1; i < number && line && *line; i++) {
		comment = strncmp(line, "# ", 2) == 0 ? line + 2 : *line == '\n' ? NULL : comment;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return comment ? strndup(comment, strcspn(comment, "\n")) : NULL;
}

char *cli_explain_origin(const struct cli_inquiry *inquiry, const struct reeve_rule *rule)
{
	const char *colon = rule->origin ? strrchr(rule->origin, ':') : NULL;
	cli_autofree char *comment = NULL;

	if (inquiry->text && colon)
		comment = comment_above(inquiry->text, strtoul(colon + 1, NULL, 10));
	if (comment)
		return cli_escape(comment);
	return cli_escape(rule->origin && !inquiry->text ? rule->origin : "no origin");
}

void cli_explain_grant(
	const struct cli_inquiry *inquiry, const struct reeve_rule *rule, uint64_t rights)
{
	cli_autoescape char *object = cli_rule_object(rule);
	cli_autoescape char *origin = cli_explain_origin(inquiry, rule);

	printf("  %s: %srule on %s, %s\n", cli_explain_names(reeve_rule_class(rule->type), rights),
		rule->flags & REEVE_RULE_LIVE ? "live " : "", object ? object : "?", origin);
}

/* --------------------------------------------------------------------- files */

struct path_answer {
	const struct cli_inquiry *inquiry;
	uint64_t wanted;   /* not yet granted by a rule that was printed */
	bool nearest_said; /* the deepest rule was shown */
	bool denied_by_rule;
};

static int on_grant(void *data, const struct reeve_rule *rule)
{
	struct path_answer *answer = data;
	uint64_t granted = rule->allowed & answer->wanted;

	if ((rule->flags & REEVE_RULE_DENY) || !granted)
		return 0;
	cli_explain_grant(answer->inquiry, rule, granted);
	answer->wanted &= ~granted;
	return answer->wanted == 0;
}

/* The denial's cause: an exception, or that the nearest rule does not reach. */
static int on_denial(void *data, const struct reeve_rule *rule)
{
	struct path_answer *answer = data;
	cli_autoescape char *path = cli_escape(rule->path);
	cli_autoescape char *origin = cli_explain_origin(answer->inquiry, rule);
	char rights[512];

	if ((rule->flags & REEVE_RULE_DENY) && rule->allowed && !(rule->allowed & answer->wanted))
		return 0;
	if (rule->flags & REEVE_RULE_DENY) {
		cli_remedy_print_denial(path, origin);
		answer->denied_by_rule = true;
		return 1;
	}
	if (!answer->nearest_said && rule->allowed)
		printf("  nearest rule: %s (%s), %s\n", path,
			reeve_rights_format(REEVE_FS, rule->allowed, rights, sizeof(rights)),
			origin);
	answer->nearest_said = answer->nearest_said || rule->allowed;
	return 0;
}

static void explain_denied_path(const struct cli_inquiry *inquiry, const struct cli_object *object,
	const char *judged, uint64_t missing)
{
	struct path_answer answer = {.inquiry = inquiry, .wanted = missing};
	const char *place = object->mode ? judged : object->parent;
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH, .allowed = missing};
	cli_autofree char *flag = NULL;

	printf("  missing: %s\n", cli_explain_names(REEVE_FS, missing));
	reeve_ruleset_match_path(inquiry->ruleset, judged, on_denial, &answer);
	if (!answer.nearest_said && !answer.denied_by_rule)
		puts("  no rule is on it, or above it");
	if (answer.denied_by_rule)
		return;
	/* A flag's path must exist. */
	flag = cli_flag_for_path(place, missing);
	rule.path = place;
	cli_remedy_print(flag, &rule);
}

/* Rules that speak of UNIX sockets grant resolve_unix on what is there and below. */
static bool socket_rule_on(
	const struct cli_inquiry *inquiry, const char *path, struct reeve_rule *ret)
{
	for (size_t i = 0; reeve_ruleset_at(inquiry->ruleset, i, ret) == 0; i++) {
		size_t length = ret->type == REEVE_RULE_UNIX_SOCKET ? strlen(ret->path) : 0;

		if (length && strncmp(ret->path, path, length) == 0 &&
			(path[length] == '\0' || path[length] == '/'))
			return true;
	}
	return false;
}

/* Connecting to a pathname UNIX socket: a right of ABI 9, a scope, and rules of its own. */
static bool reaches_socket(const struct cli_inquiry *inquiry, const char *path)
{
	cli_autoescape char *shown = NULL;
	struct reeve_rule rule;

	if (!socket_rule_on(inquiry, path, &rule))
		return false;
	shown = cli_explain_origin(inquiry, &rule);
	print_verdict(inquiry, true);
	printf("  resolve_unix: UNIX socket rule, %s\n", shown);
	return true;
}

static int explain_scoped_socket(const struct cli_inquiry *inquiry, const char *path)
{
	uint64_t scope = REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	int code = cli_explain_verdict(inquiry, REEVE_SCOPE, scope);
	const struct reeve_rule rule = {
		.type = REEVE_RULE_UNIX_SOCKET, .allowed = REEVE_FS_RESOLVE_UNIX, .path = path};
	cli_autofree char *flag = cli_flag_for_path(path, REEVE_FS_RESOLVE_UNIX);

	puts("  scope pathname_unix_socket: only sockets made inside the sandbox are reachable");
	if (code != CLI_OK)
		cli_remedy_print(flag, &rule);
	return code;
}

static int decide_path(const struct cli_inquiry *inquiry, const struct cli_object *object,
	const char *judged, uint64_t rights)
{
	struct path_answer answer = {
		.inquiry = inquiry, .wanted = rights & inquiry->handled.of[REEVE_FS]};
	struct reeve_domain *domain = NULL;
	struct reeve_decision decision;
	int r = reeve_domain_new(NULL, (struct reeve_ruleset *)inquiry->ruleset, &domain);

	if (r < 0)
		return cli_fail(NULL, "out of memory");
	reeve_decide_path(domain, judged, rights, &decision);
	reeve_domain_free(domain);
	r = cli_explain_verdict(inquiry, REEVE_FS, decision.allowed ? 0 : decision.missing);
	cli_explain_unhandled(inquiry, REEVE_FS, rights);
	if (!decision.allowed)
		answer.wanted &= ~decision.missing;
	if (answer.wanted)
		reeve_ruleset_match_path(inquiry->ruleset, judged, on_grant, &answer);
	if (r != CLI_OK)
		explain_denied_path(inquiry, object, judged, decision.missing);
	return r;
}

/* Rights that change a file, or put another one in its place. */
#define CHANGES (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE | MAKE_ANY)

/* A loaded policy file that the rules alone would let be changed. */
static bool is_protected(
	const struct cli_inquiry *inquiry, const struct cli_object *object, uint64_t rights)
{
	return inquiry->policy && (rights & CHANGES) && !S_ISDIR(object->mode) &&
	       cli_is_protected(inquiry->policy, object->path);
}

static int explain_protected(const struct cli_inquiry *inquiry, uint64_t rights)
{
	print_verdict(inquiry, false);
	printf("  missing: %s\n", cli_explain_names(REEVE_FS, rights & CHANGES));
	cli_remedy_print_denial(inquiry->object, CLI_PROTECTED);
	return CLI_NO;
}

static int explain_path(struct cli_inquiry *inquiry, const char *given)
{
	cli_autoobject object = {0};
	cli_autoescape char *shown = NULL;
	const char *judged;
	uint64_t rights;
	int r = cli_object_find(given, &object);

	if (r)
		return r;
	judged = cli_object_judged(&object, &inquiry->access, &rights);
	shown = cli_escape(object.path);
	inquiry->object = shown;
	if (is_protected(inquiry, &object, rights & inquiry->handled.of[REEVE_FS]))
		return explain_protected(inquiry, rights & inquiry->handled.of[REEVE_FS]);
	if (rights == REEVE_FS_RESOLVE_UNIX) {
		if (reaches_socket(inquiry, judged))
			return CLI_OK;
		if ((inquiry->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET) &&
			!(inquiry->handled.of[REEVE_FS] & rights))
			return explain_scoped_socket(inquiry, judged);
	}
	return decide_path(inquiry, &object, judged, rights);
}

/* ------------------------------------------------------------------- the verb */

int cli_explain_answer(struct cli_inquiry *inquiry, int count, char *const *items)
{
	static int (*const explain[REEVE_CLASS_COUNT])(struct cli_inquiry *, const char *) = {
		[REEVE_FS] = explain_path,
		[REEVE_NET] = cli_explain_port,
		[REEVE_SOCKET] = cli_explain_socket,
		[REEVE_SCOPE] = cli_explain_scope,
	};
	static const char *const expected[REEVE_CLASS_COUNT] = {
		"a path", "a port", "FAMILY[:TYPE[:PROTOCOL]]", ""};
	enum reeve_class cls = inquiry->access.cls;

	if (count > 2)
		return cli_fail(NULL, "explain: one ACCESS and one OBJECT");
	if (count < 2 && cls != REEVE_SCOPE)
		return cli_fail(NULL, "explain: %s needs an OBJECT: %s", inquiry->access.name,
			expected[cls]);
	return explain[cls](inquiry, count > 1 ? items[1] : "");
}

int cli_explain_policy(const struct reeve_policy *policy, const struct cli_access *access,
	int count, char *const *items)
{
	struct cli_inquiry inquiry = {.access = *access, .object = "", .policy = policy};
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_describe(policy, NULL, &plan, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	inquiry.ruleset = reeve_policy_ruleset(policy);
	inquiry.plan = plan;
	reeve_ruleset_handled(inquiry.ruleset, &inquiry.handled);
	return cli_explain_answer(&inquiry, count, items);
}

static int explain_policy(const struct explain_options *given, const struct cli_operands *operands)
{
	struct cli_build build = {.rules = &given->rules};
	cli_autopolicy *policy = NULL;
	struct cli_access access;
	struct reeve_error err = {0};
	int r = cli_explain_parse_access(operands->items[0], &access);

	if (r)
		return r;
	if (cli_build_policy(&build, &policy, &err) == 0)
		return cli_explain_policy(policy, &access, operands->count, operands->items);
	cli_print_error(&err);
	return CLI_ERROR;
}

static int explain_denied(const struct explain_options *given, const struct cli_operands *operands)
{
	if (given->rules.count || given->rules.policies.count || given->domain)
		return cli_fail("`reeve explain --denied [ID]`",
			"explain: --denied is about what was denied in a run: no policy, no rules");
	if (operands->count > 1)
		return cli_fail(NULL, "explain: --denied takes at most one ID");
	return cli_explain_denied(operands->count ? operands->items[0] : NULL);
}

static int explain_running(
	const struct explain_options *given, const char *id, int count, char *const *items)
{
	if (given->rules.count || given->rules.policies.count)
		return cli_fail(NULL, "explain: a running domain is asked: no policy, no rules");
	return cli_explain_domain(id, count, items);
}

static int run_explain(void *data, const struct cli_operands *operands)
{
	const struct explain_options *given = data;

	if (given->denied)
		return explain_denied(given, operands);
	if (operands->count == 0)
		return cli_fail("reeve explain read ~/.ssh", "explain: say ACCESS and OBJECT");
	/* "ID ACCESS OBJECT" is the same as "--domain ID ACCESS OBJECT". */
	if (!given->domain && operands->count == 3 && access(operands->items[0], F_OK) == 0 &&
		strchr(operands->items[0], '.'))
		return cli_fail("name a policy with -p",
			"explain: ID ACCESS OBJECT: the first of three is a domain, and no file");
	if (!given->domain && operands->count == 3)
		return explain_running(given, operands->items[0], 2, operands->items + 1);
	if (!given->domain)
		return explain_policy(given, operands);
	return explain_running(given, given->domain, operands->count, operands->items);
}

static const struct cli_option options[] = {
	{"--domain", 0, "ID", "ask a running domain: its id, name, or the pid of a process in it",
		CLI_NOTHING, CLI_STRING, offsetof(struct explain_options, domain)},
	{"--denied", 0, NULL, "explain each denial of a run: of ID, or the last one", CLI_NOTHING,
		CLI_FLAG, offsetof(struct explain_options, denied)},
	{0},
};

static const char text[] =
	"ACCESS is `read`, `write` or `execute`, or the name of a right or scope:\n"
	"\"read_file\", \"fs.read_file\"; `reeve check` lists them. OBJECT is\n"
	"  a path                     for rights of files\n"
	"  [ADDRESS:]PORT             for bind_tcp, connect_tcp, bind_udp,\n"
	"                             connect_send_udp\n"
	"  FAMILY[:TYPE[:PROTOCOL]]   for socket.create; stream and 0 unless said\n"
	"  nothing                    for scopes\n"
	"A path is followed as the kernel would; make_* and remove_* are judged where\n"
	"Landlock does, at the directory.\n"
	"\n"
	"With --denied the operand is the ID of a run, which may have ended.\n"
	"\n"
	"Exit code: 0 allowed; 1 denied, or no such domain; 125 reeve failed. With\n"
	"--denied 0, whether there are any or not.\n"
	"\n"
	"Examples:\n"
	"  reeve explain read ~/.ssh/id_ed25519\n"
	"  reeve explain -p none --rw /tmp write /tmp/new\n"
	"  reeve explain connect_tcp 443\n"
	"  reeve explain socket.create inet:dgram\n"
	"  reeve explain --domain build write /srv   what a running domain says\n"
	"  reeve explain --denied                    what was denied in the last run\n";

const struct cli_verb cli_verb_explain = {
	.name = "explain",
	.synopsis = "[ID] ACCESS OBJECT",
	.summary = "Tell whether an access is allowed, and which line says so",
	.text = text,
	.options = options,
	.size = sizeof(struct explain_options),
	.takes_rules = true,
	.rules_offset = offsetof(struct explain_options, rules),
	.complete = CLI_ACCESSES,
	.run = run_explain,
};
