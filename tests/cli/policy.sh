#!/usr/bin/env bash
# `reeve policy check` and `reeve policy show`.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

mkdir -p one two "$HOME/.config/reeve/profiles"
cat >policy.toml <<'END'
abi = 7
degrade = ["net_address"]
tmpdir = "private"
[[ruleset]]
handled_access_fs = ["read_file", "write_file"]
deny = ["keyring"]
[[path_beneath]]
allowed_access = ["read_file"]
parent = ["one", "two"]
[[net_address]]
allowed_access = ["connect_tcp"]
address = ["[2001:db8::]/32:443"]
END
cat >policy.json <<'END'
{"abi": 7, "ruleset": [{"handledAccessFs": ["read_file"]}],
 "pathBeneath": [{"allowedAccess": ["read_file"], "parent": ["one"]}]}
END

expect 'check' 0 '^policy.toml: valid, 3 rules$' "$reeve" policy check policy.toml
expect 'check: JSON' 0 '^policy.json: valid, 1 rules$' "$reeve" policy check policy.json
expect 'check: several' 0 '^policy.json: valid' "$reeve" policy check policy.toml policy.json
expect 'check: a profile' 0 '^workspace: valid' "$reeve" policy check workspace
expect 'check: what cannot be enforced here' 0 'cannot be enforced.*deny_inside' bash -c \
	'printf "[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"/\"]\nexcept = [\"/etc\"]\n" >x.toml
		"$1" policy check x.toml' - "$reeve"
expect 'check: nothing' 125 'say which file' "$reeve" policy check

expect 'show: handled' 0 '^  fs +write_file, read_file|^  fs +read_file' "$reeve" policy show -p ./policy.toml
expect 'show: origins' 0 'one +ro +\./policy.toml:9' "$reeve" policy show -p ./policy.toml
expect 'show: the file' 0 "^Read from: $PWD/policy.toml" "$reeve" policy show -p ./policy.toml
expect 'show: settings' 0 'TMPDIR: a private' "$reeve" policy show -p ./policy.toml
expect 'show: settings' 0 'deny: keyring' "$reeve" policy show -p ./policy.toml
expect 'show: an address' 0 '^  \[2001:db8::/32\]:443 +connect_tcp' "$reeve" policy show -p ./policy.toml
expect 'show: flags' 0 'rw +--rw one' "$reeve" policy show -p ./policy.toml --rw one
expect 'show: the default' 0 'profile workspace:' "$reeve" policy show
expect 'show: -v' 0 'one +read_file +\./policy' "$reeve" policy show -v -p ./policy.toml
printf '[[path_beneath]]\nexcept = ["one"]\nexcept_access = ["write_file"]\n' >except.toml
expect 'show: what an exception takes away' 0 'one +denied: write_file +\./except' "$reeve" policy show -v -p ./except.toml
expect 'show: JSON on standard input' 0 'standard input:' \
	bash -c 'echo "  {\"abi\": 7, \"ruleset\": [{\"handledAccessFs\": [\"abi.all\"]}],
		\"pathBeneath\": [{\"allowedAccess\": [\"read_file\"], \"parent\": [\"/\"]}]}" |
		"$1" policy show -p -' - "$reeve"
expect 'check: broken JSON on standard input is not called TOML' 1 'in double quotes' \
	bash -c 'echo "{\"abi\": 7," | "$1" policy check -' - "$reeve"
expect 'show: standard input' 0 'standard input:' bash -c '"$1" policy show -p - <policy.toml' - "$reeve"
expect 'show: an operand is -p' 0 "^Read from: $PWD/policy.toml" "$reeve" policy show policy.toml
expect 'show: a profile' 0 'profile base:' "$reeve" policy show base
expect 'show: and narrows' 0 '^  fs +read_file$' "$reeve" policy show policy.toml policy.json
expect 'check: -p' 0 '^policy.json: valid' "$reeve" policy check -p policy.toml -p policy.json
expect 'show: both notations' 125 'not both' "$reeve" policy show --json --toml

# ---- symbolic links that a program could have made
mkdir -p own/real outside more && echo x >own/real/file && echo x >outside/file
ln -sfn real own/inner; ln -sfn ../outside own/out; ln -sfn own/out chain; ln -sfn outside beside; ln -sfn ../own more/way
policy=("$reeve" policy show -p none --rw own)
expect 'a link to what is not granted' 125 'own/out is a symbolic link' "${policy[@]}" --ro own/out
expect 'below it' 125 'own/out is a symbolic link' "${policy[@]}" --ro own/out/file
expect 'once more' 125 'own/out is a symbolic link' "${policy[@]}" --ro own/out/file --ro own/out/file
expect 'on the way of another link' 125 'own/out is a symbolic link' "${policy[@]}" --ro chain
expect 'in a directory that another link leads to' 125 'own/out is a symbolic link' "${policy[@]}" --ro more/way/out
expect 'when it is started' 125 'own/out is a symbolic link' "$reeve" run -p base --rw own --ro more/way/out -- true
expect 'where two lead to the same' 125 'own/out is a symbolic link' "${policy[@]}" --ro own/out --rw own/out
expect 'one to what is granted' 0 'own ' "${policy[@]}" --ro own/inner
expect 'more than what is granted' 125 'own/inner is a symbolic link' "${policy[@]}" --rwx own/inner
expect 'one where none can be made' 0 'outside ' "${policy[@]}" --ro beside
expect 'one where programs make files only' 0 'outside ' \
	bash -c 'printf "abi = 7\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\n[[path_beneath]]\nallowed_access = [\"make_reg\"]\nparent = [\"own\"]\n" >files.toml
		"$1" policy show -p ./files.toml --ro own/out' - "$reeve"

# ---- composition narrows what is handled
expect 'two policies' 0 '^  fs +read_file$' "$reeve" policy show -p ./policy.toml -p ./policy.json

# ---- a profile of the user's
printf '# Mine.\nabi = 7\nextends = ["none"]\n[[path_beneath]]\nallowed_access = ["read_file"]\nparent = ["/etc"]\n' \
	>"$HOME/.config/reeve/profiles/mine.toml"
expect 'a profile of the user' 0 'profiles/mine.toml:6' "$reeve" policy show -p mine

# ---- TOML that says the same
"$reeve" policy show --toml -p ./policy.toml >again.toml
is 'show --toml | show' "$("$reeve" policy show --json -p ./again.toml | sed 's/,"origin".*//; /settings/s/"files".*//')" \
	"$("$reeve" policy show --json -p ./policy.toml | sed 's/,"origin".*//; /settings/s/"files".*//')"
is 'a profile, too' "$("$reeve" policy show --toml | "$reeve" policy show --json -p - | grep -c '"rule"')" \
	"$("$reeve" policy show --json | grep -c '"rule"')"

# ---- JSON: one object a line
"$reeve" policy show --json -p ./policy.toml >lines
is 'JSON: all lines have a version' "$(grep -c '^{"version":1,"type":"' lines)" "$(wc -l <lines)"
if have jq; then
	succeeds 'JSON: each is an object' jq -e -s 'map(.version == 1) | all' lines
	is 'JSON: rules' "$(jq -r 'select(.type == "rule") | .path // .address' lines | tr '\n' ' ')" \
		"$PWD/one $PWD/two 2001:db8::/32 "
	is 'JSON: settings' "$(jq -c 'select(.type == "settings") | [.tmpdir, .deny, .degrade]' lines)" \
		'["private",["keyring"],["net_address"]]'
	mkdir $'odd\xff\e'
	is 'JSON: bytes that are not UTF-8' \
		"$("$reeve" policy show -p none --ro $'odd\xff\e' --json | jq -r 'select(.type == "rule") | .path')" \
		"$PWD/odd\\xff\\x1b"
else
	skip 'JSON' 'jq: not installed'
fi
mkdir -p $'line\nbreak'
expect 'names are escaped' 0 'line\\nbreak' "$reeve" policy show -p none --ro $'line\nbreak'
finish
