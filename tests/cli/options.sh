#!/usr/bin/env bash
# How options are written, what is no option, and what is said about it.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

# ---- the top
expect 'no verb: help, and 125' 125 '^Usage: reeve VERB' "$reeve"
expect 'an unknown verb' 125 '^reeve: unknown verb frobnicate$' "$reeve" frobnicate
expect 'a verb nearly right' 125 '^hint: did you mean .reeve explain.' "$reeve" explan
expect 'an option in place of a verb' 125 '^reeve: unknown option --ro$' "$reeve" --ro /usr
expect 'a group without its verb' 125 '^reeve: policy: say what to do' "$reeve" policy
expect 'a group with a wrong verb' 125 '^reeve: policy: unknown verb shwo' "$reeve" policy shwo
expect 'a verb that there is not' 125 'unknown verb frob' "$reeve" frob
expect 'an unknown verb is escaped' 125 'unknown verb a\\x1b\[31m' "$reeve" $'a\e[31m'
expect 'version' 0 '^reeve [0-9]+\.[0-9]+' "$reeve" version
expect '--version' 0 '^reeve [0-9]+\.[0-9]+' "$reeve" --version
expect 'version takes no operands' 125 'no operands' "$reeve" version 1

# ---- how a value may be attached
expect '--opt VALUE' 0 '/usr .*--ro /usr' "$reeve" policy show -p none --ro /usr
expect '--opt=VALUE' 0 '/usr .*--ro /usr' "$reeve" policy show -p none --ro=/usr
expect '-p VALUE' 0 'Handled' "$reeve" policy show -p none
expect '-pVALUE' 0 'Handled' "$reeve" policy show -pnone
expect '--policy=VALUE' 0 'Handled' "$reeve" policy show --policy=none
expect 'letters together' 0 'Handled' "$reeve" policy show -vpnone
expect '--opt= with an empty value' 125 'expected a path' "$reeve" policy show -p none --ro=
expect 'a missing value' 125 '^reeve: run: --ro needs a value: --ro PATH$' "$reeve" run --ro
expect 'a missing value before --' 125 '^reeve: run: --approver needs a value: --approver COMMAND$' \
	"$reeve" run --approver -- true
expect 'a missing value of a letter' 125 '--policy needs a value' "$reeve" run -p
expect 'a value that is not taken' 125 '^reeve: run: --dry-run takes no value$' \
	"$reeve" run --dry-run=yes
expect 'options after operands' 0 '^allowed' "$reeve" explain read / -p none --ro /
expect 'options after operands end at --' 125 'one ACCESS and one OBJECT' \
	"$reeve" explain read / -- -p none

# ---- where the options of run end
expect 'the options of CMD are its own' 0 '^-v --ro x$' \
	"$reeve" run -p none "${system[@]}" echo -v --ro x
expect '-- ends the options' 0 '^-v$' "$reeve" run -p none "${system[@]}" -- echo -v
expect '-- of CMD reaches it' 0 '^-- a$' "$reeve" run -p none "${system[@]}" -- echo -- a
expect 'a lone - is an operand' 127 'not found|No such file' \
	"$reeve" run -p none "${system[@]}" -

# ---- unknown ones
expect 'an unknown option' 125 '^reeve: run: unknown option --frobnicate$' \
	"$reeve" run --frobnicate -- true
expect 'an option nearly right' 125 '^hint: did you mean --degrade\?$' \
	"$reeve" run --degarde x -- true
for option in --ro-bind --best-effort --unrestricted-network --whitelist=/x; do
	expect "$option of another tool" 125 '^hint: .*reeve policy import (bwrap|landrun|firejail)' \
		"$reeve" run "$option" -- true
done
expect 'an unknown option with a value' 125 'unknown option --rr$' "$reeve" run --rr=/usr -- true
expect 'an unknown letter' 125 'unknown option -x' "$reeve" run -x -- true
expect 'an option of another verb' 125 'unknown option --verify' "$reeve" run --verify -- true
for verb in explain 'policy show' check sandboxer; do
	# shellcheck disable=SC2086
	expect "$verb: an unknown option" 125 "^reeve: $verb: unknown option --nonsense" \
		"$reeve" $verb --nonsense
done

# ---- output that cannot be written
if [ -w /dev/full ]; then
	bash -c '"$1" help >/dev/full' - "$reeve" 2>/dev/null
	is 'lost output is an error' "$?" 125
else
	skip 'lost output is an error' 'full: no /dev/full'
fi
finish
