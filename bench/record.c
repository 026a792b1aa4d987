/* SPDX-License-Identifier: MIT */
/*
 * A record of many accesses: bench-record COUNT DIRECTORY. Prints the nanoseconds of noting one,
 * the bytes that one takes, and the milliseconds of making a policy of them all and of walking over
 * them.
 */
#include <fcntl.h>
#include <malloc.h>
#include <time.h>
#include "learn.h"
#include "supervise/record.h"

/* Of this process alone: it waits for nothing, and others may be busy. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Ourselves, as an actor. */
static bool add_actor(struct reeve_record *record)
{
	struct rv_caller self = {.tid = getpid(), .listener = -1, .proc_fd = -1, .mem_fd = -1};
	uint32_t actor;

	self.proc_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	actor = rv_record_actor(record, &self);
	close(self.proc_fd);
	return actor == 1;
}

/* A tree as of a large checkout: 40 files a directory, 50 directories in one. */
static void fill(struct reeve_record *record, unsigned int count, const char *directory)
{
	char path[PATH_MAX];
	struct rv_note note = {
		.call = "openat", .cls = REEVE_FS, .rights = REEVE_FS_READ_FILE, .object = path};

	for (unsigned int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/component-%u/module-%u/source-%u.c", directory,
			i / 2000, i / 40, i);
		rv_record_put(record, 1, &note);
	}
}

static int nothing(void *data, const struct reeve_access *access)
{
	*(uint64_t *)data += access->count;
	return 0;
}

static int write_policy(struct reeve_record *record, const char *name)
{
	char *const command[] = {(char *)"bench", NULL};
	struct learn_output out = {.name = name, .command = command};
	struct learned learned;
	int r = learn_open(&out);

	if (r == 0)
		r = learn_init(&learned);
	if (r)
		return r;
	r = learn_read(&learned, record);
	learn_path_rules(&learned);
	learn_socket_rules(&learned);
	if (r == 0)
		r = learn_write(&out, &learned);
	learn_release(&learned);
	close(out.fd);
	return r;
}

int main(int argc, char **argv)
{
	struct reeve_record *record;
	unsigned int count = argc > 2 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	uint64_t seen = 0;
	char name[PATH_MAX];
	size_t before = in_use();
	double start, noted, walked, written;

	if (!count || reeve_record_new(&record) < 0 || !add_actor(record))
		return 1;
	snprintf(name, sizeof(name), "%s/policy.toml", argv[2]);
	start = now();
	fill(record, count, argv[2]);
	noted = now();
	if (reeve_record_each(record, nothing, &seen) || seen != count)
		return 1;
	walked = now();
	before = in_use() - before;
	if (write_policy(record, name))
		return 1;
	written = now();
	printf("%.0f %zu %.0f %.0f\n", (noted - start) * 1e6 / count, before / count,
		written - walked, walked - noted);
	reeve_record_free(record);
	return 0;
}
