/* SPDX-License-Identifier: MIT */
/*
 * Opening what is pinned, where that may wait: for the other end of a FIFO, for a lease to be given
 * up, for a device.
 *
 * Nothing but a device is waited for in the kernel, where only a signal of our own could get the
 * thread out again. A FIFO and a leased file are opened with O_NONBLOCK and asked again and again;
 * in between one sees that the caller is gone, or that it has a signal to handle.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/sysmacros.h>
#include "supervise/fs.h"

#define FIRST_MS   1
#define LONGEST_MS 20 /* also how long a signal may have to wait */

#define MEMORY_MAJOR 1 /* null, zero, full, random: none of them waits */

static int flags_for(uint64_t flags)
{
	return (int)(flags & ~(uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC | O_NOCTTY;
}

/* The pin stands for the name, so that O_NOFOLLOW would refuse its link in procfs. */
static int open_again(const struct rv_request *request, int pin, int flags)
{
	int fd = openat(request->context->own_fds, rv_fd_name(pin).text, flags);

	return fd < 0 ? -errno : fd;
}

static struct rv_answer answer_with(int fd, int error, uint64_t flags)
{
	/* errno of the open itself: the caller's own, had it been the caller's open. */
	return fd < 0 ? rv_answer_errno(error) : rv_answer_fd(fd, flags & O_CLOEXEC);
}

/* ------------------------------------------------------------------- waiting */

/* Until something happens on fd (-1: just a while). False: no longer; *ret is how to answer. */
static bool wait_more(struct rv_request *request, int fd, int *ms, struct rv_answer *ret)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int error;

	poll(&pfd, 1, *ms);
	if (*ms < LONGEST_MS)
		*ms *= 2;
	error = rv_caller_interrupted(request->caller);
	if (!error && rv_caller_waits(request->caller))
		return true;
	*ret = error ? rv_answer_errno(error) : rv_answer_none();
	return false;
}

/*
 * Whether a FIFO that was opened for reading has a writer, or had one since. tee(2) takes nothing
 * out: without a writer there is nothing to come, which is 0; with one, EAGAIN.
 */
static bool has_writer(int fifo, int sink)
{
	struct pollfd pfd = {.fd = fifo, .events = POLLIN};

	if (poll(&pfd, 1, 0) > 0)
		return true;
	return tee(fifo, sink, 1, SPLICE_F_NONBLOCK) != 0;
}

/* It counts as a reader from the first moment on, as it would while it waits in the kernel. */
static struct rv_answer open_reader(struct rv_request *request, int pin, uint64_t flags)
{
	rv_autoclose int fifo = open_again(request, pin, flags_for(flags) | O_NONBLOCK);
	struct rv_answer answer;
	int sink[2], ms = FIRST_MS;
	bool waits = true;

	if (fifo < 0)
		return rv_answer_errno(-fifo);
	if (pipe2(sink, O_CLOEXEC) < 0)
		return rv_answer_errno(errno);
	while (waits && !has_writer(fifo, sink[1]))
		waits = wait_more(request, fifo, &ms, &answer);
	close(sink[0]);
	close(sink[1]);
	if (!waits)
		return answer;
	(void)fcntl(fifo, F_SETFL, flags_for(flags));
	return answer_with(rv_steal_fd(&fifo), 0, flags);
}

/* -ENXIO: no reader. -EWOULDBLOCK: a lease, which its owner has been asked to give up. */
static struct rv_answer open_when_possible(
	struct rv_request *request, int pin, uint64_t flags, int busy)
{
	struct rv_answer answer;
	int ms = FIRST_MS, fd;

	while ((fd = open_again(request, pin, flags_for(flags) | O_NONBLOCK)) == busy) {
		if (!wait_more(request, -1, &ms, &answer))
			return answer;
	}
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, flags_for(flags));
	return answer_with(fd, -fd, flags);
}

/* Only the end of the domain gets this thread out, and what it had opened by then is lost. */
static struct rv_answer open_device(struct rv_request *request, int pin, uint64_t flags)
{
	int fd;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	fd = open_again(request, pin, flags_for(flags));
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return answer_with(fd, -fd, flags);
}

/* ------------------------------------------------------------------- all of them */

bool rv_open_may_wait(const struct stat *st, uint64_t flags)
{
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISSOCK(st->st_mode))
		return false;
	if (S_ISFIFO(st->st_mode) && (flags & O_ACCMODE) == O_RDWR)
		return false;
	if (S_ISCHR(st->st_mode) && major(st->st_rdev) == MEMORY_MAJOR)
		return false;
	return !(flags & O_NONBLOCK);
}

static struct rv_answer open_file(struct rv_request *request, int pin, uint64_t flags, bool once)
{
	int fd = open_again(request, pin, flags_for(flags) | O_NONBLOCK);
	struct rv_answer answer = answer_with(fd, -fd, flags);

	if (fd >= 0) /* of the flags, this call sets those that can be, to what was asked for */
		(void)fcntl(fd, F_SETFL, flags_for(flags));
	answer.may_linger = !(flags & (O_ACCMODE | O_CREAT));
	if (fd != -EWOULDBLOCK)
		return answer;
	/* What was granted once is used up by now, and cannot be judged again. */
	if (!request->may_block && !once)
		return rv_answer_blocks();
	return open_when_possible(request, pin, flags, -EWOULDBLOCK);
}

struct rv_answer rv_open_pinned(
	struct rv_request *request, const struct rv_object *object, uint64_t flags, bool once)
{
	int fd;

	if (S_ISREG(object->st.st_mode) && !(flags & O_NONBLOCK))
		return open_file(request, object->fd, flags, once);
	if (rv_open_may_wait(&object->st, flags)) {
		if (!request->may_block)
			return rv_answer_blocks();
		if (!S_ISFIFO(object->st.st_mode))
			return open_device(request, object->fd, flags);
		return (flags & O_ACCMODE) == O_RDONLY
			       ? open_reader(request, object->fd, flags)
			       : open_when_possible(request, object->fd, flags, -ENXIO);
	}
	fd = open_again(request, object->fd, flags_for(flags));
	return answer_with(fd, -fd, flags);
}
