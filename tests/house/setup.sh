#!/usr/bin/env bash
# tools/setup.sh on machines that lack something: a PATH with next to nothing in it stands for them.
set -uo pipefail
root=$1
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"

bare=$scratch/bare
mkdir "$bare"
fake() # NAME SCRIPT-LINE...
{
	local name=$1
	shift
	{
		echo "#!$(command -v bash)"
		printf '%s\n' "$@"
	} >"$bare/$name"
	chmod +x "$bare/$name"
}

# Never a link to the real one: fake would write through it.
for tool in bash env id sort cat mktemp rm tail sed chmod; do
	fake $tool "exec $(command -v $tool) \"\$@\""
done

setup() # ARGUMENTS... : output in $output, status in $status
{
	output=$(PATH=$bare bash "$root/tools/setup.sh" "$@" 2>&1 </dev/null)
	status=$?
}

says() # NAME TEXT
{
	case $output in
	*"$2"*) ok "$1" ;;
	*) not_ok "$1" "wanted \"$2\" in:"$'\n'"$output" ;;
	esac
}

setup --list build
is 'lists what the build lacks' "$(tr '\n' ' ' <<<"$output")" \
	'gcc libc6-dev libjansson-dev meson ninja-build pkg-config python3 scdoc '
setup --list fuzz
is 'lists only the group asked for' "$(tr '\n' ' ' <<<"$output")" 'clang libclang-rt-14-dev llvm '

setup build
is 'not Debian: fails' $status 1
says 'not Debian: says so' 'not a Debian system'
says 'not Debian: names the packages' 'libjansson-dev'

fake apt-get "echo \"\$@\" >>$scratch/apt.log" 'exit 100'
fake id 'echo 1000'
setup build
is 'neither root nor sudo: fails' $status 1
says 'neither root nor sudo: says so' 'needs root, and there is no sudo here'
says 'neither root nor sudo: the way out' 'hint: as root, run: apt-get install gcc'
fails 'neither root nor sudo: apt-get was not run' test -e "$scratch/apt.log"

fake id 'echo 0'
setup build
is 'apt-get fails: fails' $status 1
says 'apt-get fails: says so' 'apt-get could not install them'
is 'tries, updates the lists, tries again' \
	"$(grep -oE ' (install|update)\b' "$scratch/apt.log" | tr -d '\n')" ' install update install'

: >"$scratch/apt.log"
fake apt-get "echo \"\$@\" >>$scratch/apt.log" "printf '#!/bin/sh\n' >$bare/scdoc" \
	"env chmod +x $bare/scdoc"
for tool in gcc meson ninja pkg-config python3; do
	fake $tool 'exit 0'
done
setup build
is 'installs what is missing' $status 0
says 'says what it installs' 'setup: installing: scdoc'
is 'once, and only that' "$(grep -oE 'install .*' "$scratch/apt.log" | sed 's/.* //')" scdoc
: >"$scratch/apt.log"
setup build
is 'nothing missing: succeeds' $status 0
is 'nothing missing: says nothing' "$output" ''
is 'nothing missing: apt-get is not run' "$(cat "$scratch/apt.log")" ''
finish
