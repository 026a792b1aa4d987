/* SPDX-License-Identifier: MIT */
/* libbpf, loaded when it is needed: nothing else of reeve depends on it. */
#ifndef RV_OBSERVE_LIBBPF_H
#define RV_OBSERVE_LIBBPF_H

#include <stdarg.h>
#include <stddef.h>
#include "base/cleanup.h"

/* libbpf's own, of which we only know pointers. */
struct bpf_object;
struct bpf_map;
struct bpf_program;
struct bpf_link;

typedef int (*rv_libbpf_print)(int level, const char *format, va_list args);

/* Its interface since 1.0. Pointers are NULL with errno set on failure, ints negative errnos. */
struct rv_libbpf {
	void *handle;
	rv_libbpf_print (*set_print)(rv_libbpf_print print);
	struct bpf_object *(*object_open_mem)(const void *data, size_t size, const void *options);
	int (*object_load)(struct bpf_object *object);
	void (*object_close)(struct bpf_object *object);
	struct bpf_map *(*object_find_map)(const struct bpf_object *object, const char *name);
	struct bpf_program *(*object_find_program)(
		const struct bpf_object *object, const char *name);
	int (*map_fd)(const struct bpf_map *map);
	int (*map_get)(int fd, const void *key, void *value);
	int (*map_set)(int fd, const void *key, const void *value, unsigned long long flags);
	struct bpf_link *(*attach_iter)(const struct bpf_program *program, const void *options);
	int (*link_fd)(const struct bpf_link *link);
	int (*link_pin)(struct bpf_link *link, const char *path);
	int (*link_destroy)(struct bpf_link *link);
	int (*iter_create)(int link_fd);
};

/* 0, or -ENOENT: there is none, or one that is too old. */
int rv_libbpf_open(struct rv_libbpf *ret);
void rv_libbpf_close(struct rv_libbpf *libbpf);
#define rv_autolibbpf RV_CLEANUP(rv_libbpf_close) struct rv_libbpf

#endif /* RV_OBSERVE_LIBBPF_H */
