#!/usr/bin/env bash
# Shell pipelines, in dash and in bash, and the small tools that scripts are made of.
set -uo pipefail
. "$1/tests/real/lib.sh"

cat >"$scratch/pipelines" <<'END'
set -e
i=0
while [ $i -lt 100 ]; do
	i=$((i + 1))
	n=$(seq 200 | sort -rn | grep 7 | sed 's/$/x/' | tr x y | wc -l)
	[ "$n" -eq 38 ] || { echo "pipeline $i gave $n"; exit 1; }
done
mkdir -p a/b
echo text >a/b/file
cp -r a c
mv c d
ln -s b a/link
ln d/b/file d/b/hard
mkfifo fifo
(cat fifo >from-fifo) &
echo through >fifo
wait
[ "$(cat from-fifo)" = through ]
find . -name 'f*' -type f | xargs cat >/dev/null
[ "$(mktemp)" != "" ]
date >/dev/null
cat <<HERE >/dev/null
$(id -u)
HERE
rm -r a d
bash ./attempt.sh
END

for shell in dash bash; do
	need $shell "$shell pipelines"
	job "$shell pipelines" $shell -c "$(cat "$scratch/pipelines")"
done
finish
