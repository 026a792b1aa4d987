#!/usr/bin/env bash
# Builds the libFuzzer targets with clang and its sanitizers, and runs each for some seconds from its
# corpus in fuzz/corpus. One line for each target; what a crash said and the input that made it
# follow the line. Exits 1 if anything crashed, leaked or hung, 125 if it cannot build.
#
#	tools/fuzz.sh SECONDS [TARGET...]
#
# BUILD=DIR           where to build and keep what the fuzzer learnt (/tmp/reeve-fuzz-UID)
# FUZZ_MAX_LEN=BYTES  longest input (4096)
set -uo pipefail

seconds=${1:-}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
	echo "usage: tools/fuzz.sh SECONDS [TARGET...]" >&2
	exit 125
fi
shift
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-/tmp/reeve-fuzz-$(id -u)}
cc=$(command -v clang-14 || command -v clang) || { echo "fuzz.sh: no clang" >&2; exit 125; }

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
	# What fuzz/meson.build builds: a source that is not listed there is not a target.
	for source in "$root"/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		name=${name#fuzz_}
		grep -q "^  '$name',\$" "$root/fuzz/meson.build" && targets+=("$name")
	done
fi

build_targets()
{
	# Without the link check: only the targets have the fuzzer's runtime, not the library.
	if [ ! -f "$build/build.ninja" ]; then
		CC=$cc meson setup "$build" "$root" -Dfuzz=true -Dbuildtype=debugoptimized \
			-Db_sanitize=address,undefined -Db_lundef=false -Ddefault_library=both \
			-Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION' || return
	fi
	ninja -j2 -C "$build" "${targets[@]/#/fuzz/fuzz_}"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! build_targets >"$log" 2>&1; then
	tail -n 40 "$log"
	echo "fuzz.sh: cannot build ${targets[*]}" >&2
	exit 125
fi

failed=0
for target in "${targets[@]}"; do
	learnt=$build/learnt/$target
	mkdir -p "$learnt" "$root/fuzz/corpus/$target"
	dictionary=()
	[ -f "$root/fuzz/$target.dict" ] && dictionary=("-dict=$root/fuzz/$target.dict")
	if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len="${FUZZ_MAX_LEN:-4096}" \
		-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/$target-" \
		"${dictionary[@]}" "$learnt" "$root/fuzz/corpus/$target" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok fuzz_$target: ${runs:-?} runs in $seconds s"
	else
		failed=1
		echo "not ok fuzz_$target: $(grep -m 1 -E 'ERROR|SUMMARY|runtime error' "$log")"
		sed 's/^/  /' "$log" | tail -n 60
	fi
done
exit $failed
