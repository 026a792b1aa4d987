/* SPDX-License-Identifier: MIT */
/* From a path on the command line to the object that Landlock would judge. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "explain.h"
#include "remedy.h"

#define LINKS_MAX 40 /* as the kernel's MAXSYMLINKS */

/* Rights that Landlock looks up at the directory in which something appears or vanishes. */
#define APPEAR                                                                                     \
	(REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SOCK |         \
		REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM)

static int cannot(const char *path, int error)
{
	cli_autoescape char *shown = cli_escape(path);

	return cli_fail(NULL, "%s: %s", *shown ? shown : "\"\"", strerror(error));
}

/* Splits "a/b" into directory and last component; final slashes do not count. */
static void split(char *path, const char **ret_directory, const char **ret_name)
{
	size_t length = strlen(path);
	char *slash;

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	slash = strrchr(path, '/');
	*ret_directory = !slash ? "." : slash == path ? "/" : path;
	*ret_name = slash ? slash + 1 : path;
	if (slash && slash != path)
		*slash = '\0';
}

static char *join(const char *directory, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name) < 0)
		return NULL;
	return path;
}

/* Where a dangling symbolic link leads, or NULL where `path` is none. */
static char *follow(const char *directory, const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return NULL;
	target[length] = '\0';
	return target[0] == '/' ? strdup(target) : join(directory, target);
}

/* The last component does not exist: its directory must. */
static int find_missing(const char *given, struct cli_object *ret, unsigned int links)
{
	cli_autofree char *copy = strdup(given), *target = NULL;
	const char *directory, *name;

	if (!copy)
		return cannot(given, ENOMEM);
	split(copy, &directory, &name);
	ret->parent = realpath(directory, NULL);
	if (!ret->parent || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return cannot(given, ret->parent ? ENOENT : errno);
	ret->path = join(ret->parent, name);
	if (!ret->path)
		return cannot(given, ENOMEM);
	target = follow(ret->parent, ret->path);
	if (!target)
		return 0;
	cli_object_release(ret);
	if (links >= LINKS_MAX)
		return cannot(given, ELOOP);
	return find_missing(target, ret, links + 1);
}

int cli_object_find(const char *given, struct cli_object *ret)
{
	const char *directory, *name;
	struct stat st;

	ret->path = realpath(given, NULL);
	if (!ret->path && errno == ENOENT && *given)
		return find_missing(given, ret, 0);
	if (!ret->path || stat(ret->path, &st) < 0)
		return cannot(given, errno);
	ret->mode = st.st_mode;
	ret->parent = strdup(ret->path);
	if (!ret->parent)
		return cannot(given, ENOMEM);
	split(ret->parent, &directory, &name);
	/* "/x" has its directory in no part of the copy. */
	if (strcmp(directory, "/") == 0)
		strcpy(ret->parent, "/");
	return 0;
}

void cli_object_release(struct cli_object *object)
{
	free(object->path);
	free(object->parent);
	*object = (struct cli_object){0};
}

static uint64_t word_rights(const struct cli_access_word *word, mode_t mode)
{
	if (!mode)
		return word->on_nothing;
	return S_ISDIR(mode) ? word->on_directory : word->on_file;
}

const char *cli_object_judged(
	const struct cli_object *object, const struct cli_access *access, uint64_t *ret_rights)
{
	uint64_t rights = access->word ? word_rights(access->word, object->mode) : access->rights;

	*ret_rights = rights;
	/* What appears or vanishes in a directory that was named, or the named object itself. */
	if ((rights & APPEAR) && !S_ISDIR(object->mode))
		return object->parent;
	if (rights == REEVE_FS_REMOVE_FILE && !S_ISDIR(object->mode))
		return object->parent;
	if (rights == REEVE_FS_REMOVE_DIR)
		return object->parent;
	return object->path;
}

char *cli_flag_for_path(const char *path, uint64_t missing)
{
	static const struct {
		const char *flag;
		uint64_t rights;
	} flags[] = {
		{"--ro", REEVE_FS_READ_FILE | REEVE_FS_READ_DIR},
		{"--rx", REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE},
		{"--rw", ~(uint64_t)(REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX)},
		{"--rwx", ~(uint64_t)REEVE_FS_RESOLVE_UNIX},
		{"--unix", REEVE_FS_RESOLVE_UNIX},
	};
	/* The summary at the end of a run quotes in the same way. */
	const struct reeve_event reading = {.kind = REEVE_EVENT_DENIED,
		.cls = REEVE_FS,
		.missing = REEVE_FS_READ_FILE,
		.object = path};
	char quoted[CLI_REMEDY_SIZE], *text = NULL;

	if (strncmp(reeve_event_flag(&reading, quoted, sizeof(quoted)), "--ro ", 5) != 0)
		return NULL;
	for (size_t i = 0; i < CLI_COUNT(flags); i++)
		if ((missing & ~flags[i].rights) == 0)
			return asprintf(&text, "%s %s", flags[i].flag, quoted + 5) < 0 ? NULL
										       : text;
	return NULL;
}
