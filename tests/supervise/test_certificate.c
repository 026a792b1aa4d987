/* SPDX-License-Identifier: MIT */
/* Ids that are the hash of who has them. */
#include <inttypes.h>
#include "base/sha256.h"
#include "kernel/process.h"
#include "supervise/domain_id.h"
#include "tap.h"

/* 'a' so many times: the first 8 bytes, by another implementation (Python's hashlib). Lengths
 * around the ends of blocks. */
static void hashes(void)
{
	static const struct {
		size_t length;
		const char *start;
	} known[] = {{0, "e3b0c44298fc1c14"}, {3, "9834876dcfb05cb1"}, {55, "9f4390f8d30c2dd9"},
		{56, "b35439a4ac6f0948"}, {63, "7d3e74a05d7db15b"}, {64, "ffe054fe7ae0cb6d"},
		{119, "31eba51c313a5c08"}, {120, "2f3d335432c70b58"}, {200, "c2a908d98f5df987"}};
	char text[200], hex[17];
	uint8_t digest[RV_SHA256_SIZE];

	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		rv_sha256(text, known[i].length, digest);
		for (int k = 0; k < 8; k++)
			snprintf(hex + 2 * k, 3, "%02x", digest[k]);
		CHECK_STR(hex, known[i].start);
	}
}

static struct rv_certificate made(void)
{
	struct rv_certificate c = {.pidns = rv_process_pidns(),
		.supervisor = rv_process_id_of(getpid()),
		.connector = {12, 34},
		.program = {13, 35}};

	CHECK_EQ(rv_certificate_make(&c), 0);
	return c;
}

static void as_text(void)
{
	struct rv_certificate c = made(), back;
	char text[RV_CERTIFICATE_SIZE], longer[RV_CERTIFICATE_SIZE + 2];

	CHECK(rv_certificate_holds(&c));
	rv_certificate_format(&c, text);
	CHECK_EQ(rv_certificate_parse(text, &back), 0);
	CHECK_EQ(back.domain, c.domain);
	CHECK(rv_process_id_same(&back.program, &c.program));
	snprintf(longer, sizeof(longer), "%s ", text);
	CHECK_EQ(rv_certificate_parse(longer, &back), -EINVAL);
	snprintf(longer, sizeof(longer), " %s", text);
	CHECK_EQ(rv_certificate_parse(longer, &back), -EINVAL);
}

/* No part of it can be another's. */
static void tampered(void)
{
	struct rv_certificate c = made(), other = made(), back;
	char text[RV_CERTIFICATE_SIZE], broken[RV_CERTIFICATE_SIZE];
	size_t length;

	rv_certificate_format(&c, text);
	length = strlen(text);
	for (size_t i = 0; i < length; i++) {
		strcpy(broken, text);
		broken[i] = text[i] == '1' ? '2' : '1';
		CHECK_EQ(rv_certificate_parse(broken, &back), -EINVAL);
		memcpy(broken, text, i);
		broken[i] = '\0';
		CHECK_EQ(rv_certificate_parse(broken, &back), -EINVAL);
	}
	other.domain = c.domain;
	CHECK(!rv_certificate_holds(&other));
	c.domain = 0;
	CHECK(!rv_certificate_holds(&c));
}

static void processes(void)
{
	struct rv_process_id self = rv_process_id_of(getpid()), none = rv_process_id_of(-1), other;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	other = rv_process_id_of(child);
	CHECK(rv_process_id_same(&self, &self));
	CHECK(!rv_process_id_same(&self, &other));
	CHECK(!rv_process_id_same(&none, &none));
	other.pid = self.pid;
	other.start = self.start + 1;
	CHECK(!rv_process_id_same(&self, &other));
	other = rv_process_id_in(getpid(), rv_process_pidns());
	CHECK(rv_process_id_same(&self, &other));
	other = rv_process_id_in(getpid(), 1);
	CHECK(!rv_process_id_same(&other, &other));
	kill(child, SIGKILL);
}

int main(void)
{
	static const struct tap_case cases[] = {{"SHA-256", hashes},
		{"a certificate as text, and back", as_text},
		{"one that was tampered with", tampered}, {"processes are told apart", processes}};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
