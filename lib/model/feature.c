/* SPDX-License-Identifier: MIT */
/*
 * What can be enforced at all, and who does it on a given kernel: one table. The order is the order
 * of `reeve check`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernel/uapi.h"
#include "model/feature.h"

/* What decides whether a feature is there. */
enum source {
	BY_RIGHT,      /* Landlock accepts the right */
	BY_EITHER,     /* Landlock accepts the right, else the supervisor supplies it */
	BY_UNIX_SCOPE, /* Landlock's resolve_unix, or the proposed scope; else the supervisor */
	BY_UNIX_RULE,  /* Landlock's resolve_unix, as the scope takes no rules; else the same */
	BY_SCOPES,     /* Landlock's scopes */
	BY_QUIET,      /* Landlock's quiet rules */
	BY_FLAGS,      /* flags of landlock_restrict_self(), all of `bit` */
	BY_PRCTL,      /* Linux 3.5: always */
	BY_FILTER,     /* any seccomp filter */
	BY_UNWORDED,   /* Landlock has it, policies have no word for it */
	BY_ITERATOR,   /* reeve's BPF iterator */
	BY_AUDIT,      /* the kernel's audit records */
	BY_MEMFD,      /* reeve's supervisor, by a flag of memfd_create(2) */
	BY_SUPERVISOR, /* reeve's supervisor */
};

struct row {
	struct reeve_feature feature;
	enum source source;
	enum reeve_class cls; /* BY_RIGHT, BY_UNIX_SCOPE */
	uint64_t bit;	      /* the right, or flags */
	int abi;	      /* that brought it; rights have theirs in their own table */
};

#define FS(name, bit, does)                                                                        \
	{                                                                                          \
		{"fs." name, "C1", does}, BY_RIGHT, REEVE_FS, REEVE_FS_##bit, 0                    \
	}
#define SCOPE(name, bit, does)                                                                     \
	{                                                                                          \
		{"scope." name, "C1", does}, BY_RIGHT, REEVE_SCOPE, REEVE_SCOPE_##bit, 0           \
	}
#define LOG_FLAGS                                                                                  \
	(RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF | RV_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON | \
		RV_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF)
#define OTHER(name, capability, source, bit, abi, does)                                            \
	{                                                                                          \
		{name, capability, does}, source, REEVE_CLASS_COUNT, bit, abi                      \
	}

static const struct row rows[] = {
	FS("execute", EXECUTE, "execute a file"),
	FS("write_file", WRITE_FILE, "open a file for writing"),
	FS("read_file", READ_FILE, "open a file for reading"),
	FS("read_dir", READ_DIR, "list a directory"),
	FS("remove_dir", REMOVE_DIR, "remove or rename a directory"),
	FS("remove_file", REMOVE_FILE, "remove or rename a file"),
	FS("make_char", MAKE_CHAR, "create a character device"),
	FS("make_dir", MAKE_DIR, "create a directory"),
	FS("make_reg", MAKE_REG, "create a regular file"),
	FS("make_sock", MAKE_SOCK, "create a UNIX socket file"),
	FS("make_fifo", MAKE_FIFO, "create a named pipe"),
	FS("make_block", MAKE_BLOCK, "create a block device"),
	FS("make_sym", MAKE_SYM, "create a symbolic link"),
	FS("refer", REFER, "link or rename across directories"),
	FS("truncate", TRUNCATE, "truncate a file"),
	FS("ioctl_dev", IOCTL_DEV, "ioctl on a device"),
	{{"fs.resolve_unix", "C1", "reach a UNIX socket by its path"}, BY_EITHER, REEVE_FS,
		REEVE_FS_RESOLVE_UNIX, 0},
	{{"net.bind_tcp", "C1", "bind a TCP port"}, BY_EITHER, REEVE_NET, REEVE_NET_BIND_TCP, 0},
	{{"net.connect_tcp", "C1", "connect to a TCP port"}, BY_EITHER, REEVE_NET,
		REEVE_NET_CONNECT_TCP, 0},
	{{"net.bind_udp", "C1", "bind a UDP port"}, BY_EITHER, REEVE_NET, REEVE_NET_BIND_UDP, 0},
	{{"net.connect_send_udp", "C1", "send to a UDP port"}, BY_EITHER, REEVE_NET,
		REEVE_NET_CONNECT_SEND_UDP, 0},
	{{"socket.create", "C6", "create sockets by family, type and protocol"}, BY_FILTER,
		REEVE_SOCKET, REEVE_SOCKET_CREATE, 0},
	{{"scope.abstract_unix_socket", "C1", "no abstract UNIX socket from outside"}, BY_EITHER,
		REEVE_SCOPE, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET, 0},
	SCOPE("signal", SIGNAL, "no signal to a process outside"),
	{{"scope.pathname_unix_socket", "C2", "no UNIX socket file from outside"}, BY_UNIX_SCOPE,
		REEVE_SCOPE, REEVE_SCOPE_PATHNAME_UNIX_SOCKET, 9},

	OTHER("unix_socket", "C2", BY_UNIX_RULE, 0, 9, "exceptions for single UNIX socket files"),
	OTHER("unix_datagram", "C2", BY_UNIX_SCOPE, 0, 9, "datagrams to UNIX sockets, mediated"),
	OTHER("quiet", "C1", BY_QUIET, 0, 10, "denials that are not reported"),
	OTHER("log_flags", "C1", BY_FLAGS, LOG_FLAGS, 7, "choose what the kernel audits"),
	OTHER("tsync", "C1", BY_FLAGS, RV_LANDLOCK_RESTRICT_SELF_TSYNC, 8,
		"restrict all threads of a process at once"),
	OTHER("no_new_privs", "C1", BY_PRCTL, RV_LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS, 11,
		"no privileges gained by exec"),
	OTHER("inner_landlock", "C1", BY_SUPERVISOR, 0, 0, "programs may sandbox themselves"),
	OTHER("permission.namespace_use", "C1", BY_UNWORDED, 0, 12, "enter or create namespaces"),
	OTHER("permission.capability_use", "C1", BY_UNWORDED, 0, 12, "use capabilities"),
	OTHER("domain_id", "C3", BY_SUPERVISOR, 0, 0, "tell the supervised domain of a process"),
	OTHER("host_domains", "C3", BY_ITERATOR, 0, 0, "list every Landlock domain on the host"),
	OTHER("audit", "C3", BY_AUDIT, 0, 0, "read the kernel's records of what Landlock denied"),
	OTHER("live", "C4", BY_SUPERVISOR, 0, 0, "rules that change while the program runs"),
	OTHER("events", "C5", BY_SUPERVISOR, 0, 0, "report each denied request"),
	OTHER("ask", "C5", BY_SUPERVISOR, 0, 0, "hold a denied request until it is answered"),
	OTHER("permissive", "C5", BY_SUPERVISOR, 0, 0, "report what would be denied, allow it"),
	OTHER("reload", "C5", BY_SUPERVISOR, 0, 0, "follow changes of the policy file"),
	OTHER("cross_domain", "C7", BY_SCOPES,
		REEVE_SCOPE_ABSTRACT_UNIX_SOCKET | REEVE_SCOPE_SIGNAL, 6,
		"domains beside each other cannot reach each other"),
	OTHER("net_address", "C8", BY_SUPERVISOR, 0, 0, "rules by IP address"),
	OTHER("deny_inside", "C8", BY_SUPERVISOR, 0, 0, "deny a part of what is granted"),
	OTHER("execute_memfd", "C8", BY_MEMFD, 0, 0,
		"no execution of memory files, but for received ones"),
	OTHER("deny.sysv_ipc", "C8", BY_FILTER, 0, 0, "no System V IPC"),
	OTHER("deny.keyring", "C8", BY_FILTER, 0, 0, "no kernel keyrings"),
	OTHER("guard.arch", "C1", BY_FILTER, 0, 0, "no system calls of foreign architectures"),
	OTHER("guard.tty", "C1", BY_FILTER, 0, 0, "no typing into the terminal"),
	OTHER("guard.sched", "C1", BY_FILTER, 0, 0, "no limits or priorities of other processes"),
	OTHER("guard.io_uring", "C1", BY_FILTER, 0, 0, "no io_uring, which evades filters"),
	OTHER("guard.tcp", "C1", BY_FILTER, 0, 0, "no connections that evade connect_tcp"),
};

/* ------------------------------------------------------------------- finding */

const struct reeve_feature *reeve_feature_at(size_t i)
{
	return i < RV_COUNT(rows) ? &rows[i].feature : NULL;
}

/* "truncate" for "fs.truncate"; NULL where several names end so. */
static const struct reeve_feature *find_bare(const char *name)
{
	const struct reeve_feature *found = NULL;

	for (size_t i = 0; i < RV_COUNT(rows); i++) {
		const char *dot = strchr(rows[i].feature.name, '.');

		if (!dot || strcmp(dot + 1, name) != 0)
			continue;
		if (found)
			return NULL;
		found = &rows[i].feature;
	}
	return found;
}

const struct reeve_feature *reeve_feature_find(const char *name)
{
	for (size_t i = 0; name && i < RV_COUNT(rows); i++) {
		const char *other = rows[i].feature.name;

		if (other[0] == name[0] && strcmp(other, name) == 0)
			return &rows[i].feature;
	}
	return name ? find_bare(name) : NULL;
}

const struct reeve_feature *rv_feature_of_right(enum reeve_class cls, uint64_t bit)
{
	for (size_t i = 0; i < RV_COUNT(rows); i++) {
		if (rows[i].cls == cls && rows[i].bit == bit)
			return &rows[i].feature;
	}
	return NULL;
}

/* ----------------------------------------------------------------- enforcers */

/* The first release of Linux with each Landlock ABI, for people: nothing is decided by it. */
static const char *linux_of_abi(int abi)
{
	static const char *const release[REEVE_ABI_MAX + 1] = {"", "5.13", "5.19", "6.2", "6.7",
		"6.10", "6.12", "6.15", "7.0", "7.1", "7.2", "7.3", "after 7.3"};

	return abi > 0 && abi <= REEVE_ABI_MAX ? release[abi] : "?";
}

struct answer {
	char *why;
	size_t size;
};

static enum reeve_enforcer nobody(const struct answer *a, const char *why)
{
	if (a->size)
		snprintf(a->why, a->size, "%s", why);
	return REEVE_BY_NOBODY;
}

static enum reeve_enforcer needs_abi(
	const struct answer *a, const struct reeve_kernel *kernel, int abi)
{
	if (kernel->landlock_abi <= 0)
		return nobody(a, kernel->landlock_error == EOPNOTSUPP
					 ? "needs Landlock, which is not enabled at boot (lsm=)"
					 : "needs Landlock, which is not built into this kernel");
	if (abi <= 0)
		return nobody(a, "needs a Landlock that no released kernel has");
	if (a->size && kernel->landlock_abi >= abi)
		snprintf(
			a->why, a->size, "Landlock ABI %d has it, but this kernel refuses it", abi);
	else if (a->size)
		snprintf(a->why, a->size,
			"needs Landlock ABI %d (Linux %s), this kernel has ABI %d", abi,
			linux_of_abi(abi), kernel->landlock_abi);
	return REEVE_BY_NOBODY;
}

static enum reeve_enforcer landlock_if(
	bool has, const struct row *row, const struct reeve_kernel *kernel, const struct answer *a)
{
	return has ? REEVE_BY_LANDLOCK : needs_abi(a, kernel, row->abi);
}

static enum reeve_enforcer by_right(
	const struct row *row, const struct reeve_kernel *kernel, const struct answer *a)
{
	const struct reeve_right_info *info = reeve_right_of_bit(row->cls, row->bit);

	if (kernel->rights.of[row->cls] & row->bit)
		return REEVE_BY_LANDLOCK;
	return needs_abi(a, kernel, info ? info->abi : 0);
}

static enum reeve_enforcer by_filter(const struct reeve_kernel *kernel, const struct answer *a)
{
	if (kernel->seccomp_filter)
		return REEVE_BY_SECCOMP;
	return nobody(a, "needs seccomp filters, which this kernel does not have or allow");
}

static enum reeve_enforcer by_prctl(
	const struct row *row, const struct reeve_kernel *kernel, const struct answer *a)
{
	if (a->size && (kernel->restrict_flags & row->bit) != row->bit)
		snprintf(a->why, a->size, "set by prctl(2)");
	return REEVE_BY_LANDLOCK;
}

/* A supervised plan is refused for the same reasons: reeve_plan_new_supervised(). */
static enum reeve_enforcer by_supervisor(const struct reeve_kernel *k, const struct answer *a)
{
	const char *why = rv_supervisor_lacks(k);

	return why ? nobody(a, why) : REEVE_BY_SUPERVISOR;
}

const char *rv_supervisor_lacks(const struct reeve_kernel *k)
{
	if (!k->user_notif)
		return "needs seccomp user notification (Linux 5.0)";
	if (!k->wait_killable_recv)
		return "needs seccomp's WAIT_KILLABLE_RECV (Linux 5.19)";
	if (k->listener_taken)
		return "an outer supervisor has the only seccomp listener";
	if (k->yama >= 3)
		return "kernel.yama.ptrace_scope 3 forbids to look at a program's memory";
	return NULL;
}

/* What the supervisor supplies where the kernel lacks it; `why` tells what the kernel lacks. */
static enum reeve_enforcer or_supervisor(
	enum reeve_enforcer by, const struct reeve_kernel *k, const struct answer *a)
{
	if (by != REEVE_BY_NOBODY || rv_supervisor_lacks(k))
		return by;
	if (a->size)
		a->why[0] = '\0';
	return REEVE_BY_SUPERVISOR;
}

const char *rv_observes_why(enum reeve_observes observes)
{
	static const char *const why[] = {
		[REEVE_OBSERVES_UNKNOWN] = "not asked",
		[REEVE_OBSERVES] = "",
		[REEVE_OBSERVES_NOT_BUILT] = "reeve was built without clang",
		[REEVE_OBSERVES_NO_IDS] = "needs a Landlock whose domains have ids (Linux 6.15)",
		[REEVE_OBSERVES_NO_BTF] =
			"needs a kernel with BTF, /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)",
		[REEVE_OBSERVES_NO_LIBBPF] = "needs libbpf.so.1, which is not installed",
		[REEVE_OBSERVES_NO_AUDIT] = "needs a kernel with audit (CONFIG_AUDIT)",
		[REEVE_OBSERVES_NO_PRIVILEGE] = "needs root",
	};

	return (size_t)observes < RV_COUNT(why) ? why[observes] : "?";
}

static enum reeve_enforcer by_observer(enum reeve_observes observes, const struct answer *a)
{
	return observes == REEVE_OBSERVES ? REEVE_BY_OBSERVER
					  : nobody(a, rv_observes_why(observes));
}

/* Without the seal, who made it makes it executable again. */
static enum reeve_enforcer by_memfd(const struct reeve_kernel *k, const struct answer *a)
{
	enum reeve_enforcer by = by_supervisor(k, a);

	if (by == REEVE_BY_SUPERVISOR && !k->memfd_noexec)
		return nobody(a, "needs memory files that can be sealed against execution "
				 "(MFD_NOEXEC_SEAL, Linux 6.3)");
	return by;
}

static enum reeve_enforcer decide(
	const struct row *row, const struct reeve_kernel *k, const struct answer *a)
{
	bool resolve_unix = k->rights.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX;
	uint64_t scopes = k->rights.of[REEVE_SCOPE];

	switch (row->source) {
	case BY_RIGHT:
		return by_right(row, k, a);
	case BY_EITHER:
		return or_supervisor(by_right(row, k, a), k, a);
	case BY_UNIX_SCOPE:
		resolve_unix |= (scopes & REEVE_SCOPE_PATHNAME_UNIX_SOCKET) != 0;
		return or_supervisor(landlock_if(resolve_unix, row, k, a), k, a);
	case BY_UNIX_RULE:
		return or_supervisor(landlock_if(resolve_unix, row, k, a), k, a);
	case BY_SCOPES:
		return landlock_if((scopes & row->bit) == row->bit, row, k, a);
	case BY_QUIET:
		return landlock_if(k->quiet, row, k, a);
	case BY_FLAGS:
		return landlock_if((k->restrict_flags & row->bit) == row->bit, row, k, a);
	case BY_PRCTL:
		return by_prctl(row, k, a);
	case BY_FILTER:
		return by_filter(k, a);
	case BY_UNWORDED:
		return k->landlock_abi >= row->abi ? nobody(a, "policies have no word for it yet")
						   : needs_abi(a, k, row->abi);
	case BY_ITERATOR:
		return by_observer(k->host_domains, a);
	case BY_AUDIT:
		return by_observer(k->audit, a);
	case BY_MEMFD:
		return by_memfd(k, a);
	case BY_SUPERVISOR:
		break;
	}
	return by_supervisor(k, a);
}

enum reeve_enforcer reeve_feature_enforcer(const struct reeve_feature *feature,
	const struct reeve_kernel *kernel, char *why, size_t size)
{
	const struct answer a = {why, size};

	if (size)
		why[0] = '\0';
	for (size_t i = 0; i < RV_COUNT(rows); i++) {
		if (&rows[i].feature == feature)
			return decide(&rows[i], kernel, &a);
	}
	return nobody(&a, "no such feature");
}

const char *reeve_enforcer_name(enum reeve_enforcer enforcer)
{
	static const char *const names[] = {"nobody", "Landlock", "seccomp", "supervisor",
		"nobody (degraded)", "supervisor (judged only)", "reeve"};

	return (size_t)enforcer < RV_COUNT(names) ? names[enforcer] : "?";
}
