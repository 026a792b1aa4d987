/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "base/cleanup.h"
#include "observe/audit_record.h"

/* Text that is not terminated, and is eaten from its start. */
struct span {
	const char *at;
	size_t left;
};

static void skip(struct span *span, size_t n)
{
	span->at += n;
	span->left -= n;
}

static bool eat(struct span *span, const char *word)
{
	size_t length = strlen(word);

	if (span->left < length || memcmp(span->at, word, length) != 0)
		return false;
	skip(span, length);
	return true;
}

static int digit(char c, unsigned int base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 99;

	return value < (int)base ? value : -1;
}

/* At least one digit, and no more than fit. */
static bool eat_number(struct span *span, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;
	int d;

	for (; n < span->left && (d = digit(span->at[n], base)) >= 0; n++)
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (unsigned int)d, &value))
			return false;
	skip(span, n);
	*ret = value;
	return n > 0;
}

/* ------------------------------------------------------------------------------- heads */

static bool parse(struct span span, unsigned int type, struct rv_audit_record *ret)
{
	uint64_t seconds, milliseconds, serial;

	if (!eat(&span, "audit(") || !eat_number(&span, 10, &seconds) || !eat(&span, ".") ||
		!eat_number(&span, 10, &milliseconds) || !eat(&span, ":") ||
		!eat_number(&span, 10, &serial) || !eat(&span, "):"))
		return false;
	if (seconds > INT32_MAX * UINT64_C(16) || milliseconds > 999)
		return false;
	*ret = (struct rv_audit_record){.type = type,
		.time = {(time_t)seconds, (long)milliseconds * 1000000},
		.serial = serial,
		.body = span.at,
		.length = span.left};
	return true;
}

bool rv_audit_parse_message(
	unsigned int type, const char *text, size_t length, struct rv_audit_record *ret)
{
	return parse((struct span){text, length}, type, ret);
}

/* Longer ones first: each is compared with the start of what is there. */
static const struct {
	const char *name;
	enum rv_audit_type type;
} types[] = {
	{"LANDLOCK_ACCESS ", RV_AUDIT_ACCESS},
	{"UNKNOWN[1423] ", RV_AUDIT_ACCESS},
	{"1423 ", RV_AUDIT_ACCESS},
	{"LANDLOCK_DOMAIN ", RV_AUDIT_DOMAIN},
	{"UNKNOWN[1424] ", RV_AUDIT_DOMAIN},
	{"1424 ", RV_AUDIT_DOMAIN},
	{"SYSCALL ", RV_AUDIT_SYSCALL},
	{"1300 ", RV_AUDIT_SYSCALL},
	{"EOE ", RV_AUDIT_EOE},
	{"1320 ", RV_AUDIT_EOE},
};

bool rv_audit_parse_line(const char *line, size_t length, struct rv_audit_record *ret)
{
	static const char key[] = "type=";
	struct span span = {line, length};
	const char *found = memmem(line, length, key, strlen(key));

	/* The first one only: what comes later may be anybody's text. */
	if (!found)
		return false;
	skip(&span, (size_t)(found - line) + strlen(key));
	for (size_t i = 0; i < RV_COUNT(types); i++)
		if (eat(&span, types[i].name)) {
			eat(&span, "msg=");
			return parse(span, types[i].type, ret);
		}
	return false;
}

/* ------------------------------------------------------------------------------ fields */

/* auditd's enriched format separates what it adds by 0x1d. */
static bool is_space(char c)
{
	return c == ' ' || c == '\x1d' || c == '\n' || c == '\r' || c == '\0';
}

/* No value has a space, as the kernel writes such text in hex. */
static bool find(const struct rv_audit_record *record, const char *key, struct span *ret)
{
	struct span span = {record->body, record->length};

	while (span.left > 0) {
		size_t n = 0;

		while (span.left > 0 && is_space(*span.at))
			skip(&span, 1);
		while (n < span.left && !is_space(span.at[n]))
			n++;
		*ret = (struct span){span.at, n};
		if (eat(ret, key) && eat(ret, "="))
			return true;
		skip(&span, n);
	}
	return false;
}

bool rv_audit_number(const struct rv_audit_record *record, const char *key, int64_t *ret)
{
	struct span value;
	uint64_t number;
	bool negative;

	if (!find(record, key, &value))
		return false;
	negative = eat(&value, "-");
	if (!eat_number(&value, 10, &number) || value.left > 0 || number > INT64_MAX)
		return false;
	*ret = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

bool rv_audit_id(const struct rv_audit_record *record, const char *key, uint64_t *ret)
{
	struct span value;

	return find(record, key, &value) && eat_number(&value, 16, ret) && value.left == 0;
}

static bool is_hex(const struct span *value)
{
	for (size_t i = 0; i < value->left; i++)
		if (digit(value->at[i], 16) < 0)
			return false;
	return value->left > 0 && value->left % 2 == 0;
}

static void unhex(const struct span *value, char *buf, size_t size)
{
	size_t n = value->left / 2;

	if (n > size - 1)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)(digit(value->at[2 * i], 16) << 4 | digit(value->at[2 * i + 1], 16));
	if (n > 0 && buf[0] == '\0')
		buf[0] = '@';
	buf[n] = '\0';
}

bool rv_audit_text(const struct rv_audit_record *record, const char *key, char *buf, size_t size)
{
	struct span value;
	size_t n;

	if (!find(record, key, &value))
		return false;
	if (is_hex(&value)) {
		unhex(&value, buf, size);
		return true;
	}
	if (eat(&value, "\"") && value.left > 0 && value.at[value.left - 1] == '"')
		value.left--;
	n = value.left < size ? value.left : size - 1;
	memcpy(buf, value.at, n);
	buf[n] = '\0';
	return true;
}
