/* SPDX-License-Identifier: MIT */
/* landlock_restrict_self(). */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/seccomp.h>
#include "enforce/child.h"
#include "enforce/filter.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "landlock/ruleset.h"
#include "landlock/start.h"

#define TSYNC LANDLOCK_RESTRICT_SELF_TSYNC
#define NNP   LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS
#define KNOWN                                                                                      \
	(LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF | LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON |       \
		LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF | TSYNC | NNP)

/* ---------------------------------------------------------------------------- the filter */

static size_t count_sockets(const struct rv_records *rules)
{
	const struct rv_record *record = NULL;
	size_t count = 0;

	while ((record = rv_record_next(rules, record)))
		count += record->type == REEVE_RULE_SOCKET;
	return count;
}

static int read_sockets(
	const struct rv_records *rules, struct rv_filter_spec *spec, struct rv_filter_socket **ret)
{
	struct rv_filter_socket *sockets = calloc(count_sockets(rules) + 1, sizeof(*sockets));
	const struct rv_record *record = NULL;

	if (!sockets)
		return -ENOMEM;
	while ((record = rv_record_next(rules, record))) {
		if (record->type == REEVE_RULE_SOCKET)
			sockets[spec->sockets_count++] = (struct rv_filter_socket){
				record->family, record->socket_type, record->protocol};
	}
	spec->sockets = *ret = sockets;
	return 0;
}

/* What is trapped so that live rules can grant it. */
static unsigned int live_traps(const struct reeve_rights *handled)
{
	const struct {
		enum reeve_class cls;
		uint64_t rights;
		unsigned int traps;
	} table[] = {
		{REEVE_FS, UINT64_MAX, RV_TRAP_FS},
		{REEVE_FS, REEVE_FS_MAKE_SOCK, RV_TRAP_BIND},
		{REEVE_NET, REEVE_NET_CONNECT_TCP, RV_TRAP_CONNECT},
		{REEVE_NET, REEVE_NET_BIND_TCP, RV_TRAP_BIND},
		{REEVE_SOCKET, UINT64_MAX, RV_TRAP_GUARD},
	};
	unsigned int traps = 0;

	for (size_t i = 0; i < RV_COUNT(table); i++)
		if (handled->of[table[i].cls] & table[i].rights)
			traps |= table[i].traps;
	return traps;
}

/* How a ruleset is enforced beside the kernel's Landlock. */
struct enforcing {
	bool live;
	unsigned int sockets; /* RV_SOCKETS_* */
	struct rv_filter_spec spec;
	struct rv_filter_socket *socket_rules; /* of `spec` */
	struct sock_filter *instructions;
	struct sock_fprog filter;
};

static void enforcing_release(struct enforcing *e)
{
	free(e->socket_rules);
	free(e->instructions);
}

/*
 * Socket rules need what would go around them closed: other architectures' calls and io_uring. What
 * is only added live needs nothing: where it is not trapped, the static rules decide.
 */
static void describe(const struct rv_image *image, struct enforcing *e)
{
	e->spec = (struct rv_filter_spec){.arch = rv_filter_native_arch(),
		.supervised = e->live || e->sockets,
		.traps = e->live ? live_traps(&image->handled) : 0,
		.guards = e->live ? RV_GUARD_IO_URING : 0,
		.handle_socket = image->handled.of[REEVE_SOCKET],
		.socket_error = image->permissions ? EPERM : EACCES};
	if (e->spec.handle_socket || (e->sockets & RV_SOCKETS_PERFORMED))
		e->spec.guards |= RV_GUARD_ARCH | RV_GUARD_IO_URING;
	if (e->sockets & RV_SOCKETS_UNIX) {
		e->spec.guards |= RV_GUARD_UNIX_DGRAM;
		e->spec.traps |= RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_MOVES;
	}
	if (e->sockets & RV_SOCKETS_UDP)
		e->spec.traps |= RV_TRAP_CONNECT | RV_TRAP_BIND | RV_TRAP_SEND;
}

static int compile(const struct rv_image *image, struct enforcing *e)
{
	struct rv_records rules;
	size_t length = 0;
	int r = rv_image_static(image, &rules);

	if (r)
		return r;
	describe(image, e);
	r = read_sockets(&rules, &e->spec, &e->socket_rules);
	free((void *)(uintptr_t)rules.at);
	if (r == 0)
		r = rv_filter_compile(&e->spec, &e->instructions, &length, NULL);
	e->filter = (struct sock_fprog){(unsigned short)length, e->instructions};
	return r;
}

/* ------------------------------------------------------------------------------ in place */

/* Seccomp says EACCES to who lacks what Landlock calls EPERM. */
static int set_filter(const struct sock_fprog *filter, uint32_t flags)
{
	unsigned int bits = flags & TSYNC ? SECCOMP_FILTER_FLAG_TSYNC : 0;
	int r = rv_seccomp(SECCOMP_SET_MODE_FILTER, bits, (void *)(uintptr_t)filter);

	if (r > 0)
		return rv_compat_fail(ENOTSUP, "a thread has a seccomp filter of its own");
	return rv_compat_result(r == -EACCES ? -EPERM : r);
}

static int restrict_plain(
	const struct rv_handle *handle, const struct sock_fprog *filter, uint32_t flags)
{
	int r = handle->ruleset_fd < 0 ? 0 : rv_landlock_restrict_self(handle->ruleset_fd, flags);

	if (r < 0)
		return rv_compat_errno(-r);
	/* Without a ruleset of the kernel's this is all there is, the flag included. */
	if (handle->ruleset_fd < 0 && (flags & NNP) && rv_set_no_new_privs() < 0)
		return rv_compat_errno(EPERM);
	return filter->len ? set_filter(filter, flags) : 0;
}

/* Scopes are nothing that a rule grants. */
static bool can_be_live(const struct rv_handle *handle, const struct reeve_rights *handled)
{
	return handle->role == RV_ROLE_SUPERVISEE &&
	       (handled->of[REEVE_FS] || handled->of[REEVE_NET] || handled->of[REEVE_SOCKET]);
}

static int enforce(const struct rv_handle *handle, const struct enforcing *e, uint32_t flags)
{
	const struct rv_start_how how = {handle, &e->spec, &e->filter, flags, e->sockets};

	return e->spec.supervised ? rv_start_supervised(&how)
				  : restrict_plain(handle, &e->filter, flags);
}

static int restrict_mapped(
	const struct rv_handle *handle, const struct rv_image *image, uint32_t flags)
{
	RV_CLEANUP(enforcing_release)
	struct enforcing e = {.live = can_be_live(handle, &image->handled),
		.sockets = rv_sockets_supervised(&image->handled)};
	int r;

	if (e.live)
		e.sockets |= rv_sockets_live(&image->handled);
	r = compile(image, &e);
	if (r == -EOPNOTSUPP)
		return rv_compat_fail(ENOTSUP, "no seccomp filter can be made for this machine");
	return r ? rv_compat_errno(-r) : enforce(handle, &e, flags);
}

/* The kernel said EBADFD, after all its other checks. */
static int restrict_own(int fd, uint32_t flags)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	const struct rv_image *image;
	int r = rv_handle_open(fd, &handle), saved;

	if (r == 0 && handle.role == RV_ROLE_SUPERVISOR)
		r = -EBADFD;
	if (r == 0)
		r = rv_image_map(handle.image_fd, &image);
	if (r)
		return rv_compat_errno(-r);
	r = restrict_mapped(&handle, image, flags);
	saved = errno;
	rv_image_unmap(image);
	errno = saved;
	return r;
}

/* ------------------------------------------------------------- flags that the kernel lacks */

static int check_ruleset(int fd, uint32_t flags)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	int r;

	if (fd == -1 && (flags & ~TSYNC) == LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF)
		return 0;
	r = rv_landlock_add_rule(fd, 0, NULL, 0);
	if (r == -EINVAL)
		return 0;
	if (r != -EBADFD)
		return r;
	r = rv_handle_open(fd, &handle);
	return r == 0 && handle.role == RV_ROLE_SUPERVISOR ? -EBADFD : r;
}

static int refuse_threads(void)
{
	return rv_compat_fail(ENOTSUP, "all threads at once: needs Landlock ABI 8 (Linux 7.0); "
				       "restrict before the first thread is started");
}

/*
 * What else can refuse a ruleset (E2BIG, ENOMEM) shows only when it is enforced: a child does it,
 * with no_new_privs, and is gone. System calls only, and no signal handler: others may be threads.
 */
static int try_in_child(int fd, uint32_t flags)
{
	sigset_t all, old;
	int status = 0;
	pid_t pid, got;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = rv_child_clone(0);
	if (pid == 0)
		_exit(rv_set_no_new_privs() < 0 ? EPERM : -rv_landlock_restrict_self(fd, flags));
	do
		got = pid < 0 ? pid : waitpid(pid, &status, __WALL);
	while (got < 0 && pid > 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return pid;
	return got == pid && WIFEXITED(status) ? -WEXITSTATUS(status) : -ENOMEM;
}

static int restrict_without(int fd, uint32_t flags, int error)
{
	struct rv_compat_kernel kernel;
	uint32_t missing = 0;
	int r;

	if ((flags & ~KNOWN) || rv_compat_kernel(&kernel) < 0)
		return rv_compat_errno(error);
	if (!(kernel.features & REEVE_LANDLOCK_TSYNC))
		missing |= flags & TSYNC;
	if (!(kernel.features & REEVE_LANDLOCK_NO_NEW_PRIVS))
		missing |= flags & NNP;
	if (!missing)
		return rv_compat_errno(error);
	/* no_new_privs cannot be taken back: first all that can be refused. */
	r = check_ruleset(fd, flags);
	if (r)
		return rv_compat_errno(-r);
	if ((missing & TSYNC) && rv_single_threaded() != 1)
		return refuse_threads();
	if (!(missing & NNP))
		return reeve_landlock_restrict_self(fd, flags & ~missing);
	/* With CAP_SYS_ADMIN it goes without, and then nothing is left of a failure. */
	r = reeve_landlock_restrict_self(fd, flags & ~missing);
	if (r && errno != EPERM)
		return r;
	if (r) {
		int tried = try_in_child(fd, flags & ~missing);

		if (tried != 0 && tried != -EBADFD)
			return rv_compat_errno(-tried);
	}
	if (rv_set_no_new_privs() < 0)
		return rv_compat_errno(EPERM);
	return r ? reeve_landlock_restrict_self(fd, flags & ~missing) : 0;
}

int reeve_landlock_restrict_self(int ruleset_fd, __u32 flags)
{
	int r = rv_landlock_restrict_self(ruleset_fd, flags);

	if (r == -EBADFD)
		return restrict_own(ruleset_fd, flags);
	/* Since ABI 11 flags come first, which is what VERSION reports wherever it can. */
	if (r == -EPERM && (flags & ~KNOWN))
		return rv_compat_errno(EINVAL);
	if ((r == -EINVAL || r == -EPERM) && (flags & (TSYNC | NNP)))
		return restrict_without(ruleset_fd, flags, -r);
	return rv_compat_result(r);
}
