/* SPDX-License-Identifier: MIT */
/* ID.denials.json: what was denied in a domain that ended. The oldest are removed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "control/registry.h"

#define RECORD ".denials.json"

struct record {
	uint64_t domain;
	struct timespec written;
};

struct records {
	const struct rv_registry *registry;
	struct record *items;
	size_t count;
};

static int newest_first(const void *a, const void *b)
{
	const struct record *left = a, *right = b;

	if (left->written.tv_sec != right->written.tv_sec)
		return left->written.tv_sec < right->written.tv_sec ? 1 : -1;
	if (left->written.tv_nsec != right->written.tv_nsec)
		return left->written.tv_nsec < right->written.tv_nsec ? 1 : -1;
	return (left->domain > right->domain) - (left->domain < right->domain);
}

static int add_record(struct records *records, uint64_t domain)
{
	char name[RV_ENTRY_NAME];
	struct record *items;
	struct stat st;

	rv_entry_name(domain, RECORD, name);
	if (fstatat(records->registry->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	items = reallocarray(records->items, records->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	records->items = items;
	items[records->count++] = (struct record){domain, st.st_mtim};
	return 0;
}

static int list_records(const struct rv_registry *registry, struct records *records)
{
	static const char *const suffix = RECORD;
	rv_autoids ids = {0};
	int r = rv_registry_ids(registry, &suffix, 1, &ids);

	*records = (struct records){.registry = registry};
	for (size_t i = 0; r == 0 && i < ids.count; i++)
		r = add_record(records, ids.at[i]);
	if (r == 0 && records->count > 0)
		qsort(records->items, records->count, sizeof(*records->items), newest_first);
	return r;
}

static void prune(const struct rv_registry *registry)
{
	char name[RV_ENTRY_NAME];
	struct records records;

	if (list_records(registry, &records) == 0)
		for (size_t i = RV_RECORDS_KEPT; i < records.count; i++)
			unlinkat(registry->fd, rv_entry_name(records.items[i].domain, RECORD, name),
				0);
	free(records.items);
}

int rv_record_write(const struct rv_registry *registry, uint64_t domain, const json_t *object)
{
	char name[RV_ENTRY_NAME];
	rv_autoclose int fd =
		rv_registry_write(registry, rv_entry_name(domain, RECORD, name), object);

	if (fd < 0)
		return fd;
	prune(registry);
	return 0;
}

/* ------------------------------------------------------------------------ finding */

/* How well it fits what was asked for: 0 not, 1 by a prefix, 2 by the name, 3 by the id. */
static int fits(const struct record *record, const json_t *object, const char *id)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	char text[RV_ENTRY_NAME];

	if (!id)
		return 3;
	rv_entry_name(record->domain, "", text);
	if (strcmp(text, id) == 0)
		return 3;
	if (name && strcmp(name, id) == 0)
		return 2;
	return *id && strncmp(text, id, strlen(id)) == 0;
}

static int find_in(const struct records *records, const char *id, json_t **ret)
{
	json_t *found = NULL;
	int best = 0, by_prefix = 0;

	for (size_t i = 0; i < records->count && best < 3; i++) {
		char name[RV_ENTRY_NAME];
		json_t *object;
		int fit;

		rv_entry_name(records->items[i].domain, RECORD, name);
		if (rv_registry_read(records->registry, name, &object) < 0)
			continue;
		fit = fits(&records->items[i], object, id);
		by_prefix += fit == 1;
		if (fit > best) {
			json_decref(found);
			found = json_incref(object);
			best = fit;
		}
		json_decref(object);
	}
	if (best == 1 && by_prefix > 1) {
		json_decref(found);
		return -EEXIST;
	}
	*ret = found;
	return found ? 0 : -ENOENT;
}

int rv_record_find(const struct rv_registry *registry, const char *id, json_t **ret)
{
	struct records records;
	int r = list_records(registry, &records);

	if (r == 0)
		r = find_in(&records, id, ret);
	free(records.items);
	return r;
}
