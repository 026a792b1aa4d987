/* SPDX-License-Identifier: MIT */
/* Programs as text, for `reeve run --dry-run` and for people who debug the compiler. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "enforce/bpf_internal.h"

static const struct {
	int number;
	const char *name;
} errors[] = {{EPERM, "EPERM"}, {EACCES, "EACCES"}, {EINVAL, "EINVAL"}, {ENOSYS, "ENOSYS"},
	{EBUSY, "EBUSY"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EAFNOSUPPORT, "EAFNOSUPPORT"}};

static const struct {
	uint32_t action;
	const char *name;
} actions[] = {{SECCOMP_RET_ALLOW, "allow"}, {SECCOMP_RET_KILL_PROCESS, "kill process"},
	{SECCOMP_RET_KILL_THREAD, "kill thread"}, {SECCOMP_RET_TRAP, "trap"},
	{SECCOMP_RET_USER_NOTIF, "notify"}, {SECCOMP_RET_TRACE, "trace"}, {SECCOMP_RET_LOG, "log"}};

static void dump_return(struct rv_strbuf *sb, uint32_t k)
{
	if ((k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
		for (size_t i = 0; i < RV_COUNT(errors); i++) {
			if ((uint32_t)errors[i].number == (k & SECCOMP_RET_DATA)) {
				rv_strbuf_printf(sb, "return errno %s", errors[i].name);
				return;
			}
		}
		rv_strbuf_printf(sb, "return errno %" PRIu32, k & SECCOMP_RET_DATA);
		return;
	}
	for (size_t i = 0; i < RV_COUNT(actions); i++) {
		if (actions[i].action == (k & SECCOMP_RET_ACTION_FULL)) {
			rv_strbuf_printf(sb, "return %s", actions[i].name);
			return;
		}
	}
	rv_strbuf_printf(sb, "return %#" PRIx32, k);
}

static void dump_load(struct rv_strbuf *sb, uint32_t k)
{
	const uint32_t args = offsetof(struct seccomp_data, args);
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (k == offsetof(struct seccomp_data, nr))
		rv_strbuf_puts(sb, "load nr");
	else if (k == offsetof(struct seccomp_data, arch))
		rv_strbuf_puts(sb, "load arch");
	else if (k >= args)
		rv_strbuf_printf(sb, "load arg%" PRIu32 ".%s", (k - args) / 8,
			((k - args) % 8 == 0) == little ? "low" : "high");
	else
		rv_strbuf_printf(sb, "load [%" PRIu32 "]", k);
}

static const char *jump_name(uint16_t code)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return "==";
	case BPF_JGE:
		return ">=";
	case BPF_JGT:
		return ">";
	default:
		return "&";
	}
}

/* Numbers of calls, families and the like in decimal, masks and requests in hex. */
static void dump_jump(struct rv_strbuf *sb, const struct sock_filter *in, size_t at)
{
	bool decimal = in->k < 4096 && BPF_OP(in->code) != BPF_JSET;

	rv_strbuf_printf(
		sb, decimal ? "if %s %" PRIu32 : "if %s %#" PRIx32, jump_name(in->code), in->k);
	rv_strbuf_printf(sb, " goto %zu else %zu", at + 1 + in->jt, at + 1 + in->jf);
}

static void dump_instruction(struct rv_strbuf *sb, const struct sock_filter *in, size_t at)
{
	rv_strbuf_printf(sb, "%5zu  ", at);
	if (in->code == (BPF_LD | BPF_W | BPF_ABS))
		dump_load(sb, in->k);
	else if (in->code == (BPF_ALU | BPF_AND | BPF_K))
		rv_strbuf_printf(sb, "and %#" PRIx32, in->k);
	else if (in->code == (BPF_RET | BPF_K))
		dump_return(sb, in->k);
	else if (in->code == (BPF_JMP | BPF_JA))
		rv_strbuf_printf(sb, "goto %zu", at + 1 + in->k);
	else
		dump_jump(sb, in, at);
	rv_strbuf_puts(sb, "\n");
}

int rv_bpf_dump(const struct rv_bpf *bpf, char **ret)
{
	rv_autostrbuf sb = {0};
	size_t at = 0;

	if (!bpf->program)
		return -EINVAL;
	for (size_t i = 0; i < bpf->count; i++) {
		size_t end = i + 1 < bpf->count ? bpf->items[i + 1].at : bpf->length;

		if (bpf->items[i].comment)
			rv_strbuf_printf(&sb, "; %s\n", bpf->items[i].comment);
		for (; at < end; at++)
			dump_instruction(&sb, &bpf->program[at], at);
	}
	return rv_strbuf_steal(&sb, ret);
}
