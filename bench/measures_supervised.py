# SPDX-License-Identifier: MIT
"""What a supervisor costs: its start, its memory, and many of them at once."""
import os
import subprocess
import time

from harness import DEGRADE, static_run

RULES = 10000
AT_ONCE = 200


def supervised_run(bench, *words):
    return [bench.args.reeve, 'run', '--quiet', *DEGRADE, *words, '--']


def supervised_start(bench):
    group = 'start of true, with a supervisor'
    bench.time_starts(group, {'static': static_run(bench) + ['true'],
                              'supervised': supervised_run(bench) + ['true'],
                              'unobserved': supervised_run(bench, '--events', 'none') + ['true']},
                      bench.rounds(200))
    bench.measure('start of true: supervised / static', bench.ratio(group, 'supervised', 'static'),
                  '×', 1.6)


def started(bench, *words):
    """A sandboxed cat that has answered, so that all of its start is over."""
    process = subprocess.Popen(supervised_run(bench, *words) + ['cat'], cwd=bench.work,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write('ready\n')
    process.stdin.flush()
    return process


def answers(process):
    return process.stdout.readline() == 'ready\n'


def ended(process):
    process.stdin.close()
    process.stdout.read()
    return process.wait() == 0


def status(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as f:
        lines = (line.split(':', 1) for line in f)
        return {name: int(value.split()[0]) for name, value in lines
                if name.startswith(('Vm', 'Rss'))}


def settled(pid):
    """Its status when it has become still: it gives memory back while the program runs already."""
    before, now = None, status(pid)
    while now != before:
        time.sleep(0.3)
        before, now = now, status(pid)
    return now


def supervisor_memory(bench):
    """What is resident of the supervisor, libraries included, while its program waits."""
    directory = os.path.join(bench.scratch, 'live')
    text = ['abi = 5', '[[ruleset]]', 'handled_access_fs = ["abi.all"]', '[[path_beneath]]',
            'allowed_access = ["abi.read_execute"]',
            'parent = ["/usr", "/bin", "/lib", "/lib64", "/etc"]', 'missing = "ignore"']
    for i in range(RULES):
        text += ['[[path_beneath]]', 'allowed_access = ["read_file"]',
                 f'parent = ["{directory}/{i}"]', 'live = true']
    policy = bench.path('live.toml', '\n'.join(text) + '\n')
    for name, words in {'no live rule': [], f'{RULES} live rules': ['-p', policy]}.items():
        process = started(bench, *words)
        if not answers(process):
            raise RuntimeError(f'a supervised run with {name} does not start')
        memory = settled(process.pid)
        ended(process)
        bench.fact('memory of a supervisor', name, [memory['VmRSS']], 'KiB')
        bench.fact('memory of a supervisor, its own', name, [memory['RssAnon']], 'KiB')
    bench.measure(f'memory of a supervisor with {RULES} rules', memory['VmRSS'] / 1024, 'MiB', 4,
                  strict=True)


def at_once(bench):
    """Each has a supervisor, a connector and a program, and answers while all others run."""
    processes = [started(bench) for _ in range(AT_ONCE)]
    alive = sum([answers(process) for process in processes])
    good = sum([ended(process) for process in processes])
    bench.measure(f'of {AT_ONCE} sandboxes at once, those that failed', AT_ONCE - min(alive, good),
                  '', 0)


BENCHES = [supervised_start, supervisor_memory, at_once]
