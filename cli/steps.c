/* SPDX-License-Identifier: MIT */
/* The names by which a path is found: its own, and that of each symbolic link on the way. */
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "reload.h"

#define MAX_LINKS 40

/* A path on its way: what of it is behind us has no link in it any more. */
struct walk {
	char done[PATH_MAX], left[2 * PATH_MAX];
	int links;
};

/* Cuts the first name off; false at the end. */
static bool next_name(struct walk *walk, char name[static NAME_MAX + 1])
{
	size_t start = strspn(walk->left, "/");
	size_t length = strcspn(walk->left + start, "/");

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(name, walk->left + start, length);
	name[length] = '\0';
	memmove(walk->left, walk->left + start + length, strlen(walk->left + start + length) + 1);
	return true;
}

static bool go_on(struct walk *walk, const char *name)
{
	size_t length = strlen(walk->done);

	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(walk->done, '/');

		if (slash)
			*slash = '\0';
		return true;
	}
	if (length + strlen(name) + 2 > sizeof(walk->done))
		return false;
	sprintf(walk->done + length, "/%s", name);
	return true;
}

/* Where a link leads to: in front of what is left. 0: it is none. */
static ssize_t follow(struct walk *walk, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2], target[PATH_MAX], left[2 * PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", walk->done, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = '\0';
	if (++walk->links > MAX_LINKS)
		return -1;
	if (snprintf(left, sizeof(left), "%s/%s", target, walk->left) >= (int)sizeof(left))
		return -1;
	memcpy(walk->left, left, sizeof(left));
	if (target[0] == '/')
		walk->done[0] = '\0';
	return n;
}

bool cli_path_steps(
	const char *path, bool (*fn)(void *data, const char *dir, const char *name), void *data)
{
	struct walk walk = {0};
	char name[NAME_MAX + 1];
	bool good = true;

	snprintf(walk.left, sizeof(walk.left), "%s", path);
	while (good && next_name(&walk, name)) {
		bool last = walk.left[strspn(walk.left, "/")] == '\0';
		char dir[PATH_MAX + 1];
		ssize_t link;

		snprintf(dir, sizeof(dir), "%s", walk.done[0] ? walk.done : "/");
		link = follow(&walk, name);
		if (link || last)
			good = fn(data, dir, name);
		if (link < 0)
			return false;
		if (!link && !go_on(&walk, name))
			return false;
	}
	return good;
}
