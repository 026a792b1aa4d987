/* SPDX-License-Identifier: MIT */
/*
 * The words of the kernel's sample (samples/landlock/sandboxer.c in Linux 7.3): for `reeve
 * sandboxer`, which obeys its variables, and `reeve policy import sandboxer`, which writes a policy
 * of them.
 */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include <reeve/ruleset.h>
#include <stdbool.h>

/* What LL_FS_RO grants; LL_FS_RW grants all. */
#define CLI_SAMPLE_READ (REEVE_FS_EXECUTE | REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)

/* All variables; the last is NULL. */
extern const char *const cli_sample_variables[];

/* Those with ports, and what they grant; the last has no name. */
extern const struct cli_sample_port {
	const char *variable;
	uint64_t right;
} cli_sample_ports[];

/* One port, decimal; without a message where it is none. */
bool cli_sample_port(const char *text, uint16_t *ret);

/* An element of LL_SCOPED; 0: unknown. */
uint64_t cli_sample_scope(const char *letter);

/* Adds what an element of LL_QUIET_ACCESS means. False: an unknown word. */
bool cli_sample_quiet(const char *word, struct reeve_rights *rights);

/* Calls fn for each element of a list, until it returns non-zero; an empty list has one, "". */
int cli_sample_each(
	const char *list, char separator, int (*fn)(void *data, const char *element), void *data);

#endif /* CLI_SAMPLE_H */
