/* SPDX-License-Identifier: MIT */
/* A question on a screen, and what each key means. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ask.h"
#include "control.h"

#define KEY_CTRL_C 3

/* What can be answered by one key, of a class (NULL: any). Capital letters last. */
static const struct key {
	int key;
	const char *cls, *answer, *scope, *term, *words;
} keys[] = {
	{'y', NULL, "allow", "object", "once", "allowed once"},
	{'n', NULL, "deny", "object", "once", "denied"},
	{KEY_CTRL_C, NULL, "deny", "object", "once", "denied"},
	{'F', NULL, "allow", "object", "session", "allowed"},
	{'D', "fs", "allow", "directory", "session", "allowed its directory"},
	{'T', "fs", "allow", "tree", "session", "allowed the tree"},
	{'A', "net", "allow", "address", "session", "allowed all ports of this address"},
	{'P', "net", "allow", "port", "session", "allowed this port of all addresses"},
	{'T', "socket", "allow", "type", "session", "allowed all protocols of this type"},
	{'A', "socket", "allow", "family", "session", "allowed all of this family"},
	{'K', NULL, "allow", "kind", "session", "allowed all of this kind"},
	{'N', NULL, "deny", "object", "session", "denied, and will not be asked again"},
	{'X', NULL, "deny", "kind", "session",
		"denied, and nothing of this kind will be asked again"},
};

static bool is_of_class(const json_t *question, const char *cls)
{
	const char *its = json_string_value(json_object_get(question, "class"));

	return !cls || (its && strcmp(its, cls) == 0);
}

static const struct key *find_key(const json_t *question, int key)
{
	for (size_t i = 0; i < CLI_COUNT(keys); i++)
		if (keys[i].key == key && is_of_class(question, keys[i].cls))
			return &keys[i];
	return NULL;
}

static const char *line_of(const json_t *question, const char *scope)
{
	return json_string_value(json_object_get(json_object_get(question, "policyLines"), scope));
}

/* What lasts needs a rule that can be made. */
static bool is_possible(const json_t *question, const struct key *key)
{
	bool lasts = strcmp(key->term, "once") != 0;

	return !lasts || strcmp(key->answer, "deny") == 0 || line_of(question, key->scope);
}

json_t *cli_ask_answer(const json_t *question, int pressed, const struct cli_ask_modes *modes,
	const char **ret_words)
{
	const struct key *key = find_key(question, pressed);
	bool lasts = key && strcmp(key->term, "once") != 0;
	json_t *answer;

	if (!key || !is_possible(question, key))
		return NULL;
	answer = json_pack("{s:O, s:s, s:s, s:s}", "question",
		json_object_get(question, "question"), "answer", key->answer, "scope", key->scope,
		"term", lasts && modes->for_a_while ? "duration" : key->term);
	if (lasts && modes->for_a_while)
		json_object_set_new(
			answer, "milliseconds", json_integer(CLI_ASK_MINUTES * 60 * 1000));
	else if (lasts && modes->save && strcmp(key->answer, "allow") == 0)
		json_object_set_new(answer, "save", json_true());
	*ret_words = key->words;
	return answer;
}

/* ------------------------------------------------------------------------------ showing */

struct screen {
	int fd;
	unsigned int width;
};

/* One line, cut in the middle where it is longer than `lines` of the screen: both ends say
 * something. Escaped text has no byte that moves the cursor, and about a column for each. */
static void put(
	const struct screen *screen, unsigned int lines, const char *before, const char *text)
{
	size_t room = (size_t)screen->width * lines - 1 - strlen(before), length = strlen(text);
	size_t head = room / 2, tail = room - head - 5;

	if (length <= room) {
		dprintf(screen->fd, "%s%s\n", before, text);
		return;
	}
	/* Not within a character. */
	while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80)
		head--;
	while (tail > 0 && ((unsigned char)text[length - tail] & 0xc0) == 0x80)
		tail--;
	dprintf(screen->fd, "%s%.*s ... %s\n", before, (int)head, text, text + length - tail);
}

static void show_program(const struct screen *screen, const json_t *question)
{
	cli_autoescape char *exe = cli_control_text(question, "exe");
	cli_autofree char *line = NULL;
	const json_t *parents = json_object_get(question, "parents");
	json_t *parent;
	size_t i;

	if (asprintf(&line, "%s", *exe ? exe : "(unknown)") < 0)
		return;
	json_array_foreach((json_t *)parents, i, parent)
	{
		cli_autoescape char *comm = cli_control_text(parent, "comm");
		char *longer;

		if (asprintf(&longer, "%s%s%s[%d]", line, i ? " < " : ", started by ", comm,
			    (int)json_integer_value(json_object_get(parent, "pid"))) < 0)
			return;
		free(line);
		line = longer;
	}
	put(screen, 2, "  program  ", line);
}

static void show_rights(const struct screen *screen, const json_t *question)
{
	char line[512] = "";
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(question, "missing"), i, name)
	{
		size_t at = strlen(line);

		snprintf(line + at, sizeof(line) - at, "%s%s", i ? ", " : "",
			json_string_value(name));
	}
	put(screen, 1, "  needs    ", line);
}

static void show_more(const struct screen *screen, const json_t *question)
{
	json_int_t requests = json_integer_value(json_object_get(question, "waiting"));
	char line[64];

	if (requests <= 1)
		return;
	snprintf(line, sizeof(line), "%lld requests wait for this answer", (long long)requests);
	put(screen, 1, "  besides  ", line);
}

/* "  D  /etc and below      [[path_beneath]] ..." */
static void show_scope(const struct screen *screen, const json_t *question, int key,
	const char *scope, const char *what)
{
	cli_autoescape char *line = cli_escape(line_of(question, scope));
	cli_autoescape char *label = cli_escape(what);
	char before[8];

	if (!line_of(question, scope))
		return;
	snprintf(before, sizeof(before), "  %c  ", key);
	put(screen, 1, before, label);
	put(screen, 2, "       ", line);
}

static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? text : "";
}

static const char *text_in(const json_t *question, const char *key)
{
	return text_of(json_object_get(question, key));
}

static void show_path_keys(const struct screen *screen, const json_t *question)
{
	bool is_directory = json_is_true(json_object_get(question, "objectIsDirectory"));
	bool is_socket = strcmp(text_of(json_array_get(json_object_get(question, "missing"), 0)),
				 "fs.resolve_unix") == 0;

	show_scope(screen, question, 'F', "object",
		is_directory ? "this directory and what is below"
		: is_socket  ? "this socket"
			     : "this file");
	if (!is_directory)
		show_scope(screen, question, 'D', "directory", text_in(question, "directory"));
	show_scope(screen, question, 'T', "tree", text_in(question, "tree"));
	show_scope(screen, question, 'K', "kind", "all of this kind, everywhere");
}

static void show_net_keys(const struct screen *screen, const json_t *question)
{
	char port[64], address[128];

	snprintf(address, sizeof(address), "all ports of %s", text_in(question, "address"));
	snprintf(port, sizeof(port), "port %d of all addresses",
		(int)json_integer_value(json_object_get(question, "port")));
	show_scope(screen, question, 'F', "object", "this address and port");
	show_scope(screen, question, 'A', "address", address);
	show_scope(screen, question, 'P', "port", port);
	show_scope(screen, question, 'K', "kind", "all addresses and ports");
}

static void show_socket_keys(const struct screen *screen, const json_t *question)
{
	show_scope(screen, question, 'F', "object", "sockets of this kind");
	show_scope(screen, question, 'T', "type", "of this type, with any protocol");
	show_scope(screen, question, 'A', "family", "of this family, of any type");
}

/* Keys side by side; below each other where the screen is too narrow: none may be cut off. */
static void show_row(const struct screen *screen, const char *left, const char *right)
{
	bool fits = strlen(left) + strlen(right) + 5 < screen->width;

	dprintf(screen->fd, "%s%s%s\n", left, fits ? "     " : "\n  ", right);
}

static void show_keys(
	const struct screen *screen, const json_t *question, const struct cli_ask_modes *modes)
{
	static const struct {
		const char *cls;
		void (*show)(const struct screen *, const json_t *);
	} classes[] = {
		{"fs", show_path_keys}, {"net", show_net_keys}, {"socket", show_socket_keys}};
	cli_autoescape char *file = cli_control_text(question, "policyFile");
	cli_autofree char *save = NULL;
	char minutes[80];

	show_row(screen, "  y  yes, once     n  no", "N  never this     X  never any of this kind");
	for (size_t i = 0; i < CLI_COUNT(classes); i++)
		if (is_of_class(question, classes[i].cls))
			classes[i].show(screen, question);
	snprintf(minutes, sizeof(minutes), "  m  [%c] capital letters hold for %d minutes only",
		modes->for_a_while ? 'x' : ' ', CLI_ASK_MINUTES);
	show_row(screen, minutes, "q  stop asking");
	if (*file && asprintf(&save, "  s  [%c] ... and are saved to %s", modes->save ? 'x' : ' ',
			     file) >= 0)
		put(screen, 1, "", save);
}

void cli_ask_show(const struct cli_terminal *terminal, const json_t *question,
	const struct cli_ask_modes *modes)
{
	struct screen screen = {terminal->fd, cli_terminal_width(terminal)};

	dprintf(screen.fd, "\n");
	/* Escaped by the library, for terminals. */
	put(&screen, 4, "reeve: ", text_in(question, "text"));
	show_program(&screen, question);
	show_rights(&screen, question);
	show_more(&screen, question);
	show_keys(&screen, question, modes);
}

void cli_ask_prompt(const struct cli_terminal *terminal, size_t besides)
{
	if (besides == 0)
		dprintf(terminal->fd, "\r\033[K? ");
	else
		dprintf(terminal->fd, "\r\033[K? (%zu more question%s wait%s) ", besides,
			besides == 1 ? "" : "s", besides == 1 ? "s" : "");
}
