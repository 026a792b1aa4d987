#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the examples: test.sh RESTRICT_SELF EXEC_POLICY EXPLAIN
set -u
restrict_self=$1 exec_policy=$2 explain=$3
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

echo 1..9
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
