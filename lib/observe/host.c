/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "observe/host.h"

#define ATTEMPTS 5
#define CHUNK	 (64 * 1024)

static int read_all(int fd, char **ret, size_t *ret_size)
{
	rv_autofree char *bytes = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - size < CHUNK) {
			char *grown = realloc(bytes, room = 2 * room + CHUNK);

			if (!grown)
				return -ENOMEM;
			bytes = grown;
		}
		n = read(fd, bytes + size, room - size);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0)
			break;
		size += n > 0 ? (size_t)n : 0;
	}
	*ret = rv_steal_ptr(&bytes);
	*ret_size = size;
	return 0;
}

/* From a fresh descriptor: an iterator is read once. */
static int read_host(int fd, struct reeve_host **ret)
{
	struct reeve_host *host = calloc(1, sizeof(*host));
	int r = host ? read_all(fd, &host->bytes, &host->size) : -ENOMEM;

	if (r == 0)
		r = rv_host_parse(host);
	if (r == 0 && host->unstable)
		r = -EAGAIN;
	if (r < 0)
		reeve_host_free(host);
	else
		*ret = host;
	return r;
}

/* Opens the next run of an iterator: the pinned one's, or of `data`. */
typedef int (*opener)(void *data);

static int open_loaded(void *data)
{
	struct rv_iterator *iterator = data;

	return iterator->libbpf.iter_create(iterator->libbpf.link_fd(iterator->link));
}

static int open_pinned(void *data)
{
	(void)data;
	return rv_host_open_pinned();
}

static int read_stable(opener open_next, void *data, struct reeve_host **ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && r == -EAGAIN; i++) {
		rv_autoclose int fd = open_next(data);

		r = fd < 0 ? fd : read_host(fd, ret);
	}
	return r;
}

static int read_failed(int r, struct reeve_error *err)
{
	if (r != -EPROTO)
		return rv_error(
			err, r, "cannot read the Landlock domains of this host: %s", strerror(-r));
	rv_error(err, r, REEVE_HOST_PIN " is of another version of reeve");
	rv_error_hint(err, "as root: `reeve observe pin`");
	return r;
}

static int read_loaded(struct reeve_host **ret, struct reeve_error *err)
{
	rv_autoiterator iterator = {0};
	int r = rv_iterator_open(&iterator, err);

	if (r < 0)
		return r;
	r = read_stable(open_loaded, &iterator, ret);
	return r < 0 ? read_failed(r, err) : 0;
}

/* Not the pinned one where it is not there, or of no use, and we can do without. */
static bool goes_on(int r)
{
	return r == -ENOENT || r == -EACCES || r == -EPROTO || r == -EPERM;
}

int reeve_host_read(unsigned int flags, struct reeve_host **ret, struct reeve_error *err)
{
	int r = -ENOENT, loaded;

	if (flags & ~(unsigned int)(REEVE_HOST_PINNED | REEVE_HOST_LOAD) ||
		flags == (REEVE_HOST_PINNED | REEVE_HOST_LOAD))
		return rv_error(err, -EINVAL, "unknown flags 0x%x", flags);
	if (flags != REEVE_HOST_LOAD)
		r = read_stable(open_pinned, NULL, ret);
	if (r == 0)
		return 0;
	if (flags == REEVE_HOST_PINNED || !goes_on(r))
		return read_failed(r, err);
	loaded = read_loaded(ret, err);
	return loaded == -EPERM && r == -EPROTO ? read_failed(r, err) : loaded;
}

void reeve_host_free(struct reeve_host *host)
{
	if (!host)
		return;
	free(host->bytes);
	free(host->domains);
	free(host->tasks);
	free(host->openers);
	free(host->innermost);
	free(host->ids);
	free(host);
}

const struct reeve_host_domain *reeve_host_domain_at(const struct reeve_host *host, size_t i)
{
	return i < host->domain_count ? &host->domains[i] : NULL;
}

const struct reeve_host_domain *reeve_host_domain_find(const struct reeve_host *host, uint64_t id)
{
	size_t low = 0, high = host->domain_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (host->domains[middle].id == id)
			return &host->domains[middle];
		if (host->domains[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct reeve_host_task *reeve_host_task_at(const struct reeve_host *host, size_t i)
{
	return i < host->task_count ? &host->tasks[i] : NULL;
}
