# SPDX-License-Identifier: MIT
"""What it takes to learn the domain of a process, among 200 domains."""
import subprocess

from harness import DEGRADE

DOMAINS, CALLS = 200, 500
# The program, a child of a child of its, and one that lost its parent.
PROGRAM = ('exec 3<&0; echo $$; sh -c \'sh -c "echo \\$\\$; read x <&3"; :\' & (sh -c "echo \\$\\$; read x <&3" &); '
           'wait; read x')


def started(bench, program):
    return subprocess.Popen([bench.args.reeve, 'run', '--quiet', *DEGRADE, '--', 'sh', '-c', program],
                            cwd=bench.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def pidfd_domain(bench):
    running, group = [], f'domain of a process, {DOMAINS} domains'
    try:
        for _ in range(DOMAINS - 1):
            running.append(started(bench, 'echo ready; read x'))
            running[-1].stdout.readline()
        running.append(started(bench, PROGRAM))
        pids = [running[-1].stdout.readline().strip() for _ in range(3)]
        lines = [line.split() for line in bench.call([bench.tool('pidfd_domain'), str(CALLS), *pids]).splitlines()]
    finally:
        for process in running:
            process.stdin.close()
        for process in running:
            process.wait()
    took = dict(zip(('program', 'below it', 'orphan'), sorted(float(line[2]) for line in lines)))
    if len({line[1] for line in lines}) != 1 or lines[0][1] == '0':
        raise RuntimeError(f'not one domain: {lines}')
    for name, value in took.items():
        bench.fact(group, name, [value], 'µs')
    bench.measure('reeve_pidfd_domain of a program', took['program'], 'µs', 100)
    bench.measure('reeve_pidfd_domain below a program', took['below it'], 'µs', 100)
    # Its supervisor has no other children, and said so: else it had to be asked, which wakes two processes.
    bench.measure('reeve_pidfd_domain of an orphan', took['orphan'], 'µs', 100)


BENCHES = [pidfd_domain]
