#!/usr/bin/env bash
# Three lists of the library's functions must be one: what include/reeve/*.h declares, what
# lib/libreeve.map exports, and what the built library has. Reports TAP.
#
#	tools/check-symbols.sh LIBREEVE.SO [ROOT]
set -euo pipefail

library=$1
root=${2:-$(dirname "$0")/..}
failed=0

# A declaration is `reeve_name(` outside comments; members and types have no parenthesis after them.
declared()
{
	cat "$root"/include/reeve/*.h |
		perl -0777 -pe 's{/\*.*?\*/}{}gs; s{//[^\n]*}{}g; s{^\s*#.*$}{}gm' |
		grep -oE '\breeve_[a-z0-9_]+ *\(' | tr -d ' (' | LC_ALL=C sort -u
}

mapped()
{
	sed -n 's/^[[:space:]]*\(reeve_[a-z0-9_]*\);$/\1/p' "$root/lib/libreeve.map" | LC_ALL=C sort
}

built()
{
	nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | LC_ALL=C sort -u
}

# same NUMBER NAME_A NAME_B: compares the lists of two of the functions above.
same()
{
	local difference
	if difference=$(diff <("$2") <("$3")); then
		echo "ok $1 - $2 = $3"
		return
	fi
	sed -n "s/^< /# only $2: /p; s/^> /# only $3: /p" <<<"$difference"
	echo "not ok $1 - $2 = $3"
	failed=1
}

echo 1..3
same 1 declared mapped
same 2 mapped built
if [ "$(mapped | wc -l)" -gt 0 ] && [ "$(mapped | uniq -d | wc -l)" = 0 ]; then
	echo "ok 3 - the map names functions, each once, none by pattern"
else
	echo "not ok 3 - the map names functions, each once, none by pattern"
	failed=1
fi
exit $failed
