/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "model/ruleset.h"
#include "policy/config.h"
#include "policy/decode.h"
#include "policy/edit.h"
#include "policy/json.h"
#include "policy/values.h"

/* One edit on its way. Offsets are into the old text. */
struct editor {
	const struct rv_edit *edit;
	const struct reeve_rule *rule;
	struct toml_document *document;
	const char *newline;
	int abi;    /* 0: not said */
	char *path; /* owned; as a string of the text */
	struct reeve_error *err;
};

/* What goes in, at which offset; by falling offsets. */
struct insertions {
	struct {
		size_t at;
		char *text;
	} items[2];
	size_t count;
};

/* ---------------------------------------------------------------------- the text */

static size_t offset_of(const struct editor *e, const struct toml_value *value)
{
	const char *at = e->edit->text;

	for (unsigned int line = toml_line(value); line > 1; line--)
		at = strchr(at, '\n') + 1;
	return (size_t)(at - e->edit->text) + toml_column(value) - 1;
}

/* Behind a string. The text was parsed: strings end. */
static size_t skip_string(const struct editor *e, size_t at)
{
	const char *text = e->edit->text;
	const char quote = text[at], fence[] = {quote, quote, quote, '\0'};
	size_t width = strncmp(text + at, fence, 3) == 0 ? 3 : 1;

	for (at += width; text[at] && strncmp(text + at, fence, width) != 0; at++)
		if (quote == '"' && text[at] == '\\' && text[at + 1])
			at++;
	at += width;
	/* A multi-line string may end in quotes of its own. */
	while (width == 3 && text[at] == quote)
		at++;
	return at;
}

static size_t line_end(const struct editor *e, size_t at)
{
	return at + strcspn(e->edit->text + at, "\n");
}

/* Behind an array or table in brackets. */
static size_t skip_brackets(const struct editor *e, size_t at)
{
	const char *text = e->edit->text;
	size_t depth = 0;

	do {
		if (text[at] == '"' || text[at] == '\'') {
			at = skip_string(e, at);
			continue;
		}
		if (text[at] == '#')
			at = line_end(e, at);
		else if (text[at] == '[' || text[at] == '{')
			depth++;
		else if (text[at] == ']' || text[at] == '}')
			depth--;
		at += text[at] != '\0';
	} while (depth > 0 && text[at]);
	return at;
}

static size_t skip_element(const struct editor *e, size_t at)
{
	const char first = e->edit->text[at];

	return first == '[' || first == '{' ? skip_brackets(e, at) : skip_string(e, at);
}

/* Behind blanks, comments and newlines. */
static size_t skip_blanks(const struct editor *e, size_t at)
{
	const char *text = e->edit->text;

	for (;;) {
		at += strspn(text + at, " \t\r\n");
		if (text[at] != '#')
			return at;
		at = line_end(e, at);
	}
}

/* What the line of `at` begins with. */
static int indent_of(const struct editor *e, size_t at, char buf[64])
{
	const char *text = e->edit->text;
	size_t begin = at, length;

	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	length = strspn(text + begin, " \t");
	if (length >= 64)
		length = 63;
	memcpy(buf, text + begin, length);
	buf[length] = '\0';
	return (int)length;
}

static int put(struct insertions *ins, size_t at, struct rv_strbuf *sb)
{
	char *text;
	int r = rv_strbuf_steal(sb, &text);

	if (r < 0)
		return r;
	ins->items[ins->count].at = at;
	ins->items[ins->count++].text = text;
	return 0;
}

static void insertions_release(struct insertions *ins)
{
	for (size_t i = 0; i < ins->count; i++)
		free(ins->items[i].text);
}

/* -------------------------------------------------------------------- into a list */

static bool same_line(const struct editor *e, size_t from, size_t to)
{
	return !memchr(e->edit->text + from, '\n', to - from);
}

/* Behind the last element, in the same line. */
static int append_inline(struct insertions *ins, size_t behind, size_t comma, const char *separator,
	const char *element)
{
	rv_autostrbuf sb = {0};

	/* A list that ends in a comma goes on ending in one. */
	rv_strbuf_printf(&sb, "%s%s%s%s", comma ? "" : ",", separator, element, comma ? "," : "");
	return put(ins, comma ? comma + 1 : behind, &sb);
}

/* A line of its own below that of the last element, whose comment stays with it. */
static int append_line(const struct editor *e, struct insertions *ins, size_t behind, size_t comma,
	const char *separator, const char *element)
{
	rv_autostrbuf line = {0}, sb = {0};
	size_t end = line_end(e, comma ? comma : behind);
	int r;

	if (end > 0 && e->edit->text[end - 1] == '\r')
		end--;
	rv_strbuf_printf(&line, "%s%s%s", separator, element, comma ? "," : "");
	r = put(ins, end, &line);
	if (r < 0 || comma)
		return r;
	rv_strbuf_puts(&sb, ",");
	return put(ins, behind, &sb);
}

/* `element` as it is to be written; the list is written in brackets and has one at least. */
static int append_element(const struct editor *e, const struct toml_value *list,
	const char *element, struct insertions *ins)
{
	const char *text = e->edit->text;
	size_t begin = offset_of(e, list), close = skip_brackets(e, begin) - 1;
	size_t last = offset_of(e, toml_array_at(list, toml_array_count(list) - 1));
	size_t behind = skip_element(e, last), comma = skip_blanks(e, behind);
	char separator[80], indent[64];

	if (text[comma] != ',')
		comma = 0;
	if (same_line(e, begin, last))
		return append_inline(ins, behind, comma, " ", element);
	indent_of(e, last, indent);
	snprintf(separator, sizeof(separator), "%s%s", e->newline, indent);
	if (same_line(e, comma ? comma : behind, close))
		return append_inline(ins, behind, comma, separator, element);
	return append_line(e, ins, behind, comma, separator, element);
}

/* -------------------------------------------------------- the table that grants it */

static const char *spell(const struct editor *e, const char *key, char buf[RV_KEY_SIZE])
{
	const struct rv_decoder decoder = {.json = e->edit->json};

	return rv_spell(&decoder, key, buf);
}

static const struct toml_value *get(
	const struct editor *e, const struct toml_value *table, const char *key)
{
	char buf[RV_KEY_SIZE];

	return toml_table_get(table, spell(e, key, buf));
}

static uint64_t rights_of(const struct editor *e, const struct toml_value *names)
{
	uint64_t all = 0, bits;

	for (size_t i = 0; names && i < toml_array_count(names); i++)
		if (rv_parse_right(REEVE_FS, toml_string(toml_array_at(names, i), NULL), e->abi,
			    &bits) == 0)
			all |= bits;
	return all;
}

/* Whether a table grants just what the rule does, on other paths perhaps. */
static bool grants_the_same(const struct editor *e, const struct toml_value *table)
{
	const struct toml_value *live = get(e, table, "live"), *missing = get(e, table, "missing");
	unsigned int flags = 0;

	if (!get(e, table, "parent") || get(e, table, "except") || get(e, table, "quiet"))
		return false;
	if (live && toml_boolean(live))
		flags |= REEVE_RULE_LIVE;
	if (missing && strcmp(toml_string(missing, NULL), "ignore") == 0)
		flags |= REEVE_RULE_OPTIONAL;
	return flags == e->rule->flags &&
	       rights_of(e, get(e, table, "allowed_access")) == e->rule->allowed;
}

/* The last of them; NULL: none. */
static const struct toml_value *find_table(const struct editor *e, const struct toml_value *tables)
{
	for (size_t i = tables ? toml_array_count(tables) : 0; i-- > 0;)
		if (grants_the_same(e, toml_array_at(tables, i)))
			return toml_array_at(tables, i);
	return NULL;
}

/* The path as the text's strings have it once they are read: "$" doubled. */
static int template_of(const char *path, struct rv_strbuf *sb)
{
	for (; *path; path++)
		rv_strbuf_printf(sb, *path == '$' ? "$$" : "%c", *path);
	return sb->failed ? -ENOMEM : 0;
}

/* ----------------------------------------------------------------------- a new one */

/* {allowed_access = [...], parent = [...]}, in either notation. */
static int put_inline_table(const struct editor *e, struct rv_strbuf *sb)
{
	const char *quote = e->edit->json ? "\"" : "", *equals = e->edit->json ? ": " : " = ";
	char key[RV_KEY_SIZE];

	rv_strbuf_printf(sb, "{%s%s%s%s", quote, spell(e, "allowed_access", key), quote, equals);
	rv_put_right_names(sb, REEVE_FS, e->rule->allowed);
	rv_strbuf_printf(sb, ", %sparent%s%s[%s]", quote, quote, equals, e->path);
	if (e->rule->flags & REEVE_RULE_LIVE)
		rv_strbuf_printf(sb, ", %slive%s%strue", quote, quote, equals);
	if (e->rule->flags & REEVE_RULE_OPTIONAL)
		rv_strbuf_printf(sb, ", %smissing%s%s\"ignore\"", quote, quote, equals);
	rv_strbuf_puts(sb, "}");
	return 0;
}

static int append_inline_table(
	const struct editor *e, const struct toml_value *tables, struct insertions *ins)
{
	rv_autostrbuf sb = {0};
	rv_autofree char *element = NULL;
	int r;

	put_inline_table(e, &sb);
	r = rv_strbuf_steal(&sb, &element);
	return r < 0 ? r : append_element(e, tables, element, ins);
}

/* A first "pathBeneath" at the end of the document. */
static int add_json_key(const struct editor *e, struct insertions *ins)
{
	const char *text = e->edit->text;
	size_t begin = strcspn(text, "{"), at = skip_brackets(e, begin) - 1;
	bool is_empty = toml_table_count(toml_root(e->document)) == 0;
	rv_autostrbuf sb = {0};
	char indent[64] = "\t";

	if (!is_empty)
		indent_of(e, skip_blanks(e, begin + 1), indent);
	while (at > begin + 1 && strchr(" \t\r\n", text[at - 1]))
		at--;
	rv_strbuf_printf(&sb, "%s%s%s\"pathBeneath\": [", is_empty ? "" : ",", e->newline, indent);
	put_inline_table(e, &sb);
	rv_strbuf_puts(&sb, "]");
	if (is_empty || same_line(e, begin, skip_brackets(e, begin)))
		rv_strbuf_puts(&sb, e->newline);
	return put(ins, at, &sb);
}

#define COMMENT_SIZE 256

/* put_rule() writes "\n", the file may have "\r\n". */
static int with_newlines(const struct editor *e, const char *text, struct rv_strbuf *sb)
{
	for (; *text; text++)
		if (*text == '\n')
			rv_strbuf_puts(sb, e->newline);
		else
			rv_strbuf_add(sb, text, 1);
	return sb->failed ? -ENOMEM : 0;
}

/* The comment is of this rule alone, and JSON has none. */
static bool is_commented(const struct editor *e)
{
	return e->rule->origin && !e->edit->json;
}

static int append_table(const struct editor *e, struct insertions *ins)
{
	const char *text = e->edit->text;
	size_t length = e->edit->length;
	rv_autostrbuf table = {0}, sb = {0};
	char comment[COMMENT_SIZE];
	int r;

	if (is_commented(e))
		rv_strbuf_printf(&table, "# %s\n",
			rv_escape(comment, sizeof(comment), e->rule->origin,
				strlen(e->rule->origin)));
	r = rv_put_rule(&table, e->rule);
	if (r < 0 || table.failed)
		return r < 0 ? r : -ENOMEM;
	if (length > 0 && text[length - 1] != '\n')
		rv_strbuf_puts(&sb, e->newline);
	if (length > 0)
		rv_strbuf_puts(&sb, e->newline);
	r = with_newlines(e, table.text, &sb);
	return r < 0 ? r : put(ins, length, &sb);
}

/* ------------------------------------------------------------------------- together */

static bool is_plain_path(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_PATH_BENEATH && !(rule->flags & REEVE_RULE_DENY) &&
	       !rule->quiet;
}

static int has_path(const struct toml_value *list, const char *path)
{
	rv_autostrbuf template = {0};
	int r = template_of(path, &template);

	for (size_t i = 0; r == 0 && i < toml_array_count(list); i++)
		r = strcmp(toml_string(toml_array_at(list, i), NULL), template.text) == 0;
	return r;
}

/* 0: it is there already; 1: ins says what is missing. */
static int plan(const struct editor *e, struct insertions *ins)
{
	const struct toml_value *tables = get(e, toml_root(e->document), "path_beneath"), *table;
	int r;

	if (!is_plain_path(e->rule) && e->edit->json)
		return rv_error(e->err, -EOPNOTSUPP,
			"%s: only rules on paths can be added to a policy in JSON",
			rv_q(e->edit->name));
	if (!is_plain_path(e->rule))
		return append_table(e, ins) < 0 ? -ENOMEM : 1;
	table = find_table(e, tables);
	if (table && has_path(get(e, table, "parent"), e->rule->path) == 0 && is_commented(e))
		table = NULL;
	if (table) {
		r = has_path(get(e, table, "parent"), e->rule->path);
		if (r)
			return r < 0 ? r : 0;
		r = append_element(e, get(e, table, "parent"), e->path, ins);
	} else if (!tables) {
		r = e->edit->json ? add_json_key(e, ins) : append_table(e, ins);
	} else if (e->edit->text[offset_of(e, toml_array_at(tables, 0))] == '{') {
		r = append_inline_table(e, tables, ins);
	} else {
		r = append_table(e, ins);
	}
	return r < 0 ? r : 1;
}

static int apply(const struct editor *e, const struct insertions *ins, char **ret)
{
	rv_autostrbuf sb = {0};
	size_t from = 0;

	for (size_t i = ins->count; i-- > 0;) {
		rv_strbuf_add(&sb, e->edit->text + from, ins->items[i].at - from);
		rv_strbuf_puts(&sb, ins->items[i].text);
		from = ins->items[i].at;
	}
	rv_strbuf_add(&sb, e->edit->text + from, e->edit->length - from);
	return rv_strbuf_steal(&sb, ret);
}

/* ------------------------------------------------------------------------ the proof */

static int decode(const struct rv_edit *edit, const char *text, struct rv_config *ret,
	struct reeve_error *err)
{
	struct rv_decoder decoder = {
		.config = ret, .name = edit->name, .json = edit->json, .err = err};

	return rv_decode_text(&decoder, text, strlen(text));
}

/* All that was there, in its order, and the rule once more. */
static bool says_the_same(
	const struct rv_config *old, const struct rv_config *new, const struct reeve_rule *rule)
{
	size_t at = 0;
	bool added = false;

	if (new->drafts.count != old->drafts.count + 1 ||
		new->bindings.count != old->bindings.count ||
		new->refusals.count != old->refusals.count ||
		new->degraded.count != old->degraded.count ||
		memcmp(&new->handled, &old->handled, sizeof(new->handled)) != 0)
		return false;
	for (size_t i = 0; i < new->drafts.count; i++) {
		const struct reeve_rule *here = &new->drafts.at[i].rule;

		if (at < old->drafts.count && rv_same_rule(here, &old->drafts.at[at].rule))
			at++;
		else if (added || !rv_same_rule(here, rule))
			return false;
		else
			added = true;
	}
	return added;
}

static int check_result(const struct editor *e, const char *text)
{
	rv_autoconfig old = {0}, new = {0};
	rv_autostrbuf template = {0};
	struct reeve_rule rule = *e->rule;
	int r = decode(e->edit, e->edit->text, &old, e->err);

	if (r < 0)
		return r;
	if (rule.path && template_of(rule.path, &template) < 0)
		return rv_no_memory(e->err);
	rule.path = rule.path ? template.text : NULL;
	if (decode(e->edit, text, &new, NULL) < 0 || !says_the_same(&old, &new, &rule))
		return rv_error(e->err, -EOPNOTSUPP,
			"%s: its form is one that reeve cannot add a rule to: add it by hand",
			rv_q(e->edit->name));
	return 0;
}

/* ------------------------------------------------------------------------- beginning */

static int parse(struct editor *e)
{
	const struct rv_edit *edit = e->edit;
	struct toml_error error = {0};
	rv_autoconfig config = {0};
	const struct toml_value *abi;
	int r = decode(edit, edit->text, &config, e->err); /* shapes are right from here on */

	if (r == 0)
		r = edit->json ? rv_json_parse(edit->text, edit->length, &e->document, &error)
			       : toml_parse(edit->text, edit->length, &e->document, &error);
	if (r < 0)
		return r;
	abi = toml_table_get(toml_root(e->document), "abi");
	e->abi = abi ? (int)toml_integer(abi) : 0;
	e->newline = strstr(edit->text, "\r\n") ? "\r\n" : "\n";
	return 0;
}

static int write_path(struct editor *e)
{
	rv_autostrbuf sb = {0};
	int r = e->rule->path ? rv_put_path(&sb, e->rule->path) : 0;

	if (r == -EILSEQ)
		return rv_error(e->err, r, "%s: the path is not UTF-8, which a policy must be",
			rv_q(e->rule->path));
	return r < 0 ? r : rv_strbuf_steal(&sb, &e->path);
}

int rv_edit_add(const struct rv_edit *edit, const struct reeve_rule *rule, char **ret,
	struct reeve_error *err)
{
	struct editor e = {.edit = edit, .rule = rule, .err = err};
	RV_CLEANUP(insertions_release) struct insertions ins = {.count = 0};
	rv_autofree char *text = NULL;
	int r = parse(&e), changed = 0;

	if (r == 0)
		r = write_path(&e);
	if (r == 0)
		r = changed = plan(&e, &ins);
	if (r > 0)
		r = apply(&e, &ins, &text);
	if (r == 0 && changed)
		r = check_result(&e, text);
	toml_free(e.document);
	free(e.path);
	if (r == -ENOMEM)
		return rv_no_memory(err);
	if (r < 0 || !changed)
		return r;
	*ret = rv_steal_ptr(&text);
	return 1;
}
