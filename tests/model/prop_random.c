/* SPDX-License-Identifier: MIT */
/* Making up layers and requests. Tuned so that neither answer is rare: see the checks at the end
 * of test_property.c. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "prop.h"

uint64_t prop_next(struct prop_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned int prop_below(struct prop_random *random, unsigned int limit)
{
	return (unsigned int)(prop_next(random) >> 33) % limit;
}

bool prop_chance(struct prop_random *random, unsigned int percent)
{
	return prop_below(random, 100) < percent;
}

/* ------------------------------------------------------------------- layers */

/* All, most, half, or a quarter of some rights. */
static uint64_t some_of(struct prop_random *random, uint64_t rights)
{
	uint64_t a = prop_next(random), b = prop_next(random), c = prop_next(random);

	switch (prop_below(random, 5)) {
	case 0:
	case 1:
		return rights;
	case 2:
		return rights & (a | b | c);
	case 3:
		return rights & a;
	default:
		return rights & a & b;
	}
}

static void random_handled(
	struct prop_random *random, const struct prop_abilities *can, struct prop_layer *layer)
{
	do {
		for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
			layer->handled.of[cls] = prop_chance(random, cls == REEVE_FS ? 85 : 50)
							 ? some_of(random, can->of[cls])
							 : 0;
	} while (!layer->handled.of[REEVE_FS] && !layer->handled.of[REEVE_NET] &&
		 !layer->handled.of[REEVE_SCOPE]);
}

static int random_rule_node(struct prop_random *random, const struct prop_tree *tree)
{
	for (;;) {
		int i = (int)prop_below(random, (unsigned int)tree->count);

		/* Directories high up have most to say. */
		if (prop_chance(random, 20))
			i = prop_chance(random, 50) ? 0 : 3;
		if (tree->nodes[i].may_rule)
			return i;
	}
}

static void random_path_rules(
	struct prop_random *random, const struct prop_tree *tree, struct prop_layer *layer)
{
	int count = 2 + (int)prop_below(random, PROP_RULES - 1);
	bool has_live = prop_chance(random, 25);

	for (int i = 0; i < count; i++) {
		int node = i == 0 && prop_chance(random, 30) ? 0 : random_rule_node(random, tree);
		uint64_t allowed = some_of(random, layer->handled.of[REEVE_FS]);

		if (!S_ISDIR(tree->nodes[node].type))
			allowed &= REEVE_FS_FILE_RIGHTS;
		if (allowed)
			layer->rules[layer->rule_count++] = (struct prop_rule){
				node, allowed, has_live && prop_chance(random, 50)};
	}
}

/* Around the boundaries of ranges, and those of the number. */
static uint16_t random_port(struct prop_random *random)
{
	static const uint16_t odd[] = {0, 1024, 65535};

	if (prop_chance(random, 10))
		return odd[prop_below(random, 3)];
	return (uint16_t)(PROP_PORT_BASE + prop_below(random, 10));
}

static void random_port_rules(struct prop_random *random, struct prop_layer *layer)
{
	int count = 1 + (int)prop_below(random, PROP_PORTS);

	for (int i = 0; i < count; i++) {
		uint16_t first = random_port(random);
		unsigned int last = first + (prop_chance(random, 60) ? prop_below(random, 4) : 0);
		uint64_t allowed = some_of(random, layer->handled.of[REEVE_NET]);

		if (allowed)
			layer->ports[layer->port_count++] =
				(struct prop_port){first, (uint16_t)(last > 65535 ? 65535 : last),
					allowed, prop_chance(random, 15)};
	}
}

static void random_layer(struct prop_random *random, const struct prop_tree *tree,
	const struct prop_abilities *can, struct prop_layer *layer)
{
	memset(layer, 0, sizeof(*layer));
	random_handled(random, can, layer);
	if (layer->handled.of[REEVE_FS])
		random_path_rules(random, tree, layer);
	if (layer->handled.of[REEVE_NET])
		random_port_rules(random, layer);
}

/* ----------------------------------------------------------------- requests */

/* Any node that `fits`; there is always one. */
static int random_node(struct prop_random *random, const struct prop_tree *tree,
	bool (*fits)(const struct prop_node *node))
{
	for (;;) {
		int i = (int)prop_below(random, (unsigned int)tree->count);

		if (fits(&tree->nodes[i]))
			return i;
	}
}

static bool in_tree(const struct prop_node *node)
{
	return node->may_move || strcmp(strrchr(node->path, '/'), "/t") == 0;
}

static bool is_file(const struct prop_node *node)
{
	return in_tree(node) && S_ISREG(node->type);
}

static bool is_stream(const struct prop_node *node)
{
	return is_file(node) || (in_tree(node) && S_ISFIFO(node->type));
}

static bool is_dir(const struct prop_node *node)
{
	return in_tree(node) && S_ISDIR(node->type);
}

static bool is_victim(const struct prop_node *node)
{
	return node->is_victim;
}

static bool is_removable(const struct prop_node *node)
{
	return node->may_move && !S_ISDIR(node->type);
}

static bool is_movable(const struct prop_node *node)
{
	return node->may_move;
}

static bool is_device(const struct prop_node *node)
{
	return strcmp(node->path, "/dev/null") == 0;
}

typedef bool (*fits_fn)(const struct prop_node *node);

/* What each kind of request is about: an object, or the directory that something is made in. */
static const fits_fn objects[PROP_KIND_COUNT] = {
	[PROP_OPEN_READ] = is_stream,
	[PROP_OPEN_WRITE] = is_stream,
	[PROP_OPEN_BOTH] = is_stream,
	[PROP_OPEN_DIR] = is_dir,
	[PROP_OPEN_TRUNC] = is_file,
	[PROP_EXEC] = is_file,
	[PROP_TRUNCATE] = is_file,
	[PROP_IOCTL] = is_device,
	[PROP_MAKE_REG] = is_dir,
	[PROP_CREAT] = is_dir,
	[PROP_MAKE_DIR] = is_dir,
	[PROP_MAKE_SYM] = is_dir,
	[PROP_MAKE_FIFO] = is_dir,
	[PROP_MAKE_CHAR] = is_dir,
	[PROP_MAKE_BLOCK] = is_dir,
	[PROP_BIND_UNIX] = is_dir,
	[PROP_UNLINK] = is_removable,
	[PROP_RMDIR] = is_victim,
	[PROP_RENAME_WITHIN] = is_movable,
	[PROP_RENAME_BETWEEN] = is_movable,
	[PROP_REPLACE] = is_movable,
	[PROP_EXCHANGE] = is_movable,
	[PROP_LINK_WITHIN] = is_removable,
	[PROP_LINK_BETWEEN] = is_removable,
};

/* "DIRECTORY/n", a name that no node has. */
static void new_name(struct prop_request *request, const char *directory, size_t length)
{
	snprintf(request->new_path, sizeof(request->new_path), "%.*s/n", (int)length, directory);
}

static size_t parent_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

static bool same_parent(const char *a, const char *b)
{
	return parent_length(a) == parent_length(b) && strncmp(a, b, parent_length(a)) == 0;
}

/* A directory that the object is not in, and that is not in the object. */
static int another_parent(
	struct prop_random *random, const struct prop_tree *tree, const struct prop_node *node)
{
	for (;;) {
		int i = random_node(random, tree, is_dir);
		const char *path = tree->nodes[i].path;

		if (!prop_is_within(path, node->path) &&
			(strlen(path) != parent_length(node->path) ||
				!prop_is_within(node->path, path)))
			return i;
	}
}

/* Something that can be replaced by, or exchanged with, the object; neither holds the other. */
static int another_object(struct prop_random *random, const struct prop_tree *tree,
	const struct prop_node *node, bool exchange)
{
	for (;;) {
		int i = random_node(random, tree, is_movable);
		const struct prop_node *other = &tree->nodes[i];

		if (prop_is_within(other->path, node->path) ||
			prop_is_within(node->path, other->path))
			continue;
		/* Mostly elsewhere: that is where there is most to get wrong. */
		if (same_parent(node->path, other->path) && prop_chance(random, 60))
			continue;
		if (exchange || (S_ISDIR(node->type) ? other->is_victim : !S_ISDIR(other->type)))
			return i;
	}
}

static void random_request(
	struct prop_random *random, const struct prop_tree *tree, struct prop_request *ret)
{
	const struct prop_node *node;

	ret->other = -1;
	ret->port = random_port(random);
	if (!objects[ret->kind])
		return;
	ret->node = random_node(random, tree, objects[ret->kind]);
	node = &tree->nodes[ret->node];
	if (ret->kind == PROP_RENAME_WITHIN || ret->kind == PROP_LINK_WITHIN) {
		new_name(ret, node->path, parent_length(node->path));
	} else if (ret->kind == PROP_RENAME_BETWEEN || ret->kind == PROP_LINK_BETWEEN) {
		const char *to = tree->nodes[another_parent(random, tree, node)].path;

		new_name(ret, to, strlen(to));
	} else if (ret->kind == PROP_REPLACE || ret->kind == PROP_EXCHANGE) {
		ret->other = another_object(random, tree, node, ret->kind == PROP_EXCHANGE);
		snprintf(ret->new_path, sizeof(ret->new_path), "%s", tree->nodes[ret->other].path);
	} else if (objects[ret->kind] == is_dir) {
		new_name(ret, node->path, strlen(node->path));
	}
}

static bool is_possible(
	const struct prop_case *c, const struct prop_abilities *can, enum prop_kind kind)
{
	if (kind == PROP_BIND_TCP || kind == PROP_CONNECT_TCP)
		return can->of[REEVE_NET] != 0;
	if (kind == PROP_IOCTL)
		return (can->of[REEVE_FS] & REEVE_FS_IOCTL_DEV) != 0;
	if (kind == PROP_PTRACE)
		return c->has_resource && can->ptrace;
	if (kind >= PROP_SIGNAL)
		return c->has_resource && can->of[REEVE_SCOPE];
	return true;
}

static void random_requests(struct prop_random *random, const struct prop_tree *tree,
	const struct prop_abilities *can, struct prop_case *c)
{
	while (c->request_count < PROP_REQUESTS) {
		struct prop_request *request = &c->requests[c->request_count];

		request->kind = (enum prop_kind)prop_below(random, PROP_KIND_COUNT);
		/* Renames and links have most to get wrong. */
		if (prop_chance(random, 30))
			request->kind = (enum prop_kind)(
				PROP_RENAME_BETWEEN +
				prop_below(random, PROP_LINK_BETWEEN - PROP_RENAME_BETWEEN + 1));
		if (!is_possible(c, can, request->kind))
			continue;
		random_request(random, tree, request);
		c->request_count++;
	}
}

void prop_generate(struct prop_random *random, const struct prop_tree *tree,
	const struct prop_abilities *can, struct prop_case *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->layer_count = prop_chance(random, 45) ? 1 : 1 + (int)prop_below(random, PROP_LAYERS);
	for (int i = 0; i < ret->layer_count; i++)
		random_layer(random, tree, can, &ret->layers[i]);
	ret->has_resource = prop_chance(random, 35);
	if (ret->has_resource) {
		ret->shared = (int)prop_below(random, (unsigned int)ret->layer_count + 1);
		ret->added_count = (int)prop_below(random, 3);
	}
	for (int i = 0; i < ret->added_count; i++)
		random_layer(random, tree, can, &ret->added[i]);
	random_requests(random, tree, can, ret);
}
