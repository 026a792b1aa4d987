/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "supervise/fs.h"

static bool would_work(const void *data)
{
	const struct rv_object *object = data;

	return rv_fs_accessible(object->fd, W_OK);
}

/* Our own limit does not matter, the caller's does; its signal, SIGXFSZ, is not sent. */
static bool is_too_long(const struct rv_request *request, const struct rv_object *object, long size)
{
	struct rlimit limit;

	if (size <= object->st.st_size)
		return false;
	if (prlimit(request->caller->tid, RLIMIT_FSIZE, NULL, &limit) < 0)
		return false;
	return limit.rlim_cur != RLIM_INFINITY && (rlim_t)size > limit.rlim_cur;
}

struct rv_answer rv_fs_truncate(struct rv_request *request)
{
	rv_autopath path = RV_PATH_EMPTY;
	rv_autoobject object = RV_OBJECT_EMPTY;
	struct rv_verdict verdict = {
		.asked = REEVE_FS_TRUNCATE, .object = object.path, .pinned = &object};
	long size = (long)rv_arg(request, 1);
	struct rv_answer answer;
	char link[32];
	const char *reason = rv_path_copy(request, AT_FDCWD, rv_arg(request, 0), &path);

	if (!reason)
		reason = rv_resolve_object(request, path.base, path.text, 0, 0, &object, NULL);
	if (!reason && (!S_ISREG(object.st.st_mode) || size < 0))
		reason = "it cannot be truncated";
	if (reason)
		return rv_answer_continue(reason);
	rv_judge_path(request->context->judge, object.path, verdict.asked, &verdict.judgement);
	if (!rv_fs_go(request, &verdict, would_work, &object, &answer))
		return answer;
	if (is_too_long(request, &object, size))
		return rv_answer_errno(EFBIG);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", object.fd);
	return rv_fs_result(syscall(SYS_truncate, link, size));
}
