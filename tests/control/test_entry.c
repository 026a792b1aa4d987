/* SPDX-License-Identifier: MIT */
/*
 * An entry of the registry is read in two ways: as plain text, or where it is not plain by jansson.
 * Whatever a file says, both say the same. A space behind the brace makes any entry not plain.
 */
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

/* Arrays may be written in more ways than one. */
static bool same_array(const char *a, const char *b)
{
	json_t *left = json_loads(a, 0, NULL), *right = json_loads(b, 0, NULL);
	bool same = json_is_array(left) && json_equal(left, right);

	json_decref(left);
	json_decref(right);
	return same;
}

static bool same(const struct rv_entry *a, const struct rv_entry *b)
{
	return a->domain == b->domain && a->supervisor == b->supervisor &&
	       a->program == b->program && a->connector == b->connector && a->board == b->board &&
	       a->rules == b->rules && a->start == b->start && a->pidns == b->pidns &&
	       a->since == b->since && a->subreaper == b->subreaper &&
	       same_text(a->name, b->name) && same_array(a->argv, b->argv) &&
	       a->certificate.domain == b->certificate.domain;
}

/* Whether it is an entry at all. */
static bool agree(const char *text)
{
	struct rv_entry_source source[2] = {0};
	struct rv_entry entry[2];
	char *spaced;
	int r[2];

	CHECK(asprintf(&spaced, "%.1s %s", text, *text ? text + 1 : "") > 0);
	for (int i = 0; i < 2; i++) {
		put(i == 0 ? text : spaced);
		r[i] = rv_entry_read(&registry, DOMAIN, &source[i], &entry[i]);
	}
	if (r[0] != r[1] || (r[0] == 0 && !same(&entry[0], &entry[1])))
		printf("# %d, %d: %s\n", r[0], r[1], text);
	CHECK(r[0] == r[1] && (r[0] < 0 || same(&entry[0], &entry[1])));
	for (int i = 0; i < 2; i++)
		rv_entry_source_release(&source[i]);
	free(spaced);
	return r[0] == 0;
}

static const char *const good[] = {
	"{\"version\":1,\"domain\":\"abc\",\"name\":null,\"supervisor\":10,\"pid\":12,"
	"\"connector\":11,"
	"\"board\":7,\"staticRules\":87,\"start\":98337,\"pidns\":4026531836,\"since\":"
	"1795939983193,"
	"\"subreaper\":true,\"certificate\":\"reeve1\",\"argv\":[\"sh\",\"-c\",\"a 'b'\"]}",
	"{\"name\":\"n\",\"board\":-1,\"argv\":[]}",
	"{\"name\":\"\\u00e9\",\"argv\":[\"\\u0001\\n\"]}",
	"{\"name\":\"\xc3\xa9 \\\"x\\\"\",\"argv\":[\"\xc3\xa9\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]}",
	"{\"later\":{\"argv\":[\"wrong\"]},\"name\":\"n\",\"argv\":[\"right\"]}",
	"{\"argv\":[\"\\\",\\\"name\\\":\\\"forged\"]}",
	"{\"since\":9223372036854775807}",
	"{\"argv\":null,\"subreaper\":false}",
	"{\"x\":\"}\",\"name\":\"n\"}",
};

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

static void texts(void)
{
	open_registry();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(agree(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!agree(bad[i]));
	remove_registry();
}

/* Bytes of good ones are changed, left out, or said twice. */
static void mutated(void)
{
	static const char bytes[] = "\"\\{}[],:019-nt \n\x7f\xc3";
	unsigned int kept = 0, lost = 0;
	char text[1024];

	open_registry();
	srand(1);
	for (int i = 0; i < 5000; i++) {
		const char *from = good[(size_t)rand() % (sizeof(good) / sizeof(good[0]))];
		size_t length = strlen(from), at = (size_t)rand() % length;
		int what = rand() % 3;

		memcpy(text, from, length + 1);
		if (what == 0)
			text[at] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		else if (what == 1)
			memmove(text + at, text + at + 1, length - at);
		else
			memmove(text + at + 1, text + at, length - at + 1);
		*(agree(text) ? &kept : &lost) += 1;
	}
	remove_registry();
	CHECK(kept > 300 && lost > 300);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"both ways say the same", texts}, {"also of what was damaged", mutated}};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
