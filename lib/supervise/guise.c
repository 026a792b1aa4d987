/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/guise.h"

#define CAP_SETGID_BIT (UINT64_C(1) << 6)
#define CAP_SETUID_BIT (UINT64_C(1) << 7)

/* ------------------------------------------------------------------- who the caller is */

/* "Groups:\t4 24 27 \n". More than fit are more than can be compared. */
static int read_groups(struct rv_caller *caller, struct rv_guise *guise)
{
	int proc = rv_caller_proc(caller);
	rv_autoclose int fd = proc < 0 ? -1 : openat(proc, "status", O_RDONLY | O_CLOEXEC);
	char text[8192];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at, *end;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	at = strstr(text, "\nGroups:");
	end = at ? strchr(at + 1, '\n') : NULL;
	if (!end)
		return -EOVERFLOW;
	for (at += sizeof("\nGroups:"); (at += strspn(at, " ")) < end;) {
		if (guise->group_count == RV_COUNT(guise->groups))
			return -EOVERFLOW;
		guise->groups[guise->group_count++] = (gid_t)strtoul(at, &at, 10);
	}
	return 0;
}

static int open_root(struct rv_caller *caller, const struct rv_self *own, int *ret)
{
	struct rv_root root;
	int proc = rv_caller_proc(caller), r = rv_caller_root(caller, &root);

	*ret = -1;
	if (r < 0 || proc < 0)
		return r < 0 ? r : proc;
	if (root.dev == own->root.dev && root.ino == own->root.ino && root.mount == own->root.mount)
		return 0;
	*ret = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

/* False: we cannot be like that. */
static bool learn(struct rv_request *request, struct rv_guise *guise)
{
	const struct rv_self *own = &request->context->own;
	const struct rv_credentials *mine = &own->credentials, *theirs;
	struct rv_caller_status status;
	bool same_ns;

	if (rv_caller_status(request->caller, &status) < 0 || rv_capget(0, &guise->own, NULL) < 0 ||
		!rv_self_same_label(own, request->caller) ||
		read_groups(request->caller, guise) < 0 ||
		open_root(request->caller, own, &guise->root) < 0)
		return false;
	theirs = &status.credentials;
	same_ns = theirs->user_ns_dev == mine->user_ns_dev &&
		  theirs->user_ns_ino == mine->user_ns_ino;
	guise->effective = same_ns ? theirs->effective & guise->own : 0;
	guise->uid = theirs->fsuid;
	guise->gid = theirs->fsgid;
	guise->own_uid = mine->fsuid;
	guise->own_gid = mine->fsgid;
	guise->others_ids = theirs->fsuid != mine->fsuid || theirs->fsgid != mine->fsgid ||
			    theirs->groups != mine->groups;
	return !guise->others_ids ||
	       ((guise->own & CAP_SETUID_BIT) && (guise->own & CAP_SETGID_BIT));
}

/* ------------------------------------------------------------------- being the caller */

/* Of this thread alone: libc's functions would change all. */
static bool set_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid && (gid_t)setfsgid((gid_t)-1) == gid;
}

bool rv_guise_begin(struct rv_guise *guise)
{
	if (!guise)
		return true;
	if (guise->others_ids && !set_ids(guise->uid, guise->gid))
		return false;
	/* An fsuid of 0 has, and another has not, what capabilities there are for files. */
	return (!guise->others_ids && guise->effective == guise->own) ||
	       rv_capset_effective(guise->effective) == 0;
}

void rv_guise_end(struct rv_guise *guise)
{
	if (!guise)
		return;
	/* Should that fail, the rest of the look fails, and the thread ends. */
	if (guise->others_ids || guise->effective != guise->own)
		(void)rv_capset_effective(guise->own);
	if (guise->others_ids && set_ids(guise->own_uid, guise->own_gid))
		(void)rv_capset_effective(guise->own);
}

/* ------------------------------------------------------------------- the thread */

struct run {
	struct rv_guise *guise;
	void (*fn)(void *data);
	void *data;
};

static void *run(void *arg)
{
	const struct run *run = arg;

	/* Groups give access that we may have: they are changed once, as nothing is done as us. */
	if (run->guise->others_ids &&
		syscall(SYS_setgroups, run->guise->group_count, run->guise->groups) < 0)
		return NULL;
	run->fn(run->data);
	return NULL;
}

static void run_in_thread(struct run *to_run, bool dumpable)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (pthread_create(&thread, &attr, run, to_run) == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	/* The kernel took it from all of us with the first change of ids. */
	if (dumpable)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

void rv_guise_run(struct rv_request *request, void (*fn)(void *data), void *data)
{
	rv_autofree struct rv_guise *guise = calloc(1, sizeof(*guise));
	struct run to_run = {guise, fn, data};

	if (!guise)
		return;
	guise->root = -1;
	if (learn(request, guise) && rv_caller_waits(request->caller)) {
		request->guise = guise;
		if (guise->others_ids || guise->effective != guise->own)
			run_in_thread(&to_run, request->context->own.dumpable);
		else
			fn(data);
		request->guise = NULL;
	}
	rv_close_p(&guise->root);
}
