#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns a public header into the source (scdoc) of its page in section 3.

    manheader.py include/reeve/NAME.h > reeve_NAME.3.scd

The header is the reference: its first comment is the description, a comment before a declaration is
what that does, a line of dashes begins a section. Nothing is written twice.
"""
import pathlib
import re
import sys

PIECE = re.compile(r"/\*(?P<comment>.*?)\*/|(?P<code>(?:(?!/\*).)+)", re.S)
HEADING = re.compile(r"^\s*-{3,}\s*(.*?)\s*$")


def comment_lines(text):
    lines = [re.sub(r"^\s*\* ?", "", line) if i else line.strip()
             for i, line in enumerate(text.split("\n"))]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def escaped(line):
    line = re.sub(r"([\\*_`])", r"\\\1", line.strip())
    # What would begin a heading, a list or a quotation.
    return re.sub(r"^([#\-.>|\[\]])", r"\\\1", line)


def narrow(line):
    """Half the indentation, and the columns behind as they were."""
    tabs = len(line) - len(line.lstrip("\t"))
    return "    " * tabs + line.expandtabs(8)[8 * tabs:].rstrip()


def literal(lines):
    return ["```"] + [narrow(line) for line in lines] + ["```", ""]


def prose(lines):
    """Paragraphs; what is indented is an example."""
    out, example = [], []
    for line in lines + [""]:
        if line.startswith("\t") or (example and not line.strip()):
            example.append(line)
            continue
        if example:
            while not example[-1].strip():
                example.pop()
            out += ([""] if out and out[-1] else []) + literal([e[1:] for e in example])
            example = []
        out.append(escaped(line))
    return out


def squeezed(lines):
    out = []
    for line in lines:
        if line or (out and out[-1]):
            out.append(line)
    return out


def shares_line(text, at):
    """Whether something stands before this place on its line."""
    return bool(text[text.rfind("\n", 0, at) + 1:at].strip())


def pieces(text):
    """("comment" | "code", text) in order; a comment within or beside a declaration is part of it."""
    depth, code = 0, ""
    for match in PIECE.finditer(text):
        if match.lastgroup == "comment" and not depth and not shares_line(text, match.start()):
            if code.strip():
                yield "code", code
            code = ""
            yield "comment", match.group("comment")
            continue
        code += match.group(0)
        if match.lastgroup == "code":
            depth += sum(match.group(0).count(c) for c in "{(") - sum(match.group(0).count(c) for c in "})")
            depth = max(depth - match.group(0).count('extern "C" {'), 0)
    if code.strip():
        yield "code", code


IGNORED = re.compile(r'^\s*(#\s*(ifndef|ifdef|if|elif|else|endif|pragma|error|include|undef)\b.*|extern "C" \{|\})\s*$', re.S)


def body(text):
    out, first = [], True
    for kind, piece in pieces(text):
        if kind == "comment":
            lines = comment_lines(piece)
            heading = HEADING.match(lines[0]) if len(lines) == 1 else None
            if lines[:1] == ["SPDX-License-Identifier: MIT"] or (len(lines) == 1 and lines[0].endswith("_H")):
                continue
            if heading:
                out += ["", "## " + escaped(heading.group(1)), ""]
                continue
            out += [""] + prose(lines)
            if first:
                out += ["", "# DECLARATIONS"]
                first = False
        else:
            lines = [line for line in piece.strip("\n").split("\n")
                     if line.strip() and not IGNORED.match(line)]
            if lines and not re.match(r"\s*#\s*define\s+\w+_H\s*$", lines[0]):
                out += [""] + literal(lines)
    return out


def summary(text):
    for kind, piece in pieces(text):
        lines = comment_lines(piece) if kind == "comment" else []
        if lines and "SPDX" not in lines[0]:
            sentence = re.split(r"(?<=[.:;])\s", " ".join(lines).replace("\t", " "))[0]
            return re.sub(r"\s+", " ", sentence).rstrip(".:;")
    return ""


def page(path):
    text = path.read_text(encoding="utf-8")
    name = path.stem
    link = "-include reeve/landlock.h program.c -lreeve" if name == "landlock" \
        else "program.c $(pkg-config --cflags --libs reeve)"
    title = "libreeve_" + name
    out = ["{}(3)".format(title), "", "# NAME", "",
           "{} - {}".format(escaped(title), escaped(summary(text))), "",
           "# SYNOPSIS", ""]
    out += literal(["#include <reeve/{}.h>".format(name), "", "cc " + link])
    out += ["# DESCRIPTION"] + body(text)
    out += ["", "# SEE ALSO", "", "*libreeve*(3), *reeve*(1)"]
    return "\n".join(squeezed(out)) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(page(pathlib.Path(sys.argv[1])))


if __name__ == "__main__":
    main()
