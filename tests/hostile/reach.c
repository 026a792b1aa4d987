/* SPDX-License-Identifier: MIT */
/*
 * One system call each that gets at a file or a process by another way than open(2), kill(2) and
 * ptrace(2). For each: its name and what came of it, "reached" or the error.
 *
 *	reach FILE VICTIM	VICTIM: a process of the same user that opens FILE again and again
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>

static const char *file, *name;
static char dir[PATH_MAX];
static pid_t victim;

/* 0: its contents were read. */
static int read_of(int fd)
{
	char byte;

	return fd < 0 || read(fd, &byte, 1) != 1 ? -1 : 0;
}

static int by_magic_link(void)
{
	char link[32];
	int fd = open(file, O_PATH);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return fd < 0 ? -1 : read_of(open(link, O_RDONLY));
}

static int by_handle(void)
{
	char buf[sizeof(struct file_handle) + MAX_HANDLE_SZ] = {0};
	struct file_handle *handle = (struct file_handle *)(void *)buf;
	int mount, near = open(".", O_RDONLY | O_DIRECTORY);

	handle->handle_bytes = MAX_HANDLE_SZ;
	if (near < 0 || name_to_handle_at(AT_FDCWD, file, handle, &mount, 0) < 0)
		return -1;
	return read_of(open_by_handle_at(near, handle, O_RDONLY));
}

static int by_cloned_tree(void)
{
	int tree = (int)syscall(428 /* open_tree */, AT_FDCWD, dir, 1 /* OPEN_TREE_CLONE */);

	return tree < 0 ? -1 : read_of(openat(tree, name, O_RDONLY));
}

static int by_new_mount(void)
{
	char below[2 * PATH_MAX];
	int fs = (int)syscall(430 /* fsopen */, "overlay", 0), mount;

	snprintf(below, sizeof(below), "%s:/usr", dir);
	if (fs < 0 || syscall(431 /* fsconfig */, fs, 1, "lowerdir", below, 0) < 0 ||
		syscall(431, fs, 6, NULL, NULL, 0) < 0)
		return -1;
	mount = (int)syscall(432 /* fsmount */, fs, 0, 0);
	return mount < 0 ? -1 : read_of(openat(mount, name, O_RDONLY));
}

/* The kernel opens what others open, which VICTIM does, for who watches. */
static int by_fanotify(void)
{
	struct fanotify_event_metadata event;
	int watch = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
	struct pollfd pfd = {.fd = watch, .events = POLLIN};

	if (watch < 0 || fanotify_mark(watch, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, file) < 0)
		return -1;
	if (poll(&pfd, 1, 20000) != 1 || read(watch, &event, sizeof(event)) < 0)
		return -1;
	return read_of(event.fd);
}

static int pidfd(void)
{
	return (int)syscall(SYS_pidfd_open, victim, 0);
}

static int by_its_descriptor(void)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd(), 0, 0);
}

static int by_its_memory(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	/* EFAULT: it would have been read, had something been there. */
	return process_vm_readv(victim, &here, 1, &there, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static int by_its_root(void)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)victim, file);
	return read_of(open(path, O_RDONLY));
}

static int by_comparing(void)
{
	return (int)syscall(SYS_kcmp, victim, getpid(), 0, 0, 0) < 0 ? -1 : 0;
}

static int by_its_locks(void)
{
	size_t size;
	void *head;

	return (int)syscall(SYS_get_robust_list, victim, &head, &size);
}

static int by_moving_its_pages(void)
{
	unsigned long none = 0;

	return syscall(SYS_migrate_pages, victim, 8 * sizeof(none), &none, &none) < 0 &&
			       errno != EINVAL
		       ? -1
		       : 0;
}

static int by_pidfd_signal(void)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd(), SIGCONT, NULL, 0);
}

static int by_its_limits(void)
{
	struct rlimit limit;

	return prlimit(victim, RLIMIT_CORE, NULL, &limit) < 0
		       ? -1
		       : prlimit(victim, RLIMIT_CORE, &limit, NULL);
}

static int by_crypto_socket(void)
{
	return socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0);
}

static int by_ring(void)
{
	struct io_uring_params params = {0};

	return (int)syscall(425 /* io_uring_setup */, 1, &params);
}

static const struct {
	const char *name;
	int (*reach)(void);
} ways[] = {
	{"a magic link to an O_PATH descriptor", by_magic_link},
	{"open_by_handle_at", by_handle},
	{"a detached clone of its tree", by_cloned_tree},
	{"an overlay on it", by_new_mount},
	{"fanotify", by_fanotify},
	{"pidfd_getfd", by_its_descriptor},
	{"process_vm_readv", by_its_memory},
	{"another process's root", by_its_root},
	{"kcmp", by_comparing},
	{"get_robust_list", by_its_locks},
	{"migrate_pages", by_moving_its_pages},
	{"pidfd_send_signal", by_pidfd_signal},
	{"prlimit64", by_its_limits},
	{"AF_ALG", by_crypto_socket},
	{"io_uring", by_ring},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	file = argv[1];
	victim = atoi(argv[2]);
	snprintf(dir, sizeof(dir), "%s", file);
	name = strrchr(file, '/') + 1;
	dir[name - 1 - file] = '\0';
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		errno = 0;
		printf("%s: %s\n", ways[i].name,
			ways[i].reach() >= 0 ? "reached" : strerror(errno));
	}
	return 0;
}
