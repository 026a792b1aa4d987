/* SPDX-License-Identifier: MIT */
/* Talking to a running domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "control.h"

const struct cli_option cli_no_options[] = {{0}};

int cli_control_failed(const struct reeve_error *err)
{
	cli_print_error(err);
	return err->code == -ENOENT ? CLI_NO : CLI_ERROR;
}

int cli_control_open(
	const char *verb, const struct cli_operands *operands, struct reeve_control **ret)
{
	struct reeve_error err = {0};

	if (operands->count > 1)
		return cli_fail("an id, a unique prefix of one, a name, or a pid",
			"%s: expected at most one domain", verb);
	if (reeve_control_open(operands->items[0], ret, &err) < 0)
		return cli_control_failed(&err);
	return 0;
}

int cli_control_call(struct reeve_control *control, json_t *request, json_t **ret)
{
	cli_autofree char *text = json_dumps(request, JSON_COMPACT);
	cli_autofree char *answer = NULL;
	struct reeve_error err = {0};

	json_decref(request);
	if (!text)
		return cli_fail(NULL, "out of memory");
	if (reeve_control_call(control, text, &answer, &err) < 0)
		return cli_control_failed(&err);
	*ret = json_loads(answer, 0, NULL);
	return *ret ? 0 : cli_fail(NULL, "out of memory");
}

int cli_control_ask(
	const char *verb, const struct cli_operands *operands, json_t *request, json_t **ret)
{
	struct reeve_control *control;
	int code = cli_control_open(verb, operands, &control);

	if (code) {
		json_decref(request);
		return code;
	}
	code = cli_control_call(control, request, ret);
	reeve_control_close(control);
	return code;
}

/* ------------------------------------------------------------------------- text */

char *cli_control_text(const json_t *object, const char *key)
{
	return cli_escape(json_string_value(json_object_get(object, key)));
}

char *cli_control_command(const json_t *argv)
{
	cli_autofree char *line = strdup("");
	json_t *word;
	size_t i;

	json_array_foreach((json_t *)argv, i, word)
	{
		const char *text = json_string_value(word);
		char *longer;

		if (!line || asprintf(&longer, "%s%s%s", line, i ? " " : "", text ? text : "?") < 0)
			break;
		free(line);
		line = longer;
	}
	return cli_escape(line);
}

char *cli_control_span(uint64_t milliseconds, char buf[32])
{
	static const struct {
		uint64_t milliseconds;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};

	for (size_t i = 0; i < CLI_COUNT(units); i++)
		/* Two digits tell more than one. */
		if (milliseconds >= 2 * units[i].milliseconds || units[i].milliseconds == 1000) {
			snprintf(buf, 32, "%" PRIu64 " %s", milliseconds / units[i].milliseconds,
				units[i].unit);
			break;
		}
	return buf;
}

uint64_t cli_control_age(uint64_t since)
{
	struct timespec now;
	uint64_t milliseconds;

	clock_gettime(CLOCK_REALTIME, &now);
	milliseconds = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	return milliseconds > since ? milliseconds - since : 0;
}

void cli_control_print(const char *text)
{
	for (; *text; text++)
		putchar(((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') ||
					*text == 0x7f
				? '?'
				: *text);
}

void cli_cut(char *text, unsigned int room)
{
	unsigned int columns = 0;

	if (room < sizeof("...") || cli_columns(text) <= room)
		return;
	for (; *text; text++) {
		columns += (*text & 0xc0) != 0x80;
		if (columns > room - 3)
			break;
	}
	strcpy(text, "..."); /* there are more columns than room, so more bytes than that */
}

unsigned int cli_room(unsigned int taken)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col > taken ? size.ws_col - taken : 0;
}
