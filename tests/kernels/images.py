# SPDX-License-Identifier: MIT
"""Debian's kernel images, by apt with a root of its own, from the mirror that this machine uses.

Nothing of the machine's own package system is changed: lists, cache and status live in the given
directory, where a later run finds them again.
"""
import lzma
import pathlib
import re
import subprocess

SOURCES = pathlib.Path('/etc/apt')


class NotToBeHad(Exception):
    """The image cannot be fetched here: no mirror, no network, no such suite."""


def mirror():
    """The first archive of Debian proper, as deb822 or one-line sources name it, and its key."""
    files = [SOURCES / 'sources.list', *sorted((SOURCES / 'sources.list.d').glob('*'))]
    for file in files:
        if file.suffix not in ('.list', '.sources') or not file.is_file():
            continue
        text = re.sub(r'^\s*#.*$', '', file.read_text(encoding='utf-8'), flags=re.MULTILINE)
        match = (re.search(r'^URIs:\s*(\S+/debian)/?\s*$', text, re.MULTILINE) or
                 re.search(r'^deb\s+(?:\[[^]]*\]\s+)?(\S+/debian)/?\s', text, re.MULTILINE))
        if match:
            return match.group(1)
    raise NotToBeHad('no source of Debian packages is configured on this machine')


class Apt:
    """An apt root for one suite."""

    def __init__(self, root, suite):
        self.root = root / suite
        self.downloads = self.root / 'downloads'
        for part in ('etc/apt/preferences.d', 'etc/apt/apt.conf.d', 'etc/apt/sources.list.d',
                     'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial',
                     'var/lib/dpkg', 'downloads'):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        (self.root / 'var/lib/dpkg/status').touch()
        key = '/usr/share/keyrings/debian-archive-keyring.gpg'
        (self.root / 'etc/apt/sources.list').write_text(
            f'deb [signed-by={key}] {mirror()} {suite} main\n', encoding='utf-8')

    def call(self, tool, *words):
        done = subprocess.run(
            [tool, '-q', '-o', f'Dir={self.root}', '-o', 'APT::Sandbox::User=',
             '-o', f'Dir::State::status={self.root}/var/lib/dpkg/status',
             '-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=30', *words],
            cwd=self.downloads, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ['no reason given'])[-1]
            raise NotToBeHad(f'{tool} {words[0]}: {re.sub(r"https?://[^/ ]+", "MIRROR", reason)}')
        return done.stdout

    def image_package(self):
        """Behind the metapackage: linux-image-VERSION, from 7.3 on linux-binary-VERSION."""
        text = self.call('apt-cache', 'depends', '--recurse', '--important', 'linux-image-amd64')
        names = re.findall(r'^(linux-(?:image|binary)-[0-9]\S*-amd64)$', text, re.MULTILINE)
        names.sort(key=lambda name: name.startswith('linux-image'))
        if not names:
            raise NotToBeHad('the suite has no kernel image')
        return names[0]


def unpack(package, directory, patterns):
    """The files of the package that are named so."""
    listing = subprocess.run(['dpkg-deb', '--fsys-tarfile', str(package)], capture_output=True,
                             check=True).stdout
    subprocess.run(['tar', '-xf', '-', '-C', str(directory), '--wildcards', '--no-anchored',
                    *patterns], input=listing, capture_output=True)


def find(directory, patterns):
    """A file for each, None where there is none."""
    return [next(iter(sorted(directory.rglob(pattern))), None) for pattern in patterns]


def take(apt, package, directory, patterns):
    """Files of a package, fetched once; the first has to be there."""
    found = find(directory, patterns) if directory.is_dir() else [None]
    if found[0]:
        return found
    apt.call('apt-get', 'download', package)
    file = sorted(apt.downloads.glob(f'{package}_*.deb'))[-1]
    directory.mkdir(exist_ok=True)
    unpack(file, directory, patterns)
    file.unlink()
    found = find(directory, patterns)
    if not found[0]:
        raise NotToBeHad(f'{package} holds no {patterns[0]}')
    return found


# Who made a UNIX socket, which the supervisor needs; SCTP, which a test needs, and what that needs, in the
# order of loading, as far as this kernel has it as modules.
MODULES = ['unix_diag', 'crc32c_generic', 'libcrc32c', 'udp_tunnel', 'ip6_udp_tunnel', 'sctp']


def fetch(suite, root):
    """The newest kernel of the suite, and the bytes of its modules by name."""
    apt = Apt(root, suite)
    apt.call('apt-get', 'update')
    name = apt.image_package()
    directory = apt.root / name
    kernel = take(apt, name, directory, ['vmlinuz*'])[0]
    files = take(apt, name.replace('linux-binary-', 'linux-modules-'), directory,
                 [f'{module}.ko*' for module in MODULES])
    modules = {}
    for module, file in zip(MODULES, files):
        if file:
            data = file.read_bytes()
            modules[module] = lzma.decompress(data) if file.suffix == '.xz' else data
    return kernel, modules
