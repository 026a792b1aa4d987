# SPDX-License-Identifier: MIT
"""What a supervised run costs, beside strace, for programs that do much with files.

All times are taken inside: a stopwatch runs in each sandbox and starts the program, so that the
start of a sandbox, which has a measure of its own, is not in them.
"""
import os
import re
import shutil
import subprocess

from harness import DEGRADE

FILES = 8000
SOURCES = 16
LIVE = '''abi = 7
extends = ["base"]
[[ruleset]]
handled_access_fs = ["abi.all"]
[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["{program}"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{granted}"]
live = true
'''


# ------------------------------------------------------------------------ what is run

def make_files(work):
    for i in range(FILES):
        where = os.path.join(work, 'files', f'{i % 80:02}')
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, f'{i}.txt'), 'w', encoding='utf-8') as f:
            f.write(f'{i}\n' * 100)


def make_repository(work):
    where = os.path.join(work, 'repository')
    shutil.copytree(os.path.join(work, 'files'), os.path.join(where, 'files'))
    quiet = {'cwd': where, 'check': True, 'capture_output': True}
    identity = ['-c', 'user.name=n', '-c', 'user.email=e']
    subprocess.run(['git', 'init', '-q'], **quiet)
    subprocess.run(['git', 'add', '.'], **quiet)
    subprocess.run(['git', *identity, 'commit', '-qm', 'all'], **quiet)


def make_project(work):
    where = os.path.join(work, 'project')
    os.makedirs(where)
    for i in range(SOURCES):
        with open(os.path.join(where, f'part{i}.c'), 'w', encoding='utf-8') as f:
            f.write('#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n'
                    + ''.join(f'int part{i}_{k}(int a) {{ return printf("%d", a + {k}); }}\n'
                              for k in range(150)))
    with open(os.path.join(where, 'main.c'), 'w', encoding='utf-8') as f:
        f.write('int main(void) { return 0; }\n')
    objects = ' '.join(f'part{i}.o' for i in range(SOURCES))
    with open(os.path.join(where, 'Makefile'), 'w', encoding='utf-8') as f:
        f.write(f'all: clean\n\t@$(MAKE) --no-print-directory program\n'
                f'program: main.o {objects}\n\t@$(CC) -o $@ $^\n'
                '%.o: %.c\n\t@$(CC) -O1 -c -o $@ $<\n'
                'clean:\n\t@rm -f *.o program\n')


def scripts(bench):
    """Name → (script, limit of the default run, rounds)."""
    work = bench.work
    if not os.path.isdir(os.path.join(work, 'project')):
        make_files(work)
        make_repository(work)
        make_project(work)
    shell = {
        'read 8 000 files': (f'cat {work}/files/*/* > /dev/null', 1.3, 5),
        'tar': (f'tar cf - -C {work} files | cat > /dev/null', 1.3, 15),
        'git status': (f'git -C {work}/repository status > /dev/null', 1.3, 7),
        'make -j2': (f'make -s -j2 -C {work}/project', 1.3, 3),
        'python start': ('/usr/bin/python3 -c "import json, argparse, subprocess"', 1.1, 9),
    }
    return {name: (bench.path(name.replace(' ', '-') + '.sh', text + '\n'), limit, rounds)
            for name, (text, limit, rounds) in shell.items()}


# ------------------------------------------------------------------------ how it is run

def shim(bench):
    return os.path.join(os.path.dirname(bench.args.tools), 'shim', 'libreeve-shim.so')


def settings(bench):
    return {'HOME': bench.work, 'GIT_CONFIG_NOSYSTEM': '1', 'GIT_CONFIG_COUNT': '1',
            'GIT_CONFIG_KEY_0': 'safe.directory', 'GIT_CONFIG_VALUE_0': '*'}


def supervised(bench, *words):
    os.environ.setdefault('REEVE_SHIM', shim(bench))  # it is not installed
    set_up = [word for name, value in settings(bench).items()
              for word in ('--env', f'{name}={value}')]
    return [bench.args.reeve, 'run', '--quiet', *DEGRADE, *set_up, '--ro', bench.scratch, *words,
            '--']


def landlock_alone(bench):
    """The launcher with the same rules: what of a ratio to bare is not reeve's."""
    rules = bench.rules('programs.rules', 'workspace')
    with open(rules, 'a', encoding='utf-8') as f:
        f.write(f'path c {bench.scratch}\n')  # --ro
    set_up = [f'{name}={value}' for name, value in settings(bench).items()]
    return ['env', *set_up, bench.tool('launcher'), rules, '--']


def sandboxes(bench):
    ways = {
        'bare': [],
        'Landlock alone': landlock_alone(bench),
        'reeve': supervised(bench),
        'reeve --no-shim': supervised(bench, '--no-shim'),
        'reeve --events none': supervised(bench, '--events', 'none'),
    }
    if shutil.which('strace'):
        ways['strace --seccomp-bpf'] = ['strace', '-f', '--seccomp-bpf', '-e', 'trace=%file',
                                        '-qq', '-o', '/dev/null']
        ways['strace -f'] = ['strace', '-f', '-qq', '-o', '/dev/null']
    else:
        bench.missing['strace'] = 'not installed'
    return ways


def time_inside(bench, way, listed):
    """Milliseconds of one run; what is before it in the sandbox warmed up the caches."""
    out = bench.call([*way, os.path.join(bench.work, 'stopwatch'), '2', listed])
    last = out.splitlines()[-1].split()
    if last[3] != '0':
        raise RuntimeError(f'{way[:2]}: {listed}: exit code {last[3]}')
    return int(last[1]) / 1e6


def programs(bench):
    shutil.copy(bench.tool('stopwatch'), os.path.join(bench.work, 'stopwatch'))
    ways = sandboxes(bench)
    for name, (script, limit, rounds) in scripts(bench).items():
        listed = bench.path(f'{os.path.basename(script)}.list', f'sh\t{script}\n')
        samples = {way: [] for way in ways}
        for turn in range(bench.rounds(rounds)):
            for way, words in ways.items():
                if not way.startswith('strace') or turn < 2:
                    samples[way].append(time_inside(bench, words, listed))
        for way, times in samples.items():
            bench.fact(name, way, times, 'ms')
        for way, most in (('reeve', limit), ('reeve --no-shim', 2.0),
                          ('reeve --events none', 1.1)):
            bench.measure(f'{name}: {way} / bare', bench.ratio(name, way, 'bare'), '×', most,
                          note=f'Landlock alone: {bench.ratio(name, "Landlock alone", "bare"):.3f} x')


# ------------------------------------------------------------------------ counted

def count(bench, script, environment):
    """File system calls of a script: with the shim's tag, and all."""
    read, write = os.pipe()
    with open('/dev/null', 'w', encoding='utf-8') as null:
        subprocess.run(['sh', '-c', f'exec "$0" "$@" 3>&{write} {write}>&-',
                        bench.tool('count'), 'sh', script], cwd=bench.work,
                       env=dict(os.environ, LD_PRELOAD=shim(bench), **environment),
                       stdout=null, check=True, pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as told:
        tagged, untagged = (int(n) for n in re.findall(r'\d+', told.read()))
    return tagged, tagged + untagged


def count_paths(bench, script, environment):
    """Those that take a path, whether or not Landlock looks at them, and of these the execs."""
    told = os.path.join(bench.work, 'paths.strace')
    subprocess.run(['strace', '-f', '-qq', '-e', 'trace=%file', '-o', told, 'sh', script], cwd=bench.work,
                   env=dict(os.environ, LD_PRELOAD=shim(bench), **environment),
                   stdout=subprocess.DEVNULL, check=True)
    with open(told, encoding='utf-8', errors='replace') as lines:
        names = re.findall(r'^\d+ +(\w+)\(', lines.read(), re.M)
    return len(names), sum(name.startswith('execve') for name in names)


def untrapped(bench):
    """Of the file system calls, those that the shim keeps from the supervisor: counted, not timed.

    All that take a path; beside it, the share of those that Landlock looks at. What ld.so opens, and
    libc for a locale (some 25 calls a program where its files are not in one archive), is opened by
    calls inside of them that nothing can interpose; exec is always trapped.
    """
    def share(environment, name=None):
        """(trapped of those that Landlock looks at, of all), in percent."""
        tagged = calls = paths = execs = 0
        for script, (path, *_) in scripts(bench).items():
            one = count(bench, path, environment)
            if name is None:
                bench.fact('untrapped calls', script, [100 * one[0] / one[1]], '%')
            two = count_paths(bench, path, environment)
            tagged, calls, paths, execs = tagged + one[0], calls + one[1], paths + two[0], execs + two[1]
        bench.fact('untrapped calls', name or 'all of them', [100 * tagged / calls], '%')
        return 100 - 100 * tagged / calls, 100 * (calls - tagged + execs) / paths

    checked, trapped = share({})
    without = share({'LC_ALL': 'C'}, 'without a locale')
    bench.measure('file system calls that are trapped', trapped, '%', 5,
                  note=f'of those that Landlock looks at {checked:.2f} %; without a locale to load '
                       f'{without[1]:.2f} and {without[0]:.2f} %')


# ------------------------------------------------------------------------ single calls

def live_open(bench):
    """One CPU: what is compared is work, not where the scheduler puts two tasks."""
    granted = os.path.join(bench.work, 'granted')
    os.makedirs(granted)
    target = bench.path('work/granted/file', 'x')
    program = os.path.join(bench.work, 'openclose')
    shutil.copy(bench.tool('openclose'), program)
    policy = bench.path('live.toml', LIVE.format(program=program, granted=granted))
    one_cpu = ['taskset', '-c', '0']
    ways = {'bare': [], 'live grant': [bench.args.reeve, 'run', '--quiet', '-p', policy,
                                       '--no-shim', '--']}
    ways = {way: [*words, program, target, '20'] for way, words in ways.items()}
    # What of it no supervisor can do without: the two switches, and with it the open itself.
    for name, mode in (('trapped, goes on', 'continue'), ('trapped, opened', 'open')):
        ways[name] = [bench.tool('roundtrip'), mode, target, '20']
    samples = {way: [] for way in ways}
    for _ in range(bench.rounds(15)):
        for way, words in ways.items():
            samples[way].append(float(bench.call([*one_cpu, *words])))
    for way, times in samples.items():
        bench.fact('open and close, one CPU', way, times, 'ns')
    facts = bench.groups['open and close, one CPU']
    least = facts['trapped, opened']['calm'] / facts['bare']['calm']
    bench.measure('a live-granted open / bare', facts['live grant']['calm'] / facts['bare']['calm'],
                  '×', 6, note=f'{least:.2f} x with a supervisor that decides nothing')


def commit(bench):
    samples = [float(bench.call([bench.tool('commit'), '10000'])) for _ in range(bench.rounds(9))]
    bench.fact('commit of 10 000 rules', 'reeve', samples, 'ms')
    bench.measure('commit of 10 000 live rules', bench.median('commit of 10 000 rules', 'reeve'),
                  'ms', 10, strict=True)


BENCHES = [live_open, commit, untrapped, programs]
