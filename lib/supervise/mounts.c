/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "supervise/mounts.h"

struct rv_mounts {
	pthread_mutex_t lock;
	int fd; /* of /proc/self/mountinfo, which tells by poll(2) that something has changed */
	bool known;
	uint64_t *ids;
	size_t count;
};

int rv_mounts_new(struct rv_mounts **ret)
{
	rv_autofree struct rv_mounts *mounts = calloc(1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	mounts->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (mounts->fd < 0)
		return -errno;
	pthread_mutex_init(&mounts->lock, NULL);
	*ret = rv_steal_ptr(&mounts);
	return 0;
}

void rv_mounts_free(struct rv_mounts *mounts)
{
	if (!mounts)
		return;
	close(mounts->fd);
	pthread_mutex_destroy(&mounts->lock);
	free(mounts->ids);
	free(mounts);
}

/* Also the first time. The kernel says it once for each time that it was asked. */
static bool has_changed(struct rv_mounts *mounts)
{
	struct pollfd pfd = {.fd = mounts->fd, .events = POLLPRI};
	bool changed = poll(&pfd, 1, 0) != 0;

	return changed || !mounts->known;
}

static int read_text(int fd, struct rv_strbuf *text)
{
	char buf[4096];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		rv_strbuf_add(text, buf, (size_t)n);
	if (n < 0)
		return -errno;
	return text->failed || !text->text ? -ENOMEM : 0;
}

/* The id is the first word of each line. */
static int take_ids(struct rv_mounts *mounts, const char *text)
{
	size_t lines = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	mounts->count = 0;
	free(mounts->ids);
	mounts->ids = calloc(lines + 1, sizeof(*mounts->ids));
	if (!mounts->ids)
		return -ENOMEM;
	for (const char *at = text; mounts->count < lines; at = strchr(at, '\n') + 1)
		mounts->ids[mounts->count++] = strtoull(at, NULL, 10);
	return 0;
}

/* With the lock. What changes while this reads makes it read again the next time. */
static void refresh(struct rv_mounts *mounts)
{
	rv_autostrbuf text = {0};

	mounts->known = read_text(mounts->fd, &text) == 0 && take_ids(mounts, text.text) == 0;
	if (!mounts->known)
		mounts->count = 0;
}

bool rv_mounts_has(struct rv_mounts *mounts, uint64_t id)
{
	bool found = false;

	if (!mounts)
		return false;
	pthread_mutex_lock(&mounts->lock);
	if (has_changed(mounts))
		refresh(mounts);
	for (size_t i = 0; i < mounts->count && !found; i++)
		found = mounts->ids[i] == id;
	pthread_mutex_unlock(&mounts->lock);
	return found;
}
