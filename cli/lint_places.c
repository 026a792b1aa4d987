/* SPDX-License-Identifier: MIT */
/* What a policy should not allow: secrets, agents, places that decide what runs later. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lint.h"

#define WRITE (REEVE_FS_WRITE_FILE | REEVE_FS_MAKE_REG)

/* What a beginning of a path stands for. */
static const char *place_of(char kind)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	static char made[64];

	if (kind == '~')
		return home && home[0] == '/' ? home : NULL;
	if (runtime && runtime[0] == '/')
		return runtime;
	snprintf(made, sizeof(made), "/run/user/%u", (unsigned int)getuid());
	return made;
}

/* "~/x": in the home directory; "%/x": in the runtime directory; else as it is. Links followed as
 * far as there is something. Allocated; NULL: there is no such place. */
static char *expand(const char *path)
{
	const char *place = path[0] == '/' ? "" : place_of(path[0]);
	char *joined = NULL, *real;

	if (!place || asprintf(&joined, "%s%s", place, path[0] == '/' ? path : path + 1) < 0)
		return NULL;
	real = realpath(joined, NULL);
	if (!real)
		return joined;
	free(joined);
	return real;
}

/* Rights on files that are not handled are allowed everywhere: said once, not for each place. */
static bool is_handled(const struct cli_lint *lint, uint64_t rights)
{
	return lint->handled.of[REEVE_FS] & rights;
}

/* ----------------------------------------------------------------------- files */

static const struct {
	const char *path, *what;
	enum cli_lint_kind kind;
	uint64_t rights; /* any of them */
} places[] = {
	{"/", "/", LINT_ROOT, WRITE},
	{"~", "the home directory", LINT_HOME, WRITE},
	{"~/.ssh", "keys that are trusted, and programs that ssh runs", LINT_STARTUP, WRITE},
	{"~/.bashrc", "run by each shell", LINT_STARTUP, WRITE},
	{"~/.bash_profile", "run at login", LINT_STARTUP, WRITE},
	{"~/.profile", "run at login", LINT_STARTUP, WRITE},
	{"~/.zshrc", "run by each shell", LINT_STARTUP, WRITE},
	{"~/.gitconfig", "names programs that git runs", LINT_STARTUP, WRITE},
	{"~/.config/git", "names programs that git runs", LINT_STARTUP, WRITE},
	{"~/.config/autostart", "run at login", LINT_STARTUP, WRITE},
	{"~/.config/systemd", "run at login", LINT_STARTUP, WRITE},
	{"~/.config/reeve", "policies", LINT_STARTUP, WRITE},
	{"~/.local/bin", "found by name", LINT_STARTUP, WRITE},
	{"~/bin", "found by name", LINT_STARTUP, WRITE},
	{"/etc", "settings of the system", LINT_STARTUP, WRITE},
	{"/usr/bin", "programs of the system", LINT_STARTUP, WRITE},
	{"/usr/lib", "libraries of the system", LINT_STARTUP, WRITE},
	{"/boot", "the kernel", LINT_STARTUP, WRITE},
	{"~/.ssh/id_ed25519", "a private key", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.gnupg", "private keys", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.aws/credentials", "access keys", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.config/gcloud", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.azure", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.kube/config", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.docker/config.json", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.netrc", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.git-credentials", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.config/gh/hosts.yml", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.npmrc", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.pypirc", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.cargo/credentials.toml", "access tokens", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.pgpass", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.password-store", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.local/share/keyrings", "passwords", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.mozilla", "passwords and cookies", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.config/google-chrome", "passwords and cookies", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.config/chromium", "passwords and cookies", LINT_SECRET, REEVE_FS_READ_FILE},
	{"~/.bash_history", "what was typed", LINT_SECRET, REEVE_FS_READ_FILE},
	{"/etc/shadow", "password hashes", LINT_SECRET, REEVE_FS_READ_FILE},
	{"/etc/ssh/ssh_host_ed25519_key", "the machine's key", LINT_SECRET, REEVE_FS_READ_FILE},
	{"/etc/ssl/private", "private keys", LINT_SECRET, REEVE_FS_READ_FILE},
	{"/dev/mem", "the machine's memory", LINT_DEVICE, REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE},
	{"/dev/sda", "disks", LINT_DEVICE, REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE},
	{"/dev/input", "keyboards", LINT_DEVICE, REEVE_FS_READ_FILE},
	{"/dev/pts", "other terminals", LINT_DEVICE, REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE},
	{"/tmp", "shared by all", LINT_TEMPORARY, WRITE},
	{"/var/tmp", "shared by all", LINT_TEMPORARY, WRITE},
	{"/dev/shm", "memory shared by all", LINT_TEMPORARY, WRITE},
};

/* Of a place in another one that was found the same is not said again. */
static bool is_said(const struct cli_lint *lint, size_t upto, const char *path, uint64_t allowed)
{
	for (size_t i = 0; i < upto; i++) {
		cli_autofree char *other = places[i].rights & WRITE ? expand(places[i].path) : NULL;
		size_t length = other ? strlen(other) : 0;

		if (!other || places[i].kind == LINT_TEMPORARY ||
			cli_lint_allowed(lint, other, allowed) != allowed)
			continue;
		if (length == 1 || (strncmp(other, path, length) == 0 && path[length] == '/'))
			return true;
	}
	return false;
}

static void look_at_place(struct cli_lint *lint, size_t i)
{
	cli_autofree char *path = expand(places[i].path);
	cli_autoescape char *shown = cli_escape(path);
	struct reeve_rule rule;
	uint64_t allowed;

	if (!path || !is_handled(lint, places[i].rights))
		return;
	allowed = cli_lint_allowed(lint, path, places[i].rights & lint->handled.of[REEVE_FS]);
	if (!allowed || ((places[i].rights & WRITE) && i > 1 && is_said(lint, i, path, allowed)))
		return;
	if (cli_lint_granting(lint, path, allowed, &rule))
		cli_lint_add(lint, places[i].kind, &rule, "%s (%s) can be %s", shown,
			places[i].what, allowed & WRITE ? "written" : "read");
}

/* ------------------------------------------------------------- write and execute */

static bool is_directory_grant(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_PATH_BENEATH && !(rule->flags & REEVE_RULE_DENY);
}

/* A rule below one that allows both has nothing to answer for. */
static bool has_both_above(const struct cli_lint *lint, const char *path, uint64_t both)
{
	cli_autofree char *above = strdup(path);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (!slash || strcmp(path, "/") == 0)
		return false;
	slash[slash == above] = '\0';
	return cli_lint_allowed(lint, above, both) == both;
}

static void look_at_rule(struct cli_lint *lint, const struct reeve_rule *rule)
{
	uint64_t both = REEVE_FS_EXECUTE | REEVE_FS_WRITE_FILE;
	cli_autoescape char *path = cli_escape(rule->path);

	if (!is_directory_grant(rule))
		return;
	if ((rule->allowed & both) && (lint->handled.of[REEVE_FS] & both) == both &&
		cli_lint_allowed(lint, rule->path, both) == both &&
		!has_both_above(lint, rule->path, both))
		cli_lint_add(
			lint, LINT_WRITE_EXECUTE, rule, "%s can be written and executed", path);
	if (rule->allowed & (REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK))
		cli_lint_add(lint, LINT_MAKE_DEVICE, rule, "%s: devices can be made there", path);
}

/* ------------------------------------------------------------------------- sockets */

static const struct {
	const char *path, *what;
	enum cli_lint_kind kind;
} sockets[] = {
	{"%/bus", "the session bus, with systemd-run and more", LINT_CONTROL},
	{"%/reeve", "reeve's control sockets", LINT_CONTROL},
	{"/run/docker.sock", "docker", LINT_CONTROL},
	{"/run/podman/podman.sock", "podman", LINT_CONTROL},
	{"%/podman/podman.sock", "podman", LINT_CONTROL},
	{"%/docker.sock", "docker", LINT_CONTROL},
	{"/run/containerd/containerd.sock", "containerd", LINT_CONTROL},
	{"/var/lib/incus/unix.socket", "incus", LINT_CONTROL},
	{"/run/libvirt/libvirt-sock", "libvirt", LINT_CONTROL},
	{"/run/systemd/private", "systemd", LINT_CONTROL},
	{"%/systemd/private", "systemd", LINT_CONTROL},
	{"/run/dbus/system_bus_socket", "the system bus", LINT_AGENT},
	{"/run/screen", "screen", LINT_CONTROL},
	{"/tmp/.X11-unix", "the display, keyboard included", LINT_AGENT},
	{"%/wayland-0", "the display", LINT_AGENT},
	{"%/gnupg", "gpg-agent", LINT_AGENT},
	{"~/.gnupg/S.gpg-agent", "gpg-agent", LINT_AGENT},
	{"%/keyring", "the keyring, with its ssh-agent", LINT_AGENT},
	{"%/pulse", "microphone and speakers", LINT_AGENT},
};

/* Is the class restricted at all: by a right, a scope, or because there are no such sockets? */
static bool restricts_unix(const struct cli_lint *lint)
{
	struct reeve_decision decision;

	reeve_decide_socket(lint->domain, AF_UNIX, SOCK_STREAM, 0, &decision);
	return (lint->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET) ||
	       (lint->handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) || !decision.allowed;
}

static bool is_at_or_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strcmp(above, "/") == 0 ||
	       (strncmp(path, above, length) == 0 && (path[length] == '/' || !path[length]));
}

/* A rule that lets the socket, or one in this directory, be reached. */
static bool reaching(const struct cli_lint *lint, const char *path, struct reeve_rule *ret)
{
	for (size_t i = 0; reeve_ruleset_at(lint->ruleset, i, ret) == 0; i++)
		if (ret->type == REEVE_RULE_UNIX_SOCKET && ret->allowed &&
			(is_at_or_below(path, ret->path) || is_at_or_below(ret->path, path)))
			return true;
	return (lint->handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) &&
	       cli_lint_allowed(lint, path, REEVE_FS_RESOLVE_UNIX) &&
	       cli_lint_granting(lint, path, REEVE_FS_RESOLVE_UNIX, ret);
}

static void look_at_socket(
	struct cli_lint *lint, const char *path, const char *what, enum cli_lint_kind kind)
{
	cli_autofree char *expanded = expand(path);
	cli_autoescape char *shown = cli_escape(expanded);
	struct reeve_rule rule;

	if (expanded && reaching(lint, expanded, &rule))
		cli_lint_add(lint, kind, &rule, "%s (%s) can be connected to", shown, what);
}

static void look_at_sockets(struct cli_lint *lint)
{
	const char *agent = getenv("SSH_AUTH_SOCK"), *tmux = getenv("TMUX_TMPDIR");
	char directory[PATH_MAX];

	if (!restricts_unix(lint)) {
		cli_lint_add(lint, LINT_SOCKETS, NULL, "UNIX sockets are not restricted");
		return;
	}
	for (size_t i = 0; i < CLI_COUNT(sockets); i++)
		look_at_socket(lint, sockets[i].path, sockets[i].what, sockets[i].kind);
	if (agent && agent[0] == '/')
		look_at_socket(lint, agent, "ssh-agent", LINT_AGENT);
	if (snprintf(directory, sizeof(directory), "%s/tmux-%u",
		    tmux && tmux[0] == '/' ? tmux : "/tmp",
		    (unsigned int)getuid()) < (int)sizeof(directory))
		look_at_socket(lint, directory, "tmux", LINT_CONTROL);
}

/* ------------------------------------------------------------------------- network */

static bool restricts_network(const struct cli_lint *lint)
{
	struct reeve_decision decision;

	reeve_decide_socket(lint->domain, AF_INET, SOCK_STREAM, 0, &decision);
	return (lint->handled.of[REEVE_NET] & REEVE_NET_CONNECT_TCP) || !decision.allowed;
}

static void look_at_ports(struct cli_lint *lint, const struct reeve_rule *rule)
{
	if (rule->type == REEVE_RULE_NET_PORT && (rule->allowed & REEVE_NET_CONNECT_TCP))
		cli_lint_add(lint, LINT_EVERYWHERE, rule, "port %u%s: to any address",
			rule->port_first, rule->port_first == rule->port_last ? "" : " and more");
}

void cli_lint_places(struct cli_lint *lint)
{
	struct reeve_rule rule;

	for (size_t i = 0; i < CLI_COUNT(places); i++)
		look_at_place(lint, i);
	for (size_t i = 0; reeve_ruleset_at(lint->ruleset, i, &rule) == 0; i++) {
		look_at_rule(lint, &rule);
		look_at_ports(lint, &rule);
	}
	look_at_sockets(lint);
	if (!restricts_network(lint))
		cli_lint_add(lint, LINT_NETWORK, NULL, "TCP connections are not restricted");
	if (!(lint->handled.of[REEVE_SCOPE] & REEVE_SCOPE_SIGNAL))
		cli_lint_add(lint, LINT_SIGNALS, NULL, "signals are not restricted");
}
