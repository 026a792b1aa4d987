#!/usr/bin/env bash
# `reeve run`: exit codes, each option, each rule flag, with real programs.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

base=(run -p none "${system[@]}")
outside=$work/outside
mkdir -p "$outside/deep"
echo secret >"$outside/file"
printf '#!/bin/sh\necho ran\n' >"$outside/script"
chmod +x "$outside/script"

# ---- exit codes
expect 'the exit code of CMD' 7 '' "$reeve" "${base[@]}" -- sh -c 'exit 7'
expect 'the signal of CMD' 143 '' "$reeve" "${base[@]}" -- sh -c 'kill -TERM $$'
expect 'not found' 127 '^reeve: .*nonsense-program' "$reeve" "${base[@]}" -- nonsense-program
if [ "$(id -u)" != 0 ] && [ ! -x /root ]; then
	expect 'not found, and a directory of PATH that is closed to us' 127 'command not found' \
		env PATH="/root/bin:$PATH" "$reeve" "${base[@]}" -- nonsense-program
fi
expect 'a path that is not there' 127 '^reeve: ' "$reeve" "${base[@]}" -- /usr/bin/nonsense-program
touch plain && chmod 644 plain
expect 'not executable' 126 '^reeve: \./plain: .*no execute permission' "$reeve" run -- ./plain
expect 'not executable, in place' 126 '^reeve: \./plain: .*no execute permission' "$reeve" "${base[@]}" --rx . -- ./plain
expect 'a directory' 126 '^reeve: .*it is a directory' "$reeve" run -- /usr/bin
printf 'true\n' >here && chmod +x here
expect 'not in PATH, but here' 127 '^hint: .*\./here' "$reeve" run -- here
expect 'nothing to run' 125 'say what to run' "$reeve" run
expect 'refused by the policy: 126, and what is missing' 126 '^hint: ' \
	"$reeve" run -p none --rx /etc -- /usr/bin/true
expect 'a script whose interpreter is out of reach' 126 '^hint: .*/usr' \
	"$reeve" run -p none --rx "$outside" -- "$outside/script"

# ---- what would allow it
rm -f "$HOME/.newrc"
expect 'a file is made in the home: granting it all is no good advice' 2 '^  --rw .*whole home; to grant one file or directory' \
	"$reeve" run --rw "$outside" -- sh -c 'echo x >~/.newrc'
touch "$HOME/.newrc"
expect 'a file that exists has a flag of its own' 2 '^  --rw [^ ]*/\.newrc$' "$reeve" run -- sh -c 'echo x >~/.newrc'

# ---- files
expect 'outside is denied' 1 'Permission denied' "$reeve" "${base[@]}" -- cat "$outside/file"
expect '--ro reads' 0 '^secret$' "$reeve" "${base[@]}" --ro "$outside" -- cat "$outside/file"
expect '--ro lists' 0 '^deep$' "$reeve" "${base[@]}" --ro "$outside" -- ls "$outside"
expect '--ro does not write' 2 'Permission denied|cannot create' \
	"$reeve" "${base[@]}" --ro "$outside" -- sh -c "echo x >$outside/new"
expect '--ro does not execute' 126 '' "$reeve" "${base[@]}" --ro "$outside" -- "$outside/script"
expect '--rx executes' 0 '^ran$' "$reeve" "${base[@]}" --rx "$outside" -- "$outside/script"
expect '--rox is --rx' 0 '^ran$' "$reeve" "${base[@]}" --rox "$outside" -- "$outside/script"
expect '--rw writes, truncates, moves, removes' 0 '^done$' \
	"$reeve" "${base[@]}" --rw "$outside" -- sh -c \
	"cd $outside && echo x >new && : >new && mkdir d && mv new d && ln -s d l &&
		rm -r d l && echo done"
expect '--rw does not execute' 126 '' "$reeve" "${base[@]}" --rw "$outside" -- "$outside/script"
expect '--rwx executes and writes' 0 '^ran$' "$reeve" "${base[@]}" --rwx "$outside" -- sh -c \
	"echo >$outside/new && rm $outside/new && $outside/script"
expect 'a rule on a file' 0 '^secret$' "$reeve" "${base[@]}" --rw "$outside/file" -- \
	cat "$outside/file"
expect 'a missing path' 125 '^reeve: --ro.*/nonsense.*No such file' \
	"$reeve" "${base[@]}" --ro /nonsense -- true
expect 'a variable' 0 '^secret$' env "HOME=$outside" \
	"$reeve" "${base[@]}" --ro '${HOME}' -- cat "$outside/file"
expect 'a relative path' 0 '^secret$' "$reeve" "${base[@]}" --ro ../outside -- cat ../outside/file

expect '--deny needs the supervisor' 125 'deny_inside.*run without --static' \
	"$reeve" "${base[@]}" --static --rw "$outside" --deny "$outside/deep" -- true
expect '--deny: the way out' 125 '^hint: .*--degrade deny_inside' \
	"$reeve" "${base[@]}" --static --rw "$outside" --deny "$outside/deep" -- true
expect '--deny: where nothing above it is granted it needs nobody' 0 '^secret$' \
	"$reeve" "${base[@]}" --static --ro "$outside/file" --deny "$outside/deep" -- \
	cat "$outside/file"
expect '--deny: of the very object that is granted' 1 'Permission denied' \
	"$reeve" "${base[@]}" --static --ro "$outside/file" --deny "$outside/file" -- \
	cat "$outside/file"
expect '--degrade gives it up' 0 '' "$reeve" "${base[@]}" --rw "$outside" --deny "$outside/deep" \
	--degrade deny_inside -- true
expect '--degrade of what is enforced changes nothing' 1 'Permission denied' \
	"$reeve" "${base[@]}" --degrade fs.read_file --degrade truncate -- cat "$outside/file"
printf 'extends = ["base"]\ninner_landlock = "floor-only"\n' >inner.toml
expect 'inner_landlock' 0 '' "$reeve" run -p ./inner.toml -- true
expect 'inner_landlock: programs sandbox themselves' 0 '^inner$' "$reeve" run -p ./inner.toml \
	--rx "$(dirname "$reeve")" -- "$reeve" run --static -p none "${system[@]}" -- echo inner
expect 'without it they cannot' 125 'already runs in the supervised domain' "$reeve" run -p base \
	--rx "$(dirname "$reeve")" -- "$reeve" run --static -p none "${system[@]}" -- echo inner
expect 'inner_landlock, --static: programs sandbox themselves' 0 '^inner$' "$reeve" run --static -p ./inner.toml \
	--rx "$(dirname "$reeve")" -- "$reeve" run --static -p none "${system[@]}" -- echo inner
expect '--degrade of nonsense' 125 'nonsense' "$reeve" "${base[@]}" --degrade nonsense -- true

expect '--unix' 0 '' "$reeve" "${base[@]}" --unix "$outside/file" -- true
expect '--unix: a missing socket' 125 '^reeve: --unix /nonsense.*No such file' \
	"$reeve" "${base[@]}" --unix /nonsense -- true

# ---- network: nobody listens on port 1, so what is not denied is refused by the peer
connect='exec 3<>/dev/tcp/127.0.0.1/1'
listen='use Socket; socket(S, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
	bind(S, sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!"; print "bound\n"'
expect 'no network' 1 'Permission denied' "$reeve" "${base[@]}" -- bash -c "$connect"
expect '--connect-tcp' 1 'Connection refused' \
	"$reeve" "${base[@]}" --connect-tcp 1 -- bash -c "$connect"
expect '--connect-tcp of another port' 1 'Permission denied' \
	"$reeve" "${base[@]}" --connect-tcp 2-9 -- bash -c "$connect"
expect '--connect-tcp of a range' 1 'Connection refused' \
	"$reeve" "${base[@]}" --connect-tcp 0-9 -- bash -c "$connect"
expect '--connect-tcp with an address' 1 'Connection refused' \
	"$reeve" "${base[@]}" --connect-tcp 127.0.0.0/8:1 -- bash -c "$connect"
expect '--connect-tcp with another address' 1 'Permission denied' \
	"$reeve" "${base[@]}" --connect-tcp 127.0.0.2:1 -- bash -c "$connect"
if have perl; then
	expect '--bind-tcp' 0 '^bound$' "$reeve" "${base[@]}" --rw /dev/null --bind-tcp 0 -- perl -e "$listen"
	expect 'no --bind-tcp' 13 'bind: Permission denied' \
		"$reeve" "${base[@]}" --rw /dev/null --connect-tcp 1 -- perl -e "$listen"
else
	skip '--bind-tcp' 'perl: not installed'
fi
send='echo x >/dev/udp/127.0.0.1/9'
expect '--connect-udp' 0 '' "$reeve" "${base[@]}" --connect-udp 9 -- bash -c "$send"
lacks '--connect-udp: no warning' warning
expect '--connect-udp with another port' 1 'Permission denied' \
	"$reeve" "${base[@]}" --connect-udp 10 -- bash -c "$send"
expect '--bind-udp is not for sending' 1 'Permission denied' \
	"$reeve" "${base[@]}" --bind-udp 9 -- bash -c "$send"
expect '--socket restricts, and grants what it names' 1 'Connection refused' \
	"$reeve" "${base[@]}" --connect-tcp 1 --socket unix -- bash -c "$connect"
cat >fs.toml <<END
abi = 1
[[ruleset]]
handled_access_fs = ["make_sym"]
END
expect 'no socket rule, no restriction' 1 'Connection refused' \
	"$reeve" run -p ./fs.toml -- bash -c "$connect"
for flag in --connect-udp --bind-udp; do
	expect "$flag has no effect where UDP is not restricted" 0 "warning: .*$flag" \
		"$reeve" run -p ./fs.toml "$flag" 53 -- true
	expect "$flag: --quiet" 0 '' "$reeve" run -p ./fs.toml "$flag" 53 --quiet -- true
	lacks "$flag: no warning then" warning
done
expect '--socket: families not named are denied' 1 'Permission denied' \
	"$reeve" run -p ./fs.toml --socket unix -- bash -c "$connect"
expect '--net' 0 'port|443' "$reeve" run -p none --net --dry-run

# ---- scopes
sleep 300 &
victim=$!
expect 'signals reach outside without a scope' 0 '' \
	"$reeve" run --static -p ./fs.toml -- bash -c "kill -0 $victim"
expect 'under a supervisor they never do' 1 'not permitted' \
	"$reeve" run -p ./fs.toml -- bash -c "kill -0 $victim"
expect '--scope signal' 1 'not permitted' \
	"$reeve" run -p ./fs.toml --scope signal -- bash -c "kill -0 $victim"
expect '--scope with several' 1 'not permitted' "$reeve" run -p ./fs.toml \
	--scope signal,abstract_unix_socket -- bash -c "kill -0 $victim"
expect '--scope of nonsense' 125 'signal' "$reeve" run --scope sginal -- true
kill "$victim"

# ---- the environment
export REEVE_TEST_VARIABLE=outer
expect 'the environment is inherited' 0 '^outer$' \
	"$reeve" "${base[@]}" -- sh -c 'echo "$REEVE_TEST_VARIABLE"'
expect '--env' 0 '^inner$' "$reeve" "${base[@]}" --env REEVE_TEST_VARIABLE=inner -- \
	sh -c 'echo "$REEVE_TEST_VARIABLE"'
expect '--env twice: the last one' 0 '^b=c$' "$reeve" "${base[@]}" --env X=a --env X=b=c -- \
	sh -c 'echo "$X"'
expect '--clear-env' 0 '^\[\]$' "$reeve" "${base[@]}" --clear-env -- \
	sh -c 'echo "[$REEVE_TEST_VARIABLE]"'
expect '--clear-env: empty but for --env' 0 '^A=1$' "$reeve" "${base[@]}" --clear-env --env A=1 -- env
is '--clear-env: nothing else' "$(grep -cvE '^(A=1|TMPDIR=.*|REEVE_DOMAIN=.*)$' <<<"$output")" 0
expect '--env without a value' 125 'expected NAME=VALUE' "$reeve" run --env X -- true
expect '--env without a value: a hint' 125 '^hint: variables are passed on' "$reeve" run --env X -- true
expect '--env without a name' 125 'expected NAME=VALUE' "$reeve" run --env =x -- true
expect 'CMD is found by the new PATH' 127 '' "$reeve" "${base[@]}" --env PATH=/nonsense -- ls

# ---- the working directory
mkdir -p "$work/other/sub"
echo here >"$work/other/file"
expect '--chdir: where CMD starts' 0 "^$work/other\$" "$reeve" run --chdir "$work/other" -- pwd -P
expect '--chdir: what workspace grants' 0 '' \
	"$reeve" run --chdir ../other -- sh -c 'echo x >new && rm new'
expect '--chdir: and not where reeve was started' 2 'Permission denied|cannot create' \
	"$reeve" run --chdir "$work/other" -- sh -c "echo x >$work/project/new"
expect '--chdir: rules are relative to where reeve was started' 0 '^secret$' \
	"$reeve" run --chdir "$work/other" --ro ../outside -- cat "$outside/file"
mkdir -p 'a$b${c}' && echo odd >'a$b${c}/file'
expect '--chdir: dollars in the directory are no variables' 0 '^odd$' bash -c \
	'cd "a\$b\${c}" && "$1" run --chdir / -p none "${@:2}" --ro file -- cat "$PWD/file"' - \
	"$reeve" "${system[@]}"
expect '--chdir: ${PWD} is that directory' 0 '^here$' \
	"$reeve" "${base[@]}" --chdir "$work/other" --ro '${PWD}' -- cat file
expect '--chdir: refused where workspace refuses' 125 'working directory' \
	"$reeve" run --chdir / -- true
expect '--chdir: missing' 125 '--chdir: /nonsense: No such file' "$reeve" run --chdir /nonsense -- true
expect '--chdir: a file' 125 'not a directory' "$reeve" run --chdir plain -- true

# ---- file descriptors
exec 7<"$outside/file" 8<"$outside/file"
list='for f in /proc/self/fd/*; do echo "${f##*/}"; done | sort -n | tr "\n" " "'
fds=$("$reeve" "${base[@]}" --ro /proc -- bash -c "$list")
is 'descriptors are closed' "$(grep -oE '\b[78]\b' <<<"$fds")" ''
fds=$("$reeve" "${base[@]}" --ro /proc --keep-fd 7 -- bash -c "$list")
is '--keep-fd' "$(grep -oE '\b[78]\b' <<<"$fds")" 7
expect '--keep-fd: the descriptor works' 0 '^secret$' \
	"$reeve" "${base[@]}" --keep-fd 7 --keep-fd 8 -- sh -c 'cat <&8'
exec 7<&- 8<&-
expect '--keep-fd: not open' 125 'not open' "$reeve" run --keep-fd 99 -- true
expect '--keep-fd: no number' 125 'expected the number' "$reeve" run --keep-fd x -- true
expect '--keep-fd: negative' 125 'expected the number' "$reeve" run --keep-fd=-1 -- true
expect '--keep-fd: too large' 125 'expected the number' "$reeve" run --keep-fd 99999999999 -- true

# ---- workspace
expect 'workspace: the working directory' 0 '^x$' "$reeve" run -- sh -c 'echo x >f && cat f && rm f'
expect 'workspace: no home' 2 'Permission denied' "$reeve" run -- ls "$HOME"
expect 'workspace: no network' 1 'Permission denied' "$reeve" run -- bash -c "$connect"
expect 'workspace: a private TMPDIR' 0 '^drwx------' "$reeve" run -- \
	sh -c 'echo x >"$TMPDIR/f" && ls -ld "$TMPDIR"'
if "$reeve" check --json | grep -F scope.pathname_unix_socket | grep -qF '"by":"Landlock"'; then
	expect '--static' 0 '' "$reeve" run --static -- true
else
	expect '--static: what needs the supervisor' 125 \
		'^reeve: scope.pathname_unix_socket cannot be enforced here: needs.*--static' \
		"$reeve" run --static -- true
	expect '--static: the way out' 125 '^hint: .*--degrade scope.pathname_unix_socket' \
		"$reeve" run --static -- true
	expect '--static, degraded by name' 0 '' \
		"$reeve" run --static --degrade pathname_unix_socket -- true
fi
expect '-v' 0 '' "$reeve" run -v -- true
expect 'nested' 0 '^nested$' "$reeve" run --static -p ./fs.toml -- "$reeve" run -p ./fs.toml -- \
	echo nested
expect 'nested in a supervised run' 125 'already runs in the supervised domain [0-9a-f]+' \
	"$reeve" run -p ./fs.toml -- "$reeve" run -p ./fs.toml -- echo nested
expect 'nested in a supervised run: the way out' 125 '^hint: .*--static' \
	"$reeve" run -p ./fs.toml -- "$reeve" run -p ./fs.toml -- echo nested
finish
