/* SPDX-License-Identifier: MIT */
/* Whether CMD will be able to write to what `reeve run` writes beside it. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervised.h"

/* To write into it, or to put another in its place; what holds above holds on it. */
#define CHANGING                                                                                   \
	(REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE | REEVE_FS_REMOVE_FILE | REEVE_FS_REMOVE_DIR |    \
		REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SYM | REEVE_FS_REFER)

bool cli_can_change(const struct reeve_ruleset *ruleset, const char *path)
{
	struct reeve_domain *domain = NULL;
	struct reeve_decision decision;

	if (reeve_domain_new(NULL, (struct reeve_ruleset *)ruleset, &domain) < 0)
		return true; /* no memory: the safe answer */
	reeve_decide_path(domain, path, CHANGING, &decision);
	reeve_domain_free(domain);
	return decision.allowed || (decision.missing & CHANGING) != CHANGING;
}

void cli_warn_reachable(const struct reeve_ruleset *ruleset, const char *option, int fd)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (path[0] == '/') {
		cli_autoescape char *shown = cli_escape(path);

		if (cli_can_change(ruleset, path))
			fprintf(stderr,
				"reeve: warning: %s: CMD can write to %s, so what is there "
				"afterwards "
				"may be of its making\n",
				option, shown);
	}
}
