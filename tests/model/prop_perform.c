/* SPDX-License-Identifier: MIT */
/* Performing requests, and undoing them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include "prop.h"

/* 0, or errno, of what returns -1 on failure; closes what is an fd. */
static int errno_of(int result)
{
	return result < 0 ? errno : 0;
}

static int errno_of_fd(int fd)
{
	int error = errno_of(fd);

	if (fd >= 0)
		close(fd);
	return error;
}

static int open_it(const char *path, int flags)
{
	return errno_of_fd(open(path, flags | O_NONBLOCK | O_CLOEXEC));
}

/* Nothing is run: what the kernel has opened for execution is no program, which it finds after. */
static int exec_it(const char *path)
{
	char *const argv[] = {(char *)"x", NULL};

	return errno_of(execve(path, argv, argv + 1));
}

/* Mode 3 opens for ioctl only, so that no right to read or write is asked for. */
static int ioctl_it(const char *path)
{
	int fd = open(path, O_ACCMODE | O_CLOEXEC), error, dummy[16];

	if (fd < 0)
		return errno;
	error = errno_of(ioctl(fd, TCGETS, dummy));
	close(fd);
	return error;
}

static int bind_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
	error = errno_of(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	return error;
}

static int tcp(uint16_t port, bool is_bind)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (is_bind)
		error = errno_of(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	else
		error = errno_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	return error;
}

socklen_t prop_abstract_address(void *ret, pid_t resource, bool datagram)
{
	struct sockaddr_un *address = ret;
	int n;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	n = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "reeve-prop-%d-%d",
		resource, datagram);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int reach_abstract(pid_t resource, bool datagram)
{
	struct sockaddr_un address;
	socklen_t length = prop_abstract_address(&address, resource, datagram);
	int type = datagram ? SOCK_DGRAM : SOCK_STREAM, error;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (datagram)
		error = errno_of((int)sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length));
	else
		error = errno_of(connect(fd, (struct sockaddr *)&address, length));
	close(fd);
	return error;
}

/* The resource process was forked from this one, so the address means something there. */
static int read_memory(pid_t resource)
{
	static char byte;
	char copy;
	struct iovec to = {&copy, 1}, from = {&byte, 1};

	return errno_of((int)process_vm_readv(resource, &to, 1, &from, 1, 0));
}

static int perform_file(const char *path, const struct prop_request *request)
{
	const char *made = request->new_path;

	switch (request->kind) {
	case PROP_OPEN_READ:
		return open_it(path, O_RDONLY);
	case PROP_OPEN_WRITE:
		return open_it(path, O_WRONLY);
	case PROP_OPEN_BOTH:
		return open_it(path, O_RDWR);
	case PROP_OPEN_DIR:
		return open_it(path, O_RDONLY | O_DIRECTORY);
	case PROP_OPEN_TRUNC:
		return open_it(path, O_WRONLY | O_TRUNC);
	case PROP_EXEC:
		return exec_it(path);
	case PROP_TRUNCATE:
		return errno_of(truncate(path, 0));
	case PROP_IOCTL:
		return ioctl_it(path);
	case PROP_MAKE_REG:
		return errno_of(mknod(made, S_IFREG | 0600, 0));
	case PROP_CREAT:
		return errno_of_fd(open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	case PROP_MAKE_DIR:
		return errno_of(mkdir(made, 0700));
	case PROP_MAKE_SYM:
		return errno_of(symlink("nowhere", made));
	case PROP_MAKE_FIFO:
		return errno_of(mkfifo(made, 0600));
	case PROP_MAKE_CHAR:
		return errno_of(mknod(made, S_IFCHR | 0600, makedev(1, 3)));
	case PROP_MAKE_BLOCK:
		return errno_of(mknod(made, S_IFBLK | 0600, makedev(7, 250)));
	default:
		return bind_unix(made);
	}
}

int prop_perform(const struct prop_tree *tree, const struct prop_request *request, pid_t resource)
{
	const char *path = tree->nodes[request->node].path, *to = request->new_path;

	switch (request->kind) {
	case PROP_UNLINK:
		return errno_of(unlink(path));
	case PROP_RMDIR:
		return errno_of(rmdir(path));
	case PROP_RENAME_WITHIN:
	case PROP_RENAME_BETWEEN:
	case PROP_REPLACE:
		return errno_of(rename(path, to));
	case PROP_EXCHANGE:
		return errno_of(renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_EXCHANGE));
	case PROP_LINK_WITHIN:
	case PROP_LINK_BETWEEN:
		return errno_of(link(path, to));
	case PROP_BIND_TCP:
	case PROP_CONNECT_TCP:
		return tcp(request->port, request->kind == PROP_BIND_TCP);
	case PROP_SIGNAL:
		return errno_of(kill(resource, 0));
	case PROP_ABSTRACT_STREAM:
	case PROP_ABSTRACT_DATAGRAM:
		return reach_abstract(resource, request->kind == PROP_ABSTRACT_DATAGRAM);
	case PROP_PTRACE:
		return read_memory(resource);
	default:
		return perform_file(path, request);
	}
}

/* ------------------------------------------------------------- what it means */

/* What follows where Landlock lets an operation through that cannot be completed. */
static const struct {
	enum prop_kind kind;
	int error;
} harmless[] = {
	{PROP_EXEC, ENOEXEC},
	{PROP_IOCTL, ENOTTY},
	{PROP_OPEN_WRITE, ENXIO}, /* a FIFO that nobody reads */
	{PROP_MAKE_CHAR, EPERM},  /* the capability is asked for after Landlock */
	{PROP_MAKE_BLOCK, EPERM},
	{PROP_ABSTRACT_STREAM,
		EAGAIN}, /* the queue is full, which is looked at before Landlock is */
	{PROP_ABSTRACT_DATAGRAM, EAGAIN},
};

int prop_normalise(enum prop_kind kind, int error)
{
	if (kind == PROP_BIND_TCP || kind == PROP_CONNECT_TCP)
		return error == EACCES ? EACCES : 0;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (harmless[i].kind == kind && harmless[i].error == error)
			return 0;
	return error;
}

/* ----------------------------------------------------------------- undoing */

static void undo_move(
	const struct prop_tree *tree, const struct prop_request *request, unsigned int flags)
{
	const char *path = tree->nodes[request->node].path;

	if (renameat2(AT_FDCWD, request->new_path, AT_FDCWD, path, flags) < 0)
		fprintf(stderr, "cannot undo: rename %s to %s: %s\n", request->new_path, path,
			strerror(errno));
	if (request->kind == PROP_REPLACE)
		prop_tree_restore(tree, request->other);
}

void prop_undo(const struct prop_tree *tree, const struct prop_request *request, int error)
{
	/* creat() leaves a file behind where only opening it is denied. */
	if (error && request->kind != PROP_CREAT)
		return;
	switch (request->kind) {
	case PROP_UNLINK:
	case PROP_RMDIR:
		prop_tree_restore(tree, request->node);
		return;
	case PROP_RENAME_WITHIN:
	case PROP_RENAME_BETWEEN:
	case PROP_REPLACE:
		undo_move(tree, request, RENAME_NOREPLACE);
		return;
	case PROP_EXCHANGE:
		undo_move(tree, request, RENAME_EXCHANGE);
		return;
	case PROP_MAKE_DIR:
		rmdir(request->new_path);
		return;
	default:
		if (request->new_path[0])
			unlink(request->new_path);
	}
}
