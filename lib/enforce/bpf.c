/* SPDX-License-Identifier: MIT */
/*
 * The assembler. Items are kept as they come; labels are item numbers. Assembling is the classic
 * branch relaxation: every conditional jump is taken to be short (8-bit offsets), the addresses
 * follow from that, and whatever then turns out too far gets a JA (32-bit offset) behind it. That
 * moves what follows, so it is repeated until nothing changes; a jump never turns short again,
 * hence it ends.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/bpf_internal.h"

#define MAX_SHORT 255 /* jt and jf are one byte */

/*
 * Arguments are 64 bits wide in struct seccomp_data, loads 32: which half comes first is the byte
 * order's. Both machines reeve makes programs for are little-endian, and so is any machine of
 * theirs that compiles one; a big-endian host gets programs that are right for itself.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_WORD  0
#define HIGH_WORD 4
#elif __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_WORD  4
#define HIGH_WORD 0
#else
#error "unknown byte order"
#endif

_Static_assert(offsetof(struct seccomp_data, nr) == 0, "seccomp_data.nr");
_Static_assert(offsetof(struct seccomp_data, arch) == 4, "seccomp_data.arch");
_Static_assert(offsetof(struct seccomp_data, args) == 16, "seccomp_data.args");
_Static_assert(sizeof(struct seccomp_data) == 64, "seccomp_data");
_Static_assert(sizeof(struct sock_filter) == 8, "sock_filter");

struct rv_bpf *rv_bpf_new(void)
{
	return calloc(1, sizeof(struct rv_bpf));
}

void rv_bpf_free(struct rv_bpf *bpf)
{
	if (!bpf)
		return;
	free(bpf->items);
	free(bpf->labels);
	free(bpf->program);
	free(bpf);
}

static void fail(struct rv_bpf *bpf, int error)
{
	if (!bpf->error)
		bpf->error = error;
}

/* Room for one more element; the array that `old` was, or NULL with the error remembered. */
static void *grow(struct rv_bpf *bpf, void *old, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return old;
	grown = reallocarray(old, wanted, size);
	if (!grown)
		fail(bpf, -ENOMEM);
	else
		*capacity = wanted;
	return grown;
}

static struct rv_bpf_item *append(struct rv_bpf *bpf, uint16_t code, uint32_t k)
{
	void *items = grow(bpf, bpf->items, bpf->count, &bpf->capacity, sizeof(*bpf->items));
	struct rv_bpf_item *item;

	if (!items)
		return NULL;
	bpf->items = items;
	item = &bpf->items[bpf->count++];
	*item = (struct rv_bpf_item){.code = code, .k = k, .yes = RV_NEXT, .no = RV_NEXT};
	return item;
}

rv_label rv_bpf_label(struct rv_bpf *bpf)
{
	size_t *labels = grow(
		bpf, bpf->labels, bpf->labels_count, &bpf->labels_capacity, sizeof(*bpf->labels));

	if (!labels)
		return 0; /* never looked up: the error is remembered */
	bpf->labels = labels;
	bpf->labels[bpf->labels_count] = RV_NOWHERE;
	return (rv_label)bpf->labels_count++;
}

void rv_bpf_place(struct rv_bpf *bpf, rv_label label)
{
	if (label >= bpf->labels_count || bpf->labels[label] != RV_NOWHERE)
		fail(bpf, -EINVAL);
	else
		bpf->labels[label] = bpf->count;
}

static void load(struct rv_bpf *bpf, size_t offset)
{
	append(bpf, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

void rv_bpf_load_nr(struct rv_bpf *bpf)
{
	load(bpf, offsetof(struct seccomp_data, nr));
}

void rv_bpf_load_arch(struct rv_bpf *bpf)
{
	load(bpf, offsetof(struct seccomp_data, arch));
}

static void load_arg(struct rv_bpf *bpf, unsigned int arg, size_t word)
{
	if (arg > 5)
		fail(bpf, -EINVAL);
	else
		load(bpf, offsetof(struct seccomp_data, args) + 8 * (size_t)arg + word);
}

void rv_bpf_load_arg_low(struct rv_bpf *bpf, unsigned int arg)
{
	load_arg(bpf, arg, LOW_WORD);
}

void rv_bpf_load_arg_high(struct rv_bpf *bpf, unsigned int arg)
{
	load_arg(bpf, arg, HIGH_WORD);
}

void rv_bpf_and(struct rv_bpf *bpf, uint32_t mask)
{
	append(bpf, BPF_ALU | BPF_AND | BPF_K, mask);
}

void rv_bpf_jump(struct rv_bpf *bpf, rv_label to)
{
	struct rv_bpf_item *item = append(bpf, BPF_JMP | BPF_JA, 0);

	if (item)
		item->yes = to;
}

static void jump_if(struct rv_bpf *bpf, uint16_t op, uint32_t k, rv_label yes, rv_label no)
{
	struct rv_bpf_item *item = append(bpf, BPF_JMP | op | BPF_K, k);

	if (!item)
		return;
	item->yes = yes;
	item->no = no;
}

void rv_bpf_jump_eq(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no)
{
	jump_if(bpf, BPF_JEQ, k, yes, no);
}

void rv_bpf_jump_ge(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no)
{
	jump_if(bpf, BPF_JGE, k, yes, no);
}

void rv_bpf_jump_gt(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no)
{
	jump_if(bpf, BPF_JGT, k, yes, no);
}

void rv_bpf_jump_set(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no)
{
	jump_if(bpf, BPF_JSET, k, yes, no);
}

void rv_bpf_return(struct rv_bpf *bpf, uint32_t action)
{
	append(bpf, BPF_RET | BPF_K, action);
}

void rv_bpf_comment(struct rv_bpf *bpf, const char *text)
{
	struct rv_bpf_item *item = append(bpf, 0, 0);

	if (item)
		item->comment = text;
}

/* ------------------------------------------------------------------ assembling */

static bool is_ja(const struct rv_bpf_item *item)
{
	return item->code == (BPF_JMP | BPF_JA);
}

static bool is_conditional(const struct rv_bpf_item *item)
{
	return BPF_CLASS(item->code) == BPF_JMP && !is_ja(item);
}

static size_t size_of(const struct rv_bpf_item *item)
{
	return item->comment ? 0 : 1 + (size_t)item->far_yes + (size_t)item->far_no;
}

/* The addresses of all items, given what is far at present; returns the program's length. */
static size_t lay_out(struct rv_bpf *bpf)
{
	size_t at = 0;

	for (size_t i = 0; i < bpf->count; i++) {
		bpf->items[i].at = at;
		at += size_of(&bpf->items[i]);
	}
	return at;
}

/* The address that a label stands for; RV_NEXT is what follows item `i`. */
static size_t address(const struct rv_bpf *bpf, size_t i, rv_label label, size_t length)
{
	size_t item = label == RV_NEXT ? i + 1 : bpf->labels[label];

	return item < bpf->count ? bpf->items[item].at : length;
}

/* A label must be placed, and behind its use: classic BPF jumps forward only. */
static bool label_ok(const struct rv_bpf *bpf, size_t i, rv_label label)
{
	return label == RV_NEXT || (label < bpf->labels_count && bpf->labels[label] != RV_NOWHERE &&
					   bpf->labels[label] > i);
}

/*
 * Does a path run off the end? Every instruction but a return leads on to the next or to a label;
 * what is led to must exist.
 */
static bool item_ok(const struct rv_bpf *bpf, size_t i, size_t length)
{
	const struct rv_bpf_item *item = &bpf->items[i];

	if (item->comment || BPF_CLASS(item->code) == BPF_RET)
		return true;
	if (!label_ok(bpf, i, item->yes) || !label_ok(bpf, i, item->no))
		return false;
	if (is_ja(item))
		return address(bpf, i, item->yes, length) < length;
	return address(bpf, i, item->yes, length) < length &&
	       address(bpf, i, item->no, length) < length;
}

static int check_items(struct rv_bpf *bpf)
{
	size_t length = lay_out(bpf);

	for (size_t i = 0; i < bpf->count; i++) {
		if (!item_ok(bpf, i, length))
			return -EINVAL;
	}
	return length ? 0 : -EINVAL;
}

/* Marks what is too far away; true if that changed anything. */
static bool relax_item(struct rv_bpf *bpf, size_t i, size_t length)
{
	struct rv_bpf_item *item = &bpf->items[i];
	bool far_yes, far_no;

	if (!is_conditional(item) || item->comment)
		return false;
	far_yes = address(bpf, i, item->yes, length) - item->at - 1 > MAX_SHORT;
	far_no = address(bpf, i, item->no, length) - item->at - 1 > MAX_SHORT;
	if (far_yes <= item->far_yes && far_no <= item->far_no)
		return false;
	item->far_yes |= far_yes;
	item->far_no |= far_no;
	return true;
}

static size_t relax(struct rv_bpf *bpf)
{
	bool changed;
	size_t length;

	for (size_t i = 0; i < bpf->count; i++)
		bpf->items[i].far_yes = bpf->items[i].far_no = false;
	do {
		length = lay_out(bpf);
		changed = false;
		for (size_t i = 0; i < bpf->count; i++)
			changed |= relax_item(bpf, i, length);
	} while (changed);
	return length;
}

static void put_ja(struct sock_filter *program, size_t at, size_t target)
{
	program[at].code = BPF_JMP | BPF_JA;
	program[at].k = (uint32_t)(target - at - 1);
}

/* A conditional jump: a far target's offset leads to its JA, which stands right behind. */
static void put_conditional(
	const struct rv_bpf *bpf, size_t i, struct sock_filter *program, size_t length)
{
	const struct rv_bpf_item *item = &bpf->items[i];
	size_t yes = address(bpf, i, item->yes, length), no = address(bpf, i, item->no, length);
	size_t next = item->at + 1;

	if (item->far_yes) {
		put_ja(program, next, yes);
		yes = next++;
	}
	if (item->far_no) {
		put_ja(program, next, no);
		no = next;
	}
	program[item->at].jt = (uint8_t)(yes - item->at - 1);
	program[item->at].jf = (uint8_t)(no - item->at - 1);
}

static void put(const struct rv_bpf *bpf, size_t i, struct sock_filter *program, size_t length)
{
	const struct rv_bpf_item *item = &bpf->items[i];

	if (item->comment)
		return;
	program[item->at] = (struct sock_filter){.code = item->code, .k = item->k};
	if (is_ja(item))
		put_ja(program, item->at, address(bpf, i, item->yes, length));
	else if (is_conditional(item))
		put_conditional(bpf, i, program, length);
}

int rv_bpf_assemble(struct rv_bpf *bpf, struct sock_filter **ret, size_t *ret_length)
{
	rv_autofree struct sock_filter *program = NULL;
	struct sock_filter *copy;
	size_t length;
	int r = bpf->error ? bpf->error : check_items(bpf);

	if (r < 0)
		return r;
	length = relax(bpf);
	if (length > BPF_MAXINSNS)
		return -E2BIG;
	program = calloc(length, sizeof(*program));
	copy = calloc(length, sizeof(*copy));
	if (!program || !copy) {
		free(copy);
		return -ENOMEM;
	}
	for (size_t i = 0; i < bpf->count; i++)
		put(bpf, i, program, length);
	memcpy(copy, program, length * sizeof(*copy));
	free(bpf->program);
	bpf->program = copy;
	bpf->length = length;
	*ret = rv_steal_ptr(&program);
	*ret_length = length;
	return 0;
}
