#!/usr/bin/env bash
# Help: of each verb, from the same table as the parser, readable at 80 columns.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

dump=$("$reeve" help --dump-options)
mapfile -t verbs < <(grep -P '^verb\t' <<<"$dump" | cut -f 2)
is 'the dump has all verbs' "${verbs[*]}" \
	'run ps top watch denials allow revoke rules reload inspect kill id audit observe pin observe unpin check explain learn deps policy check policy show policy lint policy import sandboxer help version'

expect 'help' 0 '^Verbs:$' "$reeve" help
is 'help and --help are the same' "$("$reeve" help)" "$("$reeve" --help)"
is 'and -h' "$("$reeve" help)" "$("$reeve" -h)"
expect 'help has an example to run' 0 '^  reeve run -- make' "$reeve" help
expect 'help of a group' 0 '^  policy show' "$reeve" help policy
expect 'a group: --help' 0 '^  policy check' "$reeve" policy --help
expect 'help of an unknown verb' 125 'unknown verb nonsense' "$reeve" help nonsense
expect 'help of too much' 125 'too many' "$reeve" help run check

for verb in "${verbs[@]}"; do
	# shellcheck disable=SC2086
	expect "$verb --help" 0 "^Usage: reeve $verb" "$reeve" $verb --help
	# shellcheck disable=SC2086
	is "$verb: help VERB is the same" "$("$reeve" help $verb)" "$output"
	# shellcheck disable=SC2086
	is "$verb: nothing on stderr" "$("$reeve" $verb --help 2>&1 >/dev/null)" ''
	# shellcheck disable=SC2086
	is "$verb: -h among others" "$("$reeve" $verb -h 2>/dev/null | head -n 1)" \
		"$(head -n 1 <<<"$output")"
	wide=$(awk 'length($0) > 80' <<<"$output")
	is "$verb: 80 columns" "$wide" ''
	is "$verb: no spaces at the end" "$(grep -E ' $' <<<"$output")" ''
	missing=$(grep -P "^option\t$verb\t" <<<"$dump" | cut -f 3 | while read -r option; do
		grep -qE -- "(^| )$option( |\$)" <<<"$output" || echo "$option"
	done)
	is "$verb: has each option" "$missing" ''
done
is 'the top: 80 columns' "$("$reeve" help | awk 'length($0) > 80')" ''

# Colours are for terminals.
is 'no colours in a pipe' "$("$reeve" check | grep -c $'\e')" 0
if have script; then
	coloured=$(TERM=xterm script -qec "'$reeve' check" /dev/null </dev/null)
	is 'colours on a terminal' "$(grep -c $'\e\[1m' <<<"$coloured" | sed 's/^[1-9].*/some/')" some
	plain=$(TERM=xterm NO_COLOR=1 script -qec "'$reeve' check" /dev/null </dev/null)
	is 'NO_COLOR' "$(grep -c $'\e' <<<"$plain")" 0
else
	skip 'colours on a terminal' 'script: not installed'
fi
finish
