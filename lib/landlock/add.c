/* SPDX-License-Identifier: MIT */
/* landlock_add_rule(). */
#include <errno.h>
#include <string.h>
#include "kernel/raw.h"
#include "kernel/sys.h"
#include "landlock/add.h"
#include "landlock/object.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"

#define OWN_FLAGS (LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR | LANDLOCK_ADD_RULE_INTERSECT)

/* A rule on its way into a ruleset of ours. */
struct adding {
	struct rv_image *image; /* writable */
	enum rv_role role;
	int fd; /* of the ruleset */
	int type;
	const void *attr;
	uint32_t flags;
	uintptr_t frame; /* of a function that was called to add it, or 0 */
};

/*
 * Nearly every attribute is on the stack, in the page where the function stands that it was given
 * to: so that page is there, and the kernel need not be asked.
 */
static bool is_on_stack(const struct adding *a, size_t size)
{
	const uintptr_t first = (uintptr_t)a->attr, last = first + size - 1, page = 4096;

	return first > a->frame && first / page == a->frame / page && last / page == first / page;
}

static int read_attr(const struct adding *a, void *to, size_t size)
{
	if (!is_on_stack(a, size))
		return rv_compat_read(to, a->attr, size);
	memcpy(to, a->attr, size);
	return 0;
}

/* ------------------------------------------------------------------------- supervisor */

static bool may_be_empty(const struct adding *a)
{
	return a->flags & (LANDLOCK_ADD_RULE_QUIET | OWN_FLAGS);
}

static int check_rights(const struct adding *a, uint64_t allowed, enum reeve_class cls)
{
	if (!allowed && !may_be_empty(a))
		return -ENOMSG;
	return allowed & ~a->image->handled.of[cls] ? -EINVAL : 0;
}

/* Nothing is added by no rights, but an intersection with none drops the rule. */
static bool is_void(const struct adding *a, const struct rv_record *record)
{
	return !record->allowed && !(a->flags & LANDLOCK_ADD_RULE_INTERSECT);
}

static int stage(const struct adding *a, struct rv_record *record, const char *path)
{
	const char *why = NULL;
	int r = 0;

	if (is_void(a, record))
		return 0;
	record->op = a->flags & LANDLOCK_ADD_RULE_INTERSECT ? RV_RECORD_INTERSECT : RV_RECORD_ADD;
	if (record->op == RV_RECORD_ADD)
		r = rv_live_check(record, &why);
	if (r)
		return rv_compat_fail(-r, "%s", why);
	r = rv_image_append(a->image, RV_AREA_STAGED, record, path);
	return rv_compat_result(r);
}

/* The object of a path rule, which takes rights of files where it is no directory. -errno. */
static int object_of(const struct landlock_path_beneath_attr *attr, struct rv_record *record,
	char path[static PATH_MAX])
{
	struct stat st;
	int r = rv_object_of(attr->parent_fd, path, &st);

	if (r)
		return r;
	record->dev = st.st_dev;
	record->ino = st.st_ino;
	return !S_ISDIR(st.st_mode) && (attr->allowed_access & ~REEVE_FS_FILE_RIGHTS) ? -EINVAL : 0;
}

static int stage_path(const struct adding *a)
{
	struct landlock_path_beneath_attr attr;
	struct rv_record record = {.type = REEVE_RULE_PATH_BENEATH};
	char path[PATH_MAX];
	int r;

	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return rv_compat_errno(EFAULT);
	r = check_rights(a, attr.allowed_access, REEVE_FS);
	if (r == 0)
		r = object_of(&attr, &record, path);
	if (r)
		return rv_compat_errno(-r);
	record.allowed = attr.allowed_access;
	return stage(a, &record, path);
}

static int stage_port(const struct adding *a)
{
	struct rv_record record = {.type = REEVE_RULE_NET_PORT};
	struct landlock_net_port_attr attr;
	int r;

	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return rv_compat_errno(EFAULT);
	r = check_rights(a, attr.allowed_access, REEVE_NET);
	if (r == 0 && attr.port > UINT16_MAX)
		r = -EINVAL;
	if (r)
		return rv_compat_errno(-r);
	record.allowed = attr.allowed_access;
	record.port_first = record.port_last = (uint16_t)attr.port;
	return stage(a, &record, "");
}

static int read_socket_access(const struct adding *a, struct landlock_socket_attr *ret)
{
	uint64_t handled = a->image->permissions ? 0 : a->image->handled.of[REEVE_SOCKET];

	if (read_attr(a, ret, sizeof(*ret)) < 0)
		return -EFAULT;
	if (!ret->allowed_access && !may_be_empty(a))
		return -ENOMSG;
	return ret->allowed_access & ~handled ? -EINVAL : 0;
}

/* As the kernel reads rules on permissions: a quiet mark is in the attribute, and is no flag. */
static int read_socket_permission(const struct adding *a, struct landlock_socket_attr *ret)
{
	const uint64_t create = LANDLOCK_PERMISSION_SOCKET_CREATE;
	uint64_t handled = a->image->permissions ? create : 0;
	struct landlock_socket_permission_attr attr;

	if (a->flags & LANDLOCK_ADD_RULE_QUIET)
		return -EINVAL;
	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return -EFAULT;
	if (!attr.allowed_permissions && !attr.quiet_permissions && !may_be_empty(a))
		return -ENOMSG;
	*ret = (struct landlock_socket_attr){attr.allowed_permissions ? REEVE_SOCKET_CREATE : 0,
		attr.family, attr.type, attr.protocol};
	return (attr.allowed_permissions | attr.quiet_permissions) & ~handled ? -EINVAL : 0;
}

static bool is_socket_rule(int type)
{
	return type == LANDLOCK_RULE_SOCKET || type == LANDLOCK_RULE_SOCKET_PERMISSION;
}

/* 0 with *ret; the errors of a socket rule, in the order of the proposal. */
static int read_socket(const struct adding *a, struct rv_record *ret)
{
	struct landlock_socket_attr attr;
	int r = a->type == LANDLOCK_RULE_SOCKET ? read_socket_access(a, &attr)
						: read_socket_permission(a, &attr);

	if (r)
		return r;
	if (attr.family < 0 || attr.family > RV_FAMILY_MAX || attr.type < -1 || attr.type > 254 ||
		attr.protocol < -1 || attr.protocol > 65534)
		return -EINVAL;
	*ret = (struct rv_record){.type = REEVE_RULE_SOCKET, .allowed = attr.allowed_access};
	ret->family = attr.family;
	ret->socket_type = attr.type;
	ret->protocol = attr.protocol;
	return 0;
}

static int stage_socket(const struct adding *a)
{
	struct rv_record record;
	int r = read_socket(a, &record);

	return r ? rv_compat_errno(-r) : stage(a, &record, "");
}

static int stage_rule(const struct adding *a)
{
	switch (a->type) {
	case 0:
		if (!(a->flags & LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR) || a->attr)
			return rv_compat_errno(EINVAL);
		return 0;
	case LANDLOCK_RULE_PATH_BENEATH:
		return stage_path(a);
	case LANDLOCK_RULE_NET_PORT:
		return stage_port(a);
	case LANDLOCK_RULE_SOCKET:
	case LANDLOCK_RULE_SOCKET_PERMISSION:
		return stage_socket(a);
	default:
		return rv_compat_errno(EINVAL);
	}
}

int rv_add_say(int r, const char *why)
{
	if (r == -ENOTSUP)
		return rv_compat_fail(ENOTSUP, "%s",
			why ? why
			    : "the kernel does not tell what is in a ruleset of its own: create it "
			      "after the supervisor ruleset");
	return rv_compat_result(r);
}

int rv_add_not_writable(void)
{
	return rv_compat_fail(EPERM,
		"this ruleset was made by another process: only its maker and the children that "
		"it forks, until they restrict themselves, can change it");
}

/* Takes the lock of the image by itself: the other ruleset may be the same one. */
static int stage_ruleset(const struct adding *a)
{
	struct landlock_ruleset_rule_attr attr;
	const char *why = NULL;

	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return rv_compat_errno(EFAULT);
	return rv_add_say(rv_live_intersect(a->image, attr.ruleset_fd, &why), why);
}

static int add_to_supervisor(const struct adding *a)
{
	int r = 0;

	if (a->type == LANDLOCK_RULE_INTERSECT_RULESET) {
		r = stage_ruleset(a);
		if (r || !(a->flags & LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR))
			return r;
	}
	r = rv_image_lock(a->image);
	if (r)
		return rv_compat_errno(-r);
	if (a->type != LANDLOCK_RULE_INTERSECT_RULESET)
		r = stage_rule(a);
	if (r == 0 && (a->flags & LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR))
		r = rv_compat_result(rv_image_commit(a->image));
	rv_image_unlock(a->image);
	return r;
}

/* --------------------------------------------------------------- supervisee and plain */

/* The kernel's own ruleset has the rule already, so that the attribute is sound. */
static int record_native(
	const struct adding *a, struct rv_record *record, char path[static PATH_MAX])
{
	struct landlock_path_beneath_attr beneath;
	struct landlock_net_port_attr port;
	struct stat st;

	path[0] = '\0';
	if (a->type == LANDLOCK_RULE_NET_PORT) {
		memcpy(&port, a->attr, sizeof(port));
		*record = (struct rv_record){
			.type = REEVE_RULE_NET_PORT, .allowed = port.allowed_access};
		record->port_first = record->port_last = (uint16_t)port.port;
		return 0;
	}
	memcpy(&beneath, a->attr, sizeof(beneath));
	*record = (struct rv_record){
		.type = REEVE_RULE_PATH_BENEATH, .allowed = beneath.allowed_access};
	if (rv_object_of(beneath.parent_fd, path, &st) < 0)
		return -EBADFD; /* of no path that we could name: Landlock alone has it */
	record->dev = st.st_dev;
	record->ino = st.st_ino;
	return 0;
}

static int append_static(const struct adding *a, const struct rv_record *record, const char *path)
{
	int r = rv_image_lock(a->image);

	if (r)
		return r;
	r = rv_image_append(a->image, RV_AREA_STATIC, record, path);
	rv_image_unlock(a->image);
	return r;
}

static int add_to_kernel(const struct adding *a, int ruleset_fd)
{
	struct rv_compat_kernel kernel;
	uint32_t flags = a->flags;
	struct rv_record record;
	char path[PATH_MAX];
	int r = rv_compat_kernel(&kernel);

	if (r < 0)
		return rv_compat_errno(-r);
	if (!(kernel.features & REEVE_LANDLOCK_QUIET))
		flags &= ~LANDLOCK_ADD_RULE_QUIET;
	/* Only socket rules: no ruleset of the kernel's, and no right of it is handled. */
	r = ruleset_fd < 0 ? -EINVAL : rv_landlock_add_rule(ruleset_fd, a->type, a->attr, flags);
	if (r == -ENOMSG && flags != a->flags)
		return 0; /* a quiet mark alone, for a kernel that has none */
	if (r < 0)
		return rv_compat_errno(-r);
	if (record_native(a, &record, path) < 0)
		return 0;
	return rv_compat_result(append_static(a, &record, path));
}

/* What is left for the kernel (`attr`, NULL: nothing is), and then what it does not know. */
static int add_split(const struct adding *a, int ruleset_fd, const void *attr,
	const struct rv_record *record, const char *path)
{
	struct adding native = *a;
	int r;

	native.attr = attr;
	r = attr ? add_to_kernel(&native, ruleset_fd) : 0;
	if (!record->allowed) /* a quiet mark alone */
		return r;
	return r ? r : rv_compat_result(append_static(a, record, path));
}

/* Rights that the kernel does not know, on an object: alone or with others. */
static int add_path_beyond(const struct adding *a, int ruleset_fd)
{
	struct landlock_path_beneath_attr attr;
	struct rv_record record = {.type = REEVE_RULE_PATH_BENEATH};
	char path[PATH_MAX];
	int r;

	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return rv_compat_errno(EFAULT);
	r = check_rights(a, attr.allowed_access, REEVE_FS);
	record.allowed = attr.allowed_access & rv_beyond_kernel(REEVE_FS);
	if (r || (!record.allowed && attr.allowed_access))
		return r ? rv_compat_errno(-r) : add_to_kernel(a, ruleset_fd);
	r = object_of(&attr, &record, path);
	if (r)
		return rv_compat_errno(-r);
	attr.allowed_access &= ~record.allowed;
	return add_split(a, ruleset_fd, attr.allowed_access ? &attr : NULL, &record, path);
}

static int add_port_beyond(const struct adding *a, int ruleset_fd)
{
	struct rv_record record = {.type = REEVE_RULE_NET_PORT};
	struct landlock_net_port_attr attr;
	int r;

	if (read_attr(a, &attr, sizeof(attr)) < 0)
		return rv_compat_errno(EFAULT);
	r = check_rights(a, attr.allowed_access, REEVE_NET);
	record.allowed = attr.allowed_access & rv_beyond_kernel(REEVE_NET);
	if (r || (!record.allowed && attr.allowed_access))
		return r ? rv_compat_errno(-r) : add_to_kernel(a, ruleset_fd);
	if (attr.port > UINT16_MAX)
		return rv_compat_errno(EINVAL);
	record.port_first = record.port_last = (uint16_t)attr.port;
	attr.allowed_access &= ~record.allowed;
	return add_split(a, ruleset_fd, attr.allowed_access ? &attr : NULL, &record, "");
}

static int add_native(const struct adding *a, int ruleset_fd)
{
	const uint64_t *handled = a->image->handled.of;

	if (a->type == LANDLOCK_RULE_PATH_BENEATH &&
		(handled[REEVE_FS] & rv_beyond_kernel(REEVE_FS)))
		return add_path_beyond(a, ruleset_fd);
	if (a->type == LANDLOCK_RULE_NET_PORT && (handled[REEVE_NET] & rv_beyond_kernel(REEVE_NET)))
		return add_port_beyond(a, ruleset_fd);
	return add_to_kernel(a, ruleset_fd);
}

/* A mark on a rule of a ruleset where nothing is quiet, for a kernel that knows no marks. */
static int refuse_mark(const struct adding *a)
{
	const size_t size = a->type == LANDLOCK_RULE_NET_PORT
				    ? sizeof(struct landlock_net_port_attr)
				    : sizeof(struct landlock_path_beneath_attr);
	char attr[sizeof(struct landlock_net_port_attr)];

	return rv_compat_errno(rv_compat_read(attr, a->attr, size) < 0 ? EFAULT : EINVAL);
}

static bool is_mark_refused(const struct adding *a)
{
	enum reeve_class cls = a->type == LANDLOCK_RULE_NET_PORT ? REEVE_NET : REEVE_FS;

	return (a->flags & LANDLOCK_ADD_RULE_QUIET) && !a->image->quiet.of[cls];
}

static int add_static(const struct adding *a, int ruleset_fd)
{
	struct rv_record record;
	int r;

	if (a->flags & ~(LANDLOCK_ADD_RULE_QUIET | LANDLOCK_ADD_RULE_INTERSECT))
		return rv_compat_errno(EINVAL);
	if (a->flags & LANDLOCK_ADD_RULE_INTERSECT)
		return rv_compat_fail(ENOTSUP, "the kernel's part of a ruleset cannot be cut down: "
					       "use LANDLOCK_CREATE_RULESET_INTERSECT");
	if (a->type == LANDLOCK_RULE_PATH_BENEATH || a->type == LANDLOCK_RULE_NET_PORT)
		return is_mark_refused(a) ? refuse_mark(a) : add_native(a, ruleset_fd);
	if (!is_socket_rule(a->type))
		return rv_compat_errno(EINVAL);
	r = read_socket(a, &record);
	if (r || !record.allowed)
		return rv_compat_result(r);
	return rv_compat_result(append_static(a, &record, ""));
}

/* ---------------------------------------------------------------------------- entry */

static int add_to_own(struct adding *a)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	int r = rv_handle_open(a->fd, &handle);

	if (r)
		return rv_compat_errno(-r);
	a->role = handle.role;
	a->image = rv_registry_get(handle.id);
	if (!a->image)
		return rv_add_not_writable();
	r = a->role == RV_ROLE_SUPERVISOR ? add_to_supervisor(a) : add_static(a, handle.ruleset_fd);
	rv_registry_put();
	return r;
}

/*
 * A supervisor ruleset of this process, which has to be fast: the kernel need not be asked, and
 * nothing be opened, to stage a rule. False: it is none.
 */
static bool add_to_known(struct adding *a, int *ret)
{
	uint64_t cookie = rv_handle_cookie(a->fd);

	a->image = cookie ? rv_registry_get(cookie) : NULL;
	if (!a->image)
		return false;
	a->role = RV_ROLE_SUPERVISOR;
	if (!a->image->supervisor) {
		rv_registry_put();
		return false;
	}
	*ret = a->flags & ~(OWN_FLAGS | LANDLOCK_ADD_RULE_QUIET) ? rv_compat_errno(EINVAL)
								 : add_to_supervisor(a);
	rv_registry_put();
	return true;
}

static bool is_native(int fd)
{
	return rv_landlock_add_rule(fd, 0, NULL, 0) == -EINVAL;
}

/* The kernel said EINVAL, on flags that it does not know, or a rule that it does not. */
static int add_unknown(struct adding *a)
{
	struct rv_compat_kernel kernel;

	if (a->flags & ~(OWN_FLAGS | LANDLOCK_ADD_RULE_QUIET))
		return rv_compat_errno(EINVAL);
	if (!is_native(a->fd))
		return add_to_own(a);
	if (a->flags == LANDLOCK_ADD_RULE_INTERSECT)
		return rv_compat_fail(ENOTSUP, "the kernel's rulesets cannot be cut down: create "
					       "it with LANDLOCK_CREATE_RULESET_RECORDED and use "
					       "LANDLOCK_CREATE_RULESET_INTERSECT");
	if (a->flags == LANDLOCK_ADD_RULE_QUIET && rv_compat_kernel(&kernel) == 0 &&
		!(kernel.features & REEVE_LANDLOCK_QUIET) &&
		(a->type == LANDLOCK_RULE_PATH_BENEATH || a->type == LANDLOCK_RULE_NET_PORT))
		return refuse_mark(a);
	return rv_compat_errno(EINVAL);
}

/*
 * What a plain rule costs beside its system call is the pages of memory that are touched, each of
 * which has to be looked up again after every call of the kernel on machines with page table
 * isolation: so not through libc, and all else is apart.
 */
static inline int add_by_kernel(int ruleset_fd, int rule_type, const void *attr, uint32_t flags)
{
	if (RV_HAS_RAW)
		return (int)rv_raw(RV_NR_LANDLOCK_ADD_RULE, ruleset_fd, rule_type, attr, flags);
	return rv_landlock_add_rule(ruleset_fd, rule_type, attr, flags);
}

static __attribute__((noinline)) int add_refused(
	int ruleset_fd, int rule_type, const void *rule_attr, uint32_t flags, int error)
{
	struct adding adding = {
		.fd = ruleset_fd, .type = rule_type, .attr = rule_attr, .flags = flags};

	if (error == -EBADFD)
		return add_to_own(&adding);
	if (error == -EINVAL && flags)
		return add_unknown(&adding);
	return rv_compat_errno(-error);
}

static __attribute__((noinline)) bool add_first(
	int ruleset_fd, int rule_type, const void *rule_attr, uint32_t flags, int *ret)
{
	struct adding adding = {.fd = ruleset_fd,
		.type = rule_type,
		.attr = rule_attr,
		.flags = flags,
		.frame = (uintptr_t)__builtin_frame_address(0)};

	return add_to_known(&adding, ret);
}

int reeve_landlock_add_rule(
	int ruleset_fd, enum landlock_rule_type rule_type, const void *rule_attr, __u32 flags)
{
	int r;

	if (rv_registry_used() && add_first(ruleset_fd, (int)rule_type, rule_attr, flags, &r))
		return r;
	r = add_by_kernel(ruleset_fd, (int)rule_type, rule_attr, flags);
	return r == 0 ? 0 : add_refused(ruleset_fd, (int)rule_type, rule_attr, flags, r);
}
