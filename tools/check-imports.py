#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Python files here take from each other exists: `import X as Y; Y.name`, `from X import name`.

	check-imports.py FILE...

Prints one line per name that the other file (one of FILE...) does not have at its top level.
"""
import ast
import contextlib
import os
import sys

DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def given(node):
    """The names that a node by itself gives to what it stands in."""
    if isinstance(node, DEFINITIONS):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    return [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else []


def targets(statement):
    """The names that a top-level statement gives to its module."""
    inside = [] if isinstance(statement, DEFINITIONS) else ast.walk(statement)
    return [name for node in [statement, *inside] for name in given(node)]


def missing(path, tree, modules):
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known.update({alias.asname or alias.name: alias.name for alias in node.names if alias.name in modules})
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                if alias.name not in modules[node.module]:
                    yield f"{path}:{node.lineno}: {node.module} has no {alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            module = known[node.value.id]
            if node.attr not in modules[module]:
                yield f"{path}:{node.lineno}: {module} has no {node.attr}"


def main(paths):
    trees = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            with contextlib.suppress(SyntaxError):  # another check's business
                trees[path] = ast.parse(file.read(), path)
    modules = {}
    for path, tree in trees.items():
        name = os.path.basename(path).removesuffix(".py")
        modules.setdefault(name, set()).update({"__name__", "__file__", "__doc__"}, *map(targets, tree.body))
    found = [line for path, tree in trees.items() for line in missing(path, tree, modules)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
