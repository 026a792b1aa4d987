# SPDX-License-Identifier: MIT
"""What a kernel's run said, and the page of all of them (docs/KERNELS.md)."""
import json
import pathlib
import re
import runpy

TOOLS = pathlib.Path(__file__).resolve().parents[2] / 'tools'
SUMMARY = runpy.run_path(str(TOOLS / 'tap-summary.py'), run_name='tap_summary')


class Kernel:
    def __init__(self, suite):
        self.suite = suite
        self.release, self.abi = '?', '?'
        self.build = self.day = '?'
        self.features = {}
        self.policies = {}
        self.tap = {}
        self.counts = {}
        self.seconds = {}
        self.failures = []
        self.passed = self.failed = self.skipped = 0


def read_machine(kernel, text):
    for line in text.splitlines():
        if not line.startswith('{'):
            continue
        entry = json.loads(line)
        if entry.get('type') == 'machine':
            kernel.release, kernel.abi = entry['kernel'], entry['landlock_abi']
        elif entry.get('type') == 'feature':
            kernel.features[entry['feature']] = entry


def read_policies(kernel, text):
    for name, verdict in re.findall(r'^ok \d+ - (.*?) # (.*)$', text, re.MULTILINE):
        kernel.policies[name] = verdict


def add(kernel, name, text, status):
    """One test program: its subtests, and what kept it from telling them."""
    totals = SUMMARY['Totals']()
    broken = SUMMARY['add_tap'](totals, name, text)
    if status in (124, 137, 143):
        broken = 'timed out, with nothing wrong until then' if not totals.failed else 'timed out'
    elif not broken and status not in (0, 1):
        broken = f'exit status {status}'
    if broken:
        totals.fail(name, broken)
    kernel.tap[name] = text
    kernel.counts[name] = (totals.passed, totals.failed, totals.skipped)
    kernel.passed += totals.passed
    kernel.failed += totals.failed
    kernel.skipped += totals.skipped
    kernel.failures += [f'{name}: {subtest}' for _, subtest, _ in totals.failures]


def read(suite, results, names, missing):
    """`missing`: what a test says that never came to its end."""
    kernel = Kernel(suite)
    for name in names:
        if name in results:
            kernel.seconds[name] = results[name][2]
        if name not in results:
            add(kernel, name, missing, 1)
        elif name == 'machine':
            read_machine(kernel, results[name][0])
        else:
            add(kernel, name, *results[name][:2])
            if name == 'policies':
                read_policies(kernel, results[name][0])
    if kernel.abi == '?':
        kernel.failed += 1
        kernel.failures.append('machine: it did not say what it is')
    return kernel


def joined_tap(kernels):
    """One subtest for each program on each kernel that failed nothing; the failed ones by name."""
    lines = []
    for kernel in kernels:
        for name, (passed, failed, skipped) in kernel.counts.items():
            word = 'not ok' if failed else 'ok'
            whole = next(iter(re.findall('^1[.][.]0 (# SKIP .*)', kernel.tap[name])), '')
            lines.append(f'{word} {len(lines) + 1} - Linux {kernel.release}: {name}: {passed} passed, '
                         f'{failed} failed, {skipped} skipped {whole}'.rstrip())
    return '\n'.join([f'1..{len(lines)}', *lines])


# ------------------------------------------------------------------------ the page

HEAD = '''# What each kernel can do

*Made by `make test-kernels`, which boots Debian's kernels and runs the same test programs on each: not
edited by hand.*

'''
SHORT = {'nobody': '–', 'nobody yet': '–'}


def row(cells):
    return '| ' + ' | '.join(str(cell) for cell in cells) + ' |'


def table(head, rows):
    return [row(head), row(['---'] * len(head)), *[row(r) for r in rows], '']


def document(kernels):
    titles = [f'Linux {kernel.release.split("-")[0].split("+")[0]}' for kernel in kernels]
    lines = [HEAD.rstrip('\n'), '']
    lines += table(['', *titles], [
        ['Landlock ABI', *[kernel.abi for kernel in kernels]],
        ['Debian suite', *[kernel.suite for kernel in kernels]],
        ['run on', *[kernel.day for kernel in kernels]],
        ['build (a hash of command and library)', *[kernel.build for kernel in kernels]],
        ['test programs', *[len(kernel.counts) for kernel in kernels]],
        ['subtests passed', *[kernel.passed for kernel in kernels]],
        ['failed', *[kernel.failed for kernel in kernels]],
        ['skipped: not to be had on this kernel', *[kernel.skipped for kernel in kernels]]])
    if len({(kernel.build, len(kernel.counts)) for kernel in kernels}) > 1:
        lines += ['The columns are of separate runs, of different builds or with fewer programs: only what is in the same '
                  'row of the tables below can be compared.', '']
    failures = [f'- Linux {kernel.release}: {name}' for kernel in kernels for name in kernel.failures]
    lines += ['Failed:', '', *failures, ''] if failures else []
    lines += ['## Who enforces what', '',
              'As `reeve check` says it there. "–": nobody can, and a policy that asks for it is refused by name.', '']
    names = list(kernels[-1].features)
    lines += table(['feature', *titles], [
        [f'`{name}`', *[SHORT.get(by, by) for by in
                        (kernel.features.get(name, {}).get('by', '?') for kernel in kernels)]]
        for name in names])
    lines += ['## The same policies', '',
              'Each line is one operation under one policy (`tests/kernels/policies.py`): the same result on '
              'every kernel, or the policy is refused there by name.', '']
    lines += table(['operation', *titles], [
        [name, *[kernel.policies.get(name, 'FAILED') for kernel in kernels]]
        for name in kernels[-1].policies or kernels[0].policies])
    return '\n'.join(lines).rstrip() + '\n'
