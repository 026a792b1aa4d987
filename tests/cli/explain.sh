#!/usr/bin/env bash
# `reeve explain`: the answer, its origin, the way out; and that `run` behaves so.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

mkdir -p "$work/data/sub"
echo x >"$work/data/file"
ln -s file "$work/data/link"
ln -s nowhere "$work/data/dangling"
cat >policy.toml <<END
abi = 7
[[ruleset]]
handled_access_fs = ["abi.all"]
handled_access_net = ["connect_tcp"]
handled_socket = ["create"]
[[path_beneath]]
allowed_access = ["read_file", "read_dir"]
parent = ["$work/data"]
[[net_port]]
allowed_access = ["connect_tcp"]
port = ["8000-8010"]
[[socket]]
allowed_access = ["create"]
family = ["inet"]
type = ["stream"]
[[ruleset]]
scoped = ["signal"]
END
explain=("$reeve" explain -p ./policy.toml)
data=$work/data

expect 'allowed: by which line of which file' 0 'read_file: rule on .*/data, ./policy.toml:8' \
	"${explain[@]}" read_file "$data/file"
expect 'the full name' 0 '^allowed: fs.read_file on' "${explain[@]}" fs.read_file "$data/file"
expect 'denied: what is missing' 1 'missing: write_file' "${explain[@]}" write_file "$data/file"
expect 'denied: the nearest rule' 1 'nearest rule: .*/data .*policy.toml:8' \
	"${explain[@]}" write_file "$data/file"
expect 'denied: the flag' 1 "to allow it: --rw $data/file" "${explain[@]}" write_file "$data/file"
expect 'the flag allows it' 0 '^allowed' "${explain[@]}" --rw "$data/file" write_file "$data/file"
expect 'a flag is an origin' 0 'rule on .*, --rw ' \
	"${explain[@]}" --rw "$data/file" write_file "$data/file"
expect 'no rule at all' 1 'no rule is on it, or above it' "${explain[@]}" read_file /etc/passwd
expect 'read of a file' 0 'read_file: ' "${explain[@]}" read "$data/file"
expect 'read of a directory' 0 'read_dir: ' "${explain[@]}" read "$data"
expect 'write of a file' 1 'missing: write_file, truncate' "${explain[@]}" write "$data/file"
expect 'write of a directory' 1 'missing: .*make_reg' "${explain[@]}" write "$data/sub"
expect 'write of what is not there' 1 'missing: .*make_reg' "${explain[@]}" write "$data/new"
expect 'write of what is not there: the flag' 1 "to allow it: --rw $data\$" \
	"${explain[@]}" write "$data/new"
expect 'execute' 1 "to allow it: --rx $data/file" "${explain[@]}" execute "$data/file"
expect 'through a symbolic link' 0 "on $data/file" "${explain[@]}" read "$data/link"
expect 'through a dangling one' 1 "on $data/nowhere" "${explain[@]}" write "$data/dangling"
expect 'relative' 0 "on $data/file" "${explain[@]}" read ../data/./file
expect 'make_dir is judged at the directory' 1 "to allow it: --rw $data\$" \
	"${explain[@]}" make_dir "$data/d"
expect 'remove_dir, too' 1 "to allow it: --rw $data\$" "${explain[@]}" remove_dir "$data/sub"
expect 'not handled' 0 'not handled by the policy' "${explain[@]}" bind_tcp 1
expect '/' 1 'on /$' "${explain[@]}" read /

expect 'a port' 0 'rule on 8000-8010, ./policy.toml:11' "${explain[@]}" connect_tcp 8005
expect 'another' 1 'to allow it: --connect-tcp 443' "${explain[@]}" net.connect_tcp 443
expect 'an address' 0 '^allowed: net.connect_tcp on 127.0.0.1:8000' \
	"${explain[@]}" connect_tcp 127.0.0.1:8000
expect 'an address rule' 0 'address rule on 10\.0\.0\.0/8:1, --connect-tcp' \
	"${explain[@]}" --connect-tcp 10.0.0.0/8:1 connect_tcp 10.1.2.3:1
expect 'an address that no rule has' 1 'denied' \
	"${explain[@]}" --connect-tcp 10.0.0.0/8:1 connect_tcp 11.1.2.3:1
expect 'a port, where only addresses have rules' 1 'address rule on 10\.0\.0\.0/8:1' \
	"${explain[@]}" --connect-tcp 10.0.0.0/8:1 connect_tcp 1
expect 'an IPv6 address' 1 'to allow it: --connect-tcp \[2001:db8::1\]:443' "${explain[@]}" connect_tcp '[2001:db8::1]:443'
expect 'no more than that address' 1 'address = \["127.0.0.1:80"\]' "${explain[@]}" connect_tcp 127.0.0.1:80
expect 'a file for a domain' 125 'name a policy with -p' "$reeve" explain ./policy.toml read /
expect 'a socket' 0 'rule on inet:stream:any, ./policy.toml:1' "${explain[@]}" socket.create inet
expect 'another' 1 'to allow it: --socket unix:dgram:0' "${explain[@]}" create unix:dgram
expect 'a guard' 1 'evade connect_tcp' "${explain[@]}" create inet:stream:mptcp
expect 'a guard: named' 0 '^allowed' \
	"${explain[@]}" --socket inet:stream:mptcp create inet:stream:mptcp
expect 'a scope' 1 'scoped by the policy' "${explain[@]}" signal
expect 'a scope that is not set' 0 '--scope abstract_unix_socket' \
	"${explain[@]}" scope.abstract_unix_socket
expect 'an exception' 1 'denied inside what is granted, by --deny' \
	"${explain[@]}" --deny "$data/sub" read "$data/sub"
lacks 'an exception: no flag' 'to allow it'
if enforced scope.pathname_unix_socket; then
	expect 'a UNIX socket' 1 '--unix' "$reeve" explain resolve_unix "$data/file"
else
	expect 'a UNIX socket: given up here' 0 'gives it up' "$reeve" explain resolve_unix "$data/file"
fi

# ---- usage
expect 'no operands' 125 'say ACCESS and OBJECT' "$reeve" explain
expect 'no object' 125 'needs an OBJECT: a path' "$reeve" explain read
expect 'an unknown access' 125 'unknown access reed' "$reeve" explain reed /
expect 'an access nearly right' 125 'did you mean read_file' "$reeve" explain read_fiel /
expect 'a missing directory' 125 'No such file' "$reeve" explain read /nonsense/file
expect 'an empty path' 125 'No such file' "$reeve" explain read ''
expect 'no directory' 125 'Not a directory' "$reeve" explain read "$data/file/x"
for port in 70000 x '' -1 1.2.3:1 ::1:1 1.2.3.4.5:1; do
	expect "port '$port'" 125 'expected|needs' "${explain[@]}" -- connect_tcp "$port"
done
expect 'a wrong socket' 125 '--socket "nonsense"' "${explain[@]}" create nonsense

# ---- what explain says, run does
agree() # STATUS-OF-EXPLAIN ACCESS PATH COMMAND...
{
	local wanted=$1 access=$2 path=$3 said
	shift 3
	"$reeve" explain "${system[@]}" -p ./policy.toml "$access" "$path" >/dev/null 2>&1
	said=$?
	"$reeve" run "${system[@]}" -p ./policy.toml -- "$@" >/dev/null 2>&1
	is "run agrees: $access ${path##*/}" "$said $(($? != 0))" "$wanted $wanted"
}
agree 0 read "$data/file" cat "$data/file"
agree 1 write "$data/file" sh -c "echo x >$data/file"
agree 0 read "$data" ls "$data"
agree 1 make_dir "$data/new" mkdir "$data/new"
agree 1 remove_file "$data/file" rm -f "$data/file"
agree 1 read /proc/self/status cat /proc/self/status

# ---- the rule that would allow it: as TOML, it does
for access in "read_file /etc/passwd" "write $data/new" "connect_tcp 443" "socket.create inet6:dgram"; do
	{
		sed -n 1,5p policy.toml
		"${explain[@]}" $access | sed -n 's/^      //p'
	} >allowed.toml
	expect "the rule in a policy file allows $access" 0 '^allowed: ' "$reeve" explain -p ./allowed.toml $access
done
expect 'what is denied has no such rule' 1 'no flag gives that back' "${explain[@]}" --ro "$data" --deny "$data/sub" read "$data/sub"
lacks '... indeed' 'to allow it'

# ---- the policy's own file
cp policy.toml own.toml
expect 'a policy file is never writable' 1 'own.toml is denied inside what is granted, by loaded policy files' \
	"$reeve" explain -p ./own.toml --rw . write own.toml
expect '... but can be read' 0 '^allowed' "$reeve" explain -p ./own.toml --rw . read own.toml
expect '... as another file can be written' 0 '^allowed' "$reeve" explain -p ./own.toml --rw . write policy.toml
expect '... and policy show says so' 0 '^Denied for writing, though granted: loaded policy' "$reeve" policy show -p ./own.toml --rw .
expect '... where it is so' 0 'Handled' "$reeve" policy show -p ./own.toml
lacks '... and else not' 'Denied for writing'

# ---- usage
expect '--denied with a policy' 125 'no policy, no rules' "$reeve" explain --denied -p none
expect 'a domain with a policy' 125 'no policy, no rules' "$reeve" explain --domain x -p none read /
expect 'no such domain' 1 'no running domain' "$reeve" explain no-such-domain read /
finish
