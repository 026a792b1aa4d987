/* SPDX-License-Identifier: MIT */
/* The model's side: specs to domains, requests to decisions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "prop.h"

const char *const prop_kind_names[PROP_KIND_COUNT] = {
	[PROP_OPEN_READ] = "open for reading",
	[PROP_OPEN_WRITE] = "open for writing",
	[PROP_OPEN_BOTH] = "open for both",
	[PROP_OPEN_DIR] = "open a directory",
	[PROP_OPEN_TRUNC] = "open with O_TRUNC",
	[PROP_EXEC] = "execve",
	[PROP_TRUNCATE] = "truncate",
	[PROP_IOCTL] = "ioctl on a device",
	[PROP_MAKE_REG] = "mknod, regular file",
	[PROP_CREAT] = "creat",
	[PROP_MAKE_DIR] = "mkdir",
	[PROP_MAKE_SYM] = "symlink",
	[PROP_MAKE_FIFO] = "mkfifo",
	[PROP_MAKE_CHAR] = "mknod, character device",
	[PROP_MAKE_BLOCK] = "mknod, block device",
	[PROP_BIND_UNIX] = "bind, UNIX",
	[PROP_UNLINK] = "unlink",
	[PROP_RMDIR] = "rmdir",
	[PROP_RENAME_WITHIN] = "rename within a directory",
	[PROP_RENAME_BETWEEN] = "rename between directories",
	[PROP_REPLACE] = "rename over something",
	[PROP_EXCHANGE] = "RENAME_EXCHANGE",
	[PROP_LINK_WITHIN] = "link within a directory",
	[PROP_LINK_BETWEEN] = "link between directories",
	[PROP_BIND_TCP] = "bind, TCP",
	[PROP_CONNECT_TCP] = "connect, TCP",
	[PROP_SIGNAL] = "kill, signal 0",
	[PROP_ABSTRACT_STREAM] = "connect, abstract UNIX",
	[PROP_ABSTRACT_DATAGRAM] = "sendto, abstract UNIX",
	[PROP_PTRACE] = "process_vm_readv",
};

/* ------------------------------------------------------------------ domains */

static struct reeve_rule rule_of_path(const struct prop_tree *tree, const struct prop_rule *rule)
{
	return (struct reeve_rule){.type = REEVE_RULE_PATH_BENEATH,
		.allowed = rule->allowed,
		.path = tree->nodes[rule->node].path};
}

static struct reeve_rule rule_of_port(const struct prop_port *port)
{
	return (struct reeve_rule){.type = REEVE_RULE_NET_PORT,
		.allowed = port->allowed,
		.port_first = port->first,
		.port_last = port->last};
}

static int add_static(
	const struct prop_tree *tree, const struct prop_layer *layer, struct reeve_ruleset *ruleset)
{
	int ret = 0;

	for (int i = 0; ret == 0 && i < layer->rule_count; i++) {
		struct reeve_rule rule = rule_of_path(tree, &layer->rules[i]);

		if (!layer->rules[i].live)
			ret = reeve_ruleset_add(ruleset, &rule, NULL);
	}
	for (int i = 0; ret == 0 && i < layer->port_count; i++) {
		struct reeve_rule rule = rule_of_port(&layer->ports[i]);

		if (!layer->ports[i].live)
			ret = reeve_ruleset_add(ruleset, &rule, NULL);
	}
	return ret;
}

static int add_live(
	const struct prop_tree *tree, const struct prop_layer *layer, struct reeve_domain *domain)
{
	bool any = false;
	int ret = 0;

	for (int i = 0; ret == 0 && i < layer->rule_count; i++) {
		struct reeve_rule rule = rule_of_path(tree, &layer->rules[i]);

		if (layer->rules[i].live && (any = true))
			ret = reeve_domain_stage_add(domain, &rule, NULL);
	}
	for (int i = 0; ret == 0 && i < layer->port_count; i++) {
		struct reeve_rule rule = rule_of_port(&layer->ports[i]);

		if (layer->ports[i].live && (any = true))
			ret = reeve_domain_stage_add(domain, &rule, NULL);
	}
	return ret == 0 && any ? reeve_domain_commit(domain) : ret;
}

/* Puts a layer below *domain, which is then the new one. */
static int push(
	const struct prop_tree *tree, const struct prop_layer *layer, struct reeve_domain **domain)
{
	struct reeve_ruleset *ruleset = NULL;
	struct reeve_domain *below = NULL;
	int ret = reeve_ruleset_new(&layer->handled, &ruleset);

	if (ret == 0)
		ret = add_static(tree, layer, ruleset);
	if (ret == 0)
		ret = reeve_domain_new(*domain, ruleset, &below);
	if (ret == 0)
		ret = add_live(tree, layer, below);
	reeve_ruleset_free(ruleset);
	reeve_domain_free(*domain); /* the new one holds a reference */
	*domain = below;
	return ret;
}

int prop_model_make(
	const struct prop_tree *tree, const struct prop_case *c, struct prop_domains *ret)
{
	int r = 0;

	*ret = (struct prop_domains){NULL, NULL};
	for (int i = 0; r == 0 && i < c->layer_count; i++) {
		if (i == c->shared)
			ret->resource = reeve_domain_ref(ret->accessor);
		r = push(tree, &c->layers[i], &ret->accessor);
	}
	if (c->shared == c->layer_count)
		ret->resource = reeve_domain_ref(ret->accessor);
	for (int i = 0; r == 0 && i < c->added_count; i++)
		r = push(tree, &c->added[i], &ret->resource);
	return r;
}

void prop_model_free(struct prop_domains *domains)
{
	reeve_domain_free(domains->accessor);
	reeve_domain_free(domains->resource);
}

/* ------------------------------------------------------------------ answers */

/* Requests that ask for rights on one path: the object, or the directory that holds it. */
static const struct {
	uint64_t rights;
	bool on_parent;
} simple[PROP_KIND_COUNT] = {
	[PROP_OPEN_READ] = {REEVE_FS_READ_FILE, false},
	[PROP_OPEN_WRITE] = {REEVE_FS_WRITE_FILE, false},
	[PROP_OPEN_BOTH] = {REEVE_FS_READ_FILE | REEVE_FS_WRITE_FILE, false},
	[PROP_OPEN_DIR] = {REEVE_FS_READ_DIR, false},
	[PROP_OPEN_TRUNC] = {REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE, false},
	/* The kernel opens a program for reading, too. */
	[PROP_EXEC] = {REEVE_FS_EXECUTE | REEVE_FS_READ_FILE, false},
	[PROP_TRUNCATE] = {REEVE_FS_TRUNCATE, false},
	[PROP_IOCTL] = {REEVE_FS_IOCTL_DEV, false},
	[PROP_MAKE_REG] = {REEVE_FS_MAKE_REG, false},
	[PROP_MAKE_DIR] = {REEVE_FS_MAKE_DIR, false},
	[PROP_MAKE_SYM] = {REEVE_FS_MAKE_SYM, false},
	[PROP_MAKE_FIFO] = {REEVE_FS_MAKE_FIFO, false},
	[PROP_MAKE_CHAR] = {REEVE_FS_MAKE_CHAR, false},
	[PROP_MAKE_BLOCK] = {REEVE_FS_MAKE_BLOCK, false},
	[PROP_BIND_UNIX] = {REEVE_FS_MAKE_SOCK, false},
	[PROP_UNLINK] = {REEVE_FS_REMOVE_FILE, true},
	[PROP_RMDIR] = {REEVE_FS_REMOVE_DIR, true},
};

static void decide_path(const struct prop_domains *domains, const char *path, uint64_t rights,
	bool on_parent, struct reeve_decision *ret)
{
	char directory[176];

	snprintf(directory, sizeof(directory), "%s", path);
	if (on_parent)
		*strrchr(directory, '/') = '\0';
	reeve_decide_path(domains->accessor, directory, rights, ret);
}

/* Makes the file on the directory, then opens it for writing. */
static void decide_creat(const struct prop_domains *domains, const struct prop_request *request,
	struct reeve_decision *ret)
{
	decide_path(domains, request->new_path, REEVE_FS_MAKE_REG, true, ret);
	if (ret->allowed)
		decide_path(domains, request->new_path, REEVE_FS_WRITE_FILE, false, ret);
}

static void decide_refer(const struct prop_tree *tree, const struct prop_domains *domains,
	const struct prop_request *request, struct reeve_decision *ret)
{
	const struct prop_node *node = &tree->nodes[request->node];
	struct reeve_refer refer = {.old_path = node->path,
		.new_path = request->new_path,
		.old_mode = node->type,
		.new_mode = request->other >= 0 ? tree->nodes[request->other].type : 0,
		.is_link = request->kind == PROP_LINK_WITHIN || request->kind == PROP_LINK_BETWEEN,
		.is_exchange = request->kind == PROP_EXCHANGE};

	reeve_decide_refer(domains->accessor, &refer, ret);
}

static void decide_other(const struct prop_tree *tree, const struct prop_domains *domains,
	const struct prop_request *request, struct reeve_decision *ret)
{
	const struct reeve_domain *accessor = domains->accessor, *resource = domains->resource;

	switch (request->kind) {
	case PROP_CREAT:
		decide_creat(domains, request, ret);
		return;
	case PROP_BIND_TCP:
		reeve_decide_port(accessor, REEVE_NET_BIND_TCP, request->port, ret);
		return;
	case PROP_CONNECT_TCP:
		reeve_decide_port(accessor, REEVE_NET_CONNECT_TCP, request->port, ret);
		return;
	case PROP_SIGNAL:
		reeve_decide_scope(accessor, resource, REEVE_SCOPE_SIGNAL, ret);
		return;
	case PROP_ABSTRACT_STREAM:
	case PROP_ABSTRACT_DATAGRAM:
		reeve_decide_scope(accessor, resource, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET, ret);
		return;
	case PROP_PTRACE:
		reeve_decide_ptrace(accessor, resource, ret);
		return;
	default:
		decide_refer(tree, domains, request, ret);
	}
}

struct prop_answer prop_model_answer(const struct prop_tree *tree,
	const struct prop_domains *domains, const struct prop_request *request)
{
	uint64_t rights = simple[request->kind].rights;
	struct reeve_decision decision;

	if (rights)
		decide_path(domains, tree->nodes[request->node].path, rights,
			simple[request->kind].on_parent, &decision);
	else
		decide_other(tree, domains, request, &decision);
	return (struct prop_answer){decision.error, rights, decision.missing};
}
