/* SPDX-License-Identifier: MIT */
/*
 * execve: only looked at for the event of a denial. The kernel does not execute what another
 * process opened, so nothing can be granted here, and the call always goes on.
 */
#include <fcntl.h>
#include "supervise/fs.h"

static const char *find(
	struct rv_request *request, int dirfd, uint64_t address, int flags, struct rv_object *ret)
{
	rv_autopath path = RV_PATH_EMPTY;
	const char *reason = rv_path_copy(request, dirfd, address, &path);

	if (reason)
		return reason;
	return rv_resolve_object(
		path.base, path.text, flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0, 0, ret, NULL);
}

static struct rv_answer look_at(struct rv_request *request, int dirfd, uint64_t address, int flags)
{
	rv_autoobject object = RV_OBJECT_EMPTY;
	struct rv_judgement judgement;

	if (!request->context->events || find(request, dirfd, address, flags, &object) ||
		!S_ISREG(object.st.st_mode))
		return rv_answer_continue("exec: nothing to report");
	rv_judge_path(request->context->judge, object.path, REEVE_FS_EXECUTE, &judgement);
	if (judgement.result == RV_DENIED && rv_fs_accessible(object.fd, X_OK) &&
		rv_may_act_for(request))
		rv_report_denied(request, &judgement, REEVE_FS, REEVE_FS_EXECUTE, object.path, NULL,
			judgement.decision.error);
	return rv_answer_continue("exec: Landlock decides");
}

struct rv_answer rv_exec_execve(struct rv_request *request)
{
	return look_at(request, AT_FDCWD, rv_arg(request, 0), 0);
}

struct rv_answer rv_exec_execveat(struct rv_request *request)
{
	return look_at(request, rv_arg_int(request, 0), rv_arg(request, 1), rv_arg_int(request, 4));
}
