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
cp "$reeve" "$work/bin/reeve"
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
expect 'revoke' 0 '' "$reeve" revoke --ro "$outside"
is 'then not any more' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
expect 'allow --once' 0 '' "$reeve" allow --ro "$outside" --once
is 'once' "$(tell "cat $outside/file")" secret
is 'and not twice' "$(tell "cat $outside/file")" "cat: $outside/file: Permission denied"
expect 'inspect' 0 "^Domain: +$id" "$reeve" inspect

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
