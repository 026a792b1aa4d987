#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guarantees across domains: coordinator, resource process, accessor process.

	test_cross_domain.py REEVE ACTOR [--user]

The coordinator may be in a domain; the two others enter further ones, or none. One table of such
trees is answered by the model, and tried with domains that the kernel alone enforces and with
supervised ones. Only the accessor's domains may make a difference, and only those that the
resource's maker is not in.

A domain is a letter: s static and scoped, S supervised and scoped, o another ruleset, which scopes
nothing. A supervised domain has no domain below it, and is the last.
"""
import errno
import itertools
import json
import os
import subprocess
import sys
import rig
from rig import REEVE, put, report, skip

ACTOR = os.path.realpath(sys.argv[2])
SCOPED = 'abi = 7\n[[ruleset]]\nscoped = ["abstract_unix_socket", "signal"{}]\n'
OTHER = 'abi = 7\n[[ruleset]]\nhandled_access_fs = ["make_block"]\n'
COORDINATORS = ("", "s", "o")
RESOURCES = ("", "s", "o", "S")
ACCESSORS = ("", "s", "o", "S", "ss", "so", "os", "sS", "oS")


def enter(letters, command):
    for letter in reversed(letters):
        flags = [] if letter == "S" else ["--static"]
        policy = {"s": "static", "S": "supervised", "o": "other"}[letter]
        command = [REEVE, "run", *flags, "--quiet", "-p", os.path.abspath(policy + ".toml"), "--",
                   *command]
    return command


def abi():
    text = subprocess.run([REEVE, "check", "--json"], capture_output=True, text=True, check=False).stdout
    return json.loads(text.splitlines()[0])["landlock_abi"]


def read_answers(text):
    return [(kind, int(error)) for kind, error in (line.split() for line in text.splitlines())]


def trees():
    """(coordinator, resource or None where it is the coordinator, accessor)"""
    yield from itertools.product(COORDINATORS, RESOURCES, ACCESSORS)
    for coordinator, accessor in itertools.product(COORDINATORS, ACCESSORS):
        yield coordinator, None, accessor
    for other in ("", None):  # all of one supervised domain
        yield "S", other, ""


def ask_model(all_trees):
    words = ["/".join((c, r or "", a)) for c, r, a in all_trees]
    text = subprocess.run([ACTOR, "model", *words], capture_output=True, text=True, check=True).stdout
    answers = read_answers(text)
    kinds = len(answers) // len(words)
    return [dict(answers[i * kinds:(i + 1) * kinds]) for i in range(len(words))]


# What the coordinator of siblings does: starts both below itself, one after the other.
COORDINATE = r"""
coproc R { exec "${@:2:$1}"; }
read -r ready pid <&"${R[0]}"
[ "$ready" = ready ] || exit 99
in=${R[1]} out=${R[0]}
exec {o}<&"$out" {i}>&"$in"
"${@:2+$1}" "$pid"
eval "exec ${R[1]}>&-"
exec {i}>&-
cat <&"$o"
"""


def try_tree(coordinator, resource, accessor, name):
    if resource is None:
        command = [ACTOR, "as-resource", name, *enter(accessor, [ACTOR, "reach", name]), ""]
    else:
        serve = enter(resource, [ACTOR, "serve", name])
        reach = enter(accessor, [ACTOR, "reach", name])
        command = ["/bin/bash", "-c", COORDINATE, "bash", str(len(serve)), *serve, *reach]
    got = subprocess.run(enter(coordinator, command), stdin=subprocess.DEVNULL, timeout=240,
                         capture_output=True, text=True)
    return got, read_answers(got.stdout) if got.returncode == 0 else []


def by_path_fails(accessor):
    return errno.EACCES if "S" in accessor else errno.EPERM


def expected(tree, kind, model, dgram):
    """The model's answer as this machine gives it; None: it is not to be had."""
    coordinator, resource, accessor = tree
    mine, theirs = coordinator + accessor, coordinator + (resource or "")
    if "dgram" in kind and not dgram and ("S" in mine or "S" in theirs):
        return None
    if kind.startswith("path") and model:
        return errno.EACCES
    return model


def compare(tree, number, model, dgram):
    got, answers = try_tree(*tree, f"./m{number}")
    told = dict(answers[:len(model)])
    arrived = answers[-1][1] if len(answers) > len(model) else -1
    wrong = []
    for kind, answer in model.items():
        want = expected(tree, kind, answer, dgram)
        if want is None:
            continue
        if kind == "sigio":
            good = (arrived > 0) == (want == 0)
        else:
            good = told.get(kind) == want
        if not good:
            wrong.append((kind, told.get(kind), arrived if kind == "sigio" else "", "wanted", want))
    return wrong, got


def describe(tree):
    coordinator, resource, accessor = (word or "none" if word is not None else "itself"
                                       for word in tree)
    return f"below {coordinator}: {resource} to {accessor}"


def matrix():
    put("other.toml", OTHER)
    put("static.toml", SCOPED.format(""))
    put("supervised.toml", SCOPED.format(', "pathname_unix_socket"') + 'unix_datagram = "mediate"\n')
    dgram = rig.run("-p", "./supervised.toml", command=["true"]).returncode == 0
    if not dgram:
        put("supervised.toml", SCOPED.format(', "pathname_unix_socket"'))
        skip("datagrams of supervised domains", "datagram: no mediation here")
    all_trees = list(trees())
    denied = allowed = 0
    for number, (tree, model) in enumerate(zip(all_trees, ask_model(all_trees))):
        wrong, got = compare(tree, number, model, dgram)
        report(got.returncode == 0 and not wrong, describe(tree), (wrong, got))
        denied += sum(1 for answer in model.values() if answer)
        allowed += sum(1 for answer in model.values() if not answer)
    report(denied > 300 and allowed > 300, "both answers are common", json.dumps([denied, allowed]))


def too_old():
    skip("domains beside each other", "landlock: scopes came with ABI 6")


rig.main(matrix if abi() >= 6 else too_old)
