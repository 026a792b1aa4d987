/* SPDX-License-Identifier: MIT */
/*
 * The kernel's audit records of Landlock as events: what was denied in any domain of the host,
 * supervised or not, since Linux 6.15 (records 1423, LANDLOCK_ACCESS, and 1424, LANDLOCK_DOMAIN).
 *
 * The kernel writes them only while auditing is enabled (`auditctl -e 1`), and for a domain whose
 * program called exec only where it was made with LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON. Who did
 * what was denied is in a record of the same event (1300, SYSCALL), which the kernel leaves out
 * where a rule says so (`-a task,never`): then pid, comm and exe are not known.
 */
#ifndef REEVE_AUDIT_H
#define REEVE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <reeve/error.h>
#include <reeve/event.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Puts records together that are of one event, and reports it:
 *
 * REEVE_EVENT_DENIED: `missing` and `asked` are the rights that the domain does not grant. Where
 *	the kernel names no right, `call` has what it names ("ptrace", "fs.change_topology").
 *	`object` is a path, "ADDRESS:PORT", "@NAME" of an abstract socket, or "pid 123 (comm)".
 * REEVE_EVENT_DOMAIN: the first denial of a domain: who made it (pid, comm, and exe, which is the
 *	object too).
 * REEVE_EVENT_FREED: a domain is gone; `count` is what it denied.
 *
 * In each `domain` is the kernel's id, `sequence` the number of the audit event, `by` "kernel", and
 * `time` the kernel's. Values of records are hostile text: events hold them as they were, decoded.
 */
struct reeve_audit;

/* -ENOMEM. */
int reeve_audit_new(void (*fn)(void *data, const struct reeve_event *event), void *data,
	struct reeve_audit **ret);
void reeve_audit_free(struct reeve_audit *audit); /* NULL is allowed; what waits is dropped */

/*
 * Takes one line of a log, as audit.log, `ausearch --raw`, dmesg(1) or the journal have it:
 * "type=LANDLOCK_ACCESS msg=audit(1729738800.268:30): domain=…". 1: it was of use, 0: it was not;
 * -ENOMEM. An event is reported when its last record came (EOE), some others did, or at
 * reeve_audit_flush().
 */
int reeve_audit_line(struct reeve_audit *audit, const char *line, size_t length);
/* Reports what waits for more records. -ENOMEM. */
int reeve_audit_flush(struct reeve_audit *audit);

/*
 * Listens to the running kernel. `*ret_fd` is to be polled, and owned by `audit`; `*ret_enabled`
 * tells whether the kernel records anything, true where it does not say.
 * -EPERM: needs CAP_AUDIT_READ; -EOPNOTSUPP: no audit in this kernel, or not in this namespace;
 * -EMFILE, -ENFILE, -ENOMEM; -EALREADY: it listens.
 */
int reeve_audit_open(
	struct reeve_audit *audit, int *ret_fd, bool *ret_enabled, struct reeve_error *err);
/* Takes what has arrived, without waiting. Flush when nothing more came for a while. 0, or
 * -ENOBUFS: records were lost, as we were too slow; -ENOMEM, or what recv(2) gives. */
int reeve_audit_receive(struct reeve_audit *audit);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_AUDIT_H */
