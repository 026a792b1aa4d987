#!/usr/bin/env bash
# `reeve check`.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

features=$("$reeve" help --dump-options | grep -P '^word\tfeature\t' | cut -f 3)
expect 'the machine' 0 '^  Landlock +(ABI [0-9]+|not|built)' "$reeve" check
missing=$(for feature in $features; do
	grep -qE "^  $feature +(Landlock|seccomp|supervisor|reeve|nobody yet) " <<<"$output" || echo "$feature"
done)
is 'every feature, and who enforces it' "$missing" ''
is 'every capability' "$(grep -oE '\(C[1-8]\)$' <<<"$output" | tr -d '\n')" \
	'(C1)(C2)(C3)(C4)(C5)(C6)(C7)(C8)'
expect 'nobody yet: why' 0 '^  permission.capability_use +nobody yet +(needs Landlock|policies have no word)' "$reeve" check
expect 'no operands' 125 'no operands' "$reeve" check x

"$reeve" check --json >lines
is '--json: all lines have a version' "$(grep -c '^{"version":1,"type":"' lines)" "$(wc -l <lines)"
is '--json: every feature' "$(grep -oP '"type":"feature","feature":"\K[^"]+' lines)" "$features"
is '--json: the machine' "$(grep -c '"type":"machine".*"landlock_abi":[0-9]' lines)" 1
if have jq; then
	succeeds '--json: each is an object' jq -e -s 'map(.version == 1) | all' lines
	is '--json: nobody says why' \
		"$(jq -r 'select(.type == "feature" and .by == "nobody" and .why == "") | .feature' lines)" ''
else
	skip '--json' 'jq: not installed'
fi

# ---- proof
expect '--verify' 0 '^[0-9]+ held, 0 broken, [0-9]+ skipped$' "$reeve" check --verify
missing=$(for feature in $features; do
	grep -qE "^  $feature +(held|skipped) " <<<"$output" || echo "$feature"
done)
is '--verify: every feature has a verdict' "$missing" ''
expect '--verify --json' 0 '"type":"verdict","feature":"fs.read_file","verdict":"held"' \
	"$reeve" check --verify --json
is '--verify --json: one verdict each' \
	"$(grep -oP '"type":"verdict","feature":"\K[^"]+' <<<"$output" | sort)" "$(sort <<<"$features")"
finish
