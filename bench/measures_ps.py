# SPDX-License-Identifier: MIT
"""What it takes to see what runs: 200 domains, and with them 5 000 processes."""
import os
import subprocess
import time

from harness import DEGRADE

DOMAINS, PROCESSES = 200, 5000
# A supervisor, its connector and its witness, and the program itself.
EACH = PROCESSES // DOMAINS - 4
# They end with their standard input.
PROGRAM = f'exec 3<&0; for i in $(seq {EACH}); do (read x <&3) & done; echo ready; wait'


def started(bench):
    process = subprocess.Popen([bench.args.reeve, 'run', '--quiet', *DEGRADE, '--', 'sh', '-c', PROGRAM],
                               cwd=bench.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != 'ready\n':
        raise RuntimeError('a supervised run does not start')
    return process


def processes():
    return sum(name.isdigit() for name in os.listdir('/proc'))


def listed(bench):
    """How many the listing has, so that a fast one is also a whole one."""
    return len(bench.call([bench.args.reeve, 'ps', '--json']).splitlines())


def wait_for(condition):
    """A domain is listed some milliseconds after its start."""
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError('not all domains and processes are there')
        time.sleep(0.1)


def alone(bench, before):
    """Words that run others with a /run/reeve of their own: pins of this host are neither used nor replaced."""
    script = f'mount -t tmpfs -o mode=755 reeve /run/reeve && {before} && exec "$@"'
    return ['unshare', '--mount', 'sh', '-c', script, bench.args.reeve]


def ps_all(bench):
    """What root sees, with the BPF iterator loaded for it or pinned."""
    name, command = f'ps --all, {DOMAINS} domains, {PROCESSES} processes', {'ps --all': [bench.args.reeve, 'ps', '--all']}
    made = not os.path.exists('/run/reeve')
    try:
        os.makedirs('/run/reeve', exist_ok=True)
        bench.call([*alone(bench, 'true'), *command['ps --all']])
        bench.time_starts(name, command, bench.rounds(20), alone(bench, 'true'))
        bench.time_starts(name + ', pinned', command, bench.rounds(50), alone(bench, '"$0" observe pin >/dev/null'))
        for group, limit in (name, 250), (name + ', pinned', 30):
            bench.measure(group, bench.median(group, 'ps --all'), 'ms', limit)
    except (RuntimeError, OSError) as error:
        bench.missing['ps --all'] = str(error).splitlines()[0]
    finally:
        if made and os.path.isdir('/run/reeve'):
            os.rmdir('/run/reeve')


def ps(bench):
    before, running = processes(), []
    try:
        for _ in range(DOMAINS):
            running.append(started(bench))
        wait_for(lambda: listed(bench) >= DOMAINS and processes() - before >= PROCESSES * 0.95)
        commands = {'ps': [bench.args.reeve, 'ps'], 'ps --tree': [bench.args.reeve, 'ps', '--tree'],
                    'version': [bench.args.reeve, 'version']}
        bench.time_starts(f'ps, {DOMAINS} domains, {PROCESSES} processes', commands, bench.rounds(50))
        ps_all(bench)
    finally:
        for process in running:
            process.stdin.close()
        for process in running:
            process.wait()
    for name in 'ps', 'ps --tree':
        bench.measure(f'{name}, {DOMAINS} domains, {PROCESSES} processes',
                      bench.median(f'ps, {DOMAINS} domains, {PROCESSES} processes', name), 'ms', 50)


BENCHES = [ps]
