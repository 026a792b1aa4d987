/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ids of a task, by the iterator over all tasks (host.h). Reading it takes
 * milliseconds and loading it a tenth of a second, so both are done only where they are asked for,
 * or where nothing else is known of a task that may be in a sandbox.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "observe/host.h"
#include "observe/own_domain.h"
#include "supervise/lineage.h"

#define KERNEL (REEVE_DOMAIN_KERNEL_LAST | REEVE_DOMAIN_KERNEL_FIRST)

static void free_host_p(struct reeve_host **host)
{
	reeve_host_free(*host);
}

/* The thread's own entry, else its process's. */
static const struct reeve_host_task *find_task(
	const struct reeve_host *host, const struct rv_pidfd_ids *ids)
{
	const struct reeve_host_task *task, *found = NULL;

	for (size_t i = 0; (task = reeve_host_task_at(host, i)); i++) {
		if (task->pid != ids->tgid)
			continue;
		if (task->tid == ids->tid)
			return task;
		if (task->tid == task->pid)
			found = task;
	}
	return found;
}

/* Who asks: whoever opened the pidfd, where that was in another domain than we are in; else we. */
struct asker {
	bool opened; /* the former */
	unsigned int depth;
	uint64_t innermost;
};

static struct asker who_asks(const struct reeve_host *host, int pidfd)
{
	const struct rv_pidfd_ids ids = {(pid_t)syscall(SYS_gettid), getpid()};
	const struct reeve_host_task *reader = find_task(host, &ids);

	for (size_t i = 0; i < host->opener_count; i++)
		if (host->openers[i].fd == pidfd)
			return (struct asker){
				true, host->openers[i].depth, host->openers[i].domains[0]};
	if (!reader || reader->depth == 0)
		return (struct asker){0};
	return (struct asker){false, reader->depth, reader->domains[0]};
}

/* The innermost domain of who asks has to be one of the task's, and not its innermost. */
static bool may_be_told(const struct asker *asker, const struct reeve_host_task *task)
{
	if (asker->depth == 0)
		return task->depth > 0;
	return task->depth > asker->depth &&
	       task->domains[task->depth - asker->depth] == asker->innermost;
}

static void give(const struct reeve_host *host, int pidfd, const struct reeve_host_task *task,
	struct reeve_task_domain *ret)
{
	const struct asker asker = who_asks(host, pidfd);
	bool told = may_be_told(&asker, task);

	if (asker.opened)
		ret->given |= told ? RV_OPENER_MAY : RV_OPENER_MAY_NOT;
	if (!told)
		return;
	ret->kernel_last = task->domains[0];
	ret->kernel_first = task->domains[task->depth - asker.depth - 1];
	ret->given |= KERNEL;
}

/* Without no_new_privs, only who has CAP_SYS_ADMIN can restrict itself. */
static bool may_be_sandboxed(pid_t tid)
{
	struct rv_task_facts facts;

	return rv_task_facts_of(tid, &facts) == 0 && facts.no_new_privs;
}

int rv_source_kernel(const struct rv_task *task, struct reeve_task_domain *ret)
{
	RV_CLEANUP(free_host_p) struct reeve_host *host = NULL;
	const struct reeve_host_task *found;
	int r;

	if (!(ret->wanted & (KERNEL | REEVE_DOMAIN_LOAD)) &&
		(ret->given || task->pidfd < 0 || !may_be_sandboxed(task->ids.tid)))
		return 0;
	r = reeve_host_read(ret->wanted & REEVE_DOMAIN_LOAD ? 0 : REEVE_HOST_PINNED, &host, NULL);
	if (r < 0)
		return rv_is_exhausted(r) ? r : 0;
	found = find_task(host, &task->ids);
	if (found)
		give(host, task->pidfd, found, ret);
	return 0;
}
