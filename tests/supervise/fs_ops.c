/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <errno.h>
#include <linux/openat2.h>
#include "base/cleanup.h"
#include "fs_ops.h"

#define TEN   "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN

static const char name_255[] = FIFTY FIFTY FIFTY FIFTY FIFTY "aaaaa";
static const char name_256[] = FIFTY FIFTY FIFTY FIFTY FIFTY "aaaaaa";

/* Names that any call may be given. */
static const char *const paths[] = {"file", "missing", "dir", "link", "dangling", "dangling2",
	"dirlink", "danglingdir", "loop", "absolute", "slashlink", "slashdangling", "file/",
	"missing/", "missing//", "dir/", "link/", "dirlink/", "dangling/", ".", "..", "./",
	"dir/..", "dir/.", "", "/", "dir/../file", "./file", ".//dir///inner", "nodir/x", "file/x",
	"dir/hard", "ro", "none", "closed/x", "closed", "readable/x", "sticky/theirs",
	"sticky/mine", "theirs", "world/x", "acl/x", "setgid/x", "dirlink/inner", "dirlink/x",
	"dir/sub/leaf", "dir/sub/../../ro", "empty", "fifo", "socket", "odd (deleted)", "exec",
	"../../mount/file", "../../mount/x", "../../mount", "/dev/null", "/proc/self/status",
	"/proc/version", "/dev/fd/99", name_255, name_256};

/* A few of them, for calls with two. */
static const char *const few[] = {"file", "missing", "dir", "link", "dirlink", "empty", "dir/inner",
	"dir/x", "dir/sub", "dir/sub/x", "missing/", "dir/", "sticky/theirs", "theirs", "world/x",
	"readable/x", "../../mount/x", "dir/sub/leaf", ".", "dangling", "fifo"};

static const int open_flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_CREAT | O_WRONLY,
	O_CREAT | O_EXCL | O_RDWR, O_WRONLY | O_TRUNC, O_RDONLY | O_TRUNC,
	O_CREAT | O_TRUNC | O_RDWR, O_RDONLY | O_DIRECTORY, O_RDONLY | O_NOFOLLOW,
	O_CREAT | O_NOFOLLOW | O_WRONLY, O_TMPFILE | O_RDWR, O_TMPFILE | O_EXCL | O_WRONLY,
	O_TMPFILE | O_RDONLY, O_APPEND | O_WRONLY | O_CLOEXEC, O_RDONLY | O_NONBLOCK,
	O_CREAT | O_DIRECTORY | O_RDWR, O_ACCMODE, O_RDONLY | O_NOATIME, O_CREAT | O_RDONLY,
	O_RDWR | O_SYNC | O_NONBLOCK | O_APPEND, O_PATH, O_WRONLY | O_DIRECTORY, O_RDONLY | O_EXCL,
	O_RDONLY | 04, O_RDWR | O_NOCTTY | O_ASYNC, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY};

static const uint64_t resolves[] = {0, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV,
	RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_BENEATH | RESOLVE_IN_ROOT, RESOLVE_CACHED,
	1ull << 40};

static const mode_t types[] = {S_IFREG | 0644, 0600, S_IFIFO | 0666, S_IFSOCK | 0777,
	S_IFCHR | 0600, S_IFBLK | 0600, S_IFDIR | 0755, S_IFREG | 07777};

#define PATHS RV_COUNT(paths)
#define FEW   RV_COUNT(few)

static unsigned int take(unsigned int *i, unsigned int count)
{
	unsigned int value = *i % count;

	*i /= count;
	return value;
}

static void make_open(unsigned int i, struct op *op)
{
	op->a = paths[take(&i, PATHS)];
	op->flags = (unsigned int)open_flags[take(&i, RV_COUNT(open_flags))];
	op->legacy = i & 1;
	op->mode = i & 1 ? 0666 : 04777;
}

static void make_openat2(unsigned int i, struct op *op)
{
	static const uint64_t flags[] = {O_RDONLY, O_CREAT | O_RDWR, O_WRONLY | O_TRUNC,
		O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 1ull << 50, O_TMPFILE | O_RDWR};

	op->a = paths[take(&i, PATHS)];
	op->resolve = resolves[take(&i, RV_COUNT(resolves))];
	op->flags = flags[take(&i, RV_COUNT(flags))];
	op->mode = op->flags & O_CREAT ? 0640 : 0;
	op->base = op->resolve & RESOLVE_IN_ROOT ? BASE_DIR : BASE_CWD;
}

static void make_based(unsigned int i, struct op *op)
{
	op->a = few[take(&i, FEW)];
	op->base = (enum op_base)(1 + take(&i, 3));
	op->flags = take(&i, 2) ? O_CREAT | O_RDWR : O_RDONLY;
	op->mode = 0644;
}

static void make_creat(unsigned int i, struct op *op)
{
	op->a = paths[i];
	op->mode = 0777;
	op->legacy = true;
}

static void make_mkdir(unsigned int i, struct op *op)
{
	op->a = paths[take(&i, PATHS)];
	op->legacy = i & 1;
	op->mode = i & 1 ? 0777 : 07755;
}

static void make_mknod(unsigned int i, struct op *op)
{
	op->a = paths[take(&i, PATHS)];
	op->mode = types[take(&i, RV_COUNT(types))];
	op->flags = 0x105; /* a device number: mem, full is 1:7 */
	op->legacy = op->mode & 1;
}

static void make_symlink(unsigned int i, struct op *op)
{
	op->b = paths[take(&i, PATHS)];
	op->a = i & 2 ? "" : i & 1 ? "file" : name_256;
	op->legacy = i & 1;
}

static void make_truncate(unsigned int i, struct op *op)
{
	static const int64_t sizes[] = {0, 2, 5000, -1};

	op->a = paths[take(&i, PATHS)];
	op->flags = (uint64_t)sizes[i];
}

static void make_unlink(unsigned int i, struct op *op)
{
	static const int flags[] = {0, AT_REMOVEDIR, 0, AT_REMOVEDIR, 1};

	op->a = paths[take(&i, PATHS)];
	op->flags = (unsigned int)flags[i];
	op->legacy = i < 2;
}

static void make_rename(unsigned int i, struct op *op)
{
	static const unsigned int flags[] = {
		0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE};

	op->a = few[take(&i, FEW)];
	op->b = few[take(&i, FEW)];
	op->flags = flags[i];
	op->legacy = i == 0;
}

static void make_link(unsigned int i, struct op *op)
{
	static const int flags[] = {0, 0, AT_SYMLINK_FOLLOW, 1 << 30};

	op->a = few[take(&i, FEW)];
	op->b = few[take(&i, FEW)];
	op->flags = (unsigned int)flags[i];
	op->legacy = i == 0;
}

static void make_deleted_cwd(unsigned int i, struct op *op)
{
	op->a = few[take(&i, FEW)];
	op->flags = i ? O_CREAT | O_RDWR : O_RDONLY;
	op->mode = 0600;
}

static const struct {
	enum op_kind kind;
	unsigned int count;
	void (*make)(unsigned int i, struct op *op);
} families[] = {
	{OP_OPEN, PATHS *RV_COUNT(open_flags) * 2, make_open},
	{OP_OPENAT2, PATHS *RV_COUNT(resolves) * 6, make_openat2},
	{OP_OPEN, FEW * 3 * 2, make_based},
	{OP_CREAT, PATHS, make_creat},
	{OP_MKDIR, PATHS * 2, make_mkdir},
	{OP_MKNOD, PATHS *RV_COUNT(types), make_mknod},
	{OP_SYMLINK, PATHS * 3, make_symlink},
	{OP_TRUNCATE, PATHS * 4, make_truncate},
	{OP_UNLINK, PATHS * 5, make_unlink},
	{OP_RENAME, FEW *FEW * 5, make_rename},
	{OP_LINK, FEW *FEW * 4, make_link},
	{OP_DELETED_CWD, FEW * 2, make_deleted_cwd},
};

/* Nobody opens the other end. */
static void do_not_wait(struct op *op)
{
	if ((op->kind == OP_OPEN || op->kind == OP_OPENAT2 || op->kind == OP_CREAT) &&
		!strcmp(op->a, "fifo")) {
		if (op->kind == OP_CREAT)
			op->a = "missing";
		op->flags |= O_NONBLOCK;
	}
}

/* The machine's own devices are only opened: root could remove them. */
static void spare_devices(struct op *op)
{
	bool only_opened = op->kind <= OP_CREAT;

	/* Not granted, and root could make files there. */
	if (only_opened && !strcmp(op->a, "/"))
		op->a = "..";

	if (!only_opened && op->a && !strncmp(op->a, "/dev", 4))
		op->a = "missing";
	if (!only_opened && op->b && !strncmp(op->b, "/dev", 4))
		op->b = "missing";
}

bool op_at(unsigned int i, struct op *ret)
{
	static const unsigned int umasks[] = {022, 0, 0177};
	unsigned int number = i;

	for (size_t f = 0; f < RV_COUNT(families); f++) {
		if (i < families[f].count) {
			*ret = (struct op){.kind = families[f].kind, .umask = umasks[number % 3]};
			families[f].make(i, ret);
			do_not_wait(ret);
			spare_devices(ret);
			return true;
		}
		i -= families[f].count;
	}
	return false;
}

/* ------------------------------------------------------------------- doing */

static int base_fd(const struct op *op)
{
	switch (op->base) {
	case BASE_DIR:
		return open("dir", O_PATH | O_CLOEXEC);
	case BASE_FILE:
		return open("file", O_PATH | O_CLOEXEC);
	case BASE_BAD:
		return 777;
	default:
		return AT_FDCWD;
	}
}

static long do_open(const struct op *op, int base)
{
#ifdef SYS_open
	if (op->legacy)
		return syscall(SYS_open, op->a, (int)op->flags, op->mode);
#endif
	return syscall(SYS_openat, base, op->a, (int)op->flags, op->mode);
}

static long do_openat2(const struct op *op, int base)
{
	struct open_how how = {.flags = op->flags, .mode = op->mode, .resolve = op->resolve};

	return syscall(SYS_openat2, base, op->a, &how, sizeof(how));
}

static long do_creat(const struct op *op, int base)
{
	(void)base;
	return creat(op->a, op->mode);
}

static long do_mkdir(const struct op *op, int base)
{
#ifdef SYS_mkdir
	if (op->legacy)
		return syscall(SYS_mkdir, op->a, op->mode);
#endif
	return syscall(SYS_mkdirat, base, op->a, op->mode);
}

static long do_mknod(const struct op *op, int base)
{
#ifdef SYS_mknod
	if (op->legacy)
		return syscall(SYS_mknod, op->a, op->mode, op->flags);
#endif
	return syscall(SYS_mknodat, base, op->a, op->mode, op->flags);
}

static long do_symlink(const struct op *op, int base)
{
#ifdef SYS_symlink
	if (op->legacy)
		return syscall(SYS_symlink, op->a, op->b);
#endif
	return syscall(SYS_symlinkat, op->a, base, op->b);
}

static long do_truncate(const struct op *op, int base)
{
	(void)base;
	return syscall(SYS_truncate, op->a, op->flags);
}

static long do_unlink(const struct op *op, int base)
{
#ifdef SYS_unlink
	if (op->legacy)
		return syscall(op->flags ? SYS_rmdir : SYS_unlink, op->a);
#endif
	return syscall(SYS_unlinkat, base, op->a, (int)op->flags);
}

static long do_rename(const struct op *op, int base)
{
#ifdef SYS_rename
	if (op->legacy)
		return syscall(SYS_rename, op->a, op->b);
#endif
	return syscall(SYS_renameat2, base, op->a, base, op->b, (unsigned int)op->flags);
}

static long do_link(const struct op *op, int base)
{
#ifdef SYS_link
	if (op->legacy)
		return syscall(SYS_link, op->a, op->b);
#endif
	return syscall(SYS_linkat, base, op->a, base, op->b, (int)op->flags);
}

static long do_in_deleted_cwd(const struct op *op, int base)
{
	long r;
	int saved, cwd = open(".", O_PATH);

	(void)base;
	if (mkdir("gone", 0700) < 0 || chdir("gone") < 0 || rmdir("../gone") < 0)
		return -1;
	r = syscall(SYS_openat, AT_FDCWD, op->a, (int)op->flags, op->mode);
	saved = errno;
	if (fchdir(cwd) < 0)
		_exit(9);
	close(cwd);
	errno = saved;
	return r;
}

static long (*const doers[])(const struct op *op, int base) = {
	[OP_OPEN] = do_open,
	[OP_OPENAT2] = do_openat2,
	[OP_CREAT] = do_creat,
	[OP_MKDIR] = do_mkdir,
	[OP_MKNOD] = do_mknod,
	[OP_SYMLINK] = do_symlink,
	[OP_TRUNCATE] = do_truncate,
	[OP_UNLINK] = do_unlink,
	[OP_RENAME] = do_rename,
	[OP_LINK] = do_link,
	[OP_DELETED_CWD] = do_in_deleted_cwd,
};

static bool opens(const struct op *op)
{
	return op->kind <= OP_CREAT || op->kind == OP_DELETED_CWD;
}

struct op_result op_do(const struct op *op)
{
	int base = base_fd(op);
	struct op_result result = {0};
	struct stat st;
	long r;

	umask(op->umask);
	errno = 0;
	r = doers[op->kind](op, base);
	result.error = r < 0 ? errno : 0;
	result.result = r < 0 ? -1 : opens(op) ? 0 : (int)r;
	if (r >= 0 && opens(op)) {
		result.fl = (uint32_t)fcntl((int)r, F_GETFL);
		result.fd_flags = (uint32_t)fcntl((int)r, F_GETFD);
		if (fstat((int)r, &st) == 0) {
			result.type_mode = st.st_mode;
			result.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		}
		close((int)r);
	}
	if (op->base == BASE_DIR || op->base == BASE_FILE)
		close(base);
	return result;
}

void op_describe(const struct op *op, char *buf, unsigned int size)
{
	static const char *const names[] = {"open", "openat2", "creat", "mkdir", "mknod", "symlink",
		"truncate", "unlink", "rename", "link", "open in a deleted directory"};

	snprintf(buf, size,
		"%s%s \"%.40s\" \"%.40s\" flags 0x%llx resolve 0x%llx mode 0%o umask 0%o base %d",
		names[op->kind], op->legacy ? "" : " (at)", op->a, op->b ? op->b : "",
		(unsigned long long)op->flags, (unsigned long long)op->resolve, op->mode, op->umask,
		op->base);
}

bool op_is_native(const struct op *op)
{
	if (op->kind == OP_DELETED_CWD || !strncmp(op->a, "/proc", 5))
		return true;
	/* O_ACCMODE is neither: no right is asked for. */
	return opens(op) && ((op->flags & O_PATH) || (op->flags & O_ACCMODE) == O_ACCMODE);
}
