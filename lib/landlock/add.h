/* SPDX-License-Identifier: MIT */
/* How a change to a supervisor ruleset fails, whether landlock_add_rule() or ioctl() makes it. */
#ifndef RV_LANDLOCK_ADD_H
#define RV_LANDLOCK_ADD_H

/* The result of an inner function; of an ENOTSUP the reason, NULL: a ruleset that cannot be read.
 */
int rv_add_say(int r, const char *why);

/* A ruleset that this process may use and not change. */
int rv_add_not_writable(void);

#endif /* RV_LANDLOCK_ADD_H */
