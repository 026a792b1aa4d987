/* SPDX-License-Identifier: MIT */
/* unlink, rmdir. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include "supervise/fs.h"

struct removal {
	struct rv_place place;
	int flags; /* AT_REMOVEDIR */
};

static bool would_work(const void *data)
{
	const struct removal *removal = data;
	bool is_dir = S_ISDIR(removal->place.st.st_mode);

	return is_dir == !!(removal->flags & AT_REMOVEDIR) && rv_fs_can_remove(&removal->place);
}

static const char *find(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_place *ret)
{
	rv_autopath path = RV_PATH_EMPTY;
	const char *reason = rv_path_copy(request, dirfd, address, &path);

	if (!reason)
		reason = rv_resolve_place(request, path.base, path.text, 0, ret);
	if (!reason && !ret->exists)
		reason = "there is nothing to remove";
	return reason;
}

static struct rv_answer remove_entry(
	struct rv_request *request, int dirfd, uint64_t address, int flags)
{
	struct removal removal = {RV_PLACE_EMPTY, flags};
	struct rv_verdict verdict = {.asked = flags ? REEVE_FS_REMOVE_DIR : REEVE_FS_REMOVE_FILE,
		.object = removal.place.path};
	struct rv_answer answer;
	const char *reason = find(request, dirfd, address, &removal.place);

	if (reason)
		answer = rv_answer_continue(reason);
	else
		rv_judge_entry(request->context->judge, removal.place.path, removal.place.dir_path,
			verdict.asked, &verdict.judgement);
	verdict.places[0] = &removal.place;
	if (!reason && rv_fs_go(request, &verdict, would_work, &removal, &answer)) {
		rv_judge_displaced(request->context->judge, removal.place.path);
		answer = rv_fs_result(
			syscall(SYS_unlinkat, removal.place.dir, removal.place.name, flags));
	}
	rv_place_close(&removal.place);
	return answer;
}

struct rv_answer rv_fs_unlink(struct rv_request *request)
{
	return remove_entry(request, AT_FDCWD, rv_arg(request, 0), 0);
}

struct rv_answer rv_fs_rmdir(struct rv_request *request)
{
	return remove_entry(request, AT_FDCWD, rv_arg(request, 0), AT_REMOVEDIR);
}

struct rv_answer rv_fs_unlinkat(struct rv_request *request)
{
	int flags = rv_arg_int(request, 2);

	if (flags & ~AT_REMOVEDIR)
		return rv_answer_continue("unknown flags");
	return remove_entry(request, rv_arg_int(request, 0), rv_arg(request, 1), flags);
}
