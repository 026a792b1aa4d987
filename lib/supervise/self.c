/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/self.h"

#define CAP_SETGID_BIT	   (UINT64_C(1) << 6)
#define CAP_SETUID_BIT	   (UINT64_C(1) << 7)
#define CAP_SYS_CHROOT_BIT (UINT64_C(1) << 18)
#define CAP_SYS_ADMIN_BIT  (UINT64_C(1) << 21)

/* "/proc/TID" and what is below it; 0: ourselves. By name: nothing more is asked of most callers.
 */
struct proc_path {
	char text[48];
};

static struct proc_path proc_path(pid_t tid, const char *below)
{
	struct proc_path path;

	if (tid)
		snprintf(path.text, sizeof(path.text), "/proc/%d%s", (int)tid, below);
	else
		snprintf(path.text, sizeof(path.text), "/proc/thread-self%s", below);
	return path;
}

static int user_ns_of(pid_t tid, char *buf, size_t size)
{
	ssize_t n = readlink(proc_path(tid, "/ns/user").text, buf, size);

	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -EOVERFLOW;
	buf[n] = '\0';
	return 0;
}

static bool same_user_ns(const struct rv_self *own, pid_t tid)
{
	char ns[sizeof(own->user_ns)];

	return user_ns_of(tid, ns, sizeof(ns)) == 0 && !strcmp(ns, own->user_ns);
}

/*
 * The owner of /proc/TID itself is the effective one whether it is dumpable or not; looking it up
 * takes five times as long as asking a pidfd.
 */
static bool same_effective_ids(const struct rv_self *own, struct rv_caller *caller)
{
	struct stat st;

	if (rv_caller_effective_ids(caller, &st.st_uid, &st.st_gid) < 0 &&
		stat(proc_path(caller->tid, "").text, &st) < 0)
		return false;
	return st.st_uid == own->credentials.fsuid && st.st_gid == own->credentials.fsgid;
}

static bool same_capabilities(const struct rv_self *own, pid_t tid)
{
	uint64_t effective;

	return rv_capget(tid, &effective, NULL) == 0 && effective == own->credentials.effective;
}

static bool same_root(const struct rv_self *own, struct rv_caller *caller)
{
	struct rv_root root;

	return rv_caller_root(caller, &root) == 0 && root.dev == own->root.dev &&
	       root.ino == own->root.ino && root.mount == own->root.mount;
}

static bool same_status(const struct rv_self *own, struct rv_caller *caller)
{
	struct rv_caller_status status;

	return rv_caller_status(caller, &status) == 0 &&
	       rv_credentials_equal(&status.credentials, &own->credentials);
}

bool rv_self_same_label(const struct rv_self *own, struct rv_caller *caller)
{
	char label[sizeof(own->label)];

	return !own->label[0] ||
	       (rv_caller_label(caller, label, sizeof(label)) == 0 && !strcmp(label, own->label));
}

bool rv_self_same_view(const struct rv_self *own, struct rv_caller *caller)
{
	if (!atomic_load(&own->view_changed))
		return true;
	return same_user_ns(own, caller->tid) && (!own->root_varies || same_root(own, caller));
}

bool rv_self_equals(struct rv_self *own, struct rv_caller *caller)
{
	if (!rv_self_same_view(own, caller) || !rv_self_same_label(own, caller))
		return false;
	if (own->ids_vary && atomic_load(&own->ids_changed) && !same_status(own, caller))
		return false;
	if (own->ids_vary && !same_effective_ids(own, caller))
		return false;
	return !own->capabilities_vary || same_capabilities(own, caller->tid);
}

/* ------------------------------------------------------------------- ours */

/* Whether real, effective, saved and fs ids are one: then without the capability they stay. */
static bool ids_are_one(const struct rv_credentials *own)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
		getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return false;
	for (int i = 0; i < 3; i++) {
		if (uids[i] != own->fsuid || gids[i] != own->fsgid)
			return false;
	}
	return true;
}

static int learn_what_varies(struct rv_self *own, bool no_new_privs)
{
	uint64_t permitted;
	int r = rv_capget(0, NULL, &permitted);

	if (r < 0)
		return r;
	if (!no_new_privs)
		permitted = UINT64_MAX; /* a set-user-ID program gives them all */
	own->capabilities_vary = permitted != 0;
	own->root_varies = permitted & (CAP_SYS_ADMIN_BIT | CAP_SYS_CHROOT_BIT);
	own->ids_vary =
		(permitted & (CAP_SETUID_BIT | CAP_SETGID_BIT)) || !ids_are_one(&own->credentials);
	return 0;
}

int rv_self_learn(struct rv_self *ret, bool no_new_privs)
{
	struct rv_caller_status status;
	int r = rv_own_status(&status);

	if (r == 0)
		r = rv_own_root(&ret->root);
	if (r == 0)
		r = user_ns_of(0, ret->user_ns, sizeof(ret->user_ns));
	if (r == 0)
		r = rv_own_label(ret->label, sizeof(ret->label));
	if (r)
		return r;
	ret->credentials = status.credentials;
	ret->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
	atomic_store(&ret->view_changed, true);
	/* A supervisor whose fs ids are not its effective ones is asked for both each time. */
	if (ret->credentials.fsuid != geteuid() || ret->credentials.fsgid != getegid())
		atomic_store(&ret->ids_changed, true);
	return learn_what_varies(ret, no_new_privs);
}
