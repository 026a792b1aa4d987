/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "enforce/elf.h"

/* Real files have a dozen program headers, and some fifty dynamic entries. */
#define PHDRS_MAX   128
#define LOADS_MAX   32
#define DYNAMIC_MAX 4096

/* The parts of a program header that matter, from either class. */
struct segment {
	uint64_t offset, address, file_size;
	uint32_t type;
};

struct layout {
	struct segment loads[LOADS_MAX];
	size_t loads_count;
	struct segment dynamic; /* type 0: none */
};

/* All `length` bytes at `at`, from the head where they are in it. */
static int read_at(const struct rv_elf *elf, uint64_t at, void *buf, size_t length)
{
	ssize_t n;

	if (at <= elf->head_length && length <= elf->head_length - at) {
		memcpy(buf, elf->head + at, length);
		return 0;
	}
	if (at > INT64_MAX - length)
		return -ENOEXEC;
	n = pread(elf->fd, buf, length, (off_t)at);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -ENOEXEC;
}

int rv_elf_string(const struct rv_elf *elf, uint64_t at, char *buf, size_t size)
{
	size_t n = 0;

	if (!at || !size || at > INT64_MAX - size)
		return -EINVAL;
	if (at < elf->head_length) {
		n = elf->head_length - at < size ? elf->head_length - at : size;
		memcpy(buf, elf->head + at, n);
	}
	if (!memchr(buf, '\0', n)) {
		ssize_t got = pread(elf->fd, buf, size, (off_t)at);

		if (got <= 0 || !memchr(buf, '\0', (size_t)got))
			return -EINVAL;
	}
	return buf[0] ? 0 : -EINVAL;
}

/* --------------------------------------------------------------------- headers */

struct header {
	uint64_t phdrs_at;
	size_t phdr_size, phdrs_count;
};

static int read_header64(struct rv_elf *elf, struct header *ret)
{
	Elf64_Ehdr h;
	int r = read_at(elf, 0, &h, sizeof(h));

	if (r)
		return r;
	elf->machine = h.e_machine;
	*ret = (struct header){h.e_phoff, h.e_phentsize, h.e_phnum};
	return ret->phdr_size == sizeof(Elf64_Phdr) ? 0 : -ENOEXEC;
}

static int read_header32(struct rv_elf *elf, struct header *ret)
{
	Elf32_Ehdr h;
	int r = read_at(elf, 0, &h, sizeof(h));

	if (r)
		return r;
	elf->machine = h.e_machine;
	*ret = (struct header){h.e_phoff, h.e_phentsize, h.e_phnum};
	return ret->phdr_size == sizeof(Elf32_Phdr) ? 0 : -ENOEXEC;
}

static int read_header(struct rv_elf *elf, struct header *ret)
{
	const unsigned char native = BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;

	if (elf->head_length < EI_NIDENT || memcmp(elf->head, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (elf->head[EI_DATA] != native)
		return -ENOEXEC;
	elf->is64 = elf->head[EI_CLASS] == ELFCLASS64;
	if (!elf->is64 && elf->head[EI_CLASS] != ELFCLASS32)
		return -ENOEXEC;
	return elf->is64 ? read_header64(elf, ret) : read_header32(elf, ret);
}

static int read_segment(const struct rv_elf *elf, uint64_t at, struct segment *ret)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;
	int r;

	if (elf->is64) {
		r = read_at(elf, at, &p64, sizeof(p64));
		if (r == 0)
			*ret = (struct segment){
				p64.p_offset, p64.p_vaddr, p64.p_filesz, p64.p_type};
		return r;
	}
	r = read_at(elf, at, &p32, sizeof(p32));
	if (r == 0)
		*ret = (struct segment){p32.p_offset, p32.p_vaddr, p32.p_filesz, p32.p_type};
	return r;
}

static void take_segment(struct rv_elf *elf, struct layout *layout, const struct segment *segment)
{
	if (segment->type == PT_INTERP)
		elf->interp_at = segment->offset;
	else if (segment->type == PT_DYNAMIC)
		layout->dynamic = *segment;
	else if (segment->type == PT_LOAD && layout->loads_count < LOADS_MAX)
		layout->loads[layout->loads_count++] = *segment;
}

static int read_segments(struct rv_elf *elf, const struct header *header, struct layout *layout)
{
	struct segment segment;

	if (header->phdrs_count > PHDRS_MAX || header->phdrs_at > INT64_MAX / 2)
		return -ENOEXEC;
	for (size_t i = 0; i < header->phdrs_count; i++) {
		int r = read_segment(elf, header->phdrs_at + i * header->phdr_size, &segment);

		if (r)
			return r;
		take_segment(elf, layout, &segment);
	}
	return 0;
}

/* --------------------------------------------------------------------- dynamic */

/* What the dynamic section says, in addresses and offsets into the string table. */
struct dynamic {
	uint64_t strings, runpath, rpath; /* UINT64_MAX: not said */
	uint64_t needed[RV_ELF_NEEDED_MAX];
	size_t needed_count;
};

/* False at the end. */
static bool take_entry(struct dynamic *dynamic, int64_t tag, uint64_t value)
{
	if (tag == DT_STRTAB)
		dynamic->strings = value;
	else if (tag == DT_RUNPATH)
		dynamic->runpath = value;
	else if (tag == DT_RPATH)
		dynamic->rpath = value;
	else if (tag == DT_NEEDED && dynamic->needed_count < RV_ELF_NEEDED_MAX)
		dynamic->needed[dynamic->needed_count++] = value;
	return tag != DT_NULL;
}

/* The entry at `bytes`, of either class. */
static bool take_bytes(struct dynamic *dynamic, bool is64, const unsigned char *bytes)
{
	Elf64_Dyn d64;
	Elf32_Dyn d32;

	if (is64) {
		memcpy(&d64, bytes, sizeof(d64));
		return take_entry(dynamic, d64.d_tag, d64.d_un.d_val);
	}
	memcpy(&d32, bytes, sizeof(d32));
	return take_entry(dynamic, d32.d_tag, d32.d_un.d_val);
}

static int read_dynamic(
	const struct rv_elf *elf, const struct segment *segment, struct dynamic *ret)
{
	const size_t size = elf->is64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	unsigned char bytes[1024];
	uint64_t left = segment->file_size, at = segment->offset;

	if (at > INT64_MAX / 2)
		return -ENOEXEC;
	if (left > DYNAMIC_MAX * size)
		left = DYNAMIC_MAX * size;
	while (left >= size) {
		size_t want = left < sizeof(bytes) ? left - left % size : sizeof(bytes);
		int r = read_at(elf, at, bytes, want);

		if (r)
			return r;
		for (size_t i = 0; i < want; i += size) {
			if (!take_bytes(ret, elf->is64, bytes + i))
				return 0;
		}
		at += want;
		left -= want;
	}
	return 0;
}

/* Where an address of the loaded program is in the file; 0: nowhere. */
static uint64_t to_offset(const struct layout *layout, uint64_t address)
{
	for (size_t i = 0; i < layout->loads_count; i++) {
		const struct segment *load = &layout->loads[i];

		if (address >= load->address && address - load->address < load->file_size &&
			load->offset < INT64_MAX)
			return load->offset + (address - load->address);
	}
	return 0;
}

static uint64_t string_at(uint64_t table, uint64_t offset)
{
	return offset <= UINT32_MAX && table <= INT64_MAX ? table + offset : 0;
}

static void take_dynamic(
	struct rv_elf *elf, const struct layout *layout, const struct dynamic *dynamic)
{
	uint64_t table = to_offset(layout, dynamic->strings);

	if (!table)
		return;
	elf->runpath_at = string_at(table, dynamic->runpath);
	elf->rpath_at = string_at(table, dynamic->rpath);
	elf->needed_count = dynamic->needed_count;
	for (size_t i = 0; i < dynamic->needed_count; i++)
		elf->needed_at[i] = string_at(table, dynamic->needed[i]);
}

int rv_elf_read(struct rv_elf *elf, int fd)
{
	struct dynamic dynamic = {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0}, 0};
	struct layout layout = {0};
	struct header header;
	ssize_t n;
	int r;

	memset(elf, 0, sizeof(*elf));
	elf->fd = fd;
	n = pread(fd, elf->head, sizeof(elf->head), 0);
	if (n < 0)
		return -errno;
	elf->head_length = (size_t)n;
	r = read_header(elf, &header);
	if (r == 0)
		r = read_segments(elf, &header, &layout);
	if (r || layout.dynamic.type != PT_DYNAMIC)
		return r;
	r = read_dynamic(elf, &layout.dynamic, &dynamic);
	if (r == 0)
		take_dynamic(elf, &layout, &dynamic);
	return r;
}
