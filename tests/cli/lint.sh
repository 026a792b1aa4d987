#!/usr/bin/env bash
# `reeve policy lint`: each kind of finding with a policy that has it, and one that has not.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

export XDG_RUNTIME_DIR=$work/run
unset SSH_AUTH_SOCK TMUX_TMPDIR
mkdir -p "$XDG_RUNTIME_DIR" "$HOME/.ssh" "$HOME/.config" one/two three

# What has nothing to be found; a policy is this and more.
clean='abi = 7
extends = ["none"]
'
# policy TEXT : writes it
policy()
{
	printf '%s' "$clean" >policy.toml
	printf '%s\n' "$@" >>policy.toml
}
grant() # RIGHTS PATH...
{
	local rights=$1 path
	shift
	for path in "$@"; do
		printf '[[path_beneath]]\nallowed_access = [%s]\nparent = ["%s"]\n' "$rights" "$path"
	done
}
lint()
{
	"$reeve" policy lint "$@" 2>&1
}
# finds NAME STATUS CHECK PATTERN : the policy has a finding of the kind, in a line that matches
finds()
{
	expect "$1" "$2" "$4.* \[$3\]\$" "$reeve" policy lint --level note policy.toml
}

policy "$(grant '"read_file"' "$PWD/one")"
expect 'nothing to be found' 0 '^$' "$reeve" policy lint --level note policy.toml

# ---- shipped profiles
for profile in none base workspace workspace-net node python rust go git-ssh; do
	is "$profile is clean" "$(cd one && lint "$profile"; echo $?)" 0
done
is 'git-ssh, with an agent' "$(cd one && SSH_AUTH_SOCK=$XDG_RUNTIME_DIR/agent lint git-ssh; echo $?)" 0
expect 'what is annotated would be found' 1 '^--rwx .*can be written and executed' "$reeve" policy lint -p none --rwx one

# ---- without effect
policy "$(grant '"read_file"' "$PWD/nothing")"
finds 'a path that is not there' 1 missing 'policy.toml:5: error: .*/nothing does not exist'
policy "$(grant '"read_file"' "$PWD/nothing")" 'missing = "ignore"'
finds 'which may be missing' 0 optional 'note: .*/nothing does not exist'
policy "$(grant '"read_file"' "$PWD/one" "$PWD/one/two")"
finds 'a rule below one that says the same' 1 shadowed 'policy.toml:8: warning: .*/one/two: .*granted on .*/one by policy.toml:5'
policy "$(grant '"read_file"' "$PWD/one")" "$(grant '"read_file", "read_dir"' "$PWD/one/two")"
expect 'one that says more' 0 '^$' "$reeve" policy lint policy.toml
policy "$(grant '"read_file"' "$PWD/one")" "except = [\"$PWD/one/two\"]" "$(grant '"read_file"' "$PWD/one/two/x")" 'missing = "ignore"'
expect 'a grant below a denial is none of these' 0 '^$' "$reeve" policy lint policy.toml
policy "$(grant '"read_file"' "$PWD/one" "$PWD/one/two")" "except = [\"$PWD/one/two\"]"
finds 'a grant of what is denied' 1 denied 'policy.toml:8: warning: .*/one/two is denied by policy.toml:9'
policy "$(grant '"read_file"' "$PWD/one")" "[[path_beneath]]" "except = [\"$PWD/three\"]"
finds 'a denial of what is not granted' 1 denies-nothing 'policy.toml:7: warning: .*/three is not granted'
policy '[[net_port]]' 'allowed_access = ["connect_tcp"]' 'port = [443]' '[[net_port]]' 'allowed_access = ["connect_tcp"]' 'port = ["400-500"]'
finds 'a port within a range' 1 shadowed '443: allowed by policy.toml:8 already'
policy '[[socket]]' 'allowed_access = ["create"]' 'family = ["inet"]' '[[socket]]' 'allowed_access = ["create"]' 'family = ["inet"]' 'type = ["stream"]'
finds 'a socket within a wildcard' 1 shadowed 'inet:stream:any: allowed by policy.toml:5 already'

# ---- too much
policy "$(grant '"read_file", "write_file"' "$HOME")"
finds 'a home directory that can be written' 1 home-writable 'error: .*/home \(the home directory\) can be written'
is '... is not said again of what is in it' "$(lint policy.toml | grep -c '\[startup-writable\]')" 0
finds '... which can be read, too' 1 secret-readable 'warning: .*/\.gnupg \(private keys\) can be read'
policy "$(grant '"read_file", "write_file"' "$HOME")" "except = [\"$HOME/.ssh\", \"$HOME/.gnupg\"]"
lint policy.toml | grep -E '\.ssh/id_ed25519|\.gnupg' >/dev/null
report $((! $?)) 'what is denied in it is not said to be readable'
policy "$(grant '"write_file"' /)"
finds 'all that can be written' 1 root-writable 'error: / \(/\) can be written'
policy "$(grant '"make_reg"' "$HOME/.ssh")"
finds 'what is run later' 1 startup-writable 'warning: .*/\.ssh \(keys'
policy "$(grant '"read_file"' /etc)"
finds 'secrets of the system' 1 secret-readable '/etc/shadow \(password hashes\) can be read'
policy "$(grant '"write_file", "execute"' "$PWD/one")"
finds 'write and execute' 1 write-execute 'policy.toml:5: warning: .*/one can be written and executed'
policy "$(grant '"write_file"' "$PWD/one")" "$(grant '"execute"' "$PWD/one/two")"
finds '... by two rules' 1 write-execute '/one/two can be written and executed'
policy "$(grant '"make_char"' "$PWD/one")"
finds 'devices that are made' 1 make-device '/one: devices can be made'
policy "$(grant '"read_file"' /dev)"
finds 'devices' 1 device 'warning: /dev/mem'
policy "$(grant '"write_file"' /tmp)"
finds 'what all share' 1 shared-tmp '/tmp \(shared by all\)'
policy "[[unix_socket]]" 'allowed_access = ["connect"]' "path = [\"$XDG_RUNTIME_DIR/bus\"]" 'missing = "ignore"'
finds 'the session bus' 1 control-socket 'policy.toml:5: error: .*/run/bus \(the session bus'
policy "[[unix_socket]]" 'allowed_access = ["connect"]' "path = [\"$XDG_RUNTIME_DIR\"]"
finds "the directory of it, with reeve's own sockets" 1 control-socket '/run/reeve'
policy "[[unix_socket]]" 'allowed_access = ["connect"]' "path = [\"$work/agent\"]" 'missing = "ignore"'
SSH_AUTH_SOCK=$work/agent finds 'an agent' 1 agent-socket '/agent \(ssh-agent\)'
expect '... which is none of that name elsewhere' 0 '^$' "$reeve" policy lint policy.toml
policy "[[unix_socket]]" 'allowed_access = ["connect"]' "path = [\"/run/docker.sock\"]" 'missing = "ignore"'
finds 'docker' 1 control-socket '/run/docker.sock \(docker\)'
clean='abi = 7
[[ruleset]]
handled_access_fs = ["abi.all"]
'
policy
finds 'no scopes' 1 unix-sockets '^policy.toml: warning: UNIX sockets'
finds 'no network' 1 network 'TCP connections'
finds 'no signals' 1 signals 'signals are not'
policy '[[net_port]]' 'allowed_access = ["connect_tcp"]' 'port = [443]'
finds 'a port to anywhere' 1 any-address 'note: port 443: to any address'

# ---- annotated
clean='abi = 7
extends = ["none"]
'
policy '# lint: write-execute: it is meant' "$(grant '"write_file", "execute"' "$PWD/one")"
expect 'a comment above the table' 0 '^$' "$reeve" policy lint policy.toml
policy "$(grant '"write_file", "execute" ] # lint: write-execute: meant' "$PWD/one" | sed 's/meant\]/meant/')"
expect 'a comment in the table' 0 '^$' "$reeve" policy lint policy.toml
policy '# lint: write-execute:' "$(grant '"write_file", "execute"' "$PWD/one")"
expect '... without a reason' 1 'write-execute' "$reeve" policy lint policy.toml
policy '# lint: home-writable: another check' "$(grant '"write_file", "execute"' "$PWD/one")"
expect '... about another check' 1 'write-execute' "$reeve" policy lint policy.toml
policy '# lint: write-execute: of another table' "$(grant '"write_file", "execute"' "$PWD/three" "$PWD/one")"
is '... of another table' "$(lint policy.toml | grep -c '\[write-execute\]')" 1

# ---- what a profile has for other machines
policy "$(grant '"read_file"' "$PWD/one")"
sed -i 's/"none"/"none", "base"/' policy.toml
expect 'notes about an extended profile are its own' 0 '^$' "$reeve" policy lint --level note policy.toml
expect '... where they are' 0 'profile base:[0-9]+: note' "$reeve" policy lint --level note base

# ---- levels
policy "$(grant '"write_file", "execute"' "$PWD/one")"
expect '--fail-on error' 0 'write-execute' "$reeve" policy lint --fail-on error policy.toml
expect '--level error' 1 '^$' "$reeve" policy lint --level error policy.toml
policy "$(grant '"read_file"' "$PWD/nothing")" 'missing = "ignore"'
expect '--fail-on note' 1 '^$' "$reeve" policy lint --fail-on note policy.toml
expect 'a level that there is not' 125 '--fail-on bad: expected error, warning or note' "$reeve" policy lint --fail-on bad policy.toml
expect 'another' 125 '--level bad: expected' "$reeve" policy lint --level bad policy.toml
expect 'a file that is not there' 125 'No such file' "$reeve" policy lint ./nothing.toml
printf 'nonsense\n' >bad.toml
expect 'a file that is no policy' 125 'bad.toml:1' "$reeve" policy lint bad.toml
expect 'both ways' 125 'not both' "$reeve" policy lint --ro one policy.toml
expect '-p and rules' 1 '^--rw .*: error: .*home directory' "$reeve" policy lint -p none --rw "$HOME"

# ---- what was used
policy "$(grant '"read_file", "read_dir", "write_file"' "$PWD/one")" "$(grant '"read_file"' "$PWD/three")"
cat >used <<END
{"version":1,"type":"access","rights":["fs.read_file"],"object":"$PWD/one/two/a"}
{"version":1,"type":"access","rights":["fs.read_dir"],"object":"$PWD/one/two"}
END
expect '--used: a rule that nothing needed' 1 'policy.toml:8: warning: .*/three was not used \[unused\]' "$reeve" policy lint --used used policy.toml
expect '--used: rights that nothing needed' 1 'policy.toml:5: warning: .*/one: writing was not needed \[unused-rights\]' \
	"$reeve" policy lint --used used policy.toml
expect '--used: a narrower place' 1 'policy.toml:5: note: .*/one: only .*/one/two was used \[narrower\]' \
	"$reeve" policy lint --level note --used used policy.toml
cat >>used <<END
{"version":1,"event":"denied","asked":["fs.read_file"],"object":"$PWD/three/b"}
{"version":1,"event":"denied","asked":["fs.read_file"],"object":"$PWD/three/c"}
{"version":1,"type":"access","rights":["fs.make_reg","fs.write_file"],"object":"$PWD/one/new"}
END
expect '--used: all was' 0 '^$' "$reeve" policy lint --level note --used used policy.toml
echo nonsense >used
expect '--used: no JSON' 125 '--used used:1: expected a JSON object' "$reeve" policy lint --used used policy.toml
echo '{"a":1}' >used
expect '--used: nothing of it' 125 'no line of it is an access' "$reeve" policy lint --used used policy.toml
expect '--used: no file' 125 '--used nothing: No such file' "$reeve" policy lint --used nothing policy.toml

# ---- JSON
policy "$(grant '"write_file", "execute"' "$PWD/one")"
expect 'JSON' 1 '^\{"version":1,"type":"finding","policy":"policy.toml","check":"write-execute","level":"warning","origin":"policy.toml:5",' \
	"$reeve" policy lint --json policy.toml
if have jq; then
	is 'JSON: all that is said' "$("$reeve" policy lint --json policy.toml | jq -r '[.message, .why, .instead] | map(length > 0) | all')" true
else
	skip 'JSON: all that is said' 'jq: not installed'
fi
mkdir $'esc\e[31m'
expect 'names are escaped' 1 'esc.x1b' "$reeve" policy lint -p none --rwx $'esc\e[31m'
finish
