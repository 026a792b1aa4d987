/* SPDX-License-Identifier: MIT */
/*
 * Documents from standard input, each as its length in decimal, a newline, and the bytes. Answers
 * with one line for each: "ok TREE" or "error LINE:COLUMN MESSAGE". Argument: toml or json.
 */
#include <errno.h>
#include "policy/json.h"
#include "tree_dump.h"

static void answer(const char *text, size_t length,
	int (*parse)(const char *, size_t, struct toml_document **, struct toml_error *))
{
	struct toml_document *document;
	struct toml_error error;

	if (parse(text, length, &document, &error) < 0) {
		printf("error %u:%u %s\n", error.line, error.column, error.message);
		return;
	}
	fputs("ok ", stdout);
	dump_tree(stdout, toml_root(document));
	putchar('\n');
	toml_free(document);
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "json") == 0;
	size_t length;

	while (scanf("%zu", &length) == 1 && getchar() == '\n') {
		char *text = malloc(length ? length : 1); /* exact: ASan sees its end */

		if (!text || fread(text, 1, length, stdin) != length)
			return 1;
		answer(text, length, json ? rv_json_parse : toml_parse);
		fflush(stdout);
		free(text);
	}
	return 0;
}
