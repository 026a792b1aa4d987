#!/usr/bin/env bash
# How programs include reeve/landlock.h, in each language and with each compiler: it takes the place of
# <linux/landlock.h>, leaves feature test macros and everything called ioctl alone, and gives way.
#
#	compile.sh SOURCE-ROOT LIBRARY-DIRECTORY
set -uo pipefail
root=$(realpath "$1") libs=$(realpath "$2")
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"

cat >"$scratch/program.c" <<'END'
#define _GNU_SOURCE /* must count, although a header was included before */
#include <linux/landlock.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef landlock_create_ruleset
#error "its wrappers would be used"
#endif
#ifndef LANDLOCK_ACCESS_FS_RESOLVE_UNIX
#error "the machine's header was used"
#endif

struct driver {
	int (*ioctl)(int fd, unsigned long request);
};

static int own(int fd, unsigned long request)
{
	return fd + (int)request;
}

int main(void)
{
	struct driver driver = {own};
	struct landlock_ruleset_attr attr = {0};
	int ends[2], waiting = 0, ruleset, r;

	attr.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE;
	ruleset = landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	if (pipe2(ends, O_CLOEXEC) || write(ends[1], "abc", 3) != 3 || driver.ioctl(1, 2) != 3)
		return 1;
	if (ioctl(ends[0], FIONREAD, &waiting) || waiting != 3)
		return 2;
	r = ioctl(ruleset, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);
	waiting = O_PATH;
	printf("%s\n", r >= 0 && waiting ? "works" : "fails");
	return 0;
}
END

cat >"$scratch/program.cc" <<'END'
#include <sys/ioctl.h>
#include <stdio.h>

namespace asio {
struct socket {
	int ioctl(int a) { return a; }
};
int ioctl(int a) { return a; }
}

int main()
{
	asio::socket socket;
	int (*function)(int, unsigned long, ...) = &::ioctl;
	landlock_ruleset_attr attr = landlock_ruleset_attr();
	attr.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE;
	int ruleset = landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	int r = ::ioctl(ruleset, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);
	printf("%s\n", socket.ioctl(1) + asio::ioctl(2) == 3 && function && r >= 0 ? "works" : "fails");
	return 0;
}
END

# Includes it by hand, and late.
{ echo '#include <sys/ioctl.h>'; echo '#include <reeve/landlock.h>'; sed 1d "$scratch/program.c"; } |
	sed 's/#include <linux.landlock.h>//' >"$scratch/late.c"

builds() # NAME COMPILER OPTION...
{
	local name=$1 output
	shift
	if ! have "$1"; then
		skip "$name" "$1: not installed"
	elif ! output=$("$@" -Wall -Wextra -Wpedantic -Werror -Wno-long-long -I "$root/include" -o "$scratch/program" \
		-L "$libs" -lreeve "-Wl,-rpath,$libs" 2>&1); then
		not_ok "$name" "$output"
	else
		is "$name" "$("$scratch/program")" works
	fi
}

if nm -D "$libs/libreeve.so" | grep -E '__(asan|ubsan)' >/dev/null; then
	skip 'programs against the library' 'sanitizer: the library needs its runtime'
	finish
fi

by_option=(-include reeve/landlock.h)
for cc in gcc clang; do
	for std in gnu11 gnu99 gnu17; do
		builds "$cc -std=$std" $cc -std=$std -U_GNU_SOURCE "${by_option[@]}" "$scratch/program.c"
	done
	builds "$cc, included by hand, late" $cc -D_GNU_SOURCE "$scratch/late.c"
done
for cxx in g++ clang++; do
	for std in c++98 c++11 c++17 c++20; do
		# The kernel's constants are 1ULL, too, which C++98 does not have. Options count in order.
		builds "$cxx -std=$std" "$cxx" -std=$std "${by_option[@]}" "$scratch/program.cc"
	done
done

fails 'after <linux/landlock.h> it is refused' gcc -fsyntax-only -I "$root/include" \
	-include linux/landlock.h -include reeve/landlock.h "$scratch/program.c"
none=$(gcc -E -I "$root/include" -x c "$root/include/reeve/landlock.h" | grep -cE '^# .*"/usr/include/(features|bits|stdio|stdint)')
is 'it includes no header of libc' "$none" 0
finish
