/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "supervise/shim_env.h"
#include "supervise/shim_path.h" /* made by meson: RV_SHIM_PATH */

int rv_shim_find(char **ret)
{
	const char *path = secure_getenv("REEVE_SHIM");
	char *copy;

	if (!path || !*path)
		path = RV_SHIM_PATH;
	if (path[0] != '/' || access(path, R_OK) < 0)
		return -ENOENT;
	if (strpbrk(path, ": \t\n"))
		return -EINVAL;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* Is `word` one of the words of a list with these separators? */
static bool has_word(const char *list, const char *separators, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = list; *p;) {
		size_t n = strcspn(p, separators);

		if (n == length && memcmp(p, word, n) == 0)
			return true;
		p += n;
		p += strspn(p, separators);
	}
	return false;
}

/* A variable that gets one more word. */
struct addition {
	const char *name; /* with "=" */
	const char *separators;
	const char *word;
	bool done;
};

static void add_entry(struct rv_strbuf *sb, const char *entry, struct addition *additions)
{
	rv_strbuf_puts(sb, entry);
	for (struct addition *a = additions; a->name; a++) {
		size_t length = strlen(a->name);

		if (strncmp(entry, a->name, length) != 0)
			continue;
		if (!has_word(entry + length, a->separators, a->word))
			rv_strbuf_printf(sb, "%s%s", entry[length] ? ":" : "", a->word);
		a->done = true;
	}
	rv_strbuf_add(sb, "", 1);
}

/* All strings, one behind the other, each with its NUL. Returns how many. */
static size_t add_all(struct rv_strbuf *sb, char *const envp[], struct addition *additions)
{
	size_t count = 0;

	for (; envp[count]; count++)
		add_entry(sb, envp[count], additions);
	for (struct addition *a = additions; a->name; a++) {
		if (a->done)
			continue;
		rv_strbuf_printf(sb, "%s%s", a->name, a->word);
		rv_strbuf_add(sb, "", 1);
		count++;
	}
	return count;
}

int rv_shim_env(char *const envp[], const char *shim, char ***ret)
{
	struct addition additions[] = {{"LD_PRELOAD=", ": \t\n", shim, false},
		{"ASAN_OPTIONS=", ":, \t\n", "verify_asan_link_order=0", false}, {NULL}};
	rv_autostrbuf sb = {0};
	size_t count = add_all(&sb, envp, additions);
	char **block, *text;

	if (sb.failed)
		return -ENOMEM;
	block = malloc((count + 1) * sizeof(*block) + sb.length);
	if (!block)
		return -ENOMEM;
	text = memcpy(block + count + 1, sb.text, sb.length);
	for (size_t i = 0; i < count; i++, text += strlen(text) + 1)
		block[i] = text;
	block[count] = NULL;
	*ret = block;
	return 0;
}
