/* SPDX-License-Identifier: MIT */
/* The effective policy for people: what is handled, each rule with its origin, the settings. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"

#define OBJECT_WIDTH 34
#define RIGHTS_WIDTH 22

/* ------------------------------------------------------------------- rights */

#define READ	 (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)
#define NO_FLAG	 (REEVE_FS_RESOLVE_UNIX | REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK)
#define NO_WRITE (REEVE_FS_EXECUTE | NO_FLAG)

/* The rule flags' words for what they grant, least first. */
static const struct {
	const char *word;
	uint64_t rights;
} words[] = {
	{"ro", READ},
	{"rx", READ | REEVE_FS_EXECUTE},
	{"rw", ~(uint64_t)NO_WRITE},
	{"rwx", ~(uint64_t)NO_FLAG},
};

#define NO_WORD CLI_COUNT(words)

/* The word that says most with the fewest exceptions; NO_WORD: the names are shorter. */
static size_t word_for(uint64_t allowed, uint64_t possible)
{
	int least = __builtin_popcountll(allowed), exceptions;
	size_t found = NO_WORD;

	for (size_t i = 0; i < CLI_COUNT(words); i++) {
		exceptions = __builtin_popcountll(allowed ^ (words[i].rights & possible));
		if (exceptions >= least)
			continue;
		least = exceptions;
		found = i;
	}
	return found;
}

/* Appends " +a, b" or " -a, b"; nothing for no rights. */
static void append_rights(char *buf, size_t size, char sign, uint64_t rights)
{
	size_t length = strlen(buf);

	if (!rights || length + 3 >= size)
		return;
	length += (size_t)snprintf(buf + length, size - length, " %c", sign);
	reeve_rights_format(REEVE_FS, rights, buf + length, size - length);
}

char *cli_fs_rights(uint64_t allowed, uint64_t possible, char *buf, size_t size)
{
	size_t word = word_for(allowed, possible);
	uint64_t rights;

	if (word == NO_WORD)
		return reeve_rights_format(REEVE_FS, allowed, buf, size);
	rights = words[word].rights & possible;
	snprintf(buf, size, "%s", words[word].word);
	append_rights(buf, size, '+', allowed & ~rights);
	append_rights(buf, size, '-', rights & ~allowed);
	return buf;
}

static void print_words(uint64_t handled)
{
	char text[512];

	puts("\nWhere, as far as it is handled:");
	for (size_t i = 0; i < CLI_COUNT(words); i++) {
		reeve_rights_format(REEVE_FS, words[i].rights & handled, text, sizeof(text));
		printf("  %-5s", words[i].word);
		cli_fill(stdout, 7, 7, text);
	}
}

/* ------------------------------------------------------------------- objects */

static char *ports_of(const struct reeve_rule *rule)
{
	char *text = NULL;
	int r;

	if (rule->port_first == rule->port_last)
		r = asprintf(&text, "%u", rule->port_first);
	else
		r = asprintf(&text, "%u-%u", rule->port_first, rule->port_last);
	return r < 0 ? NULL : text;
}

static char *address_of(const struct reeve_rule *rule)
{
	cli_autofree char *ports = ports_of(rule);
	char *text = NULL;
	bool brackets = strchr(rule->address, ':') != NULL;

	if (!ports || asprintf(&text, "%s%s%s:%s", brackets ? "[" : "", rule->address,
			      brackets ? "]" : "", ports) < 0)
		return NULL;
	return text;
}

static char *socket_of(const struct reeve_rule *rule)
{
	char family[16], type[16], protocol[16] = "any", *text = NULL;

	if (rule->socket_protocol != REEVE_SOCKET_ANY)
		snprintf(protocol, sizeof(protocol), "%d", rule->socket_protocol);
	if (asprintf(&text, "%s:%s:%s", cli_socket_family_name(rule->socket_family, family),
		    cli_socket_type_name(rule->socket_type, type), protocol) < 0)
		return NULL;
	return text;
}

static char *path_of(const struct reeve_rule *rule)
{
	return cli_escape(rule->path);
}

char *cli_rule_object(const struct reeve_rule *rule)
{
	static char *(*const formats[])(const struct reeve_rule *) = {
		[REEVE_RULE_PATH_BENEATH] = path_of,
		[REEVE_RULE_NET_PORT] = ports_of,
		[REEVE_RULE_NET_ADDRESS] = address_of,
		[REEVE_RULE_SOCKET] = socket_of,
		[REEVE_RULE_UNIX_SOCKET] = path_of,
	};

	return formats[rule->type](rule);
}

/* -------------------------------------------------------------------- rules */

/* What a rule on this path can grant: on a file, rights of directories mean nothing. */
static uint64_t possible_at(const struct reeve_rule *rule, uint64_t handled)
{
	struct stat st;

	if (stat(rule->path, &st) == 0 && !S_ISDIR(st.st_mode))
		return handled & REEVE_FS_FILE_RIGHTS;
	return handled;
}

/* "denied: write_file, make_reg", or "denied: rw -read_file". */
static void denied_text(uint64_t denied, uint64_t handled, bool full, char *buf, size_t size)
{
	char rights[256];

	if (!denied)
		return;
	if (full)
		reeve_rights_format(REEVE_FS, denied, rights, sizeof(rights));
	else
		cli_fs_rights(denied, handled, rights, sizeof(rights));
	snprintf(buf, size, "denied: %s", rights);
}

static void rights_text(
	const struct reeve_rule *rule, uint64_t handled, bool full, char *buf, size_t size)
{
	enum reeve_class cls = reeve_rule_class(rule->type);
	uint64_t possible;

	if (rule->flags & REEVE_RULE_DENY) {
		snprintf(buf, size, "denied");
		denied_text(rule->allowed, handled, full, buf, size);
	} else if (rule->type == REEVE_RULE_UNIX_SOCKET) {
		snprintf(buf, size, "connect");
	} else if (!rule->allowed) {
		snprintf(buf, size, "-");
	} else if (rule->type == REEVE_RULE_PATH_BENEATH && !full) {
		possible = possible_at(rule, handled);
		cli_fs_rights(rule->allowed & possible, possible, buf, size);
	} else {
		reeve_rights_format(cls, rule->allowed, buf, size);
	}
}

/*
 * One column. On a terminal what is too long goes on in the next line; elsewhere it stays in one
 * line, for grep, and pushes the others.
 */
static void print_column(const char *text, unsigned int at, unsigned int width)
{
	if (isatty(STDOUT_FILENO) == 1 || cli_columns(text) < width)
		cli_column(stdout, text, at, width);
	else
		printf("%s  ", text);
}

/* Rights; on a terminal long ones are wrapped, and the origin stands below them. */
static void print_rights(const char *rights)
{
	const unsigned int at = 2 + OBJECT_WIDTH;

	if (isatty(STDOUT_FILENO) != 1 || cli_columns(rights) < RIGHTS_WIDTH) {
		print_column(rights, at, RIGHTS_WIDTH);
		return;
	}
	cli_fill(stdout, at, at, rights);
	printf("%*s", (int)at + RIGHTS_WIDTH, "");
}

static void print_rule(const struct reeve_rule *rule, const struct reeve_rights *handled, bool full)
{
	cli_autoescape char *object = cli_rule_object(rule);
	cli_autoescape char *origin = cli_escape(rule->origin);
	enum reeve_class cls = reeve_rule_class(rule->type);
	char rights[512], quiet[512];

	rights_text(rule, handled->of[cls], full, rights, sizeof(rights));
	fputs("  ", stdout);
	print_column(object ? object : "?", 2, OBJECT_WIDTH);
	print_rights(rights);
	printf("%s%s\n", origin, rule->flags & REEVE_RULE_LIVE ? " (live)" : "");
	if (rule->quiet)
		printf("  %*squiet: %s\n", OBJECT_WIDTH, "",
			reeve_rights_format(cls, rule->quiet, quiet, sizeof(quiet)));
}

static const struct {
	enum reeve_rule_type type;
	const char *heading;
} sections[] = {
	{REEVE_RULE_PATH_BENEATH, "Files and directories"},
	{REEVE_RULE_UNIX_SOCKET, "UNIX sockets"},
	{REEVE_RULE_NET_PORT, "Ports"},
	{REEVE_RULE_NET_ADDRESS, "Addresses"},
	{REEVE_RULE_SOCKET, "Sockets that may be created (family:type:protocol)"},
};

static size_t print_section(const struct reeve_ruleset *ruleset, size_t section, bool full)
{
	struct reeve_rights handled;
	struct reeve_rule rule;
	size_t printed = 0;

	reeve_ruleset_handled(ruleset, &handled);
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (rule.type != sections[section].type)
			continue;
		if (printed++ == 0) {
			putchar('\n');
			cli_styled(CLI_HEADING, sections[section].heading);
			putchar('\n');
		}
		print_rule(&rule, &handled, full);
	}
	return printed;
}

void cli_show_rules(const struct reeve_ruleset *ruleset, bool full)
{
	struct reeve_rights handled;
	size_t files = print_section(ruleset, 0, full), others = 0;

	for (size_t i = 1; i < CLI_COUNT(sections); i++)
		others += print_section(ruleset, i, full);
	if (files + others == 0)
		puts("\nNo rule: everything that is handled is denied.");
	reeve_ruleset_handled(ruleset, &handled);
	if (files > 0 && !full)
		print_words(handled.of[REEVE_FS]);
}

/* ----------------------------------------------------------- handled, settings */

void cli_show_handled(const struct reeve_ruleset *ruleset)
{
	static const char *const labels[] = {[REEVE_FS] = "fs",
		[REEVE_NET] = "net",
		[REEVE_SOCKET] = "socket",
		[REEVE_SCOPE] = "scopes"};
	struct reeve_rights handled;
	char text[512];

	reeve_ruleset_handled(ruleset, &handled);
	cli_styled(CLI_HEADING, "Handled");
	puts(" (denied unless a rule below grants it; scopes have no exceptions)");
	for (size_t i = 0; i < REEVE_CLASS_COUNT; i++) {
		reeve_rights_format((enum reeve_class)i, handled.of[i], text, sizeof(text));
		printf("  %-8s", labels[i]);
		cli_fill(stdout, 10, 10, handled.of[i] ? text : "nothing: everything is allowed");
	}
}

/* The words of `deny` in policy files. */
static const struct {
	unsigned int bit;
	const char *name;
} denials[] = {{REEVE_DENY_EXECUTE_MEMFD, "execute_memfd"}, {REEVE_DENY_SYSV_IPC, "sysv_ipc"},
	{REEVE_DENY_KEYRING, "keyring"}};

const char *cli_denial_name(size_t i)
{
	return i < CLI_COUNT(denials) ? denials[i].name : NULL;
}

unsigned int cli_denial_bit(size_t i)
{
	return denials[i].bit;
}

static void print_deny(unsigned int deny)
{
	if (!deny)
		return;
	fputs("  deny:", stdout);
	for (size_t i = 0; i < CLI_COUNT(denials); i++)
		if (deny & denials[i].bit)
			printf(" %s", denials[i].name);
	putchar('\n');
}

static void print_degraded(const struct reeve_policy *policy)
{
	const char *feature;

	if (!reeve_policy_degraded_at(policy, 0))
		return;
	fputs("  given up where it cannot be enforced:", stdout);
	for (size_t i = 0; (feature = reeve_policy_degraded_at(policy, i)); i++)
		printf("%s %s", i ? "," : "", feature);
	putchar('\n');
}

void cli_show_settings(const struct reeve_policy *policy)
{
	static const char *const datagram[] = {[REEVE_UNIX_DATAGRAM_REFUSE] = "refused",
		[REEVE_UNIX_DATAGRAM_MEDIATE] = "mediated"};
	struct reeve_policy_settings settings = {.size = sizeof(settings)};

	reeve_policy_settings(policy, &settings);
	if (!settings.deny && !settings.unix_datagram && !settings.private_tmpdir &&
		!settings.inner_landlock_floor_only && !reeve_policy_degraded_at(policy, 0))
		return;
	putchar('\n');
	cli_styled(CLI_HEADING, "Settings");
	putchar('\n');
	if (settings.private_tmpdir)
		puts("  TMPDIR: a private directory, made for the run");
	print_deny(settings.deny);
	if (settings.unix_datagram)
		printf("  UNIX datagram sockets: %s\n", datagram[settings.unix_datagram]);
	if (settings.inner_landlock_floor_only)
		puts("  Landlock inside: floor only");
	print_degraded(policy);
}
