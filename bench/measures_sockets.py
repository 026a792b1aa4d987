# SPDX-License-Identifier: MIT
"""What calls on sockets cost that the supervisor performs, and those that it does not."""
import os
import shutil

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


def established(bench):
    inet = ['--socket', 'unix', '--socket', 'inet', '--bind-tcp', '0', '--connect-tcp', '1-65535']
    commands = {'bare': [], 'reeve': supervised(bench, *inet)}
    compare(bench, 'a byte to and fro over TCP', 'stream', 1000, commands, 20)
    bench.measure('an established connection: reeve / bare',
                  bench.ratio('a byte to and fro over TCP', 'reeve', 'bare'), '×', 1 / 0.97,
                  note='0.97 of the throughput')


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
