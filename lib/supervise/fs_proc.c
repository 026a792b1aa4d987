/* SPDX-License-Identifier: MIT */
/*
 * What a caller means on procfs, for the event of a denial alone: nothing there is opened for it,
 * as names there may mean whoever looks. Those that say so are looked up in the caller's own
 * directory; where a link led to ours, nothing is known.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include "supervise/fs.h"

static const char *below_self(const char *text)
{
	static const char *const names[] = {"/proc/self/", "/proc/thread-self/"};

	for (size_t i = 0; i < RV_COUNT(names); i++) {
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return text + strlen(names[i]);
	}
	return NULL;
}

/* By a name that is ours only because we looked. */
static bool became_ours(const struct rv_request *request, const char *path, const char *text)
{
	char own[32];
	size_t length = (size_t)snprintf(
		own, sizeof(own), "/proc/%d", (int)request->context->supervisor_pid);

	return strncmp(path, own, length) == 0 && (path[length] == '/' || !path[length]) &&
	       strncmp(text, own, length) != 0;
}

bool rv_fs_find_on_procfs(struct rv_request *request, const char *text, uint64_t flags,
	const struct rv_object *pinned, struct rv_object *ret)
{
	const char *rest = below_self(text);
	int proc = rest ? rv_caller_proc(request->caller) : -1;

	if (rest && proc < 0)
		return false;
	ret->fd =
		rest ? rv_resolve_below(proc, rest, flags) : fcntl(pinned->fd, F_DUPFD_CLOEXEC, 0);
	return ret->fd >= 0 && rv_object_name(request, ret) &&
	       !became_ours(request, ret->path, text);
}
