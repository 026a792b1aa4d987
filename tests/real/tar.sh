#!/usr/bin/env bash
# tar: pack and unpack a tree through each compressor there is; programs that tar itself starts.
set -uo pipefail
. "$1/tests/real/lib.sh"

prepare()
{
	mkdir -p tree/deep/er
	seq 5000 >tree/numbers
	seq 500 >tree/deep/er/numbers
	ln -s ../numbers tree/deep/link
	ln tree/numbers tree/deep/hard
	chmod 640 tree/numbers
}

job tar bash -ec '
	for option in "" --gzip --bzip2 --xz; do
		rm -rf out
		mkdir out
		tar -c $option -f tree.tar tree
		tar -x $option -f tree.tar -C out
		diff -r tree out/tree
	done
	tar -cf /dev/null --checkpoint=1 --checkpoint-action=exec="bash ./attempt.sh; exit 0" tree
	sort -u -o attempts.log attempts.log
'
finish
