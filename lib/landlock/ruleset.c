/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "kernel/sys.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"

/* --------------------------------------------------------------------------- lists */

void rv_list_release(struct rv_list *list)
{
	free(list->at);
	*list = (struct rv_list){0};
}

static int make_room(struct rv_list *list, size_t size)
{
	size_t capacity = list->capacity ? list->capacity : 4096;
	char *at;

	while (capacity - list->size < size)
		capacity *= 2;
	if (capacity == list->capacity)
		return 0;
	at = realloc(list->at, capacity);
	if (!at)
		return -ENOMEM;
	list->at = at;
	list->capacity = capacity;
	return 0;
}

int rv_list_add(struct rv_list *list, const struct rv_record *record, const char *path)
{
	size_t length = strlen(path) + 1, size = (sizeof(*record) + length + 7) & ~(size_t)7;
	int r = make_room(list, size);
	struct rv_record *at;

	if (r)
		return r;
	at = (struct rv_record *)(list->at + list->size);
	*at = *record;
	at->size = (uint32_t)(sizeof(*record) + length);
	memcpy(at->path, path, length);
	list->size += size;
	return 0;
}

/* -------------------------------------------------------------------------- making */

void rv_rights_of_attr(const struct landlock_ruleset_attr *attr, struct reeve_rights *ret)
{
	*ret = (struct reeve_rights){0};
	ret->of[REEVE_FS] = attr->handled_access_fs;
	ret->of[REEVE_NET] = attr->handled_access_net;
	ret->of[REEVE_SCOPE] = attr->scoped;
	ret->of[REEVE_SOCKET] = attr->handled_access_socket;
	if (attr->handled_permissions & LANDLOCK_PERMISSION_SOCKET_CREATE)
		ret->of[REEVE_SOCKET] |= REEVE_SOCKET_CREATE;
}

uint64_t rv_beyond_kernel(enum reeve_class cls)
{
	static const struct {
		uint64_t feature, rights;
	} of[REEVE_CLASS_COUNT] = {
		[REEVE_FS] = {REEVE_LANDLOCK_RESOLVE_UNIX, REEVE_FS_RESOLVE_UNIX},
		[REEVE_NET] = {REEVE_LANDLOCK_UDP, REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP},
		[REEVE_SCOPE] = {REEVE_LANDLOCK_PATHNAME_SCOPE, REEVE_SCOPE_PATHNAME_UNIX_SOCKET},
	};
	struct rv_compat_kernel kernel;

	if (rv_compat_kernel(&kernel) == 0 && (kernel.features & of[cls].feature))
		return 0;
	return of[cls].rights;
}

unsigned int rv_sockets_supervised(const struct reeve_rights *handled)
{
	unsigned int sockets = 0;

	if ((handled->of[REEVE_SCOPE] & rv_beyond_kernel(REEVE_SCOPE)) ||
		(handled->of[REEVE_FS] & rv_beyond_kernel(REEVE_FS)))
		sockets |= RV_SOCKETS_UNIX;
	if (handled->of[REEVE_NET] & rv_beyond_kernel(REEVE_NET))
		sockets |= RV_SOCKETS_UDP;
	return sockets;
}

unsigned int rv_sockets_live(const struct reeve_rights *handled)
{
	const uint64_t udp = REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP;
	unsigned int sockets = 0;

	if ((handled->of[REEVE_NET] & ~udp) || (handled->of[REEVE_FS] & REEVE_FS_MAKE_SOCK))
		sockets |= RV_SOCKETS_LIVE;
	/* A sent datagram cannot be left to the kernel once it was looked at. */
	if (handled->of[REEVE_NET] & udp)
		sockets |= RV_SOCKETS_UDP;
	return sockets;
}

/* The kernel's part; -1 where it has none. Quiet bits are given to a kernel that knows them. */
static int make_native(const struct landlock_ruleset_attr *attr, int *ret)
{
	struct rv_landlock_ruleset_attr native = {
		.handled_access_fs = attr->handled_access_fs & ~rv_beyond_kernel(REEVE_FS),
		.handled_access_net = attr->handled_access_net & ~rv_beyond_kernel(REEVE_NET),
		.scoped = attr->scoped & ~rv_beyond_kernel(REEVE_SCOPE),
	};
	struct rv_compat_kernel kernel;
	int fd, r = rv_compat_kernel(&kernel);

	if (r < 0)
		return r;
	*ret = -1;
	if (!native.handled_access_fs && !native.handled_access_net && !native.scoped)
		return 0;
	if (kernel.features & REEVE_LANDLOCK_QUIET) {
		native.quiet_access_fs = attr->quiet_access_fs & native.handled_access_fs;
		native.quiet_access_net = attr->quiet_access_net & native.handled_access_net;
		native.quiet_scoped = attr->quiet_scoped & native.scoped;
	}
	fd = rv_landlock_create_ruleset(&native, sizeof(native), 0);
	if (fd >= 0)
		*ret = fd;
	return fd < 0 ? fd : 0;
}

static int open_same(const struct rv_record *record)
{
	rv_autoclose int fd = open(record->path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ESTALE : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != record->dev || st.st_ino != record->ino)
		return -ESTALE;
	return rv_steal_fd(&fd);
}

static int add_path(int ruleset_fd, const struct rv_record *record)
{
	rv_autoclose int fd = open_same(record);
	struct rv_landlock_path_beneath_attr attr = {
		record->allowed & ~rv_beyond_kernel(REEVE_FS), fd};
	int r;

	if (fd < 0)
		return fd;
	if (!attr.allowed_access)
		return 0;
	r = rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	/* A file cannot have what the rule of a directory above it gave along in a composition. */
	attr.allowed_access &= REEVE_FS_FILE_RIGHTS;
	if (r == -EINVAL && attr.allowed_access)
		r = rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	return r;
}

static int add_ports(int ruleset_fd, const struct rv_record *record)
{
	struct rv_landlock_net_port_attr attr = {
		record->allowed & ~rv_beyond_kernel(REEVE_NET), record->port_first};
	int r = 0;

	for (; attr.allowed_access && r == 0 && attr.port <= record->port_last; attr.port++)
		r = rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_NET_PORT, &attr, 0);
	return r;
}

static int add_native(int ruleset_fd, const struct rv_record *record)
{
	switch (record->type) {
	case REEVE_RULE_PATH_BENEATH:
		return add_path(ruleset_fd, record);
	case REEVE_RULE_NET_PORT:
		return add_ports(ruleset_fd, record);
	default:
		return 0; /* the filter's */
	}
}

static int add_static(
	struct rv_image *image, const struct rv_handle *handle, const struct rv_records *rules)
{
	const struct rv_record *record = NULL;
	int r = 0;

	while (r == 0 && rules && (record = rv_record_next(rules, record))) {
		if (handle->ruleset_fd >= 0)
			r = add_native(handle->ruleset_fd, record);
		if (r == 0)
			r = rv_image_append(image, RV_AREA_STATIC, record, record->path);
	}
	return r;
}

int rv_ruleset_make(
	const struct landlock_ruleset_attr *attr, enum rv_role role, const struct rv_records *rules)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	rv_autoclose int fd = -1;
	struct reeve_rights handled;
	struct rv_image *image;
	int r = make_native(attr, &handle.ruleset_fd);

	rv_rights_of_attr(attr, &handled);
	if (r == 0)
		r = rv_image_new(&handled, role == RV_ROLE_SUPERVISOR, &handle.image_fd, &image);
	if (r)
		return r;
	image->quiet.of[REEVE_FS] = attr->quiet_access_fs;
	image->quiet.of[REEVE_NET] = attr->quiet_access_net;
	image->permissions = (attr->handled_permissions & LANDLOCK_PERMISSION_SOCKET_CREATE) != 0;
	handle.role = role;
	fd = rv_handle_new(&handle);
	r = fd < 0 ? fd : add_static(image, &handle, rules);
	if (r == 0)
		r = rv_registry_add(handle.id, fd, image);
	if (r) {
		rv_image_unmap(image);
		return r;
	}
	return rv_steal_fd(&fd);
}

/* ------------------------------------------------------------------------- reading */

void rv_content_release(struct rv_content *content)
{
	free((void *)(uintptr_t)content->records.at);
	content->records = (struct rv_records){0};
}

/* A rule of no type: EINVAL from a ruleset that can be written, before anything is looked at. */
static bool is_native(int fd)
{
	return rv_landlock_add_rule(fd, 0, NULL, 0) == -EINVAL;
}

int rv_content_read(int fd, struct rv_content *ret)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	const struct rv_image *image;
	uint64_t generation;
	int r = rv_handle_open(fd, &handle);

	if (r == -EBADFD && is_native(fd))
		return -ENOTSUP;
	if (r)
		return r;
	r = rv_image_map(handle.image_fd, &image);
	if (r)
		return r;
	ret->role = handle.role;
	ret->handled = image->handled;
	ret->permissions = image->permissions;
	if (handle.role == RV_ROLE_SUPERVISOR)
		r = rv_image_live(image, &ret->records, &generation);
	else
		r = rv_image_static(image, &ret->records);
	rv_image_unmap(image);
	return r;
}
