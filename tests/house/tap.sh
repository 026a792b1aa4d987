# TAP for tests in bash. Source it, report with ok/not_ok/skip/is/succeeds/fails, end with finish.
# The plan comes last, so a script that dies half-way has none, and fails.
#
# shellcheck shell=bash
tap_count=0
tap_failed=0

note() # TEXT : shown before the next line
{
	sed 's/^/# /' <<<"$*"
}

report() # STATUS NAME
{
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=1
		echo "not ok $tap_count - $2"
	fi
}

ok() # NAME
{
	report 0 "$1"
}

not_ok() # NAME [WHY]
{
	[ -z "${2-}" ] || note "$2"
	report 1 "$1"
}

# skip NAME REASON : the reason begins with a word, which REEVE_TEST_REQUIRE can name.
skip()
{
	local word=${2%%[: ]*}
	case ",${REEVE_TEST_REQUIRE-}," in
	*",$word,"*)
		not_ok "$1" "required, but would be skipped: $2"
		;;
	*)
		tap_count=$((tap_count + 1))
		echo "ok $tap_count - $1 # SKIP $2"
		;;
	esac
}

is() # NAME GOT WANTED
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got: $2"$'\n'"wanted: $3"
	fi
}

succeeds() # NAME COMMAND...
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1 </dev/null); then
		ok "$name"
	else
		not_ok "$name" "status $?: $*"$'\n'"$(tail -n 25 <<<"$output")"
	fi
}

fails() # NAME COMMAND...
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1 </dev/null); then
		not_ok "$name" "succeeded: $*"$'\n'"$(tail -n 25 <<<"$output")"
	else
		ok "$name"
	fi
}

have() # COMMAND : for `have gcc || skip …`
{
	command -v "$1" >/dev/null
}

finish()
{
	echo "1..$tap_count"
	exit $tap_failed
}
