/* SPDX-License-Identifier: MIT */
#include <time.h>
#include <sys/mman.h>
#include "hostile.h"

struct score *score;
char work[PATH_MAX];
static uint64_t deadline;

void give_up(const char *what)
{
	printf("cannot be tried: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(3);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool more(void)
{
	return score->hits < MANY && now() < deadline;
}

const char *in_work(const char *name)
{
	static _Thread_local char paths[4][PATH_MAX + 256];
	static _Thread_local unsigned int next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", work, name);
	return path;
}

void read_peers(in_port_t *good, char host[static HOST_SIZE], in_port_t *bad)
{
	FILE *file = fopen(in_work("floor/ports"), "re");
	unsigned int ports[2];

	NEED(file && fscanf(file, "%u %15s %u", &ports[0], host, &ports[1]) == 3);
	fclose(file);
	*good = htons((uint16_t)ports[0]);
	*bad = htons((uint16_t)ports[1]);
}

bool reads_as(const char *path, const char *word)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool same = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
		    strncmp(text, word, strlen(word)) == 0;

	if (fd >= 0)
		close(fd);
	return same;
}

pthread_t begin(void *(*body)(void *arg), void *arg)
{
	pthread_t thread;

	NEED((errno = pthread_create(&thread, NULL, body, arg)) == 0);
	return thread;
}

static void *flip(void *arg)
{
	struct flipper *flipper = arg;

	while (!score->over)
		flipper->body(flipper->arg);
	return NULL;
}

void flipper_start(struct flipper *flipper, void (*body)(void *arg), void *arg)
{
	flipper->body = body;
	flipper->arg = arg;
	flipper->thread = begin(flip, flipper);
}

void flipper_end(struct flipper *flipper)
{
	score->over = true;
	pthread_join(flipper->thread, NULL);
}

int in_child(void (*body)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	NEED(pid >= 0);
	if (pid == 0) {
		body();
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const struct attack *find(const char *name)
{
	static const struct attack *const all[] = {race_attacks, who_attacks, file_attacks,
		guard_attacks, drain_attacks, tell_attacks, send_attacks, ways_attacks};

	for (size_t i = 0; i < COUNT(all); i++)
		for (const struct attack *attack = all[i]; attack->name; attack++)
			if (strcmp(attack->name, name) == 0)
				return attack;
	return NULL;
}

int main(int argc, char *argv[])
{
	const struct attack *attack = argc >= 4 ? find(argv[1]) : NULL;

	if (!attack) {
		fputs("usage: hostile ATTACK WORK MILLISECONDS\n", stderr);
		return 2;
	}
	score = mmap(
		NULL, sizeof(*score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(score != MAP_FAILED);
	snprintf(work, sizeof(work), "%s", argv[2]);
	deadline = now() + strtoul(argv[3], NULL, 10);
	attack->run();
	printf("hits %lu tries %lu grants %lu\n", score->hits, score->tries, score->grants);
	fflush(stdout);
	_exit(0);
}
