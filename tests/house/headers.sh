#!/usr/bin/env bash
# Each public header compiles alone, twice over, in C11 and in C++17, with every compiler there is.
set -uo pipefail
root=$1
. "$root/tests/house/tap.sh"

# No -Wshadow: g++ has it for a function that shares a struct's name, as stat(2) does.
warnings=(-Wall -Wextra -Wpedantic -Werror)

compiles() # LANGUAGE STANDARD COMPILER HEADER
{
	printf '#include <reeve/%s>\n#include <reeve/%s>\nint reeve_unused;\n' "$4" "$4" |
		"$3" -x "$1" "-std=$2" "${warnings[@]}" -I "$root/include" -fsyntax-only -
}

try() # LANGUAGE STANDARD COMPILER HEADER
{
	local name="$4 is $2 for $3" output
	if ! have "$3"; then
		skip "$name" "$3: not installed"
	elif output=$(compiles "$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$output"
	fi
}

for path in "$root"/include/reeve/*.h; do
	header=${path##*/}
	for compiler in gcc clang; do
		try c c11 $compiler "$header"
	done
	for compiler in g++ clang++; do
		try c++ c++17 $compiler "$header"
	done
	if grep -q "'reeve/$header'" "$root/include/meson.build"; then
		ok "$header is installed"
	else
		not_ok "$header is installed"
	fi
	# landlock.h stands for itself: it renames system calls in who includes it.
	if [ "$header" = reeve.h ] || [ "$header" = landlock.h ] || grep -q "<reeve/$header>" "$root/include/reeve/reeve.h"; then
		ok "$header is in the umbrella"
	else
		not_ok "$header is in the umbrella"
	fi
done
finish
