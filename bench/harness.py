# SPDX-License-Identifier: MIT
"""What the measures have in common: a scratch directory, timing in turn, facts and measures."""
import os
import shutil
import statistics
import subprocess

DEGRADE = ['--degrade', 'pathname_unix_socket']


class Bench:
    def __init__(self, args, scratch):
        self.args = args
        self.scratch = scratch
        self.work = os.path.join(scratch, 'work')
        self.fresh = os.path.join(scratch, 'fresh')
        os.mkdir(self.work)
        os.mkdir(self.fresh)
        self.measures = []
        self.groups = {}
        self.missing = {}

    def tool(self, name):
        return os.path.join(self.args.tools, 'bench-' + name)

    def path(self, name, text=None):
        path = os.path.join(self.scratch, name)
        if text is not None:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
        return path

    def call(self, command):
        """The output of a command; what it says on failure is worth reading."""
        return self.both(command)[0]

    def both(self, command):
        done = subprocess.run(command, cwd=self.work, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f'{" ".join(command)}: exit code {done.returncode}: '
                               f'{done.stderr.strip()}')
        return done.stdout, done.stderr

    def rules(self, name, policy):
        return self.path(name, self.call([self.tool('dump_rules'), self.fresh, policy,
                                          'pathname_unix_socket']))

    def rounds(self, n):
        return max(3, int(n * self.args.rounds))

    def measure(self, name, value, unit, limit, strict=False, note=''):
        good = value < limit if strict else value <= limit
        self.measures.append({'name': name, 'value': round(value, 4), 'unit': unit,
                              'limit': limit, 'comparison': '<' if strict else '<=',
                              'met': good, 'note': note})

    def fact(self, group, name, samples, unit):
        self.groups.setdefault(group, {})[name] = {
            'median': statistics.median(samples), 'least': min(samples),
            'calm': sorted(samples)[len(samples) // 10], 'most': max(samples),
            'samples': len(samples), 'unit': unit}

    def median(self, group, name):
        return self.groups[group][name]['median']

    def ratio(self, group, name, other):
        return self.median(group, name) / self.median(group, other)

    def time_starts(self, group, commands, rounds, inside=()):
        """Medians in ms of starting each of commands (a dict), in turn; `inside`: words that run the rest of theirs."""
        lines = ['\t'.join(words) for words in commands.values()]
        listed = self.path('commands', '\n'.join(lines) + '\n')
        out, told = self.both([*inside, self.tool('stopwatch'), str(rounds), listed])
        names = list(commands)
        times, peaks, failed = {}, {}, set()
        for line in out.splitlines():
            which, ns, rss, code = (int(word) for word in line.split())
            times.setdefault(names[which], []).append(ns / 1e6)
            peaks.setdefault(names[which], []).append(rss)
            if code:
                failed.add((names[which], code))
        for name, code in failed:
            raise RuntimeError(f'{group}: {name} ended with exit code {code}: {told.strip()[-500:]}')
        for name in names:
            self.fact(group, name, times[name], 'ms')
            self.groups[group][name]['peak_kib'] = max(peaks[name])


def others(bench):
    """Other sandboxes, as near to `workspace` as they come. Missing ones are said to be missing."""
    work = bench.work
    candidates = {
        'bwrap': ['bwrap', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc',
                  '--tmpfs', '/tmp', '--bind', work, work, '--unshare-all', '--die-with-parent',
                  '--new-session', '--'],
        'firejail': ['firejail', '--quiet', '--noprofile', '--private-tmp', '--net=none',
                     '--whitelist=' + work, '--'],
        'unshare': ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--net', '--ipc',
                    '--uts', '--fork', '--'],
    }
    found = {}
    for name, words in candidates.items():
        if not shutil.which(words[0]):
            bench.missing[name] = 'not installed'
            continue
        done = subprocess.run(words + ['true'], cwd=work, capture_output=True, text=True)
        if done.returncode and name == 'firejail':
            words = ['firejail', '--quiet', '--noprofile', '--']
            done = subprocess.run(words + ['true'], cwd=work, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ['no reason given'])[-1]
            bench.missing[name] = f'does not work here: {reason}'
            continue
        found[name] = words
    return found


def static_run(bench, *words):
    return [bench.args.reeve, 'run', '--static', *DEGRADE, *words, '--']
