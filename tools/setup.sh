#!/usr/bin/env bash
# Installs what is missing, and only that. What counts as missing is asked of the tool itself, not
# of the package manager, so another distribution works too once it has the tools.
#
#	tools/setup.sh [--list] [build] [test] [style] [fuzz] [bench] [kernels] [ci]
set -euo pipefail

# GROUP PACKAGE TEST... : the package is needed when the test fails.
needs='
build gcc            command -v gcc
build libc6-dev      has_header stdio.h
build meson          command -v meson
build ninja-build    command -v ninja
build pkg-config     command -v pkg-config
build libjansson-dev pkg-config --exists jansson
build python3        command -v python3
build scdoc          command -v scdoc
test  clang          command -v clang
test  libbpf1        has_library libbpf.so.1
test  g++            command -v g++
test  make           command -v make
test  strace         command -v strace
test  git            command -v git
test  perl           command -v perl
test  binutils       command -v nm
test  python3-venv   python3 -c "import ensurepip, venv"
test  openssh-client command -v ssh-keygen
test  nodejs         command -v node
test  tmux           command -v tmux
test  socat          command -v socat
test  dbus-daemon    command -v dbus-daemon
test  dbus-bin       command -v dbus-send
test  iproute2       command -v ip
test  bzip2          command -v bzip2
test  xz-utils       command -v xz
test  btrfs-progs    test -x /sbin/mkfs.btrfs
test  tmux           command -v tmux
style clang-format   command -v clang-format
style pyflakes3      command -v pyflakes3
fuzz  clang          command -v clang
fuzz  llvm           command -v llvm-symbolizer
fuzz  libclang-rt-14-dev  has_fuzzer
bench bubblewrap     command -v bwrap
bench firejail       command -v firejail
bench redis-tools    command -v redis-benchmark
bench util-linux     command -v unshare
kernels qemu-system-x86  command -v qemu-system-x86_64
kernels busybox-static test -x /bin/busybox
kernels cpio           command -v cpio
ci    npm            command -v npm
ci    clang          command -v clang
ci    util-linux     command -v setpriv
ci    jq             command -v jq
ci    man-db         command -v man
ci    zsh            command -v zsh
ci    python3-jsonschema   python3 -c "import jsonschema"
ci    fish           command -v fish
ci    gcc-aarch64-linux-gnu   command -v aarch64-linux-gnu-gcc
ci    libc6-dev-arm64-cross   test -e /usr/aarch64-linux-gnu/include/stdio.h
'

has_header()
{
	gcc -E - <<<"#include <$1>" >/dev/null
}

has_library()
{
	PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -qF "$1"
}

# The runtime of -fsanitize=fuzzer is a package of its own, which clang only recommends.
has_fuzzer()
{
	compgen -G "$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-*.a"
}

missing_packages() # GROUP...
{
	local group package check
	while read -r group package check; do
		case " $* " in *" $group "*) ;; *) continue ;; esac
		eval "$check" >/dev/null 2>&1 || echo "$package"
	done <<<"$needs" | sort -u
}

# Prints the words that run a command as root; fails where there is no way to.
root_prefix()
{
	if [ "$(id -u)" = 0 ]; then
		echo env
	elif ! command -v sudo >/dev/null; then
		return 1
	elif [ -t 0 ]; then
		echo sudo env
	else
		echo sudo -n env
	fi
}

give_up() # REASON PACKAGE...
{
	local reason=$1
	shift
	{
		echo "setup: missing: $*"
		echo "setup: $reason"
		echo "hint: as root, run: apt-get install $*"
	} >&2
	exit 1
}

apt() # ARGUMENTS...
{
	$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# The package lists of a fresh machine are empty, or too old for what the mirror still has.
install_packages() # PACKAGE...
{
	echo "setup: installing: $*"
	apt install --no-install-recommends "$@" >"$log" 2>&1 && return
	apt update >"$log" 2>&1 || true
	apt install --no-install-recommends "$@" >"$log" 2>&1 && return
	tail -n 20 "$log" >&2
	give_up "apt-get could not install them (see above)" "$@"
}

main()
{
	local list=no
	if [ "${1-}" = --list ]; then
		list=yes
		shift
	fi
	mapfile -t packages < <(missing_packages "${@:-build}")
	[ ${#packages[@]} -gt 0 ] || exit 0
	if [ $list = yes ]; then
		printf '%s\n' "${packages[@]}"
		exit 0
	fi
	command -v apt-get >/dev/null ||
		give_up "this is not a Debian system, so please install them yourself" "${packages[@]}"
	as_root=$(root_prefix) ||
		give_up "installing them needs root, and there is no sudo here" "${packages[@]}"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	install_packages "${packages[@]}"
	mapfile -t packages < <(missing_packages "${@:-build}")
	[ ${#packages[@]} -eq 0 ] ||
		give_up "installed, but they still do not work" "${packages[@]}"
}

main "$@"
