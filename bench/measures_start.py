# SPDX-License-Identifier: MIT
"""What a start costs: under `workspace`, with a thousand rules, in memory, step by step."""
import os
import shutil

from harness import others, static_run


def start(bench):
    rules = bench.rules('workspace.rules', 'workspace')
    commands = {'bare': [], 'launcher': [bench.tool('launcher'), rules, '--'],
                'reeve': static_run(bench), **others(bench)}
    commands = {name: words + ['true'] for name, words in commands.items()}
    bench.time_starts('start of true', commands, bench.rounds(400))
    bench.measure('start of true: reeve / launcher', bench.ratio('start of true', 'reeve',
                                                                 'launcher'), '×', 1.25)
    if 'bwrap' in commands:
        bench.measure('start of true: reeve / bwrap',
                      bench.ratio('start of true', 'reeve', 'bwrap'), '×', 0.7, strict=True)


def many_rules(bench):
    tree = os.path.join(bench.scratch, 'tree')
    paths = [os.path.join(tree, f'{i // 32:02}', f'{i % 32:02}') for i in range(1000)]
    for path in paths:
        os.makedirs(path)
    text = ['abi = 5', '[[ruleset]]', 'handled_access_fs = ["abi.all"]',
            '[[path_beneath]]', 'allowed_access = ["abi.read_execute"]',
            'parent = ["/usr", "/bin", "/lib", "/lib64", "/etc"]']
    for path in paths:
        text += ['[[path_beneath]]', 'allowed_access = ["abi.read_write"]', f'parent = ["{path}"]']
    policy = bench.path('thousand.toml', '\n'.join(text) + '\n')
    rules = bench.rules('thousand.rules', policy)
    commands = {'bare': ['true'], 'launcher': [bench.tool('launcher'), rules, '--', 'true'],
                'reeve': static_run(bench, '-p', policy) + ['true']}
    bench.time_starts('start with 1000 rules', commands, bench.rounds(150))
    bench.measure('start of true with 1000 path rules',
                  bench.median('start with 1000 rules', 'reeve'), 'ms', 10, strict=True)


def memory(bench):
    """The peak of a static start is reeve's own where the program that it becomes is smaller.

    The kernel keeps one high-water mark over all the programs that a process becomes; that of
    `nothing` alone (and of stopwatch, whose memory the child shares until exec) is the floor.
    """
    program = os.path.join(bench.work, 'nothing')
    shutil.copy(bench.tool('nothing'), program)
    rules = bench.rules('memory.rules', 'workspace')
    bench.time_starts('peak memory', {
        'bare': [program], 'launcher': [bench.tool('launcher'), rules, '--', program],
        'reeve': static_run(bench) + [program]}, bench.rounds(20))
    peaks = {name: fact['peak_kib'] for name, fact in bench.groups['peak memory'].items()}
    del bench.groups['peak memory']
    for name, peak in peaks.items():
        bench.fact('peak memory', name, [peak], 'KiB')
    if peaks['reeve'] <= peaks['bare']:
        raise RuntimeError('the peak of reeve cannot be told from that of what it starts')
    bench.measure('peak memory of a static start', peaks['reeve'] / 1024, 'MiB', 4, strict=True)


def phases(bench):
    """No promise: where the time of a start goes, for who wants to shorten it."""
    samples = {}
    out = bench.call([bench.tool('phases'), 'workspace', str(bench.rounds(200)),
                      'pathname_unix_socket'])
    for line in out.splitlines():
        step, microseconds = line.split()
        samples.setdefault(step, []).append(float(microseconds))
    for step, times in samples.items():
        bench.fact('steps of a start under workspace', step, times, 'µs')


BENCHES = [start, phases, many_rules, memory]
