#!/usr/bin/env bash
# `reeve policy import`: what other tools were told means the same under `reeve run -p`. What is
# allowed and what is not is compared with the tool itself where it works here, with what its manual
# says elsewhere.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7
if ! enforced deny_inside; then
	skip 'imports' 'supervisor: it cannot enforce exceptions here'
	finish
fi

import()
{
	"$reeve" policy import "$@"
}

# ---- a tree, and what can be done to it
tree=$work/tree
policies=$work/policies
mkdir -p "$policies"
make_tree()
{
	rm -rf "$tree"
	mkdir -p "$tree"/{a/deep,b/deep,c}
	for place in a a/deep b b/deep c; do
		echo text >"$tree/$place/file"
		printf '#!/bin/sh\nexit 0\n' >"$tree/$place/prog"
		chmod 755 "$tree/$place/prog"
	done
}
make_tree

# What can be done at each place, a word for each: r(ead) l(ist) w(rite) m(ake) x (execute).
cat >"$work/attempt.sh" <<'END'
for place in a a/deep b b/deep c; do
	can=
	(cat <"$1/$place/file") >/dev/null 2>&1 && can=${can}r
	ls "$1/$place" >/dev/null 2>&1 && can=${can}l
	(echo text >>"$1/$place/file") 2>/dev/null && can=${can}w
	(echo new >"$1/$place/new") 2>/dev/null && rm "$1/$place/new" 2>/dev/null && can=${can}m
	"$1/$place/prog" 2>/dev/null && can=${can}x
	printf '%s=%s ' "$place" "${can:--}"
done
END

# under POLICY : the attempts in the sandbox of reeve
under()
{
	make_tree
	"$reeve" run --quiet -p "$1" -- sh "$work/attempt.sh" "$tree" </dev/null 2>"$work/errors" ||
		sed 's/^/# /' "$work/errors"
}

# loads NAME POLICY : the text is valid
loads()
{
	expect "$1: the policy is valid" 0 ': valid, ' "$reeve" policy check "$2"
}

# ---- landrun
expect 'landrun: what was said where' 0 '^# argument 1: --rox /usr,/etc$' \
	"$reeve" policy import landrun --rox /usr,/etc --connect-tcp=443 ls
expect 'landrun: ports' 0 '^port = \[443\]$' "$reeve" policy import landrun --connect-tcp=443 ls
expect 'landrun: the environment has no equivalent' 0 '^#   argument 1: --env HOME: .*--clear-env' \
	"$reeve" policy import landrun --env HOME ls
expect '... and stderr says so' 0 '^reeve: argument 1: --env HOME: .*no equivalent' \
	"$reeve" policy import -o "$policies/x.toml" landrun --env HOME ls
expect 'landrun: --unrestricted-network' 0 '^handled_access_fs' \
	"$reeve" policy import landrun --unrestricted-network --ro /etc ls
lacks '... handles no port' handled_access_net
expect 'landrun: nothing that restricts' 125 'nothing of it restricts' \
	"$reeve" policy import landrun --unrestricted-network --unrestricted-filesystem ls
import -o "$policies/landrun.toml" landrun --rox /usr --rox /bin --rox /lib \
	$([ ! -e /lib64 ] || echo --rox /lib64) --ro /etc,/proc --rw /dev/null --rox "$work/attempt.sh" --ro "$tree/a" --rw "$tree/b" \
	--rwx "$tree/b/deep" --rox "$tree/c" sh 2>/dev/null
loads 'landrun' "$policies/landrun.toml"
is 'landrun: behaviour' "$(under "$policies/landrun.toml")" 'a=rl a/deep=rl b=rlwm b/deep=rlwmx c=rlx '

# ---- the kernel's sandboxer
system_paths=/usr:/bin:/lib:/lib64:/etc:/proc
import -o "$policies/ll.toml" sandboxer LL_FS_RO="$system_paths:$work/attempt.sh:$tree/a" \
	LL_FS_RW="/dev/null:$tree/b:$work/not-there" LL_TCP_CONNECT=443:80 LL_SCOPED=a:s 2>/dev/null
loads 'sandboxer' "$policies/ll.toml"
is 'sandboxer: behaviour' "$(under "$policies/ll.toml")" 'a=rlx a/deep=rlx b=rlwmx b/deep=rlwmx c=- '
expect 'sandboxer: scopes' 0 '^scoped = \["abstract_unix_socket", "signal"\]$' cat "$policies/ll.toml"
expect 'sandboxer: ports' 0 '^port = \[80\]$' cat "$policies/ll.toml"
expect 'sandboxer: the environment' 0 '^parent = \["/usr"\]' env LL_FS_RO=/usr LL_FS_RW= "$reeve" policy import sandboxer
expect 'sandboxer: quiet' 0 '^quiet = \["connect_tcp"\]' "$reeve" policy import sandboxer LL_FS_RO= LL_FS_RW= \
	LL_TCP_CONNECT= LL_QUIET_ACCESS=tcp_connect LL_NET_QUIET=53
expect 'sandboxer: the log has no equivalent' 1 'LL_FORCE_LOG: .*no equivalent' "$reeve" policy import --strict \
	sandboxer LL_FS_RO=/usr LL_FS_RW= LL_FORCE_LOG=1
expect 'sandboxer: both must be set' 125 'LL_FS_RW is not set' "$reeve" policy import sandboxer LL_FS_RO=/usr
expect 'sandboxer: a bad scope' 125 'LL_SCOPED: "x": expected a, s or u' "$reeve" policy import sandboxer \
	LL_FS_RO= LL_FS_RW= LL_SCOPED=x
expect 'sandboxer: a bad port' 125 '"70000": expected a port' "$reeve" policy import sandboxer LL_FS_RO= LL_FS_RW= \
	LL_TCP_BIND=70000
expect 'sandboxer: not a variable of it' 125 'argument 1: FOO=1' "$reeve" policy import sandboxer FOO=1

# ---- bubblewrap
# compare NAME ARG... : the same attempts under bwrap and under the import of its command line
compare()
{
	local name=$1 theirs
	shift
	import -o "$policies/bwrap.toml" bwrap "$@" sh 2>/dev/null
	loads "bwrap: $name" "$policies/bwrap.toml"
	if ! bwrap --ro-bind / / true 2>/dev/null; then
		skip "bwrap: $name" 'bwrap: not installed, or it cannot make namespaces here'
		return
	fi
	make_tree
	# What is below a tmpfs can be made in it, and is gone afterwards: the import says that it differs.
	theirs=$(bwrap "$@" sh "$work/attempt.sh" "$tree" 2>&1 | sed 's/=lwm /=- /g')
	is "bwrap: $name" "$(under "$policies/bwrap.toml")" "$theirs"
}

base=(--ro-bind /usr /usr --ro-bind /etc /etc --proc /proc --dev /dev)
for link in bin lib lib64; do
	if [ -L "/$link" ]; then
		base+=(--symlink "$(readlink "/$link")" "/$link")
	elif [ -e "/$link" ]; then
		base+=(--ro-bind "/$link" "/$link")
	fi
done
base+=(--ro-bind "$work/attempt.sh" "$work/attempt.sh")
compare 'binds' "${base[@]}" --ro-bind "$tree/a" "$tree/a" --bind "$tree/b" "$tree/b" --ro-bind "$tree/b/deep" "$tree/b/deep"
compare 'a writable place in a read-only one' "${base[@]}" --ro-bind "$tree" "$tree" --bind "$tree/b" "$tree/b" \
	--bind-try "$tree/not-there" "$tree/not-there"
compare 'a tmpfs over a part' "${base[@]}" --bind "$tree" "$tree" --tmpfs "$tree/a" --ro-bind "$tree/a/deep" "$tree/a/deep"
compare 'a bind that is hidden by a later one' "${base[@]}" --bind "$tree/b/deep" "$tree/b/deep" --ro-bind "$tree/b" "$tree/b"
compare 'remounted' "${base[@]}" --bind "$tree/b" "$tree/b" --remount-ro "$tree/b" --bind "$tree/c" "$tree/c"
printf '%s\0' --bind "$tree/c" "$tree/c" >"$work/more"
import -o "$policies/fd.toml" bwrap "${base[@]}" --args 5 --ro-bind "$tree/a" "$tree/a" sh 5<"$work/more" 2>/dev/null
is 'bwrap: --args' "$(under "$policies/fd.toml")" 'a=rlx a/deep=rlx b=- b/deep=- c=rlwmx '
if have python3; then
	"$reeve" policy import -o "$policies/datagrams.toml" bwrap "${base[@]}" --bind "$tree" "$tree" sh 2>/dev/null
	expect 'bwrap: UNIX datagrams go where they may' 0 '^through$' "$reeve" run --quiet -p "$policies/datagrams.toml" -- python3 -c '
import socket, sys
one, other = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
one.bind(sys.argv[1] + "/datagrams")
other.sendto(b"through", one.getsockname())
print(one.recv(10).decode())' "$tree"
else
	skip 'bwrap: UNIX datagrams' 'python3: not installed'
fi
expect 'bwrap: no network' 0 '^family = \["unix",' "$reeve" policy import bwrap --ro-bind / / --unshare-net sh
expect '... but with it shared again' 0 '^deny = \["sysv_ipc"\]' "$reeve" policy import bwrap --ro-bind / / --unshare-all --share-net sh
lacks '... none is denied' handled_socket
expect 'bwrap: another name has no equivalent' 1 'argument 1: --ro-bind /etc /opt: no equivalent' "$reeve" policy import \
	--strict bwrap --ro-bind /etc /opt sh
expect 'bwrap: nor has a host name' 0 '^#   argument 4: --hostname x: ' "$reeve" policy import bwrap --ro-bind / / --hostname x sh
expect 'bwrap: what reeve does anyway' 0 '^#   argument 4: --new-session: ' "$reeve" policy import bwrap --ro-bind / / --new-session sh
expect 'bwrap: an unknown option' 125 'argument 1: unknown option --frobnicate' "$reeve" policy import bwrap --frobnicate sh
expect 'bwrap: a value is missing' 125 '--bind needs 2 values' "$reeve" policy import bwrap --bind /a

# ---- systemd
unit()
{
	printf '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n' >"$work/x.service"
	printf '%s\n' "$@" >>"$work/x.service"
	import -o "$policies/unit.toml" systemd "$work/x.service" 2>"$work/notes"
}
unit "ReadOnlyPaths=$tree/a" "ReadWritePaths=$tree/a/deep" "InaccessiblePaths=$tree/c" "NoExecPaths=$tree/b" \
	"ExecPaths=$tree/b/deep" "ReadWritePaths=-$tree/c"
loads 'systemd: paths' "$policies/unit.toml"
is 'systemd: paths' "$(under "$policies/unit.toml")" 'a=rlx a/deep=rlwmx b=rlwm b/deep=rlwmx c=- '
unit "ProtectSystem=strict" "ReadWritePaths=$tree/a $tree/b" "ReadOnlyPaths=$tree/b/deep" "ReadWritePaths=" "ReadWritePaths=$tree/b"
is 'systemd: strict; an empty assignment forgets' "$(under "$policies/unit.toml")" 'a=rlx a/deep=rlx b=rlwmx b/deep=rlx c=rlx '
unit "TemporaryFileSystem=$tree" "BindPaths=$tree/a" "BindReadOnlyPaths=$tree/b \\" "  $tree/c:/elsewhere" "ReadWritePaths=-$tree/c"
is 'systemd: binds in a hidden place' "$(under "$policies/unit.toml")" 'a=rlwmx a/deep=rlwmx b=rlx b/deep=rlx c=- '
expect '... another name has no equivalent' 0 'x.service:7: BindReadOnlyPaths=.*: no equivalent: .*another name' cat "$work/notes"
unit "PrivateNetwork=yes" "RestrictAddressFamilies=AF_UNIX AF_INET"
if have python3; then
	sockets='import socket
for family in "AF_UNIX", "AF_INET", "AF_NETLINK":
    try:
        socket.socket(getattr(socket, family), socket.SOCK_DGRAM if family == "AF_NETLINK" else socket.SOCK_STREAM)
        print(family, end=" ")
    except PermissionError:
        pass'
	is 'systemd: no network, and families' "$("$reeve" run --quiet -p "$policies/unit.toml" -- python3 -c "$sockets" 2>&1)" 'AF_UNIX '
	unit "RestrictAddressFamilies=~AF_NETLINK"
	is 'systemd: families that are not allowed' \
		"$("$reeve" run --quiet -p "$policies/unit.toml" -- python3 -c "$sockets" 2>&1)" 'AF_UNIX AF_INET '
	bind='import socket, sys
for port in map(int, sys.argv[1:]):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", port))
        print("bound", end=" ")
    except PermissionError:
        print("denied", end=" ")
    except OSError:
        print("bound", end=" ")'
	unit "SocketBindDeny=tcp:20000-20009" "SocketBindAllow=tcp:20005"
	is 'systemd: ports' "$("$reeve" run --quiet --degrade net.bind_udp -p "$policies/unit.toml" -- \
		python3 -c "$bind" 20000 20005 20009 20010 2>&1)" 'denied bound denied bound '
else
	skip 'systemd: sockets' 'python3: not installed'
fi
unit "IPAddressDeny=any" "IPAddressAllow=10.0.0.0/8 ::1"
expect 'systemd: addresses' 0 '"10\.0\.0\.0/8:0-65535"' cat "$policies/unit.toml"
is '... and no others' "$(grep -c '^address = ' "$policies/unit.toml")" 2
unit "IPAddressDeny=169.254.0.0/16"
expect 'systemd: all but some addresses' 0 '"169\.255\.0\.0/16:0-65535"' cat "$policies/unit.toml"
is '... allowed or denied as a unit would' "$(for address in 169.254.1.1 169.253.1.1 8.8.8.8 '[2001:db8::1]'; do
	"$reeve" explain -p "$policies/unit.toml" connect_tcp "$address:80" | sed -n '1s/:.*//p'
done | tr '\n' ' ')" 'denied allowed allowed allowed '
unit "User=www" "NoNewPrivileges=yes" "SystemCallFilter=@system-service" "Frobnicate=yes" "ProtectSystem=yes"
expect 'systemd: without an equivalent' 0 'x.service:5: User=www: no equivalent' cat "$work/notes"
expect '... system calls' 0 'x.service:7: SystemCallFilter=@system-service: no equivalent' cat "$work/notes"
expect '... what is not known' 0 'x.service:8: Frobnicate=yes: .*not known' cat "$work/notes"
expect '... in the policy too' 0 '^#   .*x.service:5: User=www' cat "$policies/unit.toml"
expect '... and what is always so' 0 '^#   .*x.service:6: NoNewPrivileges=yes: always so' cat "$policies/unit.toml"
expect '--strict' 1 'User=www' "$reeve" policy import --strict -o "$policies/strict.toml" systemd "$work/x.service"
[ -e "$policies/strict.toml" ]
report $? '--strict: the policy is written all the same'
printf '[Service]\nReadOnlyPaths=usr\n' >bad.service
expect 'systemd: a bad value' 125 'bad.service:2: ReadOnlyPaths=usr: expected absolute paths' "$reeve" policy import systemd bad.service
printf '[Service]\nProtectSystem=perhaps\n' >bad.service
expect 'systemd: a bad switch' 125 'bad.service:2: .*expected yes, no, full or strict' "$reeve" policy import systemd bad.service
printf '[Service]\nnonsense\n' >bad.service
expect 'systemd: not a unit' 125 'bad.service:2: "nonsense": expected' "$reeve" policy import systemd bad.service
printf '[Service]\nRestrictAddressFamilies=AF_X\n' >bad.service
expect 'systemd: a bad family' 125 'bad.service:2: .*expected names of socket families' "$reeve" policy import systemd bad.service
mkfifo fifo
expect 'systemd: a FIFO' 125 'fifo: not a regular file' "$reeve" policy import systemd fifo
expect 'systemd: no file' 125 'No such file' "$reeve" policy import systemd nothing.service

# ---- firejail
profile()
{
	printf '%s\n' "$@" >"$work/x.profile"
	import -o "$policies/firejail.toml" firejail "$work/x.profile" 2>"$work/notes"
}
# like_firejail NAME WANTED LINE... : as firejail does it where it runs, and as its manual says
like_firejail()
{
	local name=$1 wanted=$2
	shift 2
	profile "$@"
	loads "firejail: $name" "$policies/firejail.toml"
	is "firejail: $name" "$(under "$policies/firejail.toml")" "$wanted"
	if [ "$(id -u)" != 0 ] || ! firejail --noprofile --quiet true 2>/dev/null; then
		skip "firejail: $name, itself" 'firejail: not installed, or not usable here'
		return
	fi
	# Of what is blacklisted, root can list an empty directory.
	make_tree
	is "firejail: $name, itself" "$(firejail --quiet --profile="$work/x.profile" \
		sh "$work/attempt.sh" "$tree" 2>/dev/null | sed 's/=l /=- /g')" "$wanted"
}
like_firejail 'blacklist, read-only, noexec' 'a=- a/deep=- b=rlx b/deep=rlwmx c=rlwm ' "blacklist $tree/a" "read-only $tree/b" \
	"read-write $tree/b/deep" "noexec $tree/c"
like_firejail 'noblacklist' 'a=rlwmx a/deep=rlwmx b=- b/deep=- c=rlwmx ' "noblacklist $tree/a" "blacklist $tree/[ab]"
profile 'net none # nothing' 'protocol unix' 'nonewprivs' 'caps.drop all' "blacklist $tree/*" '?HAS_X11: blacklist /x' 'frobnicate' \
	'ignore noexec' "noexec $tree/a"
expect 'firejail: no network' 0 '^family = \["unix"\]$' cat "$policies/firejail.toml"
expect 'firejail: a pattern' 0 "$tree/b\"" cat "$policies/firejail.toml"
expect 'firejail: without an equivalent' 0 'x.profile:4: caps.drop all: no equivalent' cat "$work/notes"
expect '... conditions' 0 'x.profile:6: .HAS_X11: blacklist /x: no equivalent' cat "$work/notes"
expect '... what is not known' 0 'x.profile:7: frobnicate: no equivalent: .*not known' cat "$work/notes"
expect 'firejail: ignored' 0 'x.profile:9: noexec .*: ignored by the profile' cat "$policies/firejail.toml"
printf 'include other.inc\n' >"$work/x.profile"
expect 'firejail: a file that is not there' 0 'other.inc: no equivalent: .*not found' "$reeve" policy import -o "$policies/x.toml" firejail "$work/x.profile"
mkdir -p "$HOME/.config/firejail"
printf 'blacklist %s/c\ninclude y.profile\n' "$tree" >"$HOME/.config/firejail/y.profile"
printf 'include y.profile\n' >"$work/x.profile"
expect 'firejail: files that include one another' 125 'include one another' "$reeve" policy import firejail "$work/x.profile"
expect 'firejail: a bad protocol' 125 'expected unix, inet' bash -c 'echo "protocol foo" >bad.profile; "$1" policy import firejail bad.profile' - "$reeve"
profile "whitelist \${HOME}/kept" "mkdir \${HOME}/kept"
mkdir -p "$HOME/kept" "$HOME/other"
echo kept >"$HOME/kept/file"
echo other >"$HOME/other/file"
is 'firejail: whitelist' "$("$reeve" run --quiet -p "$policies/firejail.toml" -- \
	sh -c 'cat ~/kept/file; echo more >>~/kept/file && cat ~/other/file; ls ~' 2>/dev/null)" kept
is '... and it was written' "$(tail -n 1 "$HOME/kept/file")" more

# ---- the output
expect 'no format' 125 'say which FORMAT' "$reeve" policy import
expect 'an unknown format' 125 'unknown format frob' "$reeve" policy import frob
expect '-o: a directory that is not there' 125 '-o: /nonexistent/x: No such file' "$reeve" policy import -o /nonexistent/x landrun --ro /etc ls
ln -s old "$policies/link"
for odd in fifo "$policies/link" "$policies"; do
	expect "-o: $(stat -c %F "$odd")" 125 'not a regular file' "$reeve" policy import -o "$odd" landrun --ro /etc ls
done
echo old >"$policies/old"
expect 'a failure' 125 'unknown option' "$reeve" policy import -o "$policies/old" landrun --frobnicate ls
is '... leaves the file alone' "$(cat "$policies/old")" old
is 'no file is left beside it' "$(find "$policies" -name '*.??????' ! -name '*.toml' | wc -l)" 0
mkdir "$work/"$'odd\xff'
expect 'a name that is not UTF-8' 125 'odd.xff: not UTF-8' "$reeve" policy import landrun --ro "$work/"$'odd\xff' ls
mkdir "$work/"$'line\nbreak "$x'
import -o "$policies/odd.toml" landrun --ro "$work/"$'line\nbreak "$x' ls 2>/dev/null
loads 'a name with everything' "$policies/odd.toml"
expect '... means it' 0 '^allowed' "$reeve" explain -p "$policies/odd.toml" read_dir "$work/"$'line\nbreak "$x'
finish
