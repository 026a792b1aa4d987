/* SPDX-License-Identifier: MIT */
/*
 * Counts the file system calls of a program, those with the shim's tag and those without:
 *	count [--plain] COMMAND…
 * Writes "tagged N untagged M" on fd 3. The filter is reeve's own, with its look at the tag made
 * to fail, so that tagged calls come here as well. With --plain it is left as it is: what comes
 * then is what a supervisor would see.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/seccomp.h>

#include "enforce/filter.h"
#include "kernel/sys.h"

static int listen_here(bool plain)
{
	struct rv_filter_spec spec = {.arch = rv_filter_native_arch(),
		.guards = RV_GUARD_ARCH,
		.supervised = true,
		.traps = RV_TRAP_FS};
	struct sock_fprog prog;
	size_t length;

	if (rv_filter_compile(&spec, &prog.filter, &length, NULL) < 0)
		return -1;
	prog.len = (unsigned short)length;
	for (size_t i = 0; i < length && !plain; i++) {
		struct sock_filter *in = &prog.filter[i];

		if (in->code == (BPF_JMP | BPF_JEQ | BPF_K) && in->k == (uint32_t)RV_SHIM_TAG)
			in->jt = in->jf;
	}
	rv_set_no_new_privs();
	return rv_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

/* The child sends its fd's number, and waits. */
static int start(bool plain, char **argv, pid_t *ret_pid)
{
	int up[2], down[2], number = -1, fd;
	char byte = 0;

	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		return -1;
	*ret_pid = fork();
	if (*ret_pid == 0) {
		number = listen_here(plain);
		if (write(up[1], &number, sizeof(number)) != sizeof(number) ||
			read(down[0], &byte, 1) != 1)
			_exit(125);
		close(3);
		close(number);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (read(up[0], &number, sizeof(number)) != sizeof(number) || number < 0)
		return -1;
	fd = rv_pidfd_getfd(rv_pidfd_open(*ret_pid), number);
	return write(down[1], &byte, 1) == 1 ? fd : -1;
}

int main(int argc, char **argv)
{
	unsigned long tagged = 0, untagged = 0;
	bool plain = argc > 1 && strcmp(argv[1], "--plain") == 0;
	int listener, child, status = 0;
	pid_t pid = -1;

	if (argc < (plain ? 3 : 2))
		return 2;
	listener = start(plain, argv + (plain ? 2 : 1), &pid);
	child = rv_pidfd_open(pid);
	if (listener < 0 || child < 0)
		return 77;
	for (;;) {
		struct pollfd pfds[] = {
			{.fd = listener, .events = POLLIN}, {.fd = child, .events = POLLIN}};
		struct seccomp_notif request = {0};
		struct seccomp_notif_resp response = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

		if (poll(pfds, 2, -1) < 0 && errno == EINTR)
			continue;
		/* Before Linux 6.11 a filter is in use until its last task is reaped. */
		if (pfds[1].revents) {
			waitpid(pid, &status, 0);
			close(child);
			child = -1;
		}
		if (pfds[0].revents & (POLLHUP | POLLERR))
			break;
		if (!(pfds[0].revents & POLLIN))
			continue;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		if (request.data.args[5] == RV_SHIM_TAG)
			tagged++;
		else
			untagged++;
		if (getenv("COUNT_VERBOSE") && request.data.args[5] != RV_SHIM_TAG)
			fprintf(stderr, "untagged %d by %d\n", request.data.nr, request.pid);
		response.id = request.id;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
	if (child >= 0)
		waitpid(pid, &status, 0);
	dprintf(3, "tagged %lu untagged %lu\n", tagged, untagged);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
