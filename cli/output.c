/* SPDX-License-Identifier: MIT */
/* What is printed: escaped, wrapped, aligned, and coloured where somebody looks. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

void cli_free_p(void *p)
{
	free(*(void **)p);
}

void cli_policy_free_p(struct reeve_policy **p)
{
	reeve_policy_free(*p);
}

void cli_plan_free_p(struct reeve_plan **p)
{
	reeve_plan_free(*p);
}

/* ------------------------------------------------------------------ escaping */

static char no_memory[] = "?";

/* Bidirectional overrides, zero-width characters, line separators: they can forge what is shown. */
static bool is_deceptive(const unsigned char *s)
{
	if (s[0] == 0xef)
		return s[1] == 0xbb && s[2] == 0xbf; /* U+FEFF */
	if (s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 &&
		       ((s[2] >= 0x8b && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
	       (s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xa9);
}

/* Length of the valid, printable UTF-8 sequence at `s`; 0 where there is none. */
static size_t printable(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead, low, high;
		size_t length;
	} forms[] = {{0xe0, 0xc0, 0xc2, 0xdf, 2}, {0xf0, 0xe0, 0xe0, 0xef, 3},
		{0xf8, 0xf0, 0xf0, 0xf4, 4}};

	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	for (size_t i = 0; i < CLI_COUNT(forms); i++) {
		size_t n = 1;

		if ((*s & forms[i].mask) != forms[i].lead)
			continue;
		if (*s < forms[i].low || *s > forms[i].high)
			return 0;
		while (n < forms[i].length && (s[n] & 0xc0) == 0x80)
			n++;
		/* U+0080 to U+009F are control characters, too. */
		if (n == 3 && is_deceptive(s))
			return 0;
		return n == forms[i].length && !(*s == 0xc2 && s[1] < 0xa0) ? n : 0;
	}
	return 0;
}

static size_t escape_byte(unsigned char byte, char *out)
{
	static const char named[] = "\nn\tt\rr\\\\";
	const char *name = NULL;

	for (const char *p = named; *p; p += 2)
		if ((unsigned char)*p == byte)
			name = p + 1;
	return (size_t)(name ? sprintf(out, "\\%c", *name) : sprintf(out, "\\x%02x", byte));
}

static char *escape(const char *text, bool backslashes)
{
	const unsigned char *in = (const unsigned char *)(text ? text : "");
	char *escaped = malloc(4 * strlen((const char *)in) + 1), *out = escaped;

	if (!escaped)
		return no_memory;
	while (*in) {
		size_t n = *in == '\\' && backslashes ? 0 : printable(in);

		memcpy(out, in, n);
		out += n ? n : escape_byte(*in, out);
		in += n ? n : 1;
	}
	*out = '\0';
	return escaped;
}

char *cli_escape(const char *text)
{
	return escape(text, true);
}

char *cli_escape_quoted(const char *text)
{
	return escape(text, false);
}

void cli_escape_free(char *text)
{
	if (text != no_memory)
		free(text);
}

void cli_escape_p(char **p)
{
	cli_escape_free(*p);
}

/* ------------------------------------------------------------------- errors */

void cli_print_error(const struct reeve_error *err)
{
	fflush(stdout);
	fprintf(stderr, "reeve: %s\n", err->message[0] ? err->message : strerror(-err->code));
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
}

int cli_fail(const char *hint, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("reeve: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (hint)
		fprintf(stderr, "hint: %s\n", hint);
	return CLI_ERROR;
}

int cli_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return cli_fail(NULL, "cannot write to standard output");
}

/* ------------------------------------------------------------------- layout */

unsigned int cli_columns(const char *text)
{
	unsigned int columns = 0;

	for (; *text; text++)
		columns += (*text & 0xc0) != 0x80;
	return columns;
}

void cli_fill(FILE *out, unsigned int at, unsigned int indent, const char *text)
{
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " \n");
		unsigned int columns = 0;

		for (size_t i = 0; i < length; i++)
			columns += (text[i] & 0xc0) != 0x80;
		if (!first && at + 1 + columns > CLI_WIDTH - 1) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		at += (unsigned int)fprintf(out, "%s%.*s", first ? "" : " ", (int)length, text);
		text += length;
		first = false;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		text += *text != '\0';
	}
	fputc('\n', out);
}

void cli_column(FILE *out, const char *text, unsigned int at, unsigned int width)
{
	unsigned int columns = cli_columns(text);

	if (columns < width)
		fprintf(out, "%s%*s", text, (int)(width - columns), "");
	else
		fprintf(out, "%s\n%*s", text, (int)(at + width), "");
}

static bool coloured(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 &&
	       isatty(STDOUT_FILENO) == 1;
}

void cli_styled(enum cli_style style, const char *text)
{
	static const char *const codes[] = {
		[CLI_HEADING] = "1", [CLI_GOOD] = "32", [CLI_BAD] = "1;31"};

	if (coloured())
		printf("\033[%sm%s\033[m", codes[style], text);
	else
		fputs(text, stdout);
}
