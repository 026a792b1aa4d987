#!/usr/bin/env bash
# `make run`'s demonstration: says that all was refused, fails when something is not, and leaves
# nothing behind.
set -uo pipefail
root=$(realpath "$1")
reeve=$(realpath "$2")
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

output=$("$root/tools/demo.sh" "$reeve" 2>&1 </dev/null)
is 'the demonstration succeeds' "$? $(tail -n 1 <<<"$output" | grep -c 'attempts were refused')" '0 1'
[ $tap_failed = 0 ] || note "$output"
is 'nothing is left in TMPDIR' "$(ls -A "$TMPDIR")" ''

# A reeve that sandboxes nothing must not pass.
printf '#!/bin/bash\nshift 2\nexec "$@"\n' >"$scratch/idle"
chmod +x "$scratch/idle"
output=$("$root/tools/demo.sh" "$scratch/idle" 2>&1 </dev/null)
is 'a sandbox that refuses nothing is found out' $? 1
is 'each attempt of it is named' $(($(grep -c 'NOT REFUSED' <<<"$output") >= 5)) 1

# On a kernel that is too old for a feature, it takes reeve's hint, and says what it did not try.
cat >"$scratch/old" <<END
#!/bin/bash
case " \$* " in
*" --degrade scope.signal "*) ;;
*)
	echo 'reeve: scope.signal cannot be enforced here: needs Landlock ABI 6, this kernel has ABI 2'
	echo 'hint: to run without, give it up by name: --degrade scope.signal (in a policy file: ...)'
	exit 125
	;;
esac >&2
exec "$reeve" "\$@"
END
chmod +x "$scratch/old"
output=$("$root/tools/demo.sh" "$scratch/old" 2>&1 </dev/null)
is 'an old kernel: succeeds' $? 0
is 'an old kernel: says what it goes without' "$(grep -c '^ --degrade scope.signal$' <<<"$output")" 1
is 'an old kernel: does not count it' "$(grep -c '^  signal .* not tried: ' <<<"$output")" 1

printf '#!/bin/bash\necho reeve: no Landlock\nexit 125\n' >"$scratch/none"
chmod +x "$scratch/none"
output=$("$root/tools/demo.sh" "$scratch/none" 2>&1 </dev/null)
is 'no Landlock: fails, and says so' \
	"$? $(grep -c '^reeve: no Landlock$' <<<"$output") $(tail -n 1 <<<"$output")" \
	'1 1 reeve does not start here.'
finish
