/* SPDX-License-Identifier: MIT */
/* From a trapped call's number to its handler. The numbers are the filter compiler's own table. */
#include <errno.h>
#include "base/cleanup.h"
#include "enforce/filter_calls.h"
#include "supervise/fs.h"
#include "supervise/guards.h"

static const struct {
	enum rv_call call;
	const char *name;
	rv_handler handler;
} calls[] = {
	{RV_CALL_OPENAT, "openat", rv_fs_openat},
	{RV_CALL_OPEN, "open", rv_fs_open},
	{RV_CALL_CREAT, "creat", rv_fs_creat},
	{RV_CALL_OPENAT2, "openat2", rv_fs_openat2},
	{RV_CALL_UNLINK, "unlink", rv_fs_unlink},
	{RV_CALL_UNLINKAT, "unlinkat", rv_fs_unlinkat},
	{RV_CALL_RMDIR, "rmdir", rv_fs_rmdir},
	{RV_CALL_MKDIR, "mkdir", rv_fs_mkdir},
	{RV_CALL_MKDIRAT, "mkdirat", rv_fs_mkdirat},
	{RV_CALL_RENAME, "rename", rv_fs_rename},
	{RV_CALL_RENAMEAT, "renameat", rv_fs_renameat},
	{RV_CALL_RENAMEAT2, "renameat2", rv_fs_renameat2},
	{RV_CALL_LINK, "link", rv_fs_link},
	{RV_CALL_LINKAT, "linkat", rv_fs_linkat},
	{RV_CALL_SYMLINK, "symlink", rv_fs_symlink},
	{RV_CALL_SYMLINKAT, "symlinkat", rv_fs_symlinkat},
	{RV_CALL_MKNOD, "mknod", rv_fs_mknod},
	{RV_CALL_MKNODAT, "mknodat", rv_fs_mknodat},
	{RV_CALL_TRUNCATE, "truncate", rv_fs_truncate},
	{RV_CALL_EXECVE, "execve", rv_exec_execve},
	{RV_CALL_EXECVEAT, "execveat", rv_exec_execveat},
};

static rv_handler look_up(const struct seccomp_data *data, const char **ret_name)
{
	const struct rv_call_table *table = rv_call_table(data->arch);

	for (size_t i = 0; table && i < RV_COUNT(calls); i++) {
		if (table->number[calls[i].call] == data->nr) {
			*ret_name = calls[i].name;
			return calls[i].handler;
		}
	}
	return NULL;
}

static struct rv_answer handle(struct rv_request *request, rv_handler handler, int listener)
{
	const struct seccomp_notif *notif = request->notif;
	struct rv_caller caller;
	struct rv_answer answer;
	int r = rv_caller_open(&caller, listener, notif->id, (pid_t)notif->pid);

	if (r == -ENOENT || r == -ESRCH)
		return rv_answer_none();
	if (r < 0)
		return rv_answer_continue("the caller cannot be looked at");
	request->caller = &caller;
	answer = handler(request);
	rv_caller_close(&caller);
	return answer;
}

struct rv_answer rv_dispatch(
	void *data, int listener, const struct seccomp_notif *notif, bool may_block)
{
	struct rv_context *context = data;
	struct rv_request request = {.context = context, .notif = notif, .may_block = may_block};
	rv_handler handler = look_up(&notif->data, &request.call);
	struct rv_answer answer;

	/* First, and never CONTINUE: no one checks these calls again. */
	if (rv_guard_dispatch(context, listener, notif, may_block, &answer))
		return answer;
	/* The filter traps nothing that neither table has. */
	if (!handler)
		return rv_answer_errno(ENOSYS);
	if (!context->events && !rv_judge_has_live(context->judge))
		return rv_answer_continue("no live rule, no events");
	return handle(&request, handler, listener);
}
