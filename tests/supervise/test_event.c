/* SPDX-License-Identifier: MIT */
/* Events as text, JSON, flags and copies. */
#include <jansson.h>
#include <limits.h>
#include <reeve/event.h>
#include "base/cleanup.h"
#include "tap.h"

static void texts(void)
{
	static const struct {
		struct reeve_event event;
		const char *want;
	} cases[] = {
		{{.kind = REEVE_EVENT_DENIED,
			 .missing = REEVE_FS_READ_FILE,
			 .object = "/etc/shadow",
			 .comm = "cat",
			 .pid = 123},
			"denied fs.read_file /etc/shadow (cat[123])"},
		{{.kind = REEVE_EVENT_DENIED,
			 .missing = REEVE_FS_MAKE_REG | REEVE_FS_REFER,
			 .object = "/a",
			 .object2 = "/b",
			 .comm = "mv",
			 .pid = 1},
			"denied fs.make_reg, fs.refer /a -> /b (mv[1])"},
		{{.kind = REEVE_EVENT_DENIED, .call = "renameat2", .object = "/a", .pid = 7},
			"denied renameat2 /a (pid 7)"},
		{{.kind = REEVE_EVENT_DENIED,
			 .cls = REEVE_NET,
			 .missing = REEVE_NET_CONNECT_TCP,
			 .object = "192.0.2.1:80"},
			"denied net.connect_tcp 192.0.2.1:80"},
		{{.kind = REEVE_EVENT_DENIED, .missing = UINT64_C(1) << 40, .object = "/a"},
			"denied fs.0x10000000000 /a"},
		{{.kind = REEVE_EVENT_DENIED,
			 .missing = REEVE_FS_READ_FILE,
			 .object = "/a\n\033[31mb\xff",
			 .comm = "c\ad",
			 .pid = 3},
			"denied fs.read_file /a\\n\\x1b[31mb\\xff (c\\x07d[3])"},
		{{.kind = REEVE_EVENT_GUARD,
			 .call = "ioctl",
			 .by = "guard.tty",
			 .comm = "x",
			 .pid = 2},
			"refused ioctl by guard.tty (x[2])"},
		{{.kind = REEVE_EVENT_START, .object = "/bin/true", .pid = 4},
			"started /bin/true (pid 4)"},
		{{.kind = REEVE_EVENT_COMMIT, .object = "--ro /x", .by = "alice"},
			"rules changed: --ro /x by alice"},
		{{.kind = REEVE_EVENT_LOST, .count = 12}, "lost 12 events"},
		{{.kind = REEVE_EVENT_LOST, .count = 1}, "lost 1 event"},
		{{.kind = REEVE_EVENT_EXIT, .status = 3 << 8, .pid = 4}, "exited with 3 (pid 4)"},
		{{.kind = REEVE_EVENT_EXIT, .status = 9, .pid = 4},
			"ended by signal 9 (Killed) (pid 4)"},
	};

	for (size_t i = 0; i < RV_COUNT(cases); i++) {
		rv_autofree char *text = NULL;

		CHECK_EQ(reeve_event_to_text(&cases[i].event, &text), 0);
		CHECK_STR(text, cases[i].want);
	}
}

static void long_names_are_not_cut(void)
{
	char name[PATH_MAX];
	struct reeve_event event = {
		.kind = REEVE_EVENT_DENIED, .missing = REEVE_FS_READ_FILE, .object = name};
	rv_autofree char *text = NULL;

	memset(name, '\n', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	CHECK_EQ(reeve_event_to_text(&event, &text), 0);
	CHECK_EQ(strlen(text), strlen("denied fs.read_file /") + 2 * (sizeof(name) - 2));
	CHECK(!strchr(text, '\n'));
}

/* -------------------------------------------------------------------------- json */

static json_t *to_json(const struct reeve_event *event)
{
	rv_autofree char *text = NULL;
	json_t *json;

	CHECK_EQ(reeve_event_to_json(event, &text), 0);
	for (const char *p = text; *p; p++)
		CHECK(*p >= ' ' && *p <= '~');
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(json));
	return json;
}

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static long long number_of(const json_t *json, const char *key)
{
	CHECK(json_is_integer(json_object_get(json, key)));
	return json_integer_value(json_object_get(json, key));
}

static void json_has_all(void)
{
	struct reeve_event event = {.kind = REEVE_EVENT_DENIED,
		.sequence = 5,
		.time = {.tv_sec = 86400, .tv_nsec = 1500},
		.domain = UINT64_C(0xfedcba9876543210),
		.pid = 10,
		.tid = 11,
		.comm = "cat",
		.exe = "/bin/cat",
		.call = "openat",
		.asked = REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE,
		.missing = REEVE_FS_READ_FILE,
		.object = "/\xc3\xa9",
		.object2 = "/b",
		.layer = 1,
		.error = EACCES,
		.by = "floor"};
	json_t *json = to_json(&event), *rights;

	CHECK_EQ(number_of(json, "version"), 1);
	CHECK_STR(text_of(json, "event"), "denied");
	CHECK_EQ(number_of(json, "sequence"), 5);
	CHECK_STR(text_of(json, "time"), "1970-01-02T00:00:00.000001Z");
	CHECK_STR(text_of(json, "domain"), "fedcba9876543210");
	CHECK_EQ(number_of(json, "pid"), 10);
	CHECK_EQ(number_of(json, "tid"), 11);
	CHECK_STR(text_of(json, "comm"), "cat");
	CHECK_STR(text_of(json, "exe"), "/bin/cat");
	CHECK_STR(text_of(json, "call"), "openat");
	CHECK_STR(text_of(json, "object"), "/\xc3\xa9");
	CHECK_STR(text_of(json, "object2"), "/b");
	CHECK_STR(text_of(json, "error"), "EACCES");
	CHECK_STR(text_of(json, "by"), "floor");
	CHECK_EQ(number_of(json, "layer"), 1);
	rights = json_object_get(json, "asked");
	CHECK_EQ(json_array_size(rights), 2);
	CHECK_STR(json_string_value(json_array_get(rights, 0)), "fs.write_file");
	rights = json_object_get(json, "missing");
	CHECK_EQ(json_array_size(rights), 1);
	CHECK_STR(json_string_value(json_array_get(rights, 0)), "fs.read_file");
	CHECK(!json_object_get(json, "count") && !json_object_get(json, "code"));
	json_decref(json);
}

static void json_of_other_kinds(void)
{
	struct reeve_event exited = {.kind = REEVE_EVENT_EXIT, .status = 3 << 8};
	struct reeve_event killed = {.kind = REEVE_EVENT_EXIT, .status = 9};
	struct reeve_event lost = {.kind = REEVE_EVENT_LOST, .count = 4};
	json_t *json = to_json(&exited);

	CHECK_STR(text_of(json, "event"), "exit");
	CHECK_EQ(number_of(json, "code"), 3);
	CHECK(!json_object_get(json, "signal") && !json_object_get(json, "object"));
	json_decref(json);
	json = to_json(&killed);
	CHECK_EQ(number_of(json, "signal"), 9);
	json_decref(json);
	json = to_json(&lost);
	CHECK_STR(text_of(json, "event"), "lost");
	CHECK_EQ(number_of(json, "count"), 4);
	json_decref(json);
}

static void json_of_names_that_are_not_utf8(void)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_DENIED, .object = "/\xff\n", .comm = "\xfe"};
	json_t *json = to_json(&event);

	CHECK_STR(text_of(json, "object"), "/\\xff\\n");
	CHECK_STR(text_of(json, "object_hex"), "2fff0a");
	CHECK_STR(text_of(json, "comm_hex"), "fe");
	CHECK(!json_object_get(json, "exe_hex"));
	json_decref(json);
}

/* ------------------------------------------------------------------------- flags */

static void flags(void)
{
#define FS(bits, name, other)                                                                      \
	{                                                                                          \
		.kind = REEVE_EVENT_DENIED, .missing = (bits), .object = (name),                   \
		.object2 = (other)                                                                 \
	}
	static const struct {
		struct reeve_event event;
		const char *want;
	} cases[] = {
		{FS(REEVE_FS_READ_FILE, "/etc/hosts", NULL), "--ro /etc/hosts"},
		{FS(REEVE_FS_READ_DIR, "/", NULL), "--ro /"},
		{FS(REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE, "/d/f", NULL), "--rw /d/f"},
		{FS(REEVE_FS_TRUNCATE, "/d/f", NULL), "--rw /d/f"},
		{FS(REEVE_FS_MAKE_DIR, "/opt/x", NULL), "--rw /opt"},
		{FS(REEVE_FS_MAKE_REG | REEVE_FS_WRITE_FILE, "/opt/x", NULL), "--rw /opt"},
		{FS(REEVE_FS_REMOVE_FILE, "/x", NULL), "--rw /"},
		{FS(REEVE_FS_REFER, "/a/x", "/b/x"), "--rw /a --rw /b"},
		{FS(REEVE_FS_MAKE_REG, "/a/x", "/a/y"), "--rw /a"},
		{FS(REEVE_FS_REFER, "/a/x", "/a/d/x"), "--rw /a"},
		{FS(REEVE_FS_REFER, "/a/d/x", "/a/x"), "--rw /a"},
		{FS(REEVE_FS_REFER, "/ab/x", "/a/x"), "--rw /ab --rw /a"},
		{FS(REEVE_FS_REFER, "/a/x", "/x"), "--rw /"},
		{FS(REEVE_FS_RESOLVE_UNIX, "/run/bus", NULL), "--unix /run/bus"},
		{FS(REEVE_FS_EXECUTE, "/bin/sh", NULL), ""},
		{FS(REEVE_FS_EXECUTE | REEVE_FS_READ_FILE, "/bin/sh", NULL), ""},
		{FS(0, "/etc/hosts", NULL), ""},
		{FS(REEVE_FS_READ_FILE, NULL, NULL), ""},
		{FS(REEVE_FS_READ_FILE, "relative", NULL), ""},
		{FS(REEVE_FS_READ_FILE, "/a b", NULL), "--ro '/a b'"},
		{FS(REEVE_FS_READ_FILE, "/it's", NULL), "--ro '/it'\\''s'"},
		{FS(REEVE_FS_READ_FILE, "/$(x)`y`\"z\\", NULL), "--ro '/$(x)`y`\"z\\'"},
		{FS(REEVE_FS_READ_FILE, "/\xc3\xa9", NULL), "--ro '/\xc3\xa9'"},
		{FS(REEVE_FS_READ_FILE, "/a\nb", NULL), "--ro $'/a\\nb'"},
		{FS(REEVE_FS_READ_FILE, "/\033'\xff\"\\", NULL), "--ro $'/\\x1b\\'\\xff\\\"\\\\'"},
		{FS(REEVE_FS_MAKE_REG, "/a b/\n", NULL), "--rw '/a b'"},
		{{.kind = REEVE_EVENT_GUARD, .missing = REEVE_FS_READ_FILE, .object = "/x"}, ""},
		{{.kind = REEVE_EVENT_DENIED,
			 .cls = REEVE_NET,
			 .missing = REEVE_NET_CONNECT_TCP,
			 .object = "192.0.2.1:443"},
			"--connect-tcp 192.0.2.1:443"},
		{{.kind = REEVE_EVENT_DENIED,
			 .cls = REEVE_SOCKET,
			 .missing = REEVE_SOCKET_CREATE,
			 .object = "inet:stream"},
			"--socket inet:stream"},
		{{.kind = REEVE_EVENT_DENIED,
			 .cls = REEVE_SCOPE,
			 .missing = REEVE_SCOPE_SIGNAL,
			 .object = "1"},
			""},
	};
#undef FS
	char flag[128];

	for (size_t i = 0; i < RV_COUNT(cases); i++) {
		CHECK(reeve_event_flag(&cases[i].event, flag, sizeof(flag)) == flag);
		CHECK_STR(flag, cases[i].want);
	}
}

static void a_flag_names_what_is_there(void)
{
	const struct reeve_event event = {.kind = REEVE_EVENT_DENIED,
		.asked = REEVE_FS_MAKE_REG | REEVE_FS_WRITE_FILE,
		.missing = REEVE_FS_WRITE_FILE,
		.object = "/opt/new"};
	char flag[64];

	CHECK_STR(reeve_event_flag(&event, flag, sizeof(flag)), "--rw /opt");
}

static void a_flag_is_whole_or_not_there(void)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_DENIED, .missing = REEVE_FS_READ_FILE, .object = "/abc"};
	char flag[16];

	for (size_t size = 0; size < sizeof(flag); size++) {
		memset(flag, 'x', sizeof(flag));
		reeve_event_flag(&event, flag, size);
		CHECK_EQ(flag[size], 'x');
		if (size)
			CHECK_STR(flag, size > strlen("--ro /abc") ? "--ro /abc" : "");
	}
}

/* ------------------------------------------------------------------------ copies */

static void copies_own_their_strings(void)
{
	char exe[] = "/bin/cat", object[] = "/x";
	struct reeve_event event = {.size = sizeof(event),
		.kind = REEVE_EVENT_DENIED,
		.exe = exe,
		.object = object,
		.comm = "0123456789abcde",
		.count = 9};
	struct reeve_event *copy = NULL;

	CHECK_EQ(reeve_event_copy(&event, &copy), 0);
	memset(exe, 'y', sizeof(exe) - 1);
	memset(object, 'y', sizeof(object) - 1);
	CHECK_STR(copy->exe, "/bin/cat");
	CHECK_STR(copy->object, "/x");
	CHECK_STR(copy->comm, "0123456789abcde");
	CHECK(!copy->call && !copy->object2 && !copy->by);
	CHECK_EQ(copy->count, 9);
	CHECK_EQ(copy->size, sizeof(*copy));
	free(copy);
}

/* From a program that knows less of the structure. */
static void a_shorter_event(void)
{
	struct reeve_event event = {.size = offsetof(struct reeve_event, layer),
		.object = "/x",
		.layer = 3,
		.by = (const char *)1,
		.status = 1};
	struct reeve_event *copy = NULL;

	CHECK_EQ(reeve_event_copy(&event, &copy), 0);
	CHECK_STR(copy->object, "/x");
	CHECK(!copy->layer && !copy->by && !copy->status);
	free(copy);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"in words", texts},
		{"long names in words", long_names_are_not_cut},
		{"a denial in JSON", json_has_all},
		{"other kinds in JSON", json_of_other_kinds},
		{"names that are not UTF-8 in JSON", json_of_names_that_are_not_utf8},
		{"the flag that would allow it", flags},
		{"a flag names what is there", a_flag_names_what_is_there},
		{"a flag is whole or not there", a_flag_is_whole_or_not_there},
		{"copies own their strings", copies_own_their_strings},
		{"an event of an older size", a_shorter_event},
	};

	return tap_run(cases, RV_COUNT(cases));
}
