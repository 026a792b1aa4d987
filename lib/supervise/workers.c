/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "supervise/connector.h"
#include "supervise/workers.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 8u
#endif

union control {
	char bytes[CMSG_SPACE(RV_PACKET_FDS * sizeof(int))];
	struct cmsghdr header;
};

/* ---------------------------------------------------------------------------- life */

void rv_workers_init(struct rv_workers *w)
{
	*w = (struct rv_workers){.command_fd = -1};
	pthread_mutex_init(&w->commands, NULL);
	pthread_mutex_init(&w->lock, NULL);
}

void rv_workers_set(struct rv_workers *w, pid_t connector, int command_fd)
{
	w->connector = connector;
	w->command_fd = command_fd;
}

static void channel_free(struct rv_channel *channel)
{
	rv_close_p(&channel->fd);
	if (channel->area)
		munmap(channel->area, RV_AREA_SIZE);
	free(channel);
}

void rv_workers_release(struct rv_workers *w)
{
	while (w->idle) {
		struct rv_channel *channel = w->idle;

		w->idle = channel->next;
		channel_free(channel);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->commands);
}

int rv_workers_signal(struct rv_workers *w, int sig)
{
	int r;

	pthread_mutex_lock(&w->commands);
	r = rv_connector_signal(w->command_fd, sig);
	pthread_mutex_unlock(&w->commands);
	return r;
}

int rv_workers_member(struct rv_workers *w, int pidfd, pid_t pid)
{
	int r;

	pthread_mutex_lock(&w->commands);
	r = rv_connector_member(w->command_fd, pidfd, pid);
	pthread_mutex_unlock(&w->commands);
	return r;
}

/* ------------------------------------------------------------------------ channels */

static int start_worker(struct rv_workers *w, int theirs, struct rv_channel *channel)
{
	pthread_mutex_lock(&w->commands);
	channel->worker = rv_connector_worker(w->command_fd, theirs);
	pthread_mutex_unlock(&w->commands);
	return channel->worker < 0 ? channel->worker : 0;
}

static int make_channel(struct rv_workers *w, struct rv_channel **ret)
{
	const struct timeval patience = {.tv_usec = RV_CHANNEL_MS * 1000};
	struct rv_channel *channel = calloc(1, sizeof(*channel));
	int pair[2], r;

	if (!channel)
		return -ENOMEM;
	channel->cpu = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(channel);
		return -errno;
	}
	channel->fd = pair[0];
	r = setsockopt(channel->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r = r < 0 ? -errno : start_worker(w, pair[1], channel);
	close(pair[1]);
	if (r < 0)
		channel_free(channel);
	else
		*ret = channel;
	return r;
}

static int take_channel(struct rv_workers *w, struct rv_channel **ret)
{
	struct rv_channel *channel;
	bool make;
	int r;

	pthread_mutex_lock(&w->lock);
	channel = w->idle;
	if (channel)
		w->idle = channel->next;
	make = !channel && w->count < RV_WORKERS_MAX;
	w->count += make;
	pthread_mutex_unlock(&w->lock);
	*ret = channel;
	if (!make)
		return channel ? 0 : -EAGAIN;
	r = make_channel(w, ret);
	if (r == 0)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->count--;
	pthread_mutex_unlock(&w->lock);
	return r;
}

#define AREA_KEPT (64u * 1024) /* of an area's memory, between two jobs */

void rv_channel_done(struct rv_workers *w, struct rv_channel *channel, bool usable)
{
	if (usable && channel->used > AREA_KEPT)
		madvise(channel->area + AREA_KEPT, RV_AREA_SIZE - AREA_KEPT, MADV_REMOVE);
	channel->used = 0;
	pthread_mutex_lock(&w->lock);
	if (usable) {
		channel->next = w->idle;
		w->idle = channel;
	} else {
		w->count--;
	}
	pthread_mutex_unlock(&w->lock);
	if (!usable)
		channel_free(channel);
}

void rv_channel_interrupt(const struct rv_workers *w, const struct rv_channel *channel)
{
	/* The connector is our child, and not reaped before all this is over. */
	syscall(SYS_tgkill, w->connector, channel->worker, RV_WORKER_SIGNAL);
}

/* ---------------------------------------------------------------------------- jobs */

static int send_packet(int fd, const void *buf, size_t length, const int *fds, size_t count)
{
	union control control = {0};
	struct iovec iov = {(void *)buf, length};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t size = count * sizeof(int);
	ssize_t n;

	if (size) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&control.header), fds, size);
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The worker waits for the second packet once it has the first. */
static int send_job(int fd, const struct rv_job *job)
{
	struct rv_work work = job->work;
	size_t first = job->fds_count < RV_PACKET_FDS ? job->fds_count : RV_PACKET_FDS;
	int r;

	work.fds_count = job->fds_count;
	r = send_packet(fd, &work, sizeof(work), job->fds, first);
	if (r < 0 || RV_WORK_PACKETS(job->fds_count) == 1)
		return r;
	r = send_packet(fd, "", 1, job->fds + first, job->fds_count - first);
	return r < 0 ? send_packet(fd, "", 1, NULL, 0) : 0;
}

static int make_memory(void)
{
	int fd = memfd_create("reeve-area", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("reeve-area", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, RV_AREA_SIZE) == 0)
		return fd < 0 ? -errno : fd;
	close(fd);
	return -ENOMEM;
}

static int await(struct rv_channel *channel, struct rv_job *job)
{
	int r;

	do
		r = rv_channel_answer(channel, true, job);
	while (r == -EAGAIN);
	return r;
}

/* -EPIPE: the channel is of no more use. */
static int make_area(struct rv_channel *channel)
{
	rv_autoclose int fd = make_memory();
	struct rv_job job = {
		.work = {.kind = RV_WORK_MAP}, .fds = {fd}, .fds_count = 1, .made = -1};
	void *area;
	int r;

	if (fd < 0)
		return fd;
	area = mmap(NULL, RV_AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		return -ENOMEM;
	r = send_job(channel->fd, &job);
	if (r == 0)
		r = await(channel, &job);
	if (r == 0)
		r = (int)job.result;
	if (r < 0)
		munmap(area, RV_AREA_SIZE);
	else
		channel->area = area;
	return r;
}

static int fill_area(struct rv_channel *channel, const struct rv_job *job)
{
	int r = channel->area ? 0 : make_area(channel);

	if (r < 0)
		return r;
	memcpy(channel->area, job->data, job->data_size);
	channel->used = job->data_size;
	return 0;
}

/*
 * The notification's two tasks are on one processor (SYNC_WAKE_UP); the worker, which each waits
 * for, would be woken on an idle one, and the answer wakes this one: an idle processor takes longer
 * to wake than all of the call.
 */
static void bring_here(struct rv_channel *channel)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == channel->cpu)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	if (sched_setaffinity(channel->worker, sizeof(set), &set) == 0)
		channel->cpu = cpu;
}

int rv_workers_begin(struct rv_workers *w, const struct rv_job *job, struct rv_channel **ret)
{
	struct rv_channel *channel;
	int r = take_channel(w, &channel);

	if (r < 0)
		return r;
	r = job->data ? fill_area(channel, job) : 0;
	if (r == 0) {
		bring_here(channel);
		r = send_job(channel->fd, job);
	}
	if (r == -ECONNRESET)
		r = -EPIPE;
	if (r < 0)
		rv_channel_done(w, channel, r != -EPIPE);
	else
		*ret = channel;
	return r;
}

static int take_fd(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return -1;
	return *(const int *)(const void *)CMSG_DATA(header);
}

int rv_channel_answer(struct rv_channel *channel, bool wait, struct rv_job *job)
{
	struct rv_work_done done;
	union control control;
	struct iovec iov = {&done, sizeof(done)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int flags = MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT);
	ssize_t n = recvmsg(channel->fd, &message, flags);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n != sizeof(done))
		return -EPIPE;
	job->result = done.result;
	job->broken = done.broken;
	job->made = take_fd(&message);
	return 0;
}

int rv_workers_do(struct rv_workers *w, struct rv_job *job)
{
	struct rv_channel *channel;
	int r = rv_workers_begin(w, job, &channel);

	if (r < 0)
		return r;
	r = await(channel, job);
	rv_channel_done(w, channel, r == 0);
	return r;
}
