/* SPDX-License-Identifier: MIT */
/* What the two halves of the import of unit files share: lines (import_systemd.c) and what the
 * directives mean (import_directives.c). */
#ifndef CLI_IMPORT_SYSTEMD_H
#define CLI_IMPORT_SYSTEMD_H

#include "import.h"

#define UNIT_FAMILIES 46 /* AF_MAX of Linux 6.18 */

struct unit_setting {
	char *name, *value;
	char *origin; /* "x.service:12: ReadOnlyPaths=/usr" */
};

struct unit {
	struct cli_import *import;
	struct cli_view view;
	struct unit_setting *settings;
	size_t count;
	bool counts, has_section; /* the section at hand */
	char *passed;		  /* names of what was passed over */

	/* Socket families, ports, addresses: several directives make one list. */
	bool families[UNIT_FAMILIES], families_said;
	char *no_network; /* who said so, or NULL */
	char *family_origin;
	struct cli_port_set tcp, udp;
	bool ports_said;
	char *port_origin;
	struct cli_prefix *prefixes;
	size_t prefix_count;
	char *prefix_origin;
};

struct unit_directive {
	const char *name;
	bool adds_up; /* a later one adds to it; else it replaces it */
	int (*take)(struct unit *unit, const struct unit_directive *directive,
		const struct unit_setting *setting);
	uint64_t mask, rights; /* of paths */
	bool seals;
	const char *paths; /* what a switch is about, separated by blanks; or where a name is */
	enum cli_import_fate fate;
	const char *why;
};

const struct unit_directive *cli_unit_directive(const char *name);

/* import_unit_network.c */
int cli_unit_families(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting);
int cli_unit_ports(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting);
int cli_unit_addresses(struct unit *unit, const struct unit_directive *directive,
	const struct unit_setting *setting);
void cli_unit_finish_network(struct unit *unit);

/* A note about one setting; or CLI_ERROR after saying what it should be. */
void cli_unit_note(struct unit *unit, enum cli_import_fate fate, const struct unit_setting *setting,
	const char *why);
int cli_unit_wrong(const struct unit_setting *setting, const char *expected);

bool cli_unit_is_true(const char *value);
bool cli_unit_is_false(const char *value);
/* Calls fn for each word of the value, without quotes. */
int cli_unit_words(struct unit *unit, const struct unit_setting *setting,
	int (*fn)(struct unit *unit, const struct unit_setting *setting, const char *word));
/* With specifiers replaced; allocated. NULL: one is not known, which is noted. */
char *cli_unit_expand(struct unit *unit, const struct unit_setting *setting, const char *word);

#endif /* CLI_IMPORT_SYSTEMD_H */
