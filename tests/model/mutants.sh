#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does the property test notice faults? Each mutant below is one line of the model changed by sed
# in a copy; the property test, linked with it, must find a disagreement with the kernel. A mutant
# that survives, or whose line is no longer there, is a failure.
#
# usage: mutants.sh SOURCE-ROOT CC...
set -u
root=$1
shift
cc=("$@")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cases=800
flags=(-std=gnu11 -D_GNU_SOURCE -O1 -w "-I$root/include" "-I$root/lib" "-I$root/tests")

# file | least Landlock ABI that shows it | what is wrong | sed expression
mutants=$(cat <<'LIST'
decide.c|2|refer is denied only where it is handled|s/implied = .*;/implied = 0;/
decide.c|1|only the innermost layer counts|/^void rv_restrictions_on_path/,/^}/s/layer = layer->parent/layer = NULL/
decide.c|1|layers are or-ed instead of and-ed|/^void rv_decide_restrictions/,/^}/s/continue;/return;/
decide.c|1|what one layer grants counts for the outer ones|s/missing\[layer->depth - 1\] = restricted & want & ~grant.allowed;/missing[layer->depth - 1] = (want \&= ~grant.allowed) \& restricted;/
decide.c|1|unhandled rights are denied|s/missing\[layer->depth - 1\] = restricted & want & ~grant.allowed;/missing[layer->depth - 1] = want \& ~grant.allowed;/
decide.c|1|the live part grants no path|/grant_on_path/,/^}/s/if (!layer->live)/if (true)/
decide.c|4|unhandled net rights are denied|/^static void decide_by/,/^}/s/layer->static_part->handled.of\[cls\] & want/want/
lookup.c|1|the walk ends early|/^struct rv_grant rv_ruleset_path/,/^}/s/for (; walk.length; /for (; walk.length > rv_path_parent(path, rv_path_parent(path, length)); /
lookup.c|1|rules on the object itself do not count|/^struct rv_grant rv_ruleset_path/,/^}/s/rv_path_walk_begin(path, length)/rv_path_walk_begin(path, self_only ? length : rv_path_parent(path, length))/
lookup.c|1|only the deepest rules count|s/grant->allowed |= allowed & ~\*denied;/grant->allowed = grant->allowed ? grant->allowed : allowed;/
lookup.c|1|several rules on one object do not add up|/^static void add_node/,/^}/s/allowed |= rule->allowed;/allowed = rule->allowed;/
path_index.c|1|the hash of a parent is wrong|s/walk->hash = hash_undo(walk->hash, /walk->hash = hash_add(walk->hash, /
refer.c|2|a gain is looked for in the wrong direction|/^static bool decide_layer/,/^}/s/gain = gained(old, new, layer);/gain = gained(new, old, layer);/
refer.c|2|exchange is checked in one direction only|s/gain |= gained(new, old, layer);/gain |= 0;/
refer.c|2|EXDEV comes before EACCES|s/if (missing & ~REEVE_FS_REFER)/if (missing \&\& !(missing \& REEVE_FS_REFER))/
refer.c|2|rules on the moved object do not count|s/denied = from->parent.missing\[layer\] & from->self.missing\[layer\];/denied = from->parent.missing[layer];/
refer.c|2|directory rights count for files as well|s/return from->is_dir ? gain : gain & REEVE_FS_FILE_RIGHTS;/return gain;/
refer.c|2|the source need not grant refer|s/old->request |= REEVE_FS_REFER;/;/
refer.c|2|the destination need not grant refer|s/new->request |= REEVE_FS_REFER;/;/
refer.c|1|renaming a pipe asks for the right to make sockets|s/return REEVE_FS_MAKE_FIFO;/return REEVE_FS_MAKE_SOCK;/
refer.c|1|what is replaced need not be removable|s/new->request |= remove_right(refer->new_mode);/;/
refer.c|1|exchange makes nothing in the old directory|s/old->request |= make_right(refer->new_mode);/;/
refer.c|1|a link asks for the right to remove|s/if (refer->is_link)/if (false)/
refer.c|1|a directory is removed as if it were a file|s/S_ISDIR(mode) ? REEVE_FS_REMOVE_DIR : REEVE_FS_REMOVE_FILE/REEVE_FS_REMOVE_FILE/
refer.c|2|a rename within a directory asks for refer|s/else if (same_parent(&old, &new))/else if (false)/
refer.c|2|directories of one length are taken for the same|s/memcmp(a->path, b->path, a->parent_length) == 0/true/
ruleset.c|4|the last port of a range is left out|s/port <= rule->port_last/port < rule->port_last/
scope.c|6|the walk compares with the layer above|s/lifted(resource, accessor->depth)/lifted(resource, accessor->depth - 1)/
scope.c|6|a shared scoped layer denies|s/return accessor == resource ? NULL : accessor;/return accessor;/
scope.c|6|only the innermost layer can scope|/denying_layer/,/^}/s/accessor = accessor->parent/accessor = NULL/
scope.c|1|the tracee must be above the tracer|s/lifted(tracee, reeve_domain_depth(tracer)) == tracer/lifted(tracer, reeve_domain_depth(tracee)) == tracee/
LIST
)

objects=()
build() { # SOURCE OBJECT
	"${cc[@]}" "${flags[@]}" -c "$1" -o "$2" 2>"$work/errors" || sed 's/^/# /' "$work/errors"
}
for source in "$root"/lib/model/*.c "$root"/lib/base/*.c "$root/lib/kernel/sys.c" \
	"$root"/tests/model/prop_*.c "$root/tests/model/test_property.c"; do
	case $source in
	*/feature.c | */version.c | */json_members.c) continue ;; # not the model's
	esac
	object=$work/$(basename "$source" .c).o
	build "$source" "$object"
	objects+=("$object")
done

link_and_run() { # PROGRAM OBJECT...; true where the program failed
	local program=$1
	shift
	"${cc[@]}" "$@" -o "$program" >"$work/errors" 2>&1 || {
		sed 's/^/# /' "$work/errors"
		return 2
	}
	TMPDIR=$work REEVE_PROPERTY_CASES=$cases REEVE_SEED='' timeout 100 \
		"$program" >"$program.out" 2>&1 </dev/null && return 1
	return 0
}

link_and_run "$work/plain" "${objects[@]}"
case $? in
1) ;;
*)
	cat "$work/plain.out"
	echo "1..1"
	echo "not ok 1 - the unchanged model agrees with the kernel"
	exit 1
	;;
esac
if grep -q '# SKIP landlock' "$work/plain.out"; then
	echo '1..0 # SKIP landlock: the kernel has none'
	exit 0
fi
abi=$(sed -n 's/.*Landlock ABI \([0-9]*\),.*/\1/p' "$work/plain.out")

# What became of one mutant; empty where it was caught.
fate() { # FILE EXPRESSION
	local mutant=$work/mutant.c name=${1%.c} others=() object
	sed "$2" "$root/lib/model/$1" >"$mutant"
	[ "$(diff "$root/lib/model/$1" "$mutant" | grep -c '^>')" = 1 ] || {
		echo "the line is no longer there, or not alone"
		return
	}
	rm -f "$work/mutant.o"
	build "$mutant" "$work/mutant.o"
	for object in "${objects[@]}"; do
		[ "$object" = "$work/$name.o" ] || others+=("$object")
	done
	link_and_run "$work/mutant" "$work/mutant.o" "${others[@]}"
	case $? in
	1) echo "survived" ;;
	2) echo "does not build" ;;
	*) grep -q '^# disagreement' "$work/mutant.out" || echo "failed, but not by a disagreement" ;;
	esac
}

echo "1..$(wc -l <<<"$mutants")"
n=0 failed=0 killed=0
while IFS='|' read -r file least what expression; do
	n=$((n + 1))
	if [ "$abi" -lt "$least" ]; then
		echo "ok $n - $what # SKIP needs Landlock ABI $least"
		continue
	fi
	why=$(fate "$file" "$expression")
	if [ -z "$why" ]; then
		killed=$((killed + 1))
		echo "ok $n - $what"
	else
		failed=1
		echo "not ok $n - $what: $why"
	fi
done <<<"$mutants"
echo "# $killed of $n mutants caught"
exit $failed
