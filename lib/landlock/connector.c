/* SPDX-License-Identifier: MIT */
/*
 * The connector of a process that restricts itself: a process of the new domain, one layer above
 * the caller and so out of its reach, with workers that perform calls on sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include "enforce/child.h"
#include "kernel/sys.h"
#include "landlock/compat.h"
#include "landlock/registry.h"
#include "landlock/start.h"
#include "supervise/connector.h"

/*
 * One that any process may take without losing more: it handles what it grants on the root
 * directory. Refer, because a layer that handles fs rights and does not grant it denies it.
 */
static int make_layer(int *ret)
{
	struct rv_landlock_path_beneath_attr rule = {0};
	struct rv_landlock_ruleset_attr attr = {0};
	rv_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct rv_compat_kernel kernel;
	int r = rv_compat_kernel(&kernel);

	if (r < 0 || root < 0)
		return r < 0 ? r : -errno;
	attr.handled_access_fs =
		kernel.abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : LANDLOCK_ACCESS_FS_MAKE_BLOCK;
	fd = rv_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);
	if (fd < 0)
		return fd;
	rule.allowed_access = attr.handled_access_fs;
	rule.parent_fd = root;
	r = rv_landlock_add_rule(fd, RV_LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (r == 0)
		*ret = rv_steal_fd(&fd);
	return r;
}

int rv_start_connector_prepare(struct rv_start_connector *connector)
{
	int pair[2], r = make_layer(&connector->layer_fd);

	if (r)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	connector->command = pair[0];
	connector->theirs = pair[1];
	connector->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return connector->proc < 0 ? -errno : 0;
}

void rv_start_connector_close(struct rv_start_connector *connector)
{
	rv_close_p(&connector->command);
	rv_close_p(&connector->theirs);
	rv_close_p(&connector->proc);
	rv_close_p(&connector->layer_fd);
	*connector = RV_START_CONNECTOR_NONE;
}

/*
 * It never signals the domain: whoever restricts itself lives on without its supervisor. It finds
 * that out on itself, which no scope keeps it from reaching.
 */
static void become_connector(const void *data)
{
	const struct rv_connector_fds *fds = data;
	const pid_t self = getpid();
	sigset_t none;

	rv_registry_drop();
	sigemptyset(&none);
	rv_child_signals(&none);
	rv_connector_main(fds, self, self);
}

int rv_start_connector(
	struct rv_start_connector *connector, pid_t supervisor, uint32_t restrict_flags)
{
	rv_autoclose int pidfd = rv_pidfd_open(supervisor);
	const struct rv_connector_fds fds = {connector->theirs, pidfd, connector->proc};
	int r = pidfd < 0 ? pidfd : rv_start_process(become_connector, &fds);

	return r < 0 ? r : rv_landlock_restrict_self(connector->layer_fd, restrict_flags);
}
