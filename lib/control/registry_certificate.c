/* SPDX-License-Identifier: MIT */
/*
 * From a process to the domain that it is the program, the connector or the supervisor of:
 * "pid-PID", a symbolic link to nothing, whose text is the certificate: made, replaced and read in
 * one call. Nobody follows it. A certificate that holds needs no trust in who made the link. Of a
 * supervisor's domains it is the newest; registry_supervisor.c has all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/registry.h"

#define NAME_SIZE 20

static char *name_of(pid_t pid, char buf[NAME_SIZE])
{
	snprintf(buf, NAME_SIZE, "pid-%d", (int)pid);
	return buf;
}

/* One that had this pid before left its own, when its supervisor was killed. */
static int make_link(const struct rv_registry *registry, pid_t pid, const char *text)
{
	char name[NAME_SIZE];

	name_of(pid, name);
	if (symlinkat(text, registry->fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	unlinkat(registry->fd, name, 0);
	return symlinkat(text, registry->fd, name) < 0 ? -errno : 0;
}

int rv_registry_certify(
	const struct rv_registry *registry, const struct rv_certificate *certificate, int statement)
{
	char text[RV_CERTIFICATE_SIZE], stated[RV_CERTIFICATE_SIZE + 16];
	int r;

	rv_certificate_format(certificate, text);
	r = make_link(registry, certificate->program.pid, text);
	if (r == 0 && certificate->connector.start)
		r = make_link(registry, certificate->connector.pid, text);
	snprintf(stated, sizeof(stated), statement < 0 ? "%s" : "%s %d", text, statement);
	if (r == 0)
		r = make_link(registry, certificate->supervisor.pid, stated);
	return r == 0 ? rv_registry_supervise(registry, certificate, text) : r;
}

/* Its length. */
static int read_text(int directory, const char *name, char text[RV_CERTIFICATE_SIZE])
{
	ssize_t n = readlinkat(directory, name, text, RV_CERTIFICATE_SIZE);

	if (n < 0)
		return errno == EINVAL ? -ESTALE : -errno;
	if (n == RV_CERTIFICATE_SIZE)
		return -ESTALE;
	text[n] = '\0';
	return (int)n;
}

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 10 && !text[digits];
}

/* The number of a statement may be behind it, which is no part of it. */
int rv_certificate_read(int directory, const char *name, struct rv_certificate *ret)
{
	char text[RV_CERTIFICATE_SIZE], *last;
	int r = read_text(directory, name, text);

	if (r < 0)
		return r;
	last = strrchr(text, ' ');
	if (last && is_number(last + 1))
		*last = '\0';
	return rv_certificate_parse(text, ret) < 0 ? -ESTALE : 0;
}

int rv_registry_statement(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	char name[NAME_SIZE], text[RV_CERTIFICATE_SIZE], is[RV_CERTIFICATE_SIZE];
	size_t length = strlen(rv_certificate_format(certificate, is));

	if (read_text(registry->fd, name_of(certificate->supervisor.pid, name), text) < 0 ||
		strncmp(text, is, length) != 0 || text[length] != ' ')
		return -1;
	return is_number(text + length + 1) ? atoi(text + length + 1) : -1;
}

int rv_registry_certificate(
	const struct rv_registry *registry, pid_t pid, struct rv_certificate *ret)
{
	char name[NAME_SIZE];

	return rv_certificate_read(registry->fd, name_of(pid, name), ret);
}

static void remove_link(const struct rv_registry *registry, pid_t pid, uint64_t domain)
{
	struct rv_certificate found;
	char name[NAME_SIZE];

	/* By now it may be another's. */
	if (pid > 0 && rv_registry_certificate(registry, pid, &found) == 0 &&
		found.domain == domain)
		unlinkat(registry->fd, name_of(pid, name), 0);
}

void rv_registry_uncertify(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	remove_link(registry, certificate->program.pid, certificate->domain);
	remove_link(registry, certificate->connector.pid, certificate->domain);
	remove_link(registry, certificate->supervisor.pid, certificate->domain);
	rv_registry_unsupervise(registry, certificate);
}
