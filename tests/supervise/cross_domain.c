/* SPDX-License-Identifier: MIT */
/*
 * The processes of test_cross_domain.py.
 *
 *	serve NAME		makes one resource of each kind, says "ready PID", and waits for its
 *				standard input to end; then says how many SIGUSR2 came
 *	reach NAME PID		tries each kind: a line "KIND ERRNO"
 *	as-resource NAME CMD…	makes the resources and runs CMD, with its own pid appended
 *	model TREE…		what the model says: a line "KIND ERRNO" for each tree of domains
 *
 * A socket that cannot be made here is not there; "reach" then sees ENOENT or ECONNREFUSED.
 */
#include <errno.h>
#include <fcntl.h>
#include <reeve/domain.h>
#include <reeve/ruleset.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name;
static pid_t target;

/* ------------------------------------------------------------------------- sockets */

static socklen_t address_of(const char *kind, bool abstract, struct sockaddr_un *ret)
{
	int length;

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	length = snprintf(ret->sun_path + abstract, sizeof(ret->sun_path) - 1, "%s-%s", name, kind);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + 1);
}

struct kind {
	const char *name;
	int (*reach)(const struct kind *kind);
	uint64_t scope; /* 0: ptrace */
	int type;	/* of a socket; 0: none */
	bool abstract;
};

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static void serve_socket(const struct kind *kind)
{
	struct sockaddr_un address;
	socklen_t length = address_of(kind->name, kind->abstract, &address);
	int fd = socket(AF_UNIX, kind->type, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
		kind->type != SOCK_DGRAM)
		listen(fd, 8);
}

static int reach_socket(const struct kind *kind)
{
	struct sockaddr_un address;
	socklen_t length = address_of(kind->name, kind->abstract, &address);
	int fd = socket(AF_UNIX, kind->type, 0);
	int r = fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&address, length));

	close(fd);
	return r;
}

static int send_to_socket(const struct kind *kind)
{
	struct sockaddr_un address;
	socklen_t length = address_of(kind->name, kind->abstract, &address);
	int fd = socket(AF_UNIX, kind->type, 0);
	int r = fd < 0 ? errno : result(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length));

	close(fd);
	return r;
}

/* ------------------------------------------------------------------------- signals */

static int reach_kill(const struct kind *kind)
{
	(void)kind;
	return result(kill(target, SIGUSR1));
}

static int reach_zero(const struct kind *kind)
{
	(void)kind;
	return result(kill(target, 0));
}

static int reach_thread(const struct kind *kind)
{
	(void)kind;
	return result(syscall(SYS_tgkill, target, target, SIGUSR1));
}

static int reach_pidfd(const struct kind *kind)
{
	int fd = (int)syscall(SYS_pidfd_open, target, 0);
	int r = fd < 0 ? errno : result(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));

	(void)kind;
	close(fd);
	return r;
}

/* Whether it arrives is for the other end to say: no errno tells. */
static int reach_sigio(const struct kind *kind)
{
	int ends[2];
	int r = pipe(ends) < 0 ? errno : 0;

	(void)kind;
	if (r == 0 &&
		(fcntl(ends[0], F_SETSIG, SIGUSR2) < 0 || fcntl(ends[0], F_SETOWN, target) < 0 ||
			fcntl(ends[0], F_SETFL, O_ASYNC) < 0 || write(ends[1], "x", 1) != 1))
		r = errno;
	return r;
}

static int reach_ptrace(const struct kind *kind)
{
	int r = result(ptrace(PTRACE_SEIZE, target, 0, 0));

	(void)kind;
	if (r == 0 && ptrace(PTRACE_INTERRUPT, target, 0, 0) == 0) {
		waitpid(target, NULL, __WALL);
		ptrace(PTRACE_DETACH, target, 0, 0);
	}
	return r;
}

#define ABSTRACT REEVE_SCOPE_ABSTRACT_UNIX_SOCKET
#define PATHNAME REEVE_SCOPE_PATHNAME_UNIX_SOCKET
#define SIGNALS	 REEVE_SCOPE_SIGNAL

static const struct kind kinds[] = {
	{"abstract-stream", reach_socket, ABSTRACT, SOCK_STREAM, true},
	{"abstract-seqpacket", reach_socket, ABSTRACT, SOCK_SEQPACKET, true},
	{"abstract-dgram", send_to_socket, ABSTRACT, SOCK_DGRAM, true},
	{"abstract-dgram-connected", reach_socket, ABSTRACT, SOCK_DGRAM, true},
	{"path-stream", reach_socket, PATHNAME, SOCK_STREAM, false},
	{"path-seqpacket", reach_socket, PATHNAME, SOCK_SEQPACKET, false},
	{"path-dgram", send_to_socket, PATHNAME, SOCK_DGRAM, false},
	{"path-dgram-connected", reach_socket, PATHNAME, SOCK_DGRAM, false},
	{"kill", reach_kill, SIGNALS, 0, false},
	{"kill-0", reach_zero, SIGNALS, 0, false},
	{"tgkill", reach_thread, SIGNALS, 0, false},
	{"pidfd", reach_pidfd, SIGNALS, 0, false},
	{"sigio", reach_sigio, SIGNALS, 0, false},
	{"ptrace", reach_ptrace, 0, 0, false},
};

/* ----------------------------------------------------------------------- processes */

static volatile sig_atomic_t ios;

static void count_io(int sig)
{
	(void)sig;
	ios++;
}

static void make_resources(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, count_io);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].type)
			serve_socket(&kinds[i]);
}

static int serve(void)
{
	char byte;
	ssize_t n;

	make_resources();
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	do
		n = read(STDIN_FILENO, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	printf("sigio %d\n", (int)ios);
	return 0;
}

static int reach(void)
{
	signal(SIGUSR1, SIG_IGN); /* where both are one process group's, or one process */
	for (size_t i = 0; i < COUNT(kinds); i++)
		printf("%s %d\n", kinds[i].name, kinds[i].reach(&kinds[i]));
	return 0;
}

/* argv: CMD and an empty word at the end, for the pid. */
static int as_resource(char **argv)
{
	char own[16];
	int status = 0;
	pid_t pid;

	make_resources();
	snprintf(own, sizeof(own), "%d", (int)getpid());
	pid = fork();
	if (pid == 0) {
		size_t last = 0;

		while (argv[last + 1])
			last++;
		argv[last] = own;
		execv(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	printf("sigio %d\n", (int)ios);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --------------------------------------------------------------------------- model */

/* 's': abstract and signal scoped; 'S': paths as well; 'o': another ruleset. */
static struct reeve_domain *enter(struct reeve_domain *parent, char letter)
{
	struct reeve_rights handled = {0};
	struct reeve_ruleset *ruleset = NULL;
	struct reeve_domain *domain = NULL;

	if (letter == 'o')
		handled.of[REEVE_FS] = REEVE_FS_MAKE_BLOCK;
	else
		handled.of[REEVE_SCOPE] = ABSTRACT | SIGNALS | (letter == 'S' ? PATHNAME : 0);
	if (reeve_ruleset_new(&handled, &ruleset) < 0 ||
		reeve_domain_new(parent, ruleset, &domain) < 0)
		abort();
	reeve_ruleset_free(ruleset);
	return domain;
}

/* Of its own, to be freed; NULL where there is no domain at all. */
static struct reeve_domain *walk(struct reeve_domain *from, const char *letters, size_t length)
{
	struct reeve_domain *at = from ? reeve_domain_ref(from) : NULL;

	for (size_t i = 0; i < length; i++) {
		struct reeve_domain *inner = enter(at, letters[i]);

		reeve_domain_free(at);
		at = inner;
	}
	return at;
}

/* "C/R/A": the coordinator's domains, and those that the two others enter below them. */
static void model(const char *tree)
{
	const char *resource = strchr(tree, '/'), *accessor = strrchr(tree, '/');
	struct reeve_domain *c = walk(NULL, tree, (size_t)(resource - tree));
	struct reeve_domain *r = walk(c, resource + 1, (size_t)(accessor - resource - 1));
	struct reeve_domain *a = walk(c, accessor + 1, strlen(accessor + 1));
	struct reeve_decision decision;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].scope)
			reeve_decide_scope(a, r, kinds[i].scope, &decision);
		else
			reeve_decide_ptrace(a, r, &decision);
		printf("%s %d\n", kinds[i].name, decision.allowed ? 0 : decision.error);
	}
	reeve_domain_free(a);
	reeve_domain_free(r);
	reeve_domain_free(c);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	name = argv[2];
	if (argc > 3)
		target = atoi(argv[3]);
	if (strcmp(argv[1], "serve") == 0)
		return serve();
	if (strcmp(argv[1], "reach") == 0)
		return reach();
	if (strcmp(argv[1], "as-resource") == 0)
		return as_resource(argv + 3);
	for (int i = 2; i < argc; i++)
		model(argv[i]);
	return 0;
}
