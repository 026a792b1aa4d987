#!/usr/bin/env bash
# ssh-keygen: makes and reads keys in the working directory, and starts a helper of the user's choice.
set -uo pipefail
. "$1/tests/real/lib.sh"
need ssh-keygen ssh-keygen

prepare()
{
	rm -f "$ATTEMPT_KEY"*
	ssh-keygen -q -t ed25519 -N '' -C reeve-test -f "$ATTEMPT_KEY"
	printf '#!/bin/bash\n[ -e attempts.log ] || . ./attempt.sh\necho passphrase\n' >askpass
	chmod +x askpass
	export SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force
}

job ssh-keygen bash -ec '
	ssh-keygen -q -t ed25519 -C made-here -f key
	[ "$(ssh-keygen -y -P passphrase -f key)" = "$(cat key.pub)" ]
	ssh-keygen -q -p -P passphrase -N other -f key
'

key=$(cut -d ' ' -f 2 "$ATTEMPT_KEY.pub")
bare ssh-keygen -y -P '' -f "$ATTEMPT_KEY"
is 'reads the private key without reeve' "$(cut -d ' ' -f 2 <<<"$output")" "$key"
sandboxed -- ssh-keygen -y -P '' -f "$ATTEMPT_KEY"
is 'cannot read it under reeve run' "$status $(grep -o 'Permission denied' <<<"$output" | head -n 1)" \
	'255 Permission denied'
finish
