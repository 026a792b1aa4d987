#!/usr/bin/env bash
# What a machine can check of CONTRIBUTING.md's style: formatting, lengths, shell syntax, stray spaces. Reports
# TAP; what is wrong stands in `# ` lines before the failed line.
#
#	tools/check-style.sh [ROOT]
#	tools/check-style.sh --self-test
set -uo pipefail

FUNCTION_MAX=60
FILE_MAX=600
tools=$(cd "$(dirname "$0")" && pwd)

# list PATTERN... : the tree's files (never a build directory's) whose names match.
list()
{
	local name args=()
	for name in "$@"; do
		args+=(-o -name "$name")
	done
	find . \( -name .git -o -path './build*' -type d -o -name .cache -o -name __pycache__ \) -prune \
		-o -type f \( "${args[@]:1}" \) -print | sed 's,^\./,,' | LC_ALL=C sort
}

scripts()
{
	list '*' | while read -r file; do
		head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE "^#!.*\b$1" && echo "$file"
	done
}

text_files()
{
	list '*' | grep -vE '^(fuzz/corpus|tests/.*/(corpus|data)|bench/.*\.svg)' |
		xargs -d '\n' grep -lI '' --
}

# ------------------------------------------------- each check prints what is wrong

formatting()
{
	list '*.c' '*.h' | xargs -r -d '\n' clang-format --dry-run --ferror-limit=3 -Werror 2>&1 |
		grep -E 'error|warning|rror:' | head -n 40
}

# A function's body opens with a `{` alone in the first column, and closes with a `}` there.
long_functions()
{
	list '*.c' '*.h' | xargs -r -d '\n' awk -v max=$FUNCTION_MAX '
		FNR == 1 { start = 0 }
		/^\{$/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > max)
				printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start - 1
			start = 0
		}'
}

long_files()
{
	list '*.c' '*.h' '*.py' '*.sh' | xargs -r -d '\n' wc -l |
		awk -v max=$FILE_MAX '$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

shell_syntax()
{
	local file
	scripts '(ba)?sh' | while read -r file; do
		bash -n "$file" 2>&1
	done
}

python_files()
{
	{
		list '*.py'
		scripts python3
	} | sort -u
}

python_syntax()
{
	local file
	python_files | while read -r file; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' \
			"$file" 2>&1 | tail -n 1
	done
}

# Names that are used and exist nowhere: a test would fail by them only where it comes that far.
python_names()
{
	python_files | xargs -r -d '\n' python3 "$tools/check-imports.py"
	python_files | xargs -r -d '\n' pyflakes3 2>/dev/null | grep -E 'undefined|redefinition|f-string'
}

trailing_spaces()
{
	text_files | xargs -r -d '\n' grep -nE '[[:space:]]+$' -- | head -n 20
}

# A package's registry is its client's business. (Spelled in pieces, so as not to find itself.)
registry_hosts()
{
	local dot='\.' hosts
	hosts="npmjs${dot}(org|com)|pypi${dot}(org|python)|pythonhosted${dot}|crates${dot}io"
	hosts="$hosts|proxy${dot}golang|rubygems${dot}|deb${dot}debian${dot}org|yarnpkg${dot}"
	text_files | xargs -r -d '\n' grep -nEi "$hosts" --
}

licence_lines()
{
	local file
	list '*.c' '*.h' | while read -r file; do
		[ "$(head -n 1 "$file")" = '/* SPDX-License-Identifier: MIT */' ] ||
			echo "$file: does not begin with the licence line"
	done
}

# needs CHECK : true, and its name, where a program that CHECK needs is missing.
needs()
{
	local program=
	case $1 in
	formatting) program=clang-format ;;
	python_names) program=pyflakes3 ;;
	esac
	[ -n "$program" ] && ! command -v "$program" >/dev/null && echo "$program"
}

checks=(formatting long_functions long_files shell_syntax python_syntax python_names
	trailing_spaces registry_hosts licence_lines)

run_checks()
{
	local check missing found number=0 failed=0
	echo "1..${#checks[@]}"
	for check in "${checks[@]}"; do
		number=$((number + 1))
		if missing=$(needs "$check"); then
			echo "ok $number - ${check//_/ } # SKIP $missing: not installed"
			continue
		fi
		found=$("$check")
		[ -z "$found" ] || sed 's/^/# /' <<<"$found"
		[ -z "$found" ] || { failed=1 && printf 'not '; }
		echo "ok $number - ${check//_/ }"
	done
	return $failed
}

# Plants one violation of each check in an empty tree: all must be found, and in no other tree.
plant()
{
	cp "$tools/../.clang-format" .
	printf '/* SPDX-License-Identifier: MIT */\nint  a;\n' >format.c
	{
		printf '/* SPDX-License-Identifier: MIT */\nint f(int a)\n{\n'
		printf '\ta++;\n%.0s' {1..60}
		printf '\treturn a;\n}\n'
	} >function.c
	{
		printf '/* SPDX-License-Identifier: MIT */\n'
		printf 'extern int a;\n%.0s' {1..600}
	} >file.h
	printf '#!/bin/bash\nif\n' >script
	printf 'def f(:\n' >script.py
	printf 'import script2\nscript2.absent()\n' >script1.py
	printf 'present = absent\n' >script2.py
	printf 'text \n' >text.md
	printf 'fetch registry.%s.org\n' npmjs >host.md
	printf 'int a;\n' >licence.c
}

self_test()
{
	local number=0 failed=0 check missing
	tree=$(mktemp -d) # not local: the trap runs outside
	trap 'rm -rf "$tree"' EXIT
	cd "$tree" || return 1
	plant
	echo "1..${#checks[@]}"
	for check in "${checks[@]}"; do
		number=$((number + 1))
		if missing=$(needs "$check"); then
			echo "ok $number - ${check//_/ } # SKIP $missing: not installed"
		elif [ "$("$check" | wc -l)" -ge 1 ]; then
			echo "ok $number - a planted fault is found by: ${check//_/ }"
		else
			failed=1
			echo "not ok $number - a planted fault is found by: ${check//_/ }"
		fi
	done
	return $failed
}

if [ "${1-}" = --self-test ]; then
	self_test
	exit
fi
cd "${1:-$tools/..}" || exit 1
run_checks
