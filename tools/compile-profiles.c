/* SPDX-License-Identifier: MIT */
/*
 * Compiles profiles into C: compile-profiles OUT.c FILE.toml… (sorted by name).
 *
 * Runs when reeve is built, on the machine that builds it, with the decoder that reeve itself has:
 * a profile that does not decode stops the build, with the message that a user would get.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "policy/decode.h"
#include "policy/ready.h"

#define COUNT_MAX 65535

static struct {
	struct rv_strbuf strings;
	RV_LIST(struct reeve_rule) kinds;
	RV_LIST(struct rv_ready_draft) drafts;
	RV_LIST(struct rv_ready_pair) pairs;
	struct rv_strbuf texts, rows;
} out;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "compile-profiles: %s\n", what);
	exit(1);
}

static uint16_t narrow(size_t number)
{
	if (number > COUNT_MAX)
		die("more than 16 bits can count");
	return (uint16_t)number;
}

#define push(list, ...)                                                                            \
	do {                                                                                       \
		if (rv_reserve(list, 1) < 0)                                                       \
			die("out of memory");                                                      \
		(list)->at[(list)->count++] = __VA_ARGS__;                                         \
	} while (0)

/* ------------------------------------------------------------------- collecting */

static rv_ready_text keep_string(const char *text)
{
	size_t at = 0;

	if (!text)
		return 0;
	for (; at < out.strings.length; at += strlen(out.strings.text + at) + 1)
		if (strcmp(out.strings.text + at, text) == 0)
			return narrow(at + 1);
	rv_strbuf_add(&out.strings, text, strlen(text) + 1);
	return narrow(at + 1);
}

static uint16_t keep_kind(struct reeve_rule kind)
{
	kind.path = kind.address = kind.origin = NULL;
	for (size_t i = 0; i < out.kinds.count; i++) {
		const struct reeve_rule *k = &out.kinds.at[i];

		if (k->type == kind.type && k->flags == kind.flags && k->allowed == kind.allowed &&
			k->quiet == kind.quiet && k->port_first == kind.port_first &&
			k->port_last == kind.port_last && k->socket_family == kind.socket_family &&
			k->socket_type == kind.socket_type &&
			k->socket_protocol == kind.socket_protocol)
			return narrow(i);
	}
	push(&out.kinds, kind);
	return narrow(out.kinds.count - 1);
}

static uint16_t line_of(const char *origin)
{
	return narrow((size_t)atoi(strrchr(origin, ':') + 1));
}

static struct rv_ready_range keep_drafts(const struct rv_config *config)
{
	struct rv_ready_range range = {narrow(out.drafts.count), narrow(config->drafts.count)};

	for (size_t i = 0; i < config->drafts.count; i++) {
		const struct rv_draft *draft = &config->drafts.at[i];
		const struct reeve_rule *rule = &draft->rule;
		bool is_address = rule->type == REEVE_RULE_NET_ADDRESS;

		if (draft->base || draft->source != RV_DRAFT_TEXT ||
			(is_address ? rule->path : rule->address))
			die("a draft that struct rv_ready_draft cannot hold");
		push(&out.drafts, (struct rv_ready_draft){
					  keep_string(is_address ? rule->address : rule->path),
					  line_of(rule->origin), keep_kind(*rule)});
	}
	return range;
}

static struct rv_ready_range keep_bindings(const struct rv_config *config)
{
	struct rv_ready_range range = {narrow(out.pairs.count), narrow(config->bindings.count)};

	for (size_t i = 0; i < config->bindings.count; i++)
		push(&out.pairs, (struct rv_ready_pair){keep_string(config->bindings.at[i].name),
					 keep_string(config->bindings.at[i].value)});
	return range;
}

static struct rv_ready_range keep_refusals(const struct rv_config *config)
{
	struct rv_ready_range range = {narrow(out.pairs.count), narrow(config->refusals.count)};

	for (size_t i = 0; i < config->refusals.count; i++)
		push(&out.pairs, (struct rv_ready_pair){keep_string(config->refusals.at[i].path),
					 line_of(config->refusals.at[i].origin)});
	return range;
}

static struct rv_ready_range keep_degraded(const struct rv_config *config)
{
	struct rv_ready_range range = {narrow(out.pairs.count), narrow(config->degraded.count)};

	for (size_t i = 0; i < config->degraded.count; i++)
		push(&out.pairs, (struct rv_ready_pair){keep_string(config->degraded.at[i]), 0});
	return range;
}

/* The decoder's callback: what is extended is loaded at run time, where a user's own may hide it.
 */
static int keep_extends(void *data, const char *name, unsigned int line)
{
	struct rv_ready_range *range = data;

	push(&out.pairs, (struct rv_ready_pair){keep_string(name), narrow(line)});
	range->count++;
	return 0;
}

/* --------------------------------------------------------------------- writing */

/* Numbers, not a string literal: ISO C lets compilers stop at 4095 characters of those. */
static void write_bytes(struct rv_strbuf *to, const char *name, const char *text, size_t length)
{
	rv_strbuf_printf(to, "%s[] = {", name);
	for (size_t i = 0; i < length; i++)
		rv_strbuf_printf(to, "%s%d,", i % 20 ? " " : "\n\t", text[i]);
	rv_strbuf_puts(to, "\n\t0,\n};\n");
}

static void write_range(const char *name, struct rv_ready_range range)
{
	rv_strbuf_printf(&out.rows, "\t\t.%s = {%u, %u},\n", name, range.first, range.count);
}

static void write_profile(const char *name, const char *text, size_t length,
	const struct rv_config *config, struct rv_ready_range extends)
{
	char array[RV_READY_NAME_MAX + 64];

	snprintf(array, sizeof(array), "static const char text_%zu", out.texts.length);
	write_bytes(&out.texts, array, text, length);
	rv_strbuf_printf(&out.rows,
		"\t{\n\t\t.name = \"%s\",\n\t\t.text = %s,\n\t\t.length = %zu,\n", name,
		strrchr(array, ' ') + 1, length);
	rv_strbuf_puts(&out.rows, "\t\t.handled = {{");
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		rv_strbuf_printf(&out.rows, "%s0x%llx", cls ? ", " : "",
			(unsigned long long)config->handled.of[cls]);
	rv_strbuf_printf(&out.rows,
		"}},\n\t\t.deny = %u,\n\t\t.unix_datagram = %d,\n\t\t.private_tmpdir = %d,\n"
		"\t\t.floor_only = %d,\n",
		config->deny, config->unix_datagram, config->private_tmpdir, config->floor_only);
	write_range("drafts", keep_drafts(config));
	write_range("bindings", keep_bindings(config));
	write_range("refusals", keep_refusals(config));
	write_range("degraded", keep_degraded(config));
	write_range("extends", extends);
	rv_strbuf_puts(&out.rows, "\t},\n");
}

static void write_kind(FILE *file, const struct reeve_rule *kind)
{
	fprintf(file,
		"\t{.type = %d, .flags = %u, .allowed = 0x%llx, .quiet = 0x%llx, .port_first = "
		"%u,\n"
		"\t\t.port_last = %u, .socket_family = %d, .socket_type = %d, "
		".socket_protocol = %d},\n",
		kind->type, kind->flags, (unsigned long long)kind->allowed,
		(unsigned long long)kind->quiet, kind->port_first, kind->port_last,
		kind->socket_family, kind->socket_type, kind->socket_protocol);
}

static void write_all(FILE *file)
{
	struct rv_strbuf strings = {0};

	write_bytes(&strings, "const char rv_ready_strings", out.strings.text, out.strings.length);
	fprintf(file,
		"/* Made by tools/compile-profiles.c from profiles/. */\n"
		"#include \"policy/ready.h\"\n\n%s\n%s\nconst struct reeve_rule rv_ready_kinds[] = "
		"{\n",
		strings.text, out.texts.text);
	for (size_t i = 0; i < out.kinds.count; i++)
		write_kind(file, &out.kinds.at[i]);
	fputs("};\n\nconst struct rv_ready_draft rv_ready_drafts[] = {\n", file);
	for (size_t i = 0; i < out.drafts.count; i++)
		fprintf(file, "\t{%u, %u, %u},\n", out.drafts.at[i].text, out.drafts.at[i].line,
			out.drafts.at[i].kind);
	fputs("};\n\nconst struct rv_ready_pair rv_ready_pairs[] = {\n", file);
	for (size_t i = 0; i < out.pairs.count; i++)
		fprintf(file, "\t{%u, %u},\n", out.pairs.at[i].text, out.pairs.at[i].other);
	fprintf(file,
		"};\n\nconst struct rv_builtin_profile rv_builtin_profiles[] = {\n%s\t{0},\n};\n",
		out.rows.text);
	rv_strbuf_release(&strings);
}

/* ------------------------------------------------------------------------- main */

static void read_file(const char *path, struct rv_strbuf *text)
{
	FILE *file = fopen(path, "re");
	char buf[4096];
	size_t n;

	while (file && (n = fread(buf, 1, sizeof(buf), file)) > 0)
		rv_strbuf_add(text, buf, n);
	if (!file || ferror(file) || !text->length || strlen(text->text) != text->length)
		die(path);
	fclose(file);
}

/* "base" of "../profiles/base.toml" */
static void name_of(const char *path, char name[RV_READY_NAME_MAX])
{
	const char *base = strrchr(path, '/');
	size_t length;

	base = base ? base + 1 : path;
	length = strcspn(base, ".");
	if (length >= RV_READY_NAME_MAX)
		die(path);
	memcpy(name, base, length);
	name[length] = '\0';
}

static void compile(const char *path)
{
	struct rv_ready_range extends = {narrow(out.pairs.count), 0};
	rv_autostrbuf text = {0};
	rv_autoconfig config = {0};
	struct reeve_error err = {0};
	char name[RV_READY_NAME_MAX];
	struct rv_decoder decoder = {.config = &config,
		.name = name,
		.err = &err,
		.extend = keep_extends,
		.data = &extends};

	name_of(path, name);
	read_file(path, &text);
	if (rv_decode_text(&decoder, text.text, text.length) < 0)
		die(err.message);
	write_profile(name, text.text, text.length, &config, extends);
}

int main(int argc, char **argv)
{
	FILE *file = argc > 2 ? fopen(argv[1], "we") : NULL;

	if (!file)
		die(argc > 2 ? argv[1] : "usage: compile-profiles OUT.c FILE.toml...");
	for (int i = 2; i < argc; i++)
		compile(argv[i]);
	write_all(file);
	if (fclose(file) != 0)
		die(argv[1]);
	rv_strbuf_release(&out.strings);
	rv_strbuf_release(&out.texts);
	rv_strbuf_release(&out.rows);
	free(out.kinds.at);
	free(out.drafts.at);
	free(out.pairs.at);
	return 0;
}
