/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "kernel/shared.h"
#include "landlock/image.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* ------------------------------------------------------------------------- making */

static int init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int r = pthread_mutexattr_init(&attr);

	if (r)
		return -r;
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	r = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -r;
}

int rv_image_new(
	const struct reeve_rights *handled, bool supervisor, int *ret_fd, struct rv_image **ret)
{
	void *at;
	rv_autoclose int fd = rv_shared_new("landlock-ruleset", RV_IMAGE_SIZE, &at);
	struct rv_image *image = at;
	int r;

	if (fd < 0)
		return fd;
	image->handled = *handled;
	image->supervisor = supervisor;
	r = init_lock(&image->lock);
	if (r) {
		rv_image_unmap(image);
		return r;
	}
	image->magic = RV_IMAGE_MAGIC;
	*ret = image;
	*ret_fd = rv_steal_fd(&fd);
	return 0;
}

/* Only what is sealed may be mapped: else a shorter file is a SIGBUS at any time. */
int rv_image_map(int fd, const struct rv_image **ret)
{
	const int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK;
	const struct rv_image *image;
	struct stat st;
	void *at;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &st) < 0 ||
		st.st_size != (off_t)RV_IMAGE_SIZE)
		return -EBADFD;
	at = mmap(NULL, RV_IMAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	image = at;
	if (image->magic != RV_IMAGE_MAGIC) {
		rv_image_unmap(image);
		return -EBADFD;
	}
	*ret = image;
	return 0;
}

void rv_image_unmap(const struct rv_image *image)
{
	munmap((void *)(uintptr_t)image, RV_IMAGE_SIZE);
}

/* ----------------------------------------------------------------------- changing */

/* A writer that died left nothing half done that counts: `used` and `generation` are set last. */
int rv_image_lock(struct rv_image *image)
{
	int r = pthread_mutex_lock(&image->lock);

	if (r == EOWNERDEAD)
		r = pthread_mutex_consistent(&image->lock);
	return -r;
}

void rv_image_unlock(struct rv_image *image)
{
	pthread_mutex_unlock(&image->lock);
}

static char *area_of(struct rv_image *image, enum rv_area area)
{
	return (char *)image + RV_IMAGE_FIRST + (size_t)area * RV_IMAGE_AREA;
}

static size_t rounded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

int rv_image_append(
	struct rv_image *image, enum rv_area area, const struct rv_record *record, const char *path)
{
	uint32_t used = atomic_load_explicit(&image->used[area], memory_order_relaxed);
	size_t length = strlen(path) + 1, size = sizeof(*record) + length;
	struct rv_record *at = (struct rv_record *)(area_of(image, area) + used);

	if (size > RV_IMAGE_AREA - 8 || used > RV_IMAGE_AREA - rounded(size))
		return -ENOMEM;
	*at = *record;
	at->size = (uint32_t)size;
	memcpy(at->path, path, length);
	atomic_store_explicit(
		&image->used[area], used + (uint32_t)rounded(size), memory_order_release);
	return 0;
}

int rv_image_commit(struct rv_image *image)
{
	uint64_t generation = rv_image_generation(image);
	enum rv_area now = RV_AREA_LIVE + (generation & 1), next = RV_AREA_LIVE + !(generation & 1);
	struct rv_records live = {area_of(image, now), image->used[now]}, result;
	struct rv_records staged = {area_of(image, RV_AREA_STAGED), image->used[RV_AREA_STAGED]};
	int r = rv_records_apply(&live, &staged, &result);

	if (r)
		return r;
	if (result.size > RV_IMAGE_AREA) {
		free((void *)(uintptr_t)result.at);
		return -ENOMEM;
	}
	memcpy(area_of(image, next), result.at, result.size);
	free((void *)(uintptr_t)result.at);
	atomic_store_explicit(&image->used[next], (uint32_t)result.size, memory_order_relaxed);
	atomic_store_explicit(&image->generation, generation + 1, memory_order_release);
	atomic_store_explicit(&image->used[RV_AREA_STAGED], 0, memory_order_release);
	return 0;
}

/* ------------------------------------------------------------------------ reading */

const struct rv_record *rv_record_next(
	const struct rv_records *records, const struct rv_record *record)
{
	size_t at =
		record ? (size_t)((const char *)record - records->at) + rounded(record->size) : 0;
	const struct rv_record *next = (const struct rv_record *)(records->at + at);

	if (at >= records->size || records->size - at <= sizeof(*next))
		return NULL;
	if (next->size <= sizeof(*next) || next->size > records->size - at ||
		((const char *)next)[next->size - 1] != '\0')
		return NULL;
	return next;
}

static int copy_area(const struct rv_image *image, enum rv_area area, struct rv_records *ret)
{
	struct rv_image *shared = (struct rv_image *)(uintptr_t)image;
	uint32_t size = atomic_load_explicit(&shared->used[area], memory_order_acquire);
	char *copy;

	if (size > RV_IMAGE_AREA)
		return -EBADFD;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, area_of(shared, area), size);
	*ret = (struct rv_records){copy, size};
	return 0;
}

int rv_image_static(const struct rv_image *image, struct rv_records *ret)
{
	return copy_area(image, RV_AREA_STATIC, ret);
}

/* Two commits during the copy wrote the area that is copied: then it is copied again. */
int rv_image_live(const struct rv_image *image, struct rv_records *ret, uint64_t *ret_generation)
{
	for (;;) {
		uint64_t generation = rv_image_generation(image);
		int r = copy_area(image, RV_AREA_LIVE + (generation & 1), ret);

		if (r)
			return r;
		atomic_thread_fence(memory_order_acquire);
		if (rv_image_generation(image) == generation) {
			*ret_generation = generation;
			return 0;
		}
		free((void *)(uintptr_t)ret->at);
	}
}
