/* SPDX-License-Identifier: MIT */
/*
 * The domain of a process, for who wants to do something to it: proven, as a child of a supervisor
 * may be an orphan of its domain, or what else a program started that has a supervisor in it, or
 * the shell that became `reeve run`.
 *
 * Below the program or the connector it is in the domain; of other children the supervisor lets the
 * kernel tell (supervise/member.h).
 */
#include <errno.h>
#include <string.h>
#include <inttypes.h>
#include "base/cleanup.h"
#include "base/error.h"
#include "control/candidate.h"
#include "kernel/sys.h"
#include "supervise/lineage.h"

#define ANSWER_MS 5000

struct climb {
	const struct rv_candidates *candidates;
	const struct rv_candidate *found;
	uint64_t pidns;
	pid_t from, supervisor; /* of one domain or several; 0: below none */
};

static bool is(const struct rv_process_id *id, pid_t pid, const struct rv_process *process)
{
	return id->pid == pid && id->start && id->start == process->start;
}

static int step(void *data, pid_t pid, const struct rv_process *process)
{
	struct climb *climb = data;

	for (size_t i = 0; i < climb->candidates->count; i++) {
		const struct rv_candidate *candidate = &climb->candidates->items[i];

		if (candidate->pidns != climb->pidns)
			continue;
		if (is(&candidate->certificate.program, pid, process) ||
			is(&candidate->certificate.connector, pid, process))
			climb->found = candidate;
		else if (candidate->supervisor == pid && pid != climb->from)
			climb->supervisor = pid;
	}
	return climb->found || climb->supervisor;
}

static int unknown(pid_t pid, const struct rv_candidate *candidate, struct reeve_error *err)
{
	rv_error(err, -EBUSY,
		"process %d may be in domain %" PRIx64 ": its supervisor does not say", (int)pid,
		candidate->domain);
	return rv_error_hint(err, "name the domain by its id: `reeve ps` lists them");
}

static int ask_all(const struct rv_registry *registry, const struct climb *climb, pid_t pid,
	const struct rv_candidate **ret, struct reeve_error *err)
{
	rv_autoclose int pidfd = rv_pidfd_open(pid);
	const struct rv_patience patience = rv_patience(ANSWER_MS, pidfd);
	const struct rv_candidate *silent = NULL;

	for (size_t i = 0; pidfd >= 0 && i < climb->candidates->count; i++) {
		const struct rv_candidate *candidate = &climb->candidates->items[i];
		int r;

		if (candidate->supervisor != climb->supervisor || candidate->pidns != climb->pidns)
			continue;
		r = rv_registry_connect(registry, &candidate->certificate);
		if (r >= 0)
			r = rv_control_member(r, candidate->certificate.domain, &patience);
		if (r > 0) {
			*ret = candidate;
			return 1;
		}
		if (r < 0)
			silent = candidate;
	}
	return silent ? unknown(pid, silent, err) : 0;
}

/* A thread is its process: that one has the pidfd. */
static pid_t process_of(pid_t tid)
{
	struct rv_task_facts facts;

	return rv_task_facts_of(tid, &facts) == 0 ? facts.tgid : 0;
}

int rv_candidate_of_pid(const struct rv_registry *registry, const struct rv_candidates *candidates,
	pid_t pid, const struct rv_candidate **ret, struct reeve_error *err)
{
	struct climb climb = {.candidates = candidates, .pidns = rv_process_pidns()};

	climb.from = pid ? process_of(pid) : 0;
	if (!climb.from || rv_process_ancestors(climb.from, step, &climb) != 1)
		return 0;
	if (!climb.found)
		return ask_all(registry, &climb, climb.from, ret, err);
	*ret = climb.found;
	return 1;
}
