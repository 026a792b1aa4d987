/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "sample.h"

const char *const cli_sample_variables[] = {"LL_FS_RO", "LL_FS_RW", "LL_TCP_BIND", "LL_TCP_CONNECT",
	"LL_UDP_BIND", "LL_UDP_CONNECT_SEND", "LL_SCOPED", "LL_QUIET_ACCESS", "LL_FS_QUIET",
	"LL_NET_QUIET", "LL_FORCE_LOG", NULL};

const struct cli_sample_port cli_sample_ports[] = {
	{"LL_TCP_BIND", REEVE_NET_BIND_TCP},
	{"LL_TCP_CONNECT", REEVE_NET_CONNECT_TCP},
	{"LL_UDP_BIND", REEVE_NET_BIND_UDP},
	{"LL_UDP_CONNECT_SEND", REEVE_NET_CONNECT_SEND_UDP},
	{NULL, 0},
};

static const struct {
	const char *word;
	enum reeve_class cls;
	uint64_t rights;
} quiet_words[] = {
	{"tcp_bind", REEVE_NET, REEVE_NET_BIND_TCP},
	{"tcp_connect", REEVE_NET, REEVE_NET_CONNECT_TCP},
	{"udp_bind", REEVE_NET, REEVE_NET_BIND_UDP},
	{"udp_connect", REEVE_NET, REEVE_NET_CONNECT_SEND_UDP},
	{"read", REEVE_FS, CLI_SAMPLE_READ},
	{"write", REEVE_FS, ~(uint64_t)CLI_SAMPLE_READ},
	{"abstract_unix_socket", REEVE_SCOPE, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET},
	{"signal", REEVE_SCOPE, REEVE_SCOPE_SIGNAL},
	{"all", REEVE_FS, ~UINT64_C(0)},
	{"all", REEVE_NET, ~UINT64_C(0)},
	{"all", REEVE_SCOPE, ~UINT64_C(0)},
};

bool cli_sample_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

uint64_t cli_sample_scope(const char *letter)
{
	static const struct {
		const char *letter;
		uint64_t scope;
	} letters[] = {{"a", REEVE_SCOPE_ABSTRACT_UNIX_SOCKET}, {"s", REEVE_SCOPE_SIGNAL},
		{"u", REEVE_SCOPE_PATHNAME_UNIX_SOCKET}};

	for (size_t i = 0; i < CLI_COUNT(letters); i++)
		if (strcmp(letter, letters[i].letter) == 0)
			return letters[i].scope;
	return 0;
}

bool cli_sample_quiet(const char *word, struct reeve_rights *rights)
{
	bool known = false;

	for (size_t i = 0; i < CLI_COUNT(quiet_words); i++)
		if (strcmp(word, quiet_words[i].word) == 0) {
			rights->of[quiet_words[i].cls] |= quiet_words[i].rights;
			known = true;
		}
	return known;
}

int cli_sample_each(
	const char *list, char separator, int (*fn)(void *data, const char *element), void *data)
{
	const char separators[] = {separator, '\0'};
	cli_autofree char *copy = strdup(list);
	char *rest = copy, *element;
	int r = 0;

	if (!copy)
		return cli_fail(NULL, "out of memory");
	while (r == 0 && (element = strsep(&rest, separators)))
		r = fn(data, element);
	return r;
}
