/* SPDX-License-Identifier: MIT */
/* What a descriptor in a path rule names. */
#ifndef RV_LANDLOCK_OBJECT_H
#define RV_LANDLOCK_OBJECT_H

#include <limits.h>
#include <sys/stat.h>

/*
 * The path and the identity of what the kernel takes for a rule's object: something with a path
 * that can be mounted. With the registry's lock. -EBADF; -EBADFD: it is of another kind;
 * -ENAMETOOLONG; -errno of readlink(2).
 *
 * Where rules come on one number again and again, as they do from a program that opens, adds and
 * closes, this keeps a descriptor of its own, which rv_object_release() closes.
 */
int rv_object_of(int fd, char path[static PATH_MAX], struct stat *st);

/* With the registry's lock. */
void rv_object_release(void);

#endif /* RV_LANDLOCK_OBJECT_H */
