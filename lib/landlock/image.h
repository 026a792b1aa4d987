/* SPDX-License-Identifier: MIT */
/*
 * What a ruleset of reeve's own is: memory, shared by all who have its descriptor.
 *
 * An image is a memfd that is sealed against new writers (F_SEAL_FUTURE_WRITE) once its creator has
 * mapped it. Who has the descriptor can read it; only the creator's mapping, which its forked
 * children inherit, can change it. So a supervisee, which must have the descriptor, cannot change
 * its own rules: not by the descriptor, not by opening it anew in /proc.
 *
 * It has four areas of *records*: the static rules; the staged changes of the live ones; and twice
 * the committed live ones. A commit writes the pair's other area and then counts `generation` up,
 * the low bit of which says which one is in force: readers copy, and look again at the generation.
 */
#ifndef RV_LANDLOCK_IMAGE_H
#define RV_LANDLOCK_IMAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <reeve/ruleset.h>

#define RV_IMAGE_MAGIC UINT64_C(0x6c646e6b65766572)
#define RV_IMAGE_AREA  (8u << 20) /* bytes; touched only as far as used */
#define RV_IMAGE_FIRST 4096u	  /* where the first area begins */

enum rv_area { RV_AREA_STATIC, RV_AREA_STAGED, RV_AREA_LIVE, RV_AREA_COUNT = RV_AREA_LIVE + 2 };

#define RV_IMAGE_SIZE (RV_IMAGE_FIRST + (size_t)RV_AREA_COUNT * RV_IMAGE_AREA)

struct rv_image {
	uint64_t magic;
	struct reeve_rights handled; /* never changes */
	struct reeve_rights quiet;   /* nor does this */
	uint32_t supervisor;	     /* 1: it has a live part; 0: a plain ruleset */
	uint32_t permissions;	     /* 1: socket creation is handled as a permission */
	pthread_mutex_t lock;	     /* of those who write, in whichever process */
	_Atomic uint64_t generation; /* counts commits */
	_Atomic uint32_t used[RV_AREA_COUNT];
};
_Static_assert(sizeof(struct rv_image) <= RV_IMAGE_FIRST, "the areas come after it");

enum rv_record_op {
	RV_RECORD_ADD,
	RV_RECORD_INTERSECT, /* staged only */
	RV_RECORD_CLEAR,     /* staged only */
};

/* One rule, or one change; the next one follows at the next multiple of 8. */
struct rv_record {
	uint32_t size; /* with the path and its NUL */
	uint16_t op;   /* enum rv_record_op */
	uint16_t type; /* enum reeve_rule_type */
	uint64_t allowed;
	union {
		struct {
			uint64_t dev, ino; /* of the path, when the rule was added */
		};
		struct {
			uint16_t port_first, port_last;
		};
		struct {
			int32_t family, socket_type, protocol;
		};
	};
	char path[]; /* canonical; "" for rules without one */
};

/* Makes an image and maps it for writing. *ret_fd is its descriptor (close-on-exec). -errno. */
int rv_image_new(
	const struct reeve_rights *handled, bool supervisor, int *ret_fd, struct rv_image **ret);

/* Maps someone's image for reading. -EBADFD: it is none. */
int rv_image_map(int fd, const struct rv_image **ret);
void rv_image_unmap(const struct rv_image *image);

/* ---- changing; only with a mapping of rv_image_new() */

int rv_image_lock(struct rv_image *image);
void rv_image_unlock(struct rv_image *image);

/* Appends to an area. With the lock. -ENOMEM: it is full. */
int rv_image_append(struct rv_image *image, enum rv_area area, const struct rv_record *record,
	const char *path);

/* Publishes what was staged. With the lock. -ENOMEM: nothing changed. */
int rv_image_commit(struct rv_image *image);

/* ---- reading */

/* Records, copied or not. */
struct rv_records {
	const char *at;
	size_t size;
};

/* The record after `record` (NULL: the first one); NULL past the end, or at one that is broken. */
const struct rv_record *rv_record_next(
	const struct rv_records *records, const struct rv_record *record);

/* A copy of the static rules, or of the live ones of one generation; free `at`. -ENOMEM. */
int rv_image_static(const struct rv_image *image, struct rv_records *ret);
int rv_image_live(const struct rv_image *image, struct rv_records *ret, uint64_t *ret_generation);

static inline uint64_t rv_image_generation(const struct rv_image *image)
{
	return atomic_load_explicit((_Atomic uint64_t *)&image->generation, memory_order_acquire);
}

/* table.c: applies staged changes to live records. The result is malloc'ed. With the lock, or on
 * copies. -ENOMEM. */
int rv_records_apply(
	const struct rv_records *live, const struct rv_records *staged, struct rv_records *ret);

#endif /* RV_LANDLOCK_IMAGE_H */
