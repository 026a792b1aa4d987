/* SPDX-License-Identifier: MIT */
/* What the program can say to the user's terminal through reeve's mouth, and to its control socket.
 */
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "hostile.h"

/* ----------------------------------------------------------------------- the terminal */

/* Titles, colours, cursors, a C1 introducer in UTF-8 and raw, a line that looks like another's. */
static const char *const names[] = {"\033]0;owned\007", "\033[2J\033[31mred", "a\rb\bc",
	"\xc2\x9b"
	"31m",
	"\x9b"
	"31m",
	"x\nreeve: forged: all is well", "x\n{\"version\":1,\"forged\":true}", "\x7f\x01\x02"};

static void hold(void)
{
	char byte;

	puts("hold");
	fflush(stdout);
	NEED(read(0, &byte, 1) == 1);
}

/* Denied under such names, by calls of all kinds; and what has one of them itself. */
static void use_names(void)
{
	char path[PATH_MAX + 64], other[PATH_MAX + 64];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/shut/%s", work, names[i]);
		snprintf(other, sizeof(other), "%s/live/%s", work, names[i]);
		NEED(mkdir(path, 0700) < 0);
		NEED(symlink(names[i], path) < 0);
		NEED(open(path, O_CREAT | O_WRONLY, 0600) < 0);
		NEED(mkdir(other, 0700) == 0 && rename(other, path) < 0 && rmdir(other) == 0);
		score->tries++;
	}
}

/* Once before the harness looks, and once while it watches. */
static void names_shown(void)
{
	prctl(PR_SET_NAME, "\033[31mcomm\n");
	use_names();
	score->grants += reads_as(in_work("live/f"), "good");
	hold();
	use_names();
}

/* ----------------------------------------------------------------- the control socket */

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	NEED(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool says_ok(FILE *from)
{
	char line[PATH_MAX];

	return fgets(line, sizeof(line), from) && strstr(line, "\"ok\":true");
}

/* Greeted and heard: a hit. */
static void order(const char *path)
{
	int fd = connect_to(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");

	score->tries++;
	if (!file)
		return;
	score->grants++; /* it can be reached: it is its server who says no */
	if (says_ok(file)) {
		score->hits++;
		fseek(file, 0, SEEK_CUR);
		fprintf(file,
			"{\"request\":\"allow\",\"rules\":[{\"class\":\"fs\",\"path\":\"%s/shut\","
			"\"allowed\":[\"read_file\"]}]}\n",
			work);
		fflush(file);
		score->hits += says_ok(file);
	}
	fclose(file);
}

static bool is_socket(const struct dirent *entry)
{
	return strstr(entry->d_name, ".sock") != NULL;
}

/* The program may be faster than its supervisor. */
static void wait_for_sockets(const char *directory)
{
	struct dirent *entry = NULL;

	do {
		DIR *dir = opendir(directory);

		while (dir && (entry = readdir(dir)) && !is_socket(entry))
			;
		if (dir)
			closedir(dir);
		sched_yield();
	} while (!entry && more());
	NEED(entry);
}

static void order_all(void)
{
	const char *directory = in_work("run/reeve");
	struct dirent *entry;
	char path[PATH_MAX + 300];
	DIR *dir;

	wait_for_sockets(directory);
	dir = opendir(directory);
	NEED(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (is_socket(entry))
			order(path);
	}
	closedir(dir);
	score->hits += reads_as(in_work("shut/f"), "secret");
}

static void *order_in_thread(void *arg)
{
	order_all();
	return arg;
}

/* As the program, as a child, as a thread, and as an orphan that the supervisor inherits. */
static void control(void)
{
	int ends[2];
	char byte;

	order_all();
	NEED(in_child(order_all) == 0);
	pthread_join(begin(order_in_thread, NULL), NULL);
	NEED(pipe(ends) == 0);
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				sched_yield();
			setsid();
			order_all();
			NEED(write(ends[1], "x", 1) == 1);
		}
		_exit(0);
	}
	NEED(read(ends[0], &byte, 1) == 1);
}

const struct attack tell_attacks[] = {
	{"names-shown", names_shown},
	{"control", control},
	{NULL, NULL},
};
