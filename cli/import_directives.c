/* SPDX-License-Identifier: MIT */
/* What the directives of unit files mean: systemd.exec(5), systemd.resource-control(5). */
#include <stdlib.h>
#include <string.h>
#include "import_systemd.h"

void cli_unit_note(struct unit *unit, enum cli_import_fate fate, const struct unit_setting *setting,
	const char *why)
{
	cli_autofree char *what =
		cli_import_text(unit->import, "%s=%s", setting->name, setting->value);
	const char *colon = strstr(setting->origin, ": ");
	cli_autofree char *where = cli_import_text(unit->import, "%.*s",
		colon ? (int)(colon - setting->origin) : (int)strlen(setting->origin),
		setting->origin);

	if (what && where)
		cli_import_note(unit->import, fate, where, what, "%s", why);
}

int cli_unit_wrong(const struct unit_setting *setting, const char *expected)
{
	cli_autoescape char *shown = cli_escape(setting->origin);

	return cli_fail(NULL, "policy import: %s: expected %s", shown, expected);
}

static int take_note(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	if (!cli_unit_is_false(setting->value))
		cli_unit_note(unit, directive->fate, setting, directive->why);
	return 0;
}

/* --------------------------------------------------------------------------- paths */

struct says {
	uint64_t mask, rights;
	bool optional, seals;
};

static void add_path(
	struct unit *unit, const struct unit_setting *setting, const char *path, struct says says)
{
	cli_autofree char *found = cli_import_path(unit->import, path);
	const struct cli_view_node node = {.path = found,
		.origin = setting->origin,
		.mask = says.mask,
		.rights = says.rights,
		.optional = says.optional,
		.seals = says.seals};

	if (found)
		cli_view_add(&unit->view, &node);
}

/* Paths that the directive itself knows, of which some may not be there. */
static void add_known(
	struct unit *unit, const struct unit_setting *setting, const char *paths, struct says says)
{
	cli_autofree char *copy = cli_import_text(unit->import, "%s", paths);
	char *rest = copy, *path;

	says.optional = true;
	while (copy && (path = strsep(&rest, " ")))
		add_path(unit, setting, path, says);
}

/* "-" in front: it may be missing; "+": from the root of the service, which is the host's here. */
static int add_word(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	const struct unit_directive *directive = cli_unit_directive(setting->name);
	struct says says = {directive->mask, directive->rights, false, directive->seals};
	cli_autofree char *path = NULL;

	for (; *word == '-' || *word == '+'; word++)
		says.optional = says.optional || *word == '-';
	if (*word != '/' && *word != '%')
		return cli_unit_wrong(setting, "absolute paths");
	path = cli_unit_expand(unit, setting, word);
	if (path)
		add_path(unit, setting, path, says);
	return 0;
}

static int take_paths(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	(void)directive;
	return cli_unit_words(unit, setting, add_word);
}

/* SOURCE[:DESTINATION[:OPTIONS]] */
static int add_bind(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	const struct unit_directive *directive = cli_unit_directive(setting->name);
	const struct says says = {
		directive->mask, directive->rights, word[0] == '-', directive->seals};
	cli_autofree char *path = cli_unit_expand(unit, setting, word + (word[0] == '-'));
	char *target = path ? strchr(path, ':') : NULL, *options;

	if (!path)
		return 0;
	if (path[0] != '/')
		return cli_unit_wrong(setting, "absolute paths");
	if (target)
		*target++ = '\0';
	options = target ? strchr(target, ':') : NULL;
	if (options)
		*options = '\0';
	if (target && strcmp(target, path) != 0)
		cli_unit_note(unit, CLI_IMPORT_NONE, setting,
			"a policy shows nothing under another name: the service has to use the "
			"source");
	else
		add_path(unit, setting, path, says);
	return 0;
}

static int take_binds(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	(void)directive;
	return cli_unit_words(unit, setting, add_bind);
}

static int add_tmpfs(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	cli_autofree char *path = cli_unit_expand(unit, setting, word);

	if (!path)
		return 0;
	if (path[0] != '/')
		return cli_unit_wrong(setting, "absolute paths");
	path[strcspn(path, ":")] = '\0';
	add_path(unit, setting, path, (struct says){UINT64_MAX, 0, true, false});
	cli_unit_note(unit, CLI_IMPORT_DIFFERS, setting,
		"nothing of it is there, but no empty directory to write to either");
	return 0;
}

static int take_tmpfs(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	(void)directive;
	return cli_unit_words(unit, setting, add_tmpfs);
}

/* StateDirectory= and its like: names below a directory, NAME or NAME:LINK. */
static int add_directory(struct unit *unit, const struct unit_setting *setting, const char *word)
{
	const struct unit_directive *directive = cli_unit_directive(setting->name);
	cli_autofree char *name = cli_unit_expand(unit, setting, word);
	cli_autofree char *path = NULL;

	if (!name)
		return 0;
	name[strcspn(name, ":")] = '\0';
	path = cli_import_text(unit->import, "%s/%s", directive->paths, name);
	if (path)
		add_path(unit, setting, path, (struct says){UINT64_MAX, IMPORT_ALL, true, false});
	return 0;
}

static int take_directories(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	cli_unit_note(unit, CLI_IMPORT_DIFFERS, setting,
		"it may be written, but reeve does not make it: where it is missing when the "
		"policy is loaded, nothing is granted");
	(void)directive;
	return cli_unit_words(unit, setting, add_directory);
}

/* ------------------------------------------------------------------------ switches */

static const struct says read_only = {.mask = IMPORT_WRITE};
static const struct says nothing = {.mask = UINT64_MAX};
static const struct says sealed = {.mask = UINT64_MAX, .seals = true};

static void protect_strictly(struct unit *unit, const struct unit_setting *setting)
{
	add_known(unit, setting, "/", read_only);
	add_known(unit, setting, "/dev /proc /sys",
		(struct says){IMPORT_WRITE, IMPORT_WRITE, true, false});
}

static int take_protect_system(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	bool full = strcmp(setting->value, "full") == 0;

	(void)directive;
	if (strcmp(setting->value, "strict") == 0)
		protect_strictly(unit, setting);
	else if (full || cli_unit_is_true(setting->value))
		add_known(unit, setting, full ? "/usr /boot /efi /etc" : "/usr /boot /efi",
			read_only);
	else if (!cli_unit_is_false(setting->value))
		return cli_unit_wrong(setting, "yes, no, full or strict");
	return 0;
}

static int take_protect_home(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	static const char homes[] = "/home /root /run/user";

	(void)directive;
	if (strcmp(setting->value, "read-only") == 0)
		add_known(unit, setting, homes, read_only);
	else if (strcmp(setting->value, "tmpfs") == 0)
		add_known(unit, setting, homes, nothing);
	else if (cli_unit_is_true(setting->value))
		add_known(unit, setting, homes, sealed);
	else if (!cli_unit_is_false(setting->value))
		return cli_unit_wrong(setting, "yes, no, read-only or tmpfs");
	return 0;
}

static int take_private_tmp(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	(void)directive;
	if (cli_unit_is_false(setting->value))
		return 0;
	if (!cli_unit_is_true(setting->value) && strcmp(setting->value, "disconnected") != 0)
		return cli_unit_wrong(setting, "yes, no or disconnected");
	add_known(unit, setting, "/tmp /var/tmp", nothing);
	unit->import->private_tmpdir = true;
	cli_unit_note(unit, CLI_IMPORT_DIFFERS, setting,
		"/tmp and /var/tmp are not there, and TMPDIR names a private directory");
	return 0;
}

static int take_dynamic_user(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	if (!cli_unit_is_true(setting->value))
		return 0;
	protect_strictly(unit, setting);
	add_known(unit, setting, "/home /root /run/user", read_only);
	take_private_tmp(unit, directive, setting);
	cli_unit_note(unit, CLI_IMPORT_NONE, setting,
		"what it implies for files is here, but not the user: the policy is for whoever "
		"runs it");
	return 0;
}

/* The devices that stay: pseudo-devices, terminals, shared memory, the log's socket. */
static int take_private_devices(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	(void)directive;
	if (!cli_unit_is_true(setting->value))
		return 0;
	add_known(unit, setting, "/",
		(struct says){REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK, 0, false, false});
	add_known(unit, setting, "/dev",
		(struct says){UINT64_MAX, REEVE_FS_READ_DIR | REEVE_FS_RESOLVE_UNIX, false, false});
	add_known(unit, setting,
		"/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx",
		(struct says){UINT64_MAX,
			REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE | REEVE_FS_IOCTL_DEV |
				REEVE_FS_TRUNCATE,
			true, false});
	add_known(unit, setting, "/dev/pts /dev/shm /dev/mqueue /dev/hugepages",
		(struct says){UINT64_MAX, IMPORT_ALL & ~(uint64_t)REEVE_FS_EXECUTE, true, false});
	return 0;
}

/* A switch that says the same of some paths. */
static int take_known(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	const struct says says = {directive->mask, directive->rights, true, directive->seals};

	if (cli_unit_is_false(setting->value))
		return 0;
	add_known(unit, setting, directive->paths, says);
	if (directive->why)
		cli_unit_note(unit, directive->fate, setting, directive->why);
	return 0;
}

static int take_private_ipc(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	if (!cli_unit_is_true(setting->value))
		return 0;
	unit->import->deny |= REEVE_DENY_SYSV_IPC;
	return take_note(unit, directive, setting);
}

static int take_private_network(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting)
{
	if (!cli_unit_is_true(setting->value))
		return 0;
	free(unit->no_network);
	unit->no_network = cli_import_text(unit->import, "%s", setting->origin);
	return take_note(unit, directive, setting);
}

/* --------------------------------------------------------------------------- table */

#define PATHS(name, mask, rights, seals)                                                           \
	{                                                                                          \
		name, true, take_paths, mask, rights, seals, NULL, 0, NULL                         \
	}
#define SWITCH(name, mask, paths, seals, why)                                                      \
	{                                                                                          \
		name, false, take_known, mask, 0, seals, paths, CLI_IMPORT_DIFFERS, why            \
	}
#define NAMES(name, below)                                                                         \
	{                                                                                          \
		name, true, take_directories, 0, 0, false, below, 0, NULL                          \
	}
#define TAKES(name, adds_up, take)                                                                 \
	{                                                                                          \
		name, adds_up, take, 0, 0, false, NULL, 0, NULL                                    \
	}
#define WITHOUT(name, why)                                                                         \
	{                                                                                          \
		name, true, take_note, 0, 0, false, NULL, CLI_IMPORT_NONE, why                     \
	}
#define COVERED(name, why)                                                                         \
	{                                                                                          \
		name, false, take_note, 0, 0, false, NULL, CLI_IMPORT_COVERED, why                 \
	}

#define NO_CAPABILITIES "a policy takes no capabilities away"
#define NO_CALLS	"a policy lists no system calls"
#define NO_USER		"the policy is for whoever runs it"
#define NO_NAMESPACES	"it is shared with the host"
#define NO_LABELS	"a policy sets no labels"
#define NO_MOUNTS	"a policy shows nothing under another name"

static const struct unit_directive directives[] = {
	PATHS("ReadWritePaths", IMPORT_WRITE, IMPORT_WRITE, false),
	PATHS("ReadOnlyPaths", IMPORT_WRITE, 0, false),
	PATHS("InaccessiblePaths", UINT64_MAX, 0, true),
	PATHS("ReadWriteDirectories", IMPORT_WRITE, IMPORT_WRITE, false),
	PATHS("ReadOnlyDirectories", IMPORT_WRITE, 0, false),
	PATHS("InaccessibleDirectories", UINT64_MAX, 0, true),
	PATHS("ExecPaths", REEVE_FS_EXECUTE, REEVE_FS_EXECUTE, false),
	PATHS("NoExecPaths", REEVE_FS_EXECUTE, 0, false),
	{"BindPaths", true, take_binds, UINT64_MAX, UINT64_MAX, false, NULL, 0, NULL},
	{"BindReadOnlyPaths", true, take_binds, UINT64_MAX, ~IMPORT_WRITE, false, NULL, 0, NULL},
	TAKES("TemporaryFileSystem", true, take_tmpfs),
	NAMES("RuntimeDirectory", "/run"),
	NAMES("StateDirectory", "/var/lib"),
	NAMES("CacheDirectory", "/var/cache"),
	NAMES("LogsDirectory", "/var/log"),
	NAMES("ConfigurationDirectory", "/etc"),
	TAKES("ProtectSystem", false, take_protect_system),
	TAKES("ProtectHome", false, take_protect_home),
	TAKES("PrivateTmp", false, take_private_tmp),
	TAKES("DynamicUser", false, take_dynamic_user),
	TAKES("PrivateDevices", false, take_private_devices),
	SWITCH("ProtectKernelTunables", IMPORT_WRITE,
		"/proc/sys /sys /proc/sysrq-trigger /proc/latency_stats /proc/acpi "
		"/proc/timer_stats /proc/fs /proc/irq /proc/mtrr",
		false, NULL),
	SWITCH("ProtectControlGroups", IMPORT_WRITE, "/sys/fs/cgroup", false, NULL),
	SWITCH("ProtectKernelModules", UINT64_MAX, "/usr/lib/modules /lib/modules", true,
		"modules cannot be read, but a policy takes no capability to load one away"),
	SWITCH("ProtectKernelLogs", UINT64_MAX, "/proc/kmsg /dev/kmsg", true,
		"the files are not there, but syslog(2) is not restricted"),
	{"PrivateNetwork", false, take_private_network, 0, 0, false, NULL, CLI_IMPORT_DIFFERS,
		"there is no loopback either: sockets of the Internet cannot be created"},
	{"PrivateIPC", false, take_private_ipc, 0, 0, false, NULL, CLI_IMPORT_DIFFERS,
		"System V IPC is denied, rather than private"},
	TAKES("RestrictAddressFamilies", true, cli_unit_families),
	TAKES("SocketBindAllow", true, cli_unit_ports),
	TAKES("SocketBindDeny", true, cli_unit_ports),
	TAKES("IPAddressAllow", true, cli_unit_addresses),
	TAKES("IPAddressDeny", true, cli_unit_addresses),
	COVERED("NoNewPrivileges", "always so under reeve"),
	COVERED("SystemCallArchitectures", "reeve always refuses calls of foreign architectures"),
	WITHOUT("RootDirectory", NO_MOUNTS),
	WITHOUT("RootImage", NO_MOUNTS),
	WITHOUT("RootEphemeral", NO_MOUNTS),
	WITHOUT("MountImages", NO_MOUNTS),
	WITHOUT("ExtensionImages", NO_MOUNTS),
	WITHOUT("ExtensionDirectories", NO_MOUNTS),
	WITHOUT("PrivateMounts", "reeve refuses mounts anyway where files are restricted"),
	WITHOUT("MountFlags", NO_MOUNTS),
	WITHOUT("PrivateUsers", NO_NAMESPACES),
	WITHOUT("PrivatePIDs", NO_NAMESPACES),
	WITHOUT("ProtectHostname", NO_NAMESPACES),
	WITHOUT("NetworkNamespacePath", NO_NAMESPACES),
	WITHOUT("IPCNamespacePath", NO_NAMESPACES),
	WITHOUT("JoinsNamespaceOf", NO_NAMESPACES),
	WITHOUT("ProtectProc", "what /proc lists is not restricted process by process"),
	WITHOUT("ProcSubset", "what /proc lists is not restricted process by process"),
	WITHOUT("ProtectClock", NO_CAPABILITIES),
	WITHOUT("CapabilityBoundingSet", NO_CAPABILITIES),
	WITHOUT("AmbientCapabilities", NO_CAPABILITIES),
	WITHOUT("SecureBits", NO_CAPABILITIES),
	WITHOUT("SystemCallFilter", NO_CALLS),
	WITHOUT("SystemCallErrorNumber", NO_CALLS),
	WITHOUT("SystemCallLog", NO_CALLS),
	WITHOUT("MemoryDenyWriteExecute",
		"memory that a program makes executable is not restricted"),
	WITHOUT("RestrictNamespaces", "namespaces can be made"),
	WITHOUT("RestrictRealtime", NO_CALLS),
	WITHOUT("RestrictSUIDSGID", "no_new_privs keeps such files without effect inside, but they "
				    "can be made"),
	WITHOUT("RestrictFileSystems", "a policy does not tell file systems apart"),
	WITHOUT("RestrictNetworkInterfaces", "a policy does not know network interfaces"),
	WITHOUT("LockPersonality", NO_CALLS),
	WITHOUT("KeyringMode", "deny = [\"keyring\"] would deny all of them"),
	WITHOUT("RemoveIPC", "a policy is not about what is left behind"),
	WITHOUT("DeviceAllow", "devices are granted by path"),
	WITHOUT("DevicePolicy", "devices are granted by path"),
	WITHOUT("User", NO_USER),
	WITHOUT("Group", NO_USER),
	WITHOUT("SupplementaryGroups", NO_USER),
	WITHOUT("PAMName", NO_USER),
	WITHOUT("UMask", "a policy sets no umask"),
	WITHOUT("WorkingDirectory", "`reeve run --chdir DIR`"),
	WITHOUT("AppArmorProfile", NO_LABELS),
	WITHOUT("SELinuxContext", NO_LABELS),
	WITHOUT("SmackProcessLabel", NO_LABELS),
	WITHOUT("LoadCredential", "a policy brings no credentials"),
	WITHOUT("LoadCredentialEncrypted", "a policy brings no credentials"),
	WITHOUT("SetCredential", "a policy brings no credentials"),
	WITHOUT("SetCredentialEncrypted", "a policy brings no credentials"),
	WITHOUT("ImportCredential", "a policy brings no credentials"),
};

const struct unit_directive *cli_unit_directive(const char *name)
{
	for (size_t i = 0; i < CLI_COUNT(directives); i++)
		if (strcmp(directives[i].name, name) == 0)
			return &directives[i];
	return NULL;
}
