#!/usr/bin/env bash
# A stranger's way: a fresh copy of the tree, `make install DESTDIR=`, then a C and a C++ program
# built against what was installed, by pkg-config, shared and static; and the command, run from there.
set -uo pipefail
root=$1
version=$2
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"

unset MAKEFLAGS MAKELEVEL MFLAGS LD_LIBRARY_PATH MALLOC_PERTURB_ CC CFLAGS LDFLAGS
destdir=$scratch/destdir
tree=$scratch/tree

copy_tree()
{
	mkdir "$tree"
	tar -C "$root" -cf - --exclude='./build*' --exclude=./.git --exclude=__pycache__ . |
		tar -C "$tree" -xf -
}

copy_tree
succeeds 'make install DESTDIR= PREFIX=/usr, from a fresh copy' \
	make -C "$tree" install DESTDIR="$destdir" PREFIX=/usr MESON_FLAGS=-Dtests=false
[ $tap_failed = 0 ] || finish

is 'nothing is installed outside of /usr' "$(ls "$destdir")" usr
for file in bin/reeve include/reeve/reeve.h share/man/man1/reeve.1 share/man/man1/reeve-run.1 \
	share/man/man5/reeve-policy.5 share/man/man3/libreeve.3 share/man/man3/libreeve_landlock.3 \
	include/reeve/landlock.h \
	share/bash-completion/completions/reeve share/zsh/site-functions/_reeve \
	share/fish/vendor_completions.d/reeve.fish; do
	if [ -e "$destdir/usr/$file" ] || [ -e "$destdir/usr/$file.gz" ]; then
		ok "/usr/$file is installed"
	else
		not_ok "/usr/$file is installed"
	fi
done

pc=$(find "$destdir" -name reeve.pc)
libdir=$(dirname "$(dirname "${pc:-/none/none}")")
export PKG_CONFIG_SYSROOT_DIR=$destdir
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
is 'pkg-config knows the version' "$(pkg-config --modversion reeve)" "$version"
is 'the shared library has a soname' \
	"$(objdump -p "$libdir/libreeve.so" | awk '$1 == "SONAME" { print $2 }')" libreeve.so.0
is 'it needs libc and jansson, nothing else' \
	"$(objdump -p "$libdir/libreeve.so" | awk '$1 == "NEEDED" && $2 !~ /^ld-linux/ { print $2 }' | sort | tr '\n' ' ')" \
	'libc.so.6 libjansson.so.4 '

# consumer LANGUAGE STANDARD COMPILER KIND
consumer()
{
	local name="a program in $2, ${4#-}" flags
	if ! have "$3"; then
		skip "$name" "$3: not installed"
		return
	fi
	if [ "$4" = -static-libreeve ]; then
		flags="$(pkg-config --cflags reeve) $libdir/libreeve.a -ljansson"
	else
		flags=$(pkg-config --cflags --libs reeve)
	fi
	# shellcheck disable=SC2086 # flags are words
	succeeds "$name, builds" "$3" -x "$1" "-std=$2" -Wall -Wextra -Werror \
		-o "$scratch/consumer" "$tree/tests/house/consumer.c" -x none $flags
	is "$name, runs" "$("$scratch/consumer" 2>&1)" "reeve $version"
	if [ "$4" = -static-libreeve ]; then
		fails "$name, needs no libreeve.so" grep -q libreeve.so "$scratch/consumer"
	fi
}

for kind in -shared -static-libreeve; do
	consumer c c11 gcc $kind
	consumer c++ c++17 g++ $kind
done

# Both images of the command: the program by itself, and the module that it loads. Away from where
# it was configured to be (DESTDIR), and without a path to the library.
unset LD_LIBRARY_PATH
reeve=$destdir/usr/bin/reeve
is 'the installed reeve runs' "$("$reeve" version 2>&1 | head -n 1 | grep -o "$version")" "$version"
is 'the small image runs a program' "$(cd "$tree" && "$reeve" run --static -p none --rx /usr -- /usr/bin/echo inside 2>&1)" inside
mv "$libdir/reeve/libreeve-command.so" "$scratch/"
is 'a static run needs no module' "$(cd "$tree" && "$reeve" run --static -p none --rx /usr -- /usr/bin/echo inside 2>&1)" inside
"$reeve" version > "$scratch/out" 2>&1
is 'without its module, it says so' "$? $(grep -c 'reeve: cannot load libreeve-command.so: ' "$scratch/out")" \
	'125 1'
cp "$scratch/libreeve-command.so" "$destdir/usr/bin/"
chmod o+w "$destdir/usr/bin/libreeve-command.so"
fails 'it loads no module that others can write' "$reeve" version
chmod o-w "$destdir/usr/bin/libreeve-command.so"
succeeds 'but one beside it' "$reeve" version
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$destdir/usr/bin/libreeve-command.so"
	fails 'it loads no module of somebody else' "$reeve" version
else
	skip 'it loads no module of somebody else' 'root: needed to give a file away'
fi
finish
