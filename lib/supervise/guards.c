/* SPDX-License-Identifier: MIT */
/*
 * What is performed here goes by a tid, as the kernel offers no other way: between the last look at
 * the target and the call, some instructions later, it would have to die, be waited for, and all
 * other pids be used up, for the call to hit another process.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "enforce/filter.h"
#include "enforce/filter_calls.h"
#include "supervise/guards.h"
#include "supervise/inner.h"
#include "supervise/lineage.h"

#define MASK_MAX 1024u /* bytes: 8192 CPUs, the most that Linux can be built for */
#define ATTR_MIN 48u   /* struct sched_attr, first and longest */
#define ATTR_MAX 4096u

#define IOPRIO_PROCESS 1

/* ---------------------------------------------------------------- who may be meant */

/* Pids mean the same to both. */
static bool same_pid_namespace(struct rv_request *request)
{
	int proc = rv_caller_proc(request->caller);
	struct stat own, theirs;

	return proc >= 0 && stat("/proc/self/ns/pid", &own) == 0 &&
	       fstatat(proc, "ns/pid", &theirs, 0) == 0 && own.st_dev == theirs.st_dev &&
	       own.st_ino == theirs.st_ino;
}

static bool related(const struct rv_lineage *a, const struct rv_lineage *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (a->pids[i] == b->pids[j])
				return true;
		}
	}
	return false;
}

/* Every task of the domain has both for good; supervisor and connector have no filter. */
static int looks_confined(const struct rv_context *context, int proc_fd)
{
	struct rv_task_facts facts;
	int r = rv_task_facts(proc_fd, &facts);

	if (r < 0)
		return r;
	return facts.seccomp == 2 && facts.no_new_privs && facts.tgid != context->supervisor_pid &&
	       facts.tgid != context->connector_pid;
}

int rv_in_domain(struct rv_request *request, pid_t tid)
{
	const struct rv_context *context = request->context;
	rv_autoclose int fd = rv_open_task(tid);
	struct rv_lineage own, target;
	int proc = rv_caller_proc(request->caller);
	int r = fd < 0 ? fd : rv_lineage(fd, context->supervisor_pid, &target);

	if (r < 0 || proc < 0)
		return r < 0 ? r : -ESRCH;
	r = rv_lineage(proc, context->supervisor_pid, &own);
	if (r < 0)
		return r;
	if (own.pids[0] != target.pids[0] &&
		(!own.reached || !target.reached || !related(&own, &target)))
		return 0;
	return looks_confined(context, fd); /* last: it tells that the task is still there */
}

static struct rv_answer refuse(struct rv_request *request, pid_t tid)
{
	char object[32];

	snprintf(object, sizeof(object), "pid %d", (int)tid);
	rv_report_guard(request, "guard.sched", object, EPERM);
	return rv_answer_errno(EPERM);
}

/* Whether to go on; else *answer is set. Called last before the call is performed. */
static bool may_touch(struct rv_request *request, pid_t tid, struct rv_answer *answer)
{
	int r;

	if (!same_pid_namespace(request) || !rv_may_act_for(request)) {
		*answer = refuse(request, tid);
		return false;
	}
	r = tid < 0 ? -ESRCH : rv_in_domain(request, tid);
	if (r == 0 && tid > 0)
		*answer = refuse(request, tid);
	else if (r < 0)
		*answer = rv_answer_errno(-r);
	if (r > 0 && !rv_caller_waits(request->caller)) {
		*answer = rv_answer_none();
		r = 0;
	}
	return r > 0;
}

static struct rv_answer answer_of(long result)
{
	return result < 0 ? rv_answer_errno(errno) : rv_answer_value(result);
}

/* ------------------------------------------------------------------------ memory */

static int read_arg(const struct rv_request *request, unsigned int arg, void *buf, size_t size)
{
	return rv_caller_read(request->caller, rv_arg(request, arg), buf, size);
}

/* ---------------------------------------------------------------------- handlers */

struct limit {
	uint64_t soft, hard;
};

static struct rv_answer do_prlimit64(struct rv_request *request)
{
	pid_t tid = rv_arg_int(request, 0);
	struct limit new, old;
	uint64_t old_at = rv_arg(request, 3);
	struct rv_answer answer;
	int r = read_arg(request, 2, &new, sizeof(new));

	if (r < 0)
		return rv_answer_errno(-r);
	if (!may_touch(request, tid, &answer))
		return answer;
	answer = answer_of(syscall(SYS_prlimit64, tid, rv_arg_int(request, 1), &new, &old));
	if (answer.kind != RV_ANSWER_VALUE || !old_at)
		return answer;
	r = rv_caller_write(request->caller, old_at, &old, sizeof(old));
	return r < 0 ? rv_answer_errno(-r) : answer;
}

static struct rv_answer do_sched_setaffinity(struct rv_request *request)
{
	pid_t tid = rv_arg_int(request, 0);
	unsigned int size = (unsigned int)rv_arg_int(request, 1);
	unsigned char mask[MASK_MAX] = {0};
	struct rv_answer answer;
	int r;

	if (size > sizeof(mask))
		size = sizeof(mask);
	r = read_arg(request, 2, mask, size);
	if (r < 0)
		return rv_answer_errno(-r);
	if (!may_touch(request, tid, &answer))
		return answer;
	return answer_of(syscall(SYS_sched_setaffinity, tid, size, mask));
}

/* A negative pid and no parameters are EINVAL before anything is looked at. */
static int read_param(struct rv_request *request, unsigned int arg, struct sched_param *ret)
{
	if (rv_arg_int(request, 0) < 0 || rv_arg(request, arg) == 0)
		return -EINVAL;
	return read_arg(request, arg, ret, sizeof(*ret));
}

static struct rv_answer do_sched_setscheduler(struct rv_request *request)
{
	pid_t tid = rv_arg_int(request, 0);
	int policy = rv_arg_int(request, 1);
	struct sched_param param;
	struct rv_answer answer;
	int r = policy < 0 ? -EINVAL : read_param(request, 2, &param);

	if (r < 0)
		return rv_answer_errno(-r);
	if (!may_touch(request, tid, &answer))
		return answer;
	return answer_of(syscall(SYS_sched_setscheduler, tid, policy, &param));
}

static struct rv_answer do_sched_setparam(struct rv_request *request)
{
	pid_t tid = rv_arg_int(request, 0);
	struct sched_param param;
	struct rv_answer answer;
	int r = read_param(request, 1, &param);

	if (r < 0)
		return rv_answer_errno(-r);
	if (!may_touch(request, tid, &answer))
		return answer;
	return answer_of(syscall(SYS_sched_setparam, tid, &param));
}

/* The struct tells its size itself. What the kernel cannot take it judges on our copy. */
static int read_attr(struct rv_request *request, unsigned char *attr)
{
	uint32_t size;
	int r;

	if (rv_arg_int(request, 0) < 0 || rv_arg(request, 1) == 0)
		return -EINVAL;
	r = read_arg(request, 1, &size, sizeof(size));
	if (r < 0)
		return r;
	if (size == 0)
		size = ATTR_MIN;
	if (size >= ATTR_MIN && size <= ATTR_MAX)
		r = read_arg(request, 1, attr, size);
	memcpy(attr, &size, sizeof(size)); /* it may have changed since */
	return r;
}

static struct rv_answer do_sched_setattr(struct rv_request *request)
{
	pid_t tid = rv_arg_int(request, 0);
	unsigned char attr[ATTR_MAX] = {0};
	struct rv_answer answer;
	int r = read_attr(request, attr);

	if (r < 0)
		return rv_answer_errno(-r);
	if (!may_touch(request, tid, &answer))
		return answer;
	answer = answer_of(syscall(SYS_sched_setattr, tid, attr, rv_arg_int(request, 2)));
	if (answer.kind == RV_ANSWER_ERRNO && answer.value == E2BIG) /* says the size it knows */
		(void)rv_caller_write(request->caller, rv_arg(request, 1), attr, sizeof(uint32_t));
	return answer;
}

/* For one task by its tid; groups and users come here only to be reported. */
static struct rv_answer by_which(struct rv_request *request, long nr, int process)
{
	pid_t tid = rv_arg_int(request, 1);
	struct rv_answer answer;

	if (rv_arg_int(request, 0) != process) {
		rv_report_guard(request, "guard.sched", "a process group or user", EPERM);
		return rv_answer_errno(EPERM);
	}
	if (!may_touch(request, tid, &answer))
		return answer;
	return answer_of(syscall(nr, process, tid, rv_arg_int(request, 2)));
}

static struct rv_answer do_setpriority(struct rv_request *request)
{
	return by_which(request, SYS_setpriority, PRIO_PROCESS);
}

static struct rv_answer do_ioprio_set(struct rv_request *request)
{
	return by_which(request, SYS_ioprio_set, IOPRIO_PROCESS);
}

/* The one that is no guard's: a way to serve pages (caller.h). */
static struct rv_answer do_ioctl(struct rv_request *request)
{
	if ((uint32_t)rv_arg_int(request, 1) == RV_IOCTL_UFFD_NEW) {
		rv_reading_served(&request->context->reading);
		return rv_answer_continue("noted: the kernel decides");
	}
	rv_report_guard(request, "guard.tty", NULL, EPERM);
	return rv_answer_errno(EPERM);
}

/* ---------------------------------------------------------------------- dispatch */

static const struct guarded {
	enum rv_call call;
	const char *name;
	rv_handler handler; /* NULL: refused */
	const char *guard;
	int error;
} guarded[] = {
	{RV_CALL_PRLIMIT64, "prlimit64", do_prlimit64, "guard.sched", EPERM},
	{RV_CALL_SCHED_SETAFFINITY, "sched_setaffinity", do_sched_setaffinity, "guard.sched",
		EPERM},
	{RV_CALL_SCHED_SETSCHEDULER, "sched_setscheduler", do_sched_setscheduler, "guard.sched",
		EPERM},
	{RV_CALL_SCHED_SETPARAM, "sched_setparam", do_sched_setparam, "guard.sched", EPERM},
	{RV_CALL_SCHED_SETATTR, "sched_setattr", do_sched_setattr, "guard.sched", EPERM},
	{RV_CALL_SETPRIORITY, "setpriority", do_setpriority, "guard.sched", EPERM},
	{RV_CALL_IOPRIO_SET, "ioprio_set", do_ioprio_set, "guard.sched", EPERM},
	{RV_CALL_IOCTL, "ioctl", do_ioctl, "guard.tty", EPERM},
	{RV_CALL_IO_URING_SETUP, "io_uring_setup", NULL, "guard.io_uring", ENOSYS},
	{RV_CALL_IO_URING_ENTER, "io_uring_enter", NULL, "guard.io_uring", ENOSYS},
	{RV_CALL_IO_URING_REGISTER, "io_uring_register", NULL, "guard.io_uring", ENOSYS},
	{RV_CALL_SENDTO, "sendto", NULL, "guard.tcp", EOPNOTSUPP},
	{RV_CALL_SENDMSG, "sendmsg", NULL, "guard.tcp", EOPNOTSUPP},
	{RV_CALL_SENDMMSG, "sendmmsg", NULL, "guard.tcp", EOPNOTSUPP},
	{RV_CALL_SHMGET, "shmget", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SHMAT, "shmat", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SHMCTL, "shmctl", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SHMDT, "shmdt", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SEMGET, "semget", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SEMOP, "semop", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SEMCTL, "semctl", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_SEMTIMEDOP, "semtimedop", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_MSGGET, "msgget", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_MSGSND, "msgsnd", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_MSGRCV, "msgrcv", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_MSGCTL, "msgctl", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_MQ_UNLINK, "mq_unlink", NULL, "deny.sysv_ipc", EPERM},
	{RV_CALL_ADD_KEY, "add_key", NULL, "deny.keyring", EPERM},
	{RV_CALL_REQUEST_KEY, "request_key", NULL, "deny.keyring", EPERM},
	{RV_CALL_KEYCTL, "keyctl", NULL, "deny.keyring", EPERM},
	{RV_CALL_SETNS, "setns", NULL, "guard.setns", EPERM},
	{RV_CALL_LANDLOCK_CREATE_RULESET, "landlock_create_ruleset", NULL, "guard.landlock",
		EOPNOTSUPP},
	{RV_CALL_LANDLOCK_ADD_RULE, "landlock_add_rule", NULL, "guard.landlock", EOPNOTSUPP},
	{RV_CALL_LANDLOCK_RESTRICT_SELF, "landlock_restrict_self", rv_inner_restrict,
		"guard.landlock", EOPNOTSUPP},
};

static const struct guarded *find(const struct seccomp_data *data)
{
	return rv_call_row(data->arch, data->nr, guarded, RV_COUNT(guarded), sizeof(guarded[0]));
}

bool rv_guard_dispatch(struct rv_context *context, int listener, const struct seccomp_notif *notif,
	bool may_block, struct rv_answer *ret)
{
	const struct guarded *entry = find(&notif->data);
	struct rv_request request = {.context = context, .notif = notif, .may_block = may_block};
	struct rv_caller caller;

	if (!entry)
		return false;
	rv_request_open(&request, listener, &caller);
	*ret = rv_answer_errno(entry->error);
	request.call = entry->name;
	if (entry->handler)
		*ret = entry->handler(&request);
	else
		rv_report_guard(&request, entry->guard, NULL, entry->error);
	rv_caller_close(&caller);
	return true;
}
