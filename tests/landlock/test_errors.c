/* SPDX-License-Identifier: MIT */
/*
 * Malformed calls, answered by the kernel and by reeve/landlock.h: the same errno wherever both
 * know what is asked for; and by rulesets of reeve's own, which check as the kernel does.
 */
#define _GNU_SOURCE
#include "probe.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static int compared;

/* The errno of a call, 0 for success; a descriptor that it made is closed. */
static int errno_of(long r, bool is_fd)
{
	if (r < 0)
		return errno;
	if (is_fd && r > 2)
		close((int)r);
	return 0;
}

static void *unmapped;	    /* the address of a page that cannot be read */
static char *before_a_hole; /* ends where that page begins */

static void map_hole(void)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	/* Not unmapped: something else could be put there. */
	CHECK(mprotect(at + 4096, 4096, PROT_NONE) == 0);
	unmapped = at + 4096;
	before_a_hole = at + 4096;
}

/* ------------------------------------------------------------------- create_ruleset */

static int kernel_abi;

/* Sizes and bits that this kernel knows; beyond them reeve may know more than it does. */
static size_t known_size(void)
{
	return kernel_abi >= 12	  ? 56
	       : kernel_abi >= 10 ? 48
	       : kernel_abi >= 6  ? 24
	       : kernel_abi >= 4  ? 16
				  : 8;
}

static void create(const void *attr, size_t size, __u32 flags, const char *what)
{
	int kernel = errno_of(syscall(444, attr, size, flags), flags == 0);
	int ours = errno_of(landlock_create_ruleset(attr, size, flags), flags == 0);

	compared++;
	if (kernel != ours)
		printf("# create_ruleset(%s, %zu, %u): kernel %d, reeve %d\n", what, size, flags,
			kernel, ours);
	CHECK_EQ(ours, kernel);
}

/* Buffers of a page and more, with something in one place. */
static void create_rulesets(void)
{
	static const size_t sizes[] = {0, 1, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 40, 47, 48,
		49, 55, 56, 57, 63, 64, 72, 73, 80, 200, 4095, 4096, 4097, SIZE_MAX};
	static const __u32 flags[] = {0, 1, 2, 3, 1u << 6, 1u << 31, ~0u};
	static __u64 zero[1024], some[1024], high[1024], tail[1024];

	some[0] = LANDLOCK_ACCESS_FS_READ_FILE;
	high[0] = UINT64_C(1) << 63;
	tail[0] = LANDLOCK_ACCESS_FS_READ_FILE;
	tail[20] = 1;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
			create(NULL, sizes[i], flags[k], "NULL");
			create(unmapped, sizes[i], flags[k], "unmapped");
			create(before_a_hole - 8, sizes[i], flags[k], "into a hole");
			create(zero, sizes[i], flags[k], "zero");
			create(some, sizes[i], flags[k], "read_file");
			create(high, sizes[i], flags[k], "bit 63");
			create(tail, sizes[i], flags[k], "a tail");
		}
	}
}

/* How many bits of the first member the kernel knows. */
static int fs_bits(void)
{
	return 13 + (kernel_abi >= 2) + (kernel_abi >= 3) + (kernel_abi >= 5) + (kernel_abi >= 9);
}

/* Each bit of each member that the kernel has, alone and beside a good one. */
static void create_with_bits(void)
{
	for (size_t member = 0; member < known_size() / 8; member++) {
		for (int bit = 0; bit < 64; bit++) {
			__u64 attr[7] = {0};

			attr[member] = UINT64_C(1) << bit;
			/* What a newer kernel knows and this one does not is another test. */
			if (member == 0 && bit <= 16 && bit >= fs_bits())
				continue;
			if (member == 1 && (bit == 2 || bit == 3) && kernel_abi < 10)
				continue;
			if (member == 2 && bit == 2)
				continue;
			if (member == 6 && bit == 62)
				continue;
			create(attr, known_size(), 0, "one bit");
			attr[0] |= LANDLOCK_ACCESS_FS_READ_FILE;
			create(attr, known_size(), 0, "one bit and read_file");
		}
	}
}

/* ------------------------------------------------------------------------- add_rule */

struct attrs {
	struct landlock_path_beneath_attr beneath;
	struct landlock_net_port_attr port;
};

static int raw_add(int fd, int type, const void *attr, __u32 flags)
{
	return errno_of(syscall(445, fd, type, attr, flags), false);
}

static int our_add(int fd, int type, const void *attr, __u32 flags)
{
	return errno_of(landlock_add_rule(fd, (enum landlock_rule_type)type, attr, flags), false);
}

static void add(int fd, int other, int type, const void *attr, __u32 flags, const char *what)
{
	int kernel = raw_add(fd, type, attr, flags), ours = our_add(other, type, attr, flags);

	compared++;
	if (kernel != ours)
		printf("# add_rule(%s, type %d, flags %u): kernel %d, reeve %d (%s)\n", what, type,
			flags, kernel, ours, reeve_landlock_why());
	CHECK_EQ(ours, kernel);
}

/* Every attribute, with right and wrong in each member, on one pair of rulesets. */
static void add_attributes(int fd, int other, int type, __u32 flags)
{
	static const __u64 allowed[] = {0, LANDLOCK_ACCESS_FS_READ_FILE,
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
		LANDLOCK_ACCESS_FS_READ_DIR, LANDLOCK_ACCESS_FS_MAKE_CHAR, UINT64_C(1) << 40,
		UINT64_MAX};
	int pipes[2], memfd = memfd_create("x", 0), ns = open("/proc/self/ns/mnt", O_RDONLY);
	int parents[] = {-1, 1000, open("/", O_PATH), open("/tmp", O_RDONLY),
		open("/dev/null", O_PATH), open("/dev/null", O_RDWR), memfd, ns, fd, 0, 0};
	static const __u64 ports[] = {0, 80, 65535, 65536, UINT64_MAX};
	struct landlock_path_beneath_attr beneath;
	struct landlock_net_port_attr port;

	CHECK(pipe(pipes) == 0);
	parents[9] = pipes[0];
	parents[10] = socket(AF_UNIX, SOCK_STREAM, 0);
	add(fd, other, type, NULL, flags, "NULL");
	add(fd, other, type, unmapped, flags, "unmapped");
	add(fd, other, type, before_a_hole - 8, flags, "into a hole");
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		for (size_t k = 0; k < sizeof(parents) / sizeof(parents[0]); k++) {
			beneath = (struct landlock_path_beneath_attr){allowed[i], parents[k]};
			if (type != LANDLOCK_RULE_NET_PORT)
				add(fd, other, type, &beneath, flags, "a path");
		}
		for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++) {
			port = (struct landlock_net_port_attr){allowed[i], ports[k]};
			if (type == LANDLOCK_RULE_NET_PORT)
				add(fd, other, type, &port, flags, "a port");
		}
	}
	for (size_t k = 2; k < sizeof(parents) / sizeof(parents[0]); k++)
		if (parents[k] != fd)
			close(parents[k]);
	close(pipes[1]);
}

static const int types[] = {0, 1, 2, 5, 100, -1};

static int make_raw(const struct landlock_ruleset_attr *attr)
{
	return (int)syscall(444, attr, known_size(), 0);
}

static struct landlock_ruleset_attr handling(void)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE |
								  LANDLOCK_ACCESS_FS_WRITE_FILE |
								  LANDLOCK_ACCESS_FS_READ_DIR};

	if (kernel_abi >= 4)
		attr.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
	return attr;
}

static void add_rules(void)
{
	struct landlock_ruleset_attr attr = handling();
	int fd = make_raw(&attr);
	int none[] = {-1, 1000, open("/dev/null", O_RDWR), open("/", O_PATH)};

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		static const __u32 unknown[] = {0, 1u << 3, 1u << 31};

		for (size_t k = 0; k < sizeof(unknown) / sizeof(unknown[0]); k++) {
			add_attributes(fd, fd, types[i], unknown[k]);
			for (size_t n = 0; n < sizeof(none) / sizeof(none[0]); n++)
				add(none[n], none[n], types[i], NULL, unknown[k], "no ruleset");
		}
	}
}

/* The same calls on rulesets of ours. */
static void add_to_ours(void)
{
	struct landlock_ruleset_attr attr = handling();
	int fd = make_raw(&attr), ours, supervisor, supervisee;

	ours = landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_RECORDED);
	supervisor =
		landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	CHECK(fd >= 0 && ours >= 0 && supervisor >= 0);
	supervisee = supervisee_of(supervisor);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i] == LANDLOCK_RULE_NET_PORT && kernel_abi < 4)
			continue; /* known to ours */
		add_attributes(fd, ours, types[i], 0);
		add_attributes(fd, supervisee, types[i], 0);
		add_attributes(fd, ours, types[i], 1u << 31);
		add_attributes(fd, supervisor, types[i], 0);
		add_attributes(fd, supervisor, types[i], 1u << 31);
	}
}

/* -------------------------------------------------------------------- restrict_self */

/* In a child each: what succeeds is for good. */
static int in_child(bool raw, int fd, __u32 flags, bool nnp)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (nnp)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(errno_of(
			raw ? syscall(446, fd, flags) : landlock_restrict_self(fd, flags), false));
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void restrict_selves(void)
{
	struct landlock_ruleset_attr attr = handling();
	int fds[] = {-1, 1000, open("/dev/null", O_RDWR), open("/", O_PATH), make_raw(&attr)};
	static const __u32 flags[] = {0, 1, 2, 4, 7, 1u << 5, 1u << 5 | 1, 1u << 31, ~0u};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
			for (int nnp = 0; nnp < 2; nnp++) {
				int kernel = in_child(true, fds[i], flags[k], nnp);
				int ours = in_child(false, fds[i], flags[k], nnp);

				compared++;
				/* Before ABI 11 flags come second. */
				if (kernel == EPERM && kernel_abi < 11 && flags[k] > 7)
					kernel = EINVAL;
				if (kernel != ours)
					printf("# restrict_self(%d, %u): kernel %d, reeve %d\n",
						fds[i], flags[k], kernel, ours);
				CHECK_EQ(ours, kernel);
			}
		}
	}
}

static int expect_add(int fd, int type, const void *attr, __u32 flags, int error)
{
	CHECK_EQ(our_add(fd, type, attr, flags), error);
	return 1;
}

/* What only the proposals have, in their order. */
static void proposed(void)
{
	int supervisor = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR), supervisee;
	struct landlock_path_beneath_attr none = {.parent_fd = open("/", O_PATH)},
					  exec = {LANDLOCK_ACCESS_FS_EXECUTE, none.parent_fd};
	struct landlock_ruleset_attr attr = handling();
	int native = make_raw(&attr);
	const __u32 COMMIT = LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR;
	const __u32 INTERSECT = LANDLOCK_ADD_RULE_INTERSECT;

	CHECK_EQ(errno_of(ioctl(native, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0), true), ENOTTY);
	CHECK_EQ(errno_of(ioctl(supervisor, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 1), true),
		EINVAL);
	CHECK_EQ(errno_of(ioctl(1000, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0), true), EBADF);
	supervisee = supervisee_of(supervisor);
	CHECK_EQ(errno_of(ioctl(supervisee, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0), true),
		ENOTTY);
	CHECK(fcntl(supervisor, F_GETFD) == FD_CLOEXEC && fcntl(supervisee, F_GETFD) == FD_CLOEXEC);
	expect_add(supervisor, 0, NULL, COMMIT, 0);
	expect_add(supervisor, 0, NULL, 0, EINVAL);
	expect_add(supervisor, 0, &none, COMMIT, EINVAL);
	expect_add(native, 0, NULL, COMMIT, EINVAL);
	expect_add(supervisee, 0, NULL, COMMIT, EINVAL);
	expect_add(native, LANDLOCK_RULE_PATH_BENEATH, &none, COMMIT, EINVAL);
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &none, 0, ENOMSG);
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &none, COMMIT, 0);
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &none, INTERSECT, 0);
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &exec, 0, EINVAL); /* not handled */
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, NULL, COMMIT, EFAULT);
	expect_add(native, LANDLOCK_RULE_PATH_BENEATH, &exec, INTERSECT, ENOTSUP);
	CHECK_EQ(in_child(false, supervisor, 0, true), EBADFD);
	supervisor = make_ruleset(LANDLOCK_ACCESS_FS_EXECUTE, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &exec, 0, ENOTSUP);
	CHECK(strstr(reeve_landlock_why(), "execute"));
	expect_add(supervisor, LANDLOCK_RULE_PATH_BENEATH, &exec, INTERSECT, 0);
}

/* landlock-facts.md: EFAULT, ENOMSG, EINVAL (unhandled), EINVAL (range). */
static void socket_rules(void)
{
	static const struct {
		struct landlock_socket_attr attr;
		int error;
	} table[] = {
		{{0, 300, 0, 0}, ENOMSG},
		{{2, 1, 1, 0}, EINVAL},
		{{1, -1, 1, 0}, EINVAL},
		{{1, 255, 1, 0}, EINVAL},
		{{1, 0, -2, 0}, EINVAL},
		{{1, 0, 255, 0}, EINVAL},
		{{1, 0, 0, -2}, EINVAL},
		{{1, 0, 0, 65535}, EINVAL},
		{{1, 254, 254, 65534}, 0},
		{{1, 0, -1, -1}, 0},
	};
	struct landlock_ruleset_attr attr = {
		.handled_access_socket = LANDLOCK_ACCESS_SOCKET_CREATE};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0), native;

	CHECK(fd >= 0);
	CHECK_EQ(sizeof(struct landlock_socket_attr), 20);
	expect_add(fd, LANDLOCK_RULE_SOCKET, NULL, 0, EFAULT);
	expect_add(fd, LANDLOCK_RULE_SOCKET, unmapped, 0, EFAULT);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_add(fd, LANDLOCK_RULE_SOCKET, &table[i].attr, 0, table[i].error);
	attr = handling();
	native = make_raw(&attr);
	expect_add(native, LANDLOCK_RULE_SOCKET, &table[9].attr, 0, EINVAL);
	native = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_RECORDED);
	expect_add(native, LANDLOCK_RULE_SOCKET, &table[9].attr, 0, EINVAL);
	attr.handled_access_socket = 2;
	CHECK_EQ(errno_of(landlock_create_ruleset(&attr, sizeof(attr), 0), true), EINVAL);
}

/* One of the two shapes: the error of making a ruleset. */
static int made(__u64 access, __u64 permissions, __u32 flags)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_socket = access, .handled_permissions = permissions};

	return errno_of(landlock_create_ruleset(&attr, sizeof(attr), flags), true);
}

/* As the kernel's own tests of rules on permissions have it, and then the range. */
static void permission_rules(void)
{
	const __u64 C = LANDLOCK_PERMISSION_SOCKET_CREATE;
	const struct {
		struct landlock_socket_permission_attr attr;
		int error;
	} table[] = {
		{{0, 0, 300, 0, 0}, ENOMSG},
		{{1, 0, 300, 0, 0}, EINVAL},
		{{C | LANDLOCK_PERMISSION_CAPABILITY_USE, 0, 2, 1, 0}, EINVAL},
		{{C, LANDLOCK_PERMISSION_NAMESPACE_USE, 2, 1, 0}, EINVAL},
		{{C, 0, -1, 1, 0}, EINVAL},
		{{C, 0, 255, 1, 0}, EINVAL},
		{{C, 0, 0, -2, 0}, EINVAL},
		{{C, 0, 0, 255, 0}, EINVAL},
		{{C, 0, 0, 0, -2}, EINVAL},
		{{C, 0, 0, 0, 65535}, EINVAL},
		{{0, C, 255, 0, 0}, EINVAL},
		{{0, C, 254, 254, 65534}, 0},
		{{C, C, 0, -1, -1}, 0},
		{{C, 0, 254, 254, 65534}, 0},
	};
	const struct landlock_ruleset_attr handled = {.handled_permissions = C};
	const struct landlock_socket_attr access = {LANDLOCK_ACCESS_SOCKET_CREATE, 2, 1, 0};
	const __u32 flags[] = {0, LANDLOCK_CREATE_RULESET_SUPERVISOR};
	int fd, type = LANDLOCK_RULE_SOCKET_PERMISSION;

	CHECK_EQ(sizeof(struct landlock_socket_permission_attr), 28);
	for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
		fd = landlock_create_ruleset(&handled, sizeof(handled), flags[k]);
		CHECK(fd >= 0);
		expect_add(fd, type, NULL, LANDLOCK_ADD_RULE_QUIET, EINVAL);
		expect_add(fd, type, NULL, 0, EFAULT);
		expect_add(fd, type, unmapped, 0, EFAULT);
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			expect_add(fd, type, &table[i].attr, 0, table[i].error);
		expect_add(fd, LANDLOCK_RULE_SOCKET, &access, 0, EINVAL); /* the other shape */
		close(fd);
	}
	fd = landlock_create_ruleset(&handled, sizeof(handled), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	expect_add(fd, type, &table[0].attr, LANDLOCK_ADD_RULE_INTERSECT, EINVAL); /* family 300 */
	expect_add(fd, type, &table[12].attr, LANDLOCK_ADD_RULE_INTERSECT, 0);
}

static void two_shapes(void)
{
	const __u64 C = LANDLOCK_PERMISSION_SOCKET_CREATE, A = LANDLOCK_ACCESS_SOCKET_CREATE;
	const __u32 SUPERVISOR = LANDLOCK_CREATE_RULESET_SUPERVISOR;
	const struct landlock_ruleset_attr both[] = {
		{.handled_access_socket = A}, {.handled_permissions = C}};
	const struct landlock_socket_permission_attr rule = {C, 0, 2, 1, 0};
	struct landlock_ruleset_attr attr = handling(), compose = {0};
	int native = make_raw(&attr);

	for (int k = 0; k < 2; k++) {
		CHECK_EQ(made(A, C, k * SUPERVISOR), EINVAL);
		CHECK_EQ(made(0, C << 1, k * SUPERVISOR), EINVAL);
		CHECK_EQ(made(0, C, k * SUPERVISOR), 0);
	}
	expect_add(native, LANDLOCK_RULE_SOCKET_PERMISSION, &rule, 0, EINVAL);
	compose.left_fd = landlock_create_ruleset(&both[0], sizeof(attr), 0);
	compose.right_fd = landlock_create_ruleset(&both[1], sizeof(attr), 0);
	expect_add(compose.left_fd, LANDLOCK_RULE_SOCKET_PERMISSION, &rule, 0, EINVAL);
	for (__u32 flag = LANDLOCK_CREATE_RULESET_UNION; flag <= LANDLOCK_CREATE_RULESET_INTERSECT;
		flag <<= 1) {
		compose.left_fd = landlock_create_ruleset(&both[0], sizeof(attr), 0);
		CHECK_EQ(errno_of(landlock_create_ruleset(&compose, sizeof(compose), flag), true),
			EINVAL);
		compose.left_fd = landlock_create_ruleset(&both[1], sizeof(attr), 0);
		CHECK_EQ(errno_of(landlock_create_ruleset(&compose, sizeof(compose), flag), true),
			0);
	}
}

/* What nobody enforces here is refused with a reason, and never made without. */
static void not_supported(void)
{
	static const struct landlock_ruleset_attr attrs[] = {
		{.handled_access_fs = LANDLOCK_ACCESS_FS_RESOLVE_UNIX},
		{.handled_access_net = LANDLOCK_ACCESS_NET_BIND_UDP},
		{.scoped = LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET},
		{.handled_permissions = LANDLOCK_PERMISSION_NAMESPACE_USE},
		{.handled_access_socket = LANDLOCK_ACCESS_SOCKET_CREATE},
		{.handled_permissions = LANDLOCK_PERMISSION_SOCKET_CREATE},
	};
	static const __u64 features[] = {REEVE_LANDLOCK_RESOLVE_UNIX, REEVE_LANDLOCK_UDP,
		REEVE_LANDLOCK_PATHNAME_SCOPE, REEVE_LANDLOCK_PERMISSIONS, REEVE_LANDLOCK_SOCKET,
		REEVE_LANDLOCK_SOCKET_PERMISSION};
	struct reeve_landlock_features there = {.size = sizeof(there)};

	CHECK_EQ(reeve_landlock_features(&there), 0);
	CHECK_EQ(there.kernel_abi, kernel_abi);
	CHECK_EQ(there.abi, landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
	CHECK_EQ(there.kernel & there.supplied, 0);
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		bool has = (there.kernel | there.supplied) & features[i];
		int error = errno_of(landlock_create_ruleset(&attrs[i], sizeof(attrs[i]), 0), true);

		CHECK_EQ(error, has ? 0 : ENOTSUP);
		CHECK(has || reeve_landlock_why()[0]);
	}
}

static void enough(void)
{
	map_hole();
	create_rulesets();
	create_with_bits();
	add_rules();
	add_to_ours();
	printf("# %d calls compared\n", compared);
	CHECK(compared > 1000);
}

static void with_hole(void (*run)(void))
{
	map_hole();
	run();
}

static void creation(void)
{
	with_hole(create_rulesets);
}

static void rules(void)
{
	with_hole(add_rules);
}

static void rules_of_ours(void)
{
	with_hole(add_to_ours);
}

static void sockets(void)
{
	with_hole(socket_rules);
}

static void permissions(void)
{
	with_hole(permission_rules);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"create_ruleset: pointers, sizes, flags, tails", creation},
		{"create_ruleset: each bit of each member", create_with_bits},
		{"add_rule: descriptors, types, attributes, flags", rules},
		{"add_rule: the same on rulesets of reeve's own", rules_of_ours},
		{"restrict_self: descriptors, flags, no_new_privs", restrict_selves},
		{"what is proposed, in the proposals' order", proposed},
		{"socket rules", sockets},
		{"socket rules as permissions", permissions},
		{"the two shapes of socket rules do not mix", two_shapes},
		{"what nobody enforces is ENOTSUP, with a reason", not_supported},
		{"these were over a thousand calls", enough},
	};

	become_user(argc, argv);
	kernel_abi = (int)syscall(444, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
