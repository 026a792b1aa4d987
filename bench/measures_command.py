# SPDX-License-Identifier: MIT
"""What the command weighs, and what it needs to run."""
import os

ALLOWED_LIBRARIES = ('libc.so', 'libjansson.so', 'ld-linux')


def images(bench):
    """The program, and what belongs to it: name to file of this build."""
    build = os.path.dirname(os.path.dirname(bench.args.reeve))
    return {'reeve': bench.args.reeve,
            'libreeve-command.so': os.path.join(build, 'cli', 'libreeve-command.so'),
            'libreeve.so': os.path.join(build, 'lib', 'libreeve.so')}


def size(bench):
    stripped = bench.path('stripped')
    kb = {}
    for name, image in images(bench).items():
        bench.call(['strip', '-o', stripped, image])
        kb[name] = os.stat(stripped).st_size / 1000
        bench.fact('size, stripped', name, [kb[name]], 'kB')
    bench.measure('size of reeve, stripped', kb['reeve'], 'kB', 300, strict=True)


def libraries(bench):
    needed = set()
    for image in images(bench).values():
        out = bench.call(['readelf', '-d', image])
        needed |= {line.split('[')[1].split(']')[0] for line in out.splitlines()
                   if '(NEEDED)' in line}
    foreign = [name for name in needed if not name.startswith(ALLOWED_LIBRARIES)]
    bench.measure('run-time libraries besides libc and jansson', len(foreign), '', 0,
                  note=', '.join(sorted(needed)))


BENCHES = [size, libraries]
