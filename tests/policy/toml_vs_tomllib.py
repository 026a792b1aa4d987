#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The TOML parser against Python's tomllib: random documents and mutations of them.

usage: toml_vs_tomllib.py DUMPER [DOCUMENTS]    (DUMPER is tree_dump.c, built)

Both must accept the same texts and read the same trees. The seed is printed, and is
$REEVE_TEST_SEED where that is set. Where the two are known to differ, the text is left out:
  - a byte order mark at the start, which tomllib does not skip
  - integers beyond 64 bits, which Python has
  - second 60 and year 0, which Python's datetime lacks
  - nesting deeper than ours may be
"""
import datetime
import os
import random
import re
import subprocess
import sys

try:
    import tomllib
except ImportError:
    print("1..0 # SKIP python3: no tomllib before Python 3.11")
    sys.exit("python3" in os.environ.get("REEVE_TEST_REQUIRE", "").split(","))

BARE = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-"
SCALARS = """0 +1 -17 1_000 9223372036854775807 -9223372036854775808 0xdead_BEEF 0o755 0b1_01
1.5 -0.01 5e+22 1_0.0_1e-1 6.626E-34 -0.0 inf +inf -inf nan true false 1979-05-27 07:32:00
00:00:00.5 1979-05-27T07:32:00Z 1979-05-27t00:32:00.999999-07:00 2024-02-29 12:00:00
2000-01-01T23:59:59+23:59""".replace("2024-02-29 12", "2024-02-29\x0012").split()
# What mutations put in: pieces on which rules hang.
PIECES = ["[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", " ", "\t", '"',
          "'", '"""', "'''", "\\", "\\u00e9", "\\ud800", "\\U0001F600", "\\\n", "\\x", "a", "b",
          "_", "-", "+", "0", "1", "e", "x", "o", "00", ":", "T", "Z", "é", "\x00", "\x01", "\x7f",
          "\x80", "\u2028", "true", "inf", "1979-05-27", "07:32:00", "[a]", "[[a]]", "\n[a.b]\n",
          "\n[[a.b]]\n", "\na.b=1\n", "\na=1\n", "\n[a]\n", "\n[[a]]\n", "\na={b=1}\n", "a.b"]


# ---------------------------------------------------------------- documents

def word(rng):
    # Few short names, so that keys meet.
    return rng.choice("abcde") if rng.random() < 0.7 else "".join(rng.choices(BARE, k=rng.randint(1, 6)))


def character(rng):
    kind = rng.random()
    if kind < 0.8:
        return chr(rng.randint(0x20, 0x7e))
    return chr(rng.choice([0x09, 0xe9, 0x20ac, 0x1f600, 0x85, 0x2028, 0xfeff, 0x10ffff, 0x80]))


def basic(rng):
    out = ""
    for _ in range(rng.randint(0, 8)):
        c = character(rng)
        if rng.random() < 0.2:
            c = rng.choice(["\\n", "\\t", "\\\\", '\\"', "\\b", "\\f", "\\r", "\\u0041", "\\U0001F600", "\\u0000"])
        elif c in '"\\':
            c = "\\" + c
        out += c
    return out


def string(rng, multi=True):
    kind = rng.randint(0, 3 if multi else 1)
    if kind == 0:
        return '"' + basic(rng) + '"'
    if kind == 1:
        return "'" + "".join(character(rng) for _ in range(rng.randint(0, 8))).replace("'", "") + "'"
    newline = rng.choice(["\n", "\r\n"])
    if kind == 2:
        parts = [basic(rng) for _ in range(rng.randint(1, 3))]
        glue = rng.choice([newline, '""', '"', "\\" + newline + "  ", "\\ " + newline * 2])
        return '"""' + rng.choice(["", newline]) + glue.join(parts) + rng.choice(["", '"', '""', "\\\n"]) + '"""'
    text = "".join(character(rng) for _ in range(rng.randint(0, 8))).replace("'", "")
    return "'''" + text + rng.choice(["", newline, "''x", "\\"]) + "'''"


def blank(rng):
    return rng.choice(["", "", " ", "\t", "  "])


def key(rng):
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        parts.append(word(rng) if rng.random() < 0.85 else string(rng, False))
    return (blank(rng) + "." + blank(rng)).join(parts)


def gap(rng):
    return rng.choice(["", "", " ", "\n", "\r\n", " # c\n", "\n# é\n\n  "])


def value(rng, depth=0):
    kind = rng.random()
    if depth < 4 and kind < 0.15:
        items = [gap(rng) + value(rng, depth + 1) + gap(rng) for _ in range(rng.randint(0, 4))]
        comma = "," + gap(rng) if items and rng.random() < 0.3 else ""
        return "[" + gap(rng) + ",".join(items) + comma + "]"
    if depth < 4 and kind < 0.27:
        items = [pair(rng, depth + 1) for _ in range(rng.randint(0, 3))]
        return "{" + blank(rng) + (blank(rng) + "," + blank(rng)).join(items) + blank(rng) + "}"
    if kind < 0.6:
        return string(rng)
    return rng.choice(SCALARS).replace("\x00", " ")


def pair(rng, depth=0):
    return key(rng) + blank(rng) + "=" + blank(rng) + value(rng, depth)


def line(rng):
    kind = rng.random()
    if kind < 0.2:
        text = "[" + blank(rng) + key(rng) + blank(rng) + "]"
    elif kind < 0.35:
        text = "[[" + blank(rng) + key(rng) + blank(rng) + "]]"
    elif kind < 0.4:
        text = ""
    else:
        text = pair(rng)
    return blank(rng) + text + blank(rng) + rng.choice(["", "", "", "# c", "#\té"])


def valid(text):
    try:
        tomllib.loads(text)
        return True
    except ValueError:
        return False


def document(rng):
    """Line by line; a line that makes it invalid is mostly taken back."""
    text = ""
    for _ in range(rng.randint(1, 10)):
        more = text + line(rng) + rng.choice(["\n", "\n", "\r\n"])
        if valid(more) or rng.random() < 0.03:
            text = more
    return text


def mutate(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        i = rng.randint(0, len(text))
        kind = rng.random()
        if kind < 0.4:
            text = text[:i] + rng.choice(PIECES) + text[i:]
        elif kind < 0.6:
            text = text[:i] + text[i + rng.randint(1, 3):]
        elif kind < 0.7:
            text = text[:i] + rng.choice(PIECES) + text[i + 1:]
        elif kind < 0.8:
            text = text[:i]
        else:
            lines = text.splitlines(keepends=True) or [""]
            j = rng.randrange(len(lines))
            lines.insert(rng.randint(0, len(lines)), lines[j])
            text = "".join(lines)
    return text


# ------------------------------------------------------- what Python reads

def quoted(text):
    out = ""
    for byte in text.encode():
        plain = 0x20 <= byte < 0x7f and byte not in b"'\\"
        out += chr(byte) if plain else "\\x%02x" % byte
    return "'" + out + "'"


def time_text(t):
    return t.strftime("%H:%M:%S.") + "%06d000" % t.microsecond


def offset_text(t):
    minutes = int(t.utcoffset().total_seconds() // 60)
    return "%s%02d:%02d" % ("-" if minutes < 0 else "+", abs(minutes) // 60, abs(minutes) % 60)


def number(n):
    if isinstance(n, bool):
        return "true" if n else "false"
    if isinstance(n, int):
        if not -2**63 <= n < 2**63:
            raise OverflowError
        return str(n)
    return "~nan" if n != n else "~%.17g" % n


def dump(tree):
    if isinstance(tree, dict):
        return "{" + ", ".join(dump_pair(k, v) for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(dump(v) for v in tree) + "]"
    if isinstance(tree, str):
        return quoted(tree)
    if isinstance(tree, datetime.datetime):
        zone = offset_text(tree) if tree.tzinfo else ""
        return "%04d-%02d-%02dT" % (tree.year, tree.month, tree.day) + time_text(tree) + zone
    if isinstance(tree, datetime.date):
        return "%04d-%02d-%02d" % (tree.year, tree.month, tree.day)
    if isinstance(tree, datetime.time):
        return time_text(tree)
    return number(tree)


def dump_pair(k, v):
    return (k if re.fullmatch("[a-z0-9_]+", k) else quoted(k)) + "=" + dump(v)


def python_answer(text):
    """The tree as text, None where Python refuses, "" where the two differ by design."""
    if re.search(r"\d:[0-5]\d:60|0000-\d\d-\d\d", text) or text.startswith("\ufeff"):
        return ""
    try:
        return dump(tomllib.loads(text))
    except OverflowError:
        return ""
    except ValueError:
        return None


# ------------------------------------------------------------------ compare

def our_answers(dumper, texts):
    stdin = b"".join(b"%d\n%s" % (len(t.encode()), t.encode()) for t in texts)
    done = subprocess.run([dumper, "toml"], input=stdin, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("ascii").splitlines()


def micro(tree):
    return re.sub(r"(:\d\d\.\d{6})\d{3}", r"\g<1>000", tree)


def disagreement(text, ours):
    theirs = python_answer(text)
    if theirs == "":
        return None
    if theirs is None:
        return None if ours.startswith("error ") else "tomllib refuses, we read " + ours
    if ours == "ok " + theirs or micro(ours) == micro("ok " + theirs):
        return None
    return "tomllib reads %s, we %s" % (theirs, ours)


def compare(dumper, name, number_of_test, texts):
    answers = our_answers(dumper, texts)
    bad = []
    if len(answers) != len(texts):
        bad.append("%d answers to %d documents" % (len(answers), len(texts)))
    for text, ours in zip(texts, answers):
        why = disagreement(text, ours)
        if why:
            bad.append("%r: %s" % (text, why))
    accepted = sum(a.startswith("ok ") for a in answers)
    print("# %s: %d documents, %d of them TOML" % (name, len(texts), accepted))
    for why in bad[:5]:
        print("# " + why)
    # A test in which nearly everything is refused, or accepted, would show little.
    fine = not bad and (name != "mutated" or 0.1 < accepted / len(texts) < 0.9)
    print("%s %d - %s documents" % ("ok" if fine else "not ok", number_of_test, name))
    return fine


def main():
    dumper = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    seed = int(os.environ.get("REEVE_TEST_SEED", "20261123"))
    rng = random.Random(seed)
    print("1..2\n# seed %d" % seed)
    documents = [document(rng) for _ in range(count // 3)]
    mutated = [mutate(rng, rng.choice(documents)) for _ in range(count)]
    first = compare(dumper, "random", 1, documents)
    second = compare(dumper, "mutated", 2, mutated)
    sys.exit(0 if first and second else 1)


main()
