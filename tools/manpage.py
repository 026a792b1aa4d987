#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fills the option tables of the reeve binary into a man page's source (scdoc).

    manpage.py REEVE PAGE.scd > FILE

A line `@options VERB TABLE...` becomes the options of a verb; TABLE is own, rules, rule or common,
as in cli/dump.c. `@words KIND` becomes the words of a kind with what they mean, `@verbs` the verbs.
"""

import sys

from option_tables import Tables


def plain(text):
    for char in "\\*_":
        text = text.replace(char, "\\" + char)
    return text


def option(row):
    names = ", ".join("*{}*".format(plain(name)) for name in reversed(row.spellings()))
    value = " _{}_".format(plain(row.argument)) if row.argument else ""
    again = " May be given more than once." if row.repeat and row.table != "rule" else ""
    text = plain(row.does)
    return "{}{}\n\t{}.{}\n".format(names, value, text[0].upper() + text[1:], again)


def options(tables, verb, wanted):
    rows = [row for row in tables.of(verb.replace("-", " ")) if row.table in wanted]
    return [option(row) for row in rows]


def words(tables, kind):
    return ["*{}*\n\t{}\n".format(plain(word), plain(does)) for word, does in tables.words[kind]]


def verbs(tables):
    return ["*reeve {}* {}\n\t{}.\n".format(name, plain(synopsis.replace("-", "", 1) if
            synopsis == "-" else synopsis), plain(summary))
            for name, synopsis, _, _, summary in tables.verbs]


def expand(tables, line):
    if not line.startswith("@"):
        return [line]
    name, *args = line.split()
    if name == "@options":
        return options(tables, args[0], args[1:])
    if name == "@words":
        return words(tables, args[0])
    if name == "@verbs":
        return verbs(tables)
    sys.exit("unknown directive: " + line)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tables = Tables(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as page:
        for line in page.read().splitlines():
            print("\n".join(expand(tables, line)))


main()
