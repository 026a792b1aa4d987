#!/usr/bin/env bash
# A C project of some hundred files, from Debian's source packages: configured and built by autoconf,
# make and gcc in the sandbox, then used.
#
#	c-project.sh SOURCE-ROOT REEVE CACHE-DIRECTORY
set -uo pipefail
. "$1/tests/real/lib.sh"
cache=$3
package=xz-utils
need gcc 'build a C project'
need make 'build a C project'

tarball=$("$real/fetch-source.sh" "$package" "$cache" 2>"$scratch/fetch.log")
if [ -z "$tarball" ]; then
	skip "build $package" "network: cannot fetch the source package: $(tail -n 1 "$scratch/fetch.log")"
	finish
fi

enter_workspace
mkdir source
tar -xf "$tarball" -C source --strip-components=1
files=$(find source -name '*.[ch]' | wc -l)
is "some hundred C files (here $files)" $((files > 150)) 1

# A makefile that attempts what it should not, as any project's could.
cp attempt.sh source/
cd source || exit 1
export ATTEMPT_LOG=$PWD/attempts.log
printf 'attempts:\n\tbash attempt.sh\n' >attempts.mk
echo "#include \"$ATTEMPT_KEY\"" >leak.c

bare make -s -f attempts.mk
attempts_worked make
rm -f "$ATTEMPT_OUTSIDE"
bare gcc -E leak.c
is 'gcc can include the private key without reeve' "$(grep -c 'a private key' <<<"$output")" 1

sandboxed -- ./configure --quiet --disable-doc --disable-nls
worked 'configure, under reeve run'
sandboxed -- make -s "-j$(nproc)"
worked 'make, under reeve run'
sandboxed -- make -s -f attempts.mk
attempts_refused make
sandboxed -- make -s install "DESTDIR=$PWD/installed"
worked 'make install into the project, under reeve run'
sandboxed -- make -s install "DESTDIR=$HOME/installed"
is 'make install elsewhere is refused' "$((status != 0)) $(ls "$HOME")" '1 work'

# What was built works.
seq 100000 >numbers
sandboxed -- bash -ec 'src/xz/xz -k numbers && src/xz/xz -dc numbers.xz | cmp - numbers'
worked 'what was built works, under reeve run'

sandboxed -- gcc -E leak.c
is 'gcc cannot include the private key under reeve run' \
	"$((status != 0)) $(grep -c 'a private key' <<<"$output") $(grep -c 'Permission denied' <<<"$output")" \
	'1 0 1'
finish
