/* SPDX-License-Identifier: MIT */
/* link, linkat. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include "model/refer.h"
#include "supervise/fs.h"

#define CAP_DAC_READ_SEARCH_BIT (UINT64_C(1) << 2)

struct sides {
	struct rv_object object;
	struct rv_place place;
	int error; /* of what could not be looked up, positive; 0: not known */
};

static bool would_work(const void *data)
{
	const struct sides *sides = data;

	return rv_fs_can_make(&sides->place) && !S_ISDIR(sides->object.st.st_mode);
}

/* The object that gets another name. */
static const char *find_object(
	struct rv_request *request, int dirfd, uint64_t address, int flags, struct sides *sides)
{
	struct rv_object *ret = &sides->object;
	rv_autopath path = RV_PATH_EMPTY;
	const char *reason;
	char first;

	/* By descriptor alone: only with the capability may any of them be linked. */
	if ((flags & AT_EMPTY_PATH) && dirfd != AT_FDCWD &&
		rv_caller_read(request->caller, address, &first, 1) == 0 && first == '\0')
		return request->context->own.credentials.effective & CAP_DAC_READ_SEARCH_BIT
			       ? rv_resolve_fd(request, dirfd, ret)
			       : "linking a descriptor: the kernel knows who opened it";
	reason = rv_path_copy(request, dirfd, address, &path);
	sides->error = -path.error;
	if (!reason)
		reason = rv_resolve_object(request, path.base, path.text,
			flags & AT_SYMLINK_FOLLOW ? 0 : O_NOFOLLOW, 0, ret, &sides->error);
	sides->error = -sides->error;
	return reason;
}

static const char *find_place(
	struct rv_request *request, int dirfd, uint64_t address, struct sides *sides)
{
	rv_autopath path = RV_PATH_EMPTY;
	struct rv_place *ret = &sides->place;
	const char *reason = rv_path_copy(request, dirfd, address, &path);

	ret->error = path.error;
	if (!reason)
		reason = rv_resolve_place(request, path.base, path.text, 0, ret);
	sides->error = ret->error;
	if (reason || !ret->exists)
		return reason;
	sides->error = EEXIST;
	return "it exists: the kernel finds that out first";
}

static struct rv_answer judge_and_link(
	struct rv_request *request, const struct rv_fs_guard *guard, const struct sides *sides)
{
	const struct rv_fd_name name = rv_fd_name(sides->object.fd);
	const struct rv_mover_call call = {
		SYS_linkat, {request->context->own_fds, (long)name.text, sides->place.dir,
				    (long)sides->place.name, AT_SYMLINK_FOLLOW}};
	struct reeve_refer refer = {.old_path = sides->object.path,
		.new_path = sides->place.path,
		.old_mode = sides->object.st.st_mode & S_IFMT,
		.is_link = true};
	struct rv_verdict verdict = {.asked = REEVE_FS_REFER,
		.object = refer.old_path,
		.object2 = refer.new_path,
		.pinned = &sides->object,
		.places = {&sides->place}};
	struct rv_answer answer;

	rv_judge_refer(request->context->judge, &refer, &verdict.judgement);
	verdict.asked |= verdict.judgement.decision.missing;
	verdict.needs = rv_refer_needs(&refer);
	if (!rv_fs_guard_go(request, guard, &verdict, would_work, sides, &call, &answer))
		return answer;
	return rv_fs_result(syscall(SYS_linkat, request->context->own_fds, name.text,
		sides->place.dir, sides->place.name, AT_SYMLINK_FOLLOW));
}

static void sides_close(struct sides *sides)
{
	rv_object_close(&sides->object);
	rv_place_close(&sides->place);
}

static struct rv_answer link_object(struct rv_request *request, int old_dir, uint64_t old_path,
	int new_dir, uint64_t new_path, int flags)
{
	RV_CLEANUP(rv_fs_guard_end) struct rv_fs_guard guard = RV_FS_GUARD_NONE;
	RV_CLEANUP(sides_close) struct sides sides = {RV_OBJECT_EMPTY, RV_PLACE_EMPTY, 0};
	const char *reason;

	if (!rv_fs_guard_begin(request, &guard))
		return rv_answer_blocks_or(EBUSY);
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return rv_fs_guard_fails(&guard, "unknown flags", EINVAL);
	reason = find_object(request, old_dir, old_path, flags, &sides);
	if (!reason)
		reason = find_place(request, new_dir, new_path, &sides);
	return reason ? rv_fs_guard_fails(&guard, reason, sides.error)
		      : judge_and_link(request, &guard, &sides);
}

struct rv_answer rv_fs_link(struct rv_request *request)
{
	return link_object(request, AT_FDCWD, rv_arg(request, 0), AT_FDCWD, rv_arg(request, 1), 0);
}

struct rv_answer rv_fs_linkat(struct rv_request *request)
{
	return link_object(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), rv_arg(request, 3), rv_arg_int(request, 4));
}
