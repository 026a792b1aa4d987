/* SPDX-License-Identifier: MIT */
/* What is done with a guarded call: one piece of program each. */
#ifndef RV_ENFORCE_FILTER_GUARDS_H
#define RV_ENFORCE_FILTER_GUARDS_H

#include "enforce/filter.h"

#define RV_REFUSE(error) (SECCOMP_RET_ERRNO | (uint32_t)(error))

enum rv_verdict {
	RV_VERDICT_ENOSYS, /* never trapped */
	RV_VERDICT_IO_URING,
	RV_VERDICT_EPERM,
	RV_VERDICT_EOPNOTSUPP,
	RV_VERDICT_IOCTL,
	RV_VERDICT_PRLIMIT,
	RV_VERDICT_OTHERS_PID, /* sched_set*: pid is argument 0 */
	RV_VERDICT_SETPRIORITY,
	RV_VERDICT_IOPRIO_SET,
	RV_VERDICT_FLAGS_3, /* sendto, sendmmsg: flags are argument 3 */
	RV_VERDICT_FLAGS_2, /* sendmsg: argument 2 */
	RV_VERDICT_SENDTO,  /* trapped with an address, or MSG_FASTOPEN */
	RV_VERDICT_SOCKET,
	RV_VERDICT_PEELOFF, /* getsockopt: makes an SCTP socket */
	RV_VERDICT_SECCOMP,
	RV_VERDICT_PRCTL,
	RV_VERDICT_CLONE, /* trapped with a new user or mount namespace */
	RV_VERDICT_TRAP,
	RV_VERDICT_FS,	   /* trapped unless tagged */
	RV_VERDICT_OPEN_1, /* open: and unless O_PATH, flags are argument 1 */
	RV_VERDICT_OPEN_2, /* openat: argument 2 */
	RV_VERDICT_COUNT
};

/* Emits the program of a verdict; every path of it returns. 0, -ENOMEM. */
int rv_filter_verdict(
	struct rv_bpf *bpf, const struct rv_filter_spec *spec, enum rv_verdict verdict);

/* Whether a rule grants what SCTP's peeloff makes; the filter cannot see for which of the families.
 */
bool rv_filter_grants_peeloff(const struct rv_filter_spec *spec);

/* RV_VERDICT_SOCKET, in a file of its own. */
int rv_filter_socket(struct rv_bpf *bpf, const struct rv_filter_spec *spec);

#endif /* RV_ENFORCE_FILTER_GUARDS_H */
