# SPDX-License-Identifier: MIT
"""What a running program pays for each call."""
import os
import shutil

from harness import others, static_run


def open_close(bench):
    target = os.path.join(bench.work, 'file')
    bench.path('work/file', 'x')
    rules = bench.rules('open.rules', 'workspace')
    program = os.path.join(bench.work, 'openclose')
    shutil.copy(bench.tool('openclose'), program)
    commands = {'bare': [], 'launcher': [bench.tool('launcher'), rules, '--'],
                'reeve': static_run(bench), **others(bench)}
    samples = {name: [] for name in commands}
    names = list(commands)
    for turn in range(bench.rounds(60)):
        for i in range(len(names)):
            name = names[(i + turn) % len(names)]
            samples[name].append(float(bench.call(commands[name] + [program, target, '200'])))
    for name in names:
        bench.fact('open and close', name, samples[name], 'ns')
    bench.measure('open and close: reeve / launcher',
                  bench.ratio('open and close', 'reeve', 'launcher'), '×', 1.05)


BENCHES = [open_close]
