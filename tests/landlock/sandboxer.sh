#!/usr/bin/env bash
# The kernel's own sample, samples/landlock/sandboxer.c, unchanged, with -include reeve/landlock.h and
# -lreeve: it finds the declarations, uses our functions and does what it does with the kernel's.
# Its source comes from Debian's linux-source at test time and stays in the cache.
#
#	sandboxer.sh SOURCE-ROOT LIBRARY-DIRECTORY CACHE-DIRECTORY
set -uo pipefail
root=$(realpath "$1") libs=$(realpath "$2")
mkdir -p "$3" && cache=$(realpath "$3")
. "$root/tests/house/tap.sh"
. "$root/tests/house/scratch.sh"

newest()
{
	apt-cache search --names-only '^linux-source-[0-9.]+$' | cut -d' ' -f1 | sort -V | tail -n 1
}

# Leaves sandboxer.c in the cache.
fetch()
{
	local package
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
	package=$(newest)
	[ -n "$package" ] && cd "$scratch" || return
	timeout 120 apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package" >&2 || return
	dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJO "$package/samples/landlock/sandboxer.c" >sandboxer.c || return
	[ -s sandboxer.c ] && mv sandboxer.c "$cache/"
	rm -f "$package"_*.deb
}

if [ ! -e "$cache/sandboxer.c" ] && ! (fetch) 2>"$scratch/log"; then
	skip "sandboxer.c" "network: no kernel source: $(tail -n 1 "$scratch/log")"
	finish
fi

# What the sample has for kernels that it does not know is not warned about.
flags=(-Wall -Wno-unused-function -include reeve/landlock.h -I "$root/include")
succeeds 'it compiles unchanged' gcc "${flags[@]}" -o "$scratch/sandboxer" "$cache/sandboxer.c" \
	-L "$libs" -lreeve "-Wl,-rpath,$libs"
[ "$tap_failed" = 0 ] || finish
is 'and uses our functions' "$(nm -u "$scratch/sandboxer" | grep -c reeve_landlock_)" 3

mkdir "$scratch/in" "$scratch/out"
echo text >"$scratch/in/file"
echo text >"$scratch/out/file"
sandboxed() # SCRIPT
{
	LL_FS_RO=$(printf '%s:' /usr /bin /lib /lib64 /etc /proc) LL_FS_RO=${LL_FS_RO%:} \
		LL_FS_RW="/dev/null:$scratch/in" "$scratch/sandboxer" /bin/sh -c "$1" 2>"$scratch/err"
}
is 'what is granted can be read' "$(sandboxed "cat $scratch/in/file")" text
is 'and written' "$(sandboxed "echo more >$scratch/in/new && cat $scratch/in/new")" more
is 'nothing else can be read' "$(sandboxed "cat $scratch/out/file || echo denied")" denied
is 'or written' "$(sandboxed "(echo >$scratch/out/new) || echo denied")" denied

# With the proposed scope, which the sample of a released kernel does not know yet: the lines that it takes there.
sed -e 's/bool signal_scoping = false;/&\n\tbool unix_scoping = false;/' \
	-e 's/if (strcmp("a", ipc_scoping_name)/if (!strcmp("u", ipc_scoping_name) \&\& !unix_scoping) {\n\t\t\tunix_scoping = true;\n\t\t} else &/' \
	-e 's/^out_unset:/&\n\tif (!unix_scoping)\n\t\truleset_attr->scoped \&= ~LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET;/' \
	-e 's/LANDLOCK_SCOPE_SIGNAL,$/LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET,/' \
	"$cache/sandboxer.c" >"$scratch/scoping.c"
succeeds 'with u for LL_SCOPED it compiles' gcc "${flags[@]}" -o "$scratch/sandboxer" "$scratch/scoping.c" \
	-L "$libs" -lreeve "-Wl,-rpath,$libs"
cat >"$scratch/server.py" <<'END'
import socket, sys
servers = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
for server, name in zip(servers, (sys.argv[1], "\0" + sys.argv[1])):
    server.bind(name)
    server.listen()
print("ready", flush=True)
sys.stdin.read()
END
cat >"$scratch/in/client.py" <<'END'
import errno, socket, sys
def reach(name):
    try:
        socket.socket(socket.AF_UNIX).connect(name)
        return "reached"
    except OSError as error:
        return errno.errorcode[error.errno]
path = sys.argv[1]
own = socket.socket(socket.AF_UNIX)
own.bind(path + ".own")
own.listen()
print(reach(path), reach("\0" + path), reach(path + ".own"))
END
reaches() # SCOPES
{
	LL_SCOPED=$1 sandboxed "$python $scratch/in/client.py $scratch/in/s; rm -f $scratch/in/s.own"
}
# One that is among what is granted: version managers put theirs into the home directory.
python=$(type -ap python3 | grep -m 1 ^/usr/)
if [ -n "$python" ]; then
	coproc server { exec "$python" "$scratch/server.py" "$scratch/in/s"; }
	read -r _ <&"${server[0]}"
	is 'no scope: all sockets are reached' "$(reaches '')" 'reached reached reached'
	is 'LL_SCOPED=a' "$(reaches a)" 'reached EPERM reached'
	got=$(reaches u:a)
	if [ -z "$got" ] && grep -qi 'not supported' "$scratch/err"; then
		skip 'LL_SCOPED=u:a' "landlock: $(head -n 1 "$scratch/err")"
	else
		is 'LL_SCOPED=u:a: no socket of outside, its own' "$got" 'EPERM EPERM reached'
	fi
	eval "exec ${server[1]}>&-"
else
	skip 'LL_SCOPED' 'python3: not found in /usr'
fi
finish
