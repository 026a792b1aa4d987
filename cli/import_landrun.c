/* SPDX-License-Identifier: MIT */
/*
 * Imports from what speaks of Landlock itself: landrun's command line (0.1.16, which asks for
 * ABI 5), and the variables of the kernel's sample (samples/landlock/sandboxer.c in Linux 7.3).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "import.h"
#include "sample.h"

/* Rules of these tools add up; nothing is an exception. */
struct path_list {
	struct cli_import *import;
	uint64_t allowed, quiet;
	unsigned int flags;
	const char *origin;
};

static int bad_port(const char *origin, const char *text)
{
	cli_autoescape char *shown = cli_escape(text);
	cli_autoescape char *where = cli_escape(origin);

	return cli_fail(
		NULL, "policy import: %s: \"%s\": expected a port, 0 to 65535", where, shown);
}

static int add_path(const struct path_list *list, const char *path)
{
	cli_autofree char *absolute = *path ? cli_import_path(list->import, path) : NULL;
	const struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.flags = list->flags,
		.allowed = list->allowed,
		.quiet = list->quiet,
		.path = absolute,
		.origin = list->origin};

	if (absolute)
		cli_import_rule(list->import, &rule);
	else if (!*path)
		cli_import_note(list->import, CLI_IMPORT_COVERED, list->origin, "\"\"",
			"an empty path names nothing");
	return 0;
}

/* -------------------------------------------------------------------------- landrun */

struct landrun {
	struct cli_import *import;
	const char *origin; /* of the option at hand */
	size_t option;
	bool free_files, free_network, clears, adds_command;
};

#define LANDRUN_WRITE                                                                              \
	((reeve_rights_of_abi(REEVE_FS, 5)) & ~(IMPORT_READ | (uint64_t)REEVE_FS_EXECUTE))

enum landrun_kind { PATHS, PORTS, SWITCH, WITHOUT };

static const struct {
	const char *name;
	enum landrun_kind kind;
	bool takes_value, execute, write;
	uint64_t port_right;
	size_t flag;	 /* SWITCH: of a bool in struct landrun; 0: none */
	const char *why; /* what there is instead */
} landrun_options[] = {
	{"ro", PATHS, true, false, false, 0, 0, NULL},
	{"rox", PATHS, true, true, false, 0, 0, NULL},
	{"rw", PATHS, true, false, true, 0, 0, NULL},
	{"rwx", PATHS, true, true, true, 0, 0, NULL},
	{"bind-tcp", PORTS, true, false, false, REEVE_NET_BIND_TCP, 0, NULL},
	{"connect-tcp", PORTS, true, false, false, REEVE_NET_CONNECT_TCP, 0, NULL},
	{"unrestricted-filesystem", SWITCH, false, false, false, 0,
		offsetof(struct landrun, free_files), NULL},
	{"unrestricted-network", SWITCH, false, false, false, 0,
		offsetof(struct landrun, free_network), NULL},
	{"add-exec", SWITCH, false, false, false, 0, offsetof(struct landrun, adds_command), NULL},
	{"env", WITHOUT, true, false, false, 0, 0,
		"a policy has no environment: `reeve run --clear-env --env K=V`"},
	{"ldd", WITHOUT, false, false, false, 0, 0,
		"libraries are not looked up: grant them by a rule, or extend the profile base"},
	{"best-effort", WITHOUT, false, false, false, 0, 0,
		"what this machine cannot enforce is given up by name: `degrade`"},
	{"log-level", WITHOUT, true, false, false, 0, 0, "reeve has no log levels"},
};

static int add_landrun_path(void *data, const char *path)
{
	struct landrun *landrun = data;
	struct path_list list = {landrun->import, IMPORT_READ, 0, 0, landrun->origin};

	if (landrun_options[landrun->option].execute)
		list.allowed |= REEVE_FS_EXECUTE;
	if (landrun_options[landrun->option].write)
		list.allowed |= LANDRUN_WRITE;
	return landrun->free_files ? 0 : add_path(&list, path);
}

static int add_landrun_port(void *data, const char *text)
{
	struct landrun *landrun = data;
	uint16_t port;

	if (!cli_sample_port(text, &port))
		return bad_port(landrun->origin, text);
	if (!landrun->free_network)
		cli_import_ports(landrun->import, landrun_options[landrun->option].port_right, port,
			port, landrun->origin);
	return 0;
}

static int take_landrun(struct landrun *landrun, const char *name, const char *value)
{
	const char *why = landrun_options[landrun->option].why;

	switch (landrun_options[landrun->option].kind) {
	case PATHS:
		return cli_sample_each(value, ',', add_landrun_path, landrun);
	case PORTS:
		return cli_sample_each(value, ',', add_landrun_port, landrun);
	case SWITCH:
		break; /* the first pass took it */
	case WITHOUT:
		cli_import_note(landrun->import, CLI_IMPORT_NONE, landrun->origin, name, "%s", why);
	}
	return 0;
}

static size_t find_landrun(const char *argument, size_t length)
{
	size_t i = 0;

	while (i < CLI_COUNT(landrun_options) &&
		(strncmp(landrun_options[i].name, argument, length) != 0 ||
			landrun_options[i].name[length]))
		i++;
	return i;
}

/* One option with its value; *at moves behind it. */
static int landrun_option(struct landrun *landrun, const struct cli_operands *operands, int *at,
	int (*take)(struct landrun *landrun, const char *name, const char *value))
{
	const char *argument = operands->items[*at], *name = argument + strspn(argument, "-");
	const char *equals = strchr(name, '='), *value = equals ? equals + 1 : NULL;
	cli_autoescape char *shown = cli_escape(argument);
	cli_autofree char *origin = NULL;
	int first = *at;

	landrun->option = find_landrun(name, equals ? (size_t)(equals - name) : strlen(name));
	if (landrun->option == CLI_COUNT(landrun_options))
		return cli_fail("landrun 0.1.16 is known here",
			"policy import: argument %d: unknown option %s", first + 1, shown);
	if (landrun_options[landrun->option].takes_value && !value) {
		if (first + 1 >= operands->count)
			return cli_fail(NULL, "policy import: argument %d: %s needs a value",
				first + 1, shown);
		value = operands->items[++*at];
	}
	++*at;
	origin = cli_import_text(landrun->import, "argument %d: %s%s%s", first + 1, argument,
		equals || !value ? "" : " ", equals || !value ? "" : value);
	landrun->origin = origin ? origin : "";
	return take(landrun, argument, value);
}

/* The first pass: what changes the meaning of the rest. */
static int take_switch(struct landrun *landrun, const char *name, const char *value)
{
	size_t flag = landrun_options[landrun->option].flag;

	(void)name;
	(void)value;
	if (landrun_options[landrun->option].kind == SWITCH)
		*(bool *)((char *)landrun + flag) = true;
	return 0;
}

static int landrun_pass(struct landrun *landrun, const struct cli_operands *operands, int *at,
	int (*take)(struct landrun *landrun, const char *name, const char *value))
{
	int r = 0;

	while (r == 0 && *at < operands->count && operands->items[*at][0] == '-') {
		if (strcmp(operands->items[*at], "--") == 0) {
			++*at;
			break;
		}
		r = landrun_option(landrun, operands, at, take);
	}
	return r;
}

static char *find_program(struct cli_import *import, const char *name)
{
	const char *path = getenv("PATH");
	cli_autofree char *copy = cli_import_text(import, "%s", path ? path : "/usr/bin:/bin");
	char *rest = copy, *directory;

	if (strchr(name, '/'))
		return cli_import_path(import, name);
	while (copy && (directory = strsep(&rest, ":"))) {
		char *found = cli_import_text(import, "%s/%s", *directory ? directory : ".", name);

		if (found && access(found, X_OK) == 0)
			return found;
		free(found);
	}
	return NULL;
}

static int add_command(struct landrun *landrun, const char *command)
{
	cli_autofree char *found = command ? find_program(landrun->import, command) : NULL;
	const struct path_list list = {
		landrun->import, IMPORT_READ | REEVE_FS_EXECUTE, 0, 0, "--add-exec"};
	cli_autoescape char *shown = cli_escape(command);

	if (!landrun->adds_command || landrun->free_files)
		return 0;
	if (!found)
		return cli_fail(NULL, "policy import: --add-exec: %s: no such program", shown);
	return add_path(&list, found);
}

int cli_import_landrun(struct cli_import *import, const struct cli_operands *operands)
{
	struct landrun landrun = {.import = import};
	int first = operands->count > 0 && operands->items[0][0] != '-', at = first, r;

	r = landrun_pass(&landrun, operands, &at, take_switch);
	if (r)
		return r;
	if (!landrun.free_files)
		import->handled.of[REEVE_FS] |= reeve_rights_of_abi(REEVE_FS, 5);
	if (!landrun.free_network)
		import->handled.of[REEVE_NET] |= REEVE_NET_BIND_TCP | REEVE_NET_CONNECT_TCP;
	at = first;
	r = landrun_pass(&landrun, operands, &at, take_landrun);
	if (r == 0)
		r = add_command(&landrun, at < operands->count ? operands->items[at] : NULL);
	cli_import_note(import, CLI_IMPORT_NONE, "landrun", "an environment with nothing but --env",
		"a policy has no environment: `reeve run --clear-env`");
	return r;
}

/* ------------------------------------------------------------------------ sandboxer */

struct sample {
	struct cli_import *import;
	struct path_list paths;
	uint64_t port_allowed, port_quiet;
	struct reeve_rights quiet;
	const char *variable;
	char *const *operands;
	int count;
};

/* Of the operands, or of the environment where there are none. */
static const char *variable(const struct sample *sample, const char *name)
{
	size_t length = strlen(name);

	if (sample->count == 0)
		return getenv(name);
	for (int i = sample->count; i-- > 0;)
		if (strncmp(sample->operands[i], name, length) == 0 &&
			sample->operands[i][length] == '=')
			return sample->operands[i] + length + 1;
	return NULL;
}

static int each_element(
	struct sample *sample, const char *name, int (*fn)(void *data, const char *element))
{
	const char *value = variable(sample, name);
	cli_autofree char *origin = NULL;
	int r;

	if (!value || !*value)
		return 0;
	origin = cli_import_text(sample->import, "%s=%s", name, value);
	sample->variable = sample->paths.origin = origin ? origin : name;
	r = cli_sample_each(value, ':', fn, sample);
	sample->variable = sample->paths.origin = NULL;
	return r;
}

static int sample_path(void *data, const char *element)
{
	const struct sample *sample = data;

	return add_path(&sample->paths, element);
}

static int sample_port(void *data, const char *element)
{
	struct sample *sample = data;
	struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.allowed = sample->port_allowed,
		.quiet = sample->port_quiet,
		.origin = sample->variable};

	if (!*element)
		return 0;
	if (!cli_sample_port(element, &rule.port_first))
		return bad_port(sample->variable, element);
	rule.port_last = rule.port_first;
	cli_import_rule(sample->import, &rule);
	return 0;
}

static int sample_scope(void *data, const char *element)
{
	struct sample *sample = data;
	uint64_t scope = cli_sample_scope(element);
	cli_autoescape char *shown = cli_escape(element);

	sample->import->handled.of[REEVE_SCOPE] |= scope;
	if (scope)
		return 0;
	return cli_fail(NULL,
		"policy import: LL_SCOPED: \"%s\": expected a, s or u, separated by colons", shown);
}

static int sample_quiet(void *data, const char *element)
{
	struct sample *sample = data;
	cli_autoescape char *shown = cli_escape(element);

	if (!*element || cli_sample_quiet(element, &sample->quiet))
		return 0;
	return cli_fail(NULL, "policy import: LL_QUIET_ACCESS: unknown word \"%s\"", shown);
}

static int sample_all_quiet(struct sample *sample)
{
	const struct reeve_rights *handled = &sample->import->handled;
	int r;

	if (!variable(sample, "LL_QUIET_ACCESS"))
		return variable(sample, "LL_FS_QUIET") || variable(sample, "LL_NET_QUIET")
			       ? cli_fail("LL_QUIET_ACCESS=all",
					 "policy import: LL_FS_QUIET and LL_NET_QUIET need "
					 "LL_QUIET_ACCESS")
			       : 0;
	r = each_element(sample, "LL_QUIET_ACCESS", sample_quiet);
	if (r == 0 && (sample->quiet.of[REEVE_SCOPE] & handled->of[REEVE_SCOPE]))
		cli_import_note(sample->import, CLI_IMPORT_NONE, "LL_QUIET_ACCESS", "scopes",
			"denials of scopes cannot be made quiet");
	sample->paths.allowed = sample->port_allowed = 0;
	sample->paths.quiet = sample->quiet.of[REEVE_FS] & handled->of[REEVE_FS];
	sample->port_quiet = sample->quiet.of[REEVE_NET] & handled->of[REEVE_NET];
	if (r == 0 && sample->paths.quiet)
		r = each_element(sample, "LL_FS_QUIET", sample_path);
	if (r == 0 && sample->port_quiet)
		r = each_element(sample, "LL_NET_QUIET", sample_port);
	return r;
}

static int sample_ports(struct sample *sample)
{
	const struct cli_sample_port *port;
	int r = 0;

	for (port = cli_sample_ports; r == 0 && port->variable; port++) {
		if (!variable(sample, port->variable))
			continue;
		sample->import->handled.of[REEVE_NET] |= port->right;
		sample->port_allowed = port->right;
		r = each_element(sample, port->variable, sample_port);
	}
	return r;
}

static int sample_files(struct sample *sample)
{
	const struct {
		const char *name;
		uint64_t allowed;
	} variables[] = {{"LL_FS_RO", CLI_SAMPLE_READ}, {"LL_FS_RW", IMPORT_ALL}};
	uint64_t *handled = &sample->import->handled.of[REEVE_FS];
	int r = 0;

	*handled = IMPORT_ALL;
	/* A scope knows no exceptions: not for the files of LL_FS_RW either. */
	if (sample->import->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET)
		*handled &= ~(uint64_t)REEVE_FS_RESOLVE_UNIX;
	for (size_t i = 0; r == 0 && i < CLI_COUNT(variables); i++) {
		if (!variable(sample, variables[i].name))
			return cli_fail("both must be set, and may be empty",
				"policy import: %s is not set", variables[i].name);
		sample->paths.allowed = variables[i].allowed & *handled;
		r = each_element(sample, variables[i].name, sample_path);
	}
	return r;
}

/* Whether an operand is NAME=VALUE. */
static bool is_variable(const char *operand)
{
	const char *const *name = cli_sample_variables;
	size_t length = strcspn(operand, "=");

	while (*name && (strncmp(*name, operand, length) != 0 || (*name)[length]))
		name++;
	return *name && operand[length] == '=';
}

static int check_operands(const struct cli_operands *operands)
{
	for (int i = 0; i < operands->count; i++) {
		cli_autoescape char *shown = cli_escape(operands->items[i]);

		if (!is_variable(operands->items[i]))
			return cli_fail("LL_FS_RO=/usr:/lib LL_FS_RW=/tmp",
				"policy import: argument %d: %s: expected a variable of the "
				"sandboxer sample",
				i + 1, shown);
	}
	return 0;
}

int cli_import_sandboxer(struct cli_import *import, const struct cli_operands *operands)
{
	struct sample sample = {.import = import,
		.paths = {.import = import, .flags = REEVE_RULE_OPTIONAL},
		.operands = operands->items,
		.count = operands->count};
	int r = check_operands(operands);

	if (r == 0)
		r = each_element(&sample, "LL_SCOPED", sample_scope);
	if (r == 0)
		r = sample_files(&sample);
	if (r == 0)
		r = sample_ports(&sample);
	if (r == 0)
		r = sample_all_quiet(&sample);
	if (r == 0 && variable(&sample, "LL_FORCE_LOG"))
		cli_import_note(import, CLI_IMPORT_NONE, "LL_FORCE_LOG", "the kernel's audit log",
			"a policy does not choose what the kernel logs");
	return r;
}
