#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same policies, the same results, whoever enforces: on every kernel, one table.

	policies.py REEVE

A policy that this machine cannot enforce has to be refused with exit code 125, naming exactly
features that `reeve check` says nobody enforces here; anything else is a failure. TAP, with what
happened behind each name.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

# What the sandboxed program needs to be python at all.
SYSTEM = '''
[[path_beneath]]
allowed_access = ["execute", "read_file", "read_dir"]
parent = ["/usr", "/etc", "/proc"]
[[path_beneath]]
allowed_access = ["execute", "read_file", "read_dir"]
parent = ["/bin", "/lib", "/lib64"]
missing = "ignore"
[[path_beneath]]
allowed_access = ["read_file", "write_file"]
parent = ["/dev/null"]
[[path_beneath]]
allowed_access = ["read_file"]
parent = ["/dev/urandom"]
'''

FILES = 'abi = 2\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\n' + SYSTEM + '''
[[path_beneath]]
allowed_access = ["read_file", "read_dir"]
parent = ["{dir}/ro"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{dir}/rw"]
[[path_beneath]]
allowed_access = ["read_file", "write_file", "make_reg", "remove_file"]
parent = ["{dir}/norefer"]
'''

# name: (policy, [(operation, expected)]). Operations are expressions of OPERATIONS below.
GROUPS = {
    'files': (FILES, [
        ('read(ro/file)', 'allowed'), ('read(hidden/file)', 'EACCES'), ('list(ro)', 'allowed'),
        ('list(hidden)', 'EACCES'), ('write(ro/file)', 'EACCES'), ('write(rw/file)', 'allowed'),
        ('create(rw/new)', 'allowed'), ('create(ro/new)', 'EACCES'), ('mkdir(rw/sub)', 'allowed'),
        ('mkdir(norefer/sub)', 'EACCES'), ('symlink(rw/link)', 'allowed'),
        ('symlink(norefer/link)', 'EACCES'), ('rename(rw/a,rw/sub/a)', 'allowed'),
        ('rename(rw/b,norefer/b)', 'EXDEV'), ('link(rw/b,norefer/c)', 'EXDEV'),
        ('remove(rw/b)', 'allowed'), ('remove(ro/file)', 'EACCES'), ('fifo(norefer/fifo)', 'EACCES'),
        ('read(outside)', 'EACCES'), ('execute(hidden/true)', 'EACCES')]),
    'truncate': ('abi = 3\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\n' + SYSTEM + '''
[[path_beneath]]
allowed_access = ["read_file", "write_file", "truncate"]
parent = ["{dir}/rw"]
[[path_beneath]]
allowed_access = ["read_file", "write_file"]
parent = ["{dir}/ro"]
''', [('truncate(rw/file)', 'allowed'), ('truncate(ro/file)', 'EACCES'), ('write(ro/file)', 'allowed')]),
    'device': ('abi = 5\n[[ruleset]]\nhandled_access_fs = ["ioctl_dev"]\n',
               [('ioctl(/dev/zero)', 'EACCES')]),
    'tcp': ('''abi = 4
[[ruleset]]
handled_access_net = ["bind_tcp", "connect_tcp"]
[[net_port]]
allowed_access = ["connect_tcp"]
port = [{tcp_yes}]
[[net_port]]
allowed_access = ["bind_tcp"]
port = [{bind_yes}]
''', [('connect_tcp(yes)', 'allowed'), ('connect_tcp(no)', 'EACCES'), ('bind_tcp(yes)', 'allowed'),
      ('bind_tcp(no)', 'EACCES'), ('fastopen(no)', 'ENOTSUP')]),
    'udp': ('''abi = 10
[[ruleset]]
handled_access_net = ["bind_udp", "connect_send_udp"]
[[net_port]]
allowed_access = ["connect_send_udp", "bind_udp"]
port = [{tcp_yes}]
[[net_port]]
allowed_access = ["bind_udp"]
port = [0]
''', [('send_udp(yes)', 'allowed'), ('send_udp(no)', 'EACCES'), ('connect_udp(no)', 'EACCES'),
      ('bind_udp(no)', 'EACCES')]),
    'abstract': ('abi = 6\n[[ruleset]]\nscoped = ["abstract_unix_socket"]\n',
                 [('connect_abstract(outside)', 'EPERM'), ('connect_abstract(inside)', 'allowed')]),
    'signal': ('abi = 6\n[[ruleset]]\nscoped = ["signal"]\n',
               [('signal(outside)', 'EPERM'), ('signal(inside)', 'allowed')]),
    'pathname': ('abi = 6\n[[ruleset]]\nscoped = ["pathname_unix_socket"]\n',
                 [('connect_unix(outside)', 'EACCES'), ('connect_unix(inside)', 'allowed')]),
    'sockets': ('''abi = 1
[[ruleset]]
handled_socket = ["create"]
[[socket]]
allowed_access = ["create"]
family = ["inet"]
type = ["stream"]
protocol = ["any"]
[[socket]]
allowed_access = ["create"]
family = ["unix"]
type = ["any"]
protocol = ["any"]
''', [('socket(inet,stream)', 'allowed'), ('socket(inet,dgram)', 'EACCES'),
      ('socket(inet6,stream)', 'EACCES'), ('socket(netlink,raw)', 'EACCES'),
      ('socket(unix,stream)', 'allowed')]),
}

# Runs inside: prints one JSON object of operation → "allowed", or the errno's name.
INSIDE = r'''
import errno, fcntl, json, os, signal, socket, sys
facts, operations = json.loads(sys.argv[1]), json.loads(sys.argv[2])
here = facts['dir']

def at(name):
    return os.path.join(here, name)

def connect(family, kind, address):
    with socket.socket(family, kind) as s:
        s.connect(address)

def bind(kind, port):
    with socket.socket(socket.AF_INET, kind) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', port))

def send(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b'x', ('127.0.0.1', port))

def fastopen(port):
    with socket.socket() as s:
        s.sendto(b'x', 0x20000000, ('127.0.0.1', port))

def served(address):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        connect(socket.AF_UNIX, socket.SOCK_STREAM, address)

def write(name, flags):
    os.close(os.open(at(name), flags | os.O_WRONLY, 0o644))

def execute(name):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(at(name), [name])
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status, 'execv')

def signal_inside():
    pid = os.fork()
    if pid == 0:
        signal.pause()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

def make_socket(family, kind):
    socket.socket(getattr(socket, 'AF_' + family.upper()), getattr(socket, 'SOCK_' + kind.upper())).close()

tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
ports = {'yes': facts['tcp_yes'], 'no': facts['tcp_no']}
binds = {'yes': facts['bind_yes'], 'no': facts['bind_no']}
do = {
    'read': lambda name: open(at(name)).close(),
    'list': lambda name: os.listdir(at(name)),
    'write': lambda name: write(name, 0),
    'create': lambda name: write(name, os.O_CREAT | os.O_EXCL),
    'truncate': lambda name: os.truncate(at(name), 0),
    'mkdir': lambda name: os.mkdir(at(name)),
    'symlink': lambda name: os.symlink('x', at(name)),
    'fifo': lambda name: os.mkfifo(at(name)),
    'rename': lambda old, new: os.rename(at(old), at(new)),
    'link': lambda old, new: os.link(at(old), at(new)),
    'remove': lambda name: os.unlink(at(name)),
    'execute': execute,
    'ioctl': lambda name: fcntl.ioctl(os.open(name, os.O_RDONLY), 0x5401, b'\0' * 64),
    'connect_tcp': lambda which: connect(socket.AF_INET, tcp, ('127.0.0.1', ports[which])),
    'bind_tcp': lambda which: bind(tcp, binds[which]),
    'fastopen': lambda which: fastopen(ports[which]),
    'send_udp': lambda which: send(ports[which]),
    'connect_udp': lambda which: connect(socket.AF_INET, udp, ('127.0.0.1', ports[which])),
    'bind_udp': lambda which: bind(udp, binds[which]),
    'connect_abstract': lambda which: connect(socket.AF_UNIX, tcp, '\0' + facts['abstract'])
        if which == 'outside' else served('\0' + facts['abstract'] + '-inside'),
    'connect_unix': lambda which: connect(socket.AF_UNIX, tcp, at('socket'))
        if which == 'outside' else served(at('socket-inside')),
    'signal': lambda which: os.kill(facts['victim'], 0) if which == 'outside' else signal_inside(),
    'socket': make_socket,
}
results = {}
for operation in operations:
    name, words = operation[:-1].split('(', 1)
    try:
        do[name](*words.split(','))
        results[operation] = 'allowed'
    except OSError as error:
        results[operation] = errno.errorcode.get(error.errno, str(error))
print(json.dumps(results))
'''


def make_tree(top):
    for name in ('ro', 'rw', 'hidden', 'norefer'):
        os.mkdir(os.path.join(top, name), 0o777)
        os.chmod(os.path.join(top, name), 0o777)
        for file in ('file', 'a', 'b'):
            with open(os.path.join(top, name, file), 'w', encoding='utf-8') as f:
                f.write(file)
            os.chmod(f.name, 0o666)
    true = os.path.join(top, 'hidden', 'true')
    subprocess.run(['cp', '/usr/bin/true', true], check=True)
    with open(os.path.join(top, 'outside'), 'w', encoding='utf-8'):
        pass
    os.chmod(top, 0o777)


def listen(address, family):
    s = socket.socket(family)
    s.bind(address)
    s.listen()
    return s


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Outside:
    """What the sandboxed program tries to reach."""

    def __init__(self, top):
        make_tree(top)
        self.listeners = [listen(('127.0.0.1', 0), socket.AF_INET) for _ in range(2)]
        abstract = f'reeve-policies-{os.getpid()}'
        self.listeners.append(listen('\0' + abstract, socket.AF_UNIX))
        self.listeners.append(listen(os.path.join(top, 'socket'), socket.AF_UNIX))
        os.chmod(os.path.join(top, 'socket'), 0o777)
        self.facts = {'dir': top, 'tcp_yes': self.listeners[0].getsockname()[1],
                      'tcp_no': self.listeners[1].getsockname()[1], 'bind_yes': free_port(),
                      'bind_no': free_port(), 'abstract': abstract, 'victim': os.getpid()}

    def close(self):
        for listener in self.listeners:
            listener.close()


def by_nobody(reeve):
    out = subprocess.run([reeve, 'check', '--json'], capture_output=True, text=True).stdout
    features = [json.loads(line) for line in out.splitlines() if '"type":"feature"' in line]
    return {f['feature'] for f in features if f['by'].startswith('nobody')}


def run(reeve, options, policy, facts, operations):
    command = [reeve, 'run', '--quiet', *options, '-p', policy, '--', '/usr/bin/python3', '-I', '-c', INSIDE,
               json.dumps(facts), json.dumps(operations)]
    return subprocess.run(command, capture_output=True, text=True, cwd='/', stdin=subprocess.DEVNULL)


def refused(done, lacking):
    """What is named as missing, where that is right to refuse; None where it is not."""
    named = set(re.findall(r'--degrade ([a-z_.]+)', done.stderr))
    return sorted(named) if done.returncode == 125 and named and named <= lacking else None


def results_of(done, table, remark):
    """(operation, good, what happened) of each."""
    try:
        results = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or ['nothing'])[-1]
        return [(name, False, f'exit {done.returncode}: {said}') for name, _ in table]
    return [(name, results.get(name) == wanted,
             f'{results[name]}{remark}' if results.get(name) == wanted
             else f'{results.get(name)}, wanted {wanted}{remark}') for name, wanted in table]


def asks_for(policy, feature):
    with open(policy, encoding='utf-8') as f:
        return re.search(rf'"{feature.split(".")[1]}"', f.read()) is not None


def judge(reeve, policy, facts, table, lacking):
    """Supervised. Where that is refused for what supervision wants by itself (the signal scope), this is given
    up by name; for what the policy asks for, there is no way."""
    operations = [name for name, _ in table]
    done = run(reeve, [], policy, facts, operations)
    lacks = refused(done, lacking)
    if lacks is None:
        return results_of(done, table, '')
    besides = [name for name in lacks if not asks_for(policy, name)]
    asked = [name for name in lacks if name not in besides]
    if asked:
        return [(name, True, 'refused: needs ' + ', '.join(asked)) for name in operations]
    given_up = [word for name in besides for word in ('--degrade', name)]
    return results_of(run(reeve, given_up, policy, facts, operations), table, f' ({" ".join(given_up)})')


def main():
    reeve = os.path.abspath(sys.argv[1])
    lacking = by_nobody(reeve)
    print(f'1..{sum(len(table) for _, table in GROUPS.values())}')
    number = failed = 0
    for group, (policy, table) in GROUPS.items():
        with tempfile.TemporaryDirectory(prefix='reeve-policies.') as top:
            outside = Outside(top)
            text = re.sub(r'\{(\w+)\}', lambda m: str(outside.facts[m.group(1)]), policy)
            with open(top + '.toml', 'w', encoding='utf-8') as f:
                f.write(text)
            verdicts = judge(reeve, f.name, outside.facts, table, lacking)
            os.unlink(f.name)
            outside.close()
            for name, good, what in verdicts:
                number += 1
                failed += not good
                print(f'{"ok" if good else "not ok"} {number} - {group}: {name} # {what}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
