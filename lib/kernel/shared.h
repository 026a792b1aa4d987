/* SPDX-License-Identifier: MIT */
/* Memory that others may map, and only we write to. */
#ifndef RV_KERNEL_SHARED_H
#define RV_KERNEL_SHARED_H

#include <stddef.h>

/*
 * Makes and maps zeroed memory of a name and size that never change; returns the memfd,
 * close-on-exec. Whoever else maps it can only read it. -ENOMEM: also where RLIMIT_FSIZE forbids
 * it; what memfd_create(2) and mmap(2) give.
 */
int rv_shared_new(const char *name, size_t size, void **ret);

#endif /* RV_KERNEL_SHARED_H */
