/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/shared.h"
#include "supervise/board.h"

#define NAME "reeve-board"

int rv_board_new(struct rv_board **ret)
{
	void *at;
	int fd = rv_shared_new(NAME, sizeof(struct rv_board), &at);
	struct rv_board *board = at;

	if (fd < 0)
		return fd;
	/* No child that is started later needs it. */
	madvise(board, sizeof(*board), MADV_DONTFORK);
	board->magic = RV_BOARD_MAGIC;
	*ret = board;
	return fd;
}

void rv_board_free(struct rv_board *board)
{
	if (board)
		munmap(board, sizeof(*board));
}

/* By its name first: to open any file that a process has open can do anything. */
static int open_board(pid_t supervisor, int fd)
{
	static const char name[] = "/memfd:" NAME " (deleted)";
	char link[64], target[sizeof(name) + 1];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)supervisor, fd);
	n = readlink(link, target, sizeof(target));
	if (n < 0)
		return -errno;
	if ((size_t)n != strlen(name) || memcmp(target, name, (size_t)n) != 0)
		return -ESTALE;
	fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int rv_board_read(pid_t supervisor, int number, uint64_t domain, struct rv_board *ret)
{
	rv_autoclose int fd = number < 0 ? -ESTALE : open_board(supervisor, number);
	struct rv_board board;

	if (fd < 0)
		return fd;
	if (pread(fd, &board, sizeof(board), 0) != (ssize_t)sizeof(board) ||
		board.magic != RV_BOARD_MAGIC || board.domain != domain)
		return -ESTALE;
	memcpy(ret, &board, sizeof(board));
	return 0;
}
