#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The binary interface of the library against the one on record, lib/libreeve.abi. TAP.

    check-abi.py LIBREEVE.SO ROOT CC...     compare
    check-abi.py --update ... as above      write the record anew

A line of the record is `symbol NAME`, or `member STRUCT MEMBER OFFSET SIZE` for each struct whose
first member is its size: programs that were built before find what they knew where it was, and
what is new comes behind. A struct without such a member may not change at all: `struct NAME SIZE`.
"""
import os
import re
import subprocess
import sys
import tempfile

update = sys.argv[1] == "--update"
if update:
    del sys.argv[1]
library, root, *cc = sys.argv[1:]
record = os.path.join(root, "lib", "libreeve.abi")


def headers():
    return sorted(os.listdir(os.path.join(root, "include", "reeve")))


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)


def declarations():
    for name in headers():
        with open(os.path.join(root, "include", "reeve", name), encoding="utf-8") as file:
            yield from re.findall(r"^struct (\w+) \{\n(.*?)^\}", without_comments(file.read()), re.S | re.M)


def members(body):
    """The names of a struct's members, function pointers and arrays included."""
    depth, statement = 0, ""
    for char in body:
        depth += (char == "{") - (char == "}")
        statement += char
        if char == ";" and depth == 0:
            if "{" not in statement:
                function = re.search(r"\(\*(\w+)\)", statement)
                names = [function.group(1)] if function else \
                    [re.sub(r"\[.*", "", part).split()[-1].lstrip("*")
                     for part in statement.rstrip(";").split(",")]
                yield from names
            statement = ""


def program():
    lines = ["#include <stddef.h>", "#include <stdio.h>", "#define REEVE_LANDLOCK_NO_IOCTL"]
    lines += ["#include <reeve/{}>".format(h) for h in headers()] + ["int main(void) {"]
    for name, body in declarations():
        names = list(members(body))
        if names and names[0] == "size":
            lines += ['printf("member {0} {1} %zu %zu\\n", offsetof(struct {0}, {1}), '
                      "sizeof(((struct {0} *)0)->{1}));".format(name, m) for m in names]
        else:
            lines.append('printf("struct {0} %zu\\n", sizeof(struct {0}));'.format(name))
    return "\n".join(lines + ["return 0; }", ""])


def layout():
    with tempfile.TemporaryDirectory() as place:
        source, binary = place + "/abi.c", place + "/abi"
        with open(source, "w", encoding="utf-8") as file:
            file.write(program())
        subprocess.run([*cc, "-I", os.path.join(root, "include"), "-o", binary, source], check=True)
        return subprocess.run([binary], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def symbols():
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, stdout=subprocess.PIPE, text=True).stdout
    names = (line.split()[-1].split("@")[0] for line in out.splitlines() if " A " not in line)
    return ["symbol " + name for name in sorted(names)]


def main():
    now = symbols() + layout()
    if update:
        with open(record, "w", encoding="utf-8") as file:
            file.write("\n".join(now) + "\n")
        return 0
    with open(record, encoding="utf-8") as file:
        then = file.read().splitlines()
    lost = [line for line in then if line not in set(now)]
    kinds = [w for w in ("symbol", "member", "struct") if not any(t.startswith(w + " ") for t in then)]
    for line in now:
        if line not in set(then):
            print("# new, and not on record yet (--update): " + line)
    print("1..2")
    for number, (name, wrong) in enumerate((
            ("the record has symbols, sized structs and others", kinds),
            ("nothing on record is gone or elsewhere", lost)), 1):
        for line in wrong:
            print("# " + line)
        print("{} {} - {}".format("not ok" if wrong else "ok", number, name))
    return 1 if kinds or lost else 0


if __name__ == "__main__":
    sys.exit(main())
