/* SPDX-License-Identifier: MIT */
/*
 * What the files behind reeve/landlock.h share. The public functions behave as system calls do: -1
 * and errno; the others here return -errno as everywhere.
 *
 * This room keeps state of the process, which the rest of the library does not: the interface is
 * descriptors only, and what changes a supervisor ruleset must not be reachable through one
 * (registry.h says why).
 */
#ifndef RV_LANDLOCK_COMPAT_H
#define RV_LANDLOCK_COMPAT_H

#define REEVE_LANDLOCK_NO_IOCTL /* here it is libc's */
#include <reeve/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

/* Sets errno, and what reeve_landlock_why() says; tells the log. Returns -1. */
int rv_compat_fail(int error, const char *fmt, ...) RV_PRINTF(2, 3);

/* The same for what errno tells by itself. */
int rv_compat_errno(int error);

/* The result of an inner function as that of a system call. */
static inline int rv_compat_result(int r)
{
	return r < 0 ? rv_compat_errno(-r) : r;
}

/* As the kernel's copy_from_user(): 0 or -EFAULT, whatever the address. */
int rv_compat_read(void *to, const void *from, size_t size);

/* features.c: what the running kernel's Landlock and reeve can do together. */
struct rv_compat_kernel {
	int abi; /* of the kernel */
	uint64_t features;
};
int rv_compat_kernel(struct rv_compat_kernel *ret);
uint64_t rv_compat_supplied(const struct rv_compat_kernel *kernel);
/* Of that, what works in this process: a supervisor may be refused. */
uint64_t rv_compat_here(const struct rv_compat_kernel *kernel);
int rv_compat_abi(const struct rv_compat_kernel *kernel);

#endif /* RV_LANDLOCK_COMPAT_H */
