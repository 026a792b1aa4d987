/* SPDX-License-Identifier: MIT */
/* File system rights: each tried below here/, with a rule for here/ or for there/. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "observe/verify.h"

/* Also true on file systems that refuse devices: nothing is ever opened. */
#define NULL_DEVICE makedev(1, 3)

static int open_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int result(int r)
{
	return r < 0 ? -errno : 0;
}

static int try_execute(const struct rv_stage *stage)
{
	static char *const argv[] = {(char *)"prog", NULL}, *const envp[] = {NULL};
	pid_t pid = rv_spawn();
	int status;

	(void)stage;
	if (pid < 0)
		return pid;
	if (pid == 0) {
		execve("here/prog", argv, envp);
		_exit(errno);
	}
	status = rv_reap(pid);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static int try_write_file(const struct rv_stage *stage)
{
	(void)stage;
	return open_close("here/file", O_WRONLY);
}

static int try_read_file(const struct rv_stage *stage)
{
	(void)stage;
	return open_close("here/file", O_RDONLY);
}

static int try_read_dir(const struct rv_stage *stage)
{
	(void)stage;
	return open_close("here", O_RDONLY | O_DIRECTORY);
}

static int try_remove_dir(const struct rv_stage *stage)
{
	(void)stage;
	return result(rmdir("here/dir"));
}

static int try_remove_file(const struct rv_stage *stage)
{
	(void)stage;
	return result(unlink("here/file"));
}

/*
 * Not the whiteout (0:0), which anybody may make: the newest kernels (seen on 7.3) take it for a
 * regular file.
 */
static int try_make_char(const struct rv_stage *stage)
{
	(void)stage;
	return result(mknod("here/new", S_IFCHR | 0600, NULL_DEVICE));
}

static int try_make_block(const struct rv_stage *stage)
{
	(void)stage;
	return result(mknod("here/new", S_IFBLK | 0600, NULL_DEVICE));
}

static int try_make_dir(const struct rv_stage *stage)
{
	(void)stage;
	return result(mkdir("here/new", 0700));
}

static int try_make_reg(const struct rv_stage *stage)
{
	(void)stage;
	return open_close("here/new", O_RDONLY | O_CREAT | O_EXCL);
}

static int try_make_reg_mknod(const struct rv_stage *stage)
{
	(void)stage;
	return result(mknod("here/new", S_IFREG | 0600, 0));
}

static int try_make_sock(const struct rv_stage *stage)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "here/new"};
	rv_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)stage;
	if (fd < 0)
		return -errno;
	return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int try_make_fifo(const struct rv_stage *stage)
{
	(void)stage;
	return result(mkfifo("here/new", 0600));
}

static int try_make_sym(const struct rv_stage *stage)
{
	(void)stage;
	return result(symlink("file", "here/new"));
}

static int try_rename(const struct rv_stage *stage)
{
	(void)stage;
	return result(rename("here/file", "here/dir/file"));
}

static int try_link(const struct rv_stage *stage)
{
	(void)stage;
	return result(link("here/file", "here/dir/file"));
}

static int try_truncate(const struct rv_stage *stage)
{
	(void)stage;
	return result(truncate("here/file", 0));
}

static int try_open_trunc(const struct rv_stage *stage)
{
	(void)stage;
	return open_close("here/file", O_WRONLY | O_TRUNC);
}

/* The right belongs to the open file, so it must be opened in the box. */
static int try_ftruncate(const struct rv_stage *stage)
{
	rv_autoclose int fd = open("here/file", O_WRONLY | O_CLOEXEC);

	(void)stage;
	return fd < 0 ? -errno : result(ftruncate(fd, 0));
}

#define PTMX "/dev/ptmx"

static int try_ioctl_dev(const struct rv_stage *stage)
{
	rv_autoclose int fd = open(PTMX, O_RDWR | O_NOCTTY | O_CLOEXEC);
	unsigned int number;

	(void)stage;
	return fd < 0 ? -errno : result(ioctl(fd, TIOCGPTN, &number));
}

static int try_resolve_unix(const struct rv_stage *stage)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "here/socket"};
	rv_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)stage;
	if (fd < 0)
		return -errno;
	return result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* -------------------------------------------------------------------- boxes */

static void box_right(const struct rv_row *row, const char *path, struct rv_box *box)
{
	const struct reeve_right_info *right = reeve_right_find(REEVE_CLASS_COUNT, row->feature);

	box->handled.of[REEVE_FS] |= right->bit;
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_PATH_BENEATH,
		.allowed = right->bit,
		.path = path,
		.origin = "verify"};
	box->rules_count = 1;
}

/* The rule is never missing, only elsewhere: a rule must not grant more than what it names. */
static void box_beneath(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	snprintf(box->path, sizeof(box->path), "%s/%s", stage->path, grants ? "here" : "there");
	box_right(row, box->path, box);
}

static void box_ptmx(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	snprintf(box->path, sizeof(box->path), "%s/there", stage->path);
	box_right(row, grants ? PTMX : box->path, box);
}

/* A scope, with the socket's own path as the exception. */
static void box_unix(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	snprintf(box->path, sizeof(box->path), "%s/here/socket", stage->path);
	box->handled.of[REEVE_SCOPE] = REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_UNIX_SOCKET,
		.allowed = REEVE_FS_RESOLVE_UNIX,
		.path = box->path,
		.origin = "verify"};
	box->rules_count = grants ? 1 : 0;
}

/* -------------------------------------------------------------------- table */

#define ROW(right, does, try)                                                                      \
	{                                                                                          \
		.feature = "fs." right, .what = does, .op = try, .refused = EACCES,                \
		.box = box_beneath                                                                 \
	}
#define ROW_REFER(does, try)                                                                       \
	{                                                                                          \
		.feature = "fs.refer", .what = does, .op = try, .refused = EXDEV,                  \
		.box = box_beneath                                                                 \
	}
#define ROW_UNIX(name, does, boxer)                                                                \
	{                                                                                          \
		.feature = name, .what = does, .op = try_resolve_unix, .refused = EACCES,          \
		.needs = RV_NEEDS_UNIX, .box = boxer                                               \
	}

static const struct rv_row rows[] = {
	ROW("execute", "execve() of a program", try_execute),
	ROW("write_file", "open() for writing", try_write_file),
	ROW("read_file", "open() for reading", try_read_file),
	ROW("read_dir", "open() of a directory", try_read_dir),
	ROW("remove_dir", "rmdir()", try_remove_dir),
	ROW("remove_file", "unlink()", try_remove_file),
	ROW("make_char", "mknod() of a character device", try_make_char),
	ROW("make_dir", "mkdir()", try_make_dir),
	ROW("make_reg", "open(O_CREAT)", try_make_reg),
	ROW("make_reg", "mknod() of a regular file", try_make_reg_mknod),
	ROW("make_sock", "bind() of a UNIX socket to a path", try_make_sock),
	ROW("make_fifo", "mkfifo()", try_make_fifo),
	ROW("make_block", "mknod() of a block device", try_make_block),
	ROW("make_sym", "symlink()", try_make_sym),
	ROW_REFER("rename() to another directory", try_rename),
	ROW_REFER("link() to another directory", try_link),
	ROW("truncate", "truncate()", try_truncate),
	ROW("truncate", "open(O_TRUNC)", try_open_trunc),
	ROW("truncate", "ftruncate()", try_ftruncate),
	{.feature = "fs.ioctl_dev",
		.what = "ioctl() on " PTMX,
		.op = try_ioctl_dev,
		.refused = EACCES,
		.box = box_ptmx},
	ROW_UNIX("fs.resolve_unix", "connect() to a UNIX socket made outside", box_beneath),
	ROW_UNIX("unix_socket", "connect() to a UNIX socket made outside", box_unix),
};

struct rv_rows rv_rows_fs(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
