/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "observe/bpf/record.h"
#include "observe/host.h"

struct reader {
	struct reeve_host *host;
	size_t at;
};

static bool take(struct reader *reader, void *to, size_t size)
{
	if (reader->host->size - reader->at < size)
		return false;
	memcpy(to, reader->host->bytes + reader->at, size);
	reader->at += size;
	return true;
}

/* A string that ends where the record says. */
static const char *take_text(struct reader *reader, size_t size)
{
	const char *text = reader->host->bytes + reader->at;

	if (size == 0)
		return "";
	if (reader->host->size - reader->at < size || strnlen(text, size) != size - 1)
		return NULL;
	reader->at += size;
	return text;
}

/* Room for one more of `size` bytes in an array. */
static int grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*(void **)array, more, size);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*room = more;
	return 0;
}

static int add_domain(struct reeve_host *host, const struct rv_host_layer *layer, const char *exe)
{
	struct reeve_host_domain *domain;
	int r = grow(&host->domains, host->domain_count, &host->domain_room, sizeof(*domain));

	if (r < 0)
		return r;
	domain = &host->domains[host->domain_count++];
	memset(domain, 0, sizeof(*domain));
	domain->id = layer->id;
	domain->denials = layer->denials;
	domain->creator = (pid_t)layer->creator;
	domain->creator_lives = layer->creator_lives;
	domain->creator_uid = layer->creator_uid;
	memcpy(domain->comm, layer->comm, sizeof(domain->comm));
	domain->comm[sizeof(domain->comm) - 1] = '\0';
	domain->exe = exe;
	return 0;
}

/* A task without a domain has one layer that is all zero. */
static int take_layers(struct reader *reader, unsigned int *ret_count)
{
	struct rv_host_layer layer = {.more = 1};
	unsigned int count = 0;

	while (layer.more) {
		const char *exe = NULL;
		int r;

		if (count < RV_HOST_LAYERS && take(reader, &layer, sizeof(layer)))
			exe = take_text(reader, layer.exe_size);
		if (!exe || (layer.id == 0 && (count > 0 || layer.more)))
			return -EPROTO;
		if (layer.id == 0)
			break;
		r = add_domain(reader->host, &layer, exe);
		if (r < 0)
			return r;
		count++;
	}
	*ret_count = count;
	return 0;
}

/* What take_layers() added last are the domains of one task, innermost first. */
static void link_layers(struct reeve_host *host, unsigned int count)
{
	struct reeve_host_domain *first = host->domains + host->domain_count - count;

	for (unsigned int i = 0; i < count; i++) {
		first[i].depth = count - i;
		first[i].parent = i + 1 < count ? first[i + 1].id : 0;
	}
}

static int add_task(struct reeve_host *host, const struct rv_host_task *task)
{
	struct reeve_host_task *added;
	int r = grow(&host->tasks, host->task_count, &host->task_room, sizeof(*added));

	if (r < 0)
		return r;
	if (host->task_count == host->innermost_room) {
		uint64_t *ids = reallocarray(host->innermost, host->task_room, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		host->innermost = ids;
		host->innermost_room = host->task_room;
	}
	host->innermost[host->task_count] = task->domain;
	added = &host->tasks[host->task_count++];
	memset(added, 0, sizeof(*added));
	added->pid = (pid_t)task->pid;
	added->tid = (pid_t)task->tid;
	added->parent = (pid_t)task->parent;
	added->uid = task->uid;
	added->start = task->start;
	memcpy(added->comm, task->comm, sizeof(added->comm));
	added->comm[sizeof(added->comm) - 1] = '\0';
	return 0;
}

static int take_task_layers(struct reader *reader, const struct rv_host_task *task)
{
	struct reeve_host *host = reader->host;
	size_t before = host->domain_count;
	struct rv_host_end end;
	unsigned int count;
	int r = take_layers(reader, &count);

	if (r < 0)
		return r;
	if (!take(reader, &end, sizeof(end)))
		return -EPROTO;
	if (!end.stable) {
		host->unstable = true;
		host->domain_count = before;
		return 0;
	}
	if (count ? host->domains[before].id != task->domain : task->domain != 0)
		return -EPROTO;
	link_layers(host, count);
	return add_task(host, task);
}

static int take_descriptor(struct reader *reader, const struct rv_host_task *task)
{
	struct reeve_host *host = reader->host;
	struct rv_host_opener opener;
	struct rv_opener *added;
	int r = grow(&host->openers, host->opener_count, &host->opener_room, sizeof(*added));

	if (r < 0)
		return r;
	if (!take(reader, &opener, sizeof(opener)))
		return -EPROTO;
	added = &host->openers[host->opener_count++];
	*added = (struct rv_opener){.fd = (int)task->tid};
	while (added->depth < RV_HOST_LAYERS && opener.domains[added->depth]) {
		added->domains[added->depth] = opener.domains[added->depth];
		added->depth++;
	}
	return 0;
}

static int take_task(struct reader *reader)
{
	struct rv_host_task task;

	if (!take(reader, &task, sizeof(task)))
		return -EPROTO;
	if (task.follows == RV_HOST_DESCRIPTOR)
		return take_descriptor(reader, &task);
	return task.follows == RV_HOST_DOMAINS ? take_task_layers(reader, &task)
					       : add_task(reader->host, &task);
}

static int by_id(const void *a, const void *b)
{
	const struct reeve_host_domain *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static void merge_same(struct reeve_host *host)
{
	struct reeve_host_domain *last = NULL;

	if (host->domain_count > 0)
		qsort(host->domains, host->domain_count, sizeof(*host->domains), by_id);
	for (size_t i = 0; i < host->domain_count; i++) {
		struct reeve_host_domain *domain = &host->domains[i];

		if (!last || last->id != domain->id) {
			last = last ? last + 1 : domain;
			*last = *domain;
			continue;
		}
		if (domain->denials > last->denials)
			last->denials = domain->denials;
	}
	host->domain_count = last ? (size_t)(last - host->domains) + 1 : 0;
}

static struct reeve_host_domain *find_domain(struct reeve_host *host, uint64_t id)
{
	const struct reeve_host_domain key = {.id = id};

	return id && host->domain_count
		       ? bsearch(&key, host->domains, host->domain_count, sizeof(key), by_id)
		       : NULL;
}

/* Most tasks are in the same domain as the one before. */
static struct reeve_host_domain *find_again(
	struct reeve_host *host, struct reeve_host_domain *last, uint64_t id)
{
	return last && last->id == id ? last : find_domain(host, id);
}

/* The domains of each task, from its innermost one upwards; host->ids has room for all. Whose
 * domain nobody told (its parent ended before it was read) makes it unstable. */
static int find_domains(struct reeve_host *host)
{
	struct reeve_host_domain *last = NULL;
	size_t room = 0, used = 0;

	for (size_t i = 0; i < host->task_count; i++) {
		struct reeve_host_domain *domain = last =
			find_again(host, last, host->innermost[i]);

		if (!domain && host->innermost[i])
			host->unstable = true;
		if (!domain)
			continue;
		domain->tasks++;
		host->tasks[i].depth = domain->depth;
		room += domain->depth;
	}
	host->ids = calloc(room + 1, sizeof(*host->ids));
	if (!host->ids)
		return -ENOMEM;
	for (size_t i = 0; i < host->task_count; i++) {
		struct reeve_host_domain *domain = last =
			find_again(host, last, host->innermost[i]);

		host->tasks[i].domains = &host->ids[used];
		if (i > 0 && last && host->innermost[i] == host->innermost[i - 1]) {
			host->tasks[i].domains = host->tasks[i - 1].domains;
			continue;
		}
		for (unsigned int k = 0; domain && k < host->tasks[i].depth; k++) {
			host->ids[used++] = domain->id;
			domain = find_domain(host, domain->parent);
		}
	}
	return 0;
}

int rv_host_parse(struct reeve_host *host)
{
	struct reader reader = {.host = host};
	struct rv_host_header header;
	int r;

	/* Tasks are written after the first of the kernel's own, so there always is a header. */
	if (!take(&reader, &header, sizeof(header)) || header.magic != RV_HOST_MAGIC)
		return -EPROTO;
	while (reader.at < host->size) {
		r = take_task(&reader);
		if (r < 0)
			return r;
	}
	merge_same(host);
	return find_domains(host);
}
