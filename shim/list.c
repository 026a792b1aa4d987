/* SPDX-License-Identifier: MIT */
/*
 * What reads whole directories for a program: libc opens them by internal calls.
 *
 * scandir(3) is done here, as glibc does it. glob(3) takes functions to read directories with, and
 * gets libc's own, which are interposed. ftw(3) and fts(3) have no such door, and what the dynamic
 * linker, the resolver and locales open has none either: trapped, and no less correct.
 */
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shim.h"

typedef int (*select_fn)(const struct dirent *entry);
typedef int (*compare_fn)(const struct dirent **a, const struct dirent **b);

struct list {
	struct dirent **at;
	size_t count, size;
};

static bool add(struct list *list, const struct dirent *entry)
{
	struct dirent *copy;

	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 10;
		struct dirent **at = reallocarray(list->at, size, sizeof(*at));

		if (!at)
			return false;
		list->at = at;
		list->size = size;
	}
	copy = malloc(entry->d_reclen);
	if (!copy)
		return false;
	memcpy(copy, entry, entry->d_reclen);
	list->at[list->count++] = copy;
	return true;
}

static void release(struct list *list)
{
	while (list->count)
		free(list->at[--list->count]);
	free(list->at);
}

/* False, with errno: an entry could not be read, or there is no memory. */
static bool read_all(DIR *dir, select_fn selected, struct list *list)
{
	const struct dirent *entry;

	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (selected && !selected(entry))
			continue;
		if (!add(list, entry))
			return false;
	}
	return errno == 0;
}

static int scan(
	int at, const char *path, struct dirent ***names, select_fn selected, compare_fn compare)
{
	int saved = errno, error;
	DIR *dir = shim_opendirat(at, path);
	struct list list = {0};
	bool good;

	if (!dir)
		return -1;
	good = read_all(dir, selected, &list);
	error = good ? saved : errno;
	closedir(dir);
	errno = error;
	if (!good) {
		release(&list);
		errno = error;
		return -1;
	}
	if (compare && list.count)
		qsort(list.at, list.count, sizeof(*list.at),
			(int (*)(const void *, const void *))compare);
	*names = list.at;
	errno = saved;
	return (int)list.count;
}

SHIM_EXPORT int scandir(
	const char *path, struct dirent ***names, select_fn selected, compare_fn compare)
{
	return scan(AT_FDCWD, path, names, selected, compare);
}

SHIM_EXPORT int scandirat(
	int at, const char *path, struct dirent ***names, select_fn selected, compare_fn compare)
{
	return scan(at, path, names, selected, compare);
}

_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "the names with 64 are the same");

SHIM_EXPORT int scandir64(const char *path, struct dirent64 ***names,
	int (*selected)(const struct dirent64 *entry),
	int (*compare)(const struct dirent64 **a, const struct dirent64 **b))
{
	return scan(
		AT_FDCWD, path, (struct dirent ***)names, (select_fn)selected, (compare_fn)compare);
}

SHIM_EXPORT int scandirat64(int at, const char *path, struct dirent64 ***names,
	int (*selected)(const struct dirent64 *entry),
	int (*compare)(const struct dirent64 **a, const struct dirent64 **b))
{
	return scan(at, path, (struct dirent ***)names, (select_fn)selected, (compare_fn)compare);
}

/* ------------------------------------------------------------------- glob */

typedef int (*error_fn)(const char *path, int error);

static void *open_for_glob(const char *path)
{
	return shim_opendirat(AT_FDCWD, path);
}

static struct dirent *read_for_glob(void *dir)
{
	return readdir(dir);
}

static void close_for_glob(void *dir)
{
	closedir(dir);
}

/* The functions are the caller's to give or not: afterwards there is no trace of ours. */
static int glob_with(
	const char *name, const char *pattern, int flags, error_fn error, glob_t *found)
{
	int (*real)(const char *, int, error_fn, glob_t *);
	glob_t given = *found;
	int r;

	*(void **)&real = shim_real(name);
	if (!real)
		return GLOB_NOSYS;
	if (flags & GLOB_ALTDIRFUNC)
		return real(pattern, flags, error, found);
	found->gl_opendir = open_for_glob;
	found->gl_readdir = read_for_glob;
	found->gl_closedir = close_for_glob;
	found->gl_stat = stat;
	found->gl_lstat = lstat;
	r = real(pattern, flags | GLOB_ALTDIRFUNC, error, found);
	found->gl_flags &= ~GLOB_ALTDIRFUNC;
	found->gl_opendir = given.gl_opendir;
	found->gl_readdir = given.gl_readdir;
	found->gl_closedir = given.gl_closedir;
	found->gl_stat = given.gl_stat;
	found->gl_lstat = given.gl_lstat;
	return r;
}

SHIM_EXPORT int glob(const char *pattern, int flags, error_fn error, glob_t *found)
{
	return glob_with("glob", pattern, flags, error, found);
}

_Static_assert(sizeof(glob_t) == sizeof(glob64_t), "the names with 64 are the same");

SHIM_EXPORT int glob64(const char *pattern, int flags, error_fn error, glob64_t *found)
{
	return glob_with("glob64", pattern, flags, error, (glob_t *)found);
}
