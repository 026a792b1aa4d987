/* SPDX-License-Identifier: MIT */
/* Scope-bound ownership: __attribute__((cleanup)) for memory and file descriptors. */
#ifndef RV_BASE_CLEANUP_H
#define RV_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>
#include <errno.h>

#define RV_CLEANUP(fn)	__attribute__((cleanup(fn)))
#define RV_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define RV_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Frees what a `char *` or any other object pointer variable holds. errno survives. */
static inline void rv_free_p(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

/* Closes what an `int` variable holds, unless negative. errno survives. */
static inline void rv_close_p(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define rv_autofree  RV_CLEANUP(rv_free_p)
#define rv_autoclose RV_CLEANUP(rv_close_p)

/* Takes the fd out of a variable, so that its cleanup does nothing. */
static inline int rv_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* The same for a pointer variable. */
#define rv_steal_ptr(pp)                                                                           \
	__extension__({                                                                            \
		__typeof__(*(pp)) stolen_ = *(pp);                                                 \
		*(pp) = NULL;                                                                      \
		stolen_;                                                                           \
	})

#endif /* RV_BASE_CLEANUP_H */
