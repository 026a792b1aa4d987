/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/error.h"
#include "enforce/landlock.h"
#include "enforce/restrict.h"
#include "kernel/sys.h"

#define LOG_FLAGS                                                                                  \
	(REEVE_RESTRICT_LOG_SAME_EXEC_OFF | REEVE_RESTRICT_LOG_NEW_EXEC_ON |                       \
		REEVE_RESTRICT_LOG_SUBDOMAINS_OFF)

/* ----------------------------------------------------------------------- flags */

/* Our flags as the kernel's. TSYNC is handled apart: it can be done without the kernel's flag. */
static unsigned int kernel_flags(unsigned int flags)
{
	static const struct {
		unsigned int ours, kernels;
	} table[] = {
		{REEVE_RESTRICT_LOG_SAME_EXEC_OFF, RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF},
		{REEVE_RESTRICT_LOG_NEW_EXEC_ON, RV_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON},
		{REEVE_RESTRICT_LOG_SUBDOMAINS_OFF, RV_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF},
		{REEVE_RESTRICT_TSYNC, RV_LANDLOCK_RESTRICT_SELF_TSYNC},
	};
	unsigned int out = 0;

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		if (flags & table[i].ours)
			out |= table[i].kernels;
	}
	return out;
}

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int threads = 0;

	if (!dir)
		return -errno;
	while (threads < 2 && (entry = readdir(dir)))
		threads += entry->d_name[0] != '.';
	closedir(dir);
	return threads;
}

/* A thread that was joined may be listed for a moment longer: pthread_join(3) returns before the
 * kernel has removed it. */
int rv_single_threaded(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	int threads = count_threads();

	for (int tries = 0; threads > 1 && tries < 10; tries++) {
		nanosleep(&moment, NULL);
		threads = count_threads();
	}
	return threads < 0 ? threads : threads == 1;
}

static int check_tsync(const struct reeve_plan *plan, int ruleset_fd, struct reeve_error *err)
{
	bool native = plan->kernel.restrict_flags & RV_LANDLOCK_RESTRICT_SELF_TSYNC;

	/* Without rules for Landlock, seccomp does it alone, and always can. */
	if (ruleset_fd >= 0 ? native : plan->filter_length > 0)
		return 0;
	if (rv_single_threaded() == 1)
		return 0;
	rv_error(err, -ENOTSUP,
		"cannot restrict all threads of a process: needs Landlock ABI 8 (Linux 7.0), this "
		"kernel has ABI %d",
		plan->kernel.landlock_abi);
	rv_error_hint(err, "restrict before the first thread is started");
	return -ENOTSUP;
}

static int check_flags(const struct reeve_plan *plan, unsigned int flags, struct reeve_error *err)
{
	unsigned int wanted = kernel_flags(flags & LOG_FLAGS);

	if (flags & ~(LOG_FLAGS | REEVE_RESTRICT_TSYNC))
		return rv_error(err, -EINVAL, "unknown restrict flags 0x%x",
			flags & ~(LOG_FLAGS | REEVE_RESTRICT_TSYNC));
	if ((plan->kernel.restrict_flags & wanted) == wanted)
		return 0;
	return rv_error(err, -ENOTSUP,
		"the log flags need Landlock ABI 7 (Linux 6.15), this kernel has ABI %d",
		plan->kernel.landlock_abi);
}

/* ----------------------------------------------------------------------- steps */

int rv_restrict_prepare(const struct reeve_plan *plan, unsigned int flags, int all_fd,
	int *ret_ruleset_fd, struct reeve_error *err)
{
	int rv_autoclose fd = -1;
	int r = rv_plan_check(plan, err);

	if (r == 0)
		r = check_flags(plan, flags, err);
	if (r == 0)
		r = rv_landlock_ruleset(plan, all_fd, &fd, err);
	if (r == 0 && (flags & REEVE_RESTRICT_TSYNC))
		r = check_tsync(plan, fd, err);
	if (r)
		return r;
	*ret_ruleset_fd = rv_steal_fd(&fd);
	return 0;
}

int rv_restrict_landlock_error(int code, struct reeve_error *err)
{
	if (code == -E2BIG)
		return rv_error(err, code,
			"Landlock: 16 layers are in force already, and there can be no more");
	return rv_error(err, code, "cannot enter the Landlock domain: %s", strerror(-code));
}

int rv_restrict_landlock(const struct reeve_plan *plan, unsigned int flags, int ruleset_fd)
{
	unsigned int nnp = plan->kernel.restrict_flags & RV_LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS;
	unsigned int bits = kernel_flags(flags) & plan->kernel.restrict_flags;
	int r = 0;

	if (ruleset_fd < 0 || !nnp)
		r = rv_set_no_new_privs();
	if (r || ruleset_fd < 0)
		return r;
	return rv_landlock_restrict_self(ruleset_fd, bits | nnp);
}

/* A positive result is the id of a thread that has a filter of its own and could not be synced. */
static int enforce_filter(
	const struct reeve_plan *plan, unsigned int flags, struct reeve_error *err)
{
	struct sock_fprog program = {(unsigned short)plan->filter_length, plan->filter};
	unsigned int bits = flags & REEVE_RESTRICT_TSYNC ? SECCOMP_FILTER_FLAG_TSYNC : 0;
	int r;

	if (!plan->filter_length)
		return 0;
	r = rv_seccomp(SECCOMP_SET_MODE_FILTER, bits, &program);
	if (r > 0)
		return rv_error(err, -ENOTSUP,
			"thread %d has a seccomp filter of its own, so the filter cannot be set "
			"for "
			"all threads",
			r);
	return r ? rv_error(err, r, "cannot set the seccomp filter: %s", strerror(-r)) : 0;
}

int rv_restrict_commit(
	const struct reeve_plan *plan, unsigned int flags, int ruleset_fd, struct reeve_error *err)
{
	int r = rv_restrict_landlock(plan, flags, ruleset_fd);

	return r ? rv_restrict_landlock_error(r, err) : enforce_filter(plan, flags, err);
}

int reeve_plan_restrict(const struct reeve_plan *plan, unsigned int flags, struct reeve_error *err)
{
	int rv_autoclose fd = -1;
	int r = rv_plan_in_place(plan, err);

	if (r == 0)
		r = rv_restrict_prepare(plan, flags, -1, &fd, err);

	return r ? r : rv_restrict_commit(plan, flags, fd, err);
}
