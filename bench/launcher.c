/* SPDX-License-Identifier: MIT */
/*
 * What a Landlock launcher costs at least: the same Landlock rules as reeve's, read from a list
 *that was made beforehand (bench/dump_rules.c), no_new_privs, exec. No policy language, no checks,
 *no seccomp filter, no private TMPDIR: the measure that reeve is held against, not a tool.
 *
 *	launcher RULES -- CMD [ARG]...
 *
 * RULES has lines "handled FS NET SCOPES", "path RIGHTS PATH", "port RIGHTS PORT"; rights in hex.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attr {
	uint64_t fs, net, scopes;
};
struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));
struct port {
	uint64_t allowed, port;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	_exit(125);
}

static char *read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	text = malloc((size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		die(path);
	text[st.st_size] = '\0';
	close(fd);
	return text;
}

static int create(char *line)
{
	struct attr attr;
	size_t size;
	int fd;

	attr.fs = strtoull(line, &line, 16);
	attr.net = strtoull(line, &line, 16);
	attr.scopes = strtoull(line, &line, 16);
	size = attr.scopes ? sizeof(attr) : attr.net ? 16 : 8;
	fd = (int)syscall(444, &attr, size, 0);
	if (fd < 0)
		die("landlock_create_ruleset");
	return fd;
}

static void add_path(int ruleset, char *line)
{
	struct beneath attr;

	attr.allowed = strtoull(line, &line, 16);
	attr.fd = open(line + 1, O_PATH | O_CLOEXEC);
	if (attr.fd < 0 || syscall(445, ruleset, 1, &attr, 0) < 0)
		die(line);
	close(attr.fd);
}

static void add_fresh(int ruleset, char *line)
{
	char path[4096], rule[4200], *dir;
	uint64_t allowed = strtoull(line, &dir, 16);

	snprintf(path, sizeof(path), "%s/%d", dir + 1, (int)getpid());
	/* In a long run a pid comes again. */
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || setenv("TMPDIR", path, 1) < 0)
		die(path);
	snprintf(rule, sizeof(rule), "%llx %s", (unsigned long long)allowed, path);
	add_path(ruleset, rule);
}

static void add_port(int ruleset, char *line)
{
	struct port attr;

	attr.allowed = strtoull(line, &line, 16);
	attr.port = strtoull(line, &line, 10);
	if (syscall(445, ruleset, 2, &attr, 0) < 0)
		die("landlock_add_rule");
}

int main(int argc, char **argv)
{
	int ruleset = -1;
	char *text, *line;

	if (argc < 4) {
		fprintf(stderr, "usage: launcher RULES -- CMD [ARG]...\n");
		return 125;
	}
	text = read_all(argv[1]);
	while ((line = strsep(&text, "\n"))) {
		if (strncmp(line, "handled ", 8) == 0)
			ruleset = create(line + 8);
		else if (strncmp(line, "path ", 5) == 0)
			add_path(ruleset, line + 5);
		else if (strncmp(line, "fresh ", 6) == 0)
			add_fresh(ruleset, line + 6);
		else if (strncmp(line, "port ", 5) == 0)
			add_port(ruleset, line + 5);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(446, ruleset, 0) < 0)
		die("landlock_restrict_self");
	execvp(argv[3], argv + 3);
	die(argv[3]);
}
