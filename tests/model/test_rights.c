/* SPDX-License-Identifier: MIT */
/* The table of rights. */
#include <reeve/ruleset.h>
#include "tap.h"

static void table_is_sorted_and_unique(void)
{
	const struct reeve_right_info *info, *before = NULL;
	size_t i;

	for (i = 0; (info = reeve_right_at(i)); i++) {
		char full[64];

		CHECK(!before || before->cls < info->cls ||
			(before->cls == info->cls && before->bit < info->bit));
		snprintf(full, sizeof(full), "%s.%s", reeve_class_name(info->cls), info->name);
		CHECK_STR(info->full_name, full);
		CHECK(info->does[0] && info->does[strlen(info->does) - 1] != '.');
		CHECK(reeve_right_find(info->cls, info->name) == info);
		CHECK(reeve_right_find(REEVE_CLASS_COUNT, full) == info);
		CHECK(reeve_right_of_bit(info->cls, info->bit) == info);
		before = info;
	}
	CHECK_EQ(i, 25);
}

/* As the kernel's documentation of each ABI has them. */
static void abis_are_the_kernels(void)
{
	static const struct {
		int abi;
		uint64_t fs, net, scope;
	} wanted[] = {
		{1, 0x1fff, 0, 0},
		{2, 0x3fff, 0, 0},
		{3, 0x7fff, 0, 0},
		{4, 0x7fff, 3, 0},
		{5, 0xffff, 3, 0},
		{6, 0xffff, 3, 3},
		{7, 0xffff, 3, 3},
		{8, 0xffff, 3, 3},
		{9, 0x1ffff, 3, 3},
		{10, 0x1ffff, 15, 3},
		{11, 0x1ffff, 15, 3},
		{12, 0x1ffff, 15, 3},
		{13, 0x1ffff, 15, 3},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		CHECK_EQ(reeve_rights_of_abi(REEVE_FS, wanted[i].abi), wanted[i].fs);
		CHECK_EQ(reeve_rights_of_abi(REEVE_NET, wanted[i].abi), wanted[i].net);
		CHECK_EQ(reeve_rights_of_abi(REEVE_SCOPE, wanted[i].abi), wanted[i].scope);
		CHECK_EQ(reeve_rights_of_abi(REEVE_SOCKET, wanted[i].abi), 0);
	}
}

static void groups_resolve(void)
{
	uint64_t bits = 42;

	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.all", 1, &bits), 0);
	CHECK_EQ(bits, 0x1fff);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.read_execute", 1, &bits), 0);
	CHECK_EQ(bits, REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.read_execute", 2, &bits), 0);
	CHECK_EQ(bits, REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE | REEVE_FS_REFER);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.read_write", 5, &bits), 0);
	CHECK_EQ(bits, 0xfffe);
	CHECK_EQ(reeve_rights_group(REEVE_SCOPE, "abi.all", 12, &bits), 0);
	CHECK_EQ(bits, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET | REEVE_SCOPE_SIGNAL);
	bits = 42;
	CHECK_EQ(reeve_rights_group(REEVE_NET, "abi.read_write", 5, &bits), -EINVAL);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.none", 5, &bits), -EINVAL);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "all", 5, &bits), -EINVAL);
	CHECK_EQ(reeve_rights_group(REEVE_FS, "abi.all", 0, &bits), -EINVAL);
	CHECK_EQ(bits, 42);
}

static void unknown_names_are_null(void)
{
	CHECK(!reeve_right_find(REEVE_FS, "fs.read_file"));
	CHECK(!reeve_right_find(REEVE_NET, "read_file"));
	CHECK(!reeve_right_find(REEVE_CLASS_COUNT, "read_file"));
	CHECK(!reeve_right_find(REEVE_FS, ""));
	CHECK(!reeve_right_of_bit(REEVE_FS, UINT64_C(1) << 40));
	CHECK(!reeve_right_at(1000));
}

static void formatting(void)
{
	char buf[64], tiny[8];

	CHECK_STR(reeve_rights_format(REEVE_FS, 0, buf, sizeof(buf)), "");
	CHECK_STR(reeve_rights_format(
			  REEVE_FS, REEVE_FS_READ_FILE | REEVE_FS_READ_DIR, buf, sizeof(buf)),
		"read_file, read_dir");
	CHECK_STR(reeve_rights_format(REEVE_NET, 1 | UINT64_C(1) << 40, buf, sizeof(buf)),
		"bind_tcp, 0x10000000000");
	for (size_t size = 4; size <= sizeof(tiny); size++) {
		reeve_rights_format(REEVE_FS, 0x1fff, tiny, size);
		CHECK(strlen(tiny) < size);
		CHECK_STR(tiny + strlen(tiny) - 3, "...");
	}
	CHECK_STR(reeve_rights_format(REEVE_FS, 0x1ffff, buf, 1), "");
	reeve_rights_format(REEVE_FS, 0x1ffff, buf, sizeof(buf));
	CHECK_STR(buf + strlen(buf) - 3, "...");
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"the table is sorted, and finds itself", table_is_sorted_and_unique},
		{"each ABI has the kernel's rights", abis_are_the_kernels},
		{"groups resolve", groups_resolve},
		{"unknown names are NULL", unknown_names_are_null},
		{"formatting, cut where it must be", formatting},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
