#!/usr/bin/env bash
# The four attempts, by a shell. One line each in $ATTEMPT_LOG: "read done", or "read" and why not.
attempt() # NAME COMMAND...
{
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "$name done"
	else
		said=${said##*$'\n'}
		said=${said##*: }
		echo "$name ${said##* - }"
	fi >>"$ATTEMPT_LOG"
}

connect()
{
	exec 3<>"/dev/tcp/127.0.0.1/$ATTEMPT_PORT"
}

write()
{
	echo 'was here' >"$ATTEMPT_OUTSIDE"
}

attempt read cat "$ATTEMPT_KEY"
attempt write write
attempt connect connect
attempt signal kill -CONT "$ATTEMPT_PID"
