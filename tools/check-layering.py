#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks which way #include points.

Rooms of lib/, bottom to top: base, kernel, model, policy, enforce, supervise, landlock, control, observe. A file may include
headers of its own room and of rooms below it. The command and the examples may include only the
public headers (and their own directory's); public headers only public headers and libc.

	check-layering.py [ROOT]        check a tree
	check-layering.py --self-test   check this check, with planted violations
"""
import pathlib
import re
import sys
import tempfile

ROOMS = ["base", "kernel", "model", "policy", "enforce", "supervise", "landlock", "control", "observe"]

# The room whose work a public header declares. check.h is two things: what a kernel can do, which
# every room from kernel up must be able to name, and `reeve check`.
PUBLIC_ROOM = {
    "error": "base",
    "reeve": "base",
    "ruleset": "model",
    "domain": "model",
    "policy": "policy",
    "sandbox": "enforce",
    "event": "supervise",
    "record": "supervise",
    "supervisor": "supervise",
    "control": "control",
    "landlock": "landlock",
    "observe": "observe",
    "check": "kernel",
    "host": "observe",
    "audit": "observe",
}

# landlock.h must not include libc's headers: the kernel's own types it may.
LIBC = {"linux/types", "errno", "stdarg", "stdbool", "stddef", "stdint", "stdio", "sys/select", "sys/types", "time"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    """Yields (line number, is quoted, name) for each #include of a file."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def room_of_include(name):
    """The room that an include belongs to, or None where it is not ours."""
    first, _, rest = name.partition("/")
    if first == "reeve":
        return PUBLIC_ROOM.get(rest.removesuffix(".h"), "unknown public header")
    return first if first in ROOMS else None


def wrong_in_room(room, quoted, name, _path):
    target = room_of_include(name)
    if target is None:
        return f'"{name}" names no room: write "room/file.h"' if quoted else None
    if target not in ROOMS:
        return f"<{name}>: {target}; add it to PUBLIC_ROOM"
    if ROOMS.index(target) > ROOMS.index(room):
        return f"{room} is below {target}, and must not know it"
    return None


def wrong_in_client(quoted, name, path):
    if not quoted:
        return None
    if "/" not in name and (path.parent / name).exists():
        return None
    return f'"{name}" is private: a client of the library includes <reeve/...>'


def wrong_in_public(quoted, name, _path):
    if quoted:
        return f'"{name}": public headers include <reeve/...>'
    if not name.startswith("reeve/") and name.removesuffix(".h") not in LIBC:
        return f"<{name}>: public headers need nothing but libc"
    return None


def directories(root):
    """Yields (directory, judge); judge(quoted, name, path) returns what is wrong, or None."""
    for room in ROOMS:
        yield root / "lib" / room, lambda *a, room=room: wrong_in_room(room, *a)
    yield root / "include", wrong_in_public
    for client in ("cli", "examples"):
        yield root / client, wrong_in_client


def violations(root):
    found = []
    for directory, judge in directories(root):
        for path in sorted(p for p in directory.rglob("*") if p.suffix in (".c", ".h")):
            for number, quoted, name in includes(path):
                wrong = judge(quoted, name, path)
                if wrong:
                    found.append(f"{path.relative_to(root)}:{number}: {wrong}")
    known = {root / "lib" / room for room in ROOMS}
    for stray in sorted((root / "lib").glob("*/")) if (root / "lib").is_dir() else []:
        if stray.is_dir() and stray not in known:
            found.append(f"{stray.relative_to(root)}: a room that check-layering.py does not know")
    return found


# (file, its text, how many violations it has)
PLANTED = [
    ("lib/model/up.c", '#include "policy/toml.h"\n', 1),
    ("lib/base/up.c", "#include <reeve/policy.h>\n", 1),
    ("lib/kernel/sideways.c", '#  include "sys.h"\n', 1),
    ("lib/policy/down.c", '#include "model/ruleset.h"\n#include "policy/toml.h"\n', 0),
    ("lib/enforce/down.c", '#include "policy/policy.h"\n#include <stdio.h>\n', 0),
    ("lib/enforce/up.c", '#include "observe/check.h"\n', 1),
    ("lib/newroom/x.c", "", 1),
    ("cli/verb.c", '#include <reeve/reeve.h>\n#include "cli.h"\n#include "base/error.h"\n', 1),
    ("cli/cli.h", "", 0),
    ("examples/x.c", "#include <stdio.h>\n", 0),
    ("include/reeve/bad.h", '#include <jansson.h>\n#include "x.h"\n#include <stdint.h>\n', 2),
]


def self_test():
    print(f"1..{len(PLANTED)}")
    failed = 0
    for number, (name, text, expected) in enumerate(PLANTED, 1):
        with tempfile.TemporaryDirectory() as tmp:
            path = pathlib.Path(tmp) / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            if name == "cli/verb.c":
                (path.parent / "cli.h").write_text("")
            found = violations(pathlib.Path(tmp))
        good = len(found) == expected
        failed += not good
        if not good:
            print(f"# wanted {expected}, found {found}")
        print(f"{'ok' if good else 'not ok'} {number} - planted: {name} has {expected}")
    return 1 if failed else 0


def main(args):
    if args == ["--self-test"]:
        return self_test()
    root = pathlib.Path(args[0] if args else pathlib.Path(__file__).parent.parent).resolve()
    found = violations(root)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
