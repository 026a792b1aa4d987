/* SPDX-License-Identifier: MIT */
/* Inside of a struct reeve_host: from the iterator's bytes to domains and tasks. */
#ifndef RV_OBSERVE_HOST_H
#define RV_OBSERVE_HOST_H

#include <reeve/host.h>
#include "observe/bpf/record.h"
#include "observe/libbpf.h"

/* A descriptor of ours that was opened in another domain than we are in. */
struct rv_opener {
	int fd;
	unsigned int depth; /* 0: in none */
	uint64_t domains[RV_HOST_LAYERS];
};

struct reeve_host {
	char *bytes; /* what the iterator wrote: strings point into it */
	size_t size;
	/* While parsing one for each layer that a task told. */
	struct reeve_host_domain *domains;
	size_t domain_count, domain_room;
	struct reeve_host_task *tasks;
	size_t task_count, task_room;
	uint64_t *innermost, *ids; /* of each task its innermost domain; all of them */
	size_t innermost_room;
	struct rv_opener *openers;
	size_t opener_count, opener_room;
	bool unstable; /* some task changed while it was read */
};

/*
 * Makes sense of host->bytes, which may come from an iterator that another version of reeve
 * pinned. -EPROTO: none of it; -ENOMEM. host_parse.c
 */
int rv_host_parse(struct reeve_host *host);

/* ---- the iterator: host_load.c */

/* The compiled program: made when reeve is built; size 0: without clang. */
extern const unsigned char rv_domains_bpf[];
extern const size_t rv_domains_bpf_size;

struct rv_iterator {
	struct rv_libbpf libbpf;
	struct bpf_object *object;
	struct bpf_link *link;
};

/* Loaded, calibrated and attached. As reeve_host_read(). */
int rv_iterator_open(struct rv_iterator *ret, struct reeve_error *err);
void rv_iterator_close(struct rv_iterator *iterator);
#define rv_autoiterator RV_CLEANUP(rv_iterator_close) struct rv_iterator

/* Finds out where in its credentials Landlock keeps a task's domain, for all. host_calibrate.c */
int rv_iterator_calibrate(struct rv_iterator *iterator, struct reeve_error *err);

/* What keeps an iterator from being loaded here. */
enum reeve_observes rv_iterator_lacks(void);

/* Opens the pinned iterator after checking that it is root's. -errno. host_pin.c */
int rv_host_open_pinned(void);

#endif /* RV_OBSERVE_HOST_H */
