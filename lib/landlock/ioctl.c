/* SPDX-License-Identifier: MIT */
/* ioctl() on a supervisor ruleset: what changes it as a whole. */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include "landlock/add.h"
#include "landlock/registry.h"
#include "landlock/ruleset.h"

/* -EMFILE: nothing can be said of it. */
static int open_supervisor(int fd, struct rv_handle *ret)
{
	int r = rv_handle_open(fd, ret);

	if (r == -EMFILE)
		return r;
	return r || ret->role != RV_ROLE_SUPERVISOR ? -ENOTTY : 0;
}

static int get_supervisee(int fd, unsigned long argument)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	int r = open_supervisor(fd, &handle);

	if (r)
		return rv_compat_errno(-r);
	if (argument)
		return rv_compat_errno(EINVAL);
	handle.role = RV_ROLE_SUPERVISEE;
	return rv_compat_result(rv_handle_new(&handle));
}

static int stage_clear(struct rv_image *image, unsigned long argument)
{
	const struct rv_record clear = {.op = RV_RECORD_CLEAR};
	int r = argument ? -EINVAL : rv_image_lock(image);

	if (r)
		return rv_compat_errno(-r);
	r = rv_image_append(image, RV_AREA_STAGED, &clear, "");
	rv_image_unlock(image);
	return rv_compat_result(r);
}

static int change(int fd, unsigned long request, unsigned long argument)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	struct rv_image *image;
	const char *why = NULL;
	int r = open_supervisor(fd, &handle);

	if (r)
		return rv_compat_errno(-r);
	image = rv_registry_get(handle.id);
	if (!image)
		return rv_add_not_writable();
	if (request == LANDLOCK_IOCTL_CLEAR_RULES)
		r = stage_clear(image, argument);
	else
		r = rv_add_say(rv_live_replace(image, (int)argument, &why), why);
	rv_registry_put();
	return r;
}

/* A request of this number on something else is the kernel's: numbers are given out per driver. */
static bool is_ruleset(int fd)
{
	rv_autohandle handle = RV_HANDLE_EMPTY;
	int r = rv_handle_open(fd, &handle);

	return r == 0 || r == -EMFILE; /* that is said of our own only */
}

int reeve_landlock_ioctl(int fd, unsigned long request, ...)
{
	unsigned long argument;
	va_list args;

	va_start(args, request);
	argument = va_arg(args, unsigned long);
	va_end(args);
	if (request < LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET ||
		request > LANDLOCK_IOCTL_CLEAR_RULES || !is_ruleset(fd))
		return ioctl(fd, request, argument);
	/* The 0 of the source may be an int, of which the upper half is anything. */
	argument = (unsigned int)argument;
	if (request == LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET)
		return get_supervisee(fd, argument);
	return change(fd, request, argument);
}
