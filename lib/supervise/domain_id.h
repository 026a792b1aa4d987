/* SPDX-License-Identifier: MIT */
/* The id of a domain: 64 random bits, shown as hex without leading zeros. */
#ifndef RV_SUPERVISE_DOMAIN_ID_H
#define RV_SUPERVISE_DOMAIN_ID_H

#include <stddef.h>
#include <stdint.h>

#define RV_DOMAIN_ID_SIZE 17 /* of its text */

/* Never 0, which is no domain's. What getrandom(2) gives. */
int rv_domain_id_new(uint64_t *ret);
char *rv_domain_id_format(uint64_t id, char buf[RV_DOMAIN_ID_SIZE]);

#endif /* RV_SUPERVISE_DOMAIN_ID_H */
