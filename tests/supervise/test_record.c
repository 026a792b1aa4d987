/* SPDX-License-Identifier: MIT */
/* The record of accesses: what a program asked for, with the rights that it needs. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "../enforce/helpers.h"
#include "supervise/record.h"

#define READ_ALL                                                                                   \
	"abi = 7\n"                                                                                \
	"[[ruleset]]\n"                                                                            \
	"handled_access_fs = [\"abi.all\"]\n"                                                      \
	"handled_access_net = [\"abi.all\"]\n"                                                     \
	"[[path_beneath]]\n"                                                                       \
	"allowed_access = [\"read_file\", \"read_dir\", \"execute\"]\n"                            \
	"parent = [\"/\"]\n"                                                                       \
	"[[path_beneath]]\n"                                                                       \
	"allowed_access = [\"write_file\", \"truncate\", \"ioctl_dev\"]\n"                         \
	"parent = [\"/dev/null\"]\n"

#define WRITES                                                                                     \
	"[[path_beneath]]\n"                                                                       \
	"allowed_access = [\"abi.all\"]\n"                                                         \
	"parent = [\"%s\"]\n"

static char dir[PATH_MAX];

static void enter_dir(void)
{
	snprintf(dir, sizeof(dir), "%s", make_dir());
	CHECK(chdir(dir) == 0);
}

/* ----------------------------------------------------------------------- running */

static struct reeve_record *record_of(const char *rules, const char *const *argv, int *ret_status)
{
	struct reeve_supervised_plan_options wanted = {.size = sizeof(wanted), .record = true};
	struct reeve_supervisor_options options = {.size = sizeof(options), .sync_wake_up = -1};
	struct reeve_policy *policy = policy_of(rules);
	struct reeve_supervisor *supervisor;
	struct reeve_record *record;
	struct reeve_error err = {0};
	struct reeve_plan *plan;
	int r = reeve_plan_new_supervised(policy, NULL, &wanted, &plan, &err);

	if (r == -EOPNOTSUPP)
		SKIP("supervisor: cannot supervise here");
	CHECK_OK(r);
	CHECK_OK(reeve_record_new(&record));
	options.record = record;
	r = reeve_supervisor_start(plan, (char *const *)argv, &options, &supervisor, &err);
	if (r)
		printf("# %s\n", err.message);
	CHECK_OK(r);
	CHECK(reeve_supervisor_wait(supervisor, 0, ret_status) > 0);
	reeve_supervisor_end(supervisor);
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return record;
}

static struct reeve_record *record_of_script(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	char rules[PATH_MAX + 2048];
	int status;

	snprintf(rules, sizeof(rules), READ_ALL WRITES, dir);
	return record_of(rules, argv, &status);
}

/* ----------------------------------------------------------------------- looking */

struct looked {
	const char *call, *object, *object2;
	struct reeve_access found;
	struct reeve_actor actor;
	char comm[16];
	size_t matches;
};

static int look_at(void *data, const struct reeve_access *access)
{
	struct looked *looked = data;

	if ((looked->call && strcmp(looked->call, access->call) != 0) ||
		strcmp(looked->object, access->object) != 0 ||
		(looked->object2 &&
			(!access->object2 || strcmp(looked->object2, access->object2) != 0)))
		return 0;
	looked->found = *access;
	looked->actor = *access->actor;
	snprintf(looked->comm, sizeof(looked->comm), "%s", access->actor->comm);
	looked->matches++;
	return 0;
}

static int show(void *data, const struct reeve_access *access)
{
	(void)data;
	printf("# %s(%u) %s %s %s rights %#llx implied %#llx flags %u outcome %d error %d\n",
		access->actor->comm, access->actor->id, access->call, access->object,
		access->object2 ? access->object2 : "", (unsigned long long)access->rights,
		(unsigned long long)access->implied, access->flags, access->outcome, access->error);
	return 0;
}

/* In the test's directory where the name is relative. The last one that matches. */
static struct looked look_for(
	struct reeve_record *record, const char *call, const char *name, const char *name2)
{
	static char objects[2][PATH_MAX + 64];
	struct looked looked = {.call = call, .object = name, .object2 = name2};

	for (int i = 0; i < 2; i++) {
		const char **of = i ? &looked.object2 : &looked.object;

		if (!*of || (*of)[0] == '/' || (*of)[0] == '@' || strchr(*of, ':'))
			continue;
		snprintf(objects[i], sizeof(objects[i]), "%s/%s", dir, *of);
		*of = objects[i];
	}
	CHECK_EQ(reeve_record_each(record, look_at, &looked), 0);
	if (!looked.matches) {
		reeve_record_each(record, show, NULL);
		printf("# nothing about %s\n", looked.object);
	}
	CHECK(looked.matches);
	return looked;
}

#define IS(which, rights_, flags_, outcome_)                                                       \
	do {                                                                                       \
		struct looked l_ = (which);                                                        \
		CHECK_EQ(l_.found.rights, rights_);                                                \
		CHECK_EQ(l_.found.flags, flags_);                                                  \
		CHECK_EQ(l_.found.outcome, outcome_);                                              \
	} while (0)

/* ------------------------------------------------------------------------- cases */

static void files_and_directories(void)
{
	struct reeve_record *r;
	struct looked made;

	enter_dir();
	r = record_of_script("echo one >made; cat made >/dev/null; echo two >>made; echo 3 >made;"
			     "mkdir sub; ls sub; mv made sub/moved; mv sub/moved sub/again;"
			     "ln sub/again linked; ln -s nowhere dangling; mkfifo pipe;"
			     "rm linked; rmdir sub 2>/dev/null; cat absent 2>/dev/null");
	made = look_for(r, NULL, "made", NULL);
	CHECK(made.matches >= 4);
	IS(look_for(r, "mkdir", "sub", NULL), REEVE_FS_MAKE_DIR,
		REEVE_ACCESS_MAKES | REEVE_ACCESS_DIRECTORY, REEVE_ACCESS_ALLOWED);
	IS(look_for(r, "openat", "sub", NULL), REEVE_FS_READ_DIR, REEVE_ACCESS_DIRECTORY,
		REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "made", "sub/moved"),
		REEVE_FS_MAKE_REG | REEVE_FS_REMOVE_FILE | REEVE_FS_REFER,
		REEVE_ACCESS_MAKES | REEVE_ACCESS_REMOVES, REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "sub/moved", "sub/again"), REEVE_FS_MAKE_REG | REEVE_FS_REMOVE_FILE,
		REEVE_ACCESS_MAKES | REEVE_ACCESS_REMOVES, REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "sub/again", "linked"), REEVE_FS_MAKE_REG | REEVE_FS_REFER,
		REEVE_ACCESS_MAKES, REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "dangling", NULL), REEVE_FS_MAKE_SYM, REEVE_ACCESS_MAKES,
		REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "pipe", NULL), REEVE_FS_MAKE_FIFO, REEVE_ACCESS_MAKES,
		REEVE_ACCESS_ALLOWED);
	IS(look_for(r, NULL, "linked", NULL), REEVE_FS_REMOVE_FILE, REEVE_ACCESS_REMOVES,
		REEVE_ACCESS_ALLOWED);
	IS(look_for(r, "openat", "absent", NULL), REEVE_FS_READ_FILE, 0, REEVE_ACCESS_ABSENT);
	CHECK_EQ(look_for(r, "openat", "/dev/null", NULL).found.outcome, REEVE_ACCESS_ALLOWED);
	reeve_record_free(r);
	remove_dir(dir);
}

static void truncation_is_asked_for_or_implied(void)
{
	struct reeve_record *r;
	struct looked l;

	enter_dir();
	CHECK(close(creat("old", 0600)) == 0);
	CHECK(close(creat("appended", 0600)) == 0);
	r = record_of_script("echo 1 >old; echo 2 >>appended");
	l = look_for(r, NULL, "old", NULL);
	CHECK_EQ(l.found.rights, REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE);
	l = look_for(r, NULL, "appended", NULL);
	CHECK_EQ(l.found.rights, REEVE_FS_WRITE_FILE);
	CHECK_EQ(l.found.implied, REEVE_FS_TRUNCATE);
	CHECK_STR(l.comm, "sh");
	reeve_record_free(r);
	remove_dir(dir);
}

static void what_the_policy_denies(void)
{
	static const char *const argv[] = {"sh", "-c", "echo x >file; cat secret; exit 0", NULL};
	struct reeve_record *r;
	int status;

	enter_dir();
	CHECK(close(creat("file", 0666)) == 0);
	r = record_of(READ_ALL, argv, &status);
	CHECK_EQ(status, 0);
	IS(look_for(r, NULL, "file", NULL), REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE, 0,
		REEVE_ACCESS_DENIED);
	CHECK_EQ(look_for(r, NULL, "file", NULL).found.error, EACCES);
	IS(look_for(r, NULL, "secret", NULL), REEVE_FS_READ_FILE, 0, REEVE_ACCESS_ABSENT);
	reeve_record_free(r);
	remove_dir(dir);
}

static void executed_files_and_their_interpreters(void)
{
	const uint64_t rights = REEVE_FS_EXECUTE | REEVE_FS_READ_FILE;
	struct reeve_record *r;
	struct looked script, shell, inner;
	FILE *file;

	enter_dir();
	file = fopen("script", "w");
	CHECK(file && fputs("#!/bin/sh\ncat /dev/null\n", file) >= 0);
	CHECK(fchmod(fileno(file), 0755) == 0 && fclose(file) == 0);
	r = record_of_script("./script; env PATH=$PWD/none:$PATH cat /dev/null");
	script = look_for(r, "execve", "script", NULL);
	CHECK_EQ(script.found.rights, rights);
	CHECK_EQ(script.found.flags, 0);
	CHECK_STR(script.comm, "sh");
	shell = look_for(r, "execve", realpath("/bin/sh", NULL), NULL);
	CHECK_EQ(shell.found.rights, rights);
	inner = look_for(r, "openat", "/dev/null", NULL);
	IS(look_for(r, "execve", "none/cat", NULL), rights, 0, REEVE_ACCESS_ABSENT);
	/* sh, its child that became the script, and cat, which is a child of that. */
	CHECK(script.actor.id != inner.actor.id);
	CHECK(inner.actor.parent != 0);
	reeve_record_free(r);
	remove_dir(dir);
}

static void proc_is_the_callers(void)
{
	struct reeve_record *r;
	struct looked l;
	char path[64];

	enter_dir();
	CHECK(close(creat("given", 0600)) == 0);
	r = record_of_script("read x </proc/self/stat; cat /dev/fd/3 3<given; cat </dev/stdin");
	l = look_for(r, NULL, "given", NULL);
	CHECK_EQ(l.found.outcome, REEVE_ACCESS_ALLOWED);
	CHECK_STR(l.comm, "cat");
	/* The shell's own file, which made the process that read `given`. */
	l = look_for(r, "execve", realpath("/bin/sh", NULL), NULL);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)l.actor.pid);
	CHECK_EQ(look_for(r, NULL, path, NULL).actor.process, l.actor.process);
	reeve_record_free(r);
	remove_dir(dir);
}

static void counts_and_order(void)
{
	struct reeve_record_counters counters = {.size = sizeof(counters)};
	struct reeve_record *r;
	struct looked l;

	enter_dir();
	r = record_of_script("i=0; while [ $i -lt 50 ]; do : >again; i=$((i + 1)); done; : >last");
	l = look_for(r, NULL, "again", NULL);
	CHECK_EQ(l.found.count, 49); /* the first one made it */
	CHECK_EQ(l.matches, 2);
	CHECK(l.found.sequence < look_for(r, NULL, "last", NULL).found.sequence);
	reeve_record_count(r, &counters);
	CHECK(counters.calls > counters.accesses + 40);
	CHECK_EQ(counters.lost, 0);
	CHECK_EQ(counters.hidden, 0);
	reeve_record_free(r);
	remove_dir(dir);
}

/* ------------------------------------------------------------------------ sockets */

static const char sockets[] = "import os, socket, sys\n"
			      "s = socket.socket()\n"
			      "s.bind(('127.0.0.1', 0))\n"
			      "c = socket.socket()\n"
			      "c.connect_ex(('127.0.0.1', 9))\n"
			      "u = socket.socket(socket.AF_UNIX)\n"
			      "u.bind('own.sock')\n"
			      "u.listen()\n"
			      "v = socket.socket(socket.AF_UNIX)\n"
			      "v.connect('own.sock')\n"
			      "socket.socket(socket.AF_UNIX).connect_ex('\\0reeve-none')\n"
			      "d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
			      "d.sendto(b'x', ('127.0.0.1', 9))\n"
			      "d.sendmsg([b'x'], [], 0, ('127.0.0.1', 10))\n"
			      "d.sendmsg([b'x'], [], 0, ('127.0.0.1', 10))\n"
			      "socket.socketpair()\n";

static void sockets_and_addresses(void)
{
	static const char *const argv[] = {"python3", "-c", sockets, NULL};
	char rules[PATH_MAX + 2048];
	struct reeve_record *r;
	struct looked l;
	int status;

	if (system("python3 -c 'import socket' 2>/dev/null") != 0)
		SKIP("python3: is not here");
	enter_dir();
	snprintf(rules, sizeof(rules),
		READ_ALL WRITES "[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [0]\n", dir);
	r = record_of(rules, argv, &status);
	CHECK_EQ(status, 0);
	l = look_for(r, "bind", "127.0.0.1:0", NULL);
	IS(l, REEVE_NET_BIND_TCP, 0, REEVE_ACCESS_ALLOWED);
	CHECK_EQ(l.found.cls, REEVE_NET);
	l = look_for(r, "connect", "127.0.0.1:9", NULL);
	IS(l, REEVE_NET_CONNECT_TCP, 0, REEVE_ACCESS_DENIED);
	CHECK_EQ(l.found.port, 9);
	IS(look_for(r, "bind", "own.sock", NULL), REEVE_FS_MAKE_SOCK, REEVE_ACCESS_MAKES,
		REEVE_ACCESS_ALLOWED);
	CHECK_EQ(look_for(r, "connect", "own.sock", NULL).found.rights, REEVE_FS_RESOLVE_UNIX);
	CHECK_EQ(look_for(r, "connect", "@reeve-none", NULL).found.cls, REEVE_SCOPE);
	l = look_for(r, "socket", "inet:dgram", NULL);
	CHECK_EQ(l.found.cls, REEVE_SOCKET);
	CHECK_EQ(l.found.socket_family, AF_INET);
	CHECK_EQ(l.found.socket_type, SOCK_DGRAM);
	look_for(r, "socket", "unix:stream", NULL);
	look_for(r, "socketpair", "unix:stream", NULL);
	IS(look_for(r, "sendto", "127.0.0.1:9", NULL), REEVE_NET_CONNECT_SEND_UDP, 0,
		REEVE_ACCESS_ALLOWED);
	IS(look_for(r, "sendto", "0.0.0.0:0", NULL), REEVE_NET_BIND_UDP, 0, REEVE_ACCESS_ALLOWED);
	l = look_for(r, "sendmsg", "127.0.0.1:10", NULL);
	IS(l, REEVE_NET_CONNECT_SEND_UDP, 0, REEVE_ACCESS_ALLOWED);
	CHECK_EQ(l.found.count, 2);
	reeve_record_free(r);
	remove_dir(dir);
}

/* -------------------------------------------------------------------------- store */

#define MANY 1000000

static int count_one(void *data, const struct reeve_access *access)
{
	CHECK(access->object[0] == '/');
	CHECK_EQ(access->sequence, ++*(uint64_t *)data);
	return 0;
}

/* Under a sanitizer's allocator this figure is nothing. */
static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void a_million(void)
{
	struct rv_note note = {.call = "openat", .cls = REEVE_FS, .rights = REEVE_FS_READ_FILE};
	struct reeve_record_counters counters = {.size = sizeof(counters)};
	size_t before = in_use();
	struct reeve_record *r;
	uint64_t seen = 0;
	char path[128];

	CHECK_EQ(reeve_record_new(&r), 0);
	note.object = path;
	/* An actor is needed: a caller that is this process. */
	{
		struct rv_caller self = {
			.tid = getpid(), .listener = -1, .proc_fd = -1, .mem_fd = -1};

		self.proc_fd = open("/proc/self", O_PATH | O_DIRECTORY);
		CHECK_EQ(rv_record_actor(r, &self), 1);
		CHECK_EQ(rv_record_actor(r, &self), 1);
		close(self.proc_fd);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/srv/checkout/project-%u/source/module-%u/file-%u.c",
			i / 100000, i / 500, i);
		rv_record_put(r, 1, &note);
	}
	printf("# %zu bytes an access\n", (in_use() - before) / MANY);
	CHECK(in_use() - before < (size_t)200 << 20);
	CHECK_EQ(reeve_record_each(r, count_one, &seen), 0);
	CHECK_EQ(seen, MANY);
	rv_record_put(r, 1, &note);
	reeve_record_count(r, &counters);
	CHECK_EQ(counters.accesses, MANY);
	CHECK_EQ(counters.calls, MANY + 1);
	CHECK_EQ(counters.lost, 0);
	reeve_record_free(r);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{"files, directories, links and what is absent", files_and_directories},
		{"truncate, asked for or implied", truncation_is_asked_for_or_implied},
		{"what the policy denies is said to be denied", what_the_policy_denies},
		{"what is executed, and its interpreters", executed_files_and_their_interpreters},
		{"/proc/self and /dev/fd are the caller's", proc_is_the_callers},
		{"equal accesses are counted, in the order of the first", counts_and_order},
		{"sockets and addresses", sockets_and_addresses},
		{"a million accesses take less than 200 MiB", a_million},
	};

	if (argc > 1 && strcmp(argv[1], "--user") == 0)
		become_user();
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
