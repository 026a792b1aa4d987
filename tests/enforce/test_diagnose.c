/* SPDX-License-Identifier: MIT */
/*
 * The hint after a program that the policy does not let run; and the ELF reader on broken files.
 * Arguments: the program that needs a library, with $ORIGIN/../lib as its RUNPATH, and the library.
 */
#include <sys/mman.h>
#include "enforce/elf.h"
#include "run.h"

static const char *needy, *library;

/* The system may be run and read; %s is one more directory. */
#define SYSTEM                                                                                     \
	"abi = 1\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n"                                \
	"[[path_beneath]]\nallowed_access = [\"abi.read_execute\", \"write_file\"]\n"              \
	"parent = [\"/usr\", \"/lib\", \"/etc\", \"/dev\", \"/proc\"%s%s%s]\n"

static const char *system_and(const char *dir)
{
	char *text;

	CHECK(asprintf(&text, SYSTEM, dir ? ", \"" : "", dir ? dir : "", dir ? "\"" : "") > 0);
	return text;
}

static void copy(const char *from, const char *to)
{
	char command[2 * PATH_MAX + 16];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	CHECK_EQ(system(command), 0);
	CHECK(chmod(to, 0755) == 0);
}

/* DIR/bin/prog, DIR/lib/LIBRARY. */
static const char *make_needy(void)
{
	const char *dir = make_dir();

	CHECK(mkdir(join(dir, "bin"), 0755) == 0 && mkdir(join(dir, "lib"), 0755) == 0);
	copy(needy, join(dir, "bin/prog"));
	copy(library, join(join(dir, "lib"), strrchr(library, '/') + 1));
	return dir;
}

/* ---------------------------------------------------------------------- hints */

static void program_outside(void)
{
	struct run run = {.policy = system_and(NULL)};
	const char *dir;

	need_landlock();
	dir = make_dir();
	copy("/bin/true", join(dir, "prog"));
	RUN(&run, join(dir, "prog"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, "the policy does not grant to execute");
	CHECK_HAS(run.out, text_of("hint: allow it with --rx %s\n", dir));
	/* The hint is true. */
	run.policy = system_and(dir);
	RUN(&run, join(dir, "prog"));
	CHECK_CODE(&run, 0);
	remove_dir(dir);
}

static void nothing_granted(void)
{
	struct run run = {.policy = "[[ruleset]]\nhandled_access_fs = [\"execute\"]\n"};

	need_landlock();
	RUN(&run, "true");
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, "true: the policy does not grant to execute /");
	CHECK_HAS(run.out, "--rx /usr\n");
}

static void interpreter_outside(void)
{
	struct run run = {0};
	const char *dir, *tools;

	need_landlock();
	dir = make_dir();
	CHECK(mkdir(join(dir, "src"), 0755) == 0 && mkdir(join(dir, "tools"), 0755) == 0);
	tools = join(dir, "tools");
	copy("/bin/sh", join(tools, "mysh"));
	write_file(join(dir, "src/one"), text_of("#! %s/tools/mysh -e\nexit 3\n", dir), 0755);
	write_file(join(dir, "src/two"), text_of("#!%s/src/one\n", dir), 0755);
	run.policy = system_and(join(dir, "src"));
	RUN(&run, join(dir, "src/one"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, text_of("%s/tools/mysh, its interpreter", dir));
	CHECK_HAS(run.out, text_of("hint: allow it with --rx %s/tools\n", dir));
	RUN(&run, join(dir, "src/two")); /* an interpreter that is a script itself */
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, text_of("--rx %s/tools\n", dir));
	run.policy = system_and(dir);
	RUN(&run, join(dir, "src/one"));
	CHECK_CODE(&run, 3);
	remove_dir(dir);
}

/* env(1) would fail, after an exec that succeeded: found before. */
static void behind_env(void)
{
	struct run run = {0};
	const char *dir;

	need_landlock();
	dir = make_dir();
	CHECK(mkdir(join(dir, "src"), 0755) == 0 && mkdir(join(dir, "tools"), 0755) == 0);
	copy("/bin/sh", join(dir, "tools/mysh"));
	write_file(join(dir, "src/one"), "#!/usr/bin/env mysh\nexit 3\n", 0755);
	run.policy = system_and(join(dir, "src"));
	run.options.envp = LIST(text_of("PATH=%s/tools:/usr/bin:/bin", dir));
	RUN(&run, join(dir, "src/one"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, "its interpreter mysh");
	CHECK_HAS(run.out, text_of("--rx %s/tools\n", dir));
	run.policy = system_and(dir);
	RUN(&run, join(dir, "src/one"));
	CHECK_CODE(&run, 3);
	/* Not there at all: for env to say, not for us. */
	run.options.envp = LIST("PATH=/usr/bin:/bin");
	RUN(&run, join(dir, "src/one"));
	CHECK_CODE(&run, 127);
	CHECK_HAS(run.out, "env:");
	remove_dir(dir);
}

static void tool_directories(void)
{
	static const struct {
		const char *program, *hint;
	} tools[] = {
		{".nvm/versions/node/v20/bin/tool", "-p node or --rx %s/.nvm\n"},
		{".pyenv/shims/tool", "-p python or --rx %s/.pyenv\n"},
		{".cargo/bin/tool", "-p rust or --rx %s/.cargo\n"},
		{"go/bin/tool", "-p go or --rx %s/go\n"},
		{".local/bin/tool", "hint: allow it with --rx %s/.local/bin\n"},
		{"tool", "hint: allow it with --rx %s/tool\n"}, /* never the whole home */
	};
	struct run run = {.policy = system_and(NULL)};
	const char *home;

	need_landlock();
	home = make_dir();
	run.options.envp = LIST(text_of("HOME=%s", home), "PATH=/usr/bin");
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		const char *path = join(home, tools[i].program);

		CHECK_EQ(system(text_of("mkdir -p \"$(dirname %s)\"", path)), 0);
		copy("/bin/true", path);
		RUN(&run, path);
		CHECK_CODE(&run, 126);
		CHECK_HAS(run.out, text_of(tools[i].hint, home));
	}
	remove_dir(home);
}

/* ------------------------------------------------------------------- libraries */

static void library_outside(void)
{
	struct run run = {0};
	const char *dir;

	need_landlock();
	dir = make_needy();
	run.policy = system_and(dir);
	RUN(&run, join(dir, "bin/prog"));
	CHECK_CODE(&run, 7);
	run.policy = system_and(join(dir, "bin"));
	RUN(&run, join(dir, "bin/prog"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, "its shared library");
	CHECK_HAS(run.out, text_of("hint: allow it with --rx %s/lib\n", dir));
	remove_dir(dir);
}

static void library_path(void)
{
	struct run run = {0};
	const char *dir;

	need_landlock();
	dir = make_needy();
	CHECK(rename(join(dir, "lib"), join(dir, "elsewhere")) == 0);
	run.policy = system_and(join(dir, "bin"));
	run.options.envp = LIST(text_of("LD_LIBRARY_PATH=/nowhere:%s/elsewhere", dir));
	RUN(&run, join(dir, "bin/prog"));
	CHECK_CODE(&run, 126);
	CHECK_HAS(run.out, text_of("--rx %s/elsewhere\n", dir));
	run.policy = system_and(dir);
	RUN(&run, join(dir, "bin/prog"));
	CHECK_CODE(&run, 7);
	/* Nowhere: ld.so's own message. */
	run.options.envp = LIST("A=B");
	RUN(&run, join(dir, "bin/prog"));
	CHECK_CODE(&run, 127);
	CHECK_HAS(run.out, "error while loading shared libraries");
	remove_dir(dir);
}

static void public_function(void)
{
	struct reeve_plan *plan;
	char hint[512];
	const char *dir;

	need_landlock();
	dir = make_needy();
	plan = plan_of(system_and(join(dir, "bin")));
	CHECK_EQ(reeve_plan_diagnose(plan, join(dir, "bin/prog"), NULL, hint, sizeof(hint)), 1);
	CHECK_STR(hint, text_of("allow it with --rx %s/lib", dir));
	CHECK_EQ(reeve_plan_diagnose(plan, "true", NULL, hint, sizeof(hint)), 0);
	CHECK_STR(hint, "");
	CHECK_EQ(reeve_plan_diagnose(plan, "no-such-program", NULL, hint, sizeof(hint)), 0);
	CHECK_EQ(reeve_plan_diagnose(plan, join(dir, "bin/prog"), NULL, NULL, 0), 1);
	reeve_plan_free(plan);
	remove_dir(dir);
}

/* ------------------------------------------------------------------- broken files */

static unsigned char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	unsigned char *bytes;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	CHECK(bytes && read(fd, bytes, *size) == (ssize_t)*size);
	close(fd);
	return bytes;
}

static void read_all_of(int fd)
{
	struct rv_elf *elf = malloc(sizeof(*elf));
	char text[256];

	CHECK(elf);
	rv_elf_read(elf, fd);
	CHECK(elf->needed_count <= RV_ELF_NEEDED_MAX && elf->head_length <= sizeof(elf->head));
	rv_elf_string(elf, elf->interp_at, text, sizeof(text));
	rv_elf_string(elf, elf->runpath_at, text, sizeof(text));
	rv_elf_string(elf, elf->rpath_at, text, sizeof(text));
	for (size_t i = 0; i < elf->needed_count; i++) {
		if (rv_elf_string(elf, elf->needed_at[i], text, sizeof(text)) == 0)
			CHECK(memchr(text, '\0', sizeof(text)));
	}
	free(elf);
}

/* Sanitizers put their library before all others. */
static bool needs(const struct rv_elf *elf, const char *wanted)
{
	char text[256];

	for (size_t i = 0; i < elf->needed_count; i++) {
		CHECK_EQ(rv_elf_string(elf, elf->needed_at[i], text, sizeof(text)), 0);
		if (strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

static void reads_real_files(void)
{
	struct rv_elf elf;
	char text[256];
	int fd = open(needy, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(rv_elf_read(&elf, fd), 0);
	CHECK(elf.needed_count >= 2);
	CHECK(needs(&elf, strrchr(library, '/') + 1));
	CHECK(!needs(&elf, "libnot-there.so"));
	CHECK_EQ(rv_elf_string(&elf, elf.runpath_at, text, sizeof(text)), 0);
	CHECK_HAS(text, "$ORIGIN/../lib");
	CHECK_EQ(rv_elf_string(&elf, elf.interp_at, text, sizeof(text)), 0);
	CHECK(text[0] == '/');
	CHECK_EQ(rv_elf_string(&elf, elf.interp_at, text, 4), -EINVAL);
	close(fd);
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(rv_elf_read(&elf, fd), -ENOEXEC);
	close(fd);
}

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A byte, a word of extremes, or a cut, mostly in the headers. */
static size_t mutate(unsigned char *bytes, size_t size)
{
	static const uint64_t extremes[] = {0, 1, 0xff, 0x7fffffff, 0xffffffff,
		UINT64_C(0x7fffffffffffffff), UINT64_C(0xffffffffffffffff), 0x1000};
	size_t length = size;

	for (uint64_t n = next_random() % 6 + 1; n; n--) {
		size_t range = next_random() % 2 ? 1024 : size;
		size_t at = next_random() % (range - 8);
		uint64_t word = extremes[next_random() % 8];

		if (next_random() % 2)
			bytes[at] = (unsigned char)next_random();
		else
			memcpy(bytes + at, &word, next_random() % 2 ? 8 : 4);
	}
	if (next_random() % 4 == 0)
		length = next_random() % size;
	return length;
}

static void survives_broken_files(void)
{
	size_t size;
	unsigned char *good = slurp(needy, &size), *bytes = malloc(size);
	const char *seed = getenv("REEVE_TEST_SEED");
	int fd = memfd_create("elf", MFD_CLOEXEC);

	random_state = seed ? strtoull(seed, NULL, 0) : 20240917;
	printf("# REEVE_TEST_SEED=%llu\n", (unsigned long long)random_state);
	CHECK(bytes && fd >= 0 && size > 1024);
	for (int i = 0; i < 20000; i++) {
		size_t length;

		memcpy(bytes, good, size);
		length = mutate(bytes, size);
		CHECK(pwrite(fd, bytes, length, 0) == (ssize_t)length);
		CHECK(ftruncate(fd, (off_t)length) == 0);
		read_all_of(fd);
	}
	free(good);
	free(bytes);
}

/* The whole diagnosis on broken programs: it must come to an end, whatever they say. */
static void diagnoses_broken_files(void)
{
	size_t size;
	unsigned char *good = slurp(needy, &size), *bytes = malloc(size);
	struct reeve_plan *plan;
	const char *dir, *path;
	char hint[512];

	need_landlock();
	dir = make_needy();
	path = join(dir, "bin/prog");
	plan = plan_of(system_and(NULL));
	random_state = 42;
	for (int i = 0; i < 300; i++) {
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		size_t length;

		memcpy(bytes, good, size);
		length = mutate(bytes, size);
		CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
		close(fd);
		CHECK_EQ(reeve_plan_diagnose(plan, path, NULL, hint, sizeof(hint)), 1);
	}
	write_file(path, text_of("#!%s/bin/prog\n", dir), 0755); /* itself */
	CHECK_EQ(reeve_plan_diagnose(plan, path, NULL, hint, sizeof(hint)), 1);
	write_file(path, "#!", 0755);
	CHECK_EQ(reeve_plan_diagnose(plan, path, NULL, hint, sizeof(hint)), 1);
	write_file(path, "#!   \n", 0755);
	CHECK_EQ(reeve_plan_diagnose(plan, path, NULL, hint, sizeof(hint)), 1);
	CHECK(unlink(path) == 0 && mkfifo(path, 0755) == 0); /* must not block */
	CHECK_EQ(reeve_plan_diagnose(plan, path, NULL, hint, sizeof(hint)), 0);
	free(good);
	free(bytes);
	reeve_plan_free(plan);
	remove_dir(dir);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{"hint: the program is outside", program_outside},
		{"hint: nothing is granted", nothing_granted},
		{"hint: the interpreter is outside", interpreter_outside},
		{"hint: the interpreter of env", behind_env},
		{"hint: tool directories", tool_directories},
		{"hint: a shared library is outside", library_outside},
		{"hint: LD_LIBRARY_PATH", library_path},
		{"hint: without restricting", public_function},
		{"elf: real files", reads_real_files},
		{"elf: 20000 broken files", survives_broken_files},
		{"elf: broken programs, diagnosed", diagnoses_broken_files},
	};

	if (argc != 3)
		return 2;
	needy = argv[1];
	library = argv[2];
	unsetenv("LD_LIBRARY_PATH");	    /* meson sets it, to where it built the library */
	setenv("PATH", "/usr/bin:/bin", 1); /* not the caller's, of which a part may be locked */
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
