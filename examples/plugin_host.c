/* SPDX-License-Identifier: MIT */
/*
 * A host for plugins: each is a program in a sandbox of its own, with a policy that is built here,
 * and talks to its host by a socket, descriptor 3. One poll loop serves them all.
 *
 *	plugin_host DIRECTORY PLUGIN...
 *
 * Plugins may read the system's directories and DIRECTORY, and that is all. The host sends "go",
 *and prints what each answers.
 */
#include <errno.h>
#include <poll.h>
#include <reeve/reeve.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLUGINS_MAX 16

struct plugin {
	const char *path;
	int socket; /* -1: it has closed its end */
	pid_t pid;
};

static int grant(
	struct reeve_policy *policy, const char *flag, const char *path, struct reeve_error *err)
{
	return reeve_policy_add_flag(policy, flag, path, err);
}

/* Everything of files that a Landlock of the year 2021 knows; no sockets, but the one they get. */
static int build_policy(struct reeve_policy *policy, const char *directory, struct reeve_error *err)
{
	static const char *const system[] = {"/usr", "/bin", "/lib", "/etc/ld.so.cache"};
	struct reeve_rights handled = {.of[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, 1),
		.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE};
	int r = reeve_policy_handle(policy, &handled);

	for (size_t i = 0; r == 0 && i < sizeof(system) / sizeof(system[0]); i++)
		r = grant(policy, "--rx", system[i], err);
	if (r == 0 && access("/lib64", F_OK) == 0)
		r = grant(policy, "--rx", "/lib64", err);
	if (r == 0)
		r = grant(policy, "--rw", "/dev/null", err);
	if (r == 0)
		r = grant(policy, "--rx", directory, err);
	return r ? r : reeve_policy_resolve(policy, NULL, err);
}

static int make_plan(const char *directory, struct reeve_plan **ret, struct reeve_error *err)
{
	struct reeve_policy *policy;
	int r = reeve_policy_new(&policy);

	if (r)
		return r;
	r = build_policy(policy, directory, err);
	if (r == 0)
		r = reeve_plan_new(policy, NULL, ret, err);
	reeve_policy_free(policy);
	return r;
}

/* Nothing of the host's environment and descriptors gets in. */
static int start(struct plugin *plugin, const struct reeve_plan *plan, struct reeve_error *err)
{
	char *const argv[] = {(char *)plugin->path, NULL};
	char *const env[] = {(char *)"PATH=/usr/bin:/bin", NULL};
	struct reeve_fd_map fds[] = {{-1, 3}, {2, 1}};
	struct reeve_exec_options exec = {
		.size = sizeof(exec), .envp = env, .fds = fds, .fds_count = 2, .new_session = true};
	struct reeve_spawn_options options = {.size = sizeof(options), .exec = &exec};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fds[0].from = pair[1];
	plugin->pid = reeve_plan_spawn(plan, argv, &options, NULL, err);
	close(pair[1]);
	plugin->socket = pair[0];
	return plugin->pid < 0 ? plugin->pid : 0;
}

static void hear(struct plugin *plugin)
{
	char text[256];
	ssize_t n = read(plugin->socket, text, sizeof(text) - 1);

	if (n <= 0) {
		close(plugin->socket);
		plugin->socket = -1;
		return;
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	printf("%s: %s\n", plugin->path, text);
}

/* Until all have closed their ends. */
static void serve(struct plugin *plugins, size_t count)
{
	struct pollfd fds[PLUGINS_MAX];
	size_t open;

	do {
		open = 0;
		for (size_t i = 0; i < count; i++) {
			fds[i] = (struct pollfd){.fd = plugins[i].socket, .events = POLLIN};
			open += plugins[i].socket >= 0;
		}
		if (open == 0 || poll(fds, count, -1) < 0)
			return;
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents)
				hear(&plugins[i]);
	} while (open > 0);
}

int main(int argc, char *argv[])
{
	struct reeve_error err = {.message = "out of memory"};
	struct plugin plugins[PLUGINS_MAX];
	size_t count = argc > 2 ? (size_t)argc - 2 : 0;
	struct reeve_plan *plan = NULL;
	int r, failed = 0;

	if (count == 0 || count > PLUGINS_MAX) {
		fprintf(stderr, "usage: plugin_host DIRECTORY PLUGIN...\n");
		return 125;
	}
	signal(SIGPIPE, SIG_IGN); /* a plugin that dies is the host's to live with */
	r = make_plan(argv[1], &plan, &err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		plugins[i].path = argv[i + 2];
		r = start(&plugins[i], plan, &err);
		if (r == 0 && write(plugins[i].socket, "go\n", 3) < 0)
			perror(plugins[i].path);
	}
	reeve_plan_free(plan);
	if (r) {
		fprintf(stderr, "plugin_host: %s\n", err.message);
		return 125;
	}
	serve(plugins, count);
	for (size_t i = 0; i < count; i++) {
		int status;

		waitpid(plugins[i].pid, &status, 0);
		failed += status != 0;
	}
	return failed ? 1 : 0;
}
