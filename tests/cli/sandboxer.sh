#!/usr/bin/env bash
# `reeve sandboxer`: the variables of the kernel's sample.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

outside=$work/outside
mkdir -p "$outside"
echo secret >"$outside/file"
printf '#!/bin/sh\necho ran\n' >"$outside/script"
chmod +x "$outside/script"
ro=/usr:/bin:/lib:/lib64:/etc:/dev/null

# box VARIABLE=VALUE... -- COMMAND... : through reeve sandboxer
box()
{
	local variables=()
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	shift
	env -u LL_FS_RO -u LL_FS_RW "${variables[@]}" "$reeve" sandboxer "$@"
}

expect 'read' 0 '^secret$' box "LL_FS_RO=$ro:$outside" LL_FS_RW= -- cat "$outside/file"
expect 'denied' 1 'Permission denied' box "LL_FS_RO=$ro" LL_FS_RW= -- cat "$outside/file"
expect 'RO executes' 0 '^ran$' box "LL_FS_RO=$ro:$outside" LL_FS_RW= -- "$outside/script"
expect 'RO does not write' 2 'Permission denied|cannot create' \
	box "LL_FS_RO=$ro:$outside" LL_FS_RW= -- sh -c "echo >$outside/new"
expect 'RO does not truncate' 1 'Permission denied' \
	box "LL_FS_RO=$ro:$outside" LL_FS_RW= -- truncate -s 0 "$outside/file"
expect 'RW writes, moves and executes' 0 '^ran$' box "LL_FS_RO=$ro" "LL_FS_RW=$outside" -- sh -c \
	"cd $outside && mkdir d && echo >d/new && mv d/new . && rm -r new d && ./script"
expect 'a file' 0 '^secret$' box "LL_FS_RO=$ro" "LL_FS_RW=$outside/file" -- cat "$outside/file"
expect 'a relative path' 0 '^secret$' box "LL_FS_RO=$ro:../outside" LL_FS_RW= -- cat "$outside/file"
expect 'options of the command are its own' 0 '^-v$' box "LL_FS_RO=$ro" LL_FS_RW= -- echo -v
mkdir 'odd${HOME}$' && echo odd >'odd${HOME}$/file'
expect 'dollars are no variables' 0 '^odd$' \
	box "LL_FS_RO=$ro:$PWD/odd\${HOME}\$" LL_FS_RW= -- cat 'odd${HOME}$/file'

# ---- what must be set
expect 'LL_FS_RO is mandatory' 125 'LL_FS_RO is not set' box LL_FS_RW= -- true
expect 'LL_FS_RW is mandatory' 125 'LL_FS_RW is not set' box "LL_FS_RO=$ro" -- true
expect 'nothing to run' 125 'say what to run' box "LL_FS_RO=$ro" LL_FS_RW= --
expect 'a missing path is skipped' 0 'LL_FS_RO: /nonsense: No such file.*skipped' \
	box "LL_FS_RO=$ro:/nonsense" LL_FS_RW= -- true
expect 'an empty element, too' 0 'LL_FS_RO: "": .*skipped' box "LL_FS_RO=$ro::" LL_FS_RW= -- true
expect 'the variables do not reach the command' 0 '^0$' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_BIND= LL_SCOPED=s -- sh -c 'env | grep -c ^LL_; true'
expect 'others do' 0 '^X=1$' box "LL_FS_RO=$ro" LL_FS_RW= X=1 -- env
exec 7<"$outside/file"
expect 'file descriptors stay open' 0 '^secret$' box "LL_FS_RO=$ro" LL_FS_RW= -- sh -c 'cat <&7'
exec 7<&-

# ---- ports: nobody listens on port 1
connect='exec 3<>/dev/tcp/127.0.0.1/1'
expect 'not set: every port' 1 'Connection refused' \
	box "LL_FS_RO=$ro" LL_FS_RW= -- bash -c "$connect"
expect 'empty: no port' 1 'Permission denied' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_CONNECT= -- bash -c "$connect"
expect 'a port' 1 'Connection refused' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_CONNECT=80:1 -- bash -c "$connect"
expect 'another port' 1 'Permission denied' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_CONNECT=80::443 -- bash -c "$connect"
bind='use Socket; socket(S, AF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK)) or die "$!"'
if have perl; then
	expect 'LL_TCP_BIND, empty' 13 'Permission denied' \
		box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_BIND= -- perl -e "$bind"
	expect 'LL_TCP_BIND' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_BIND=0 -- perl -e "$bind"
else
	skip 'LL_TCP_BIND' 'perl: not installed'
fi
for port in x 70000 -1 0x10 ' 1' 99999999999999999999; do
	expect "port '$port'" 125 "^reeve: LL_TCP_BIND: .*expected a port" \
		box "LL_FS_RO=$ro" LL_FS_RW= "LL_TCP_BIND=$port" -- true
done
for variable in LL_UDP_BIND:net.bind_udp LL_UDP_CONNECT_SEND:net.connect_send_udp; do
	if enforced "${variable#*:}"; then
		expect "${variable%:*}" 0 '' box "LL_FS_RO=$ro" LL_FS_RW= "${variable%:*}=53" -- true
	else
		expect "${variable%:*}: fails where it cannot be enforced" 125 "${variable#*:}" \
			box "LL_FS_RO=$ro" LL_FS_RW= "${variable%:*}=" -- true
	fi
done

# ---- scopes
sleep 300 &
victim=$!
expect 'no scope' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= -- bash -c "kill -0 $victim"
expect 'an empty one' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED= -- bash -c "kill -0 $victim"
expect 's' 1 'not permitted' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=s -- bash -c "kill -0 $victim"
expect 'a:s' 1 'not permitted' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=a:s -- bash -c "kill -0 $victim"
expect 'a' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=a -- bash -c "kill -0 $victim"
kill "$victim"
expect 'twice' 125 'twice' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=s:s -- true
expect 'unknown' 125 'unknown scope' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=x -- true
expect 'u' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=u -- true
if grep -q 'scope.pathname_unix_socket *supervisor' <<<"$("$reeve" check)"; then
	expect 'u: the id of its domain' 0 '^Entered the Landlock domain [0-9a-f]+\.$' \
		box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=u -- sh -c 'echo "$REEVE_DOMAIN" >&2'
	is 'u: told before it begins' "$(sed -n '1s/.* \(.*\)\./\1/p' <<<"$output")" "$(sed -n 2p <<<"$output")"
fi

# ---- logging
if enforced log_flags; then
	expect 'LL_FORCE_LOG' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_FORCE_LOG=1 -- true
else
	expect 'LL_FORCE_LOG' 125 'log' box "LL_FS_RO=$ro" LL_FS_RW= LL_FORCE_LOG=1 -- true
fi
expect 'LL_FORCE_LOG: not 1' 125 'LL_FORCE_LOG: expected 1' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_FORCE_LOG=yes -- true
expect 'LL_FS_QUIET alone' 125 'need LL_QUIET_ACCESS' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_FS_QUIET=/ -- true
expect 'LL_QUIET_ACCESS of nonsense' 125 'unknown access "nonsense"' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_FS_QUIET=/ LL_QUIET_ACCESS=nonsense -- true
expect 'LL_QUIET_ACCESS of a scope' 125 'scopes cannot be made quiet' \
	box "LL_FS_RO=$ro" LL_FS_RW= LL_SCOPED=s LL_QUIET_ACCESS=signal -- true
if enforced quiet; then
	expect 'quiet' 0 '' box "LL_FS_RO=$ro" LL_FS_RW= LL_TCP_BIND= LL_FS_QUIET=/ \
		LL_NET_QUIET=80:443 LL_QUIET_ACCESS=all -- true
else
	expect 'quiet: fails where it cannot be enforced' 125 'quiet.*ABI 10' \
		box "LL_FS_RO=$ro" LL_FS_RW= LL_FS_QUIET=/ LL_QUIET_ACCESS=all -- true
fi
enforced fs.resolve_unix || expect 'what no variable names is said' 0 'warning: .*UNIX sockets' \
	box "LL_FS_RO=$ro" LL_FS_RW= -- true

# ---- exit codes
expect 'of the command' 7 '' box "LL_FS_RO=$ro" LL_FS_RW= -- sh -c 'exit 7'
expect 'not found' 127 '' box "LL_FS_RO=$ro" LL_FS_RW= -- nonsense-program
expect 'not executable' 126 '' box LL_FS_RO= LL_FS_RW= -- /usr/bin/true
finish
