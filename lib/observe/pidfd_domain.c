/* SPDX-License-Identifier: MIT */
/* reeve_pidfd_domain(): who may be told, and of whom; what is told comes from the sources. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/process.h"
#include "kernel/sys.h"
#include "observe/task.h"

static const rv_domain_source sources[] = {rv_source_own, rv_source_kernel};

static int ask_sources(const struct rv_task *task, struct reeve_task_domain *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < RV_COUNT(sources); i++)
		r = sources[i](task, ret);
	return r;
}

/* ---------------------------------------------------------------------- visibility */

static void give_nothing(struct reeve_task_domain *ret)
{
	ret->given = 0;
	ret->last = ret->first = ret->kernel_last = ret->kernel_first = 0;
}

/* In the same domain as the reader, as far as each kind of id tells. */
static void hide_own(const struct reeve_task_domain *own, struct reeve_task_domain *ret)
{
	if (own->given & ret->given & REEVE_DOMAIN_LAST && own->last == ret->last) {
		ret->given &= ~(REEVE_DOMAIN_LAST | REEVE_DOMAIN_FIRST);
		ret->last = ret->first = 0;
	}
	if (own->given & ret->given & REEVE_DOMAIN_KERNEL_LAST &&
		own->kernel_last == ret->kernel_last) {
		ret->given &= ~(REEVE_DOMAIN_KERNEL_LAST | REEVE_DOMAIN_KERNEL_FIRST);
		ret->kernel_last = ret->kernel_first = 0;
	}
}

/* For a reader that may be in a sandbox itself. */
static int hide(const struct rv_task *task, struct reeve_task_domain *ret)
{
	struct rv_task self = {.pidfd = -1, .ids = {getpid(), getpid()}};
	struct reeve_task_domain own = {.size = sizeof(own)};
	int r;

	if (!rv_may_look(task->ids.tgid)) {
		give_nothing(ret);
		return 0;
	}
	r = ask_sources(&self, &own); /* it has no pidfd that anybody could have opened */
	if (r == 0)
		hide_own(&own, ret);
	return r;
}

static bool is_free(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

/* ------------------------------------------------------------------------ the task */

bool rv_read_restricted(pid_t tid, struct rv_task_facts *ret)
{
	return rv_task_facts_of(tid, ret) == 0 && ret->no_new_privs && ret->seccomp == 2;
}

bool rv_is_restricted(pid_t tid)
{
	struct rv_task_facts facts;

	return rv_read_restricted(tid, &facts);
}

static int look_at(const struct rv_task *task, struct reeve_task_domain *ret)
{
	int r = ask_sources(task, ret);
	unsigned int opener = ret->given & (RV_OPENER_MAY | RV_OPENER_MAY_NOT);

	ret->given &= ~opener;
	ret->pid = task->ids.tgid;
	/* All in a supervised domain are. */
	ret->restricted = ret->given & REEVE_DOMAIN_LAST || rv_is_restricted(task->ids.tid);
	if (opener & RV_OPENER_MAY_NOT)
		give_nothing(ret);
	else if (r == 0 && ret->given && !opener && !is_free())
		r = hide(task, ret);
	return r;
}

int reeve_pidfd_domain(int pidfd, struct reeve_task_domain *ret)
{
	struct reeve_task_domain found = {.size = ret->size};
	struct rv_task task = {.pidfd = pidfd};
	int r;

	if (ret->size == 0)
		return -EINVAL;
	memcpy(&found, ret, ret->size < sizeof(found) ? ret->size : sizeof(found));
	found = (struct reeve_task_domain){.size = ret->size, .wanted = found.wanted};
	r = rv_pidfd_ids(pidfd, &task.ids);
	if (r == 0)
		r = look_at(&task, &found);
	if (r < 0 && r != -ESRCH)
		return r;
	/* What was read by its pid was its own only if it lived on. */
	if (r == -ESRCH || rv_pidfd_ended(pidfd))
		found = (struct reeve_task_domain){.size = ret->size, .wanted = found.wanted};
	memcpy(ret, &found, ret->size < sizeof(found) ? ret->size : sizeof(found));
	return 0;
}
