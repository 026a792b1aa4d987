/* SPDX-License-Identifier: MIT */
/* From a trapped call's number to its handler. The numbers are the filter compiler's own table. */
#include <errno.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "enforce/filter.h"
#include "enforce/filter_calls.h"
#include "supervise/fs.h"
#include "supervise/guards.h"
#include "supervise/guise.h"
#include "supervise/net.h"
#include "supervise/record.h"
#include "supervise/sockets.h"

/* Before the call goes on, so that no request is looked at as if it had not been made. */
static struct rv_answer note_ids(struct rv_request *request)
{
	atomic_store(&request->context->own.ids_changed, true);
	return rv_answer_continue("noted: the kernel decides, and ids are compared from now on");
}

static struct rv_answer note_view(struct rv_request *request)
{
	atomic_store(&request->context->own.view_changed, true);
	return rv_answer_continue(
		"noted: the kernel decides, and root and user namespace are compared from now on");
}

static struct rv_answer note_served(struct rv_request *request)
{
	rv_reading_served(&request->context->reading);
	return rv_answer_continue("noted: the kernel decides, and no read can be made to wait");
}

static const struct call {
	enum rv_call call;
	const char *name;
	rv_handler handler;
	bool always; /* with nobody to grant and to report to as well */
	bool moves;  /* trapped with the shim's tag as well */
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
	{RV_CALL_RENAME, "rename", rv_fs_rename, .moves = true},
	{RV_CALL_RENAMEAT, "renameat", rv_fs_renameat, .moves = true},
	{RV_CALL_RENAMEAT2, "renameat2", rv_fs_renameat2, .moves = true},
	{RV_CALL_LINK, "link", rv_fs_link, .moves = true},
	{RV_CALL_LINKAT, "linkat", rv_fs_linkat, .moves = true},
	{RV_CALL_SYMLINK, "symlink", rv_fs_symlink},
	{RV_CALL_SYMLINKAT, "symlinkat", rv_fs_symlinkat},
	{RV_CALL_MKNOD, "mknod", rv_fs_mknod},
	{RV_CALL_MKNODAT, "mknodat", rv_fs_mknodat},
	{RV_CALL_TRUNCATE, "truncate", rv_fs_truncate},
	{RV_CALL_EXECVE, "execve", rv_exec_execve},
	{RV_CALL_EXECVEAT, "execveat", rv_exec_execveat},
	{RV_CALL_SETGROUPS, "setgroups", note_ids, true},
	{RV_CALL_SETFSUID, "setfsuid", note_ids, true},
	{RV_CALL_SETFSGID, "setfsgid", note_ids, true},
	{RV_CALL_UNSHARE, "unshare", note_view, true},
	{RV_CALL_CLONE, "clone", note_view, true},
	{RV_CALL_CLONE3, "clone3", note_view, true},
	{RV_CALL_CHROOT, "chroot", note_view, true},
	{RV_CALL_FCHROOT, "fchroot", note_view, true},
	{RV_CALL_PIVOT_ROOT, "pivot_root", note_view, true},
	{RV_CALL_USERFAULTFD, "userfaultfd", note_served, true},
};

static const struct call *look_up(const struct seccomp_data *data)
{
	return rv_call_row(data->arch, data->nr, calls, RV_COUNT(calls), sizeof(calls[0]));
}

struct again {
	struct rv_request *request;
	rv_handler handler;
};

/* What it answers was answered already. */
static void handle_again(void *data)
{
	const struct again *again = data;
	struct rv_answer answer = again->handler(again->request);

	if (answer.kind == RV_ANSWER_FD)
		close(answer.fd);
}

/*
 * Whether the floor denied it is to be told of who is not like us as well; and a path that means
 * nothing here may mean something in another root directory.
 */
static bool needs_look(struct rv_request *request, const struct rv_answer *answer)
{
	const struct rv_context *context = request->context;

	if (!context->events || context->record ||
		(answer->kind != RV_ANSWER_CONTINUE && answer->kind != RV_ANSWER_ERRNO))
		return false;
	return request->foreign ||
	       (!request->judged && !rv_self_same_view(&context->own, request->caller));
}

static struct rv_answer handle(struct rv_request *request, rv_handler handler, int listener)
{
	struct again again = {request, handler};
	struct rv_caller caller;
	struct rv_answer answer;

	rv_request_open(request, listener, &caller);
	answer = handler(request);
	if (needs_look(request, &answer))
		rv_guise_run(request, handle_again, &again);
	rv_caller_close(&caller);
	return answer;
}

struct rv_answer rv_dispatch_again(struct rv_context *context, int listener,
	const struct seccomp_notif *notif, bool may_block, const struct rv_pass *pass)
{
	struct rv_request request = {.context = context, .notif = notif, .may_block = may_block};
	const struct call *call = look_up(&notif->data);
	struct rv_answer answer;

	/* Answered, and not performed any more. */
	if (rv_inner_begun(&context->inner))
		pass = NULL;
	request.pass = pass;
	if (context->record)
		rv_record_net(context, listener, notif);
	/* Calls that no one checks again: never CONTINUE but for numbers alone. */
	if (!call && (rv_sockets_dispatch(context, listener, notif, may_block, pass, &answer) ||
			     rv_net_dispatch(context, listener, notif, may_block, pass, &answer) ||
			     rv_guard_dispatch(context, listener, notif, may_block, &answer)))
		return answer;
	/* The filter traps nothing that no table has. */
	if (!call)
		return rv_answer_errno(ENOSYS);
	if (!call->always && !context->events && !rv_judge_has_live(context->judge) &&
		!(call->moves && !rv_fs_moves_unguarded(context)))
		return rv_answer_continue("no live rule, no events");
	if (call->moves && notif->data.args[5] == RV_SHIM_TAG && rv_fs_moves_unguarded(context))
		return rv_answer_continue("tagged, and nothing that the floor allows gains rights");
	request.call = call->name;
	return handle(&request, call->handler, listener);
}

struct rv_answer rv_dispatch(
	void *data, int listener, const struct seccomp_notif *notif, bool may_block)
{
	return rv_dispatch_again(data, listener, notif, may_block, NULL);
}
