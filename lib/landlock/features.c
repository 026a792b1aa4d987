/* SPDX-License-Identifier: MIT */
/* What the kernel's Landlock has, and what reeve supplies where it lacks. */
#include <errno.h>
#include <string.h>
#include <reeve/check.h>
#include "kernel/sys.h"
#include "landlock/compat.h"
#include "landlock/start.h"

/* What each ABI after 7 brought; a row is complete only together with all rows of its ABI. */
static const struct {
	int abi;
	uint64_t feature;
	bool supplied; /* by this version of reeve, for a process that restricts itself */
} brought[] = {
	{8, REEVE_LANDLOCK_TSYNC, true},
	{9, REEVE_LANDLOCK_RESOLVE_UNIX, true},
	{10, REEVE_LANDLOCK_UDP, true},
	{10, REEVE_LANDLOCK_QUIET, true},
	{11, REEVE_LANDLOCK_NO_NEW_PRIVS, true},
	{12, REEVE_LANDLOCK_PERMISSIONS, false},
};

int rv_compat_kernel(struct rv_compat_kernel *ret)
{
	int abi = rv_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	*ret = (struct rv_compat_kernel){.abi = abi};
	if (abi < 0)
		return abi;
	for (size_t i = 0; i < RV_COUNT(brought); i++)
		if (abi >= brought[i].abi)
			ret->features |= brought[i].feature;
	return 0;
}

/* The filter's, in either shape. */
#define SOCKETS (REEVE_LANDLOCK_SOCKET | REEVE_LANDLOCK_SOCKET_PERMISSION)

/* Rulesets of our own need seccomp besides; that is found out where they are used. */
uint64_t rv_compat_supplied(const struct rv_compat_kernel *kernel)
{
	uint64_t supplied = SOCKETS | REEVE_LANDLOCK_MUTABLE | REEVE_LANDLOCK_PATHNAME_SCOPE;

	for (size_t i = 0; i < RV_COUNT(brought); i++)
		if (brought[i].supplied)
			supplied |= brought[i].feature;
	return supplied & ~kernel->features;
}

/* What needs a process that looks at this one. */
#define SUPERVISED                                                                                 \
	(REEVE_LANDLOCK_MUTABLE | REEVE_LANDLOCK_RESOLVE_UNIX | REEVE_LANDLOCK_PATHNAME_SCOPE |    \
		REEVE_LANDLOCK_UDP)

uint64_t rv_compat_here(const struct rv_compat_kernel *kernel)
{
	uint64_t supplied = rv_compat_supplied(kernel);
	struct reeve_kernel probed;

	if (!(supplied & SUPERVISED))
		return supplied;
	if (rv_supervision_probe(&probed) < 0 || !probed.seccomp_filter)
		return supplied & ~SUPERVISED & ~SOCKETS;
	return rv_supervision_lacks(&probed) ? supplied & ~SUPERVISED : supplied;
}

/* The highest ABI of which nothing is missing. Before 7 the kernel lacks what nobody can supply. */
int rv_compat_abi(const struct rv_compat_kernel *kernel)
{
	uint64_t there = kernel->features;
	int abi = kernel->abi;

	if (abi < 7)
		return abi;
	there |= rv_compat_here(kernel);
	for (size_t i = 0; i < RV_COUNT(brought); i++) {
		if (!(there & brought[i].feature))
			break;
		if (brought[i].abi > abi &&
			(i + 1 == RV_COUNT(brought) || brought[i + 1].abi > brought[i].abi))
			abi = brought[i].abi;
	}
	return abi;
}

int reeve_landlock_features(struct reeve_landlock_features *ret)
{
	struct reeve_landlock_features found = {.size = sizeof(found)};
	struct rv_compat_kernel kernel;
	size_t size;

	if (rv_compat_read(&size, ret, sizeof(size)) < 0)
		return rv_compat_errno(EFAULT);
	if (size < sizeof(size))
		return rv_compat_errno(EINVAL);
	if (rv_compat_kernel(&kernel) == 0) {
		found.kernel_abi = kernel.abi;
		found.kernel = kernel.features;
		found.supplied = rv_compat_here(&kernel);
		found.abi = rv_compat_abi(&kernel);
	}
	/* A caller built against an older header has room for less. */
	if (size > sizeof(found))
		memset((char *)ret + sizeof(found), 0, size - sizeof(found));
	memcpy(ret, &found, size < sizeof(found) ? size : sizeof(found));
	ret->size = size;
	return 0;
}
