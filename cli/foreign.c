/* SPDX-License-Identifier: MIT */
/* Options of other sandboxes: what is nearest to them here, and what reads them as they are. */
#include <stdio.h>
#include <string.h>
#include "cli.h"

static const struct {
	const char *option, *ours, *tool;
} table[] = {
	{"--add-exec", "--rx PATH", "landrun"},
	{"--best-effort", "--degrade FEATURE", "landrun"},
	{"--ldd", "--rx /usr", "landrun"},
	{"--log-level", "--verbose", "landrun"},
	{"--unrestricted-filesystem", "--rwx /", "landrun"},
	{"--unrestricted-network", NULL, "landrun"},
	{"--bind", "--rw PATH", "bwrap"},
	{"--clearenv", "--clear-env", "bwrap"},
	{"--dev", NULL, "bwrap"},
	{"--dev-bind", "--rw PATH", "bwrap"},
	{"--die-with-parent", NULL, "bwrap"},
	{"--new-session", NULL, "bwrap"},
	{"--proc", NULL, "bwrap"},
	{"--ro-bind", "--rx PATH", "bwrap"},
	{"--setenv", "--env NAME=VALUE", "bwrap"},
	{"--share-net", "--net", "bwrap"},
	{"--tmpfs", NULL, "bwrap"},
	{"--unshare-all", NULL, "bwrap"},
	{"--unshare-net", NULL, "bwrap"},
	{"--blacklist", "--deny PATH", "firejail"},
	{"--noprofile", "-p none", "firejail"},
	{"--noroot", NULL, "firejail"},
	{"--private", NULL, "firejail"},
	{"--profile", "-p POLICY", "firejail"},
	{"--read-only", "--ro PATH", "firejail"},
	{"--read-write", "--rw PATH", "firejail"},
	{"--seccomp", NULL, "firejail"},
	{"--whitelist", "--rw PATH", "firejail"},
};

const char *cli_foreign_hint(const char *option, char *buf, size_t size)
{
	for (size_t i = 0; i < CLI_COUNT(table); i++) {
		const char *ours = table[i].ours;

		if (strcmp(table[i].option, option) != 0)
			continue;
		snprintf(buf, size, "%s%s`reeve policy import %s` reads %s", ours ? ours : "",
			ours ? " is nearest to it; " : "", table[i].tool,
			strcmp(table[i].tool, "firejail") == 0 ? "its profiles"
							       : "its command lines");
		return buf;
	}
	return NULL;
}
