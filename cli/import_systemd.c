/* SPDX-License-Identifier: MIT */
/*
 * Imports from unit files: the directives of systemd.exec(5) and systemd.resource-control(5) that
 * restrict what a service reaches. What a unit does not mention is allowed.
 *
 * A directive that is set to nothing forgets what was said before; so all are collected first.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "import_systemd.h"

/* -------------------------------------------------------------------- collecting */

static void release_setting(struct unit_setting *setting)
{
	free(setting->name);
	free(setting->value);
	free(setting->origin);
}

static void forget(struct unit *unit, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < unit->count; i++) {
		if (strcmp(unit->settings[i].name, name) == 0)
			release_setting(&unit->settings[i]);
		else
			unit->settings[kept++] = unit->settings[i];
	}
	unit->count = kept;
}

static void add_setting(struct unit *unit, const char *name, const char *value, const char *origin)
{
	struct unit_setting *settings = reallocarray(
				    unit->settings, unit->count + 1, sizeof(*unit->settings)),
			    *added;

	if (!settings) {
		unit->import->failed = true;
		return;
	}
	unit->settings = settings;
	added = &settings[unit->count];
	added->name = cli_import_text(unit->import, "%s", name);
	added->value = cli_import_text(unit->import, "%s", value);
	added->origin = cli_import_text(unit->import, "%s: %s=%s", origin, name, value);
	if (added->name && added->value && added->origin)
		unit->count++;
	else
		release_setting(added);
}

/* Names that were passed over, for one line about them. */
static void pass_over(struct unit *unit, const char *name)
{
	char *longer;

	if (unit->passed && strstr(unit->passed, name))
		return;
	longer = cli_import_text(unit->import, "%s%s%s", unit->passed ? unit->passed : "",
		unit->passed ? ", " : "", name);
	if (!longer)
		return;
	free(unit->passed);
	unit->passed = longer;
}

/* Directives that say how the service is run, not what it may reach. */
static bool is_about_running(const char *name)
{
	static const char *const prefixes[] = {"Exec", "Type", "Restart", "Timeout", "PIDFile",
		"RemainAfterExit", "GuessMainPID", "BusName", "Notify", "Kill", "SendSIG",
		"FinalKillSignal", "Success", "RootDirectoryStartOnly", "NonBlocking", "Sockets",
		"FileDescriptorStore", "OOM", "Watchdog", "Environment", "PassEnvironment",
		"UnsetEnvironment", "Standard", "Syslog", "Log", "Nice", "CPU", "IO", "Memory",
		"Tasks", "Limit", "TTY", "Slice", "Delegate", "UtmpIdentifier", "StartLimit",
		"Accept", "Listen", "Backlog", "SocketMode", "SocketUser", "SocketGroup", "NUMA",
		"Coredump", "RuntimeMax", "RuntimeRandomized", "ReloadSignal", "Personality",
		"IPAccounting", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "FailureAction",
		"StateDirectoryMode", "CacheDirectoryMode", "LogsDirectoryMode",
		"ConfigurationDirectoryMode", "TimerSlack", "IgnoreSIGPIPE", "X-"};

	if (strcmp(name, "ExecPaths") == 0 || strcmp(name, "MemoryDenyWriteExecute") == 0)
		return false;
	for (size_t i = 0; i < CLI_COUNT(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static bool is_section_of_processes(const char *line)
{
	static const char *const sections[] = {"[Service]", "[Socket]", "[Mount]", "[Swap]"};

	for (size_t i = 0; i < CLI_COUNT(sections); i++)
		if (strcmp(line, sections[i]) == 0)
			return true;
	return false;
}

static int wrong_line(const char *origin, const char *line)
{
	cli_autoescape char *where = cli_escape(origin);
	cli_autoescape char *shown = cli_escape(line);

	return cli_fail(
		NULL, "policy import: %s: \"%s\": expected [SECTION] or NAME=VALUE", where, shown);
}

static void take_setting(struct unit *unit, const char *name, const char *value, const char *origin)
{
	const struct unit_directive *directive = cli_unit_directive(name);

	if (!directive && is_about_running(name)) {
		pass_over(unit, name);
		return;
	}
	if (!*value || (directive && !directive->adds_up))
		forget(unit, name);
	if (*value)
		add_setting(unit, name, value, origin);
}

static int on_line(void *data, const char *line, const char *origin)
{
	struct unit *unit = data;
	cli_autofree char *name = NULL;
	const char *equals = strchr(line, '='), *value;
	size_t length;

	if (line[0] == '#' || line[0] == ';')
		return 0;
	if (line[0] == '[' && line[strlen(line) - 1] == ']') {
		unit->counts = is_section_of_processes(line);
		unit->has_section = true;
		if (!unit->counts)
			pass_over(unit, line);
		return 0;
	}
	if (!equals || equals == line || !unit->has_section)
		return wrong_line(origin, line);
	for (length = (size_t)(equals - line); isspace((unsigned char)line[length - 1]); length--)
		;
	name = strndup(line, length);
	value = equals + 1 + strspn(equals + 1, " \t");
	if (!name)
		return cli_fail(NULL, "out of memory");
	if (unit->counts)
		take_setting(unit, name, value, origin);
	return 0;
}

/* ------------------------------------------------------------------------- values */

bool cli_unit_is_true(const char *value)
{
	static const char *const words[] = {"yes", "true", "on", "1", "y", "t"};

	for (size_t i = 0; i < CLI_COUNT(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

bool cli_unit_is_false(const char *value)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < CLI_COUNT(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* One word, quotes taken off; moves behind it. Allocated; NULL at the end. */
static char *next_word(const char **rest)
{
	const char *s = *rest + strspn(*rest, " \t");
	char *word = *s ? malloc(strlen(s) + 1) : NULL, *out = word, quote = '\0';

	for (; word && *s && (quote || (*s != ' ' && *s != '\t')); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? '\0' : *s;
		else if (*s == '\\' && s[1])
			*out++ = *++s;
		else
			*out++ = *s;
	}
	if (word)
		*out = '\0';
	*rest = s;
	return word;
}

int cli_unit_words(struct unit *unit, const struct unit_setting *setting,
	int (*fn)(struct unit *unit, const struct unit_setting *setting, const char *word))
{
	const char *rest = setting->value;
	int r = 0;

	while (r == 0) {
		cli_autofree char *word = next_word(&rest);

		if (!word)
			break;
		r = fn(unit, setting, word);
	}
	return r;
}

/* What the manager of the system has for a specifier, or NULL. */
static const char *specifier(char letter)
{
	static const struct {
		char letter;
		const char *path;
	} known[] = {{'%', "%"}, {'h', "/root"}, {'t', "/run"}, {'S', "/var/lib"},
		{'C', "/var/cache"}, {'L', "/var/log"}, {'E', "/etc"}, {'T', "/tmp"},
		{'V', "/var/tmp"}};

	for (size_t i = 0; i < CLI_COUNT(known); i++)
		if (known[i].letter == letter)
			return known[i].path;
	return NULL;
}

char *cli_unit_expand(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	char *text = cli_import_text(unit->import, "%s", "");

	for (const char *s = word; text && *s; s++) {
		const char *value = *s == '%' && s[1] ? specifier(s[1]) : NULL;
		char *longer;

		if (*s == '%' && s[1] && !value) {
			cli_import_note(unit->import, CLI_IMPORT_NONE, setting->origin, word,
				"%%%c stands for what only a running unit has", s[1]);
			free(text);
			return NULL;
		}
		longer = value ? cli_import_text(unit->import, "%s%s", text, value)
			       : cli_import_text(unit->import, "%s%c", text, *s);
		s += value != NULL;
		free(text);
		text = longer;
	}
	return text;
}

/* ------------------------------------------------------------------------ together */

static int apply(struct unit *unit, const struct unit_setting *setting)
{
	const struct unit_directive *directive = cli_unit_directive(setting->name);

	if (!directive) {
		cli_import_note(unit->import, CLI_IMPORT_NONE, setting->origin, setting->name,
			"this directive is not known here");
		return 0;
	}
	return directive->take(unit, directive, setting);
}

static void begin_view(struct unit *unit)
{
	const struct cli_view_node everything = {.path = "/",
		.origin = "what a unit does not restrict is allowed",
		.mask = UINT64_MAX,
		.rights = IMPORT_ALL};

	cli_view_add(&unit->view, &everything);
}

static int read_units(struct unit *unit, const struct cli_operands *operands)
{
	int r = 0;

	for (int i = 0; r == 0 && i < operands->count; i++) {
		unit->counts = unit->has_section = false;
		r = cli_import_lines(operands->items[i], true, on_line, unit);
	}
	return r;
}

int cli_import_systemd(struct cli_import *import, const struct cli_operands *operands)
{
	struct unit *unit = calloc(1, sizeof(*unit));
	int r = 0;

	if (!unit)
		return cli_fail(NULL, "out of memory");
	if (operands->count == 0)
		r = cli_fail(
			"`reeve policy import systemd FILE`", "policy import: say which unit file");
	unit->import = unit->view.import = import;
	begin_view(unit);
	if (r == 0)
		r = read_units(unit, operands);
	for (size_t i = 0; r == 0 && i < unit->count; i++)
		r = apply(unit, &unit->settings[i]);
	if (r == 0)
		cli_unit_finish_network(unit);
	if (unit->passed)
		cli_import_note(import, CLI_IMPORT_COVERED, "how the unit is run", unit->passed,
			"not about what it may reach");
	cli_view_finish(&unit->view);
	for (size_t i = 0; i < unit->count; i++)
		release_setting(&unit->settings[i]);
	free(unit->settings);
	free(unit->passed);
	free(unit->prefixes);
	free(unit->prefix_origin);
	free(unit->port_origin);
	free(unit->family_origin);
	free(unit->no_network);
	free(unit);
	return r;
}
