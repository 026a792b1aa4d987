# Real programs at real work, with and without a sandbox. Source with the arguments of the test:
# the source root, and the reeve to test.
#
# Each test has a HOME of its own with a private key in it, and makes its programs attempt four
# things while they work: to read that key, to write outside of the working directory, to connect to
# a server of the test's, to signal the test. Without reeve all four must work, with it all four must
# be refused: so the test can fail both ways.
#
# shellcheck shell=bash
root=$(realpath "$1")
reeve=$(realpath "$2")
real=$root/tests/real
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"

# The system's own tools: a version manager in somebody's home is out of reach by design.
export PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C
export HOME=$scratch/home TMPDIR=$scratch/tmp
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR MAKEFLAGS MAKELEVEL
unset MALLOC_PERTURB_ LD_LIBRARY_PATH

mkdir -m 700 -p "$HOME/.ssh" "$TMPDIR"
echo 'a private key' >"$HOME/.ssh/id_ed25519"
printf '[user]\n\tname = Reeve Test\n\temail = reeve@localhost\n' >"$HOME/.gitconfig"

export ATTEMPT_KEY=$HOME/.ssh/id_ed25519 ATTEMPT_OUTSIDE=$HOME/outside ATTEMPT_PID=$$
export ATTEMPT_LOG=attempts.log

exec {server_says}< <(exec python3 "$root/tools/demo-victims.py" server)
server=$!
trap 'kill $server; rm -rf "$scratch"' EXIT
read -r ATTEMPT_PORT <&$server_says
export ATTEMPT_PORT

# Makes a fresh working directory with the attempt programs in it, and enters it.
enter_workspace()
{
	cd /
	rm -rf "$HOME/work" "$HOME/outside"
	mkdir "$HOME/work"
	cd "$HOME/work" || exit 1
	cp "$real"/attempt.* .
	export ATTEMPT_LOG=$PWD/attempts.log
}

# bare COMMAND... and sandboxed [REEVE OPTION...] -- COMMAND... : run in the working directory, with
# output in $output and status in $status.
bare()
{
	output=$("$@" 2>&1 </dev/null)
	status=$?
}

sandboxed()
{
	output=$("$reeve" run "$@" 2>&1 </dev/null)
	status=$?
}

worked() # NAME
{
	if [ $status = 0 ]; then
		ok "$1"
	else
		not_ok "$1" "status $status:"$'\n'"$(tail -n 30 <<<"$output")"
	fi
}

attempts_worked() # NAME
{
	is "$1: without reeve, every attempt works" "$(sort "$ATTEMPT_LOG" 2>&1)" \
		$'connect done\nread done\nsignal done\nwrite done'
	rm -f "$ATTEMPT_LOG"
}

attempts_refused() # NAME
{
	local attempt log expected
	log=$(cat "$ATTEMPT_LOG" 2>&1)
	for attempt in read write connect signal; do
		expected='Permission denied'
		[ $attempt != signal ] || expected='Operation not permitted'
		is "$1: $attempt is refused" "$(grep "^$attempt " <<<"$log")" "$attempt $expected"
	done
	if [ -e "$ATTEMPT_OUTSIDE" ]; then
		not_ok "$1: nothing was written outside"
	else
		ok "$1: nothing was written outside"
	fi
}

# job NAME COMMAND... : the whole of it, for work that is one command. Options of reeve in $options.
options=()
job()
{
	local name=$1
	shift
	enter_workspace
	prepare
	bare "$@"
	worked "$name: works without reeve"
	attempts_worked "$name"
	enter_workspace
	prepare
	sandboxed "${options[@]}" -- "$@"
	worked "$name: works under reeve run"
	attempts_refused "$name"
}

# What a job needs in its working directory; a test may have its own.
prepare()
{
	:
}

# need COMMAND NAME : ends the test with a skip where the command is not installed.
need()
{
	have "$1" && return
	skip "$2" "$1: not installed"
	finish
}
