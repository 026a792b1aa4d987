/* SPDX-License-Identifier: MIT */
/*
 * Imports from firejail's profiles (0.9.72): files, network, sockets, buses. What a profile does
 * not mention is allowed, but for what firejail always hides or makes read-only.
 *
 * firejail mounts private places first, then what is whitelisted, then all else in the profile's
 * order; so the commands are collected, and applied in three rounds.
 */
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "import_firejail.h"

#define INCLUDES_MAX 16

/* ---------------------------------------------------------------------- collecting */

void cli_firejail_add(struct firejail *fire, struct firejail_list *list, const char *text)
{
	char **items = reallocarray(list->items, list->count + 1, sizeof(*list->items));

	if (items)
		list->items = items;
	if (!items || !(items[list->count] = cli_import_text(fire->import, "%s", text)))
		fire->import->failed = true;
	else
		list->count++;
}

static void release_list(struct firejail_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void add_command(struct firejail *fire, const char *line, const char *origin)
{
	struct firejail_command *commands = reallocarray(
					fire->commands, fire->count + 1, sizeof(*fire->commands)),
				*added;
	size_t length = strcspn(line, " \t");

	if (!commands) {
		fire->import->failed = true;
		return;
	}
	fire->commands = commands;
	added = &commands[fire->count++];
	added->name = cli_import_text(fire->import, "%.*s", (int)length, line);
	added->value =
		cli_import_text(fire->import, "%s", line + length + strspn(line + length, " \t"));
	added->origin = cli_import_text(fire->import, "%s: %s", origin, line);
	added->where = cli_import_text(fire->import, "%s", origin);
}

/* "ignore X" is about all lines that follow and begin with X. */
static bool is_ignored(const struct firejail *fire, const char *line)
{
	for (size_t i = 0; i < fire->ignored.count; i++)
		if (strncmp(line, fire->ignored.items[i], strlen(fire->ignored.items[i])) == 0)
			return true;
	return false;
}

static int read_profile(struct firejail *fire, const char *path);

/* ".local" files are places for the user's changes, which need not be there. */
static bool is_optional(const char *name)
{
	size_t length = strlen(name);

	return length > 6 && strcmp(name + length - 6, ".local") == 0;
}

static int include(struct firejail *fire, const char *name, const char *origin)
{
	static const char *const places[] = {"${HOME}/.config/firejail/", "/etc/firejail/"};
	cli_autofree char *path = NULL;

	for (size_t i = 0; i < CLI_COUNT(places) + 1; i++) {
		const char *place = i < CLI_COUNT(places) ? places[i] : "";
		cli_autofree char *joined =
			cli_import_text(fire->import, "%s%s", strchr(name, '/') ? "" : place, name);

		free(path);
		path = joined ? cli_firejail_macros(fire, joined) : NULL;
		if (path && access(path, F_OK) == 0)
			return read_profile(fire, path);
	}
	if (!is_optional(name))
		cli_import_note(
			fire->import, CLI_IMPORT_NONE, origin, name, "this profile was not found");
	return 0;
}

/* Up to a comment behind the command: "net none # nothing"; allocated. */
static char *without_comment(struct firejail *fire, const char *line)
{
	size_t length = strlen(line);

	for (size_t i = 1; i < length; i++)
		if (line[i] == '#' && isspace((unsigned char)line[i - 1]))
			length = i;
	while (length && isspace((unsigned char)line[length - 1]))
		length--;
	return cli_import_text(fire->import, "%.*s", (int)length, line);
}

static int on_line(void *data, const char *whole, const char *origin)
{
	struct firejail *fire = data;
	cli_autofree char *line = without_comment(fire, whole);

	if (!line || whole[0] == '#')
		return 0;
	if (is_ignored(fire, line)) {
		cli_import_note(
			fire->import, CLI_IMPORT_COVERED, origin, line, "ignored by the profile");
		return 0;
	}
	if (strncmp(line, "ignore ", 7) == 0) {
		cli_firejail_add(fire, &fire->ignored, line + 7 + strspn(line + 7, " \t"));
		return 0;
	}
	if (strncmp(line, "include ", 8) == 0)
		return include(fire, line + 8 + strspn(line + 8, " \t"), origin);
	if (line[0] == '?')
		cli_import_note(fire->import, CLI_IMPORT_NONE, origin, line,
			"conditions of firejail's command line are not known here");
	else
		add_command(fire, line, origin);
	return 0;
}

static int read_profile(struct firejail *fire, const char *path)
{
	cli_autoescape char *shown = cli_escape(path);
	int r;

	if (fire->depth >= INCLUDES_MAX)
		return cli_fail(NULL, "policy import: %s: profiles include one another", shown);
	fire->depth++;
	r = cli_import_lines(path, false, on_line, fire);
	fire->depth--;
	return r;
}

/* -------------------------------------------------------------------------- macros */

static char *replaced(struct firejail *fire, const char *text, const char *macro, const char *by)
{
	size_t length = strlen(macro);
	const char *at = strstr(text, macro);

	if (!at)
		return cli_import_text(fire->import, "%s", text);
	return cli_import_text(fire->import, "%.*s%s%s", (int)(at - text), text, by, at + length);
}

char *cli_firejail_macros(struct firejail *fire, const char *text)
{
	static const struct {
		const char *macro, *below_home;
	} places[] = {{"${DOWNLOADS}", "Downloads"}, {"${DOCUMENTS}", "Documents"},
		{"${MUSIC}", "Music"}, {"${PICTURES}", "Pictures"}, {"${VIDEOS}", "Videos"},
		{"${DESKTOP}", "Desktop"}};
	cli_autofree char *tilde = text[0] == '~' && (text[1] == '/' || !text[1])
					   ? cli_import_text(fire->import, "${HOME}%s", text + 1)
					   : NULL;
	char *result = replaced(fire, tilde ? tilde : text, "${HOME}", fire->home), *next;

	for (size_t i = 0; result && i < CLI_COUNT(places); i++) {
		cli_autofree char *place =
			cli_import_text(fire->import, "%s/%s", fire->home, places[i].below_home);

		next = place ? replaced(fire, result, places[i].macro, place) : NULL;
		free(result);
		result = next;
	}
	next = result ? replaced(fire, result, "${RUNUSER}", fire->runtime) : NULL;
	free(result);
	result = next ? replaced(fire, next, "${CFG}", "/etc/firejail") : NULL;
	free(next);
	return result;
}

static const char *const path_directories[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/games",
	"/usr/local/games", "/usr/local/sbin", "/usr/sbin", "/sbin"};

static bool has_wildcard(const char *pattern)
{
	return strpbrk(pattern, "*?[");
}

/* With names that begin with a period, but not the directory itself and the one above. */
static bool is_entry(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Calls fn for each path that a pattern means now. */
static void each_match(struct firejail *fire, const struct firejail_command *command,
	const char *pattern, firejail_path_fn fn)
{
	glob_t found = {0};

	if (!has_wildcard(pattern)) {
		fn(fire, command, pattern);
	} else if (glob(pattern, GLOB_NOSORT | GLOB_PERIOD, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (is_entry(found.gl_pathv[i]))
				fn(fire, command, found.gl_pathv[i]);
		globfree(&found);
	} else {
		cli_import_note(fire->import, CLI_IMPORT_COVERED, command->where, pattern,
			"nothing matches it here; patterns are expanded once, by the import");
	}
}

void cli_firejail_each_path(struct firejail *fire, const struct firejail_command *command,
	const char *value, firejail_path_fn fn)
{
	cli_autofree char *pattern = cli_firejail_macros(fire, value);

	if (!pattern)
		return;
	for (size_t i = 0; i < CLI_COUNT(path_directories) && strstr(pattern, "${PATH}"); i++) {
		cli_autofree char *path = replaced(fire, pattern, "${PATH}", path_directories[i]);

		/* Of eight directories seven do not have it. */
		if (path && (has_wildcard(path) || access(path, F_OK) == 0))
			each_match(fire, command, path, fn);
	}
	if (strstr(pattern, "${PATH}"))
		return;
	if (pattern[0] == '/')
		each_match(fire, command, pattern, fn);
	else
		cli_import_note(fire->import, CLI_IMPORT_NONE, command->where, command->value,
			"not an absolute path, or a macro that is not known here");
}

/* ------------------------------------------------------------------------ together */

/* What firejail does without being told, as a profile of its own. */
static void add_defaults(struct firejail *fire)
{
	static const char *const always[] = {"read-only /etc", "read-only /var", "read-only /usr",
		"read-only /bin", "read-only /sbin", "read-only /lib", "read-only /lib64",
		"read-only /lib32", "read-only /libx32", "read-only /proc/sys", "read-only /sys",
		"blacklist /sys/firmware", "blacklist /sys/hypervisor", "blacklist /sys/power",
		"blacklist /sys/kernel/debug", "blacklist /sys/kernel/vmcoreinfo",
		"blacklist /sys/fs", "blacklist /sys/module", "blacklist /proc/irq",
		"blacklist /proc/bus", "blacklist /proc/timer_list", "blacklist /proc/kallsyms",
		"blacklist /boot", "blacklist /selinux", "blacklist /dev/port",
		"blacklist ${RUNUSER}/gnupg", "blacklist ${RUNUSER}/systemd"};
	static const char origin[] = "firejail, unless told otherwise";

	for (size_t i = 0; i < CLI_COUNT(always); i++) {
		bool not_asked = (strcmp(always[i] + 10, "/etc") == 0 && fire->writable_etc) ||
				 (strcmp(always[i] + 10, "/var") == 0 && fire->writable_var) ||
				 (strstr(always[i], "${RUNUSER}") && fire->writable_run_user);

		if (!not_asked)
			add_command(fire, always[i], origin);
	}
}

static void begin_view(struct firejail *fire)
{
	const struct cli_view_node everything = {.path = "/",
		.origin = "what a profile does not restrict is allowed",
		.mask = UINT64_MAX,
		.rights = IMPORT_ALL};
	struct cli_view_node homes = {
		.path = "/home", .origin = "firejail, unless told otherwise", .mask = UINT64_MAX};

	cli_view_add(&fire->view, &everything);
	if (geteuid() == 0 || strncmp(fire->home, "/home/", 6) != 0)
		return;
	cli_view_add(&fire->view, &homes);
	homes.path = fire->home;
	homes.rights = IMPORT_ALL;
	cli_view_add(&fire->view, &homes);
}

static void look_for_switches(struct firejail *fire)
{
	for (size_t i = 0; i < fire->count; i++) {
		const char *name = fire->commands[i].name;

		fire->writable_etc |= name && strcmp(name, "writable-etc") == 0;
		fire->writable_var |= name && strcmp(name, "writable-var") == 0;
		fire->writable_run_user |= name && strcmp(name, "writable-run-user") == 0;
	}
}

/* `own`: how many commands are the profile's; the defaults behind them come first. */
static int apply_all(struct firejail *fire, size_t own)
{
	int r = 0;

	for (size_t i = own; r == 0 && i < fire->count; i++)
		r = cli_firejail_apply(fire, &fire->commands[i], 2);
	for (unsigned int round = 0; round < 3; round++)
		for (size_t i = 0; r == 0 && i < own; i++)
			r = cli_firejail_apply(fire, &fire->commands[i], round);
	return r;
}

static int import_profiles(struct firejail *fire, const struct cli_operands *operands)
{
	size_t own;
	int r = 0;

	for (int i = 0; r == 0 && i < operands->count; i++)
		r = read_profile(fire, operands->items[i]);
	if (r)
		return r;
	look_for_switches(fire);
	own = fire->count;
	add_defaults(fire);
	return fire->import->failed ? 0 : apply_all(fire, own);
}

static void release(struct firejail *fire)
{
	for (size_t i = 0; i < fire->count; i++) {
		free(fire->commands[i].name);
		free(fire->commands[i].value);
		free(fire->commands[i].origin);
		free(fire->commands[i].where);
	}
	free(fire->commands);
	release_list(&fire->ignored);
	release_list(&fire->spared);
	release_list(&fire->not_listed);
	free(fire->home);
	free(fire->runtime);
}

int cli_import_firejail(struct cli_import *import, const struct cli_operands *operands)
{
	struct firejail fire = {.import = import, .view = {.import = import}};
	const char *home = getenv("HOME"), *runtime = getenv("XDG_RUNTIME_DIR");
	int r;

	if (operands->count == 0)
		return cli_fail(
			"`reeve policy import firejail FILE`", "policy import: say which profile");
	fire.home = cli_import_text(import, "%s", home && home[0] == '/' ? home : "/");
	fire.runtime = runtime && runtime[0] == '/'
			       ? cli_import_text(import, "%s", runtime)
			       : cli_import_text(import, "/run/user/%u", (unsigned int)getuid());
	if (!fire.home || !fire.runtime) {
		release(&fire);
		return cli_fail(NULL, "out of memory");
	}
	begin_view(&fire);
	r = import_profiles(&fire, operands);
	cli_view_finish(&fire.view);
	release(&fire);
	return r;
}
