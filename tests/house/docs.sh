#!/usr/bin/env bash
# The documents name files, targets and links that exist.
set -uo pipefail
root=$1
. "$root/tests/house/tap.sh"
cd "$root" || exit 1

rooms='lib|cli|tests|tools|docs|include|fuzz|bench|examples|profiles|man|completions'

# Files named as `room/path` in a document. A trailing slash, `*` and placeholders are for people.
named_files() # DOCUMENT
{
	grep -oE "\`($rooms)/[A-Za-z0-9_./-]+\`" "$1" | tr -d '\`' | sort -u
}

linked_files() # DOCUMENT
{
	grep -oE '\]\([^)#:]+\)' "$1" | sed 's/^](//; s/)$//' | sort -u
}

missing_of() # DOCUMENT
{
	local file
	named_files "$1" | while read -r file; do
		# Or a test's name.
		[ -e "$file" ] || [ -e "tests/$file.sh" ] || echo "$file"
	done
	linked_files "$1" | while read -r file; do
		[ -e "$(dirname "$1")/$file" ] || echo "link: $file"
	done
}

for document in README.md SECURITY.md CONTRIBUTING.md docs/*.md; do
	if [ ! -e "$document" ]; then
		not_ok "$document exists"
		continue
	fi
	is "$document names only what exists" "$(missing_of "$document")" ''
done

targets=$(grep -oE '^[a-z-]+:' Makefile | tr -d ':' | sort -u)
for target in $(grep -ohE '\bmake (run|test|bench|fuzz|check-style|install|[a-z]+-[a-z]+)\b' ./*.md docs/*.md |
	cut -d ' ' -f 2 | sort -u); do
	if grep -qx "$target" <<<"$targets"; then
		ok "make $target is a target"
	else
		not_ok "make $target is a target"
	fi
done
finish
