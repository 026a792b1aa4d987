/* SPDX-License-Identifier: MIT */
/* Entries of the registry as they are read: whatever a file says, it is one or it is none. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include "control/registry.h"
#include "tap.h"

#define DOMAIN 0xabc

static struct rv_registry registry;

static char path[] = "/tmp/reeve-test-entry.XXXXXX";

static void open_registry(void)
{
	CHECK(mkdtemp(path));
	registry.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	registry.uid = geteuid();
	CHECK(registry.fd >= 0);
}

static void remove_registry(void)
{
	unlinkat(registry.fd, "abc.json", 0);
	rmdir(path);
}

static void put(const char *text)
{
	int fd;

	/* Not truncated: some file systems write such a file to the disk when it is closed. */
	unlinkat(registry.fd, "abc.json", 0);
	fd = openat(registry.fd, "abc.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct {
	const char *text;
	struct rv_entry entry; /* what is in it, but for its domain */
} good[] = {
	{"{\"version\":1,\"domain\":\"abc\",\"name\":null,\"supervisor\":10,\"pid\":12,"
	 "\"connector\":11,\"board\":7,\"staticRules\":87,\"start\":98337,\"pidns\":4026531836,"
	 "\"since\":1795939983193,\"subreaper\":true,\"certificate\":\"reeve1\","
	 "\"argv\":[\"sh\",\"-c\",\"a 'b'\"]}",
		{.supervisor = 10,
			.program = 12,
			.connector = 11,
			.board = 7,
			.rules = 87,
			.start = 98337,
			.pidns = 4026531836,
			.since = 1795939983193,
			.subreaper = true,
			.argv = "[\"sh\",\"-c\",\"a 'b'\"]"}},
	{"{\"name\":\"n\",\"board\":-1,\"argv\":[]}", {.board = -1, .name = "n", .argv = "[]"}},
	{"{ \"name\" : \"\\u00e9\" , \"argv\":[\"\\u0001\\n\"]}",
		{.board = -1, .name = "\xc3\xa9", .argv = "[\"\\u0001\\n\"]"}},
	{"{\"later\":{\"argv\":[\"wrong\"]},\"name\":\"n\",\"argv\":[\"right\"]}",
		{.board = -1, .name = "n", .argv = "[\"right\"]"}},
	{"{\"argv\":[\"\\\",\\\"name\\\":\\\"forged\"]}",
		{.board = -1, .argv = "[\"\\\",\\\"name\\\":\\\"forged\"]"}},
	{"{\"since\":9223372036854775807}", {.board = -1, .since = INT64_MAX, .argv = "[]"}},
	{"{\"argv\":null,\"subreaper\":false,\"name\":7,\"pid\":\"12\"}",
		{.board = -1, .argv = "[]"}},
	{"{}", {.board = -1, .argv = "[]"}},
};

static bool same(const struct rv_entry *a, const struct rv_entry *b)
{
	return a->domain == DOMAIN && a->supervisor == b->supervisor && a->program == b->program &&
	       a->connector == b->connector && a->board == b->board && a->rules == b->rules &&
	       a->start == b->start && a->pidns == b->pidns && a->since == b->since &&
	       a->subreaper == b->subreaper && same_text(a->name, b->name) &&
	       same_text(a->argv, b->argv) && a->certificate.domain == 0;
}

static int read_entry(const char *text, struct rv_entry_source *source, struct rv_entry *ret)
{
	put(text);
	return rv_entry_read(&registry, DOMAIN, source, ret);
}

static const char *const bad[] = {
	"",
	"{",
	"[]",
	"{\"name\"}",
	"{\"name\":}",
	"{\"name\":\"n\"",
	"{\"name\":\"n\"}x",
	"{\"name\":\"n\",}",
	"{\"argv\":[\"a\"}",
	"{\"argv\":[\"a\",]}",
	"{\"argv\":[\"\\q\"]}",
	"{\"argv\":[\"a\"\"b\"]}",
	"{\"pid\":012}",
	"{\"pid\":1 2}",
	"{\"pid\":tru}",
	"{\"name\":\"\xff\"}",
	"{\"name\":\"a\nb\"}",
	"{\"argv\":[\"a",
	"{\"argv\":[",
	"{\"argv\":[\"a\",",
	"{\"pid\":-}",
	"{\"pid\":99999999999999999999999}",
};

static void entries(void)
{
	open_registry();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rv_entry_source source = {0};
		struct rv_entry entry;

		CHECK_EQ(read_entry(good[i].text, &source, &entry), 0);
		if (!same(&entry, &good[i].entry))
			printf("# %s\n", good[i].text);
		CHECK(same(&entry, &good[i].entry));
		rv_entry_source_release(&source);
	}
	remove_registry();
}

static void no_entries(void)
{
	open_registry();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rv_entry_source source = {0};
		struct rv_entry entry;

		CHECK_EQ(read_entry(bad[i], &source, &entry), -ESTALE);
		rv_entry_source_release(&source);
	}
	remove_registry();
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"what an entry says", entries}, {"what is none", no_entries}};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
