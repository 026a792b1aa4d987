# SPDX-License-Identifier: MIT
"""How long a big policy takes to read."""


def policy_text(megabytes):
    """All that the format has, in the proportions of a real policy, as often as it takes."""
    head = ['abi = 7', '', '[[variable]]', 'name = "home"', 'literal = ["/home/somebody"]', '',
            '[[ruleset]]', 'handled_access_fs = ["abi.all"]',
            'handled_access_net = ["abi.all"]', 'scoped = ["abi.all"]', '']
    parts, length, i = head, 0, 0
    while length < megabytes * 1000000:
        part = (f'# What package number {i} needs\n[[path_beneath]]\n'
                'allowed_access = ["abi.read_execute", "truncate"]\n'
                f'parent = ["/usr/share/package-{i}", \'/var/lib/package-{i}\',\n'
                f'\t"/opt/p\\u00e4ck\\"age-{i}/data", "${{home}}/.cache/package-{i}"]\n')
        if i % 4 == 0:
            part += (f'[[net_port]]\nallowed_access = ["connect_tcp"]\n'
                     f'port = [{1024 + i % 60000}]\n')
        part += '\n'
        parts.append(part)
        length += len(part)
        i += 1
    return '\n'.join(parts)


def big_policy(bench):
    sizes = {f'{n} MB': bench.path(f'{n}.toml', policy_text(n)) for n in (2.5, 5, 10)}
    samples = {name: [] for name in sizes}
    for _ in range(bench.rounds(11)):
        for name, path in sizes.items():
            samples[name].append(float(bench.call([bench.tool('load_policy'), path])))
    for name, times in samples.items():
        bench.fact('reading a TOML policy', name, times, 'ms')
    bench.measure('a TOML policy of 10 MB', bench.median('reading a TOML policy', '10 MB') / 1000,
                  's', 0.5, strict=True)
    # Of the fastest runs: growth is a property of the code, and it shows in these as well.
    facts = bench.groups['reading a TOML policy']
    bench.measure('four times the policy, 10 MB / 2.5 MB',
                  facts['10 MB']['least'] / facts['2.5 MB']['least'], '×', 5)


BENCHES = [big_policy]
