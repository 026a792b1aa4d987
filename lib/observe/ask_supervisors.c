/* SPDX-License-Identifier: MIT */
/*
 * For a task that does not descend from a program by living processes: an orphan, or one that was
 * made with CLONE_PARENT. Its supervisor can let the kernel tell (supervise/member.h). Whom to
 * believe: a supervisor above the task, of what is below itself; of others only one that is in no
 * sandbox, as anybody could make a certificate and say yes to all.
 */
#include <errno.h>
#include "control/client.h"
#include "observe/own_domain.h"

struct asking {
	const struct rv_registry *registry;
	const struct rv_chain *chain;
	const struct rv_patience *patience;
	unsigned int filters; /* of the task */
	uint64_t domain;
	bool answered; /* one among the ancestors */
};

bool rv_is_exhausted(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

static bool is_above(const struct rv_chain *chain, const struct rv_process_id *id)
{
	for (size_t i = 0; i < chain->count; i++)
		if (rv_process_id_same(&chain->at[i], id))
			return true;
	return false;
}

static bool is_stopped(pid_t pid)
{
	struct rv_process process;

	return rv_process_read(pid, &process) < 0 || process.state == 'T' || process.state == 't';
}

/* `fd`: taken, what rv_registry_connect() gave. */
static int ask_one(struct asking *asking, const struct rv_certificate *certificate, int fd)
{
	rv_autoclose int connection = fd;
	int r = fd;

	if (fd >= 0)
		r = is_stopped(certificate->supervisor.pid)
			    ? -EAGAIN
			    : rv_control_member(rv_steal_fd(&connection), certificate->domain,
				      asking->patience);
	asking->answered |= r >= 0 || r == -ENODATA;
	if (r == 1)
		asking->domain = certificate->domain;
	return r == 1 || rv_is_exhausted(r) ? r : 0;
}

static unsigned int filters_of(pid_t tid)
{
	struct rv_task_facts facts;

	return rv_task_facts_of(tid, &facts) == 0 ? facts.filters : 0;
}

static int ask_above(void *data, const struct rv_certificate *certificate)
{
	struct asking *asking = data;

	if (certificate->pidns != asking->registry->pidns)
		return 0;
	/* Who has no others below itself has said so, and need not be asked. Its filters are
	 * counted before it is known to live. */
	if (asking->filters <= filters_of(certificate->supervisor.pid) ||
		!rv_registry_is_all_below(asking->registry, certificate))
		return ask_one(
			asking, certificate, rv_registry_connect(asking->registry, certificate));
	asking->domain = certificate->domain;
	return 1;
}

static int ask_chain(struct asking *asking)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < asking->chain->count; i++)
		r = rv_registry_supervised(
			asking->registry, &asking->chain->at[i], ask_above, asking);
	return r;
}

/* To a subreaper its orphans would have come. Those above, too, whose link somebody replaced. */
static int ask_other(void *data, const struct rv_entry *entry)
{
	struct asking *asking = data;

	if (entry->pidns != asking->registry->pidns)
		return 0;
	if (!is_above(asking->chain, &entry->certificate.supervisor) &&
		(entry->subreaper || rv_is_restricted(entry->supervisor)))
		return 0;
	return ask_one(asking, &entry->certificate,
		rv_registry_connect(asking->registry, &entry->certificate));
}

int rv_ask_supervisors(const struct rv_registry *registry, const struct rv_chain *chain,
	unsigned int filters, const struct rv_patience *patience, uint64_t *ret_domain)
{
	struct asking asking = {registry, chain, patience, filters, 0, false};
	int r = ask_chain(&asking);

	if (r == 0 && !asking.answered)
		r = rv_registry_each(registry, ask_other, &asking);
	if (r == 1)
		*ret_domain = asking.domain;
	return r == 1 || rv_is_exhausted(r) ? r : 0;
}
