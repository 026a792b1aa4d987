/* SPDX-License-Identifier: MIT */
/* From accesses to files: which are inputs, which outputs, which were looked for in vain. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "deps.h"

#define WRITES (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE)

static int by_path(const void *a, const void *b)
{
	const struct cli_dep *left = a, *right = b;

	return strcmp(left->path, right->path);
}

struct cli_dep *cli_deps_find(const struct cli_deps *deps, const char *path)
{
	const struct cli_dep key = {.path = (char *)path};
	struct cli_dep *const *found = tfind(&key, &deps->tree, by_path);

	return found ? *found : NULL;
}

static bool append(struct cli_deps *deps, struct cli_dep *file)
{
	/* A power of two is where there is no room left. */
	if ((deps->count & (deps->count - 1)) == 0) {
		size_t room = deps->count ? 2 * deps->count : 1;
		struct cli_dep **files = reallocarray(deps->files, room, sizeof(struct cli_dep *));

		if (!files)
			return false;
		deps->files = files;
	}
	deps->files[deps->count++] = file;
	return true;
}

/* The entry of a path, new or not; NULL: no memory, which is remembered. */
static struct cli_dep *entry(struct cli_deps *deps, const char *path, uint64_t sequence)
{
	struct cli_dep *file = cli_deps_find(deps, path);

	if (file)
		return file;
	file = calloc(1, sizeof(*file));
	if (file && (file->path = strdup(path)) && append(deps, file)) {
		file->first = sequence;
		if (tsearch(file, &deps->tree, by_path))
			return file;
		deps->count--;
	}
	free(file ? file->path : NULL);
	free(file);
	deps->failed = true;
	return NULL;
}

/* ------------------------------------------------------------------------ accesses */

static void take_use(struct cli_dep *file, const struct reeve_access *access)
{
	bool own = file->written || file->made;

	if (access->rights & REEVE_FS_EXECUTE)
		file->executed = true;
	if ((access->rights & (REEVE_FS_READ_FILE | REEVE_FS_EXECUTE)) && !own &&
		!(access->flags & REEVE_ACCESS_MAKES))
		file->read = true;
	if (access->rights & REEVE_FS_READ_DIR)
		file->listed = true;
	if (access->rights & WRITES)
		file->written = true;
}

/* A rename or link has two names: what was there moves on as what the run made. */
static void take_names(struct cli_deps *deps, const struct reeve_access *access)
{
	const char *new_name = access->object2 ? access->object2 : access->object;
	struct cli_dep *file;

	if ((access->flags & REEVE_ACCESS_MAKES) ||
		(access->object2 && (access->flags & REEVE_ACCESS_REPLACES))) {
		file = entry(deps, new_name, access->sequence);
		if (file)
			file->made = true;
	}
	if (access->flags & REEVE_ACCESS_REMOVES) {
		file = entry(deps, access->object, access->sequence);
		if (file)
			file->removed = true;
	}
}

static int on_access(void *data, const struct reeve_access *access)
{
	struct cli_deps *deps = data;
	struct cli_dep *file;

	if (access->cls != REEVE_FS || access->object[0] != '/')
		return 0;
	if (access->outcome == REEVE_ACCESS_ABSENT) {
		file = entry(deps, access->object, access->sequence);
		if (file && !file->made && !file->written)
			file->absent = true;
	}
	if (access->outcome != REEVE_ACCESS_ALLOWED)
		return 0;
	if (!access->object2 && !(access->flags & REEVE_ACCESS_NAMELESS)) {
		file = entry(deps, access->object, access->sequence);
		if (file)
			take_use(file, access);
	}
	take_names(deps, access);
	return 0;
}

/* ----------------------------------------------------------------------- afterwards */

static void look_at(struct cli_dep *file)
{
	struct stat st;

	file->exists = stat(file->path, &st) == 0;
	if (!file->exists)
		return;
	file->is_regular = S_ISREG(st.st_mode);
	file->size = (long long)st.st_size;
	file->seconds = (long long)st.st_mtim.tv_sec;
	file->nanoseconds = st.st_mtim.tv_nsec;
}

/* What stands for processes and devices is no file of anybody's. */
static bool is_of_the_kernel(const char *path)
{
	static const char *const places[] = {"/proc/", "/sys/", "/dev/"};

	for (size_t i = 0; i < CLI_COUNT(places); i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

bool cli_dep_is_input(const struct cli_dep *file)
{
	return file->read && !file->written && !file->made && file->exists && file->is_regular &&
	       !is_of_the_kernel(file->path);
}

bool cli_dep_is_output(const struct cli_dep *file)
{
	return (file->written || file->made) && file->exists && file->is_regular &&
	       !is_of_the_kernel(file->path);
}

bool cli_deps_wanted(const struct cli_deps *deps, const char *path)
{
	if (!deps->under || !deps->under->count)
		return true;
	for (size_t i = 0; i < deps->under->count; i++) {
		size_t length = strlen(deps->places[i]);

		if (length == 1 || (strncmp(path, deps->places[i], length) == 0 &&
					   (path[length] == '/' || !path[length])))
			return true;
	}
	return false;
}

static bool find_places(struct cli_deps *deps, const struct cli_list *under)
{
	deps->under = under;
	deps->places = calloc(under->count + 1, sizeof(*deps->places));
	for (size_t i = 0; deps->places && i < under->count; i++) {
		deps->places[i] = realpath(under->items[i], NULL);
		if (!deps->places[i])
			deps->places[i] = strdup(under->items[i]);
		if (!deps->places[i])
			return false;
	}
	return deps->places;
}

bool cli_deps_read(struct cli_deps *deps, struct reeve_record *record, const struct cli_list *under)
{
	*deps = (struct cli_deps){.record = record};
	if (!find_places(deps, under) || reeve_record_each(record, on_access, deps) < 0 ||
		deps->failed)
		return false;
	for (size_t i = 0; i < deps->count; i++)
		look_at(deps->files[i]);
	return true;
}

static void release_nothing(void *node)
{
	(void)node;
}

void cli_deps_release(struct cli_deps *deps)
{
	tdestroy(deps->tree, release_nothing);
	for (size_t i = 0; i < deps->count; i++) {
		free(deps->files[i]->path);
		free(deps->files[i]);
	}
	for (size_t i = 0; deps->places && i < deps->under->count; i++)
		free(deps->places[i]);
	free(deps->places);
	free(deps->files);
	*deps = (struct cli_deps){0};
}
