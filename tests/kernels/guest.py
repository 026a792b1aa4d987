# SPDX-License-Identifier: MIT
"""The file system of the guest: busybox, our binaries and tests, and what these need, as an initramfs.

Everything lies where it lies on this machine, so that paths in commands need no translation.
"""
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess

# Whose files the tests use, as Debian packages; the rest is busybox.
PACKAGES = ['bash', 'dash', 'libgcc-s1', 'login', 'passwd', 'coreutils', 'grep', 'sed', 'gawk', 'mawk', 'tar', 'findutils', 'diffutils', 'util-linux',
            'procps', 'libc-bin', 'base-files', 'python3-minimal', 'python3.11-minimal',
            'libpython3.11-minimal', 'libpython3.11-stdlib', 'media-types', 'netbase']
SKIPPED = re.compile(r'^/usr/share/(doc|man|locale|lintian|bash-completion|info|zoneinfo)/|/test/|'
                     r'\.(pyc|mo|gz)$|/(idlelib|tkinter|lib2to3|pydoc_data|distutils|ensurepip)/')
LINKS = ['bin', 'sbin', 'lib', 'lib64']  # merged into /usr


class Guest:
    def __init__(self, root, build):
        self.root = root
        self.build = str(build)
        self.programs = []
        shutil.rmtree(root, ignore_errors=True)
        for part in ('proc', 'sys', 'dev', 'tmp', 'run', 'root', 'etc', 'home', 'usr/bin', 'usr/lib',
                     'usr/lib64', 'usr/sbin', 'var/tmp'):
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / 'tmp').chmod(0o1777)
        (root / 'var/tmp').chmod(0o1777)
        for name in LINKS:
            os.symlink(f'usr/{name}', root / name)

    def inside(self, path):
        """Where a path of this machine lies in the guest's tree."""
        return self.root / os.path.realpath(os.path.dirname(path)).lstrip('/') / os.path.basename(path)

    def add(self, path):
        """A file, with what its symbolic links lead to."""
        to = self.inside(path)
        if os.path.lexists(to):
            return
        to.parent.mkdir(parents=True, exist_ok=True)
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(path), to)
            if os.path.isfile(path):
                self.add(os.path.realpath(path))
        elif stat.S_ISREG(mode):
            shutil.copy2(path, to)
            self.add_program(path, to)

    def add_program(self, path, to):
        """Ours without what debuggers need: emulated, unpacking counts."""
        with open(path, 'rb') as f:
            if f.read(4) != b'\x7fELF':
                return
        self.programs.append(path)
        if path.startswith(self.build):
            subprocess.run(['strip', '--strip-debug', str(to)], check=True)

    def add_libraries(self):
        """Of all programs. ldd's lines: "name => path (address)", or the loader's own path."""
        done = subprocess.run(['ldd', *self.needing()], capture_output=True, text=True)
        for library in sorted(set(re.findall(r'(/\S+) \(0x', done.stdout))):
            self.add(library)

    def needing(self):
        """One program for each set of libraries, as ldd starts each that it is asked about."""
        done = subprocess.run(['readelf', '-d', *self.programs], capture_output=True, text=True)
        one_of = {}
        for part in re.split(r'^File: ', done.stdout, flags=re.MULTILINE)[1:]:
            needed = re.findall(r'\(NEEDED\).*\[(.*)\]|\((?:RUNPATH|RPATH)\).*\[(.*)\]', part)
            one_of.setdefault(tuple(sorted(needed)), part.split('\n', 1)[0])
        return one_of.values()

    def add_tree(self, top):
        for directory, _, names in os.walk(top):
            for name in names:
                self.add(os.path.join(directory, name))

    def add_packages(self):
        for package in PACKAGES:
            done = subprocess.run(['dpkg', '-L', package], capture_output=True, text=True)
            for path in done.stdout.splitlines():
                if not SKIPPED.search(path) and (os.path.isfile(path) or os.path.islink(path)):
                    self.add(path)

    def write(self, path, text, mode=0o644):
        to = self.root / path.lstrip('/')
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding='utf-8')
        to.chmod(mode)

    def add_system(self, busybox):
        shutil.copy2(busybox, self.root / 'usr/bin/busybox')
        self.add_packages()
        self.write('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n'
                   'nobody:x:65534:65534:nobody:/tmp:/bin/bash\n')
        self.write('/etc/group', 'root:x:0:\nnogroup:x:65534:\n')
        self.write('/etc/hosts', '127.0.0.1 localhost\n')
        self.write('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\n')
        for name in ('ld.so.cache', 'ld.so.conf'):
            if os.path.exists(f'/etc/{name}'):
                shutil.copy2(f'/etc/{name}', self.root / 'etc' / name)

    def pack(self, to):
        """cpio, packed for a short unpacking: emulated, that counts."""
        names = subprocess.run(['find', '.', '-print0'], cwd=self.root, capture_output=True,
                               check=True).stdout
        with open(to, 'wb') as f:
            subprocess.run(['cpio', '-o', '-0', '-H', 'newc', '--quiet', '-R', '0:0'], cwd=self.root,
                           input=names, stdout=f, check=True)


def with_modules(initramfs, modules, to):
    """The same for one kernel: what is appended is unpacked as well."""
    place = to.with_suffix('.modules')
    place.mkdir(exist_ok=True)
    for name, data in modules.items():
        (place / f'{name}.ko').write_bytes(data)
    (place / 'modules').write_text(''.join(f'{name}\n' for name in modules), encoding='ascii')
    names = ['modules', *(f'{name}.ko' for name in modules)]
    with open(to, 'wb') as f:
        f.write(initramfs.read_bytes())
        f.flush()
        subprocess.run(['cpio', '-o', '-H', 'newc', '--quiet', '-R', '0:0'], cwd=place,
                       input='\n'.join(names).encode(), stdout=f, check=True)


INIT = '''#!/usr/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C PYTHONDONTWRITEBYTECODE=1 CI=true REEVE_TEST_EMULATED=1
/usr/bin/busybox --install -s /usr/bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 devpts /dev/pts
ln -sf /proc/self/fd /dev/fd
# The build itself may lie below /tmp.
mkdir /below && mount --bind /tmp /below
mount -t tmpfs -o mode=1777 tmpfs /tmp
cp -a /below/. /tmp/ && chmod 1777 /tmp
umount /below
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
# Loaded when they are asked for, where there is a modprobe(8).
while read -r module; do
	insmod /$module.ko
done </modules
# Where the kernel lacks what every profile asks for and nobody supplies, the tests' reeve gives it up by
# name, as a user would have to: they are about the rest. What is refused without is policies.py's.
given_up=$(%(reeve)s check --json | sed -n 's/.*"feature":"\\(%(given_up)s\\)".*"by":"nobody.*/--degrade \\1/p')
echo "@@ given up: "$given_up
echo "@@ build %(build)s"
echo %(reeve)s >/run/reeve
if [ -n "$given_up" ]; then
	echo %(reeve)s-giving-up >/run/reeve
	cat >%(reeve)s-giving-up <<END
#!/bin/sh
case \\$1 in
run) shift; exec %(reeve)s run $(echo $given_up) "\\$@";;
*) exec %(reeve)s "\\$@";;
esac
END
	chmod 755 %(reeve)s-giving-up
fi
# What the kernel has to say must not come between a test's lines.
dmesg -n 1
# One for each processor. What each says comes in one piece.
ls /tests | xargs -P 2 -n 1 sh /one-test
echo "@@ end"
poweroff -f
'''

ONE_TEST = '''begin=$(cut -d' ' -f1 /proc/uptime)
. /tests/$1 </dev/null >/run/$1.out 2>&1
status=$?
(
flock 9
echo "@@ test $(sed -n 's/^# //p' /tests/$1)"
cat /run/$1.out
echo "@@ status $status from $begin to $(cut -d' ' -f1 /proc/uptime) s"
) 9>/run/one-test.lock
'''

TEST = '''# %(name)s
reeve=$(cat /run/reeve)
(cd %(directory)s && exec timeout -k 5 %(timeout)d env %(environment)s %(command)s)
'''


GIVEN_UP = ['fs.truncate', 'fs.ioctl_dev', 'scope.signal']


def fingerprint(build):
    """Of what is tested: the command and the library."""
    digest = hashlib.sha256()
    for name in ('cli/reeve', 'cli/libreeve-command.so', 'lib/libreeve.so'):
        digest.update(pathlib.Path(build, name).read_bytes())
    return digest.hexdigest()[:16]


def words(test, reeve):
    """A shell's, with the guest's reeve in place of the build's."""
    return ' '.join('"$reeve"' if os.path.join(test['directory'], word) == reeve else shlex.quote(word)
                    for word in test['command'])


def write_scripts(place, tests, reeve):
    place.write('/init', INIT % {'reeve': reeve, 'given_up': r'\|'.join(GIVEN_UP),
                                 'build': fingerprint(place.build)}, 0o755)
    place.write('/one-test', ONE_TEST)
    for number, test in enumerate(tests):
        place.write(f'/tests/{number:03}', TEST % {
            'name': test['name'], 'directory': shlex.quote(test['directory']),
            'timeout': test['timeout'],
            'command': words(test, reeve) if test['gives_up'] else shlex.join(test['command']),
            'environment': shlex.join(f'{k}={v}' for k, v in test['environment'].items())})


def machine(kernel, initramfs):
    """The command that boots it. No KVM: the same everywhere. On a busy machine the kernel's own test of its timer
    fails, and that would be the end of it."""
    return ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2048',
            '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot',
            '-kernel', str(kernel), '-initrd', str(initramfs),
            '-append', 'console=ttyS0 quiet loglevel=1 panic=-1 no_timer_check']
