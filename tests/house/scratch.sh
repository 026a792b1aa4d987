# A directory of this test's own in $scratch, removed when it ends.
#
# shellcheck shell=bash
scratch=$(mktemp -d "${TMPDIR:-/tmp}/reeve-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
