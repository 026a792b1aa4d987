/* SPDX-License-Identifier: MIT */
/*
 * Where in the security blob of credentials Landlock's part is, depends on which other modules the
 * kernel has. It can be read only by name, and only where the kernel was built with KALLSYMS_ALL.
 * So a child makes a domain of its own, and the iterator looks for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/error.h"
#include "enforce/child.h"
#include "kernel/sys.h"
#include "observe/bpf/record.h"
#include "observe/host.h"

/* The child: system calls only, as there may be other threads. Its ends are gone when we are. */
static void be_in_a_domain(int ruleset, int ready, int done)
{
	char byte = 0;

	if (rv_set_no_new_privs() == 0 && rv_landlock_restrict_self(ruleset, 0) == 0)
		byte = 1;
	if (write(ready, &byte, 1) == 1)
		while (read(done, &byte, 1) < 0 && errno == EINTR)
			;
	syscall(SYS_exit_group, 0);
}

struct child {
	pid_t pid;
	int ready[2], done[2];
};

static void child_end(struct child *child)
{
	for (int i = 0; i < 2; i++) {
		rv_close_p(&child->ready[i]);
		rv_close_p(&child->done[i]);
	}
	while (child->pid > 0 && waitpid(child->pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
}

/* All signals are blocked in it: no handler may run there. */
static pid_t clone_child(const struct child *child, int ruleset)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = rv_child_clone(0);
	if (pid == 0) {
		close(child->ready[0]);
		close(child->done[1]);
		be_in_a_domain(ruleset, child->ready[1], child->done[0]);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static int child_start(struct child *child)
{
	static const struct rv_landlock_ruleset_attr attr = {
		.handled_access_fs = REEVE_FS_MAKE_BLOCK};
	rv_autoclose int ruleset =
		rv_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);
	char byte = 0;
	ssize_t n;

	if (ruleset < 0)
		return ruleset;
	if (pipe2(child->ready, O_CLOEXEC) < 0 || pipe2(child->done, O_CLOEXEC) < 0)
		return -errno;
	child->pid = clone_child(child, ruleset);
	if (child->pid < 0)
		return child->pid;
	close(rv_steal_fd(&child->ready[1]));
	do
		n = read(child->ready[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 && byte ? 0 : -EPERM;
}

/* Runs the program over all tasks; it writes nothing but its variable. */
static int run_calibration(struct rv_iterator *iterator)
{
	const struct rv_libbpf *libbpf = &iterator->libbpf;
	struct bpf_program *program = libbpf->object_find_program(iterator->object, "calibrate");
	struct bpf_link *link = program ? libbpf->attach_iter(program, NULL) : NULL;
	rv_autoclose int fd = link ? libbpf->iter_create(libbpf->link_fd(link)) : -errno;
	char buffer[256];
	ssize_t n = 0;

	while (fd >= 0 && ((n = read(fd, buffer, sizeof(buffer))) > 0 ||
				  (n < 0 && (errno == EINTR || errno == EAGAIN))))
		;
	n = n < 0 ? -errno : n;
	if (link)
		libbpf->link_destroy(link);
	return fd < 0 ? fd : (int)n;
}

/* The program's variables are the only value of a map. */
static int calibrate_on(struct rv_iterator *iterator, pid_t pid, struct rv_host_control *control)
{
	const struct rv_libbpf *libbpf = &iterator->libbpf;
	struct bpf_map *map = libbpf->object_find_map(iterator->object, ".data");
	const uint32_t key = 0;
	int r, fd = map ? libbpf->map_fd(map) : -ENOENT;

	*control = (struct rv_host_control){.offset = -1, .target = (uint32_t)pid};
	r = fd < 0 ? fd : libbpf->map_set(fd, &key, control, 0);
	if (r == 0)
		r = run_calibration(iterator);
	if (r == 0)
		r = libbpf->map_get(fd, &key, control);
	control->target = 0;
	return r == 0 ? libbpf->map_set(fd, &key, control, 0) : r;
}

int rv_iterator_calibrate(struct rv_iterator *iterator, struct reeve_error *err)
{
	struct child child = {-1, {-1, -1}, {-1, -1}};
	struct rv_host_control control;
	int r = child_start(&child);

	if (r == 0)
		r = calibrate_on(iterator, child.pid, &control);
	child_end(&child);
	if (r < 0)
		return rv_error(
			err, r, "cannot find out where Landlock keeps domains: %s", strerror(-r));
	if (control.offset < 0)
		return rv_error(err, -EOPNOTSUPP,
			"a Landlock domain of our own is not found in this kernel's memory");
	return 0;
}
