/* SPDX-License-Identifier: MIT */
/* The operations of the differential test: one list, numbered, the same in every mode. */
#ifndef TESTS_SUPERVISE_FS_OPS_H
#define TESTS_SUPERVISE_FS_OPS_H

#include <stdbool.h>
#include <stdint.h>

enum op_kind {
	OP_OPEN,
	OP_OPENAT2,
	OP_CREAT,
	OP_MKDIR,
	OP_MKNOD,
	OP_SYMLINK,
	OP_TRUNCATE,
	OP_UNLINK,
	OP_RENAME,
	OP_LINK,
	OP_DELETED_CWD,
};

/* What `a` and `b` are relative to. */
enum op_base { BASE_CWD, BASE_DIR, BASE_FILE, BASE_BAD };

struct op {
	enum op_kind kind;
	enum op_base base;
	const char *a, *b;
	uint64_t flags, resolve;
	unsigned int mode, umask;
	bool legacy; /* the call without "at" */
};

struct op_result {
	int32_t result, error; /* a descriptor counts as 0 */
	uint32_t fl, fd_flags, type_mode;
	uint64_t size;
};

/* The i-th operation; false past the end. */
bool op_at(unsigned int i, struct op *ret);

/* Does it in the working directory. */
struct op_result op_do(const struct op *op);

/* "openat2 dir/x flags …" */
void op_describe(const struct op *op, char *buf, unsigned int size);

/* Answered natively in every mode: terminals, procfs, deleted directories. */
bool op_is_native(const struct op *op);

#endif /* TESTS_SUPERVISE_FS_OPS_H */
