/* SPDX-License-Identifier: MIT */
/* Loading the iterator: BPF code for any kernel, made to fit by libbpf and the kernel's BTF. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "kernel/probe.h"
#include "kernel/sys.h"
#include "model/feature.h"
#include "observe/host.h"

#define BTF "/sys/kernel/btf/vmlinux"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

static bool may_load(void)
{
	const uint64_t needed = UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON;
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;
	uint64_t effective;

	if (rv_capget(0, &effective, NULL) < 0)
		return false;
	return (effective & needed) == needed || (effective & admin);
}

/* Audit, and with it ids, came together with the flags of landlock_restrict_self(). */
static bool has_ids(void)
{
	struct reeve_kernel kernel;

	return rv_kernel_probe(&kernel) == 0 &&
	       (kernel.restrict_flags & RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF);
}

static bool has_libbpf(void)
{
	rv_autolibbpf libbpf = {0};

	return rv_libbpf_open(&libbpf) == 0;
}

enum reeve_observes rv_iterator_lacks(void)
{
	if (rv_domains_bpf_size == 0)
		return REEVE_OBSERVES_NOT_BUILT;
	if (!has_ids())
		return REEVE_OBSERVES_NO_IDS;
	if (access(BTF, R_OK) < 0)
		return REEVE_OBSERVES_NO_BTF;
	if (!has_libbpf())
		return REEVE_OBSERVES_NO_LIBBPF;
	return may_load() ? REEVE_OBSERVES : REEVE_OBSERVES_NO_PRIVILEGE;
}

static int lacks_error(enum reeve_observes lacks, struct reeve_error *err)
{
	int code = lacks == REEVE_OBSERVES_NO_PRIVILEGE ? -EPERM : -EOPNOTSUPP;

	rv_error(err, code, "the Landlock domains of this host cannot be read: %s",
		rv_observes_why(lacks));
	if (lacks == REEVE_OBSERVES_NO_PRIVILEGE)
		rv_error_hint(err, "`reeve observe pin`, once by root, lets others read them");
	return code;
}

static int no_print(int level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int load(struct rv_iterator *iterator, struct reeve_error *err)
{
	const struct rv_libbpf *libbpf = &iterator->libbpf;
	int r;

	iterator->object = libbpf->object_open_mem(rv_domains_bpf, rv_domains_bpf_size, NULL);
	if (!iterator->object)
		return rv_error(
			err, -errno, "libbpf cannot read the BPF iterator: %s", strerror(errno));
	r = libbpf->object_load(iterator->object);
	if (r == 0)
		return 0;
	rv_error(err, -EOPNOTSUPP, "the kernel does not take the BPF iterator: %s", strerror(-r));
	rv_error_hint(err, "it may be locked down (lockdown=confidentiality), be built without "
			   "CONFIG_AUDIT, or keep domains in another way than reeve knows");
	return -EOPNOTSUPP;
}

static int attach(struct rv_iterator *iterator, struct reeve_error *err)
{
	const struct rv_libbpf *libbpf = &iterator->libbpf;
	struct bpf_program *program = libbpf->object_find_program(iterator->object, "domains");

	iterator->link = program ? libbpf->attach_iter(program, NULL) : NULL;
	if (iterator->link)
		return 0;
	return rv_error(
		err, -EOPNOTSUPP, "the BPF iterator cannot be attached: %s", strerror(errno));
}

int rv_iterator_open(struct rv_iterator *ret, struct reeve_error *err)
{
	enum reeve_observes lacks = rv_iterator_lacks();
	rv_autoiterator iterator = {0};
	rv_libbpf_print old;
	int r;

	if (lacks != REEVE_OBSERVES)
		return lacks_error(lacks, err);
	if (rv_libbpf_open(&iterator.libbpf) < 0)
		return lacks_error(REEVE_OBSERVES_NO_LIBBPF, err);
	old = iterator.libbpf.set_print(no_print);
	r = load(&iterator, err);
	if (r == 0)
		r = rv_iterator_calibrate(&iterator, err);
	if (r == 0)
		r = attach(&iterator, err);
	iterator.libbpf.set_print(old);
	if (r < 0)
		return r;
	*ret = iterator;
	memset(&iterator, 0, sizeof(iterator));
	return 0;
}

void rv_iterator_close(struct rv_iterator *iterator)
{
	if (iterator->link)
		iterator->libbpf.link_destroy(iterator->link);
	if (iterator->object)
		iterator->libbpf.object_close(iterator->object);
	rv_libbpf_close(&iterator->libbpf);
	memset(iterator, 0, sizeof(*iterator));
}
