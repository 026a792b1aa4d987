/* SPDX-License-Identifier: MIT */
/* reeve/landlock.h: ids as the proposal gives them. */
#include <errno.h>
#include "landlock/compat.h"
#include "observe/task.h"

#define KNOWN (PIDFD_INFO_LANDLOCK_LAST_DOMAIN | PIDFD_INFO_LANDLOCK_FIRST_DOMAIN)

/* Reeve's id where there is one, as everywhere else; else the kernel's. */
static void give(const struct reeve_task_domain *domain, struct reeve_landlock_pidfd_info *info)
{
	__u64 wanted = info->mask;

	*info = (struct reeve_landlock_pidfd_info){0};
	if (domain->given & (REEVE_DOMAIN_LAST | REEVE_DOMAIN_KERNEL_LAST) &&
		wanted & PIDFD_INFO_LANDLOCK_LAST_DOMAIN) {
		info->mask |= PIDFD_INFO_LANDLOCK_LAST_DOMAIN;
		info->landlock_last_domain = domain->last ? domain->last : domain->kernel_last;
	}
	if (domain->given & (REEVE_DOMAIN_FIRST | REEVE_DOMAIN_KERNEL_FIRST) &&
		wanted & PIDFD_INFO_LANDLOCK_FIRST_DOMAIN) {
		info->mask |= PIDFD_INFO_LANDLOCK_FIRST_DOMAIN;
		info->landlock_first_domain = domain->first ? domain->first : domain->kernel_first;
	}
}

int reeve_landlock_pidfd_info(int pidfd, struct reeve_landlock_pidfd_info *info)
{
	struct reeve_landlock_pidfd_info copy;
	struct reeve_task_domain domain = {.size = sizeof(domain)};
	int r;

	if (rv_compat_read(&copy, info, sizeof(copy)) < 0)
		return rv_compat_errno(EFAULT);
	if (copy.mask & ~KNOWN)
		return rv_compat_errno(EINVAL);
	r = reeve_pidfd_domain(pidfd, &domain);
	if (r == -EBADF)
		return rv_compat_errno(EBADF);
	if (r < 0) /* as the proposal has it for all that keeps it from being told */
		domain = (struct reeve_task_domain){0};
	give(&domain, &copy);
	*info = copy;
	return 0;
}
