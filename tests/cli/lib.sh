# What the tests of the command share. Each is called with the binary and the source tree, and with
# --user it runs again as an ordinary user.
#
# shellcheck shell=bash
LC_ALL=C
export LC_ALL
unset NO_COLOR XDG_CONFIG_HOME
reeve=$(realpath "$1")
root=$2
here=$(cd "$(dirname "$0")" && pwd)

# A copy of all that is needed where anybody may read it; then this script, as nobody.
as_user()
{
	local place
	if [ "$(id -u)" != 0 ]; then
		echo '1..0 # SKIP root: an ordinary user already'
		exit 0
	fi
	command -v setpriv >/dev/null || {
		echo '1..0 # SKIP setpriv: not installed'
		exit 0
	}
	place=$(mktemp -d)
	trap 'rm -rf "$place"' EXIT
	mkdir -p "$place/tests/house" "$place/tests/cli" "$place/tmp"
	cp "$here"/* "$place/tests/cli"
	cp "$root/tests/house/tap.sh" "$place/tests/house"
	cp "$reeve" "$(dirname "$reeve")/libreeve-command.so" "$place/"
	chmod -R a+rX "$place"
	chown 65534:65534 "$place/tmp"
	env -i PATH=/usr/local/bin:/usr/bin:/bin TMPDIR="$place/tmp" REEVE_TEST_REQUIRE="${REEVE_TEST_REQUIRE-}" \
		setpriv --reuid=65534 --regid=65534 --clear-groups \
		bash "$place/tests/cli/$(basename "$0")" "$place/reeve" "$place" </dev/null
	exit
}
[ "${3-}" != --user ] || as_user

. "$root/tests/house/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
mkdir -p "$HOME" "$work/project"
cd "$work/project" || exit 1

# expect NAME STATUS PATTERN COMMAND... : runs it; its status, and a line of its output or errors
# that matches the extended regular expression.
expect()
{
	local name=$1 status=$2 pattern=$3 got
	shift 3
	output=$("$@" 2>&1 </dev/null)
	got=$?
	if [ "$got" != "$status" ]; then
		not_ok "$name" "status $got, wanted $status: $*"$'\n'"$output"
	elif ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$name" "nothing matches: $pattern"$'\n'"$*"$'\n'"$output"
	else
		ok "$name"
	fi
}

# lacks NAME PATTERN : the output of the last expect has no such line.
lacks()
{
	if grep -qE -- "$2" <<<"$output"; then
		not_ok "$1" "something matches: $2"$'\n'"$output"
	else
		ok "$1"
	fi
}

# enforced FEATURE : can this machine enforce it?
enforced()
{
	"$reeve" check --json | grep -F "\"feature\":\"$1\"" | grep -qvF '"by":"nobody"'
}

# needs_abi N : the built-in profiles ask for what a kernel of this Landlock ABI has.
needs_abi()
{
	local abi
	abi=$("$reeve" check --json | grep -oP '"landlock_abi":\K[0-9]+')
	[ "${abi:-0}" -lt "$1" ] || return 0
	skip 'with the built-in profiles' "landlock: ABI $abi, and $1 is needed"
	finish
}

# What a program needs to start at all, without any profile.
system=(--rx /usr --rx /etc)
for directory in /bin /sbin /lib /lib64; do
	[ ! -e "$directory" ] || system+=(--rx "$directory")
done
