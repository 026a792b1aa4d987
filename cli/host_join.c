/* SPDX-License-Identifier: MIT */
/*
 * Which of the kernel's domains are reeve's: the connector of a supervised domain is a child of its
 * supervisor and made the floor; the program's layer is the floor's child. Nothing here trusts a
 * name: a process below the supervisor is deeper than the connector, others are not its children.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"

static int add(void *data, const struct reeve_control_entry *entry)
{
	struct cli_join *join = data;
	struct cli_joined *grown = reallocarray(join->items, join->count + 1, sizeof(*join->items));

	if (!grown)
		return -ENOMEM;
	join->items = grown;
	grown[join->count++] = (struct cli_joined){.reeve = entry->domain,
		.name = entry->name ? strdup(entry->name) : NULL,
		.supervisor = entry->supervisor,
		.pid = entry->pid};
	return 0;
}

static bool made_by(const struct reeve_host_domain *domain, const struct reeve_host_task *task)
{
	return domain && domain->creator_lives && domain->creator == task->pid;
}

size_t cli_host_number(const struct reeve_host *host, size_t count, uint64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reeve_host_domain_at(host, middle)->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t count_domains(const struct reeve_host *host)
{
	size_t count = 0;

	while (reeve_host_domain_at(host, count))
		count++;
	return count;
}

/* It came after the floor, most often next. */
static const struct reeve_host_domain *program_below(
	const struct reeve_host *host, size_t count, uint64_t floor, pid_t program)
{
	const struct reeve_host_domain *domain;

	for (size_t i = cli_host_number(host, count, floor);
		(domain = reeve_host_domain_at(host, i)); i++)
		if (domain->parent == floor && domain->creator == program)
			return domain;
	return NULL;
}

/* A child of the supervisor that made the domain it is in: the connector, of this domain if the
 * program's is below. Else (its program's is gone) the outermost. */
static void offer(const struct reeve_host *host, size_t count, const struct reeve_host_task *task,
	struct cli_joined *joined)
{
	const struct reeve_host_domain *below =
		program_below(host, count, task->domains[0], joined->pid);

	if (!below && (joined->program || (joined->depth && task->depth >= joined->depth)))
		return;
	joined->floor = task->domains[0];
	joined->depth = task->depth;
	joined->program = below ? below->id : 0;
}

static void find_floors(const struct reeve_host *host, struct cli_join *join)
{
	const struct reeve_host_task *task;
	size_t count = count_domains(host);

	for (size_t i = 0; (task = reeve_host_task_at(host, i)); i++) {
		if (!task->depth || !made_by(reeve_host_domain_find(host, task->domains[0]), task))
			continue;
		for (size_t k = 0; k < join->count; k++)
			if (join->items[k].supervisor == task->parent)
				offer(host, count, task, &join->items[k]);
	}
}

/* One supervisor may have several domains. */
static void drop_others_floors(struct cli_join *join)
{
	for (size_t i = 0; i < join->count; i++)
		for (size_t k = 0; !join->items[i].program && k < join->count; k++)
			if (join->items[k].program && join->items[k].floor == join->items[i].floor)
				join->items[i].floor = 0;
}

int cli_join_names(struct cli_join *ret, struct reeve_error *err)
{
	struct cli_join join = {0};
	int r = reeve_control_names(add, &join, err);

	if (r < 0)
		cli_join_release(&join);
	else
		*ret = join;
	return r;
}

void cli_join_host(const struct reeve_host *host, struct cli_join *join)
{
	find_floors(host, join);
	drop_others_floors(join);
}

void cli_join_release(struct cli_join *join)
{
	for (size_t i = 0; i < join->count; i++)
		free(join->items[i].name);
	free(join->items);
	*join = (struct cli_join){0};
}

const struct cli_joined *cli_join_find(const struct cli_join *join, uint64_t id)
{
	for (size_t i = 0; id && i < join->count; i++)
		if (join->items[i].floor == id || join->items[i].program == id)
			return &join->items[i];
	return NULL;
}
