# SPDX-License-Identifier: MIT
"""What it costs to learn a policy, beside strace, and what a large record takes."""
import os
import shutil
import subprocess
import time

SOURCES = 60
MANY = 1000000


def make_small(work):
    """A project whose time goes into opening files more than into compiling."""
    where = os.path.join(work, 'small')
    os.makedirs(where)
    for i in range(SOURCES):
        with open(os.path.join(where, f'part{i}.c'), 'w', encoding='utf-8') as f:
            f.write(f'#include <stdio.h>\nint part{i}(void) {{ return puts("{i}"); }}\n')
    with open(os.path.join(where, 'main.c'), 'w', encoding='utf-8') as f:
        f.write('int main(void) { return 0; }\n')
    objects = ' '.join(f'part{i}.o' for i in range(SOURCES))
    with open(os.path.join(where, 'Makefile'), 'w', encoding='utf-8') as f:
        f.write(f'program: main.o {objects}\n\t@$(CC) -o $@ $^\n%.o: %.c\n\t@$(CC) -c -o $@ $<\n'
                'clean:\n\t@rm -f *.o program\n')
    return where


def elapsed(where, command):
    subprocess.run(['make', '-s', 'clean'], cwd=where, check=True)
    before = time.monotonic()
    done = subprocess.run(command, cwd=where, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command)}: {done.stderr.strip()}')
    return (time.monotonic() - before) * 1e3


def learn_beside_strace(bench):
    build = ['make', '-s', '-j2']
    ways = {'bare': build,
            'reeve learn': [bench.args.reeve, 'learn', '--quiet', '-o',
                            os.path.join(bench.scratch, 'learned.toml'), '--', *build],
            'reeve deps': [bench.args.reeve, 'deps', '--quiet', '-o',
                           os.path.join(bench.scratch, 'deps.json'), '--', *build]}
    if shutil.which('strace'):
        ways['strace -f'] = ['strace', '-f', '-qq', '-o', '/dev/null', *build]
    else:
        bench.missing['strace'] = 'not installed'
    where = make_small(bench.work)
    samples = {way: [] for way in ways}
    for _ in range(bench.rounds(3)):
        for way, command in ways.items():
            samples[way].append(elapsed(where, command))
    for way, times in samples.items():
        bench.fact('learn from make -j2', way, times, 'ms')
    for verb in ('learn', 'deps') if 'strace -f' in ways else ():
        bench.measure(f'{verb}: make -j2', bench.ratio('learn from make -j2', f'reeve {verb}', 'strace -f'),
                      'x strace -f', 0.5)


def record_of_a_million(bench):
    place = os.path.join(bench.scratch, 'record')
    os.makedirs(place)
    noted, size, written, walked = [], [], [], []
    for _ in range(bench.rounds(3)):
        for samples, word in zip((noted, size, written, walked),
                                 bench.call([bench.tool('record'), str(MANY), place]).split()):
            samples.append(float(word))
    bench.fact('a million accesses', 'note one', noted, 'ns')
    bench.fact('a million accesses', 'keep one', size, 'bytes')
    bench.fact('a million accesses', 'hand them out', walked, 'ms')
    bench.fact('a million accesses', 'make a policy of them', written, 'ms')
    bench.measure('a million accesses, kept', bench.median('a million accesses', 'keep one') * MANY / 2**20,
                  'MiB', 200, strict=True)
    bench.measure('a million accesses, written', bench.median('a million accesses', 'make a policy of them') / 1e3,
                  's', 1, strict=True, note='of the processor')


BENCHES = [learn_beside_strace, record_of_a_million]
