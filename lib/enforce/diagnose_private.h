/* SPDX-License-Identifier: MIT */
/* Inside of a diagnosis: diagnose.c walks, diagnose_libs.c looks for libraries, diagnose_hint.c
 * turns what is denied into flags. */
#ifndef RV_ENFORCE_DIAGNOSE_PRIVATE_H
#define RV_ENFORCE_DIAGNOSE_PRIVATE_H

#include <limits.h>
#include "enforce/diagnose.h"
#include "enforce/elf.h"

#define RV_HINTS_MAX 6

struct rv_look {
	const struct reeve_plan *plan;
	char *const *envp;
	const char *program; /* as the user wrote it */
	struct rv_diagnosis *ret;
	/* Directories (or files) to grant, and the profile that does it, or NULL. */
	struct rv_grant {
		char path[512];
		const char *profile;
	} grants[RV_HINTS_MAX];
	size_t grants_count;
};

/* A regular file, opened for reading, with its canonical path. */
struct rv_image {
	int fd; /* -1: it cannot be read, which execve(2) does not mind */
	char path[PATH_MAX];
};
#define RV_OBJECT_NONE                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* 0 or -errno; -EACCES also for what is no regular file. */
int rv_image_open(struct rv_image *object, const char *path);
void rv_image_close(struct rv_image *object);

/* What the policy does not grant of `access` on a canonical path; 0: nothing. */
uint64_t rv_look_missing(const struct rv_look *look, const char *path, uint64_t access);

/*
 * Notes that `path` is denied. The first call fixes the message: "PROGRAM: WHAT, which the policy
 * does not let it …"; all calls add to the hint.
 */
void rv_look_deny(struct rv_look *look, const char *path, uint64_t missing, bool after_exec,
	const char *what);

/* Writes the hint. */
void rv_look_finish(struct rv_look *look);

/* The shared libraries of a program, and theirs. `interp` is the loader's path. */
void rv_look_at_libraries(struct rv_look *look, const struct rv_image *object,
	const struct rv_elf *elf, const char *interp);

#endif /* RV_ENFORCE_DIAGNOSE_PRIVATE_H */
