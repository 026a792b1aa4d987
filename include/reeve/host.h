/* SPDX-License-Identifier: MIT */
/*
 * Every Landlock domain on the host, whoever made it: read from the kernel by a BPF iterator.
 *
 * It needs Linux 6.15, where domains got ids, with BTF and with CONFIG_AUDIT; reeve built with
 * clang; libbpf.so.1, which is loaded when it is needed; and CAP_BPF with CAP_PERFMON. An
 * administrator can pin the iterator (reeve_host_pin()), and then who may read the pinned file
 * needs none of that but the kernel.
 *
 * Ids are the kernel's, as in its audit records (`domain=195ba459b`). They are not reeve's: a
 * supervised domain of reeve has an id of its own, and two of the kernel's.
 */
#ifndef REEVE_HOST_H
#define REEVE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <reeve/check.h>
#include <reeve/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define REEVE_HOST_PIN "/run/reeve/bpf/domains"

/* What was there at one moment; each task by itself, as with /proc. */
struct reeve_host;

/* Strings live as long as the struct reeve_host. Process ids are those of the reader's pid
 * namespace, 0: not visible there. Tasks of other pid namespaces are not seen at all. */
struct reeve_host_domain {
	uint64_t id, parent; /* parent 0: none */
	unsigned int depth;  /* 1: outermost; as many layers hold for its tasks */
	uint64_t denials;    /* requests that it denied, logged or not */
	/* Who made it, as it was then; and whether it still runs. A number without a process may
	 * be another's by now. */
	pid_t creator;
	bool creator_lives;
	uid_t creator_uid;
	char comm[16];
	const char *exe;    /* cut at 255 bytes; "" unknown */
	unsigned int tasks; /* whose innermost domain it is; as in reeve_host_task_at() */
};

/* A process in a domain, or a thread whose domain is not its process's. */
struct reeve_host_task {
	pid_t pid, tid, parent; /* equal pid and tid: a process, or its first thread */
	uid_t uid;
	uint64_t start; /* nanoseconds after boot */
	char comm[16];
	unsigned int depth;	 /* layers, 0: a thread outside of its process's domain */
	const uint64_t *domains; /* `depth` ids, innermost first */
};

/* reeve_host_read()'s flags. 0: the pinned iterator where it can be read, else one of our own. */
#define REEVE_HOST_PINNED 1 /* the pinned one only */
#define REEVE_HOST_LOAD	  2 /* one of our own only */

/*
 * Reads all domains that have a task. Loading forks a child for some milliseconds, without exit
 * signal; libbpf's print function is set meanwhile (libbpf_set_print()), and put back.
 *
 * -ENOENT: with REEVE_HOST_PINNED, nothing is pinned; -EACCES: what is pinned may not be read;
 * -EPROTO: it was pinned by another version of reeve; -EPERM: CAP_BPF and CAP_PERFMON are needed;
 * -EOPNOTSUPP: this kernel, this machine or this build of reeve cannot, the message says why;
 * -EINVAL: unknown flags; -ENOMEM; -EAGAIN: processes changed their credentials all the time.
 */
int reeve_host_read(unsigned int flags, struct reeve_host **ret, struct reeve_error *err);
void reeve_host_free(struct reeve_host *host); /* NULL is allowed */

/* By ascending id, so a parent comes before its children; NULL: past the end. */
const struct reeve_host_domain *reeve_host_domain_at(const struct reeve_host *host, size_t i);
/* By its id; NULL: no such domain, or none of its tasks was seen. */
const struct reeve_host_domain *reeve_host_domain_find(const struct reeve_host *host, uint64_t id);
/* In the kernel's order; NULL: past the end. */
const struct reeve_host_task *reeve_host_task_at(const struct reeve_host *host, size_t i);

/*
 * Pins an iterator as REEVE_HOST_PIN with these permission bits (0444 lets everybody see all
 * domains, with who made them and what is in them). Mounts a bpffs there where none is, replaces
 * what is pinned. Errors as reeve_host_read(), and what mkdir(2), mount(2), bpf(2) and rename(2)
 * give.
 */
int reeve_host_pin(mode_t mode, struct reeve_error *err);
/* Removes it, and the mount where nothing else is in it. -ENOENT: nothing is pinned. */
int reeve_host_unpin(struct reeve_error *err);

/*
 * Completes what reeve_kernel_probe() found by who can be observed here: `host_domains` and
 * `audit`. It loads libbpf, but nothing into the kernel.
 */
void reeve_host_probe(struct reeve_kernel *kernel);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_HOST_H */
