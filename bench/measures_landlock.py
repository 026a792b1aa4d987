# SPDX-License-Identifier: MIT
"""For programs: reeve/landlock.h beside the system calls, a start through the library beside the command's."""
from harness import DEGRADE



def landlock_calls(bench):
    group = 'landlock.h'
    names = ['20 rules, raw', '20 rules, reeve', 'a rule staged', 'commit of 1000 rules']
    lines = bench.call([bench.tool('landlock'), str(bench.rounds(60))]).splitlines()
    columns = list(zip(*(map(int, line.split()) for line in lines)))
    for name, column in zip(names, columns):
        bench.fact(group, name, [ns / 1000 for ns in column], 'us')
    # In turn, so that both meet the same noise; the calm tenth is what the code itself costs.
    facts = bench.groups[group]
    bench.measure('a native ruleset, landlock.h / raw system calls',
                  facts[names[1]]['calm'] / facts[names[0]]['calm'], '×', 1.05)
    bench.measure('landlock_add_rule on a supervisor ruleset', facts[names[2]]['calm'], 'us', 5)
    bench.measure('commit of 1000 rules', facts[names[3]]['median'] / 1000, 'ms', 1)


def library_starts(bench):
    """What a program pays, by starting the command and through the library, in turn."""
    group = 'true under workspace, from a program'
    names = ['reeve run --static', 'reeve_plan_spawn', 'reeve run', 'reeve_supervisor_start']
    lines = bench.call([bench.tool('spawn'), str(bench.rounds(150)), bench.args.reeve,
                        'workspace', DEGRADE[1]]).splitlines()
    columns = list(zip(*(map(int, line.split()) for line in lines)))
    for name, column in zip(names, columns):
        bench.fact(group, name, [ns / 1e6 for ns in column], 'ms')
    for ours, theirs in ((names[1], names[0]), (names[3], names[2])):
        bench.measure(f'{ours} / {theirs}', bench.ratio(group, ours, theirs), '×', 1.1)


BENCHES = [landlock_calls, library_starts]
