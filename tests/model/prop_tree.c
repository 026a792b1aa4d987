/* SPDX-License-Identifier: MIT */
/* The tree that the requests are about, and how it is kept as it was. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "prop.h"

static const struct {
	const char *name;
	mode_t type;
	bool is_victim;
} plan[] = {
	{"t", S_IFDIR, false},
	{"t/f", S_IFREG, false},
	{"t/g", S_IFREG, false},
	{"t/a", S_IFDIR, false},
	{"t/a/f", S_IFREG, false},
	{"t/a/g", S_IFREG, false},
	{"t/a/l", S_IFLNK, false},
	{"t/a/p", S_IFIFO, false},
	{"t/a/c", S_IFCHR, false},
	{"t/a/v", S_IFDIR, true},
	{"t/a/b", S_IFDIR, false},
	{"t/a/b/f", S_IFREG, false},
	{"t/a/b/s", S_IFSOCK, false},
	{"t/a/b/v", S_IFDIR, true},
	{"t/a/b/d", S_IFDIR, false},
	{"t/a/b/d/f", S_IFREG, false},
	{"t/a/b/d/x", S_IFDIR, false},
	{"t/e", S_IFDIR, false},
	{"t/e/f", S_IFREG, false},
	{"t/e/l", S_IFLNK, false},
	{"t/e/s", S_IFSOCK, false},
	{"t/e/v", S_IFDIR, true},
	{"t/e/h", S_IFDIR, false},
	{"t/e/h/f", S_IFREG, false},
	{"t/e/h/p", S_IFIFO, false},
	{"t/e/h/k", S_IFBLK, false},
};

static int make_object(const char *path, mode_t type)
{
	/* Not the whiteout 0:0, though anyone may make it: Linux 7.3 takes it for a regular file.
	 */
	dev_t device = type == S_IFBLK ? makedev(7, 250) : makedev(1, 3);

	switch (type) {
	case S_IFDIR:
		return mkdir(path, 0755);
	case S_IFLNK:
		return symlink("nowhere", path);
	}
	return mknod(path, type | 0755, device);
}

/* A second name outside the tree keeps the inode, for what requests remove. */
static void stash_name(char *buf, size_t size, const struct prop_tree *tree, int node)
{
	snprintf(buf, size, "%s/s/%d", tree->top, node);
}

static int add_node(struct prop_tree *tree, const char *path, mode_t type, bool is_victim)
{
	struct prop_node *node = &tree->nodes[tree->count];

	snprintf(node->path, sizeof(node->path), "%s", path);
	node->type = type;
	node->is_victim = is_victim;
	node->may_rule = !is_victim;
	node->fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (node->fd < 0)
		return -errno;
	tree->count++;
	return 0;
}

static int add_planned(struct prop_tree *tree, const char *name, mode_t type, bool is_victim)
{
	char path[160], stash[160];

	snprintf(path, sizeof(path), "%s/%s", tree->top, name);
	if (make_object(path, type) < 0)
		return type == S_IFBLK || type == S_IFCHR ? 0 : -errno; /* only root makes them */
	if (add_node(tree, path, type, is_victim) < 0)
		return -errno;
	tree->nodes[tree->count - 1].may_move = strcmp(name, "t") != 0;
	stash_name(stash, sizeof(stash), tree, tree->count - 1);
	if (type != S_IFDIR && link(path, stash) < 0)
		return -errno;
	return 0;
}

/*
 * Objects above the tree, and a device. A rule on "/" tells the model's refer from the kernel's
 * where a mount point lies between: the kernel compares source and destination only up to there.
 */
static int add_outside(struct prop_tree *tree)
{
	struct stat root, top;
	int ret = add_node(tree, tree->top, S_IFDIR, false);

	if (ret == 0)
		ret = add_node(tree, "/dev", S_IFDIR, false);
	if (ret == 0)
		ret = add_node(tree, "/dev/null", S_IFCHR, false);
	if (ret == 0 && stat("/", &root) == 0 && stat(tree->top, &top) == 0 &&
		root.st_dev == top.st_dev)
		ret = add_node(tree, "/", S_IFDIR, false);
	return ret;
}

/* A new directory; its canonical path goes to tree->top. */
static int make_top(struct prop_tree *tree)
{
	const char *base = getenv("TMPDIR");
	char template[128], *canonical;

	snprintf(template, sizeof(template), "%s/reeve-prop-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(template))
		return -errno;
	canonical = realpath(template, NULL);
	if (!canonical)
		return -errno;
	snprintf(tree->top, sizeof(tree->top), "%s", canonical);
	free(canonical);
	/* Paths of sockets have 108 bytes. */
	return strlen(tree->top) > 80 ? -ENAMETOOLONG : 0;
}

int prop_tree_make(struct prop_tree *tree)
{
	char path[160];
	int ret;

	memset(tree, 0, sizeof(*tree));
	umask(022);
	ret = make_top(tree);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "%s/s", tree->top);
	if (mkdir(path, 0700) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(plan) / sizeof(plan[0]); i++) {
		ret = add_planned(tree, plan[i].name, plan[i].type, plan[i].is_victim);
		if (ret < 0)
			return ret;
	}
	return add_outside(tree);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void prop_tree_remove(struct prop_tree *tree)
{
	for (int i = 0; i < tree->count; i++)
		close(tree->nodes[i].fd);
	if (tree->top[0])
		nftw(tree->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void prop_tree_restore(const struct prop_tree *tree, int node)
{
	char stash[160];

	if (tree->nodes[node].type == S_IFDIR) {
		mkdir(tree->nodes[node].path, 0755);
		return;
	}
	stash_name(stash, sizeof(stash), tree, node);
	if (link(stash, tree->nodes[node].path) < 0 && errno != EEXIST)
		fprintf(stderr, "cannot restore %s: %s\n", tree->nodes[node].path, strerror(errno));
}

bool prop_is_within(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	if (n == 1)
		return true;
	return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}
