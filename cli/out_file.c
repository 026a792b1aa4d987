/* SPDX-License-Identifier: MIT */
/* What a verb writes to a file of its own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"

int cli_out_open(const char *option, const char *name)
{
	cli_autoescape char *shown = cli_escape(name);
	struct stat st;
	/* A link there could be CMD's, from an earlier run. */
	int fd = open(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);

	if (fd < 0) {
		cli_fail(NULL, "%s: %s: %s", option, shown,
			errno == ELOOP	 ? "a symbolic link"
			: errno == ENXIO ? "not a regular file" /* a FIFO, or a socket */
					 : strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	cli_fail(NULL, "%s: %s: not a regular file", option, shown);
	return -1;
}

int cli_out_write(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

void cli_warn_unrecorded(struct reeve_record *record, const char *fate)
{
	struct reeve_record_counters counters = {.size = sizeof(counters)};

	reeve_record_count(record, &counters);
	if (counters.lost)
		fprintf(stderr,
			"reeve: warning: %" PRIu64 " accesses were not taken down: out of memory\n",
			counters.lost);
	if (counters.hidden)
		fprintf(stderr,
			"reeve: warning: %" PRIu64
			" accesses of programs with a root directory or user namespace of their "
			"own, or to names of more than 4095 bytes, are %s\n",
			counters.hidden, fate);
}
