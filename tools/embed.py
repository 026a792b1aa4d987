#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles profiles into C: embed.py OUT.c FILE.toml… → rv_builtin_profiles, sorted by name."""
import pathlib
import sys


def array(name, data):
    """Numbers, not a string literal: ISO C lets compilers stop at 4095 characters of those."""
    rows = (data[at : at + 20] for at in range(0, len(data), 20))
    body = "\n".join("\t" + " ".join(f"{byte}," for byte in row) for row in rows)
    return f"static const unsigned char {name}[] = {{\n{body}\n\t0,\n}};\n"


def main(out, *files):
    paths = sorted((pathlib.Path(name) for name in files), key=lambda path: path.stem)
    arrays, rows = [], []
    for i, path in enumerate(paths):
        data = path.read_bytes()
        assert b"\0" not in data and data.endswith(b"\n"), path
        arrays.append(array(f"text_{i}", data))
        rows.append(f'\t{{"{path.stem}", (const char *)text_{i}, {len(data)}}},\n')
    pathlib.Path(out).write_text(
        "/* Made by tools/embed.py from profiles/. */\n"
        '#include "policy/policy.h"\n\n'
        + "\n".join(arrays)
        + "\nconst struct rv_builtin_profile rv_builtin_profiles[] = {\n"
        + "".join(rows)
        + "\t{0},\n};\n",
        encoding="utf-8",
    )


main(*sys.argv[1:])
