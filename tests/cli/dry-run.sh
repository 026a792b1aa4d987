#!/usr/bin/env bash
# `reeve run --dry-run`: what would be enforced, by whom, and where each rule comes from.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

mkdir sub
cat >policy.toml <<'END'
abi = 1
[[ruleset]]
handled_access_fs = ["read_file", "read_dir", "execute"]
[[path_beneath]]
allowed_access = ["read_file"]
parent = ["sub"]
END

# ---- the whole, for a policy that is the same everywhere
cat >wanted <<'END'
Command echo a b

Enforced by
 Landlock fs.execute, fs.read_file, fs.read_dir, no_new_privs
 seccomp guard.arch, guard.tty
 reeve file descriptors above 2 are closed, unless kept by --keep-fd

Handled (denied unless a rule below grants it; scopes have no exceptions)
 fs execute, read_file, read_dir
 net nothing: everything is allowed
 socket nothing: everything is allowed
 scopes nothing: everything is allowed

Files and directories
 @/sub read_file ./policy.toml:6
 @/sub rx --rx sub

Where, as far as it is handled:
 ro read_file, read_dir
 rx execute, read_file, read_dir
 rw read_file, read_dir
 rwx execute, read_file, read_dir

seccomp filter of N instructions; -v lists them
END
shown=$("$reeve" run --static -p ./policy.toml --rx sub --dry-run -- echo 'a b' |
	sed -E "s,$PWD,@,g; s/  +/ /g; s/of [0-9]+ instr/of N instr/")
# Where the kernel does not set no_new_privs itself, it is another line's.
is 'a small policy in full' "$(sed 's/, no_new_privs//' <<<"$shown")" \
	"$(sed 's/, no_new_privs//' wanted)"

expect 'supervised: signals stay inside' 0 'Landlock .*scope.signal' \
	"$reeve" run -p ./policy.toml --dry-run
expect 'supervised: events' 0 '^  supervisor +events$' "$reeve" run -p ./policy.toml --dry-run
expect '--events none' 0 'Enforced' "$reeve" run -p ./policy.toml --events none --dry-run
lacks '--events none: no events' '^  supervisor'
expect 'nothing is run' 0 'Enforced' "$reeve" run -p ./policy.toml --dry-run -- touch touched
is 'nothing was run' "$(ls touched 2>&1 | grep -c 'No such')" 1
expect 'without a command' 0 'Enforced' "$reeve" run -p ./policy.toml --dry-run
expect 'a command is escaped' 0 'Command .*\\x1b' "$reeve" run -p ./policy.toml --dry-run -- $'\e[31m'
expect '-v: the filter' 0 '(ret|RET|return)' "$reeve" run -p ./policy.toml --dry-run -v
expect '-v: rights in full' 0 'sub .*execute, read_file' \
	"$reeve" run -p ./policy.toml --rx sub --dry-run -v

# ---- refused: everything is printed, and 125
expect 'refused' 125 '^hint: .*--degrade deny_inside' \
	"$reeve" run -p ./policy.toml --static --ro . --deny sub --dry-run
expect 'refused: still printed' 125 'nobody can enforce it here' \
	"$reeve" run -p ./policy.toml --static --ro . --deny sub --dry-run
lacks 'refused: not among what is enforced' '(Landlock|seccomp|supervisor) .*deny_inside'
expect 'refused: and the rest too' 125 '^Files and directories' \
	"$reeve" run -p ./policy.toml --static --ro . --deny sub --dry-run
expect 'given up by name' 0 'given up by name' \
	"$reeve" run -p ./policy.toml --static --ro . --deny sub --degrade deny_inside --dry-run
expect 'the default policy' 0 'profile base:[0-9]' "$reeve" run --dry-run
expect 'the default policy: sockets' 0 'unix:any:any .*profile workspace' "$reeve" run --dry-run
expect 'ports and their sockets' 0 '^  443 .*connect_tcp .*--connect-tcp 443' \
	"$reeve" run --connect-tcp 443 --dry-run
expect 'ports and their sockets' 0 '^  inet6:stream:0 .*--connect-tcp 443' \
	"$reeve" run --connect-tcp 443 --dry-run
finish
