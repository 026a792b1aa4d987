#!/bin/bash
# SPDX-License-Identifier: MIT
# Compiles the filter compiler and its tables for arm64, with warnings as errors. The static asserts
# of filter_numbers.h then compare the arm64 numbers with that architecture's headers.
# usage: cross.sh SOURCE_ROOT
set -u
root=$1
cc=${REEVE_CROSS_CC:-aarch64-linux-gnu-gcc}
files=("$root"/lib/enforce/{bpf,filter}*.c "$root"/tests/enforce/filter_{table,reference}.c)
files+=("$root"/tests/enforce/test_{bpf,filter,filter_random,filter_kernel}.c)
flags=(-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla -Wimplicit-fallthrough
	-Wno-missing-field-initializers -Werror "-I$root/include" "-I$root/lib" "-I$root/tests"
	"-I$root/tests/enforce")

if ! command -v "$cc" > /dev/null; then
	case ",${REEVE_TEST_REQUIRE:-}," in
	*,cross,*)
		echo "1..1"
		echo "not ok 1 - $cc is not installed, and the cross test is required"
		exit 1
		;;
	esac
	echo "1..0 # SKIP cross: $cc is not installed (gcc-aarch64-linux-gnu)"
	exit 0
fi

echo "1..${#files[@]}"
status=0
for i in "${!files[@]}"; do
	if output=$("$cc" "${flags[@]}" -c "${files[i]}" -o /dev/null 2>&1); then
		echo "ok $((i + 1)) - ${files[i]#"$root"/} compiles for arm64"
	else
		echo "not ok $((i + 1)) - ${files[i]#"$root"/} compiles for arm64"
		sed 's/^/# /' <<< "$output"
		status=1
	fi
done
exit $status
