/* SPDX-License-Identifier: MIT */
/* Every Landlock domain on the host, beside this user's own of reeve's. */
#ifndef CLI_PS_ALL_H
#define CLI_PS_ALL_H

#include "control.h"
#include "host.h"

struct cli_all {
	struct reeve_host *host;
	struct cli_join join;
	size_t count; /* of domains */
	/* The tasks whose innermost domain is number i: tasks[begin[i]] to tasks[begin[i + 1] - 1].
	 */
	const struct reeve_host_task **tasks;
	size_t *begin;
	const struct cli_joined **joined; /* of each domain; NULL: none of ours */
};

/* The one of ours that the kernel's domain belongs to; NULL. */
const struct cli_joined *cli_all_joined(
	const struct cli_all *all, const struct reeve_host_domain *domain);

/* "floor" and "program" of ours; by its maker's name, "static" or "supervised"; NULL: not reeve's.
 */
const char *cli_all_role(const struct cli_all *all, const struct reeve_host_domain *domain);
/* Its reeve's id, its role, or a dash. Escaped. */
char *cli_all_reeve(const struct cli_all *all, const struct reeve_host_domain *domain);
/* What a process is outside of, a thread of another may be in, and the other way round. */
void cli_all_threads(const struct reeve_host *host);

/* `ps --all --tree`; its exit code. */
int cli_ps_all_tree(const struct cli_all *all);

#endif /* CLI_PS_ALL_H */
