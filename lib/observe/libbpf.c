/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include "observe/libbpf.h"

static const struct {
	const char *name;
	size_t offset; /* of the pointer in struct rv_libbpf */
} symbols[] = {
	{"libbpf_set_print", offsetof(struct rv_libbpf, set_print)},
	{"bpf_object__open_mem", offsetof(struct rv_libbpf, object_open_mem)},
	{"bpf_object__load", offsetof(struct rv_libbpf, object_load)},
	{"bpf_object__close", offsetof(struct rv_libbpf, object_close)},
	{"bpf_object__find_map_by_name", offsetof(struct rv_libbpf, object_find_map)},
	{"bpf_object__find_program_by_name", offsetof(struct rv_libbpf, object_find_program)},
	{"bpf_map__fd", offsetof(struct rv_libbpf, map_fd)},
	{"bpf_map_lookup_elem", offsetof(struct rv_libbpf, map_get)},
	{"bpf_map_update_elem", offsetof(struct rv_libbpf, map_set)},
	{"bpf_program__attach_iter", offsetof(struct rv_libbpf, attach_iter)},
	{"bpf_link__fd", offsetof(struct rv_libbpf, link_fd)},
	{"bpf_link__pin", offsetof(struct rv_libbpf, link_pin)},
	{"bpf_link__destroy", offsetof(struct rv_libbpf, link_destroy)},
	{"bpf_iter_create", offsetof(struct rv_libbpf, iter_create)},
};

int rv_libbpf_open(struct rv_libbpf *ret)
{
	struct rv_libbpf found = {.handle = dlopen("libbpf.so.1", RTLD_NOW | RTLD_LOCAL)};

	if (!found.handle)
		return -ENOENT;
	for (size_t i = 0; i < RV_COUNT(symbols); i++) {
		void *symbol = dlsym(found.handle, symbols[i].name);

		if (!symbol) {
			rv_libbpf_close(&found);
			return -ENOENT;
		}
		memcpy((char *)&found + symbols[i].offset, &symbol, sizeof(symbol));
	}
	*ret = found;
	return 0;
}

void rv_libbpf_close(struct rv_libbpf *libbpf)
{
	if (libbpf->handle)
		dlclose(libbpf->handle);
	libbpf->handle = NULL;
}
