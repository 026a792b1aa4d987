/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "policy/policy.h"

#define SUFFIX ".toml"

bool rv_is_profile_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < 128 && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       length;
}

const struct rv_builtin_profile *rv_builtin_profile(const char *name)
{
	for (const struct rv_builtin_profile *p = rv_builtin_profiles; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

const char *reeve_profile_builtin(const char *name, size_t *ret_length)
{
	const struct rv_builtin_profile *p = rv_builtin_profile(name);

	if (p && ret_length)
		*ret_length = p->length;
	return p ? p->text : NULL;
}

/* The user's home directory, allocated; NULL in *ret where there is none. */
static int home_directory(char **ret)
{
	const char *home = getenv("HOME");
	struct passwd entry, *found = NULL;
	char buf[4096];

	*ret = NULL;
	if (!home || home[0] != '/') {
		getpwuid_r(getuid(), &entry, buf, sizeof(buf), &found);
		home = found ? found->pw_dir : NULL;
	}
	if (!home || home[0] != '/')
		return 0;
	*ret = strdup(home);
	return *ret ? 0 : -ENOMEM;
}

int rv_user_profile_path(const char *name, char **ret)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	rv_autofree char *home = NULL;
	rv_autostrbuf path = {0};
	int r;

	if (config && config[0] == '/') {
		rv_strbuf_puts(&path, config);
	} else {
		r = home_directory(&home);
		if (r < 0 || !home) {
			*ret = NULL;
			return r;
		}
		rv_strbuf_printf(&path, "%s/.config", home);
	}
	rv_strbuf_puts(&path, "/reeve/profiles");
	if (name)
		rv_strbuf_printf(&path, "/%s" SUFFIX, name);
	return rv_strbuf_steal(&path, ret);
}

/* --------------------------------------------------------------------- listing */

struct entry {
	const char *name;   /* in the arena */
	const char *source; /* NULL: built in */
};

struct listing {
	struct rv_arena arena;
	RV_LIST(struct entry) entries;
};

static void release(struct listing *listing)
{
	free(listing->entries.at);
	rv_arena_release(&listing->arena);
}

static int add(struct listing *listing, const char *name, size_t length, const char *directory)
{
	struct entry entry = {.name = rv_arena_add(&listing->arena, name, length)};
	char path[4096];

	if (directory) {
		snprintf(path, sizeof(path), "%s/%.*s" SUFFIX, directory, (int)length, name);
		entry.source = rv_arena_puts(&listing->arena, path);
	}
	if (!entry.name || (directory && !entry.source) || rv_reserve(&listing->entries, 1) < 0)
		return -ENOMEM;
	listing->entries.at[listing->entries.count++] = entry;
	return 0;
}

static int add_directory(struct listing *listing, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *found;
	int r = 0;

	while (dir && r == 0 && (found = readdir(dir))) {
		size_t length = strlen(found->d_name), suffix = strlen(SUFFIX);

		if (length <= suffix || strcmp(found->d_name + length - suffix, SUFFIX) != 0 ||
			!rv_is_profile_name(found->d_name))
			continue;
		r = add(listing, found->d_name, length - suffix, directory);
	}
	if (dir)
		closedir(dir);
	return r;
}

/* By name; a user's profile before the built-in one that it hides. */
static int compare(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	return order ? order : !a->source - !b->source;
}

static int collect(struct listing *listing)
{
	rv_autofree char *directory = NULL;
	int r = rv_user_profile_path(NULL, &directory);
	size_t kept = 0;

	if (r == 0 && directory)
		r = add_directory(listing, directory);
	for (const struct rv_builtin_profile *p = rv_builtin_profiles; r == 0 && p->name; p++)
		r = add(listing, p->name, strlen(p->name), NULL);
	if (r < 0)
		return r;
	qsort(listing->entries.at, listing->entries.count, sizeof(struct entry), compare);
	for (size_t i = 0; i < listing->entries.count; i++)
		if (kept == 0 || strcmp(listing->entries.at[kept - 1].name,
					 listing->entries.at[i].name) != 0)
			listing->entries.at[kept++] = listing->entries.at[i];
	listing->entries.count = kept;
	return 0;
}

/* The comment on the first line; "" where there is none. */
static void summary_of(const char *text, char *buf, size_t size)
{
	size_t length;

	buf[0] = '\0';
	if (text[0] != '#')
		return;
	text += 1 + strspn(text + 1, "# \t");
	length = strcspn(text, "\r\n");
	rv_escape(buf, size, text, length);
}

static int report(const struct entry *entry,
	int (*fn)(void *data, const char *name, const char *summary, const char *source),
	void *data)
{
	rv_autofree char *read = NULL;
	const char *text = NULL;
	char summary[256];
	size_t length;

	if (!entry->source)
		text = reeve_profile_builtin(entry->name, &length);
	else if (rv_read_file(entry->source, &read, &length, NULL) == 0)
		text = read;
	summary_of(text ? text : "# (cannot be read)", summary, sizeof(summary));
	return fn(data, entry->name, summary, entry->source ? entry->source : "built-in");
}

int reeve_profile_list(
	int (*fn)(void *data, const char *name, const char *summary, const char *source),
	void *data)
{
	__attribute__((cleanup(release))) struct listing listing = {0};
	int r = collect(&listing);

	for (size_t i = 0; r == 0 && i < listing.entries.count; i++)
		r = report(&listing.entries.at[i], fn, data);
	return r;
}

void rv_list_profiles(char *buf, size_t size)
{
	__attribute__((cleanup(release))) struct listing listing = {0};
	rv_autostrbuf text = {0};

	buf[0] = '\0';
	if (collect(&listing) < 0)
		return;
	for (size_t i = 0; i < listing.entries.count; i++)
		rv_strbuf_printf(&text, "%s%s", i ? ", " : "", listing.entries.at[i].name);
	if (text.text && !text.failed)
		rv_escape(buf, size, text.text, text.length);
}
