/* SPDX-License-Identifier: MIT */
/* What the probe finds, against asking bit by bit; and that it leaves nothing behind. */
#include <dirent.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include "helpers.h"
#include "kernel/sys.h"

static struct reeve_kernel probe(void)
{
	struct reeve_kernel k = {.size = sizeof(k)};

	CHECK_EQ(reeve_kernel_probe(&k), 0);
	return k;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	CHECK(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool accepts(uint64_t fs, uint64_t net, uint64_t scoped)
{
	struct rv_landlock_ruleset_attr attr = {
		.handled_access_fs = fs, .handled_access_net = net, .scoped = scoped};
	int fd = rv_landlock_create_ruleset(&attr, 24, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void same_as_bit_by_bit(void)
{
	struct reeve_kernel k = probe();

	if (k.landlock_abi < 6)
		SKIP("landlock: needs ABI 6 for the struct used here");
	for (int bit = 0; bit < 64; bit++) {
		uint64_t mask = UINT64_C(1) << bit;

		if (reeve_right_of_bit(REEVE_FS, mask))
			CHECK_EQ(!!(k.rights.of[REEVE_FS] & mask), accepts(mask, 0, 0));
		if (reeve_right_of_bit(REEVE_NET, mask))
			CHECK_EQ(!!(k.rights.of[REEVE_NET] & mask), accepts(0, mask, 0));
		if (reeve_right_of_bit(REEVE_SCOPE, mask))
			CHECK_EQ(!!(k.rights.of[REEVE_SCOPE] & mask), accepts(0, 0, mask));
	}
	CHECK_EQ(k.rights.of[REEVE_SOCKET], 0);
}

static void leaves_nothing(void)
{
	int fds = count_fds();

	probe();
	CHECK_EQ(count_fds(), fds);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	fds = open("/", O_RDONLY | O_CLOEXEC);
	CHECK(fds >= 0); /* a domain that handles read_dir would refuse it */
}

/* ABI < 11 tells an ordinary user nothing about flags: the answers must be the same. */
static void an_ordinary_user_finds_the_same(void)
{
	struct reeve_kernel root = probe(), user;

	become_user();
	user = probe();
	CHECK(memcmp(&root, &user, sizeof(root)) == 0);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	user = probe();
	CHECK(user.no_new_privs);
	CHECK_EQ(user.restrict_flags, root.restrict_flags);
}

static void an_older_caller_has_less_room(void)
{
	struct reeve_kernel k;

	memset(&k, 0xaa, sizeof(k));
	k.size = offsetof(struct reeve_kernel, rights);
	CHECK_EQ(reeve_kernel_probe(&k), 0);
	CHECK_EQ(k.size, offsetof(struct reeve_kernel, rights));
	CHECK_EQ(k.yama, (int)0xaaaaaaaa);
}

/* --------------------------------------------------------- kernels made by filters */

static int install(uint32_t nr, uint32_t action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	return rv_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void no_landlock(void)
{
	struct reeve_kernel k;

	CHECK_EQ(install(RV_NR_LANDLOCK_CREATE_RULESET, SECCOMP_RET_ERRNO | ENOSYS, 0), 0);
	k = probe();
	CHECK_EQ(k.landlock_abi, 0);
	CHECK_EQ(k.landlock_error, ENOSYS);
	CHECK_EQ(k.rights.of[REEVE_FS] | k.rights.of[REEVE_NET] | k.rights.of[REEVE_SCOPE], 0);
	CHECK_EQ(k.restrict_flags, 0);
}

static void landlock_disabled(void)
{
	CHECK_EQ(install(RV_NR_LANDLOCK_CREATE_RULESET, SECCOMP_RET_ERRNO | EOPNOTSUPP, 0), 0);
	CHECK_EQ(probe().landlock_error, EOPNOTSUPP);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* The child that looks for a listener must not be seen by our caller. */
static void listener_is_found(void)
{
	struct reeve_kernel k;
	int listener;

	CHECK(signal(SIGCHLD, on_signal) != SIG_ERR);
	CHECK(!probe().listener_taken);
	CHECK_EQ(install(UINT32_MAX, SECCOMP_RET_ALLOW, 0), 0);
	k = probe();
	if (!k.user_notif)
		SKIP("seccomp: no user notification");
	CHECK(!k.listener_taken);
	listener = install(UINT32_MAX, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	CHECK(listener >= 0);
	CHECK(probe().listener_taken);
	CHECK_EQ(signals, 0);
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
}

static void out_of_descriptors(void)
{
	struct reeve_kernel k = {.size = sizeof(k)};
	int fd;

	if (probe().landlock_abi == 0)
		SKIP("landlock: not here");
	do
		fd = open("/", O_PATH);
	while (fd >= 0);
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(reeve_kernel_probe(&k), -EMFILE);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"probe: as bit by bit", same_as_bit_by_bit},
		{"probe: leaves nothing behind", leaves_nothing},
		{"probe: an ordinary user finds the same", an_ordinary_user_finds_the_same},
		{"probe: a caller with a smaller struct", an_older_caller_has_less_room},
		{"probe: no Landlock", no_landlock},
		{"probe: Landlock not enabled", landlock_disabled},
		{"probe: a listener", listener_is_found},
		{"probe: no descriptors left", out_of_descriptors},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
