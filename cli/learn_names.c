/* SPDX-License-Identifier: MIT */
/* Names that will be others the next time: made of chance, of a pid, of the time, of the contents.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "learn.h"

#define HEX	    "0123456789abcdef"
#define DAY	    ((time_t)24 * 60 * 60)
#define HASH_DIGITS 16

/* -------------------------------------------------------------------------- chance */

/*
 * mkstemp(3)'s XXXXXX and what others make like it. Sure of it by itself: sixteen hexadecimal
 * digits, or letters and digits that alternate. Else it may be a word: "README", "Makefile2".
 */
static enum learn_newness chance_of(const char *run, size_t length)
{
	size_t digits = 0, upper = 0, lower = 0, changes = 0;

	for (size_t i = 0; i < length; i++) {
		digits += isdigit((unsigned char)run[i]) != 0;
		upper += isupper((unsigned char)run[i]) != 0;
		lower += islower((unsigned char)run[i]) != 0;
		changes +=
			i && !isdigit((unsigned char)run[i]) != !isdigit((unsigned char)run[i - 1]);
	}
	if (length < 6)
		return LEARN_NOT_NEW;
	if (changes > 3 || (digits && length >= HASH_DIGITS && strspn(run, HEX) >= length))
		return LEARN_SURELY_NEW;
	return digits || (upper && lower) ? LEARN_PERHAPS_NEW : LEARN_NOT_NEW;
}

/* Python's tempfile: eight of these, which need not have a digit among them. */
static bool is_pythons(const char *name)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	return strncmp(name, "tmp", 3) == 0 && strspn(name + 3, characters) == 8;
}

/* XXXXXX may have become letters of one case. Whoever makes such a file wants a new one. */
static bool ends_in_letters(const char *name)
{
	size_t length = strlen(name), letters = 0, upper = 0;

	while (letters < length && isalpha((unsigned char)name[length - letters - 1])) {
		letters++;
		upper += isupper((unsigned char)name[length - letters]) != 0;
	}
	return letters == 6 && (upper == 0 || upper == 6) &&
	       (length == 6 || !isdigit((unsigned char)name[length - 7]));
}

/* ----------------------------------------------------------------------------- pid */

static bool has_number(const char *name, pid_t pid)
{
	char number[16];
	size_t length = (size_t)snprintf(number, sizeof(number), "%d", (int)pid);
	const char *at = pid > 9 ? strstr(name, number) : NULL;

	return at && !(at > name && isdigit((unsigned char)at[-1])) &&
	       !isdigit((unsigned char)at[length]);
}

/* The shell's $$ is in names that the programs make which it calls. */
static bool has_pid(
	const struct learned *learned, const char *name, const struct reeve_actor *actor)
{
	uint32_t id = actor->parent;
	bool has = has_number(name, actor->pid);

	for (int i = 0; !has && id && id < learned->lineage_count && i < 16; i++) {
		has = has_number(name, learned->lineage[id].pid);
		id = learned->lineage[id].parent;
	}
	return has;
}

/* ---------------------------------------------------------------------------- time */

/* "2026-11-29", "20261129", "2026_11_29": a day on which it may have run. */
static bool is_date(const char *at, time_t now)
{
	for (time_t day = now - 2 * DAY; day <= now + DAY; day += DAY) {
		char text[16];
		const char *name = at;
		struct tm tm;
		size_t i = 0;

		if (!gmtime_r(&day, &tm) || !strftime(text, sizeof(text), "%Y%m%d", &tm))
			return false;
		for (; text[i] && *name == text[i]; i++, name++)
			if ((i == 3 || i == 5) && name[1] && strchr("-_.", name[1]))
				name++;
		if (!text[i])
			return true;
	}
	return false;
}

/* Seconds since 1970, or thousandths, millionths or billionths. */
static bool is_count_of_seconds(const char *at, time_t now)
{
	size_t length = strspn(at, "0123456789");
	char seconds[11] = "";
	long long number;

	if (length < 10 || length > 19 || (length - 10) % 3)
		return false;
	memcpy(seconds, at, 10);
	number = atoll(seconds);
	return number >= now - 2 * DAY && number <= now + DAY;
}

static bool has_time(const char *name, time_t now)
{
	for (const char *at = name; *at; at++) {
		if (!isdigit((unsigned char)*at) || (at > name && isdigit((unsigned char)at[-1])))
			continue;
		if (is_date(at, now) || is_count_of_seconds(at, now))
			return true;
	}
	return false;
}

/* -------------------------------------------------------------------------- either */

enum learn_newness learn_newness_of(
	const struct learned *learned, const char *path, const struct reeve_access *access)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	enum learn_newness found = LEARN_NOT_NEW;

	if (has_pid(learned, name, access->actor) || has_time(name, learned->now))
		return LEARN_SURELY_NEW;
	if (is_pythons(name) || ((access->flags & REEVE_ACCESS_EXCLUSIVE) && ends_in_letters(name)))
		found = LEARN_PERHAPS_NEW;
	for (size_t length; *name; name += length + (name[length] != '\0')) {
		enum learn_newness of;

		for (length = 0; isalnum((unsigned char)name[length]); length++)
			;
		of = chance_of(name, length);
		found = of > found ? of : found;
	}
	return found;
}

/* ---------------------------------------------------------------------------- fans */

/*
 * What is named by its contents is often kept in directories named by the first digits of that:
 * .git/objects/6b/3414f1…, a/0/9/a09c…. Next time it will be other directories, too.
 */

static bool is_hash(const char *name)
{
	size_t length = strspn(name, HEX);

	return length >= HASH_DIGITS && strpbrk(name, "0123456789") < name + length &&
	       !isalnum((unsigned char)name[length]);
}

/* Of a directory's name, the hexadecimal digits if it has nothing else, one or two; or 0. */
static size_t fan_digits(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t length = name ? strspn(name + 1, HEX) : 0;

	return name && !name[1 + length] && length <= 2 ? length : 0;
}

/* One directory of one digit says nothing: "b" is where some people build. */
static bool is_in_fan(const char *path)
{
	char dir[4096];
	size_t digits, sum = 0;

	if (strlen(path) >= sizeof(dir))
		return false;
	strcpy(dir, path);
	for (cli_path_up(dir); (digits = fan_digits(dir)); cli_path_up(dir))
		sum += digits;
	return sum >= 2;
}

void learn_mark_fan(struct learned *learned, const char *path)
{
	const char *slash = strrchr(path, '/');
	cli_autofree char *dir = NULL;

	if (!slash || !is_hash(slash + 1) || !is_in_fan(path))
		return;
	dir = strdup(path);
	learned->failed |= !dir;
	if (!dir)
		return;
	for (cli_path_up(dir); fan_digits(dir); cli_path_up(dir)) {
		struct learn_path *entry = cli_path_table_get(&learned->paths, dir);

		learned->failed |= !entry;
		if (!entry)
			return;
		entry->fan = true;
		entry->temporary |= entry->made;
	}
}

void learn_path_up(const struct learned *learned, char *path)
{
	const struct learn_path *entry;

	do {
		cli_path_up(path);
		entry = cli_path_table_find(&learned->paths, path);
	} while (entry && entry->fan);
}
