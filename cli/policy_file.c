/* SPDX-License-Identifier: MIT */
/* A policy that reeve writes is checked before it is stored. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "needed.h"

static int check_text(const char *name, const char *text, struct reeve_error *err)
{
	cli_autopolicy *policy = NULL;
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_load_text(
			policy, name, text, strlen(text), REEVE_POLICY_TOML, err);
	return r ? r : reeve_policy_resolve(policy, NULL, err);
}

/* Before anything is overwritten: where the disk is full the file stays as it is. */
static int make_room(int fd, size_t length)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	r = posix_fallocate(fd, 0, (off_t)length);
	if (r != ENOSPC && r != EDQUOT && r != EFBIG)
		return 0; /* or it cannot be told beforehand */
	return ftruncate(fd, st.st_size) < 0 ? -errno : -r;
}

static int overwrite(int fd, const char *text)
{
	size_t length = strlen(text);
	int r = make_room(fd, length);

	if (r == 0)
		r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : cli_out_write(fd, text, length);
	if (r == 0 && ftruncate(fd, (off_t)length) < 0)
		r = -errno;
	return r;
}

int cli_policy_file_store(const char *option, const char *name, int fd, const char *text)
{
	cli_autoescape char *shown = cli_escape(name);
	struct reeve_error err = {0};
	int r = check_text(name, text, &err);

	if (r == 0)
		r = overwrite(fd, text);
	if (r && err.message[0])
		cli_print_error(&err);
	return r ? cli_fail(NULL, "%s: %s: %s", option, shown, strerror(-r)) : 0;
}
