/* SPDX-License-Identifier: MIT */
/* Rules added to policy files: what is written, and what is left alone. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "policy/edit.h"
#include "policy_util.h"

static struct reeve_rule on(const char *path, uint64_t allowed)
{
	return (struct reeve_rule){
		.type = REEVE_RULE_PATH_BENEATH, .allowed = allowed, .path = path};
}

static int add(const char *name, const char *text, const struct reeve_rule *rule, char **ret)
{
	struct reeve_error err = {0};
	struct rv_edit edit = {.name = name,
		.text = text,
		.length = strlen(text),
		.json = strstr(name, ".json") != NULL};
	int r = rv_edit_add(&edit, rule, ret, &err);

	if (r < 0)
		printf("# %d: %s\n", r, err.message);
	return r;
}

/* One edit; `want` NULL: nothing to change. */
struct edit_case {
	const char *name, *text, *path, *want;
};

static void check_edits(const struct edit_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct reeve_rule rule = on(cases[i].path, REEVE_FS_READ_FILE);
		char *got = NULL;
		int r = add(cases[i].name, cases[i].text, &rule, &got);

		CHECK_EQ(r, cases[i].want ? 1 : 0);
		if (cases[i].want)
			CHECK_STR(got, cases[i].want);
		free(got);
	}
}

#define HEAD	  "[[path_beneath]]\nallowed_access = [\"read_file\"]\n"
#define NEW(path) HEAD "parent = [\"" path "\"]\n"

static void appends_to_lists(void)
{
	static const struct edit_case cases[] = {
		{"a", HEAD "parent = [\"/a\"] # why\n", "/b",
			HEAD "parent = [\"/a\", \"/b\"] # why\n"},
		{"a", HEAD "parent = [\"/a\",]\n", "/b", HEAD "parent = [\"/a\", \"/b\",]\n"},
		{"a", HEAD "parent = ['/a' , ]\n", "/b", HEAD "parent = ['/a' , \"/b\", ]\n"},
		{"a", HEAD "parent = [\n  \"/a\", # one\n  '/c' # two\n  # end\n]\n", "/b",
			HEAD "parent = [\n  \"/a\", # one\n  '/c', # two\n  \"/b\"\n  # end\n]\n"},
		{"a", HEAD "parent = [\n\t\"/a\",\n]\nlive = false\n", "/b",
			HEAD "parent = [\n\t\"/a\",\n\t\"/b\",\n]\nlive = false\n"},
		{"a", HEAD "parent = [\r\n\t\"/a\"\r\n]\r\n", "/b",
			HEAD "parent = [\r\n\t\"/a\",\r\n\t\"/b\"\r\n]\r\n"},
		{"a", HEAD "parent = [\n\t\"/a\", \"/c\"]", "/b",
			HEAD "parent = [\n\t\"/a\", \"/c\",\n\t\"/b\"]"},
		{"a", HEAD "parent = [\"/a]#\\\"\", '\"]#', \"\"\"\n/q\"\"\"\"\"] #]\n", "/b",
			HEAD "parent = [\"/a]#\\\"\", '\"]#', \"\"\"\n/q\"\"\"\"\", \"/b\"] #]\n"},
		{"a", HEAD "parent = [\"/a\"]\n", "/a", NULL},
		{"a", HEAD "parent = [\"/$$a\"]\n", "/$a", NULL},
		{"a", HEAD "parent = [\"/a\"]\n", "/x$\"\\\n\x7f",
			HEAD "parent = [\"/a\", \"/x$$\\\"\\\\\\u000a\\u007f\"]\n"},
		{"a",
			"abi = 1\n" HEAD "parent = ['/a']\n[[path_beneath]]\nparent = ['/c']\n"
			"allowed_access = ['abi.read_write']\n",
			"/b",
			"abi = 1\n" HEAD "parent = ['/a', \"/b\"]\n[[path_beneath]]\n"
			"parent = ['/c']\nallowed_access = ['abi.read_write']\n"},
	};

	check_edits(cases, sizeof(cases) / sizeof(cases[0]));
}

static void adds_tables(void)
{
	static const struct edit_case cases[] = {
		{"a", "", "/b", NEW("/b")},
		{"a", "# only this", "/b", "# only this\n\n" NEW("/b")},
		{"a", "extends = ['base']\n", "/b", "extends = ['base']\n\n" NEW("/b")},
		{"a", HEAD "parent = ['/a']\nlive = true\n", "/b",
			HEAD "parent = ['/a']\nlive = true\n\n" NEW("/b")},
		{"a", HEAD "parent = ['/a']\nexcept = ['/a/x']\n", "/b",
			HEAD "parent = ['/a']\nexcept = ['/a/x']\n\n" NEW("/b")},
		{"a", HEAD "parent = ['/a']\nmissing = 'ignore'\n", "/b",
			HEAD "parent = ['/a']\nmissing = 'ignore'\n\n" NEW("/b")},
		{"a", "path_beneath = [{allowed_access = ['write_file'], parent = ['/a']}] # x\n",
			"/b",
			"path_beneath = [{allowed_access = ['write_file'], parent = ['/a']}, "
			"{allowed_access = [\"read_file\"], parent = [\"/b\"]}] # x\n"},
		{"a", "path_beneath = [{allowed_access = ['read_file'], parent = ['/a']}]\n", "/b",
			"path_beneath = [{allowed_access = ['read_file'], parent = ['/a', "
			"\"/b\"]}]\n"},
	};

	check_edits(cases, sizeof(cases) / sizeof(cases[0]));
}

static void edits_json(void)
{
	static const struct edit_case cases[] = {
		{"a.json", "{}", "/b",
			"{\n\t\"pathBeneath\": [{\"allowedAccess\": [\"read_file\"], \"parent\": "
			"[\"/b\"]}]\n}"},
		{"a.json", "{\n  \"abi\": 3\n}\n", "/b",
			"{\n  \"abi\": 3,\n  \"pathBeneath\": [{\"allowedAccess\": "
			"[\"read_file\"], "
			"\"parent\": [\"/b\"]}]\n}\n"},
		{"a.json",
			"{\"pathBeneath\": [{\"parent\": [\"/a\\\"]\"], \"allowedAccess\": "
			"[\"read_file\"]}], \"abi\": 1}",
			"/b",
			"{\"pathBeneath\": [{\"parent\": [\"/a\\\"]\", \"/b\"], \"allowedAccess\": "
			"[\"read_file\"]}], \"abi\": 1}"},
		{"a.json",
			"{\"pathBeneath\": [\n {\"parent\": [\"/a\"], \"allowedAccess\": "
			"[\"write_file\"]}\n]}",
			"/b",
			"{\"pathBeneath\": [\n {\"parent\": [\"/a\"], \"allowedAccess\": "
			"[\"write_file\"]},\n {\"allowedAccess\": [\"read_file\"], \"parent\": "
			"[\"/b\"]}\n]}"},
	};

	check_edits(cases, sizeof(cases) / sizeof(cases[0]));
}

static void refuses_what_it_cannot(void)
{
	struct reeve_rule rule = on("/\xff", REEVE_FS_READ_FILE),
			  port = {.type = REEVE_RULE_NET_PORT,
				  .allowed = REEVE_NET_CONNECT_TCP,
				  .port_first = 443,
				  .port_last = 443};
	char *got = NULL;

	CHECK_EQ(add("a", "", &rule, &got), -EILSEQ);
	rule.path = "/b";
	CHECK_EQ(add("a", "wrong", &rule, &got), -EINVAL);
	CHECK_EQ(add("a", "unknown = 1\n", &rule, &got), -EINVAL);
	CHECK_EQ(add("a.json", "{}", &port, &got), -EOPNOTSUPP);
	CHECK(!got);
	CHECK_EQ(add("a", "# x\n", &port, &got), 1);
	CHECK_STR(got, "# x\n\n[[net_port]]\nallowed_access = [\"connect_tcp\"]\nport = [443]\n");
	free(got);
}

/* ------------------------------------------------------------------------- random */

static unsigned int seed;

static unsigned int any(unsigned int below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % below;
}

static void grow(char *text, const char *more)
{
	CHECK(strlen(text) + strlen(more) < 8000);
	strcat(text, more);
}

static void random_list(char *text)
{
	static const char *const gaps[] = {"", " ", "\n", "\n\t", " # ]\"'[\n  ", "\n\n"};
	static const char *const names[] = {"\"/a\"", "'/b\\'", "\"/c#\\\"]\"", "\"\"\"/d\"]\"\"\"",
		"'''/e'']'''", "\"/$$f\\u00e9\""};
	unsigned int count = 1 + any(4);

	grow(text, "parent = [");
	for (unsigned int i = 0; i < count; i++) {
		grow(text, gaps[any(6)]);
		grow(text, names[any(6)]);
		grow(text, gaps[any(6)]);
		if (i + 1 < count || any(2))
			grow(text, ",");
	}
	grow(text, gaps[any(6)]);
	grow(text, any(2) ? "]\n" : "] # [\n");
}

/* Whatever the file looks like: rv_edit_add() itself proves what the new text says. */
static void edits_random_files(void)
{
	static const char *const rights[] = {"allowed_access = ['read_file']\n",
		"allowed_access = [\"read_file\", 'write_file']\n",
		"allowed_access=['fs.read_file',]\n"};
	static const char *const others[] = {"# comment [\"\n", "\n",
		"[[net_port]]\nport = [1]\nallowed_access = ['connect_tcp']\n",
		"[[variable]]\nname = 'v'\nliteral = [\"[\"]\n"};

	seed = (unsigned int)getpid();
	printf("# seed %u\n", seed);
	for (int i = 0; i < 3000; i++) {
		char text[8192] = "", *got = NULL, *again = NULL;
		struct reeve_rule rule =
			on("/new", any(2) ? REEVE_FS_READ_FILE : REEVE_FS_WRITE_FILE);

		for (unsigned int k = any(4); k > 0; k--) {
			grow(text, others[any(4)]);
			grow(text, "[[path_beneath]]\n");
			grow(text, rights[any(3)]);
			random_list(text);
		}
		if (add("random", text, &rule, &got) != 1) {
			printf("# %s\n", text);
			CHECK(false);
		}
		CHECK_EQ(add("random", got, &rule, &again), 0);
		free(got);
	}
}

/* -------------------------------------------------------------------------- files */

static int save(const char *path, const struct reeve_rule *rule, struct reeve_error *err)
{
	*err = (struct reeve_error){0};
	return reeve_policy_file_add(path, rule, 1, err);
}

static char *content(const char *path)
{
	static char text[4096];
	FILE *file = fopen(path, "r");
	size_t n;

	CHECK(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

#define BASE "[[ruleset]]\nhandled_access_fs = ['read_file', 'read_dir']\n"

static void saves_to_a_file(void)
{
	struct reeve_rule rule = on("/etc/hosts", REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE);
	struct reeve_error err;
	struct stat st;

	enter_scratch();
	write_file("p.toml", BASE);
	CHECK_EQ(chmod("p.toml", 0640), 0);
	CHECK_EQ(save("p.toml", &rule, &err), 1);
	CHECK_STR(content("p.toml"), BASE "\n" NEW("/etc/hosts")); /* it does not handle writing */
	CHECK_EQ(stat("p.toml", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_EQ(save(here("p.toml"), &rule, &err), 0);
	rule.allowed = REEVE_FS_WRITE_FILE;
	CHECK_EQ(save("p.toml", &rule, &err), -EINVAL);
	CHECK(has(err.message, "does not restrict"));
	CHECK_EQ(save("none.toml", &rule, &err), -ENOENT);
	CHECK_EQ(save("./", &rule, &err), -EINVAL);
	CHECK_EQ(access(".", W_OK), 0);
}

/* What it extends is read where it is, and counts as handled. */
static void follows_extends(void)
{
	struct reeve_rule rule = on("/etc/hosts", REEVE_FS_READ_FILE);
	struct reeve_error err;

	enter_scratch();
	CHECK_EQ(mkdir("d", 0700), 0);
	write_file("d/base.toml", BASE);
	write_file("d/p.toml", "extends = ['./base.toml']\n");
	CHECK_EQ(save("d/p.toml", &rule, &err), 1);
	CHECK_STR(content("d/p.toml"), "extends = ['./base.toml']\n\n" NEW("/etc/hosts"));
}

static void refuses_files(void)
{
	struct reeve_rule rule = on("/etc/hosts", REEVE_FS_READ_FILE);
	struct reeve_error err;

	enter_scratch();
	write_file("p.toml", BASE);
	CHECK_EQ(symlink("p.toml", "link.toml"), 0);
	CHECK_EQ(save("link.toml", &rule, &err), -ELOOP);
	CHECK(has(err.hint, "p.toml"));
	CHECK_EQ(link("p.toml", "hard.toml"), 0);
	CHECK_EQ(save("p.toml", &rule, &err), -EMLINK);
	CHECK_EQ(unlink("hard.toml"), 0);
	CHECK_EQ(mkfifo("fifo.toml", 0600), 0);
	CHECK_EQ(save("fifo.toml", &rule, &err), -ENXIO);
	write_file("bad.toml", "parent = [\n");
	CHECK_EQ(save("bad.toml", &rule, &err), -EINVAL);
	CHECK(has(err.message, "bad.toml:"));
	CHECK_STR(content("p.toml"), BASE);
	CHECK_STR(content("bad.toml"), "parent = [\n");
}

/* Two at once: nothing is lost. */
static void waits_for_others(void)
{
	pid_t children[4];
	char path[32];

	enter_scratch();
	write_file("p.toml", BASE);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		for (int k = 0; k < 5; k++) {
			struct reeve_rule rule = on(path, REEVE_FS_READ_FILE);
			struct reeve_error err;

			snprintf(path, sizeof(path), "/etc/%d-%d", i, k);
			CHECK_EQ(save("p.toml", &rule, &err), 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
		CHECK_EQ(status, 0);
	}
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "\"/etc/%d-%d\"", i / 5, i % 5);
		CHECK(strstr(content("p.toml"), path));
	}
}

static void does_not_wait_for_ever(void)
{
	struct reeve_rule rule = on("/etc/hosts", REEVE_FS_READ_FILE);
	struct reeve_error err;
	int dir;

	enter_scratch();
	write_file("p.toml", BASE);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(flock(dir, LOCK_EX), 0);
	CHECK_EQ(save("p.toml", &rule, &err), -EBUSY);
	CHECK_STR(content("p.toml"), BASE);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"a path goes to the end of the list that fits, however it is written",
			appends_to_lists},
		{"what no table grants becomes a table", adds_tables},
		{"JSON keeps its form", edits_json},
		{"what cannot be added is refused", refuses_what_it_cannot},
		{"3000 random files", edits_random_files},
		{"a file is replaced, with its mode, and only by what it handles", saves_to_a_file},
		{"what a file extends counts", follows_extends},
		{"links, FIFOs and broken files are refused and stay", refuses_files},
		{"four processes add to one file", waits_for_others},
		{"a lock on the directory is an error", does_not_wait_for_ever},
	};

	return tap_run_in_scratch(cases, sizeof(cases) / sizeof(cases[0]));
}
