/* SPDX-License-Identifier: MIT */
/*
 * What this machine can enforce, and by whom; and proof.
 */
#ifndef REEVE_CHECK_H
#define REEVE_CHECK_H

#include <reeve/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ------------------------------------------------------------------- kernel */

/* Whether something can be observed here, or what it lacks: the first of these. */
enum reeve_observes {
	REEVE_OBSERVES_UNKNOWN = 0, /* nobody asked: reeve_host_probe() */
	REEVE_OBSERVES,
	REEVE_OBSERVES_NOT_BUILT,    /* reeve was built without clang */
	REEVE_OBSERVES_NO_IDS,	     /* a Landlock without domain ids: before Linux 6.15 */
	REEVE_OBSERVES_NO_BTF,	     /* a kernel that does not describe its types */
	REEVE_OBSERVES_NO_LIBBPF,    /* no libbpf.so.1 */
	REEVE_OBSERVES_NO_AUDIT,     /* a kernel without audit, or not in its first namespaces */
	REEVE_OBSERVES_NO_PRIVILEGE, /* the capabilities for it */
};

/*
 * What a kernel can do, found by trying: no version is compared. Zeroed is a kernel that can do
 * nothing.
 */
struct reeve_kernel {
	size_t size;	    /* set by the caller to sizeof(struct reeve_kernel) */
	int landlock_abi;   /* as LANDLOCK_CREATE_RULESET_VERSION tells; 0: no Landlock */
	int landlock_error; /* with abi 0: ENOSYS (not built in) or EOPNOTSUPP (not enabled) */
	uint64_t landlock_errata;    /* bit n-1: erratum n is fixed */
	struct reeve_rights rights;  /* what landlock_create_ruleset() accepts; REEVE_SCOPE too */
	bool quiet;		     /* quiet rules (ABI 10) */
	unsigned int restrict_flags; /* what landlock_restrict_self() accepts, kernel's bits */
	bool seccomp_filter;
	bool user_notif;	 /* SECCOMP_FILTER_FLAG_NEW_LISTENER */
	bool wait_killable_recv; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
	bool listener_taken;	 /* a filter of ours already has a listener: supervised elsewhere */
	bool no_new_privs;	 /* already set for this thread */
	int yama;		 /* kernel.yama.ptrace_scope, -1: no Yama */
	/* Set by reeve_host_probe(). */
	enum reeve_observes host_domains; /* all Landlock domains can be read */
	enum reeve_observes audit;	  /* the kernel's audit records can be read */
	bool memfd_noexec;		  /* MFD_NOEXEC_SEAL; by reeve_kernel_probe(), as above */
};

/* Probes the running kernel. Leaves nothing behind. -ENOMEM, -EMFILE, -ENFILE. */
int reeve_kernel_probe(struct reeve_kernel *ret);

/* ----------------------------------------------------------------- features */

/* One line of `reeve check`. Strings are static. */
struct reeve_feature {
	const char *name; /* "fs.truncate", "scope.pathname_unix_socket", "live", "quiet" … */
	const char *capability; /* "C1" … "C8" of the design */
	const char *does;	/* half a sentence */
};
const struct reeve_feature *reeve_feature_at(size_t i);

/* Finds a feature by its name, or a right by its bare name ("truncate"); NULL: unknown. */
const struct reeve_feature *reeve_feature_find(const char *name);

/*
 * Who enforces a feature on `kernel` with this version of reeve. `ret_why` receives a static or
 * caller-buffered reason: at most `size` bytes written to `why`.
 */
enum reeve_enforcer reeve_feature_enforcer(const struct reeve_feature *feature,
	const struct reeve_kernel *kernel, char *why, size_t size);

/* ------------------------------------------------------------------- proof */

enum reeve_verdict {
	REEVE_HELD,    /* the denied operation failed as it should, the allowed one worked */
	REEVE_BROKEN,  /* the denied operation succeeded, or the allowed one failed */
	REEVE_SKIPPED, /* not enforced here, so there is nothing to prove; or it cannot be tried */
};

/*
 * Tries to break every feature that the running kernel or reeve claims to enforce, with real
 * processes in a temporary directory, and calls fn with each result. `detail` says what was tried
 * and what happened. Forks; the caller should have no other threads. Returns the number of
 * REEVE_BROKEN verdicts, or negative: -ENOMEM, what mkdtemp(3) or fork(2) give.
 */
int reeve_verify(void (*fn)(void *data, const struct reeve_feature *feature,
			 enum reeve_verdict verdict, const char *detail),
	void *data, struct reeve_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_CHECK_H */
