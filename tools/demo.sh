#!/usr/bin/env bash
# `make run`: a real build in a sandbox, then what that sandbox refuses. Each attempt is made twice:
# without reeve, where it must work (or the refusal would prove nothing), and with it.
# Everything happens in a temporary home directory, which is removed at the end.
set -uo pipefail

reeve=$(realpath "${1:?usage: tools/demo.sh REEVE}")
tools=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/reeve-demo.XXXXXX")
listener=
victim=
trap 'kill $listener $victim 2>/dev/null; wait 2>/dev/null; rm -rf "$scratch"' EXIT

bold= green= red= plain=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

# Tools from the system's own directories: a version manager's in the real home are out of reach.
export PATH=/usr/local/bin:/usr/bin:/bin
export HOME=$scratch/home TMPDIR=$scratch/tmp
unset MAKEFLAGS MAKELEVEL MFLAGS
project=$HOME/project
refused=0
wrong=0
degraded=() # `--degrade FEATURE`..., what this kernel's Landlock is too old for

# ------------------------------------------------------------------- the scene

make_project()
{
	mkdir -p "$project/src"
	cp "$tools/demo-victims.py" "$project/victims.py"
	for word in one two three; do
		printf 'int %s(void)\n{\n\treturn %d;\n}\n' $word ${#word} >"$project/src/$word.c"
	done
	cat >"$project/src/main.c" <<-'END'
		#include <stdio.h>
		int one(void), two(void), three(void);
		int main(void)
		{
			printf("built and run: %d\n", one() + two() + three());
			return 0;
		}
	END
	printf 'program: $(patsubst %%.c,%%.o,$(wildcard src/*.c))\n\tcc -o $@ $^\n' >"$project/Makefile"
}

# A private key, a server on the loopback, and a process that stands for your shell.
make_victims()
{
	mkdir -m 700 -p "$HOME/.ssh" "$TMPDIR"
	echo 'not really a private key' >"$HOME/.ssh/id_ed25519"
	exec {answer}< <(exec "$tools/demo-victims.py" server)
	listener=$!
	read -r port <&$answer || exit 1
	sleep infinity &
	victim=$!
}

# --------------------------------------------------------------- the attempts

# reeve stops where the kernel cannot do what the policy asks for, and its hint says how to go without.
# The demonstration takes the hint, and says so.
find_gaps()
{
	local said count
	while ! said=$("$reeve" run "${degraded[@]}" -- true 2>&1); do
		count=${#degraded[@]}
		while read -r feature; do
			case " ${degraded[*]} " in
			*" $feature "*) ;;
			*) degraded+=(--degrade "$feature") ;;
			esac
		done < <(sed 's/(.*//' <<<"$said" | grep -oE -- '--degrade [a-z_.]+' | cut -d ' ' -f 2)
		if [ ${#degraded[@]} = "$count" ]; then
			printf '%s\n' "$said" "${red}reeve does not start here.${plain}"
			exit 1
		fi
	done
	[ ${#degraded[@]} -gt 0 ] || return
	echo "This kernel's Landlock is too old for some of the profile; the demonstration goes without:"
	printf ' %s' "${degraded[@]}" | fold -s -w 96
	printf '\n\n'
}

# attempt FEATURE WHAT COMMAND... : COMMAND's success must be what the sandbox takes away, by FEATURE.
# Both tries run below the words in $around.
around=(env)

attempt()
{
	local feature=$1 said status
	printf '  %-44s ' "$2"
	shift 2
	case " ${degraded[*]} " in
	*" $feature "*)
		echo "not tried: this kernel cannot refuse it (no $feature)"
		return
		;;
	esac
	if ! said=$("${around[@]}" "$@" 2>&1 </dev/null); then
		echo "not tried: it fails here without reeve too (${said##*: })"
		return
	fi
	said=$("${around[@]}" "$reeve" run --quiet "${degraded[@]}" -- "$@" 2>&1 </dev/null)
	status=$?
	if [ $status = 0 ]; then
		wrong=$((wrong + 1))
		echo "${red}NOT REFUSED${plain}"
	elif [ $status -ge 125 ]; then
		wrong=$((wrong + 1))
		echo "${red}reeve itself failed: $said${plain}"
	else
		refused=$((refused + 1))
		echo "${green}refused${plain}: ${said##*: }"
	fi
}

main()
{
	make_project
	make_victims
	cd "$project" || exit 1
	find_gaps
	printf '%s$ cd ~/project && reeve run -- make%s\n' "$bold" "$plain"
	if ! "$reeve" run "${degraded[@]}" -- make ||
		[ "$("$reeve" run "${degraded[@]}" -- ./program)" != 'built and run: 11' ]; then
		echo "${red}The build failed in the sandbox.${plain}"
		exit 1
	fi
	"$reeve" run "${degraded[@]}" -- ./program
	printf '\n%sWhat a program in that sandbox cannot do (each works without reeve):%s\n' "$bold" "$plain"
	attempt fs.read_file 'read ~/.ssh/id_ed25519' cat "$HOME/.ssh/id_ed25519"
	attempt fs.read_dir 'list the home directory' ls "$HOME"
	attempt fs.write_file 'write outside of ~/project' cp Makefile "$HOME/.bashrc"
	attempt socket.create "connect to 127.0.0.1:$port" "$project/victims.py" connect "$port"
	attempt scope.signal "signal the shell (pid $victim)" sh -c "kill -0 $victim"
	around=("$tools/demo-victims.py" on-terminal)
	attempt guard.tty 'type into your terminal (TIOCSTI)' "$project/victims.py" type
	verdict
}

verdict()
{
	echo
	if [ $wrong -gt 0 ] || [ $refused -lt 3 ]; then
		echo "${red}reeve: $wrong attempts were not refused as they should be, $refused were.${plain}"
		exit 1
	fi
	echo "${green}reeve: the build worked, and all $refused attempts were refused.${plain}"
}

main
