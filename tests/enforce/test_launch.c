/* SPDX-License-Identifier: MIT */
/* Becoming a program: environment, descriptors, directory, PATH, exit codes. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include "run.h"
#include "kernel/sys.h"

/* Everything may be read and run, nothing written. */
#define READ_ALL                                                                                   \
	"abi = 1\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"                                \
	"[[path_beneath]]\nallowed_access = [\"abi.read_execute\", \"write_file\"]\n"              \
	"parent = [\"/\"]\n"

#define WITH_TMPDIR "tmpdir = \"private\"\n" READ_ALL

static void arguments_and_environment(void)
{
	struct run run = {.policy = READ_ALL, .options.envp = LIST("A=1", "PATH=/usr/bin:/bin")};

	need_landlock();
	RUN(&run, "sh", "-c", "echo \"$0 $1 $A $HOME\"; exit 7", "zero", "one");
	CHECK_CODE(&run, 7);
	CHECK_STR(run.out, "zero one 1 \n");
	run.options.envp = NULL;
	CHECK(setenv("FROM_OURS", "yes", 1) == 0);
	RUN(&run, "sh", "-c", "echo $FROM_OURS; kill -TERM $$");
	CHECK_CODE(&run, -SIGTERM);
	CHECK_STR(run.out, "yes\n");
}

static void private_tmpdir(void)
{
	struct run run = {.policy = WITH_TMPDIR};
	const char *dir;

	need_landlock();
	dir = make_dir();
	CHECK(setenv("TMPDIR", dir, 1) == 0);
	RUN(&run, "sh", "-c",
		"echo x > $TMPDIR/f && cat $TMPDIR/f && mkdir $TMPDIR/d && "
		"env | grep -c ^TMPDIR= && stat -c %a $TMPDIR && echo $TMPDIR && "
		"! touch $TMPDIR/../f 2>/dev/null");
	CHECK_CODE(&run, 0);
	CHECK_HAS(run.out, "x\n1\n700\n");
	CHECK_HAS(run.out, dir);
	/* Later runs remove those of earlier ones. */
	for (int i = 0; i < 8; i++)
		RUN(&run, "sh", "-c", "ls $TMPDIR/.. | wc -l");
	CHECK_STR(run.out, "1\n");
	remove_dir(dir);
}

static void user_tmpdir(void)
{
	struct run run = {.policy = WITH_TMPDIR, .before = become_user};
	const char *dir;

	need_landlock();
	dir = make_dir();
	CHECK(chmod(dir, 01777) == 0);
	CHECK(setenv("TMPDIR", dir, 1) == 0);
	RUN(&run, "sh", "-c", "echo x > $TMPDIR/f && cat $TMPDIR/f");
	CHECK_CODE(&run, 0);
	CHECK_STR(run.out, "x\n");
	remove_dir(dir);
}

/* ------------------------------------------------------------------- exit codes */

static void check_untouched(const char *dir)
{
	CHECK_EQ(system(text_of("test -z \"$(find '%s' -name '[0-9]*')\"", dir)), 0);
}

static void not_found(void)
{
	struct run run = {.policy = WITH_TMPDIR};
	const char *dir;

	need_landlock();
	dir = make_dir();
	CHECK(setenv("TMPDIR", dir, 1) == 0);
	RUN(&run, "no-such-program-here");
	CHECK_CODE(&run, 127);
	CHECK_HAS(run.out, "no-such-program-here: command not found in PATH");
	RUN(&run, "/nonexistent/x");
	CHECK_CODE(&run, 127);
	RUN(&run, "");
	CHECK_CODE(&run, 127);
	check_untouched(dir);
	write_file(join(dir, "bad"), "#!/nonexistent/interpreter\n", 0755);
	RUN(&run, join(dir, "bad"));
	CHECK_CODE(&run, 127);
	CHECK_HAS(run.out, "/nonexistent/interpreter");
	remove_dir(dir);
}

static void not_executable(void)
{
	struct run run = {.policy = READ_ALL};
	const char *dir;

	need_landlock();
	dir = make_dir();
	write_file(join(dir, "data"), "x", 0644);
	RUN(&run, join(dir, "data"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, "no execute permission");
	RUN(&run, dir);
	CHECK_CODE(&run, 126);
	remove_dir(dir);
}

static void reeve_failed(void)
{
	struct run run = {.policy = READ_ALL, .options.chdir = "/nonexistent"};

	need_landlock();
	RUN(&run, "true");
	CHECK_CODE(&run, 125);
	CHECK_HAS(run.out, "/nonexistent: cannot change directory: No such file");
	run = (struct run){.policy = "[[ruleset]]\nhandled_access_fs = [\"make_reg\"]\n"
				     "[[path_beneath]]\nallowed_access = [\"make_reg\"]\n"
				     "parent = [\"/nonexistent\"]\n"};
	RUN(&run, "true");
	CHECK_CODE(&run, 125);
	CHECK_HAS(run.out, "test.toml:");
	CHECK_HAS(run.out, "/nonexistent: No such file or directory");
	run = (struct run){.policy = READ_ALL, .options.restrict_flags = REEVE_RESTRICT_TSYNC};
	RUN(&run, "true");
	CHECK_CODE(&run, 125);
}

/* ------------------------------------------------------------------- as execvp(3) */

static void search_path(void)
{
	struct run run = {.policy = READ_ALL};
	const char *dir;

	need_landlock();
	dir = make_dir();
	for (int i = 0; i < 3; i++)
		CHECK(mkdir(join(dir, i == 0 ? "a" : i == 1 ? "b" : "c"), 0755) == 0);
	write_file(join(dir, "a/prog"), "#!/bin/sh\necho a\n", 0644); /* EACCES: goes on */
	CHECK(mkdir(join(dir, "b/prog"), 0755) == 0);
	write_file(join(dir, "c/prog"), "echo c $1\n", 0755); /* ENOEXEC: the shell */
	run.options.envp = LIST(text_of("PATH=%s/none:%s/a:%s/b:%s/c", dir));
	RUN(&run, "prog", "arg");
	CHECK_CODE(&run, 0);
	CHECK_STR(run.out, "c arg\n");
	run.options.envp = LIST(text_of("PATH=%s/a::/usr/bin", dir)); /* the working directory */
	run.options.chdir = join(dir, "c");
	RUN(&run, "prog", "cwd");
	CHECK_STR(run.out, "c cwd\n");
	run.options.envp = LIST(text_of("PATH=%s/a:%s/none", dir));
	RUN(&run, "prog");
	CHECK_CODE(&run, 126); /* EACCES wins over not found */
	run.options.envp = LIST(text_of("PATH=%s/none", dir));
	RUN(&run, "prog");
	CHECK_CODE(&run, 127);
	remove_dir(dir);
}

static void denied_in_path_goes_on(void)
{
	struct run run = {.policy = "abi = 1\n[[ruleset]]\nhandled_access_fs = [\"execute\"]\n"
				    "[[path_beneath]]\nallowed_access = [\"execute\"]\n"
				    "parent = [\"/usr\"]\n"};
	const char *dir;

	need_landlock();
	dir = make_dir();
	write_file(join(dir, "true"), "#!/bin/sh\necho wrong\n", 0755);
	run.options.envp = LIST(text_of("PATH=%s:/usr/bin", dir));
	RUN(&run, "true");
	CHECK_CODE(&run, 0);
	CHECK_STR(run.out, "");
	remove_dir(dir);
}

/* -------------------------------------------------------------------- descriptors */

static void open_some(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 20; fd < 30; fd++)
		CHECK(dup2(null, fd) == fd);
	CHECK(fcntl(25, F_SETFD, FD_CLOEXEC) == 0);
}

static void refuse(uint32_t nr, uint32_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(rv_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), 0);
}

/* Kernels and containers without close_range(2) and openat2(2). */
static void open_some_on_an_old_kernel(void)
{
	open_some();
	refuse(436, ENOSYS);
	refuse(437, EPERM);
}

static void descriptors(void)
{
	static const int keep[] = {25, 22, 22, 1};
	struct run run = {.policy = READ_ALL, .before = open_some};

	need_landlock();
	for (int old = 0; old < 2; old++) {
		run.before = old ? open_some_on_an_old_kernel : open_some;
		run.options = (struct reeve_exec_options){0};
		RUN(&run, "sh", "-c", "echo /proc/$$/fd/*");
		CHECK_HAS(run.out, "fd/2");
		CHECK(!strstr(run.out, "fd/20") && !strstr(run.out, "fd/3 "));
		run.options.keep_fds = keep;
		run.options.keep_fds_count = 4;
		RUN(&run, "sh", "-c", "for f in /proc/$$/fd/2?; do echo ${f##*/}; done");
		CHECK_STR(run.out, "22\n25\n");
		run.options = (struct reeve_exec_options){.keep_all_fds = true};
		RUN(&run, "sh", "-c", "for f in /proc/$$/fd/2?; do echo ${f##*/}; done");
		CHECK_STR(run.out, "20\n21\n22\n23\n24\n26\n27\n28\n29\n");
	}
}

static void kept_must_be_open(void)
{
	static const int keep[] = {25};
	struct run run = {.policy = READ_ALL, .options = {.keep_fds = keep, .keep_fds_count = 1}};

	need_landlock();
	RUN(&run, "true");
	CHECK_CODE(&run, 125);
	CHECK_HAS(run.out, "file descriptor 25 is to be kept, but is not open");
}

static void datagram_stdin(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(dup2(pair[0], 0) == 0);
}

static void datagram_descriptors_are_refused(void)
{
	struct run run = {.policy = "[[ruleset]]\nhandled_access_fs = [\"make_block\"]\n"
				    "unix_datagram = \"refuse\"\n",
		.before = datagram_stdin};

	need_landlock();
	RUN(&run, "true");
	CHECK_CODE(&run, 125);
	CHECK_HAS(run.out, "file descriptor 0 is a UNIX datagram socket");
	run.before = NULL;
	RUN(&run, "true");
	CHECK_CODE(&run, 0);
}

/* ------------------------------------------------------------------------ signals */

static void set_signals(void)
{
	sigset_t set;

	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
}

static void signals_are_left_alone(void)
{
	struct run run = {.policy = WITH_TMPDIR, .before = set_signals};
	const char *dir;

	need_landlock();
	dir = make_dir();
	CHECK(setenv("TMPDIR", dir, 1) == 0);
	RUN(&run, "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status");
	CHECK_STR(run.out, "SigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\n");
	remove_dir(dir);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"launch: arguments, environment, exit codes", arguments_and_environment},
		{"launch: private TMPDIR", private_tmpdir},
		{"launch: private TMPDIR of an ordinary user", user_tmpdir},
		{"launch: not found is 127", not_found},
		{"launch: not executable is 126", not_executable},
		{"launch: what reeve cannot do is 125", reeve_failed},
		{"launch: PATH as execvp", search_path},
		{"launch: denied in PATH goes on", denied_in_path_goes_on},
		{"launch: descriptors, old kernels too", descriptors},
		{"launch: kept descriptors must be open", kept_must_be_open},
		{"launch: datagram sockets are not inherited", datagram_descriptors_are_refused},
		{"launch: signals are left alone", signals_are_left_alone},
	};

	setenv("PATH", "/usr/bin:/bin", 1); /* not the caller's, of which a part may be locked */
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
