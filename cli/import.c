/* SPDX-License-Identifier: MIT */
/* `reeve policy import`: policies from what other tools were told. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "import.h"
#include "verbs.h"

/* --------------------------------------------------------------- what it came to */

static char *copy(struct cli_import *import, const char *text)
{
	char *copied = text ? strdup(text) : NULL;

	import->failed = import->failed || (text && !copied);
	return copied;
}

void cli_import_rule(struct cli_import *import, const struct reeve_rule *rule)
{
	struct reeve_rule *rules = reallocarray(
				  import->rules, import->count + 1, sizeof(*import->rules)),
			  *added;

	if (!rules) {
		import->failed = true;
		return;
	}
	import->rules = rules;
	added = &rules[import->count++];
	*added = *rule;
	added->path = copy(import, rule->path);
	added->address = copy(import, rule->address);
	added->origin = copy(import, rule->origin);
	import->handled.of[reeve_rule_class(rule->type)] |= rule->allowed;
}

void cli_import_ports(struct cli_import *import, uint64_t right, unsigned int first,
	unsigned int last, const char *origin)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.allowed = right,
		.port_first = (uint16_t)first,
		.port_last = (uint16_t)last,
		.origin = origin};

	cli_import_rule(import, &rule);
}

void cli_import_family(struct cli_import *import, int family, const char *origin)
{
	const struct reeve_rule rule = {.type = REEVE_RULE_SOCKET,
		.allowed = REEVE_SOCKET_CREATE,
		.socket_family = family,
		.socket_type = REEVE_SOCKET_ANY,
		.socket_protocol = REEVE_SOCKET_ANY,
		.origin = origin};

	cli_import_rule(import, &rule);
}

void cli_import_no_network(
	struct cli_import *import, bool unix_too, bool netlink_too, const char *origin)
{
	import->handled.of[REEVE_NET] |= REEVE_NET_BIND_TCP | REEVE_NET_CONNECT_TCP;
	import->handled.of[REEVE_SOCKET] |= REEVE_SOCKET_CREATE;
	import->handled.of[REEVE_SCOPE] |= REEVE_SCOPE_ABSTRACT_UNIX_SOCKET;
	if (unix_too)
		cli_import_family(import, AF_UNIX, origin);
	if (netlink_too)
		cli_import_family(import, AF_NETLINK, origin);
}

void cli_import_note(struct cli_import *import, enum cli_import_fate fate, const char *origin,
	const char *what, const char *why, ...)
{
	struct cli_import_note *notes =
		reallocarray(import->notes, import->note_count + 1, sizeof(*import->notes));
	struct cli_import_note *note;
	va_list args;

	if (!notes) {
		import->failed = true;
		return;
	}
	import->notes = notes;
	note = &notes[import->note_count++];
	*note = (struct cli_import_note){
		.fate = fate, .origin = copy(import, origin), .what = copy(import, what)};
	va_start(args, why);
	if (vasprintf(&note->why, why, args) < 0) {
		note->why = NULL;
		import->failed = true;
	}
	va_end(args);
}

char *cli_import_text(struct cli_import *import, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		import->failed = true;
	}
	va_end(args);
	return text;
}

char *cli_import_words(struct cli_import *import, char *const *argv, int first, int count)
{
	char *line = cli_import_text(import, "%s", "");

	for (int i = first; line && i < first + count; i++) {
		char *longer =
			cli_import_text(import, "%s%s%s", line, i > first ? " " : "", argv[i]);

		free(line);
		line = longer;
	}
	return line;
}

/* ------------------------------------------------------------------------- paths */

/* "a/b" behind what realpath(3) made of its directory. */
static char *beneath(struct cli_import *import, char *directory, const char *name)
{
	char *path = cli_import_text(
		import, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name);

	free(directory);
	return path;
}

/* What is not there keeps its name, in the directory that its own directory is. */
static char *real_path(struct cli_import *import, const char *path, unsigned int depth)
{
	cli_autofree char *copied = copy(import, path);
	char *found = copied ? realpath(path, NULL) : NULL, *slash, *directory;

	if (found || !copied || depth > PATH_MAX / 2)
		return found;
	while ((slash = strrchr(copied, '/')) && slash > copied && slash[1] == '\0')
		*slash = '\0';
	if (!slash || !slash[1])
		return cli_import_text(import, "%s", path);
	*slash = '\0';
	directory = slash == copied ? copy(import, "/") : real_path(import, copied, depth + 1);
	return directory ? beneath(import, directory, slash + 1) : NULL;
}

char *cli_import_path(struct cli_import *import, const char *path)
{
	cli_autofree char *cwd = NULL, *joined = NULL;

	if (path[0] == '/')
		return real_path(import, path, 0);
	cwd = getcwd(NULL, 0);
	joined = cwd ? cli_import_text(import, "%s/%s", cwd, path) : NULL;
	import->failed = import->failed || !joined;
	return joined ? real_path(import, joined, 0) : NULL;
}

/* ----------------------------------------------------------------------- writing */

static mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* The file is replaced at once, or not at all. */
static int store(const char *name, const char *text)
{
	cli_autoescape char *shown = cli_escape(name);
	cli_autofree char *temporary = NULL;
	struct stat st;
	int fd, r;

	/* What would be replaced has to be a file: neither a device nor what a link is for. */
	if (lstat(name, &st) == 0 && !S_ISREG(st.st_mode))
		return cli_fail(NULL, "-o: %s: not a regular file", shown);
	if (asprintf(&temporary, "%s.XXXXXX", name) < 0)
		return cli_fail(NULL, "out of memory");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return cli_fail(NULL, "-o: %s: %s", shown, strerror(errno));
	r = cli_out_write(fd, text, strlen(text));
	if (r == 0 && fchmod(fd, 0666 & ~current_umask()) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, name) < 0)
		r = -errno;
	if (r == 0)
		return CLI_OK;
	unlink(temporary);
	return cli_fail(NULL, "-o: %s: %s", shown, strerror(-r));
}

/* -------------------------------------------------------------------- the verb */

struct import_options {
	const char *output;
	bool strict;
};

#define AT(member) offsetof(struct import_options, member)

static const struct cli_option options[] = {
	{"--output", 'o', "FILE", "write the policy there; - or nothing: standard output",
		CLI_PATHS, CLI_STRING, AT(output)},
	{"--strict", 0, NULL, "exit with 1 where something has no equivalent", CLI_NOTHING,
		CLI_FLAG, AT(strict)},
	{0},
};

static const struct {
	const char *name, *does;
	int (*read)(struct cli_import *import, const struct cli_operands *operands);
} formats[] = {
	{"landrun", "a command line of landrun", cli_import_landrun},
	{"bwrap", "a command line of bubblewrap", cli_import_bwrap},
	{"sandboxer", "variables of the kernel's sandboxer sample", cli_import_sandboxer},
	{"systemd", "unit files", cli_import_systemd},
	{"firejail", "profiles of firejail", cli_import_firejail},
};

const char *cli_import_format_at(size_t i, const char **ret_does)
{
	if (i >= CLI_COUNT(formats))
		return NULL;
	*ret_does = formats[i].does;
	return formats[i].name;
}

static int unknown_format(const char *name)
{
	cli_autoescape char *shown = cli_escape(name);

	return cli_fail(
		"`reeve policy import FORMAT`: landrun, bwrap, sandboxer, systemd or firejail",
		"policy import: unknown format %s", shown);
}

static void release(struct cli_import *import)
{
	for (size_t i = 0; i < import->count; i++) {
		free((char *)import->rules[i].path);
		free((char *)import->rules[i].address);
		free((char *)import->rules[i].origin);
	}
	for (size_t i = 0; i < import->note_count; i++) {
		free(import->notes[i].origin);
		free(import->notes[i].what);
		free(import->notes[i].why);
	}
	free(import->rules);
	free(import->notes);
}

/* What has no equivalent is said on stderr too. How many there are. */
static size_t report(const struct cli_import *import)
{
	size_t without = 0;

	for (size_t i = 0; i < import->note_count; i++) {
		const struct cli_import_note *note = &import->notes[i];
		cli_autoescape char *origin = cli_escape(note->origin);
		cli_autoescape char *what = cli_escape(note->what);
		cli_autoescape char *why = cli_escape(note->why);

		if (note->fate == CLI_IMPORT_COVERED)
			continue;
		fprintf(stderr, "reeve: %s: %s: %s: %s\n", origin, what,
			note->fate == CLI_IMPORT_NONE ? "no equivalent" : "not the same", why);
		without++;
	}
	return without;
}

/* What cannot be loaded must not be written. */
static int check(const char *text)
{
	struct reeve_resolve_options resolve = {.size = sizeof(resolve), .keep_missing = true};
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_load_text(
			policy, "policy import", text, strlen(text), REEVE_POLICY_TOML, &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, &resolve, &err);
	if (r == 0)
		return CLI_OK;
	cli_print_error(&err);
	return CLI_ERROR;
}

static bool handles_nothing(const struct cli_import *import)
{
	uint64_t handled = 0;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		handled |= import->handled.of[cls];
	return !handled && !import->deny;
}

static int hand_out(
	const struct cli_import *import, const struct import_options *wanted, const char *source)
{
	struct reeve_error err = {0};
	cli_autofree char *text = NULL;
	size_t without = report(import);
	int r;

	if (handles_nothing(import))
		return cli_fail(
			NULL, "policy import: nothing of it restricts what a policy can restrict");
	text = cli_import_to_toml(import, source, &err);
	if (!text && err.message[0]) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (!text)
		return cli_fail(NULL, "out of memory");
	r = check(text);
	if (r == CLI_OK && wanted->output && strcmp(wanted->output, "-") != 0)
		r = store(wanted->output, text);
	else if (r == CLI_OK)
		fputs(text, stdout);
	return r == CLI_OK && wanted->strict && without ? CLI_NO : r;
}

static int import_format(
	size_t format, const struct import_options *wanted, const struct cli_operands *operands)
{
	struct cli_import import = {.format = formats[format].name};
	struct cli_operands rest = {operands->count - 1, operands->items + 1};
	cli_autofree char *source = cli_import_words(&import, operands->items, 0, operands->count);
	int r = formats[format].read(&import, &rest);

	if (r == 0 && (import.failed || !source))
		r = cli_fail(NULL, "out of memory");
	if (r == 0)
		r = hand_out(&import, wanted, source);
	release(&import);
	return r;
}

static int run_import(void *data, const struct cli_operands *operands)
{
	if (operands->count == 0)
		return cli_fail("reeve policy import bwrap --ro-bind / / --dev /dev --unshare-net",
			"policy import: say which FORMAT");
	for (size_t i = 0; i < CLI_COUNT(formats); i++)
		if (strcmp(formats[i].name, operands->items[0]) == 0)
			return import_format(i, data, operands);
	return unknown_format(operands->items[0]);
}

static const char text[] =
	"FORMAT and what follows it:\n"
	"  landrun ARG...           a command line of landrun\n"
	"  bwrap ARG...             a command line of bubblewrap\n"
	"  sandboxer [LL_X=VALUE]...\n"
	"                           variables of the kernel's sandboxer sample; without\n"
	"                           operands those of the environment\n"
	"  systemd FILE...          unit files, drop-ins behind what they add to\n"
	"  firejail FILE...         profiles\n"
	"Each rule says where it came from. What has no equivalent is listed in comments\n"
	"and on standard error.\n"
	"\n"
	"Exit code: 0 done; 1 with --strict: something has no equivalent, or is not\n"
	"quite the same; 125 reeve failed, and nothing was written.\n";

const struct cli_verb cli_verb_policy_import = {
	.name = "policy import",
	.synopsis = "FORMAT [ARG]...",
	.summary = "Make a policy of what another sandbox was told",
	.text = text,
	.options = options,
	.size = sizeof(struct import_options),
	.first_operand_ends = true,
	.complete = CLI_FORMATS,
	.run = run_import,
};
