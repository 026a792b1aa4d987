/* SPDX-License-Identifier: MIT */
/* rename and its variants. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include "model/refer.h"
#include "supervise/fs.h"

struct move {
	struct rv_place old, new;
	unsigned int flags; /* RENAME_* */
};

static bool would_work(const void *data)
{
	const struct move *move = data;

	if (!rv_fs_can_remove(&move->old) || !rv_fs_accessible(move->new.dir, W_OK | X_OK))
		return false;
	/* Between two file systems it could never work. */
	if (move->old.dir_st.st_dev != move->new.dir_st.st_dev)
		return false;
	return !move->new.exists || rv_fs_can_remove(&move->new);
}

static const char *find(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_place *ret)
{
	rv_autopath path = RV_PATH_EMPTY;
	const char *reason = rv_path_copy(request, dirfd, address, &path);

	ret->error = path.error;
	return reason ? reason : rv_resolve_place(request, path.base, path.text, 0, ret);
}

/* What the kernel finds out before it asks Landlock. */
static const char *fails_anyway(const struct move *move, int *ret_error)
{
	*ret_error = ENOENT;
	if (!move->old.exists)
		return "there is nothing to move";
	if ((move->flags & RENAME_EXCHANGE) && !move->new.exists)
		return "there is nothing to exchange with";
	*ret_error = EEXIST;
	if ((move->flags & RENAME_NOREPLACE) && move->new.exists)
		return "the new name exists";
	return NULL;
}

/* A directory of the floor that goes elsewhere leaves its path behind. */
static struct rv_answer perform(struct rv_judge *judge, const struct move *move)
{
	rv_judge_displaced(judge, move->old.path);
	if (move->new.exists)
		rv_judge_displaced(judge, move->new.path);
	return rv_fs_result(syscall(SYS_renameat2, move->old.dir, move->old.name, move->new.dir,
		move->new.name, move->flags));
}

static struct rv_answer judge_and_move(
	struct rv_request *request, const struct rv_fs_guard *guard, const struct move *move)
{
	const struct rv_mover_call call = {
		SYS_renameat2, {move->old.dir, (long)move->old.name, move->new.dir,
				       (long)move->new.name, move->flags}};

	struct reeve_refer refer = {
		.old_path = move->old.path,
		.new_path = move->new.path,
		.old_mode = move->old.st.st_mode &S_IFMT,
		.new_mode = move->new.exists ? move->new.st.st_mode &S_IFMT : 0,
		.is_exchange = move->flags &RENAME_EXCHANGE,
	};
	struct rv_verdict verdict = {.object = refer.old_path,
		.object2 = refer.new_path,
		.places = {&move->old, &move->new}};
	struct rv_answer answer;

	rv_judge_refer(request->context->judge, &refer, &verdict.judgement);
	verdict.asked = verdict.judgement.decision.missing;
	verdict.needs = rv_refer_needs(&refer);
	if (!rv_fs_guard_go(request, guard, &verdict, would_work, move, &call, &answer))
		return answer;
	return perform(request->context->judge, move);
}

static void move_close(struct move *move)
{
	rv_place_close(&move->old);
	rv_place_close(&move->new);
}

static struct rv_answer move_entry(struct rv_request *request, int old_dir, uint64_t old_path,
	int new_dir, uint64_t new_path, unsigned int flags)
{
	RV_CLEANUP(rv_fs_guard_end) struct rv_fs_guard guard = RV_FS_GUARD_NONE;
	RV_CLEANUP(move_close) struct move move = {RV_PLACE_EMPTY, RV_PLACE_EMPTY, flags};
	const char *reason;
	int error;

	if (!rv_fs_guard_begin(request, &guard))
		return rv_answer_blocks_or(EBUSY);
	/* A whiteout is a device made on the way, which Landlock does not ask about. */
	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return rv_fs_guard_fails(&guard, "flags that are not performed", EINVAL);
	reason = find(request, old_dir, old_path, &move.old);
	error = move.old.error;
	if (!reason) {
		reason = find(request, new_dir, new_path, &move.new);
		error = move.new.error;
	}
	if (!reason)
		reason = fails_anyway(&move, &error);
	return reason ? rv_fs_guard_fails(&guard, reason, error)
		      : judge_and_move(request, &guard, &move);
}

struct rv_answer rv_fs_rename(struct rv_request *request)
{
	return move_entry(request, AT_FDCWD, rv_arg(request, 0), AT_FDCWD, rv_arg(request, 1), 0);
}

struct rv_answer rv_fs_renameat(struct rv_request *request)
{
	return move_entry(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), rv_arg(request, 3), 0);
}

struct rv_answer rv_fs_renameat2(struct rv_request *request)
{
	return move_entry(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), rv_arg(request, 3), (uint32_t)rv_arg(request, 4));
}
