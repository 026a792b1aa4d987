#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A library that fails to enforce one thing must fail reeve_verify(), by that name and no other.

Copies of two sources are changed so that what they hand to the kernel lacks what MUTANT_*
variables of the environment name; each is compiled in place of the archive's own object. So one
compilation serves every right, and the unchanged run shows that the change alone breaks nothing.
Some things are taken out one by one, the others in three groups: exactly the group must be broken.

With --cli, a directory with the objects of the command, `reeve check --verify` is made of the same
mutants, for some features, and must exit with 1 as well.

usage: mutants.py --source DIR --archive LIBREEVE.A --driver VERIFY.C [--cli DIR]
                  -- COMPILER [FLAG]...
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# What a mutated file gets in front: the bits to lose, from the environment.
HELPER = '''
#include <stdint.h>
#include <stdlib.h>
static uint64_t mutant(const char *name)
{
	const char *value = getenv(name);
	return value ? ~(uint64_t)strtoull(value, NULL, 0) : ~(uint64_t)0;
}
'''

# file → substitutions, each of which must change something.
LANDLOCK = [
    # The rights and scopes that the ruleset handles.
    (r'(attr\.handled_access_fs = handled\.of\[REEVE_FS\]);', r'\1 & mutant("MUTANT_FS");'),
    (r'(attr\.handled_access_net = handled\.of\[REEVE_NET\]);', r'\1 & mutant("MUTANT_NET");'),
    (r'(attr\.scoped = handled\.of\[REEVE_SCOPE\]);', r'\1 & mutant("MUTANT_SCOPE");'),
    # And its rules: one for a right that is not handled would be refused by the kernel.
    (r'return rv_landlock_add_rule\(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, flags\);',
     r'attr.allowed_access &= mutant("MUTANT_FS");'
     r' return attr.allowed_access ? rv_landlock_add_rule('
     r'ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, flags) : 0;'),
    (r'(for \(attr\.port = rule->port_first;)',
     r'attr.allowed_access &= mutant("MUTANT_NET"); if (!attr.allowed_access) return 0; \1'),
]
PLAN = [
    # The guards of the filter, by name, and socket creation.
    (r'guards \|= table\[i\]\.guard;',
     r'if (!getenv("MUTANT_GUARD") || !strstr(getenv("MUTANT_GUARD"), table[i].feature))'
     r' guards |= table[i].guard;'),
    (r'(plan->spec\.handle_socket = rv_plan_has\(plan, "socket\.create", REEVE_BY_SECCOMP\))',
     r'\1 && mutant("MUTANT_SOCKET") != 0'),
]
RESTRICT = [
    (r'return out;', r'return out & (unsigned int)mutant("MUTANT_FLAGS");'),
    (r'rv_set_no_new_privs\(\)', r'(getenv("MUTANT_NNP") ? 0 : rv_set_no_new_privs())'),
    (r'bits \| nnp\b', r'bits | (getenv("MUTANT_NNP") ? 0 : nnp)'),
]
SOURCES = [('lib/enforce/landlock.c', LANDLOCK), ('lib/enforce/plan.c', PLAN),
           ('lib/enforce/restrict.c', RESTRICT)]

GUARDS = ['guard.arch', 'guard.tty', 'guard.sched', 'guard.io_uring', 'guard.tcp',
          'deny.sysv_ipc', 'deny.keyring']
FS = ['execute', 'write_file', 'read_file', 'read_dir', 'remove_dir', 'remove_file', 'make_char',
      'make_dir', 'make_reg', 'make_sock', 'make_fifo', 'make_block', 'make_sym', 'refer',
      'truncate', 'ioctl_dev', 'resolve_unix']
NET = ['bind_tcp', 'connect_tcp', 'bind_udp', 'connect_send_udp']
SCOPE = ['abstract_unix_socket', 'signal']
TSYNC = 1 << 3  # LANDLOCK_RESTRICT_SELF_TSYNC

# These are taken out one by one, from the command itself as well.
SINGLE = ['fs.truncate', 'fs.make_sock', 'net.connect_tcp', 'scope.signal', 'guard.tty',
              'socket.create']


def mutants():
    """Feature → (variable, what it must be to take the feature out: bits, or a name)."""
    out = {}
    for cls, names in (('fs', FS), ('net', NET), ('scope', SCOPE)):
        for bit, name in enumerate(names):
            out[f'{cls}.{name}'] = (f'MUTANT_{cls.upper()}', 1 << bit)
    for name in GUARDS:
        out[name] = ('MUTANT_GUARD', name)
    out['socket.create'] = ('MUTANT_SOCKET', (1 << 64) - 1)
    out['tsync'] = ('MUTANT_FLAGS', TSYNC)
    if os.geteuid() == 0:  # without it, the kernel restricts nobody else
        out['no_new_privs'] = ('MUTANT_NNP', 1)
    return out


def environment(features):
    """What takes these features out, all at once."""
    table, found = mutants(), {}
    for feature in features:
        variable, value = table[feature]
        if isinstance(value, str):
            found[variable] = f'{found.get(variable, "")} {value}'
        else:
            found[variable] = str(int(found.get(variable, 0)) | value)
    return found


def groups(held):
    """Lists of features. No two in a group that the trials of a third rely on (make_fifo and
    make_sym; make_char and make_block)."""
    others = [feature for feature in mutants() if feature not in SINGLE]
    return ([[feature] for feature in SINGLE] +
            [[feature for feature in others[i::3] if feature in held] for i in range(3)])


def mutate(source, substitutions, target):
    with open(source, encoding='utf-8') as f:
        text = f.read()
    for pattern, replacement in substitutions:
        text, count = re.subn(pattern, replacement, text)
        if count != 1:
            sys.exit(f'Bail out! {source}: {count} matches, expected 1, for: {pattern}')
    with open(target, 'w', encoding='utf-8') as f:
        f.write(HELPER + text)


def mutated_sources(args, where):
    copies = []
    for name, substitutions in SOURCES:
        copies.append(os.path.join(where, os.path.basename(name)))
        mutate(os.path.join(args.source, name), substitutions, copies[-1])
    return copies


def link(args, program, inputs):
    flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-g', '-DREEVE_VERSION="mutant"',
             '-I' + os.path.join(args.source, 'include'), '-I' + os.path.join(args.source, 'lib'),
             '-I' + os.path.join(args.source, 'tests')]
    # The archive comes last: it only gives what the mutated objects do not define already.
    command = args.compiler + flags + inputs + [args.archive, '-ljansson', '-o', program]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit('Bail out! cannot build a mutant:\n# ' +
                 (' '.join(command) + '\n' + done.stderr).replace('\n', '\n# '))
    return program


def verify(program, features):
    """Exit code, {feature: (verdict, detail)}, with these features taken out."""
    done = subprocess.run([program, 'tool'], env=dict(os.environ, **environment(features)),
                          capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        feature, verdict, detail = line.split('\t', 2)
        found[feature] = (verdict, detail)
    return done.returncode, found


def with_verdict(found, wanted):
    return [feature for feature, (verdict, _) in found.items() if verdict == wanted]


def report(number, features, held, code, found):
    title = (f'without {", ".join(features)}, exactly that is broken' if features
             else 'with nothing taken out, nothing is broken')
    if not set(features) <= set(held):
        print(f'ok {number} - {title} # SKIP not held here')
        return True
    broken = with_verdict(found, 'broken')
    # A grant is split into rules of every fs right: without one of them there is no denial inside.
    expected = set(features)
    if any(name.startswith('fs.') for name in features):
        expected |= {'deny_inside'} & set(broken)
    good = code == (1 if features else 0) and sorted(broken) == sorted(expected)
    print(f'{"" if good else "not "}ok {number} - {title}')
    print(f'# exit code {code}, broken: {", ".join(broken) or "nothing"}')
    for name in broken:
        print(f'#   {name}: {found[name][1]}')
    return good


def report_command(number, program, feature, held):
    title = f'reeve check --verify exits with 1 without {feature}'
    if not program or feature not in held:
        print(f'ok {number} - {title} # SKIP {"not held here" if program else "no --cli"}')
        return True
    done = subprocess.run([program, 'check', '--verify'], capture_output=True, text=True,
                          env=dict(os.environ, **environment([feature])))
    good = done.returncode == 1 and feature in done.stdout
    print(f'{"" if good else "not "}ok {number} - {title}')
    if not good:
        print(f'# exit code {done.returncode}\n# ' +
              (done.stdout + done.stderr).replace('\n', '\n# '))
    return good


def run(args, where):
    copies = mutated_sources(args, where)
    program = link(args, os.path.join(where, 'verify'), copies + [args.driver])
    objects = sorted(glob.glob(os.path.join(args.cli, '*.o'))) if args.cli else []
    whole = [os.path.join(args.source, 'cli/whole.c')]
    command = link(args, os.path.join(where, 'reeve'), whole + objects + copies) if objects else None
    code, found = verify(program, [])
    held = with_verdict(found, 'held')
    rounds = groups(held)
    print(f'1..{1 + len(rounds) + len(SINGLE)}')
    good = report(1, [], held, code, found)
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda features: verify(program, features), rounds)
        for number, (features, (code, found)) in enumerate(zip(rounds, runs), 2):
            good &= report(number, features, held, code, found)
    for number, feature in enumerate(SINGLE, len(rounds) + 2):
        good &= report_command(number, command, feature, held)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--source', required=True)
    parser.add_argument('--archive', required=True)
    parser.add_argument('--driver', required=True)
    parser.add_argument('--cli')
    parser.add_argument('compiler', nargs='+')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='reeve-mutants.') as where:
        os.chmod(where, 0o755)
        return 0 if run(args, where) else 1


if __name__ == '__main__':
    sys.exit(main())
