/* SPDX-License-Identifier: MIT */
/*
 * Imports from bubblewrap's command line (0.11). It builds a tree of mounts from nothing; a
 * policy can say which of what it shows is there, but not show it elsewhere, or make something up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "import.h"

/* Device files do not work below a bind mount without --dev-bind. */
#define BIND_RO (IMPORT_READ | REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX)
#define BIND_RW (BIND_RO | IMPORT_WRITE)

#define BWRAP_USER 1u
#define BWRAP_IPC  2u
#define BWRAP_PID  4u
#define BWRAP_NET  8u
#define BWRAP_ALL  (BWRAP_USER | BWRAP_IPC | BWRAP_PID | BWRAP_NET)

struct bwrap {
	struct cli_import *import;
	struct cli_view view;
	char **words; /* with those of --args in place; owned, like the array */
	int count, at;
	const struct bwrap_option *option;
	char *const *values; /* of the option at hand */
	char *origin;	     /* "argument 3: --ro-bind /usr /usr" */
	char *unshare_origin;
	unsigned int unshared;
};

struct bwrap_option {
	const char *name;
	int arity;
	void (*take)(struct bwrap *bwrap);
	uint64_t rights;  /* of a bind */
	bool optional;	  /* …-try */
	unsigned int bit; /* of --unshare-… */
	enum cli_import_fate fate;
	const char *why; /* of a note */
};

static void note(struct bwrap *bwrap, enum cli_import_fate fate, const char *why)
{
	cli_autofree char *what = cli_import_words(
		bwrap->import, (char *const *)bwrap->words, bwrap->at, 1 + bwrap->option->arity);
	cli_autofree char *where = cli_import_text(bwrap->import, "argument %d", bwrap->at + 1);

	cli_import_note(bwrap->import, fate, where ? where : "?", what ? what : "?", "%s", why);
}

static void take_note(struct bwrap *bwrap)
{
	note(bwrap, bwrap->option->fate, bwrap->option->why);
}

/* --------------------------------------------------------------------------- mounts */

static void mount_at(struct bwrap *bwrap, const char *path, uint64_t rights, bool optional)
{
	const struct cli_view_node node = {.path = path,
		.origin = bwrap->origin,
		.mask = UINT64_MAX,
		.rights = rights,
		.optional = optional};

	cli_view_cover(&bwrap->view, path, bwrap->origin);
	cli_view_add(&bwrap->view, &node);
}

static void add_beneath(struct bwrap *bwrap, const char *path, uint64_t rights)
{
	const struct cli_view_node node = {.path = path,
		.origin = bwrap->origin,
		.mask = UINT64_MAX,
		.rights = rights,
		.optional = true};

	cli_view_add(&bwrap->view, &node);
}

static void take_bind(struct bwrap *bwrap)
{
	cli_autofree char *source = cli_import_path(bwrap->import, bwrap->values[0]);
	cli_autofree char *target = cli_import_path(bwrap->import, bwrap->values[1]);
	const struct bwrap_option *option = bwrap->option;

	if (!source || !target)
		return;
	if (strcmp(source, target) != 0) {
		cli_view_cover(&bwrap->view, target, bwrap->origin);
		note(bwrap, CLI_IMPORT_NONE,
			"a policy shows nothing under another name: grant the source, and use it "
			"there");
		return;
	}
	mount_at(bwrap, source, option->rights, option->optional);
	if (strcmp(source, "/") == 0 && !(option->rights & REEVE_FS_IOCTL_DEV))
		add_beneath(bwrap, "/dev", REEVE_FS_READ_DIR | REEVE_FS_RESOLVE_UNIX);
}

static bool is_temporary(const char *path)
{
	return strcmp(path, "/tmp") == 0 || strcmp(path, "/var/tmp") == 0;
}

static void take_tmpfs(struct bwrap *bwrap)
{
	cli_autofree char *path = cli_import_path(bwrap->import, bwrap->values[0]);

	if (!path)
		return;
	mount_at(bwrap, path, 0, true);
	if (is_temporary(path))
		bwrap->import->private_tmpdir = true;
	note(bwrap, is_temporary(path) ? CLI_IMPORT_DIFFERS : CLI_IMPORT_NONE,
		is_temporary(path) ? "there is nothing of it to see, and TMPDIR names a private "
				     "directory for what is to be written"
				   : "there is nothing of it to see, but no empty directory to "
				     "write to either");
}

static void take_proc(struct bwrap *bwrap)
{
	cli_autofree char *path = cli_import_path(bwrap->import, bwrap->values[0]);

	if (path && strcmp(path, "/proc") == 0)
		mount_at(bwrap, path, IMPORT_READ, false);
	note(bwrap, CLI_IMPORT_DIFFERS,
		path && strcmp(path, "/proc") == 0
			? "/proc can be read, and nothing in it written; processes outside are "
			  "listed"
			: "a policy shows nothing under another name");
}

static void take_dev(struct bwrap *bwrap)
{
	static const char *const devices[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
	cli_autofree char *path = cli_import_path(bwrap->import, bwrap->values[0]);

	if (!path || strcmp(path, "/dev") != 0) {
		note(bwrap, CLI_IMPORT_NONE, "a policy shows nothing under another name");
		return;
	}
	mount_at(bwrap, path, REEVE_FS_READ_DIR, false);
	for (size_t i = 0; i < CLI_COUNT(devices); i++)
		add_beneath(bwrap, devices[i],
			REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE | REEVE_FS_IOCTL_DEV);
	note(bwrap, CLI_IMPORT_DIFFERS,
		"the usual devices, but neither terminals (/dev/pts) nor shared memory (/dev/shm) "
		"of its own: none is granted");
}

static void take_remount(struct bwrap *bwrap)
{
	cli_autofree char *path = cli_import_path(bwrap->import, bwrap->values[0]);
	const struct cli_view_node node = {
		.path = path, .origin = bwrap->origin, .mask = IMPORT_WRITE, .optional = true};

	if (path)
		cli_view_add(&bwrap->view, &node);
}

/* On a distribution with a merged /usr, "--symlink usr/lib /lib" is what the host has, too. */
static void take_symlink(struct bwrap *bwrap)
{
	char target[4096];
	ssize_t length = readlink(bwrap->values[1], target, sizeof(target) - 1);

	if (length >= 0)
		target[length] = '\0';
	if (length >= 0 && strcmp(target, bwrap->values[0]) == 0)
		note(bwrap, CLI_IMPORT_COVERED, "this link is there");
	else
		note(bwrap, CLI_IMPORT_NONE, "a policy makes no links");
}

/* ----------------------------------------------------------------------- namespaces */

static void take_unshare(struct bwrap *bwrap)
{
	bwrap->unshared |= bwrap->option->bit;
	free(bwrap->unshare_origin);
	bwrap->unshare_origin = cli_import_text(bwrap->import, "%s", bwrap->origin);
	if (bwrap->option->bit & BWRAP_IPC)
		bwrap->import->deny |= REEVE_DENY_SYSV_IPC;
	if (bwrap->option->bit & BWRAP_PID)
		bwrap->import->handled.of[REEVE_SCOPE] |= REEVE_SCOPE_SIGNAL;
	if (bwrap->option->why)
		take_note(bwrap);
}

static void take_share_net(struct bwrap *bwrap)
{
	bwrap->unshared &= ~BWRAP_NET;
}

static void take_args(struct bwrap *bwrap);

#define UNSHARED "the processes share it with the host"
#define NO_ENV	 "a policy has no environment: `reeve run --env K=V`, `--clear-env`"
#define NO_MADE	 "a policy makes no files and directories"
#define NO_FD	 "a policy knows no file descriptors"
#define NO_NAME	 "a policy shows nothing under another name"

static const struct bwrap_option bwrap_options[] = {
	{"--bind", 2, take_bind, BIND_RW, false, 0, 0, NULL},
	{"--bind-try", 2, take_bind, BIND_RW, true, 0, 0, NULL},
	{"--ro-bind", 2, take_bind, BIND_RO, false, 0, 0, NULL},
	{"--ro-bind-try", 2, take_bind, BIND_RO, true, 0, 0, NULL},
	{"--dev-bind", 2, take_bind, BIND_RW | REEVE_FS_IOCTL_DEV, false, 0, 0, NULL},
	{"--dev-bind-try", 2, take_bind, BIND_RW | REEVE_FS_IOCTL_DEV, true, 0, 0, NULL},
	{"--bind-fd", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_FD},
	{"--ro-bind-fd", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_FD},
	{"--remount-ro", 1, take_remount, 0, false, 0, 0, NULL},
	{"--proc", 1, take_proc, 0, false, 0, 0, NULL},
	{"--dev", 1, take_dev, 0, false, 0, 0, NULL},
	{"--tmpfs", 1, take_tmpfs, 0, false, 0, 0, NULL},
	{"--symlink", 2, take_symlink, 0, false, 0, 0, NULL},
	{"--args", 1, take_args, 0, false, 0, 0, NULL},
	{"--mqueue", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--dir", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--file", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--bind-data", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--ro-bind-data", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--chmod", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--perms", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--size", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_MADE},
	{"--overlay-src", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_NAME},
	{"--overlay", 3, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_NAME},
	{"--tmp-overlay", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_NAME},
	{"--ro-overlay", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_NAME},
	{"--unshare-all", 0, take_unshare, 0, false, BWRAP_ALL, CLI_IMPORT_DIFFERS,
		"signals, System V IPC and the network are denied; users, host name and cgroups "
		"are the host's"},
	{"--unshare-net", 0, take_unshare, 0, false, BWRAP_NET, 0, NULL},
	{"--unshare-ipc", 0, take_unshare, 0, false, BWRAP_IPC, 0, NULL},
	{"--unshare-pid", 0, take_unshare, 0, false, BWRAP_PID, CLI_IMPORT_DIFFERS,
		"processes outside get no signal, but their names can be seen in /proc"},
	{"--share-net", 0, take_share_net, 0, false, 0, 0, NULL},
	{"--unshare-user", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--unshare-user-try", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--unshare-uts", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--unshare-cgroup", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--unshare-cgroup-try", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--userns", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--userns2", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--pidns", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--disable-userns", 0, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"user namespaces can be made"},
	{"--assert-userns-disabled", 0, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"user namespaces can be made"},
	{"--uid", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--gid", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--hostname", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, UNSHARED},
	{"--cap-add", 1, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"capabilities are as they are when reeve is started"},
	{"--cap-drop", 1, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"capabilities are as they are when reeve is started"},
	{"--chdir", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "`reeve run --chdir DIR`"},
	{"--argv0", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "`reeve run` has no such option"},
	{"--clearenv", 0, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_ENV},
	{"--setenv", 2, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_ENV},
	{"--unsetenv", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_ENV},
	{"--seccomp", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "a policy lists no system calls"},
	{"--add-seccomp-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"a policy lists no system calls"},
	{"--exec-label", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "a policy sets no labels"},
	{"--file-label", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "a policy sets no labels"},
	{"--lock-file", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "it does not restrict"},
	{"--sync-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_FD},
	{"--block-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_FD},
	{"--userns-block-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, NO_FD},
	{"--info-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE, "`reeve run --status-fd N`"},
	{"--json-status-fd", 1, take_note, 0, false, 0, CLI_IMPORT_NONE,
		"`reeve run --status-fd N`"},
	{"--new-session", 0, take_note, 0, false, 0, CLI_IMPORT_COVERED,
		"typing into the terminal is always refused"},
	{"--die-with-parent", 0, take_note, 0, false, 0, CLI_IMPORT_COVERED,
		"what is supervised ends with its supervisor"},
	{"--as-pid-1", 0, take_note, 0, false, 0, CLI_IMPORT_COVERED,
		"there is no process between"},
};

/* ------------------------------------------------------------------------ arguments */

static bool add_word(struct bwrap *bwrap, const char *word, int at)
{
	char **words = reallocarray(bwrap->words, (size_t)bwrap->count + 2, sizeof(*bwrap->words));

	if (words)
		bwrap->words = words;
	if (!words || !(word = cli_import_text(bwrap->import, "%s", word))) {
		bwrap->import->failed = true;
		return false;
	}
	memmove(words + at + 1, words + at, (size_t)(bwrap->count - at) * sizeof(*words));
	words[at] = (char *)word;
	words[++bwrap->count] = NULL;
	return true;
}

static char *read_all(int fd, size_t *ret_length)
{
	char *text = NULL, *grown;
	size_t length = 0;
	ssize_t n = 1;

	while (n > 0 && length < 1 << 20) {
		grown = realloc(text, length + 4097);
		if (!grown)
			break;
		text = grown;
		n = read(fd, text + length, 4096);
		length += n > 0 ? (size_t)n : 0;
	}
	if (n == 0 && text) {
		text[length] = '\0';
		*ret_length = length;
		return text;
	}
	free(text);
	return NULL;
}

/* What the descriptor has is more arguments, each with a NUL behind it. */
static void take_args(struct bwrap *bwrap)
{
	int at = bwrap->at + 2;
	size_t length = 0;
	cli_autofree char *text = read_all(atoi(bwrap->values[0]), &length);

	if (!text) {
		bwrap->option = NULL; /* says so */
		return;
	}
	for (size_t i = 0; i < length; i += strlen(text + i) + 1)
		if (!add_word(bwrap, text + i, at++))
			return;
}

static int one_option(struct bwrap *bwrap)
{
	cli_autoescape char *shown = cli_escape(bwrap->words[bwrap->at]);
	cli_autofree char *line = NULL;
	size_t i = 0;
	int arity;

	while (i < CLI_COUNT(bwrap_options) &&
		strcmp(bwrap_options[i].name, bwrap->words[bwrap->at]) != 0)
		i++;
	if (i == CLI_COUNT(bwrap_options))
		return cli_fail("bubblewrap up to 0.11 is known here",
			"policy import: argument %d: unknown option %s", bwrap->at + 1, shown);
	bwrap->option = &bwrap_options[i];
	arity = bwrap->option->arity;
	if (bwrap->at + arity >= bwrap->count)
		return cli_fail(NULL, "policy import: argument %d: %s needs %d value%s",
			bwrap->at + 1, shown, arity, arity == 1 ? "" : "s");
	bwrap->values = bwrap->words + bwrap->at + 1;
	line = cli_import_words(bwrap->import, bwrap->words, bwrap->at, 1 + arity);
	free(bwrap->origin);
	bwrap->origin =
		cli_import_text(bwrap->import, "argument %d: %s", bwrap->at + 1, line ? line : "");
	if (!bwrap->origin)
		return cli_fail(NULL, "out of memory");
	bwrap->option->take(bwrap);
	if (!bwrap->option)
		return cli_fail(NULL, "policy import: argument %d: %s: cannot be read",
			bwrap->at + 1, shown);
	bwrap->at += 1 + arity;
	return 0;
}

static int all_options(struct bwrap *bwrap)
{
	int r = 0;

	while (r == 0 && bwrap->at < bwrap->count && bwrap->words[bwrap->at][0] == '-' &&
		strcmp(bwrap->words[bwrap->at], "--") != 0)
		r = one_option(bwrap);
	return r;
}

static void release(struct bwrap *bwrap)
{
	for (int i = 0; i < bwrap->count; i++)
		free(bwrap->words[i]);
	free(bwrap->words);
	free(bwrap->origin);
	free(bwrap->unshare_origin);
}

int cli_import_bwrap(struct cli_import *import, const struct cli_operands *operands)
{
	struct bwrap bwrap = {.import = import, .view = {.import = import}};
	int r = 0;

	for (int i = 0; i < operands->count; i++)
		if (!add_word(&bwrap, operands->items[i], i))
			break;
	bwrap.at = bwrap.count > 0 && bwrap.words[0][0] != '-';
	if (!import->failed)
		r = all_options(&bwrap);
	cli_view_finish(&bwrap.view);
	if (r == 0 && (bwrap.unshared & BWRAP_NET))
		cli_import_no_network(import, true, true,
			bwrap.unshare_origin ? bwrap.unshare_origin : "--unshare-net");
	release(&bwrap);
	return r;
}
