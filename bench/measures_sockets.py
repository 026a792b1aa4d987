# SPDX-License-Identifier: MIT
"""What calls on sockets cost that the supervisor performs, and those that it does not."""
import contextlib
import csv
import os
import shutil
import socket
import subprocess
import time

from harness import static_run

# As far as possible what the profile leaves out: rules of sockets that nothing needs.
FAMILIES = ['netlink', 'packet', 'vsock', 'bluetooth', 'can']
TYPES = ['stream', 'dgram', 'seqpacket', 'raw', 'rdm']


def program(bench):
    path = os.path.join(bench.work, 'sockets')
    shutil.copy(bench.tool('sockets'), path)
    return path


def compare(bench, group, what, loops, commands, rounds):
    """Medians in ns, each command in turn."""
    path = program(bench)
    samples = {name: [] for name in commands}
    names = list(commands)
    for turn in range(bench.rounds(rounds)):
        for i in range(len(names)):
            name = names[(i + turn) % len(names)]
            samples[name].append(float(bench.call(commands[name] + [path, what, str(loops)])))
    for name in names:
        bench.fact(group, name, samples[name], 'ns')


def supervised(bench, *words):
    return [bench.args.reeve, 'run', '--quiet', '--no-shim', *words, '--']


def connects(bench):
    """UNIX within the domain, and TCP on the loopback, which is trapped for its events."""
    inet = ['--socket', 'unix', '--socket', 'inet', '--bind-tcp', '0', '--connect-tcp', '1-65535']
    commands = {'bare': [], 'reeve': supervised(bench, *inet)}
    compare(bench, 'connect to a UNIX socket', 'unix', 100, commands, 10)
    bench.measure('connect to a UNIX socket inside: reeve / bare',
                  bench.ratio('connect to a UNIX socket', 'reeve', 'bare'), '×', 20)
    compare(bench, 'connect by TCP', 'tcp', 50, commands, 10)
    bench.measure('connect by TCP on the loopback: reeve / bare',
                  bench.ratio('connect by TCP', 'reeve', 'bare'), '×', 6)


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def is_up(port):
    with socket.socket() as one:
        return one.connect_ex(('127.0.0.1', port)) == 0


def redis_server(bench):
    """Debian's redis-tools has the server under another name; its own package would start one for good."""
    path = os.path.join(bench.work, 'redis-server')
    if not os.path.exists(path):
        shutil.copy(shutil.which('redis-check-rdb'), path)
    return path


@contextlib.contextmanager
def served(bench, sandboxed):
    """A Redis server, by its port."""
    port = free_port()
    inet = ['--socket', 'unix', '--socket', 'inet', '--bind-tcp', str(port)]
    words = supervised(bench, *inet) if sandboxed else []
    server = subprocess.Popen([*words, redis_server(bench), '--bind', '127.0.0.1', '--port', str(port), '--save', ''],
                              cwd=bench.work, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not is_up(port):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError('redis-server does not start')
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait()


def requests_per_second(bench, port):
    out = bench.call(['redis-benchmark', '-p', str(port), '-n', '20000', '-c', '20', '-t', 'get', '--csv'])
    return float(list(csv.DictReader(out.splitlines()))[0]['rps'])


def established(bench):
    """What a server does over connections that exist: nothing of it is trapped, all goes through the filter."""
    inet = ['--socket', 'unix', '--socket', 'inet', '--bind-tcp', '0', '--connect-tcp', '1-65535']
    commands = {'bare': [], 'reeve': supervised(bench, *inet)}
    compare(bench, 'a byte to and fro over TCP', 'stream', 1000, commands, 20)
    if not shutil.which('redis-benchmark'):
        bench.missing['redis-benchmark'] = 'not installed'
        return
    with served(bench, False) as bare, served(bench, True) as reeve:
        ports = {'bare': bare, 'reeve': reeve}
        samples = {name: [] for name in ports}
        for turn in range(bench.rounds(40)):
            for name in sorted(ports, reverse=turn % 2):
                samples[name].append(1e6 / requests_per_second(bench, ports[name]))
    for name, times in samples.items():
        bench.fact('redis-benchmark, a GET', name, times, 'us')
    bench.measure('redis-benchmark, established connections: reeve / bare',
                  bench.ratio('redis-benchmark, a GET', 'reeve', 'bare'), '×', 1 / 0.97,
                  note='0.97 of the throughput; of a byte to and fro without any work '
                       f'{bench.ratio("a byte to and fro over TCP", "reeve", "bare"):.3f} x')


def creation(bench):
    """50 rules, all of which the filter looks through before it allows what comes last."""
    rules = []
    for i in range(50):
        rules += ['--socket', f'{FAMILIES[i % 5]}:{TYPES[i // 5 % 5]}:{i + 1}']
    rules += ['--socket', 'inet:dgram']
    commands = {'bare': [], '50 rules': static_run(bench, *rules)}
    compare(bench, 'socket and close', 'socket', 2000, commands, 30)
    bench.measure('socket() with 50 static rules: reeve / bare',
                  bench.ratio('socket and close', '50 rules', 'bare'), '×', 1.1)


BENCHES = [connects, established, creation]
