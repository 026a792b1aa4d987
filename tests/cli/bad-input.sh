#!/usr/bin/env bash
# What can be wrong with a policy: a message that names it, and the exit code, of `run` and of
# `policy check`.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
needs_abi 7

# bad NAME CHECK-STATUS PATTERN TEXT : the text as bad.toml.
bad()
{
	printf '%b' "$4" >bad.toml
	expect "$1: run" 125 "$3" "$reeve" run -p ./bad.toml -- true
	expect "$1: policy check" "$2" "$3" "$reeve" policy check bad.toml
	expect "$1: explain" 125 "$3" "$reeve" explain -p ./bad.toml read /
}
ruleset='[[ruleset]]\nhandled_access_fs = ["read_file"]\n'
rule='[[path_beneath]]\nallowed_access = ["read_file"]\nparent = '

bad 'an unknown key' 1 'bad\.toml:1: .*nonsense' 'nonsense = 1\n'
bad 'an unknown key in a table' 1 'bad\.toml:3: .*parnet' "[[path_beneath]]\nallowed_access = [\"read_file\"]\nparnet = [\"/\"]\n"
bad 'a key nearly right: a hint' 1 '^hint: .*parent' "[[path_beneath]]\nallowed_access = [\"read_file\"]\nparnet = [\"/\"]\n"
bad 'a wrong type' 1 'bad\.toml:1: abi: .*integer' 'abi = "7"\n'
bad 'a wrong type in an array' 1 'bad\.toml:2: .*handled_access_fs.*string' '[[ruleset]]\nhandled_access_fs = [1]\n'
bad 'a duplicate key' 1 'bad\.toml:2:1: .*abi' 'abi = 1\nabi = 2\n'
bad 'a bad escape' 1 'bad\.toml:1:[0-9]+: .*q' 'tmpdir = "\\q"\n'
bad 'an unknown right' 1 'bad\.toml:2: .*read_fiel' '[[ruleset]]\nhandled_access_fs = ["read_fiel"]\n'
bad 'a group without abi' 1 'bad\.toml:2: .*abi' '[[ruleset]]\nhandled_access_fs = ["abi.all"]\n'
bad 'an abi that is too new' 1 'bad\.toml:1: abi: ' 'abi = 99\n'
bad 'the other spelling' 1 'bad\.toml:2: .*handledAccessFs' '[[ruleset]]\nhandledAccessFs = ["read_file"]\n'
bad 'an undefined variable' 1 'bad\.toml:5: .*NONSENSE' "$ruleset$rule[\"\${NONSENSE}/x\"]\n"
bad 'a path with NUL' 1 'bad\.toml:5: ' "$ruleset$rule[\"/a\\\\u0000b\"]\n"
bad 'port 70000' 1 'bad\.toml:3: .*70000.*65535' '[[net_port]]\nallowed_access = ["bind_tcp"]\nport = [70000]\n'
bad 'an empty ruleset' 1 '.' '# nothing\n'
bad 'not UTF-8' 1 'bad\.toml:1:[0-9]+: .*UTF-8' 'tmpdir = "\xff"\n'
long=/$(head -c 5000 /dev/zero | tr '\0' a)
printf '%b["%s"]\n' "$ruleset$rule" "$long" >bad.toml
expect 'a path that is too long: run' 125 'bad\.toml:5: .*4096 bytes' "$reeve" run -p ./bad.toml -- true
expect 'a path that is too long: policy check' 1 'bad\.toml:5: .*4096 bytes' \
	"$reeve" policy check bad.toml
bad_rule="$ruleset$rule[\"/nonsense\"]\n"
printf '%b' "$bad_rule" >bad.toml
expect 'a missing path: run' 125 'bad\.toml:5: .*/nonsense.*No such file' "$reeve" run -p ./bad.toml -- true
expect 'a missing path: the way out' 125 '^hint: .*missing = ' "$reeve" run -p ./bad.toml -- true
expect 'a missing path is no error elsewhere' 0 'valid' "$reeve" policy check bad.toml

# ---- a cycle
echo 'extends = ["./b.toml"]' >a.toml
echo 'extends = ["./a.toml"]' >b.toml
expect 'a cycle: run' 125 'cycle.*a\.toml.*b\.toml' "$reeve" run -p ./a.toml -- true
expect 'a cycle: policy check' 1 'cycle' "$reeve" policy check a.toml
echo 'extends = ["nonsense"]' >a.toml
expect 'an unknown profile is extended' 125 'a\.toml:1: .*nonsense' "$reeve" run -p ./a.toml -- true

# ---- JSON
echo '{"abi": 1, "abi": 2}' >bad.json
expect 'JSON: a duplicate key' 1 'bad\.json:1:[0-9]+: .*abi' "$reeve" policy check bad.json
echo '{"ruleset": [{"handled_access_fs": ["read_file"]}]}' >bad.json
expect 'JSON: the other spelling' 1 'handledAccessFs' "$reeve" policy check bad.json
echo '{"abi": 1' >bad.json
expect 'JSON: cut off' 1 'bad\.json:' "$reeve" policy check bad.json

# ---- files that are none
expect 'a missing file' 125 'nonsense\.toml.*No such file' "$reeve" run -p nonsense.toml -- true
expect 'a missing file: policy check' 125 'No such file' "$reeve" policy check ./nonsense.toml
expect 'a missing profile' 125 'no profile "nonsense".*workspace' "$reeve" run -p nonsense -- true
mkfifo fifo.toml
expect 'a FIFO' 125 'fifo\.toml.*not a regular file' timeout 20 "$reeve" run -p ./fifo.toml -- true
expect 'a FIFO: policy check' 125 'not a regular file' timeout 20 "$reeve" policy check fifo.toml
expect 'a directory' 125 'directory' "$reeve" policy check .
truncate -s 1G huge.toml
expect '1 GB' 125 'huge\.toml.*64 MiB' timeout 60 "$reeve" run -p ./huge.toml -- true
expect '1 GB: policy check' 125 '64 MiB' timeout 60 "$reeve" policy check huge.toml
expect '1 GB on standard input' 125 '64 MiB' bash -c 'timeout 60 "$1" run -p - -- true <huge.toml' - "$reeve"
touch unreadable.toml && chmod 0 unreadable.toml
if [ "$(id -u)" = 0 ]; then
	skip 'an unreadable file' 'root: reads every file'
else
	expect 'an unreadable file' 125 'unreadable\.toml.*Permission denied' \
		"$reeve" run -p ./unreadable.toml -- true
	expect 'an unreadable file: policy check' 125 'Permission denied' \
		"$reeve" policy check unreadable.toml
fi
expect 'the worst of several' 125 '' "$reeve" policy check bad.toml nonsense.toml bad.json
expect 'a name is escaped' 125 'a\\x1bb' "$reeve" policy check $'./a\eb.toml'

# ---- flags
expect 'port 70000 as a flag' 125 '^reeve: --connect-tcp "70000": expected a port' \
	"$reeve" run --connect-tcp 70000 -- true
expect 'ports with a comma between: a hint' 125 '^hint: .*several times' "$reeve" run --connect-tcp 80,443 -- true
expect 'paths with a comma between: a hint' 125 '^hint: .*several times' "$reeve" run --ro /usr,/etc -- true
expect 'a tilde that no shell expanded: a hint' 125 '^hint: .*\$\{HOME\}' "$reeve" run '--ro=~/data' -- true
expect 'a denial of what no shell expanded is none' 125 '^hint: .*\$\{HOME\}' "$reeve" run '--deny=~/data' -- true
printf '%b' "$ruleset$rule[\"~/data\"]\n" >bad.toml
expect 'a tilde in a file: a hint' 125 '^hint: .*\$\{HOME\}' "$reeve" run -p ./bad.toml -- true
expect 'the name of a service: a hint' 125 '^hint: /etc/services' "$reeve" run --connect-tcp https -- true
for port in x 1-0 -1 443- '' ' 1' 0x10 '10.0.0.0/33:1' '[::1:1'; do
	expect "--bind-tcp '$port'" 125 '^reeve: ' "$reeve" run "--bind-tcp=$port" -- true
done
for socket in x '' inet:x inet:stream:x inet:stream:0:0 any 300; do
	expect "--socket '$socket'" 125 '^reeve: --socket' "$reeve" run "--socket=$socket" -- true
done
expect '--ro of nothing' 125 'expected a path' "$reeve" run --ro '' -- true
expect '--ro of what is missing' 125 'No such file' "$reeve" run --ro ./nonsense -- true
expect '--ro of a path that is too long' 125 'too long' "$reeve" run --ro "$long" -- true
expect '--ro of an undefined variable' 125 'NONSENSE' "$reeve" run --ro '${NONSENSE}' -- true
expect '--ro through a loop' 125 'symbolic links' \
	bash -c 'ln -s loop loop; "$1" run --ro loop -- true' - "$reeve"
expect 'a missing program' 127 '^reeve: .*nonsense-program' "$reeve" run -- nonsense-program

# ---- where workspace does not start
cd / || exit 1
expect 'workspace in /' 125 'working directory' "$reeve" run -- true
expect 'workspace in /: the way out' 125 '^hint: .*--rw DIR' "$reeve" run -- true
cd "$HOME" || exit 1
expect 'workspace in $HOME' 125 'working directory' "$reeve" run -- true
cd "$HOME/.." || exit 1
expect 'workspace above $HOME' 125 'working directory' "$reeve" run -- true
expect 'another profile there' 0 '' "$reeve" run -p none "${system[@]}" -- true
finish
