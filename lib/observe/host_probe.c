/* SPDX-License-Identifier: MIT */
/* What can be observed here, without loading anything into the kernel. */
#include <reeve/audit.h>
#include "observe/host.h"

static enum reeve_observes host_domains(void)
{
	rv_autoclose int fd = rv_host_open_pinned();

	return fd >= 0 ? REEVE_OBSERVES : rv_iterator_lacks();
}

/* Only the first user namespace hears anything; there is no telling without asking. */
static enum reeve_observes audit_state(void)
{
	struct reeve_audit *audit = NULL;
	enum reeve_observes state = REEVE_OBSERVES_NO_AUDIT;
	bool enabled;
	int fd, r = reeve_audit_new(NULL, NULL, &audit);

	if (r == 0)
		r = reeve_audit_open(audit, &fd, &enabled, NULL);
	if (r == 0)
		state = REEVE_OBSERVES;
	else if (r == -EPERM)
		state = REEVE_OBSERVES_NO_PRIVILEGE;
	reeve_audit_free(audit);
	return state;
}

void reeve_host_probe(struct reeve_kernel *kernel)
{
	if (kernel->size >= offsetof(struct reeve_kernel, audit) + sizeof(kernel->audit)) {
		kernel->host_domains = host_domains();
		kernel->audit = audit_state();
	}
}
