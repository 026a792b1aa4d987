/* SPDX-License-Identifier: MIT */
/*
 * socket(2) and socketpair(2), by family, type and protocol: the rules where socket creation is
 * handled, what the TCP guard asks, and the refusal of AF_UNIX datagram sockets; the strictest
 * wins.
 *
 * There are 46 families and 11 types. For each of these 506 pairs the set of protocols that may be
 * had is worked out first: a *cell*. Most cells are equal ("nothing", "anything"), and so are most
 * rows of cells; each different one is compiled once, and comparison trees lead there: family →
 * row, type → cell, protocol → allow or EACCES.
 *
 * What reaches TCP past Landlock's connect hook, which looks at TCP sockets only:
 *
 * - MPTCP (IPPROTO_MPTCP), SMC by protocol (IPPROTO_SMC, 6.11), SCTP: an inet stream socket with
 *   such a protocol. Refused here unless a rule names the protocol.
 * - SCTP by default: (inet, seqpacket, 0) is SCTP, nothing else is a seqpacket there; 0 is
 *   therefore a protocol that has to be named for seqpacket.
 * - AF_SMC, whose kernel-made TCP socket does the connecting; AF_RDS, over TCP; AF_VSOCK, a
 *   network of its own: the family must be named by a rule.
 * - MSG_FASTOPEN: filter_guards.c. TCP_FASTOPEN_CONNECT, TCP_REPAIR: still need connect(2).
 * - io_uring: RV_GUARD_IO_URING, which the plan asks for along with this guard.
 * - setsockopt(TCP_ULP, "mptcp"): the kernel accepts that of its own sockets only.
 * - setsockopt(TCP_ULP, "smc"), 5.17 to 6.19, turned a TCP socket into an SMC one if the smc module
 *   was loaded already. Taken out of 7.0 and the stable series (January 2026); *not* covered: the
 *   name is in memory, and refusing the option altogether would take kernel TLS away.
 * - MPTCP forced on all TCP sockets by a BPF program (mptcpify): the administrator's doing;
 * Landlock sees no TCP then. Not visible here.
 * - Raw, packet and XDP sockets, with which a program could speak TCP by itself: need CAP_NET_RAW.
 *   Not covered: handle socket creation to keep a privileged program from them.
 * - DCCP, UDP-Lite, TIPC, Bluetooth, KCM (forwards over TCP sockets that are connected already):
 *   no TCP connection is made.
 * - listen(2) without bind(2): concerns bind_tcp; documented as not covered.
 */
#include <errno.h>
#include <string.h>

#include <reeve/ruleset.h>
#include "base/cleanup.h"
#include "enforce/filter_calls.h"
#include "enforce/filter_guards.h"
#include "enforce/filter_tree.h"

#define FAMILIES 46 /* the kernel's NPROTO: AF_MCTP + 1 */
#define TYPES	 11 /* SOCK_MAX: SOCK_PACKET + 1 */

#define FAMILY_UNIX   1
#define FAMILY_INET   2
#define FAMILY_INET6  10
#define FAMILY_PACKET 17
#define FAMILY_RDS    21
#define FAMILY_VSOCK  40
#define FAMILY_SMC    43

#define TYPE_STREAM    1
#define TYPE_DGRAM     2
#define TYPE_RAW       3
#define TYPE_SEQPACKET 5
#define TYPE_PACKET    10

#define TYPE_MASK  0xfu
#define TYPE_FLAGS (0x800u | 0x80000u) /* SOCK_NONBLOCK, SOCK_CLOEXEC; alike on both machines */

#define PROTOCOL_TCP	 6u
#define PROTOCOL_UDP	 17
#define PROTOCOL_SCTP	 132
#define PROTOCOL_UDPLITE 136

/* A set of protocols: all, or a sorted list. */
struct cell {
	bool any;
	bool traps; /* though allowed: socket(2) is made by the supervisor, or either is noted */
	int error;  /* of what is not to be had */
	uint32_t *protocols;
	size_t count;
	rv_label label;
};

struct row {
	uint16_t cell[TYPES];
	rv_label label;
};

struct sockets {
	struct rv_bpf *bpf;
	const struct rv_filter_spec *spec;
	struct cell cells[FAMILIES * TYPES];
	size_t cells_count;
	struct row rows[FAMILIES];
	size_t rows_count;
	uint8_t row_of[FAMILIES];
};

/* ---------------------------------------------------------------- cells */

static bool needs_named_family(int family)
{
	return family == FAMILY_VSOCK || family == FAMILY_SMC || family == FAMILY_RDS;
}

/* Do the rules decide about this family at all? */
static bool judged_by_rules(const struct rv_filter_spec *spec, int family)
{
	return spec->handle_socket || ((spec->guards & RV_GUARD_TCP) && needs_named_family(family));
}

static bool is_stream_over_ip(int family, int type)
{
	return (family == FAMILY_INET || family == FAMILY_INET6) &&
	       (type == TYPE_STREAM || type == TYPE_SEQPACKET);
}

static bool is_unix_dgram(int family, int type)
{
	/* The kernel makes a datagram socket of SOCK_RAW. */
	return family == FAMILY_UNIX && (type == TYPE_DGRAM || type == TYPE_RAW);
}

/* The rules' part: protocols named for this pair, and whether a wildcard is among them. */
static void take_rules(const struct rv_filter_spec *spec, int family, int type, struct cell *cell)
{
	for (size_t i = 0; i < spec->sockets_count; i++) {
		const struct rv_filter_socket *rule = &spec->sockets[i];

		if (rule->family != family)
			continue;
		if (rule->type != REEVE_SOCKET_ANY && rule->type != type)
			continue;
		if (rule->protocol == REEVE_SOCKET_ANY)
			cell->any = true;
		else if (rule->protocol >= 0)
			cell->protocols[cell->count++] = (uint32_t)rule->protocol;
	}
}

static int compare_protocols(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void sort_protocols(struct cell *cell)
{
	size_t count = 0;

	qsort(cell->protocols, cell->count, sizeof(cell->protocols[0]), compare_protocols);
	for (size_t i = 0; i < cell->count; i++) {
		if (count == 0 || cell->protocols[count - 1] != cell->protocols[i])
			cell->protocols[count++] = cell->protocols[i];
	}
	cell->count = count;
}

/* Why what this pair may not have is refused; with RV_GUARD_TCP both reasons are EACCES. */
static enum rv_socket_verdict refusal_of(const struct rv_filter_spec *spec, int family, int type)
{
	if ((spec->guards & RV_GUARD_UNIX_DGRAM) && is_unix_dgram(family, type))
		return RV_SOCKET_UNIX_DGRAM;
	return spec->handle_socket ? RV_SOCKET_NO_RULE : RV_SOCKET_TCP;
}

/*
 * What a socket with these two may have as protocol. `cell` has room for two more protocols than
 * there are rules. A negative protocol is like any other that no rule can name: not all families
 * refuse it (AF_PACKET, AF_QIPCRTR and AF_LLC do not), so it must not pass by itself.
 */
static void fill_cell(const struct rv_filter_spec *spec, int family, int type, struct cell *cell)
{
	take_rules(spec, family, type, cell);
	if (!judged_by_rules(spec, family))
		cell->any = true;
	if ((spec->guards & RV_GUARD_TCP) && is_stream_over_ip(family, type) && cell->any) {
		cell->any = false;
		cell->protocols[cell->count++] = PROTOCOL_TCP;
		if (type == TYPE_STREAM)
			cell->protocols[cell->count++] = 0; /* the default: TCP */
	}
	if ((spec->guards & RV_GUARD_UNIX_DGRAM) && is_unix_dgram(family, type)) {
		cell->any = false;
		cell->count = 0;
	}
	if (cell->any)
		cell->count = 0;
	sort_protocols(cell);
	cell->error = cell->any ? 0 : rv_filter_socket_error(spec, refusal_of(spec, family, type));
	cell->traps = (spec->traps & RV_TRAP_SOCKET) ||
		      ((spec->traps & RV_TRAP_UNIX) && family == FAMILY_UNIX);
}

static bool cells_equal(const struct cell *a, const struct cell *b)
{
	return a->any == b->any && a->traps == b->traps && a->error == b->error &&
	       a->count == b->count &&
	       (a->count == 0 ||
		       memcmp(a->protocols, b->protocols, a->count * sizeof(a->protocols[0])) == 0);
}

/* Finds or adds the cell of a pair. Its number, or -ENOMEM. */
static int intern_cell(struct sockets *s, int family, int type)
{
	rv_autofree uint32_t *protocols = calloc(s->spec->sockets_count + 2, sizeof(*protocols));
	struct cell cell = {.protocols = protocols};

	if (!protocols)
		return -ENOMEM;
	/* The kernel's own mapping, done before its security hook. */
	if (family == FAMILY_INET && type == TYPE_PACKET)
		family = FAMILY_PACKET;
	fill_cell(s->spec, family, type, &cell);
	for (size_t i = 0; i < s->cells_count; i++) {
		if (cells_equal(&s->cells[i], &cell))
			return (int)i;
	}
	protocols = NULL;
	cell.label = rv_bpf_label(s->bpf);
	s->cells[s->cells_count] = cell;
	return (int)s->cells_count++;
}

/* A row of equal cells needs no code: its label is the cell's. */
static bool is_uniform(const struct row *row)
{
	for (size_t i = 1; i < TYPES; i++) {
		if (row->cell[i] != row->cell[0])
			return false;
	}
	return true;
}

static int intern_row(struct sockets *s, int family)
{
	struct row row = {0};
	size_t i;

	for (int type = 0; type < TYPES; type++) {
		int cell = intern_cell(s, family, type);

		if (cell < 0)
			return cell;
		row.cell[type] = (uint16_t)cell;
	}
	for (i = 0; i < s->rows_count; i++) {
		if (memcmp(s->rows[i].cell, row.cell, sizeof(row.cell)) == 0)
			break;
	}
	if (i == s->rows_count) {
		row.label = is_uniform(&row) ? s->cells[row.cell[0]].label : rv_bpf_label(s->bpf);
		s->rows[s->rows_count++] = row;
	}
	s->row_of[family] = (uint8_t)i;
	return 0;
}

/* ------------------------------------------------------- one socket, without a program */

static bool rule_grants(
	const struct rv_filter_socket *rule, int family, int type, int protocol, bool by_name)
{
	if (rule->family != family || (rule->type != REEVE_SOCKET_ANY && rule->type != type))
		return false;
	if (rule->protocol == REEVE_SOCKET_ANY)
		return !by_name;
	return rule->protocol == protocol && protocol >= 0;
}

static bool rules_grant(
	const struct rv_filter_spec *spec, int family, int type, int protocol, bool by_name)
{
	for (size_t i = 0; i < spec->sockets_count; i++) {
		if (rule_grants(&spec->sockets[i], family, type, protocol, by_name))
			return true;
	}
	return false;
}

bool rv_filter_socket_is_udp(const struct rv_filter_socket *rule)
{
	return (rule->family == FAMILY_INET || rule->family == FAMILY_INET6) &&
	       (rule->type == REEVE_SOCKET_ANY || rule->type == TYPE_DGRAM) &&
	       (rule->protocol == REEVE_SOCKET_ANY || rule->protocol == 0 ||
		       rule->protocol == PROTOCOL_UDP || rule->protocol == PROTOCOL_UDPLITE);
}

static bool passes_tcp_guard(const struct rv_filter_spec *spec, int family, int type, int protocol)
{
	if (!(spec->guards & RV_GUARD_TCP) || !is_stream_over_ip(family, type))
		return true;
	return protocol == (int)PROTOCOL_TCP || (protocol == 0 && type == TYPE_STREAM) ||
	       rules_grant(spec, family, type, protocol, true);
}

int rv_filter_socket_error(const struct rv_filter_spec *spec, enum rv_socket_verdict verdict)
{
	return verdict == RV_SOCKET_NO_RULE && spec->socket_error ? spec->socket_error : EACCES;
}

enum rv_socket_verdict rv_filter_socket_verdict(
	const struct rv_filter_spec *spec, int family, int type, int protocol)
{
	type &= TYPE_MASK;
	if (family == FAMILY_INET && type == TYPE_PACKET)
		family = FAMILY_PACKET;
	if ((spec->guards & RV_GUARD_UNIX_DGRAM) && is_unix_dgram(family, type))
		return RV_SOCKET_UNIX_DGRAM;
	if (judged_by_rules(spec, family) && !rules_grant(spec, family, type, protocol, false))
		return spec->handle_socket ? RV_SOCKET_NO_RULE : RV_SOCKET_TCP;
	return passes_tcp_guard(spec, family, type, protocol) ? RV_SOCKET_ALLOWED : RV_SOCKET_TCP;
}

bool rv_filter_grants_peeloff(const struct rv_filter_spec *spec)
{
	static const int families[] = {FAMILY_INET, FAMILY_INET6};

	for (size_t i = 0; i < RV_COUNT(families); i++) {
		if (rv_filter_socket_verdict(spec, families[i], TYPE_SEQPACKET, PROTOCOL_SCTP) ==
			RV_SOCKET_ALLOWED)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------- emitting */

/* With events, the supervisor gives the errno, after a look at the same numbers. */
static void emit_refusal(struct sockets *s, const struct cell *cell)
{
	rv_bpf_return(s->bpf,
		s->spec->traps & RV_TRAP_GUARD ? SECCOMP_RET_USER_NOTIF : RV_REFUSE(cell->error));
}

/* The member of `values` that occurs most often: the way out of a tree that costs nothing. */
static size_t commonest(const size_t *values, size_t count)
{
	size_t best = values[0], most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t j = 0; j < count; j++)
			same += values[j] == values[i];
		if (same > most) {
			most = same;
			best = values[i];
		}
	}
	return best;
}

/* A tree over 0 … count-1, where `labels` says where each one goes. */
static void emit_table(struct rv_bpf *bpf, const rv_label *labels, size_t count)
{
	struct rv_range ranges[FAMILIES];
	size_t values[FAMILIES] = {0}, n = 0;
	rv_label other;

	for (size_t i = 0; i < count; i++)
		values[i] = labels[i];
	other = (rv_label)commonest(values, count);
	for (uint32_t i = 0; i < count; i++) {
		if (labels[i] != other)
			n = rv_range_add(ranges, n, i, i, labels[i]);
	}
	rv_filter_tree(bpf, ranges, n, other);
}

static void emit_type_masked(struct rv_bpf *bpf)
{
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_and(bpf, TYPE_MASK);
}

/*
 * What no kernel up to 7.3 accepts, in the kernel's order: odd flags EINVAL, the family
 * EAFNOSUPPORT, the type EINVAL. The same answers are given here rather than left to the kernel:
 * a later one may know a family or a flag of which these rules know nothing.
 */
static void emit_families(struct sockets *s)
{
	struct rv_bpf *bpf = s->bpf;
	rv_label einval = rv_bpf_label(bpf), eafnosupport = rv_bpf_label(bpf);
	rv_label labels[FAMILIES];

	rv_bpf_comment(bpf, "socket, socketpair: what is out of range, as the kernel says it");
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_set(bpf, ~(TYPE_MASK | TYPE_FLAGS), einval, RV_NEXT);
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_ge(bpf, FAMILIES, eafnosupport, RV_NEXT);
	emit_type_masked(bpf);
	rv_bpf_jump_ge(bpf, TYPES, einval, RV_NEXT);
	rv_bpf_comment(bpf, "by family");
	rv_bpf_load_arg_low(bpf, 0);
	for (size_t i = 0; i < FAMILIES; i++)
		labels[i] = s->rows[s->row_of[i]].label;
	emit_table(bpf, labels, FAMILIES);
	rv_bpf_place(bpf, einval);
	rv_bpf_return(bpf, RV_REFUSE(EINVAL));
	rv_bpf_place(bpf, eafnosupport);
	rv_bpf_return(bpf, RV_REFUSE(EAFNOSUPPORT));
}

static void emit_row(struct sockets *s, const struct row *row)
{
	rv_label labels[TYPES];

	if (is_uniform(row))
		return;
	rv_bpf_place(s->bpf, row->label);
	rv_bpf_comment(s->bpf, "by type");
	emit_type_masked(s->bpf);
	for (size_t i = 0; i < TYPES; i++)
		labels[i] = s->cells[row->cell[i]].label;
	emit_table(s->bpf, labels, TYPES);
}

/*
 * A piece of a list of protocols, with returns of its own: jumps to shared ones would be longer
 * than a conditional jump can go, hence double. (The labels in `ranges` are set here.)
 */
#define PIECE 80

static void emit_allow(struct sockets *s, const struct cell *cell)
{
	rv_label pair = rv_bpf_label(s->bpf);

	if (cell->traps && !(s->spec->traps & RV_TRAP_SOCKET)) {
		rv_bpf_load_nr(s->bpf);
		rv_bpf_jump_eq(s->bpf, rv_call_table(s->spec->arch)->number[RV_CALL_SOCKET],
			RV_NEXT, pair);
		rv_bpf_return(s->bpf, SECCOMP_RET_USER_NOTIF);
	}
	rv_bpf_place(s->bpf, pair);
	rv_bpf_return(s->bpf,
		s->spec->traps & RV_TRAP_SOCKET ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
}

static void emit_protocols(
	struct sockets *s, const struct cell *cell, struct rv_range *ranges, size_t count)
{
	struct rv_bpf *bpf = s->bpf;
	size_t half = count / 2;
	rv_label allow = rv_bpf_label(bpf), refuse = rv_bpf_label(bpf);

	if (count > PIECE) {
		rv_label upper = rv_bpf_label(bpf);

		rv_bpf_jump_ge(bpf, ranges[half].first, upper, RV_NEXT);
		emit_protocols(s, cell, ranges, half);
		rv_bpf_place(bpf, upper);
		emit_protocols(s, cell, ranges + half, count - half);
		return;
	}
	for (size_t i = 0; i < count; i++)
		ranges[i].to = allow;
	rv_filter_tree(bpf, ranges, count, refuse);
	rv_bpf_place(bpf, allow);
	emit_allow(s, cell);
	rv_bpf_place(bpf, refuse);
	emit_refusal(s, cell);
}

static int emit_cell(struct sockets *s, const struct cell *cell)
{
	rv_autofree struct rv_range *ranges = calloc(cell->count + 1, sizeof(*ranges));
	size_t count = 0;

	if (!ranges)
		return -ENOMEM;
	rv_bpf_place(s->bpf, cell->label);
	if (cell->any)
		emit_allow(s, cell);
	else if (cell->count == 0)
		emit_refusal(s, cell);
	if (cell->count == 0)
		return 0;
	rv_bpf_comment(s->bpf, "by protocol");
	rv_bpf_load_arg_low(s->bpf, 2);
	for (size_t i = 0; i < cell->count; i++)
		count = rv_range_add(
			ranges, count, cell->protocols[i], cell->protocols[i], RV_NEXT);
	emit_protocols(s, cell, ranges, count);
	return 0;
}

static void free_sockets_p(struct sockets **s)
{
	if (!*s)
		return;
	for (size_t i = 0; i < (*s)->cells_count; i++)
		free((*s)->cells[i].protocols);
	free(*s);
}

int rv_filter_socket(struct rv_bpf *bpf, const struct rv_filter_spec *spec)
{
	RV_CLEANUP(free_sockets_p) struct sockets *s = calloc(1, sizeof(*s));
	int r = 0;

	if (!s)
		return -ENOMEM;
	s->bpf = bpf;
	s->spec = spec;
	for (int family = 0; family < FAMILIES && r == 0; family++)
		r = intern_row(s, family);
	if (r < 0)
		return r;
	emit_families(s);
	for (size_t i = 0; i < s->rows_count; i++)
		emit_row(s, &s->rows[i]);
	for (size_t i = 0; i < s->cells_count && r == 0; i++)
		r = emit_cell(s, &s->cells[i]);
	return r;
}
