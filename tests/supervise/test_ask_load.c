/* SPDX-License-Identifier: MIT */
/* Many questions at once, and how soon an answer has its effect. */
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "ask_util.h"

/* Large, and each case is a process. */
static struct asked asked;

/* The helper: N threads, each wants something of its own, and says whether it was not denied. */
static const char *many_of;

static void *open_one(void *number)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%zu", many_of, (size_t)number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return (void *)(size_t)(fd >= 0);
}

/* The file in which each thread notes when it was let on. */
static _Atomic uint64_t *notes;

static void *open_and_note(void *number)
{
	void *opened = open_one(number);

	notes[(size_t)number] = now_ns();
	return opened;
}

/* Where nobody listens: what is allowed is refused by the peer. */
static void *connect_one(void *number)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(many_of)),
		.sin_addr.s_addr = htonl(0x7f010001 + (uint32_t)(size_t)number)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused =
		connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno == ECONNREFUSED;

	close(fd);
	return (void *)(size_t)refused;
}

/* By a number that need not mean anything: what it takes besides is not the policy's to say. */
static void *make_one(void *number)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, (int)(size_t)number + 1);
	bool allowed = fd >= 0 || errno != EACCES;

	if (fd >= 0)
		close(fd);
	return (void *)(size_t)allowed;
}

static int want_many(void *(*want)(void *), const char *of, const char *count)
{
	size_t threads = (size_t)atoi(count), opened = 0;
	pthread_t *ids = calloc(threads, sizeof(*ids));
	pthread_attr_t attr;
	struct rlimit files;
	char text[32];

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	many_of = of;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	wait_for_go();
	for (size_t i = 0; i < threads; i++)
		CHECK_EQ(pthread_create(&ids[i], &attr, want, (void *)i), 0);
	for (size_t i = 0; i < threads; i++) {
		void *result;

		pthread_join(ids[i], &result);
		opened += result != NULL;
	}
	snprintf(text, sizeof(text), "%zu", opened);
	write_file("out", text, 0644);
	return 0;
}

static int open_many(const char *dir, const char *count)
{
	return want_many(open_one, dir, count);
}

/* Nulls until somebody notes something. */
static _Atomic uint64_t *share_notes(size_t count)
{
	int fd = open("notes", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *at;

	CHECK_EQ(ftruncate(fd, (off_t)(count * sizeof(*notes))), 0);
	at = mmap(NULL, count * sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	close(fd);
	return at;
}

static int note_many(const char *dir, const char *count)
{
	notes = share_notes((size_t)atoi(count));
	return want_many(open_and_note, dir, count);
}

static int connect_many(const char *port, const char *count)
{
	return want_many(connect_one, port, count);
}

static int make_many(const char *unused, const char *count)
{
	return want_many(make_one, unused, count);
}

/* Names of one file: they are made faster than files. */
static void make_files(size_t count)
{
	char name[16], first[PATH_MAX + 300];

	strcpy(first, outside(&asked, "0"));
	write_file(first, "", 0644);
	for (size_t i = 1; i < count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		CHECK_EQ(link(first, outside(&asked, name)), 0);
	}
}

static int count_entries(const char *dir)
{
	char command[64], text[16] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "ls /proc/%d/%s | wc -l", (int)getpid(), dir);
	pipe = popen(command, "r");
	CHECK(pipe && fgets(text, sizeof(text), pipe));
	pclose(pipe);
	return atoi(text);
}

/* Once a helper has begun that asks a thousand different questions. */
static void hold_a_thousand(void)
{
	uint64_t began = now_ns();
	int threads, fds;

	pthread_mutex_lock(&asked.lock);
	wait_for(&asked, &asked.count, 1000);
	pthread_mutex_unlock(&asked.lock);
	threads = count_entries("task");
	fds = count_entries("fd");
	printf("# 1000 questions pending after %.1f ms, with %d threads and %d descriptors\n",
		(double)(now_ns() - began) / 1e6, threads, fds);
	CHECK(threads < 20 && fds < 60);
	began = now_ns();
	for (size_t i = 0; i < 1000; i++)
		answer(&asked, &asked.seen[i], true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	printf("# all answered, and the program ended, within %.1f ms\n",
		(double)(now_ns() - began) / 1e6);
	CHECK_STR(content("out"), "1000");
	CHECK_EQ(finish(&asked), 0);
}

static void holds_a_thousand(void)
{
	prepare(&asked);
	make_files(1000);
	start_helper(&asked, "--many", asked.outside, "1000");
	hold_a_thousand();
}

static void start_on_sockets(const char *what, const char *of)
{
	char *argv[] = {asked.exe, (char *)what, (char *)of, (char *)"1000", NULL};

	prepare(&asked);
	start_under(&asked,
		"[[ruleset]]\nhandled_access_net = [\"bind_tcp\", \"connect_tcp\"]\n"
		"handled_socket = [\"create\"]\n",
		argv);
	ask(&asked);
	write_file("go", "", 0644);
}

/* A port that is taken, and where nobody listens. */
static void holds_a_thousand_connections(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char port[8];

	CHECK_EQ(bind(fd, (const struct sockaddr *)&at, size), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(port, sizeof(port), "%d", ntohs(at.sin_port));
	start_on_sockets("--connect", port);
	hold_a_thousand();
	close(fd);
}

static void holds_a_thousand_sockets(void)
{
	start_on_sockets("--make", "");
	hold_a_thousand();
}

/* One program cannot take all the room; what is too much is denied, and says why. */
static void limits_one_program(void)
{
	prepare(&asked);
	make_files(1300);
	start_helper(&asked, "--many", asked.outside, "1300");
	CHECK(has_event(&asked, "denied  by too many questions"));
	pthread_mutex_lock(&asked.lock);
	wait_for(&asked, &asked.count, 1280);
	CHECK_EQ(asked.count, 1280);
	pthread_mutex_unlock(&asked.lock);
	reeve_supervisor_ask_end(asked.supervisor, asked.approver);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "0");
	CHECK_EQ(finish(&asked), 0);
}

/* The helper: opens a file again and again, and notes when each was open. */
static int note_times(const char *path, const char *count)
{
	size_t n = (size_t)atoi(count);
	uint64_t times[256];
	FILE *out;

	wait_for_go();
	for (size_t i = 0; i < n; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		times[i] = now_ns();
		if (fd >= 0)
			close(fd);
	}
	out = fopen("out", "w");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%llu ", (unsigned long long)times[i]);
	return fclose(out);
}

static int by_value(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void continues_soon_after_the_answer(void)
{
	uint64_t answered[100];
	double waited[100];
	char *at;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_helper(&asked, "--times", outside(&asked, "a"), "100");
	for (int i = 0; i < 100; i++) {
		struct seen *seen = next_question(&asked);

		answered[i] = now_ns();
		answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	}
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	at = (char *)content("out");
	for (int i = 0; i < 100; i++)
		waited[i] = (double)(strtoull(at, &at, 10) - answered[i]) / 1e6;
	qsort(waited, 100, sizeof(*waited), by_value);
	printf("# continues after the answer: median %.3f ms, 95 of 100 within %.3f ms, worst %.3f "
	       "ms\n",
		waited[50], waited[94], waited[99]);
	CHECK(waited[50] <= 5.0);
	CHECK_EQ(finish(&asked), 0);
}

/* Which thread's question it is. */
static size_t number_of(const struct seen *seen)
{
	return (size_t)atoi(strrchr(seen->object, '/') + 1);
}

/* What else runs on the machine counts no more, if we may say so: then it is only us that wait. */
static bool go_first(void)
{
	const struct sched_param priority = {.sched_priority = 10};

	return sched_setscheduler(0, SCHED_RR, &priority) == 0;
}

#define ANSWERED 600

/* Those who wait are looked after meanwhile, which must not keep an answer waiting. */
static void continues_soon_among_a_thousand(void)
{
	static double waited[ANSWERED];
	bool first = go_first();

	prepare(&asked);
	make_files(1000);
	start_helper(&asked, "--notes", asked.outside, "1000");
	pthread_mutex_lock(&asked.lock);
	wait_for(&asked, &asked.count, 1000);
	pthread_mutex_unlock(&asked.lock);
	notes = share_notes(1000);
	for (size_t i = 0; i < ANSWERED; i++) {
		size_t number = number_of(&asked.seen[i]);
		uint64_t answered = now_ns();

		answer(&asked, &asked.seen[i], true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
		while (!notes[number])
			usleep(100);
		waited[i] = (double)(notes[number] - answered) / 1e6;
	}
	qsort(waited, ANSWERED, sizeof(*waited), by_value);
	printf("# among 1000: median %.3f ms, 597 of 600 within %.3f ms, worst %.3f ms%s\n",
		waited[300], waited[596], waited[599], first ? "" : ", beside whatever runs");
	CHECK(waited[300] <= 5.0);
	CHECK(!first || waited[596] <= 5.0); /* the machine itself may have been held up */
	for (size_t i = ANSWERED; i < 1000; i++)
		answer(&asked, &asked.seen[i], true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "1000");
	CHECK_EQ(finish(&asked), 0);
}

static const struct {
	const char *name;
	int (*run)(const char *a, const char *b);
} helpers[] = {{"--many", open_many}, {"--notes", note_many}, {"--connect", connect_many},
	{"--make", make_many}, {"--times", note_times}};

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{"1000 at once, without threads or descriptors", holds_a_thousand},
		{"1000 connections", holds_a_thousand_connections},
		{"1000 sockets", holds_a_thousand_sockets},
		{"one program cannot drown others", limits_one_program},
		{"an answered request continues within 5 ms", continues_soon_after_the_answer},
		{"so it does while 999 others wait", continues_soon_among_a_thousand},
	};

	for (size_t i = 0; argc == 4 && i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (strcmp(argv[1], helpers[i].name) == 0)
			_exit(helpers[i].run(argv[2], argv[3])); /* no leak check below Landlock */
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
