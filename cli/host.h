/* SPDX-License-Identifier: MIT */
/* The kernel's domains beside reeve's own. */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <reeve/control.h>
#include <reeve/host.h>
#include "cli.h"

/* A running domain of reeve's, and its two of the kernel's; 0: not found. */
struct cli_joined {
	uint64_t reeve;
	char *name; /* or NULL */
	pid_t supervisor, pid;
	uint64_t floor, program;
	unsigned int depth; /* of the floor */
};

struct cli_join {
	struct cli_joined *items;
	size_t count;
};

/* This user's running domains. 0, or a negative errno with `err`. */
int cli_join_names(struct cli_join *ret, struct reeve_error *err);
/* Finds them among the kernel's. */
void cli_join_host(const struct reeve_host *host, struct cli_join *join);
void cli_join_release(struct cli_join *join);
/* The one that the kernel's domain belongs to; NULL: none of ours. */
const struct cli_joined *cli_join_find(const struct cli_join *join, uint64_t id);

/* Among `count` domains, which are in ascending order, the number of the first that is not below
 * this id. */
size_t cli_host_number(const struct reeve_host *host, size_t count, uint64_t id);

/* `reeve ps --all`; its exit code. */
int cli_ps_all(bool json, bool tree);

#endif /* CLI_HOST_H */
