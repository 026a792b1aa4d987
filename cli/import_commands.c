/* SPDX-License-Identifier: MIT */
/* What the commands of firejail's profiles mean: firejail-profile(5). */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "import_firejail.h"

struct command_row {
	const char *name;
	unsigned int round;
	int (*take)(struct firejail *fire, const struct command_row *row,
		const struct firejail_command *command);
	const char *paths; /* separated by blanks */
	enum cli_import_fate fate;
	const char *why;
};

static const struct command_row *row_of(const struct firejail_command *command);

static void note(struct firejail *fire, enum cli_import_fate fate,
	const struct firejail_command *command, const char *why)
{
	cli_autofree char *what = cli_import_text(
		fire->import, "%s%s%s", command->name, *command->value ? " " : "", command->value);

	if (what)
		cli_import_note(fire->import, fate, command->where, what, "%s", why);
}

static int take_note(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	note(fire, row->fate, command, row->why);
	return 0;
}

static int wrong(const struct firejail_command *command, const char *expected)
{
	cli_autoescape char *shown = cli_escape(command->origin);

	return cli_fail(NULL, "policy import: %s: expected %s", shown, expected);
}

/* Calls take for each element of a list "a,b". */
static int each_element(struct firejail *fire, const struct firejail_command *command,
	int (*take)(
		struct firejail *fire, const struct firejail_command *command, const char *element))
{
	cli_autofree char *copy = cli_import_text(fire->import, "%s", command->value);
	char *rest = copy, *element;
	int r = 0;

	while (r == 0 && copy && (element = strsep(&rest, ",")))
		if (*element)
			r = take(fire, command, element);
	return r;
}

/* --------------------------------------------------------------------------- paths */

static void add_node(struct firejail *fire, const struct firejail_command *command,
	const char *path, uint64_t mask, uint64_t rights, bool seals)
{
	const struct cli_view_node node = {.path = path,
		.origin = command->origin,
		.mask = mask,
		.rights = rights,
		.optional = true,
		.seals = seals};

	cli_view_add(&fire->view, &node);
}

static bool contains(const struct firejail_list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], path) == 0)
			return true;
	return false;
}

static void on_blacklist(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *found = cli_import_path(fire->import, path);

	if (found && !contains(&fire->spared, found))
		add_node(fire, command, found, UINT64_MAX, 0, true);
	else if (found)
		cli_import_note(fire->import, CLI_IMPORT_COVERED, command->where, command->value,
			"spared by noblacklist");
}

static void on_noblacklist(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *found = cli_import_path(fire->import, path);

	(void)command;
	if (found)
		cli_firejail_add(fire, &fire->spared, found);
}

static void on_nowhitelist(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *found = cli_import_path(fire->import, path);

	(void)command;
	if (found)
		cli_firejail_add(fire, &fire->not_listed, found);
}

/* A later one of these counts, there and below. */
static void set_mode(struct firejail *fire, const struct firejail_command *command,
	const char *path, uint64_t mask, uint64_t rights)
{
	cli_autofree char *found = cli_import_path(fire->import, path);

	if (!found)
		return;
	cli_view_forget(&fire->view, found, mask);
	add_node(fire, command, found, mask, rights, false);
}

static void on_read_only(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	set_mode(fire, command, path, IMPORT_WRITE, 0);
}

static void on_read_write(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	set_mode(fire, command, path, IMPORT_WRITE, IMPORT_WRITE);
}

static void on_noexec(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	set_mode(fire, command, path, REEVE_FS_EXECUTE | REEVE_FS_IOCTL_DEV, 0);
}

static void on_tmpfs(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *found = cli_import_path(fire->import, path);

	if (!found)
		return;
	cli_view_cover(&fire->view, found, command->origin);
	add_node(fire, command, found, UINT64_MAX, 0, false);
	note(fire, CLI_IMPORT_DIFFERS, command,
		"nothing of it is there, but no empty directory to write to either");
}

static const struct {
	const char *name;
	firejail_path_fn fn;
} path_commands[] = {{"blacklist", on_blacklist}, {"blacklist-nolog", on_blacklist},
	{"noblacklist", on_noblacklist}, {"nowhitelist", on_nowhitelist},
	{"read-only", on_read_only}, {"read-write", on_read_write}, {"noexec", on_noexec},
	{"tmpfs", on_tmpfs}};

static int take_paths(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	if (!*command->value)
		return wrong(command, "a path");
	for (size_t i = 0; i < CLI_COUNT(path_commands); i++)
		if (strcmp(path_commands[i].name, row->name) == 0)
			cli_firejail_each_path(fire, command, command->value, path_commands[i].fn);
	return 0;
}

/* ---------------------------------------------------------------------- whitelists */

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return length > 1 && strncmp(path, above, length) == 0 && path[length] == '/';
}

/* The directory of which all else disappears; allocated. */
static char *top_of(struct firejail *fire, const char *path)
{
	static const char *const inner[] = {"/sys/module", "/usr"};
	const char *slash = strchr(path + 1, '/');

	if (is_below(path, fire->home))
		return cli_import_text(fire->import, "%s", fire->home);
	if (is_below(path, fire->runtime))
		return cli_import_text(fire->import, "%s", fire->runtime);
	if (is_below(path, inner[0]))
		return cli_import_text(fire->import, "%s", inner[0]);
	/* Of /usr it is the directories in it. */
	if (is_below(path, inner[1]))
		slash = strchr(path + strlen(inner[1]) + 1, '/');
	return slash ? cli_import_text(fire->import, "%.*s", (int)(slash - path), path) : NULL;
}

static bool stays_read_only(const struct firejail *fire, const char *path)
{
	return is_below(path, "/usr") || (is_below(path, "/etc") && !fire->writable_etc) ||
	       (is_below(path, "/var") && !fire->writable_var);
}

static bool is_hidden(const struct firejail *fire, const char *top)
{
	for (size_t i = 0; i < fire->view.count; i++)
		if (strcmp(fire->view.nodes[i].path, top) == 0 &&
			fire->view.nodes[i].mask == UINT64_MAX && !fire->view.nodes[i].rights)
			return true;
	return false;
}

static void on_whitelist(
	struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *found = cli_import_path(fire->import, path);
	cli_autofree char *top = found ? top_of(fire, found) : NULL;
	bool only = strcmp(command->name, "whitelist-ro") == 0 ||
		    (found && stays_read_only(fire, found));

	if (!found || contains(&fire->not_listed, found))
		return;
	if (!top) {
		note(fire, CLI_IMPORT_NONE, command, "nothing can be whitelisted there");
		return;
	}
	if (!is_hidden(fire, top)) {
		cli_view_cover(&fire->view, top, command->origin);
		add_node(fire, command, top, UINT64_MAX, 0, false);
		cli_import_note(fire->import, CLI_IMPORT_DIFFERS, command->where, top,
			"all but what is whitelisted is denied, rather than gone, and nothing can "
			"be written beside it");
	}
	add_node(fire, command, found, UINT64_MAX, only ? ~IMPORT_WRITE : UINT64_MAX, false);
}

static int take_whitelist(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	(void)row;
	if (!*command->value)
		return wrong(command, "a path");
	cli_firejail_each_path(fire, command, command->value, on_whitelist);
	return 0;
}

/* ------------------------------------------------------------------ private places */

static void hide(struct firejail *fire, const struct firejail_command *command, const char *path)
{
	cli_autofree char *expanded = cli_firejail_macros(fire, path);
	cli_autofree char *found = expanded ? cli_import_path(fire->import, expanded) : NULL;

	if (!found)
		return;
	cli_view_cover(&fire->view, found, command->origin);
	add_node(fire, command, found, UINT64_MAX, 0, false);
}

/* Places that become empty; "private DIRECTORY" would need another home. */
static int take_private(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	cli_autofree char *paths = cli_import_text(fire->import, "%s", row->paths);
	char *rest = paths, *path;

	if (strcmp(row->name, "private") == 0 && *command->value) {
		note(fire, CLI_IMPORT_NONE, command, "a policy shows nothing under another name");
		return 0;
	}
	while (paths && (path = strsep(&rest, " ")))
		hide(fire, command, path);
	if (strcmp(row->name, "private-tmp") == 0)
		fire->import->private_tmpdir = true;
	note(fire, CLI_IMPORT_DIFFERS, command, row->why);
	return 0;
}

static int show_member(
	struct firejail *fire, const struct firejail_command *command, const char *name)
{
	const char *below = row_of(command)->paths;
	cli_autofree char *path = NULL, *found = NULL;

	if (strcmp(name, "none") == 0)
		return 0;
	path = cli_import_text(fire->import, "%s/%s", below, name);
	found = path ? cli_firejail_macros(fire, path) : NULL;
	if (found)
		cli_firejail_each_path(fire, command, found, on_whitelist);
	return 0;
}

/* private-etc, private-opt …: of a directory only what is listed. */
static int take_members(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	hide(fire, command, row->paths);
	note(fire, CLI_IMPORT_DIFFERS, command,
		"what is listed is the host's own, not a copy: changes stay");
	return each_element(fire, command, show_member);
}

/* "full" and "zero" are there, too; disc, hidraw, usb … by their usual names. */
static int take_private_dev(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	static const char *const stays[] = {"disc", "dri", "dvb", "null", "full", "zero", "tty",
		"pts", "ptmx", "random", "snd", "urandom", "log", "shm", "usb", "hidraw*",
		"video*"};

	(void)row;
	hide(fire, command, "/dev");
	add_node(fire, command, "/dev", REEVE_FS_READ_DIR, REEVE_FS_READ_DIR, false);
	for (size_t i = 0; i < CLI_COUNT(stays); i++) {
		cli_autofree char *path = cli_import_text(fire->import, "/dev/%s", stays[i]);
		cli_autofree char *found = path ? cli_import_path(fire->import, path) : NULL;

		if (path && strchr(path, '*'))
			cli_firejail_each_path(fire, command, path, on_whitelist);
		else if (found && access(found, F_OK) == 0)
			add_node(fire, command, found, UINT64_MAX, UINT64_MAX, false);
	}
	return 0;
}

/* A switch that blacklists what it is about. */
static int take_known(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	cli_autofree char *paths = cli_import_text(fire->import, "%s", row->paths);
	char *rest = paths, *path;

	while (paths && (path = strsep(&rest, " ")))
		cli_firejail_each_path(fire, command, path, on_blacklist);
	if (row->why)
		note(fire, row->fate, command, row->why);
	return 0;
}

/* ------------------------------------------------------------------------- network */

static bool has_element(const char *list, const char *element)
{
	size_t length = strlen(element);

	for (const char *at = list; (at = strstr(at, element)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

/* What "protocol" leaves of a network that "net none" takes away. */
static bool has_protocol(const struct firejail *fire, const char *name)
{
	bool said = false, has = false;

	for (size_t i = 0; i < fire->count; i++)
		if (strcmp(fire->commands[i].name, "protocol") == 0) {
			said = true;
			has = has || has_element(fire->commands[i].value, name);
		}
	return has || !said;
}

static int take_net(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	(void)row;
	if (strcmp(command->value, "none") != 0) {
		note(fire, CLI_IMPORT_NONE, command, "a policy makes no network interfaces");
		return 0;
	}
	cli_import_no_network(fire->import, has_protocol(fire, "unix"),
		has_protocol(fire, "netlink"), command->origin);
	note(fire, CLI_IMPORT_DIFFERS, command,
		"there is no loopback either: sockets of the Internet cannot be created");
	return 0;
}

static int add_protocol(
	struct firejail *fire, const struct firejail_command *command, const char *name)
{
	static const struct {
		const char *name;
		int family;
	} protocols[] = {{"unix", AF_UNIX}, {"inet", AF_INET}, {"inet6", AF_INET6},
		{"netlink", AF_NETLINK}, {"packet", AF_PACKET}, {"bluetooth", AF_BLUETOOTH}};

	for (size_t i = 0; i < CLI_COUNT(protocols); i++)
		if (strcmp(protocols[i].name, name) == 0) {
			cli_import_family(fire->import, protocols[i].family, command->origin);
			return 0;
		}
	return wrong(command, "unix, inet, inet6, netlink, packet and bluetooth");
}

/* With "net none" the families of that are allowed already, and all others denied. */
static int take_protocol(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	(void)row;
	for (size_t i = 0; i < fire->count; i++)
		if (strcmp(fire->commands[i].name, "net") == 0 &&
			strcmp(fire->commands[i].value, "none") == 0) {
			note(fire, CLI_IMPORT_COVERED, command, "\"net none\" allows no more");
			return 0;
		}
	return each_element(fire, command, add_protocol);
}

static int take_ipc(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	fire->import->deny |= REEVE_DENY_SYSV_IPC;
	return take_note(fire, row, command);
}

static int take_bus(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	if (strcmp(command->value, "none") != 0 && strcmp(row->name, "nodbus") != 0) {
		note(fire, CLI_IMPORT_NONE, command,
			"messages are not filtered: the bus as a whole stays reachable");
		return 0;
	}
	return take_known(fire, row, command);
}

/* "x11 none" hides the sockets of the display. */
static int take_x11(struct firejail *fire, const struct command_row *row,
	const struct firejail_command *command)
{
	if (strcmp(command->value, "none") == 0)
		return take_known(fire, row, command);
	note(fire, CLI_IMPORT_NONE, command, "a policy starts no display servers");
	return 0;
}

/* --------------------------------------------------------------------------- table */

#define NO_CALLS "a policy lists no system calls"
#define NO_CAPS	 "a policy takes no capabilities away"
#define NO_NS	 "it is shared with the host"
#define NO_ENV	 "a policy has no environment: `reeve run --env K=V`"
#define NO_MADE	 "a policy makes no files"
#define EMPTY	 "nothing of it is there, but no empty directory to write to either"

#define WITHOUT(name, why)                                                                         \
	{                                                                                          \
		name, 2, take_note, NULL, CLI_IMPORT_NONE, why                                     \
	}
#define COVERED(name, why)                                                                         \
	{                                                                                          \
		name, 2, take_note, NULL, CLI_IMPORT_COVERED, why                                  \
	}
#define HIDES(name, paths)                                                                         \
	{                                                                                          \
		name, 2, take_known, paths, 0, NULL                                                \
	}

static const struct command_row rows[] = {
	{"blacklist", 2, take_paths, NULL, 0, NULL},
	{"blacklist-nolog", 2, take_paths, NULL, 0, NULL},
	{"noblacklist", 2, take_paths, NULL, 0, NULL},
	{"nowhitelist", 1, take_paths, NULL, 0, NULL},
	{"read-only", 2, take_paths, NULL, 0, NULL},
	{"read-write", 2, take_paths, NULL, 0, NULL},
	{"noexec", 2, take_paths, NULL, 0, NULL},
	{"tmpfs", 2, take_paths, NULL, 0, NULL},
	{"whitelist", 1, take_whitelist, NULL, 0, NULL},
	{"whitelist-ro", 1, take_whitelist, NULL, 0, NULL},
	{"private", 0, take_private, "${HOME} /root", 0, EMPTY},
	{"private-cache", 0, take_private, "${HOME}/.cache", 0, EMPTY},
	{"private-tmp", 0, take_private, "/tmp", 0,
		"nothing of /tmp is there, and TMPDIR names a private directory"},
	{"private-dev", 0, take_private_dev, NULL, 0, NULL},
	{"private-etc", 0, take_members, "/etc", 0, NULL},
	{"private-opt", 0, take_members, "/opt", 0, NULL},
	{"private-srv", 0, take_members, "/srv", 0, NULL},
	{"private-home", 0, take_members, "${HOME}", 0, NULL},
	WITHOUT("private-bin", "programs are not copied: all that may be executed stay"),
	WITHOUT("private-lib", "libraries are not copied: all stay"),
	WITHOUT("private-cwd", "`reeve run --chdir DIR`"),
	HIDES("disable-mnt", "/mnt /media /run/mount /run/media"),
	HIDES("no3d", "/dev/dri /dev/nvidia*"),
	HIDES("nodvd", "/dev/sr* /dev/cdrom*"),
	HIDES("notv", "/dev/dvb"),
	HIDES("nou2f", "/dev/hidraw* /dev/usb"),
	HIDES("novideo", "/dev/video*"),
	HIDES("noinput", "/dev/input"),
	HIDES("noprinters", "/dev/lp* /run/cups/cups.sock"),
	HIDES("nosound", "/dev/snd ${RUNUSER}/pulse ${RUNUSER}/pipewire-0"),
	{"dbus-user", 2, take_bus, "${RUNUSER}/bus ${RUNUSER}/dbus-1", 0, NULL},
	{"dbus-system", 2, take_bus, "/run/dbus/system_bus_socket", 0, NULL},
	{"nodbus", 2, take_bus, "${RUNUSER}/bus ${RUNUSER}/dbus-1 /run/dbus/system_bus_socket", 0,
		NULL},
	{"x11", 2, take_x11, "/tmp/.X11-unix ${HOME}/.Xauthority", CLI_IMPORT_DIFFERS,
		"DISPLAY stays in the environment"},
	{"net", 2, take_net, NULL, 0, NULL},
	{"protocol", 2, take_protocol, NULL, 0, NULL},
	{"ipc-namespace", 2, take_ipc, NULL, CLI_IMPORT_DIFFERS,
		"System V IPC is denied, rather than private"},
	COVERED("nonewprivs", "always so under reeve"),
	COVERED("seccomp.block-secondary", "reeve always refuses calls of foreign architectures"),
	COVERED("quiet", "it does not restrict"),
	COVERED("tab", "it does not restrict"),
	COVERED("name", "it does not restrict: `reeve run --name`"),
	COVERED("writable-etc", "taken into account"),
	COVERED("writable-var", "taken into account"),
	COVERED("writable-run-user", "taken into account"),
	COVERED("allow-debuggers", "programs of one sandbox may trace one another"),
	COVERED("tracelog", "`reeve denials`"),
	COVERED("keep-var-tmp", "it is the host's"),
	COVERED("keep-dev-shm", "it is the host's"),
	COVERED("writable-var-log", "it is the host's"),
	COVERED("keep-config-pulse", "it is the host's"),
	COVERED("deterministic-exit-code", "the program's, as always"),
	COVERED("deterministic-shutdown", "what is supervised ends with its program"),
	WITHOUT("bind", "a policy shows nothing under another name"),
	WITHOUT("overlay", "a policy shows nothing under another name"),
	WITHOUT("mkdir", NO_MADE),
	WITHOUT("mkfile", NO_MADE),
	WITHOUT("seccomp", NO_CALLS),
	WITHOUT("seccomp.drop", NO_CALLS),
	WITHOUT("seccomp.keep", NO_CALLS),
	WITHOUT("seccomp.32", NO_CALLS),
	WITHOUT("seccomp.32.drop", NO_CALLS),
	WITHOUT("seccomp.32.keep", NO_CALLS),
	WITHOUT("seccomp-error-action", NO_CALLS),
	WITHOUT("memory-deny-write-execute",
		"memory that a program makes executable is not restricted"),
	WITHOUT("restrict-namespaces", "namespaces can be made"),
	WITHOUT("caps", NO_CAPS),
	WITHOUT("caps.drop", NO_CAPS),
	WITHOUT("caps.keep", NO_CAPS),
	WITHOUT("noroot", NO_NS),
	WITHOUT("nogroups", "groups are those of whoever runs it"),
	WITHOUT("hostname", NO_NS),
	WITHOUT("machine-id", NO_NS),
	WITHOUT("apparmor", "a policy sets no labels"),
	WITHOUT("netfilter", "a policy makes no network interfaces: use net_address rules"),
	WITHOUT("dns", "a policy does not change resolv.conf"),
	WITHOUT("env", NO_ENV),
	WITHOUT("rmenv", NO_ENV),
	WITHOUT("shell", "`reeve run` starts no shell"),
	WITHOUT("join-or-start", "`reeve run --name`"),
	WITHOUT("nice", "a policy sets no priorities"),
	WITHOUT("cpu", "a policy sets no priorities"),
	WITHOUT("timeout", "a policy sets no times"),
	WITHOUT("hosts-file", "a policy shows nothing under another name"),
};

static const struct command_row *row_of(const struct firejail_command *command)
{
	for (size_t i = 0; i < CLI_COUNT(rows); i++)
		if (strcmp(rows[i].name, command->name) == 0)
			return &rows[i];
	return NULL;
}

int cli_firejail_apply(
	struct firejail *fire, const struct firejail_command *command, unsigned int round)
{
	const struct command_row *row = row_of(command);

	if (!row && round == 2)
		note(fire, CLI_IMPORT_NONE, command, "this command is not known here");
	return row && row->round == round ? row->take(fire, row, command) : 0;
}
