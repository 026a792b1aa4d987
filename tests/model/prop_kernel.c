/* SPDX-License-Identifier: MIT */
/* The kernel's side: a child enforces the layers by raw system calls and performs the requests. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kernel/sys.h"
#include "prop.h"

static size_t attr_size(int abi)
{
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static int ruleset_for(const struct prop_abilities *can, const struct prop_layer *layer)
{
	struct rv_landlock_ruleset_attr attr = {
		.handled_access_fs = layer->handled.of[REEVE_FS],
		.handled_access_net = layer->handled.of[REEVE_NET],
		.scoped = layer->handled.of[REEVE_SCOPE],
	};

	return rv_landlock_create_ruleset(&attr, attr_size(can->abi), 0);
}

static int add_rules(const struct prop_tree *tree, const struct prop_layer *layer, int fd)
{
	int ret = 0;

	for (int i = 0; ret == 0 && i < layer->rule_count; i++) {
		struct rv_landlock_path_beneath_attr attr = {
			layer->rules[i].allowed, tree->nodes[layer->rules[i].node].fd};

		ret = rv_landlock_add_rule(fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	}
	for (int i = 0; i < layer->port_count; i++) {
		for (unsigned int p = layer->ports[i].first; p <= layer->ports[i].last; p++) {
			struct rv_landlock_net_port_attr attr = {layer->ports[i].allowed, p};

			if (ret == 0)
				ret = rv_landlock_add_rule(fd, RV_LANDLOCK_RULE_NET_PORT, &attr, 0);
		}
	}
	return ret;
}

/* Enforces a layer on this process, for good. Logging is off, as these denials are on purpose. */
static void enforce(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_layer *layer)
{
	int fd = ruleset_for(can, layer), ret = fd;

	if (ret >= 0)
		ret = add_rules(tree, layer, fd);
	if (ret >= 0)
		ret = rv_landlock_restrict_self(
			fd, can->abi >= 7 ? RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF : 0);
	if (ret < 0) {
		fprintf(stderr, "cannot enforce a layer: %s\n", strerror(-ret));
		_exit(3);
	}
	close(fd);
}

/* -------------------------------------------------------- the resource process */

static void listen_abstract(bool datagram)
{
	struct sockaddr_un address;
	socklen_t length = prop_abstract_address(&address, getpid(), datagram);
	int fd = socket(AF_UNIX, datagram ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
		(!datagram && listen(fd, PROP_REQUESTS) < 0))
		_exit(4);
}

/* Takes its own layers, makes its sockets, says so, and waits for the end of its input. */
static void be_resource(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_case *c, int ready, int end)
{
	char byte = 0;

	for (int i = 0; i < c->added_count; i++)
		enforce(tree, can, &c->added[i]);
	listen_abstract(false);
	listen_abstract(true);
	if (write(ready, &byte, 1) != 1 || read(end, &byte, 1) != 0)
		_exit(5);
	_exit(0);
}

static pid_t start_resource(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_case *c, int *end)
{
	int ready_pipe[2], end_pipe[2];
	char byte;
	pid_t pid;

	if (pipe(ready_pipe) < 0 || pipe(end_pipe) < 0)
		_exit(6);
	pid = fork();
	if (pid == 0) {
		close(ready_pipe[0]);
		close(end_pipe[1]);
		be_resource(tree, can, c, ready_pipe[1], end_pipe[0]);
	}
	close(ready_pipe[1]);
	close(end_pipe[0]);
	if (pid < 0 || read(ready_pipe[0], &byte, 1) != 1)
		_exit(7);
	close(ready_pipe[0]);
	*end = end_pipe[1];
	return pid;
}

static void end_resource(pid_t pid, int end)
{
	int status;

	close(end);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		_exit(8);
}

/* ---------------------------------------------------------- the accessor process */

/* Whether what a request did must be undone before the next. */
static bool leaves_traces(enum prop_kind kind, int error)
{
	if (kind == PROP_CREAT)
		return true;
	return error == 0 && kind >= PROP_MAKE_REG && kind <= PROP_LINK_BETWEEN;
}

static void be_accessor(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_case *c, int *answers, int tell, int hear)
{
	pid_t resource = 0;
	int end = -1;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int i = 0; i <= c->layer_count; i++) {
		if (c->has_resource && i == c->shared)
			resource = start_resource(tree, can, c, &end);
		if (i < c->layer_count)
			enforce(tree, can, &c->layers[i]);
	}
	for (int i = 0; i < c->request_count; i++) {
		char byte = (char)i;

		answers[i] = prop_perform(tree, &c->requests[i], resource);
		if (leaves_traces(c->requests[i].kind, answers[i]) &&
			(write(tell, &byte, 1) != 1 || read(hear, &byte, 1) != 1))
			_exit(9);
	}
	if (resource)
		end_resource(resource, end);
	_exit(0);
}

/* Undoes each request that the child names, until it is gone. */
static void undo_on_demand(const struct prop_tree *tree, const struct prop_case *c,
	const int *answers, int hear, int tell)
{
	char i;

	while (read(hear, &i, 1) == 1) {
		prop_undo(tree, &c->requests[(int)i], answers[(int)i]);
		if (write(tell, &i, 1) != 1)
			return;
	}
}

int prop_kernel_run(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_case *c, int *answers)
{
	int up[2], down[2], status = 0;
	pid_t pid;

	if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(up[0]);
		close(down[1]);
		be_accessor(tree, can, c, answers, up[1], down[0]);
	}
	close(up[1]);
	close(down[0]);
	if (pid > 0)
		undo_on_demand(tree, c, answers, up[0], down[1]);
	close(up[0]);
	close(down[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "the child failed: status 0x%x\n", status);
		return -ECHILD;
	}
	return 0;
}

/* ------------------------------------------------------------------- probing */

static bool ptrace_is_free(void)
{
	FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int level = 0;

	if (file && fscanf(file, "%d", &level) != 1)
		level = 3;
	if (file)
		fclose(file);
	return level < 2;
}

void prop_kernel_probe(struct prop_abilities *ret)
{
	int abi = rv_landlock_create_ruleset(NULL, 0, RV_LANDLOCK_CREATE_RULESET_VERSION);

	*ret = (struct prop_abilities){
		.abi = abi, .is_root = geteuid() == 0, .ptrace = ptrace_is_free()};
	for (int cls = 0; abi > 0 && cls < REEVE_CLASS_COUNT; cls++)
		ret->of[cls] = reeve_rights_of_abi((enum reeve_class)cls, abi);
	/* What a domain does to UDP and to sockets by their path is not exercised here. */
	ret->of[REEVE_NET] &= REEVE_NET_BIND_TCP | REEVE_NET_CONNECT_TCP;
	ret->of[REEVE_FS] &= ~REEVE_FS_RESOLVE_UNIX;
}
