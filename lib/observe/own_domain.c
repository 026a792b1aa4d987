/* SPDX-License-Identifier: MIT */
/*
 * The supervised domain of a process, by its ancestors: the nearest that is the program or the
 * connector of one, as a certificate has it that holds; or the supervisor, where it states that all
 * below it is in its domain. Nothing of what is found written in the registry needs to be believed.
 * Where there is none, supervisors are asked (ask_supervisors.c).
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include "base/clock.h"
#include "observe/own_domain.h"

#define MAX_ANCESTORS 4096
#define MAX_TRIES     8 /* ancestors that die on the way */
#define LISTED_MS     1000
#define LOOK_MS	      5
#define ANSWER_MS     5000 /* all supervisors together */

/* Where a search is. */
struct climb {
	const struct rv_registry *registry;
	pid_t tid; /* whose domain it is */
	pid_t pid;
	struct rv_process process;
	struct rv_certificate found;
	struct rv_chain chain;
};

/*
 * A child is given away before its parent's pid is free. So who now has the pid that was read as
 * the parent's is the parent if it is older than the child, or if the child still names it.
 */
static int step_up(struct climb *at)
{
	pid_t pid = at->process.parent;
	struct rv_process above, again;

	if (rv_process_read(pid, &above) < 0)
		return -EAGAIN;
	if (above.start >= at->process.start &&
		(rv_process_read(at->pid, &again) < 0 || again.start != at->process.start ||
			again.parent != pid))
		return -EAGAIN;
	at->pid = pid;
	at->process = above;
	return 0;
}

/*
 * Anybody can make a certificate that holds, with an id of his own, and name any process in it. But
 * a program and a connector are children of their supervisor, as long as there is one.
 */
static bool is_child(const struct climb *at)
{
	struct rv_process_id parent;

	if (at->process.parent != at->found.supervisor.pid)
		return false;
	parent = rv_process_id_of(at->process.parent);
	return rv_process_id_same(&parent, &at->found.supervisor);
}

/*
 * A supervisor above, who states that all below is in its domain. Without no_new_privs it is in no
 * domain itself, so that no program is further up and the statement is the nearest word. (Else it
 * is asked after those.) Its facts are read before it is known to live.
 */
static bool states_all_below(const struct climb *at)
{
	struct rv_task_facts task, supervisor;

	return at->chain.count > 1 && rv_read_restricted(at->tid, &task) &&
	       rv_task_facts_of(at->pid, &supervisor) == 0 && !supervisor.no_new_privs &&
	       task.filters > supervisor.filters &&
	       rv_registry_is_all_below(at->registry, &at->found);
}

static bool begins_domain(struct climb *at)
{
	const struct rv_process_id here = {at->pid, at->process.start};

	if (at->chain.count < RV_CHAIN_MAX)
		at->chain.at[at->chain.count++] = here;
	if (rv_registry_certificate(at->registry, at->pid, &at->found) < 0 ||
		at->found.pidns != at->registry->pidns)
		return false;
	if (rv_process_id_same(&here, &at->found.supervisor))
		return states_all_below(at);
	return (rv_process_id_same(&here, &at->found.program) ||
		       rv_process_id_same(&here, &at->found.connector)) &&
	       is_child(at);
}

/* 1: found; 0: there is none; -EAGAIN: somebody died on the way; -ESRCH: the process itself. */
static int climb(struct climb *at, pid_t pid)
{
	int r = 0;

	at->pid = pid;
	at->chain.count = 0;
	if (rv_process_read(pid, &at->process) < 0)
		return -ESRCH;
	for (int depth = 0; r == 0 && depth < MAX_ANCESTORS; depth++) {
		if (begins_domain(at))
			return 1;
		if (at->process.parent <= 0)
			return 0;
		r = step_up(at);
	}
	return r;
}

static int find(struct climb *at, pid_t pid)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < MAX_TRIES; i++)
		r = climb(at, pid);
	return r;
}

/* 1 with the domain. */
static int find_or_ask(struct climb *at, const struct rv_task *task,
	const struct rv_patience *patience, uint64_t *ret_domain)
{
	struct rv_task_facts facts;
	int r;

	at->tid = task->ids.tid;
	r = find(at, task->ids.tgid);
	if (r == 1)
		*ret_domain = at->found.domain;
	if (r != 0 || task->pidfd < 0 || !rv_read_restricted(task->ids.tid, &facts))
		return r;
	return rv_ask_supervisors(at->registry, &at->chain, facts.filters, patience, ret_domain);
}

/* ------------------------------------------------------------------ domains that are new */

static uint64_t age_ms(uint64_t start)
{
	uint64_t began = start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK),
		 now = rv_now_ms(CLOCK_BOOTTIME);

	return now > began ? now - began : 0;
}

/* The outermost that is restricted would be the program, and a domain is listed only after its
 * start. */
static bool may_be_listed_soon(const struct rv_chain *chain)
{
	const struct rv_process_id *outermost = NULL;

	for (size_t i = 0; i < chain->count && rv_is_restricted(chain->at[i].pid); i++)
		outermost = &chain->at[i];
	return outermost && age_ms(outermost->start) < LISTED_MS;
}

/* -EAGAIN: not yet. */
static int look(
	const struct rv_task *task, const struct rv_patience *patience, uint64_t *ret_domain)
{
	rv_autoregistry registry = {.fd = -1};
	struct climb at = {.registry = &registry};
	int r = rv_registry_open(false, &registry, NULL);

	if (r == 0)
		r = find_or_ask(&at, task, patience, ret_domain);
	if (r == 0 && task->pidfd >= 0 && may_be_listed_soon(&at.chain))
		return -EAGAIN;
	return r == 1 || rv_is_exhausted(r) ? r : 0;
}

/*
 * False: it has ended, or time is up. Of a task that ended nothing more will be known, and its pid
 * may by now be that of others, one after the other, each of which is new.
 */
static bool wait_for_listing(int pidfd, uint64_t since)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};

	return rv_now_ms(CLOCK_MONOTONIC) - since < LISTED_MS && poll(&ended, 1, LOOK_MS) == 0;
}

int rv_source_own(const struct rv_task *task, struct reeve_task_domain *ret)
{
	const struct rv_patience patience = rv_patience(ANSWER_MS, task->pidfd);
	uint64_t began = rv_now_ms(CLOCK_MONOTONIC), domain;
	int r;

	do
		r = look(task, &patience, &domain);
	while (r == -EAGAIN && wait_for_listing(task->pidfd, began));
	if (r == 1) {
		/* Supervised domains do not nest: there is one listener in a chain of filters. */
		ret->last = ret->first = domain;
		ret->given |= REEVE_DOMAIN_LAST | REEVE_DOMAIN_FIRST;
	}
	return r < 0 && r != -EAGAIN ? r : 0;
}
