#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the examples, in the order of meson.build.
set -u
restrict_self=$1 exec_policy=$2 explain=$3 supervisor=$4 approver=$5 plugin_host=$6 mutable_domain=$7
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
number=0

# check NAME EXIT-CODE TEXT COMMAND...
check() {
	local name=$1 code=$2 text=$3 output got
	shift 3
	output=$("$@" 2>&1)
	got=$?
	number=$((number + 1))
	if [ $got = "$code" ] && [[ $output == *"$text"* ]]; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		echo "# exit code $got, wanted $code; \"$text\" in:"
		echo "${output//$'\n'/$'\n'# }" | sed '1s/^/# /'
	fi
}

mkdir "$dir/in" "$dir/out"
echo text >"$dir/in/file"
echo text >"$dir/out/file"
cat >"$dir/policy.toml" <<EOF
abi = 1
[[ruleset]]
handled_access_fs = ["abi.all"]
[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["/usr", "/lib", "/bin", "/etc", "$dir/in"]
[[path_beneath]]
allowed_access = ["read_file", "write_file"]
parent = ["/dev/null"]
EOF

echo 1..18
check 'restrict_self: granted' 0 "in/file: can be read" "$restrict_self" "$dir/in" "$dir/in/file"
check 'restrict_self: denied' 0 'Permission denied' "$restrict_self" "$dir/in" "$dir/out/file"
check 'restrict_self: an error names the path' 1 '/nonexistent' "$restrict_self" /nonexistent
check 'exec_policy: runs' 7 text "$exec_policy" "$dir/policy.toml" \
	sh -c "cat $dir/in/file; exit 7"
check 'exec_policy: denies' 1 'Permission denied' "$exec_policy" "$dir/policy.toml" \
	cat "$dir/out/file"
check 'exec_policy: not found' 127 'not found' "$exec_policy" "$dir/policy.toml" no-such-program
check 'explain: allowed, by which line' 0 'policy.toml:6' \
	"$explain" "$dir/policy.toml" read_file "$dir/in/file"
check 'explain: denied' 1 'denied' "$explain" "$dir/policy.toml" write_file "$dir/in/file"
check 'explain: not handled' 0 'not handle' "$explain" "$dir/policy.toml" truncate /etc

check 'supervisor: the exit code is the program'"'"'s' 7 text \
	"$supervisor" "$dir/policy.toml" sh -c "cat $dir/in/file; exit 7"
check 'supervisor: says what is denied' 1 "$dir/out/file" \
	"$supervisor" "$dir/policy.toml" cat "$dir/out/file"
check 'approver: allows' 0 text "$approver" "$dir/policy.toml" "$dir/out" cat "$dir/out/file"
check 'approver: denies' 1 'denied' "$approver" "$dir/policy.toml" "$dir/in" cat "$dir/out/file"
check 'approver: reading is not writing' 2 'denied' \
	"$approver" "$dir/policy.toml" "$dir/out" sh -c "echo >$dir/out/file"

cat >"$dir/in/plugin" <<EOF
#!/bin/sh
read word <&3
echo "\$word: \$(cat $dir/in/file) \$(cat $dir/out/file 2>&1)" >&3
EOF
chmod +x "$dir/in/plugin"
check 'plugin_host: a plugin answers' 0 'plugin: go: text' \
	"$plugin_host" "$dir/in" "$dir/in/plugin"
check 'plugin_host: and reads nothing else' 0 'Permission denied' \
	"$plugin_host" "$dir/in" "$dir/in/plugin" "$dir/in/plugin"
check 'plugin_host: no such plugin' 125 'cannot be executed' "$plugin_host" "$dir/in" "$dir/out/none"

# Changed while it runs: `go` lets the program try, a line on standard input changes the rules.
mutable() {
	mkfifo "$dir/input" "$dir/go" "$dir/output"
	exec 7<>"$dir/input" 8<>"$dir/go" 9<>"$dir/output"
	"$mutable_domain" "$dir/out" sh -c \
		'while read -r go && [ "$go" = go ]; do cat "$1" 2>&1; done <&8' - "$dir/out/file" \
		<"$dir/input" >&9 2>&1 7>&- 9>&- &
	local program=$! step line got=
	for step in go change go change go; do
		if [ $step = go ]; then echo go >&8; else echo >&7; fi
		read -r -t 20 line <&9
		got+=" ${line##*: }"
	done
	echo end >&8
	exec 7>&-
	wait $program
	echo "exit $?:$got"
}
check 'mutable_domain: denied, granted, revoked' 0 \
	'exit 1: Permission denied granted text revoked Permission denied' mutable
