/* SPDX-License-Identifier: MIT */
/* What rename and link share: see mover.h. */
#include <errno.h>
#include "enforce/filter.h"
#include "supervise/record.h"

bool rv_fs_moves_unguarded(const struct rv_context *context)
{
	return !context->mover || context->permissive || !rv_judge_guards_moves(context->judge);
}

bool rv_fs_guard_begin(struct rv_request *request, struct rv_fs_guard *ret)
{
	const struct rv_context *context = request->context;

	*ret = RV_FS_GUARD_NONE;
	if (!context->mover || context->permissive || request->guise)
		return true;
	if (!rv_judge_has_live(context->judge) && !rv_judge_guards_moves(context->judge))
		return true;
	if (!rv_mover_enter(context->mover, request->may_block))
		return false;
	ret->mover = context->mover;
	/* Only now: what is committed later finds this move made. */
	ret->on = !rv_fs_moves_unguarded(context);
	ret->tagged = rv_arg(request, 5) == RV_SHIM_TAG;
	return true;
}

void rv_fs_guard_end(struct rv_fs_guard *guard)
{
	if (guard->mover)
		rv_mover_leave(guard->mover);
}

struct rv_answer rv_fs_guard_fails(const struct rv_fs_guard *guard, const char *reason, int error)
{
	return guard->on ? rv_answer_errno(error ? error : EXDEV) : rv_answer_continue(reason);
}

static struct rv_answer in_floor(
	struct rv_request *request, struct rv_mover *mover, const struct rv_mover_call *call)
{
	long r;

	struct rv_answer answer;

	/* As where a move would gain rights, upon which programs copy. */
	if (!rv_inner_lets(request, REEVE_FS, REEVE_FS_REFER, EXDEV, &answer))
		return answer;
	if (!rv_may_act_for(request))
		return rv_answer_errno(EPERM);
	if (!rv_caller_waits(request->caller))
		return rv_answer_none();
	r = rv_mover_perform(mover, call);
	return r < 0 ? rv_answer_errno((int)-r) : rv_answer_value(0);
}

bool rv_fs_guard_go(struct rv_request *request, const struct rv_fs_guard *guard,
	struct rv_verdict *verdict, bool (*would_work)(const void *data), const void *data,
	const struct rv_mover_call *call, struct rv_answer *ret)
{
	int error = verdict->judgement.decision.error;
	bool go;

	request->judged = true;
	if (guard->on && verdict->judgement.result == RV_FLOOR_ALLOWS) {
		if (request->context->record)
			rv_record_verdict(request, verdict, would_work(data));
		*ret = in_floor(request, guard->mover, call);
		return false;
	}
	/* The shim calls once more, and that one counts. */
	if (guard->on && guard->tagged) {
		*ret = rv_answer_errno(EXDEV);
		return false;
	}
	go = rv_fs_go(request, verdict, would_work, data, ret);
	if (!go && guard->on && ret->kind == RV_ANSWER_CONTINUE)
		*ret = rv_answer_errno(error ? error : EXDEV);
	return go;
}
