/* SPDX-License-Identifier: MIT */
/*
 * What an ELF file asks its loader for. The file may be anybody's: every offset and count in it is
 * checked, and nothing is mapped (a file that shrinks would raise SIGBUS).
 */
#ifndef RV_ENFORCE_ELF_H
#define RV_ENFORCE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RV_ELF_NEEDED_MAX 256 /* more are ignored */

struct rv_elf {
	int fd; /* borrowed */
	bool is64;
	unsigned int machine; /* EM_* */

	/* The first page: the program headers are in it, nearly always. Also for "#!" lines. */
	unsigned char head[4096];
	size_t head_length;

	/* Offsets of strings in the file; 0: there is none. */
	uint64_t interp_at, runpath_at, rpath_at;
	uint64_t needed_at[RV_ELF_NEEDED_MAX];
	size_t needed_count;
};

/*
 * Reads the head of a file: fd, head and head_length are valid afterwards in any case that is not a
 * read error. 0; -ENOEXEC: not an ELF file of this machine's byte order, or a broken one; what
 * pread(2) gives.
 */
int rv_elf_read(struct rv_elf *elf, int fd);

/* The string at an offset, cut off at its NUL. -EINVAL: no NUL within `size` bytes, or empty. */
int rv_elf_string(const struct rv_elf *elf, uint64_t at, char *buf, size_t size);

#endif /* RV_ENFORCE_ELF_H */
