#!/usr/bin/env bash
# A domain that runs, seen and changed from outside, and what it can do to its control socket.
#
# shellcheck disable=SC2016,SC2154
#
# shellcheck disable=SC2016,SC2154
set -uo pipefail
. "$2/tests/cli/lib.sh"

export XDG_RUNTIME_DIR=$work/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
sockets=$XDG_RUNTIME_DIR/reeve
outside=$work/outside
mkdir "$outside"
echo secret >"$outside/file"

# start ARG... : a domain whose shell takes commands by tell, and answers by one line each.
start()
{
	coproc domain { exec "$reeve" run --quiet --status-fd 3 "$@" -- sh -c \
		'while read -r line; do eval "$line" 2>&1 | tr "\n" " "; echo; done' 3>&1; }
	read -r status <&"${domain[0]}"
	id=$(sed 's/.*"domain":"\([^"]*\)".*/\1/' <<<"$status")
	job=$domain_PID
}
tell()
{
	echo "$1" >&"${domain[1]}"
	read -r -t 60 answer <&"${domain[0]}"
	echo "$answer"
}
mkdir "$work/bin"
cp "$reeve" "$(dirname "$reeve")/libreeve-command.so" "$work/bin/"
reeve=$work/bin/reeve
start --name box --rw "$XDG_RUNTIME_DIR" --rx "$work/bin"
expect 'ps lists it' 0 "^$id +box +[0-9]+ +[0-9]+ s +0 " "$reeve" ps
expect 'a second one of that name' 125 'has this name' "$reeve" run --name box -- true
is 'outside is denied' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
expect 'denials names it' 0 "$outside/file" "$reeve" denials
expect 'and what would allow it' 0 "allow it: --ro $outside/file" "$reeve" denials box
expect 'allow' 0 '' "$reeve" allow box --ro "$outside" --ro "$outside/later"
is 'now it is allowed' "$(tell "cat $outside/file")" secret
expect 'rules' 0 "^ro  $outside" "$reeve" rules
expect 'rules say by whom and why' 0 "by uid [0-9]+ \(--ro $outside\), used 1 time$" "$reeve" rules
expect 'revoke' 0 '' "$reeve" revoke --ro "$outside"
is 'then not any more' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
expect 'allow --once' 0 '' "$reeve" allow --ro "$outside" --once
is 'once' "$(tell "cat $outside/file")" secret
is 'and not twice' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
printf '# mine\n[[ruleset]]\nhandled_access_fs = ["read_file", "read_dir"]\n' >"$work/saved.toml"
expect 'allow --save' 0 '' "$reeve" allow --ro "$outside/later" --save "$work/saved.toml"
is 'is in the file, and nothing else changed' "$(tail -n +4 "$work/saved.toml" | tr '\n' ' ')" \
	" [[path_beneath]] allowed_access = [\"read_file\", \"read_dir\"] parent = [\"$outside/later\"] "
is 'its comment stays' "$(head -1 "$work/saved.toml")" '# mine'
expect '--save with --once' 125 'holds for ever' \
	"$reeve" allow --ro "$outside/later" --once --save "$work/saved.toml"
expect '--save to no file' 125 'hint: write it first' \
	"$reeve" allow --ro "$outside/later" --save "$work/none.toml"
expect 'inspect' 0 "^Domain: +$id" "$reeve" inspect

# ---- explain: what the domain itself says
expect 'explain: a running domain denies' 1 "^denied: read on $outside/file" "$reeve" explain box read "$outside/file"
expect '... and says what would allow it' 1 "to allow it: --ro $outside/file" "$reeve" explain box read "$outside/file"
expect 'explain: a process that is in no domain' 1 'is in no supervised domain' "$reeve" explain $$ read "$outside/file"
expect '... which it is' 0 "^domain $id \(box\)" "$reeve" explain box read /usr/bin/env
expect 'explain: the line that says so' 0 'rule on /usr[a-z/]*, profile base:[0-9]+$' "$reeve" explain --domain "$id" read /usr/bin/env
expect 'allow, for explain' 0 '' "$reeve" allow box --ro "$outside"
expect 'explain: a live rule' 0 "live rule on $outside, .*--ro $outside" "$reeve" explain "$(sed 's/.*"pid":\([0-9]*\).*/\1/' \
	"$sockets/$id.json")" read "$outside/file"
expect 'revoke, for explain' 0 '' "$reeve" revoke --ro "$outside"
expect 'explain: a scope of it' 1 'scoped by the policy' "$reeve" explain --domain box scope.signal
expect 'explain --denied' 0 "^denied fs.read_file $outside/file" "$reeve" explain --denied box
expect '... with the rule' 0 "^      parent = \[\"$outside/file\"\]" "$reeve" explain --denied

# ---- from inside: the sockets' directory is writable there, and still nothing is granted
inside=$(tell "$reeve allow --ro $outside")
if grep -qE 'refuses this client|ermission denied|not permitted' <<<"$inside"; then
	ok 'the program cannot allow itself'
else
	not_ok 'the program cannot allow itself' "$inside"
fi
is 'nor read then' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
inside=$(tell "$reeve kill")
expect 'nor kill by it' 0 " box " "$reeve" ps
connector=$(pgrep -P "$(sed 's/.*"supervisor":\([0-9]*\).*/\1/' "$sockets/$id.json")" | head -n 1)
expect 'a pid below the supervisor is of the domain' 0 "$id" "$reeve" inspect "$connector"

# ---- watch
: >"$work/events"
"$reeve" watch --json >"$work/events" &
watcher=$!
until grep -q denied "$work/events"; do
	tell "cat $outside/file" >/dev/null
done
pid=$("$reeve" ps --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
is 'the program' "$(tell 'echo $$')" "$pid"
expect 'kill' 0 '' "$reeve" kill "$pid"
wait "$watcher"
is 'watch ends with the domain' $? 0
expect 'and told of its end' 0 '"event":"exit"' tail -n 1 "$work/events"
wait "$job"
is 'run ends as killed' $? 137
expect 'nothing runs' 1 'no domain runs' "$reeve" rules
expect 'denials are remembered' 0 "$outside/file" "$reeve" denials box
is 'the directory holds records only' "$(ls "$sockets")" "$id.denials.json"

expect 'explain --denied, afterwards' 0 "to allow it: --ro $outside/file" "$reeve" explain --denied

# ---- what is denied inside of a grant, no live rule gives back
mkdir -p "$outside/kept/below"
echo kept >"$outside/kept/below/file"
if enforced deny_inside; then
	start --name denies --rw "$outside" --deny "$outside/kept"
	expect 'allow of what is denied: said' 1 "warning: $outside/kept: the domain's policy denies $outside/kept inside" "$reeve" allow denies --ro "$outside/kept"
	is '... and so it is' "$(tell "cat $outside/kept/below/file")" "cat: $outside/kept/below/file: Permission denied"
	expect 'allow above it: said' 0 "warning: $outside: $outside/kept stays denied" "$reeve" allow denies --ro "$outside"
	expect 'allow below it: said' 1 "warning: $outside/kept/below: the domain's policy denies $outside/kept" \
		"$reeve" allow denies --ro "$outside/kept/below"
	is '... and so it is, too' "$(tell "cat $outside/kept/below/file")" "cat: $outside/kept/below/file: Permission denied"
	expect 'explain: the denial' 1 "$outside/kept is denied inside what is granted, by --deny $outside/kept" \
		"$reeve" explain denies read "$outside/kept"
	expect 'explain --denied: the denial' 0 'no flag gives that back' "$reeve" explain --denied denies
	"$reeve" kill denies
	wait "$job" 2>/dev/null
	# ---- nor writing to the policy, wherever it lies
	mkdir "$outside/conf"
	printf 'extends = ["workspace"]\n' >"$outside/conf/p.toml"
	start --name policy -p "$outside/conf/p.toml"
	protected='loaded policy files are never writable from inside'
	expect 'allow the policy file: said' 1 "warning: $outside/conf/p.toml: it can be read at most: $protected" \
		"$reeve" allow policy --rw "$outside/conf/p.toml"
	expect 'allow its directory: said' 0 "warning: $outside/conf: $outside/conf/p.toml stays denied for writing: $protected" \
		"$reeve" allow policy --rw "$outside/conf"
	expect 'allow to read it: nothing to say' 0 '^$' "$reeve" allow policy --ro "$outside/conf/p.toml"
	is 'what lies beside it can be made' "$(tell "echo 1 >$outside/conf/other; cat $outside/conf/other")" 1
	tell "(echo x >>$outside/conf/p.toml); mv $outside/conf/other $outside/conf/p.toml; rm -f $outside/conf/p.toml
		mv $outside/conf $outside/conf2; ln $outside/conf/p.toml $outside/conf/hard" >/dev/null
	is 'it is as it was' "$(cat "$outside/conf/p.toml")" 'extends = ["workspace"]'
	is '... under its one name' "$(stat -c %h "$outside/conf/p.toml")" 1
	expect 'explain: it is protected' 1 "p.toml is denied inside what is granted, by $protected" \
		"$reeve" explain policy write "$outside/conf/p.toml"
	"$reeve" kill policy
	wait "$job" 2>/dev/null
else
	skip 'allow of what is denied' 'supervisor: it cannot enforce exceptions here'
fi

like()
{
	if grep -qE -- "$2" <<<"$output"; then
		ok "$1"
	else
		not_ok "$1" "$output"
	fi
}

# ---- static runs around the supervisor, and a static run alone: each layer is judged
printf '[[ruleset]]\nhandled_access_fs = ["make_block", "write_file"]\n' >"$work/outer.toml"
printf '[[path_beneath]]\nallowed_access = ["write_file"]\nparent = ["/"]\n' >>"$work/outer.toml"
"$reeve" run --static --degrade deny_inside -p "$work/outer.toml" -- \
	"$reeve" run --quiet --name inner -- sleep 60 &
nested=$!
for _ in $(seq 400); do
	"$reeve" ps | grep -q ' inner ' && break
	sleep 0.05
done
expect 'explain: a domain within a static run' 1 '^layer 2, domain .* \(inner\)$' "$reeve" explain inner write "$outside/file"
like '... the static one, by its line' 'write_file: rule on /, .*/outer.toml:5'
like '... and what they cannot tell' 'Sandboxes of other tools are not seen'
kill "$nested"
wait "$nested"
tab=$'dir\twith\\tabs'
mkdir -p "$work/$tab"
"$reeve" run --static --degrade deny_inside -p "$work/outer.toml" -- \
	"$reeve" run --static -p none --rx / --rw "$work/$tab" -- sleep 60 &
nested=$!
for _ in $(seq 400); do
	grep -qs '^sleep' "/proc/$nested/comm" && break
	sleep 0.05
done
expect 'explain: a pid in static runs alone' 1 '^layer 1, a static run' "$reeve" explain "$nested" write "$outside/file"
like '... both of them' '^layer 2, a static run'
like '... the outer one' 'write_file: rule on /, .*/outer.toml:5'
like '... what the inner one lacks' "to allow it: --rw $outside/file"
expect '... whatever is in a name' 0 'write_file, make_reg: rule on .*, --rw' "$reeve" explain "$nested" write "$work/$tab/new"
printf '# later\n' >>"$work/outer.toml"
touch -d '+1 hour' "$work/outer.toml"
expect '... a file that was changed since' 1 'outer.toml was changed since' "$reeve" explain "$nested" write "$outside/file"
rm "$work/outer.toml"
mkfifo "$work/outer.toml"
expect '... and one that is none any more' 125 'no file any more' "$reeve" explain "$nested" write "$outside/file"
kill "$nested"
wait "$nested"

# lies VALUE STATUS PATTERN NAME: what the environment of a process without a supervisor says of it
lies()
{
	REEVE_LAYERS=$1 setpriv --no-new-privs sleep 60 &
	nested=$!
	for _ in $(seq 400); do
		grep -qs '^sleep' "/proc/$nested/comm" && break
		sleep 0.05
	done
	expect "explain: $4" "$2" "$3" "$reeve" explain "$nested" read /etc/passwd
	kill "$nested"
	wait "$nested"
}
lies $'/\t0\t--ro\t' 125 'expected PATH' 'a lie without a value'
lies $'/\t0\t-p\t=-' 125 'no file any more' 'a lie that would have our input read'
lies $'/\t0\t-p\t=/dev/zero' 125 'no file any more' 'a lie without an end'
lies $'/\e[31m\t0\t-p\t=base' 125 'x1b\[31m: No such file' 'a lie in colour'
lies 'nonsense' 1 'no running domain' 'nonsense'

# ---- a supervisor that is killed leaves an entry that is seen through
start
kill -KILL "$job"
wait "$job" 2>/dev/null
expect 'one that died is not listed' 0 '^ID' "$reeve" ps
lacks 'its id is not' "$id"
is 'its socket is removed' "$(ls "$sockets" | grep -c sock)" 0

# ---- without a directory the sandbox holds, with a warning
rmdir "$sockets" 2>/dev/null || rm -r "$sockets"
ln -s "$work" "$sockets"
expect 'no control socket' 0 'warning: no control socket' "$reeve" run -- true
expect 'and says so quietly' 0 '^$' "$reeve" run --quiet -- true
finish
