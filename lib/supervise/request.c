/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/cleanup.h"
#include "supervise/fs.h"

#define CAP_FOWNER_BIT (UINT64_C(1) << 3)

static bool same_root(const struct rv_root *a, const struct rv_root *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->mount == b->mount;
}

static bool act_for(const struct rv_request *request, struct rv_caller_status *status)
{
	const struct rv_context *context = request->context;
	struct rv_root root;

	if (rv_caller_status(request->caller, status) < 0 ||
		rv_caller_root(request->caller, &root) < 0)
		return false;
	return rv_credentials_equal(&status->credentials, &context->own_credentials) &&
	       same_root(&root, &context->own_root);
}

bool rv_may_act_for(const struct rv_request *request)
{
	struct rv_caller_status status;

	return act_for(request, &status);
}

/* ------------------------------------------------------------------- reporting */

static void fill_in_caller(
	const struct rv_request *request, struct reeve_event *event, char exe[static PATH_MAX])
{
	struct rv_caller_status status;
	ssize_t n = readlinkat(request->caller->proc_fd, "exe", exe, PATH_MAX - 1);
	rv_autoclose int comm = openat(request->caller->proc_fd, "comm", O_RDONLY | O_CLOEXEC);

	event->tid = event->pid = request->caller->tid;
	if (rv_caller_status(request->caller, &status) == 0)
		event->pid = status.tgid;
	if (n > 0) {
		exe[n] = '\0';
		event->exe = exe;
	}
	if (comm >= 0 && read(comm, event->comm, sizeof(event->comm) - 1) > 0)
		event->comm[strcspn(event->comm, "\n")] = '\0';
	event->call = request->call;
}

void rv_report_denied(struct rv_request *request, const struct rv_judgement *judgement,
	enum reeve_class cls, uint64_t asked, const char *object, const char *object2, int error)
{
	const struct reeve_decision *decision = &judgement->decision;
	struct reeve_event event = {
		.kind = REEVE_EVENT_DENIED,
		.cls = cls,
		.asked = asked,
		.missing = decision->missing,
		.object = object,
		.object2 = object2,
		.layer = decision->layer,
		.error = error,
		.by = "floor",
	};
	char exe[PATH_MAX];

	request->context->denied++;
	if (!request->context->events || decision->quiet)
		return;
	fill_in_caller(request, &event, exe);
	rv_events_put(request->context->events, &event);
}

void rv_report_guard(struct rv_request *request, const char *guard, const char *object, int error)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_GUARD, .object = object, .error = error, .by = guard};
	char exe[PATH_MAX];

	request->context->guarded++;
	if (!request->context->events)
		return;
	fill_in_caller(request, &event, exe);
	rv_events_put(request->context->events, &event);
}

/* --------------------------------------------- what the file system handlers share */

const char *rv_fs_go(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data)
{
	const struct rv_judgement *judgement = &verdict->judgement;
	struct rv_caller_status status;

	if (judgement->result == RV_FLOOR_ALLOWS)
		return "the floor allows it, and checks again";
	if (!act_for(request, &status))
		return "the caller's credentials or root are not ours";
	if (judgement->result == RV_DENIED) {
		if (would_work(data))
			rv_report_denied(request, judgement, REEVE_FS, verdict->asked,
				verdict->object, verdict->object2, judgement->decision.error);
		return "denied: the floor gives the errno";
	}
	if (!rv_caller_waits(request->caller))
		return "the caller waits no more";
	if (!rv_judge_used(request->context->judge, judgement))
		return "the rule was used up meanwhile";
	verdict->umask = status.umask;
	return NULL;
}

bool rv_fs_accessible(int fd, int mode)
{
	return faccessat(fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

bool rv_fs_can_make(const struct rv_place *place)
{
	return !place->exists && rv_fs_accessible(place->dir, W_OK | X_OK);
}

/* In a sticky directory only the owners of the file and of the directory can. */
static bool sticky_allows(const struct rv_place *place)
{
	struct rv_caller_status own;
	uid_t uid;

	if (!(place->dir_st.st_mode & S_ISVTX))
		return true;
	uid = geteuid();
	if (place->st.st_uid == uid || place->dir_st.st_uid == uid)
		return true;
	return rv_own_status(&own) == 0 && (own.credentials.effective & CAP_FOWNER_BIT);
}

bool rv_fs_can_remove(const struct rv_place *place)
{
	return place->exists && rv_fs_accessible(place->dir, W_OK | X_OK) && sticky_allows(place);
}

struct rv_answer rv_fs_result(long r)
{
	return r < 0 ? rv_answer_errno(errno) : rv_answer_value(r);
}
