/* SPDX-License-Identifier: MIT */
/* mkdir, mknod, symlink. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include "supervise/fs.h"

/* One call that makes an entry. */
struct make {
	uint64_t right;
	long (*perform)(const struct rv_place *place, const struct make *make);
	mode_t mode;
	uint64_t dev;
	const char *target;
};

static bool would_work(const void *data)
{
	return rv_fs_can_make(data);
}

static struct rv_answer make(
	struct rv_request *request, int dirfd, uint64_t address, const struct make *make)
{
	rv_autopath path = RV_PATH_EMPTY;
	rv_autoplace place = RV_PLACE_EMPTY;
	struct rv_verdict verdict = {.asked = make->right, .makes = true};
	struct rv_answer answer;
	const char *reason = rv_path_copy(request, dirfd, address, &path);

	if (!reason)
		reason = rv_resolve_place(request, path.base, path.text, 0, &place);
	if (!reason && place.exists)
		reason = "it exists: the kernel finds that out first";
	if (reason)
		return rv_answer_continue(reason);
	rv_judge_entry(request->context->judge, place.path, place.dir_path, make->right,
		&verdict.judgement);
	verdict.object = place.path;
	verdict.places[0] = &place;
	if (!rv_fs_go(request, &verdict, would_work, &place, &answer))
		return answer;
	umask(verdict.umask);
	return rv_fs_result(make->perform(&place, make));
}

/* ------------------------------------------------------------------- mkdir */

static long perform_mkdir(const struct rv_place *place, const struct make *make)
{
	return syscall(SYS_mkdirat, place->dir, place->name, make->mode);
}

static struct rv_answer make_dir(struct rv_request *request, int dirfd, uint64_t address, int mode)
{
	return make(request, dirfd, address,
		&(struct make){.right = REEVE_FS_MAKE_DIR,
			.perform = perform_mkdir,
			.mode = (mode_t)mode & 07777});
}

struct rv_answer rv_fs_mkdir(struct rv_request *request)
{
	return make_dir(request, AT_FDCWD, rv_arg(request, 0), rv_arg_int(request, 1));
}

struct rv_answer rv_fs_mkdirat(struct rv_request *request)
{
	return make_dir(
		request, rv_arg_int(request, 0), rv_arg(request, 1), rv_arg_int(request, 2));
}

/* ------------------------------------------------------------------- mknod */

static long perform_mknod(const struct rv_place *place, const struct make *make)
{
	return syscall(SYS_mknodat, place->dir, place->name, make->mode, make->dev);
}

/* 0: the kernel refuses the type. */
static uint64_t right_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
		return REEVE_FS_MAKE_REG;
	case S_IFCHR:
		return REEVE_FS_MAKE_CHAR;
	case S_IFBLK:
		return REEVE_FS_MAKE_BLOCK;
	case S_IFIFO:
		return REEVE_FS_MAKE_FIFO;
	case S_IFSOCK:
		return REEVE_FS_MAKE_SOCK;
	}
	return 0;
}

/* The kernel takes mode as a umode_t of 16 bits, and dev as an unsigned int. */
static struct rv_answer make_node(
	struct rv_request *request, int dirfd, uint64_t address, int mode, uint32_t dev)
{
	struct make node = {.right = right_of((uint16_t)mode),
		.perform = perform_mknod,
		.mode = (uint16_t)mode,
		.dev = dev};

	if (!node.right)
		return rv_answer_continue("not a type that can be made");
	return make(request, dirfd, address, &node);
}

struct rv_answer rv_fs_mknod(struct rv_request *request)
{
	return make_node(request, AT_FDCWD, rv_arg(request, 0), rv_arg_int(request, 1),
		(uint32_t)rv_arg(request, 2));
}

struct rv_answer rv_fs_mknodat(struct rv_request *request)
{
	return make_node(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), (uint32_t)rv_arg(request, 3));
}

/* ------------------------------------------------------------------- symlink */

static long perform_symlink(const struct rv_place *place, const struct make *make)
{
	return syscall(SYS_symlinkat, make->target, place->dir, place->name);
}

static struct rv_answer make_link(
	struct rv_request *request, uint64_t target, int dirfd, uint64_t address)
{
	char text[PATH_MAX];

	if (rv_caller_read_string(request->caller, target, text, sizeof(text)) < 0)
		return rv_answer_continue("the target cannot be read");
	return make(request, dirfd, address,
		&(struct make){
			.right = REEVE_FS_MAKE_SYM, .perform = perform_symlink, .target = text});
}

struct rv_answer rv_fs_symlink(struct rv_request *request)
{
	return make_link(request, rv_arg(request, 0), AT_FDCWD, rv_arg(request, 1));
}

struct rv_answer rv_fs_symlinkat(struct rv_request *request)
{
	return make_link(request, rv_arg(request, 0), rv_arg_int(request, 1), rv_arg(request, 2));
}
