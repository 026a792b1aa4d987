/* SPDX-License-Identifier: MIT */
/*
 * The id of a domain: 64 bits, shown as hex without leading zeros. It is no number that anybody
 * could claim, but the hash of who has it: the supervisor, the connector and the program, each with
 * its pid and start time, and random bits. So whoever finds these written down (its certificate)
 * need not trust who wrote it: for other processes there is none with the same id, short of trying
 * 2^64. What is below the program is in the domain, as nobody leaves it; hence the id of a process
 * can be proven by looking at its ancestors.
 */
#ifndef RV_SUPERVISE_DOMAIN_ID_H
#define RV_SUPERVISE_DOMAIN_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RV_DOMAIN_ID_SIZE 17 /* of its text */

char *rv_domain_id_format(uint64_t id, char buf[RV_DOMAIN_ID_SIZE]);

/* A process, told from all that had or will have its pid. Start 0: unknown, equal to none. */
struct rv_process_id {
	pid_t pid;
	uint64_t start; /* as of struct rv_process */
};
/* Unknown where /proc does not tell. */
struct rv_process_id rv_process_id_of(pid_t pid);
/* The same with the pid that it has in another pid namespace, where that is its own. */
struct rv_process_id rv_process_id_in(pid_t pid, uint64_t pidns);
bool rv_process_id_same(const struct rv_process_id *a, const struct rv_process_id *b);

#define RV_NONCE_SIZE 16

struct rv_certificate {
	uint64_t domain; /* never 0, which is no domain's */
	uint64_t pidns;	 /* inode: where these pids are from */
	struct rv_process_id supervisor, connector, program;
	uint8_t nonce[RV_NONCE_SIZE];
};

/* Draws the nonce, and sets the id. What getrandom(2) gives. */
int rv_certificate_make(struct rv_certificate *certificate);
/* Whether this id is the one of these processes. */
bool rv_certificate_holds(const struct rv_certificate *certificate);

#define RV_CERTIFICATE_SIZE 256 /* of its text */

/* One line of text, and back. -EINVAL: not a certificate, or one that does not hold. */
char *rv_certificate_format(
	const struct rv_certificate *certificate, char buf[RV_CERTIFICATE_SIZE]);
int rv_certificate_parse(const char *text, struct rv_certificate *ret);

#endif /* RV_SUPERVISE_DOMAIN_ID_H */
