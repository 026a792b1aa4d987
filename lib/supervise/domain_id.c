/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "base/sha256.h"
#include "kernel/process.h"
#include "supervise/domain_id.h"

char *rv_domain_id_format(uint64_t id, char buf[RV_DOMAIN_ID_SIZE])
{
	snprintf(buf, RV_DOMAIN_ID_SIZE, "%" PRIx64, id);
	return buf;
}

struct rv_process_id rv_process_id_of(pid_t pid)
{
	struct rv_process process;

	if (rv_process_read(pid, &process) < 0)
		return (struct rv_process_id){.pid = pid};
	return (struct rv_process_id){pid, process.start};
}

struct rv_process_id rv_process_id_in(pid_t pid, uint64_t pidns)
{
	struct rv_process_id id = rv_process_id_of(pid);

	if (pidns != rv_process_pidns())
		id.pid = rv_process_pid_in(pid, pidns);
	return id.pid ? id : (struct rv_process_id){0};
}

bool rv_process_id_same(const struct rv_process_id *a, const struct rv_process_id *b)
{
	return a->start && a->pid == b->pid && a->start == b->start;
}

/* ------------------------------------------------------------------------ certificates */

#define VERSION "reeve1"

/* All but the id, in one way only: this is what is hashed. Its length. */
static int subject(const struct rv_certificate *c, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	int length = snprintf(buf, size,
		"%" PRIu64 " %d.%" PRIu64 " %d.%" PRIu64 " %d.%" PRIu64 " ", c->pidns,
		(int)c->supervisor.pid, c->supervisor.start, (int)c->connector.pid,
		c->connector.start, (int)c->program.pid, c->program.start);

	for (int i = 0; i < RV_NONCE_SIZE && (size_t)length + 2 < size; i++) {
		buf[length++] = hex[c->nonce[i] >> 4];
		buf[length++] = hex[c->nonce[i] & 15];
	}
	buf[length] = '\0';
	return length;
}

static uint64_t hash(const struct rv_certificate *certificate)
{
	char text[RV_CERTIFICATE_SIZE] = VERSION " ";
	uint8_t digest[RV_SHA256_SIZE];
	uint64_t id = 0;
	size_t prefix = strlen(text);
	int length = subject(certificate, text + prefix, sizeof(text) - prefix);

	rv_sha256(text, prefix + (size_t)length, digest);
	for (int i = 0; i < 8; i++)
		id = id << 8 | digest[i];
	return id;
}

int rv_certificate_make(struct rv_certificate *certificate)
{
	certificate->domain = 0;
	while (certificate->domain == 0) {
		ssize_t n = getrandom(certificate->nonce, RV_NONCE_SIZE, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == RV_NONCE_SIZE)
			certificate->domain = hash(certificate);
	}
	return 0;
}

bool rv_certificate_holds(const struct rv_certificate *certificate)
{
	return certificate->domain && certificate->domain == hash(certificate);
}

char *rv_certificate_format(const struct rv_certificate *c, char buf[RV_CERTIFICATE_SIZE])
{
	int length = snprintf(buf, RV_CERTIFICATE_SIZE, VERSION " %" PRIx64 " ", c->domain);

	subject(c, buf + length, RV_CERTIFICATE_SIZE - (size_t)length);
	return buf;
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void parse_nonce(const char *hex, uint8_t nonce[RV_NONCE_SIZE])
{
	for (int i = 0; i < RV_NONCE_SIZE; i++)
		nonce[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* What was written in another way than ours is not ours. */
int rv_certificate_parse(const char *text, struct rv_certificate *ret)
{
	struct rv_certificate c = {0};
	char nonce[2 * RV_NONCE_SIZE + 1] = "", again[RV_CERTIFICATE_SIZE];

	if (sscanf(text,
		    VERSION " %" SCNx64 " %" SCNu64 " %d.%" SCNu64 " %d.%" SCNu64 " %d.%" SCNu64
			    " %32[0-9a-f]",
		    &c.domain, &c.pidns, &c.supervisor.pid, &c.supervisor.start, &c.connector.pid,
		    &c.connector.start, &c.program.pid, &c.program.start, nonce) != 9)
		return -EINVAL;
	if (strlen(nonce) != 2 * RV_NONCE_SIZE)
		return -EINVAL;
	parse_nonce(nonce, c.nonce);
	if (strcmp(rv_certificate_format(&c, again), text) != 0 || !rv_certificate_holds(&c))
		return -EINVAL;
	*ret = c;
	return 0;
}
