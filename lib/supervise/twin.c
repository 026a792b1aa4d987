/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "enforce/child.h"
#include "kernel/sys.h"
#include "supervise/connector.h"
#include "supervise/twin.h"

void rv_twin_init(struct rv_twin *twin)
{
	*twin = (struct rv_twin){.command_fd = -1};
	pthread_mutex_init(&twin->lock, NULL);
	rv_workers_init(&twin->workers);
}

/* Not seen by wait(2) of whoever embeds us: no signal tells of its end. */
static pid_t start_process(int command)
{
	rv_autoclose int self = rv_pidfd_open(getpid());
	const struct rv_connector_fds fds = {.command = command, .supervisor = self, .proc = self};
	pid_t pid;

	if (self < 0)
		return self;
	pid = rv_child_clone(0);
	if (pid == 0)
		rv_connector_twin_main(&fds);
	return pid;
}

static int start(struct rv_twin *twin)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = start_process(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return pid;
	}
	twin->pid = pid;
	twin->command_fd = pair[0];
	rv_workers_set(&twin->workers, pid, pair[0]);
	return 0;
}

struct rv_workers *rv_twin_workers(struct rv_twin *twin)
{
	int r = 0;

	pthread_mutex_lock(&twin->lock);
	if (twin->ended)
		r = -EPIPE;
	else if (!twin->pid)
		r = start(twin);
	pthread_mutex_unlock(&twin->lock);
	return r < 0 ? NULL : &twin->workers;
}

void rv_twin_end(struct rv_twin *twin)
{
	siginfo_t info;

	pthread_mutex_lock(&twin->lock);
	twin->ended = true;
	if (twin->pid) {
		kill(twin->pid, SIGKILL);
		while (waitid(P_PID, (id_t)twin->pid, &info, WEXITED | __WALL) < 0 &&
			errno == EINTR)
			;
		twin->pid = 0;
	}
	pthread_mutex_unlock(&twin->lock);
}

void rv_twin_release(struct rv_twin *twin)
{
	rv_workers_release(&twin->workers);
	rv_close_p(&twin->command_fd);
	pthread_mutex_destroy(&twin->lock);
}
