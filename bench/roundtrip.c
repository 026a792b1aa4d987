/* SPDX-License-Identifier: MIT */
/*
 * What a trapped open costs when nothing is looked at: the least that a supervisor can do.
 *
 *	roundtrip continue|open FILE LOOPS
 *
 * A child opens and closes FILE, and its open is trapped. "continue": the kernel goes on with it.
 * "open": the answer is a descriptor of FILE, opened for it. Neither reads the path, knows the
 * caller or decides anything: a measure that reeve is held against, not a supervisor. Prints
 * nanoseconds per pair as openclose does, the best of many batches.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "openclose.h"

#define SYNC_WAKE_UP 1UL
#define SET_FLAGS    SECCOMP_IOW(4, __u64)
#define ADDFD_SEND   2u

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static int trap_open(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void __attribute__((noreturn)) child(int socket, const char *path, long loops)
{
	int listener = trap_open();
	char go;

	if (listener < 0 || write(socket, &listener, sizeof(listener)) != sizeof(listener) ||
		read(socket, &go, 1) != 1)
		die("seccomp");
	close(listener);
	printf("%.2f\n", best_batch(path, loops));
	exit(0);
}

static int answer(int listener, const struct seccomp_notif *request, const char *path)
{
	struct seccomp_notif_resp response = {
		.id = request->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	struct seccomp_notif_addfd addfd = {
		.id = request->id, .flags = ADDFD_SEND, .newfd_flags = O_CLOEXEC};
	int fd, r;

	if (!path)
		return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	addfd.srcfd = (unsigned int)fd;
	r = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
	close(fd);
	return r;
}

static int fetch(int socket, pid_t pid)
{
	int number, pidfd = (int)syscall(SYS_pidfd_open, pid, 0), listener;

	if (read(socket, &number, sizeof(number)) != sizeof(number))
		exit(1); /* it said why */
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (listener < 0)
		die("pidfd_getfd");
	(void)ioctl(listener, SET_FLAGS, SYNC_WAKE_UP); /* as reeve's default */
	if (write(socket, "", 1) != 1)
		die("write");
	return listener;
}

int main(int argc, char **argv)
{
	struct seccomp_notif request = {0};
	int pair[2], listener, status;
	pid_t pid;

	if (argc != 4 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		fprintf(stderr, "usage: roundtrip continue|open FILE LOOPS\n");
		return 1;
	}
	pid = fork();
	if (pid == 0)
		child(pair[1], argv[2], atol(argv[3]));
	close(pair[1]);
	listener = fetch(pair[0], pid);
	while (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0) {
		if (answer(listener, &request, strcmp(argv[1], "open") ? NULL : argv[2]) < 0)
			break;
		memset(&request, 0, sizeof(request));
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
