/* SPDX-License-Identifier: MIT */
/* landlock_create_ruleset(). */
#include <errno.h>
#include <string.h>
#include "kernel/sys.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"

#define PAGE 4096u

#define OWN_FLAGS                                                                                  \
	(LANDLOCK_CREATE_RULESET_SUPERVISOR | LANDLOCK_CREATE_RULESET_UNION |                      \
		LANDLOCK_CREATE_RULESET_INTERSECT | LANDLOCK_CREATE_RULESET_RECORDED)
#define COMPOSING (LANDLOCK_CREATE_RULESET_UNION | LANDLOCK_CREATE_RULESET_INTERSECT)

#define FS_ALL		   ((LANDLOCK_ACCESS_FS_RESOLVE_UNIX << 1) - 1)
#define NET_ALL		   ((LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP << 1) - 1)
#define UDP		   (LANDLOCK_ACCESS_NET_BIND_UDP | LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP)
#define SCOPE_ALL	   ((LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET << 1) - 1)
#define PERMISSIONS_KERNEL ((LANDLOCK_PERMISSION_CAPABILITY_USE << 1) - 1)
#define PERMISSIONS_ALL	   (PERMISSIONS_KERNEL | LANDLOCK_PERMISSION_SOCKET_CREATE)

/* ----------------------------------------------------------------- reading the attribute */

/* As the kernel's copy_struct_from_user(): what is beyond our struct has to be zero. */
static int copy_attr(
	const struct landlock_ruleset_attr *from, size_t size, struct landlock_ruleset_attr *ret)
{
	struct landlock_ruleset_attr attr = {0};
	char tail[PAGE];

	if (!from)
		return -EFAULT;
	if (size < sizeof(attr.handled_access_fs))
		return -EINVAL;
	if (size > PAGE)
		return -E2BIG;
	if (rv_compat_read(&attr, from, size < sizeof(attr) ? size : sizeof(attr)) < 0)
		return -EFAULT;
	if (size > sizeof(attr)) {
		size -= sizeof(attr);
		if (rv_compat_read(tail, from + 1, size) < 0)
			return -EFAULT;
		for (size_t i = 0; i < size; i++)
			if (tail[i])
				return -E2BIG;
	}
	*ret = attr;
	return 0;
}

/* In the kernel's order. */
static int check_attr(const struct landlock_ruleset_attr *attr)
{
	if ((attr->handled_access_fs & ~FS_ALL) || (attr->handled_access_net & ~NET_ALL) ||
		(attr->scoped & ~SCOPE_ALL) || (attr->handled_permissions & ~PERMISSIONS_ALL) ||
		(attr->handled_access_socket & ~LANDLOCK_ACCESS_SOCKET_CREATE))
		return -EINVAL;
	if ((attr->quiet_access_fs & ~attr->handled_access_fs) ||
		(attr->quiet_access_net & ~attr->handled_access_net) ||
		(attr->quiet_scoped & ~attr->scoped))
		return -EINVAL;
	if (attr->left_fd || attr->right_fd)
		return -EINVAL;
	/* Two sets of rules that both have to grant a socket would be two layers. */
	if (attr->handled_access_socket &&
		(attr->handled_permissions & LANDLOCK_PERMISSION_SOCKET_CREATE))
		return -EINVAL;
	if (!attr->handled_access_fs && !attr->handled_access_net && !attr->scoped &&
		!attr->handled_permissions && !attr->handled_access_socket)
		return -ENOMSG;
	return 0;
}

/* ------------------------------------------------------------------ who could enforce it */

/* The first thing that is asked for and that nobody enforces here, or NULL. */
static const char *unenforced(
	const struct landlock_ruleset_attr *attr, const struct rv_compat_kernel *kernel)
{
	const struct {
		uint64_t asked, feature;
		int abi; /* of the kernel; 0: the feature says it */
		const char *what;
	} needs[] = {
		{attr->handled_access_fs & LANDLOCK_ACCESS_FS_RESOLVE_UNIX,
			REEVE_LANDLOCK_RESOLVE_UNIX, 0, "fs.resolve_unix"},
		{attr->handled_access_fs & LANDLOCK_ACCESS_FS_REFER, 0, 2, "fs.refer"},
		{attr->handled_access_fs & LANDLOCK_ACCESS_FS_TRUNCATE, 0, 3, "fs.truncate"},
		{attr->handled_access_fs & LANDLOCK_ACCESS_FS_IOCTL_DEV, 0, 5, "fs.ioctl_dev"},
		{attr->handled_access_net & UDP, REEVE_LANDLOCK_UDP, 0, "UDP"},
		{attr->handled_access_net & ~UDP, 0, 4, "TCP"},
		{attr->scoped & LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET, REEVE_LANDLOCK_PATHNAME_SCOPE,
			0, "scope.pathname_unix_socket"},
		{attr->scoped & ~LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET, 0, 6, "scopes"},
		{attr->handled_permissions & PERMISSIONS_KERNEL, REEVE_LANDLOCK_PERMISSIONS, 0,
			"permissions on namespaces and capabilities"},
	};
	uint64_t there = kernel->features | rv_compat_supplied(kernel);

	for (size_t i = 0; i < RV_COUNT(needs); i++) {
		if (!needs[i].asked)
			continue;
		if (needs[i].abi ? kernel->abi < needs[i].abi : !(there & needs[i].feature))
			return needs[i].what;
	}
	return NULL;
}

static int refuse(const char *what, const struct rv_compat_kernel *kernel)
{
	return rv_compat_fail(ENOTSUP,
		"%s: the kernel's Landlock (ABI %d) lacks it, and reeve does not supply it to a "
		"process that restricts itself",
		what, kernel->abi);
}

/* What only the kernel enforces, without what it does not know and need not (quiet bits). */
static int create_native(
	const struct landlock_ruleset_attr *attr, const struct rv_compat_kernel *kernel)
{
	struct rv_landlock_ruleset_attr native = {
		.handled_access_fs = attr->handled_access_fs,
		.handled_access_net = attr->handled_access_net,
		.scoped = attr->scoped,
		.handled_permissions = attr->handled_permissions,
	};

	if (kernel->features & REEVE_LANDLOCK_QUIET) {
		native.quiet_access_fs = attr->quiet_access_fs;
		native.quiet_access_net = attr->quiet_access_net;
		native.quiet_scoped = attr->quiet_scoped;
	}
	return rv_compat_result(rv_landlock_create_ruleset(&native, sizeof(native), 0));
}

/* ----------------------------------------------------------------------- rulesets of ours */

static int compose(const struct landlock_ruleset_attr *attr, bool intersect)
{
	struct landlock_ruleset_attr blank = *attr;
	int r;

	blank.left_fd = blank.right_fd = 0;
	if (memcmp(&blank, &(struct landlock_ruleset_attr){0}, sizeof(blank)) != 0)
		return rv_compat_errno(EINVAL);
	r = rv_ruleset_compose(attr->left_fd, attr->right_fd, intersect);
	if (r == -ENOTSUP)
		return rv_compat_fail(ENOTSUP,
			"the kernel does not tell what is in a ruleset of its own: create it after "
			"the supervisor ruleset, or with LANDLOCK_CREATE_RULESET_RECORDED");
	if (r == -ESTALE)
		return rv_compat_fail(ESTALE, "the object of a rule was moved or replaced");
	return rv_compat_result(r);
}

static int create_own(
	const struct landlock_ruleset_attr *attr, size_t size, __u32 flags, enum rv_role role)
{
	struct landlock_ruleset_attr copy;
	struct rv_compat_kernel kernel;
	const char *what;
	int r = rv_compat_kernel(&kernel);

	if (r == 0)
		r = copy_attr(attr, size, &copy);
	if (r < 0)
		return rv_compat_errno(-r);
	if (flags & COMPOSING)
		return compose(&copy, flags & LANDLOCK_CREATE_RULESET_INTERSECT);
	r = check_attr(&copy);
	if (r)
		return rv_compat_errno(-r);
	what = unenforced(&copy, &kernel);
	if (!what && (copy.handled_permissions & PERMISSIONS_KERNEL))
		what = "permissions on namespaces and capabilities beside what reeve enforces";
	if (what)
		return refuse(what, &kernel);
	return rv_compat_result(rv_ruleset_make(&copy, role, NULL));
}

static int create_flagged(const struct landlock_ruleset_attr *attr, size_t size, __u32 flags)
{
	switch (flags) {
	case LANDLOCK_CREATE_RULESET_SUPERVISOR:
		return create_own(attr, size, flags, RV_ROLE_SUPERVISOR);
	case LANDLOCK_CREATE_RULESET_UNION:
	case LANDLOCK_CREATE_RULESET_INTERSECT:
	case LANDLOCK_CREATE_RULESET_RECORDED:
		return create_own(attr, size, flags, RV_ROLE_PLAIN);
	default:
		return rv_compat_errno(EINVAL);
	}
}

/* Quiet marks are taken where something is quiet, and refused elsewhere: somebody has to know. */
static bool has_unknown_quiet(
	const struct landlock_ruleset_attr *attr, const struct rv_compat_kernel *kernel)
{
	return (attr->quiet_access_fs || attr->quiet_access_net) &&
	       !(kernel->features & REEVE_LANDLOCK_QUIET);
}

/* The kernel said EINVAL or E2BIG: because of something that it does not know, and we do? */
static int create_unknown(const struct landlock_ruleset_attr *attr, size_t size, int error)
{
	struct landlock_ruleset_attr copy;
	struct rv_compat_kernel kernel;
	struct reeve_rights handled;
	const char *what;
	int r = copy_attr(attr, size, &copy);

	if (r == 0)
		r = rv_compat_kernel(&kernel);
	if (r == 0)
		r = check_attr(&copy);
	if (r)
		return rv_compat_errno(r == -EFAULT ? error : -r);
	what = unenforced(&copy, &kernel);
	if (what)
		return refuse(what, &kernel);
	rv_rights_of_attr(&copy, &handled);
	if (handled.of[REEVE_SOCKET] || rv_sockets_supervised(&handled) ||
		has_unknown_quiet(&copy, &kernel))
		return create_own(attr, size, 0, RV_ROLE_PLAIN);
	return create_native(&copy, &kernel);
}

/* A process that has supervisor rulesets may commit plain ones to them, which must be readable. */
static int create_plain(const struct landlock_ruleset_attr *attr, size_t size)
{
	int r = rv_landlock_create_ruleset((const struct rv_landlock_ruleset_attr *)attr, size, 0);

	if (r == -EINVAL || r == -E2BIG)
		return create_unknown(attr, size, -r);
	if (r < 0 || !rv_registry_used())
		return rv_compat_result(r);
	close(r);
	return create_own(attr, size, 0, RV_ROLE_PLAIN);
}

int reeve_landlock_create_ruleset(
	const struct landlock_ruleset_attr *attr, size_t size, __u32 flags)
{
	struct rv_compat_kernel kernel;
	int r;

	if (flags == 0)
		return create_plain(attr, size);
	if (flags & OWN_FLAGS)
		return create_flagged(attr, size, flags);
	r = rv_landlock_create_ruleset((const struct rv_landlock_ruleset_attr *)attr, size, flags);
	if (r < 0 || flags != LANDLOCK_CREATE_RULESET_VERSION)
		return rv_compat_result(r);
	return rv_compat_kernel(&kernel) < 0 ? r : rv_compat_abi(&kernel);
}
