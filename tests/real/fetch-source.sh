#!/usr/bin/env bash
# Fetches the upstream tarball of a Debian source package, from the mirrors that this machine uses
# already, and prints its path. Works for an ordinary user: lists and caches are in CACHE-DIRECTORY,
# and the system's own apt configuration is only read.
#
#	fetch-source.sh PACKAGE CACHE-DIRECTORY
set -euo pipefail
package=$1
mkdir -p "$2"
cache=$(realpath "$2")

found()
{
	local file
	for file in "$cache/${package}"_*.orig.tar.*; do
		case $file in
		*.asc | *'*'*) ;;
		*) echo "$file" && exit 0 ;;
		esac
	done
}

# The machine's Debian sources, as source package entries.
write_sources()
{
	mkdir -p "$cache/sources" "$cache/lists/partial" "$cache/archives/partial"
	{ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
		sed -nE 's/^deb(-src)?[[:space:]](.*debian.*)$/deb-src \2/p' |
		sort -u >"$cache/sources/all.list"
	local file
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] && grep -qi '^URIs:.*debian' "$file" || continue
		sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$cache/sources/${file##*/}"
	done
}

apt()
{
	apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$cache/sources" \
		-o Dir::State::Lists="$cache/lists" -o Dir::Cache="$cache" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=2 "$@" </dev/null >&2
}

found
command -v apt-get >/dev/null || { echo 'apt-get: not installed' >&2 && exit 1; }
write_sources
apt update
cd "$cache"
apt source --download-only "$package"
found
echo "no tarball of $package came" >&2
exit 1
