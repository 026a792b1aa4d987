/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "landlock/handle.h"
#include "landlock/object.h"
#include "landlock/registry.h"

struct mapping {
	struct mapping *next;
	uint64_t id;
	int fd; /* where it was last seen */
	struct rv_image *image;
};

static struct {
	pthread_mutex_t lock;
	pthread_once_t once;
	struct mapping *first;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

atomic_bool rv_registry_is_used;

/* ---- across fork(2): no other thread may be in the middle of a change */

static void lock(void)
{
	pthread_mutex_lock(&registry.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&registry.lock);
}

static void unlock_child(void)
{
	rv_object_release();
	unlock();
}

static void watch_forks(void)
{
	pthread_atfork(lock, unlock, unlock_child);
}

/* ---- what is left of rulesets whose descriptors were closed, which nobody tells us */

/* The supervisor ruleset itself, or another descriptor on the same image. */
static bool leads_to(int fd, uint64_t id)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;

	return rv_handle_cookie(fd) == id || (rv_handle_open(fd, &handle) == 0 && handle.id == id);
}

/* A descriptor of this process that leads to it, or -1; -2 where that cannot be told. */
static int search(uint64_t id)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd = -1;

	if (!dir)
		return -2;
	while (fd < 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && leads_to(atoi(entry->d_name), id))
			fd = atoi(entry->d_name);
	closedir(dir);
	return fd;
}

static bool is_open(struct mapping *mapping)
{
	int fd;

	if (rv_handle_cookie(mapping->fd) == mapping->id)
		return true;
	fd = search(mapping->id);
	if (fd >= 0)
		mapping->fd = fd;
	return fd != -1;
}

/* With the lock. */
static void remove_at(struct mapping **at)
{
	struct mapping *mapping = *at;

	*at = mapping->next;
	rv_image_unmap(mapping->image);
	free(mapping);
}

static void collect(void)
{
	struct mapping **at = &registry.first;

	while (*at) {
		if (is_open(*at))
			at = &(*at)->next;
		else
			remove_at(at);
	}
}

int rv_registry_add(uint64_t id, int fd, struct rv_image *image)
{
	struct mapping *mapping = calloc(1, sizeof(*mapping));

	if (!mapping)
		return -ENOMEM;
	pthread_once(&registry.once, watch_forks);
	*mapping = (struct mapping){.id = id, .fd = fd, .image = image};
	lock();
	collect();
	mapping->next = registry.first;
	registry.first = mapping;
	if (image->supervisor)
		atomic_store(&rv_registry_is_used, true);
	unlock();
	return 0;
}

struct rv_image *rv_registry_get(uint64_t id)
{
	lock();
	for (const struct mapping *m = registry.first; m; m = m->next)
		if (m->id == id)
			return m->image;
	unlock();
	return NULL;
}

void rv_registry_put(void)
{
	unlock();
}

void rv_registry_drop(void)
{
	lock();
	while (registry.first)
		remove_at(&registry.first);
	rv_object_release();
	unlock();
}
