/* SPDX-License-Identifier: MIT */
/* Inside of a struct reeve_audit. */
#ifndef RV_OBSERVE_AUDIT_H
#define RV_OBSERVE_AUDIT_H

#include <reeve/audit.h>
#include "observe/audit_record.h"

#define RV_AUDIT_PENDING 32 /* events that wait for records */

struct rv_audit_event; /* a Landlock record, with its text */

/* Records with one serial are of one event. */
struct rv_audit_pending {
	uint64_t serial;
	bool complete;
	struct rv_audit_event *first; /* in the order of their records */
	/* From its record of the system call. */
	pid_t pid;
	int error;
	char comm[16], exe[256], call[32];
};

struct reeve_audit {
	void (*fn)(void *data, const struct reeve_event *event);
	void *data;
	struct rv_audit_pending pending[RV_AUDIT_PENDING]; /* in the order they began */
	size_t count;
	int fd; /* of the netlink socket, -1: none */
};

/* 1: taken; 0: of no use; -ENOMEM. */
int rv_audit_take(struct reeve_audit *audit, const struct rv_audit_record *record);

/* ---- one record: audit_event.c */

/* NULL with *ret_r 0: it says nothing of use; -ENOMEM. */
struct rv_audit_event *rv_audit_event_new(const struct rv_audit_record *record, int *ret_r);
/* Where the next one of the same event is kept. */
struct rv_audit_event **rv_audit_event_next(struct rv_audit_event *event);
/* No other record of its event can follow: that a domain is gone has no caller. */
bool rv_audit_event_is_last(const struct rv_audit_event *event);
/* What the SYSCALL record says. */
void rv_audit_caller(struct rv_audit_pending *pending, const struct rv_audit_record *record);
void rv_audit_report(const struct reeve_audit *audit, const struct rv_audit_pending *pending,
	struct rv_audit_event *event);

/* A netlink socket that hears the kernel's records. -errno. audit_netlink.c */
int rv_audit_listen(void);

#endif /* RV_OBSERVE_AUDIT_H */
