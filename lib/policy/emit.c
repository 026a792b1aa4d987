/* SPDX-License-Identifier: MIT */
/* A ruleset as a policy file: one table a rule, so that everything survives the way back. */
#include <inttypes.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "policy/edit.h"
#include "policy/values.h"

/* Length of the valid UTF-8 sequence at s, or 0. TOML is UTF-8 and has no escape for bytes. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = s[0] & (n == 1 ? 0x7fu : 0xffu >> (n + 1));

	if (n == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

int rv_put_path(struct rv_strbuf *sb, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	rv_strbuf_puts(sb, "\"");
	for (; *s; s += n) {
		n = utf8_length(s);
		if (n == 0)
			return -EILSEQ;
		if (*s == '"' || *s == '\\')
			rv_strbuf_printf(sb, "\\%c", *s);
		else if (*s == '$')
			rv_strbuf_puts(sb, "$$");
		else if (*s < 0x20 || *s == 0x7f)
			rv_strbuf_printf(sb, "\\u%04x", *s);
		else
			rv_strbuf_add(sb, (const char *)s, n);
	}
	rv_strbuf_puts(sb, "\"");
	return 0;
}

void rv_put_right_names(struct rv_strbuf *sb, enum reeve_class cls, uint64_t bits)
{
	const struct reeve_right_info *info;
	const char *comma = "";

	rv_strbuf_puts(sb, "[");
	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == cls && (bits & info->bit)) {
			rv_strbuf_printf(sb, "%s\"%s\"", comma, info->name);
			comma = ", ";
		}
	rv_strbuf_puts(sb, "]");
}

/* key = ["a", "b"], or nothing where there is no right. */
static void put_rights(struct rv_strbuf *sb, const char *key, enum reeve_class cls, uint64_t bits)
{
	if (!bits)
		return;
	rv_strbuf_printf(sb, "%s = ", key);
	rv_put_right_names(sb, cls, bits);
	rv_strbuf_puts(sb, "\n");
}

static void put_handled(struct rv_strbuf *sb, const struct reeve_ruleset *ruleset)
{
	static const char *const keys[] = {
		[REEVE_FS] = "handled_access_fs",
		[REEVE_NET] = "handled_access_net",
		[REEVE_SOCKET] = "handled_socket",
		[REEVE_SCOPE] = "scoped",
	};
	struct reeve_rights handled;
	uint64_t any = 0;

	reeve_ruleset_handled(ruleset, &handled);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		any |= handled.of[cls];
	if (any)
		rv_strbuf_puts(sb, "[[ruleset]]\n");
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		put_rights(sb, keys[cls], (enum reeve_class)cls, handled.of[cls]);
}

static void put_ports(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	if (rule->port_first == rule->port_last)
		rv_strbuf_printf(sb, "%u", rule->port_first);
	else
		rv_strbuf_printf(sb, "%u-%u", rule->port_first, rule->port_last);
}

static int put_port_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	const char *quote = rule->port_first == rule->port_last ? "" : "\"";

	rv_strbuf_printf(sb, "port = [%s", quote);
	put_ports(sb, rule);
	rv_strbuf_printf(sb, "%s]\n", quote);
	return 0;
}

/* 2001:db8::/32 is written [2001:db8::]/32. */
static int put_address_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	const char *slash = strchr(rule->address, '/');
	size_t host = slash ? (size_t)(slash - rule->address) : strlen(rule->address);
	bool is_v6 = strchr(rule->address, ':');

	rv_strbuf_puts(sb, is_v6 ? "address = [\"[" : "address = [\"");
	rv_strbuf_add(sb, rule->address, host);
	rv_strbuf_printf(sb, "%s%s:", is_v6 ? "]" : "", slash ? slash : "");
	put_ports(sb, rule);
	rv_strbuf_puts(sb, "\"]\n");
	return 0;
}

static void put_number(struct rv_strbuf *sb, enum rv_socket_part part, int number)
{
	static const char *const keys[] = {"family", "type", "protocol"};
	const char *name = rv_socket_name(part, number);

	if (name)
		rv_strbuf_printf(sb, "%s = [\"%s\"]\n", keys[part], name);
	else
		rv_strbuf_printf(sb, "%s = [%d]\n", keys[part], number);
}

static int put_socket_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	put_number(sb, RV_SOCKET_FAMILY, rule->socket_family);
	put_number(sb, RV_SOCKET_TYPE, rule->socket_type);
	put_number(sb, RV_SOCKET_PROTOCOL, rule->socket_protocol);
	return 0;
}

static int put_path_list(struct rv_strbuf *sb, const char *key, const char *path)
{
	int r;

	rv_strbuf_printf(sb, "%s = [", key);
	r = rv_put_path(sb, path);
	rv_strbuf_puts(sb, "]\n");
	return r;
}

static int put_path_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	return put_path_list(sb, rule->flags & REEVE_RULE_DENY ? "except" : "parent", rule->path);
}

static int put_unix_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	return put_path_list(sb, "path", rule->path);
}

static const struct {
	const char *table;
	int (*put)(struct rv_strbuf *sb, const struct reeve_rule *rule);
} types[] = {
	[REEVE_RULE_PATH_BENEATH] = {"path_beneath", put_path_rule},
	[REEVE_RULE_NET_PORT] = {"net_port", put_port_rule},
	[REEVE_RULE_NET_ADDRESS] = {"net_address", put_address_rule},
	[REEVE_RULE_SOCKET] = {"socket", put_socket_rule},
	[REEVE_RULE_UNIX_SOCKET] = {"unix_socket", put_unix_rule},
};

static void put_origin(struct rv_strbuf *sb, const char *origin)
{
	char shown[256];

	rv_strbuf_puts(sb, "\n");
	if (origin)
		rv_strbuf_printf(
			sb, "# %s\n", rv_escape(shown, sizeof(shown), origin, strlen(origin)));
}

static void put_allowed(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	enum reeve_class cls = reeve_rule_class(rule->type);

	if (rule->flags & REEVE_RULE_DENY) {
		put_rights(sb, "except_access", cls, rule->allowed);
		return;
	}
	if (rule->type != REEVE_RULE_UNIX_SOCKET) {
		put_rights(sb, "allowed_access", cls, rule->allowed);
		put_rights(sb, "quiet", cls, rule->quiet);
		return;
	}
	if (rule->allowed)
		rv_strbuf_puts(sb, "allowed_access = [\"connect\"]\n");
	if (rule->quiet)
		rv_strbuf_puts(sb, "quiet = [\"connect\"]\n");
}

int rv_put_rule(struct rv_strbuf *sb, const struct reeve_rule *rule)
{
	int r;

	rv_strbuf_printf(sb, "[[%s]]\n", types[rule->type].table);
	put_allowed(sb, rule);
	r = types[rule->type].put(sb, rule);
	if (rule->flags & REEVE_RULE_LIVE)
		rv_strbuf_puts(sb, "live = true\n");
	if ((rule->flags & REEVE_RULE_OPTIONAL) && reeve_rule_class(rule->type) == REEVE_FS)
		rv_strbuf_puts(sb, "missing = \"ignore\"\n");
	return r;
}

int reeve_ruleset_to_toml(const struct reeve_ruleset *ruleset, char **ret)
{
	rv_autostrbuf sb = {0};
	struct reeve_rule rule;
	int r = 0;

	put_handled(&sb, ruleset);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		put_origin(&sb, rule.origin);
		r = rv_put_rule(&sb, &rule);
	}
	return r < 0 ? r : rv_strbuf_steal(&sb, ret);
}

int reeve_rule_to_toml(const struct reeve_rule *rule, char **ret)
{
	rv_autostrbuf sb = {0};
	int r = rv_put_rule(&sb, rule);

	return r < 0 ? r : rv_strbuf_steal(&sb, ret);
}
