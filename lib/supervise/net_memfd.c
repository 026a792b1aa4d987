/* SPDX-License-Identifier: MIT */
/* memfd_create(2) where memory files must not be executed: made with MFD_NOEXEC_SEAL. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "supervise/net.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008u
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

#define NAME_SIZE 250 /* the kernel's, with the NUL */

/*
 * The flag is set, not looked for: it takes the permission to execute away, and seals that. Who
 * asks for a file to execute is told EACCES, as with the sysctl vm.memfd_noexec = 2.
 */
struct rv_answer rv_net_memfd_create(struct rv_request *request)
{
	unsigned int flags = (unsigned int)rv_arg_int(request, 1);
	char name[NAME_SIZE];
	ssize_t n = rv_caller_read_string(request->caller, rv_arg(request, 0), name, sizeof(name));
	long fd;

	if (n < 0)
		return rv_answer_errno(n == -ENAMETOOLONG ? EINVAL : (int)-n);
	if (flags & MFD_EXEC) {
		rv_report_guard(request, "deny.execute_memfd", name, EACCES);
		return rv_answer_errno(EACCES);
	}
	if (!rv_may_act_for(request))
		return rv_answer_errno(EPERM);
	fd = syscall(SYS_memfd_create, name, flags | MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	return fd < 0 ? rv_answer_errno(errno) : rv_answer_fd((int)fd, flags & MFD_CLOEXEC);
}
