/* SPDX-License-Identifier: MIT */
/* What the displays of running domains share. Text is allocated, escaped, never NULL, and to be
 * released by cli_escape_free(). */
#ifndef CLI_PS_H
#define CLI_PS_H

#include "control.h"

char *cli_copy(const char *text);
/* A dash where there is none. */
char *cli_number(const json_t *value);
char *cli_ps_name(const json_t *domain);

/* Columns, of which the last is as wide as it is. */
void cli_ps_widen(unsigned int *widths, const char *const *cells, int columns);
void cli_ps_cells(const char *const *cells, const unsigned int *widths, int columns);

/* Thousands of them, so no JSON. */
struct cli_ps_process {
	size_t domain; /* its number in the array of domains */
	pid_t pid, parent;
	char state, comm[16]; /* the kernel keeps no more of programs' */
};

/* In ascending order of pids. Zeroed is valid and empty. */
struct cli_ps_processes {
	struct cli_ps_process *at;
	size_t count, room;
	uint64_t *ids; /* of the domains, in ascending order */
	size_t domains;
};
void cli_ps_release(struct cli_ps_processes *processes);

/* Adds one; the domains, in ascending order of ids, are all there. -ENOMEM. */
int cli_ps_add_process(const json_t *domains, struct cli_ps_processes *processes,
	const struct reeve_control_process *process);
/* Gives each domain its "processes". */
void cli_ps_name_processes(json_t *domains, const struct cli_ps_processes *processes);

#define CLI_PS_COLUMNS 8 /* at most */
/* What a line says of a domain; its id comes first, the last column is cut to the terminal. */
struct cli_ps_look {
	const char *const *headings;
	int columns;
	void (*fill)(const json_t *domain, char **cells);
};
/* Prints domains, each with "domain" and "parent" (ids in hex), as a tree. */
void cli_ps_tree(const struct cli_ps_look *look, const json_t *domains,
	const struct cli_ps_processes *processes);
extern const struct cli_ps_look cli_ps_domains;

#endif /* CLI_PS_H */
