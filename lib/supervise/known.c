/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "supervise/known.h"

#define KNOWN_MAX 8

struct file {
	int fd; /* O_PATH; -1: none */
	dev_t dev;
	ino_t ino;
	int type;
};

struct rv_known {
	pthread_mutex_t lock;
	struct file at[KNOWN_MAX];
	size_t next; /* the oldest one */
};

int rv_known_new(struct rv_known **ret)
{
	struct rv_known *known = calloc(1, sizeof(*known));

	if (!known)
		return -ENOMEM;
	pthread_mutex_init(&known->lock, NULL);
	for (size_t i = 0; i < KNOWN_MAX; i++)
		known->at[i].fd = -1;
	*ret = known;
	return 0;
}

void rv_known_free(struct rv_known *known)
{
	if (!known)
		return;
	for (size_t i = 0; i < KNOWN_MAX; i++)
		rv_close_p(&known->at[i].fd);
	pthread_mutex_destroy(&known->lock);
	free(known);
}

bool rv_known_find(struct rv_known *known, const struct stat *st, int *ret_type)
{
	bool found = false;

	pthread_mutex_lock(&known->lock);
	for (size_t i = 0; i < KNOWN_MAX && !found; i++) {
		const struct file *file = &known->at[i];

		found = file->fd >= 0 && file->dev == st->st_dev && file->ino == st->st_ino;
		if (found)
			*ret_type = file->type;
	}
	pthread_mutex_unlock(&known->lock);
	return found;
}

void rv_known_keep(struct rv_known *known, int pin, const struct stat *st, int type)
{
	struct file file = {fcntl(pin, F_DUPFD_CLOEXEC, 0), st->st_dev, st->st_ino, type};
	int replaced;

	if (file.fd < 0)
		return;
	pthread_mutex_lock(&known->lock);
	replaced = known->at[known->next].fd;
	known->at[known->next] = file;
	known->next = (known->next + 1) % KNOWN_MAX;
	pthread_mutex_unlock(&known->lock);
	rv_close_p(&replaced);
}
