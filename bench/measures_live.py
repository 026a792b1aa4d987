# SPDX-License-Identifier: MIT
"""Policies that change while a program runs, and trees with a denial inside."""
import json
import os
import shutil
import subprocess
import time

from harness import DEGRADE

RULES = 10000
PACKAGE_FILES = 1000


def live_policy(directory, turn):
    """All rules live; one of them is another in each turn."""
    text = ['abi = 5', '[[ruleset]]', 'handled_access_fs = ["abi.all"]', '[[path_beneath]]',
            'allowed_access = ["abi.read_execute"]',
            'parent = ["/usr", "/bin", "/lib", "/lib64", "/etc"]', 'missing = "ignore"']
    for i in [*range(RULES - 1), f'turn-{turn}']:
        text += ['[[path_beneath]]', 'allowed_access = ["read_file"]',
                 f'parent = ["{directory}/{i}"]', 'live = true']
    return '\n'.join(text) + '\n'


def reload_time(bench, domain, environment):
    before = time.monotonic()
    done = subprocess.run([bench.args.reeve, 'reload', domain], env=environment,
                          capture_output=True, text=True)
    took = time.monotonic() - before
    if done.returncode:
        raise RuntimeError(f'reeve reload: {done.stderr.strip()}')
    if '1 live rule more, 1 less' not in done.stdout:
        raise RuntimeError(f'reeve reload: not what was expected: {done.stdout.strip()}')
    return took * 1e3


def reload(bench):
    """By the command, so that it is what somebody waits for who changed the file."""
    runtime = os.path.join(bench.scratch, 'runtime')
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    environment = dict(os.environ, XDG_RUNTIME_DIR=runtime)
    directory = os.path.join(bench.scratch, 'live')
    os.mkdir(directory)
    for i in range(RULES):
        open(os.path.join(directory, str(i)), 'w').close()
    policy = bench.path('reload.toml', live_policy(directory, 0))
    read, write = os.pipe()
    process = subprocess.Popen([bench.args.reeve, 'run', '--quiet', *DEGRADE, '-p', policy,
                                '--status-fd', str(write), '--', 'cat'], cwd=bench.work,
                               env=environment, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as status:
        domain = json.loads(status.readline())['domain']
        samples = []
        for turn in range(1, bench.rounds(9) + 1):
            bench.path('reload.toml', live_policy(directory, turn))
            samples.append(reload_time(bench, domain, environment))
        process.stdin.close()
        process.wait()
    bench.fact('reload of 10 000 rules', 'reeve', samples, 'ms')
    bench.measure('reload of a file of 10 000 rules',
                  bench.median('reload of 10 000 rules', 'reeve'), 'ms', 100)


def make_package(work):
    """A tarball as npm pack makes it."""
    package = os.path.join(work, 'package')
    os.makedirs(os.path.join(package, 'lib'))
    with open(os.path.join(package, 'package.json'), 'w', encoding='utf-8') as f:
        json.dump({'name': 'thousand', 'version': '1.0.0'}, f)
    for i in range(PACKAGE_FILES):
        with open(os.path.join(package, 'lib', f'{i}.js'), 'w', encoding='utf-8') as f:
            f.write(f'module.exports = {i};\n' * 20)
    subprocess.run(['tar', 'czf', 'thousand.tgz', 'package'], cwd=work, check=True)


def install(bench, project, way):
    """Seconds; the tree is as before afterwards."""
    shutil.rmtree(project, ignore_errors=True)
    os.makedirs(os.path.join(project, '.git', 'hooks'))
    with open(os.path.join(project, 'package.json'), 'w', encoding='utf-8') as f:
        f.write('{"name": "project", "version": "1.0.0"}\n')
    before = time.monotonic()
    done = subprocess.run([*way, 'npm', 'install', '--offline', '--no-audit', '--no-fund',
                           '../thousand.tgz'], cwd=project, capture_output=True, text=True,
                          env=dict(os.environ, HOME=bench.work,
                                   npm_config_cache=os.path.join(bench.work, 'cache'),
                                   npm_config_update_notifier='false'))
    took = time.monotonic() - before
    if done.returncode:
        raise RuntimeError(f'{way[:2]}: npm install: {done.stderr.strip()}')
    count = len(os.listdir(os.path.join(project, 'node_modules', 'thousand', 'lib')))
    if count != PACKAGE_FILES:
        raise RuntimeError(f'{way[:2]}: npm install made {count} files')
    return took


def npm_install(bench):
    """A tree is granted, and something within it denied: what npm makes is made by the supervisor."""
    if not shutil.which('npm'):
        bench.missing['npm'] = 'not installed'
        return
    group = f'npm install of {PACKAGE_FILES} files, a denial inside of the tree'
    work = os.path.join(bench.work, 'npm')
    project = os.path.join(work, 'project')
    os.makedirs(work)
    make_package(work)
    shim = os.path.join(os.path.dirname(bench.args.tools), 'shim', 'libreeve-shim.so')
    os.environ.setdefault('REEVE_SHIM', shim)
    ways = {'bare': [],
            'reeve': [bench.args.reeve, 'run', '--quiet', *DEGRADE, '--rw', bench.work,
                      '--deny', os.path.join(project, '.git'), '--']}
    samples = {name: [] for name in ways}
    for turn in range(bench.rounds(5) + 1):
        for name, way in ways.items():
            took = install(bench, project, way)
            if turn:  # the first one fills the caches
                samples[name].append(took)
    for name, times in samples.items():
        bench.fact(group, name, times, 's')
    bench.measure('npm install in a tree with a denial inside / bare',
                  bench.ratio(group, 'reeve', 'bare'), '×', 2)


BENCHES = [reload, npm_install]
