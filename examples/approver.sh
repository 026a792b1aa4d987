#!/bin/sh
# SPDX-License-Identifier: MIT
# An approver for `reeve run --approver` that asks by a dialog window:
#
#	reeve run --approver examples/approver.sh -- ./job
#
# Needs jq and zenity. The text of a question is escaped by reeve; --no-markup keeps zenity from
# taking it for anything but text. One question after the other: the others wait.
jq --unbuffered -r 'select(.question) | "\(.question) \(.text)"' | while read -r number text; do
	if zenity --question --no-markup --title reeve --text "$text" --ok-label 'Allow once' \
		--cancel-label 'Deny' </dev/null >/dev/null 2>&1; then
		answer=allow
	else
		answer=deny
	fi
	echo "{\"question\":$number,\"answer\":\"$answer\"}"
done
