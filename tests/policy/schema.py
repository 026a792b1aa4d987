#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The JSON Schema against the built-in profiles, and against what reeve takes and refuses.

schema.py SCHEMA LOADER PROFILE.toml…: LOADER is test-schema-load, which loads each line of its
input as a JSON policy and answers "ok" or why not.
"""
import json
import os
import re
import subprocess
import sys

try:
    import jsonschema
    import tomllib
except ImportError:
    # The interpreter that found us may not be the distribution's, which has python3-jsonschema.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    if "jsonschema" in os.environ.get("REEVE_TEST_REQUIRE", "").split(","):
        print("1..1\nnot ok 1 - jsonschema is required")
        sys.exit(1)
    print("1..0 # SKIP jsonschema: python3-jsonschema is not installed")
    sys.exit(0)


def camel(value):
    """TOML's spelling of keys to JSON's."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, dict):
        return {
            re.sub(r"_([a-z])", lambda m: m[1].upper(), key): camel(item)
            for key, item in value.items()
        }
    return value


RULE = {"allowedAccess": ["read_file"], "parent": ["/"]}
GOOD = [
    {"abi": 12, "pathBeneath": [RULE]},
    {"pathBeneath": [{**RULE, "except": ["/a/${HOME}$$x$"], "live": True, "missing": "ignore"}]},
    {"pathBeneath": [{"except": ["/a"]}]},
    {"pathBeneath": [{"except": ["/a"], "exceptAccess": ["write_file"]}]},
    {"pathBeneath": [{"quiet": ["read_file"], "parent": ["/"]}]},
    {"netPort": [{"allowedAccess": ["net.bind_tcp"], "port": [0, 65535, "1-2", "9"]}]},
    {"netAddress": [{"allowedAccess": ["connect_tcp"], "address": ["public:443", "[::1]:1-2"]}]},
    {"socket": [{"allowedAccess": ["create"], "family": ["inet", 10], "type": ["any"]}]},
    {"ruleset": [{"handledPermissions": ["socket_create"]}],
     "socket": [{"allowedPermissions": ["socket_create"], "family": ["inet"]}]},
    {"unixSocket": [{"allowedAccess": ["connect"], "path": ["/s"]}]},
    {"quiet": [{"access": ["fs.read_file"], "path": ["/"]}]},
    {"variable": [{"name": "a"}, {"name": "b", "literal": ["x"]}]},
    {"ruleset": [{"scoped": ["signal"], "deny": ["keyring"], "unixDatagram": "refuse"}]},
    {"tmpdir": "private", "innerLandlock": "floor-only", "refuseCwd": ["/"]},
    {"extends": ["none"], "degrade": ["live"]},
]
BAD = [
    [],
    {"abi": 0},
    {"abi": 13},
    {"abi": "7"},
    {"path_beneath": [RULE]},
    {"pathBeneath": []},
    {"ruleset": [{"handledPermissions": ["namespace_use"]}]},
    {"socket": [{"allowedPermissions": ["create"], "family": ["inet"]}]},
    {"pathBeneath": RULE},
    {"pathBeneath": [{"parent": ["/"]}]},
    {"pathBeneath": [{"allowedAccess": ["read_file"]}]},
    {"pathBeneath": [{**RULE, "parent": []}]},
    {"pathBeneath": [{**RULE, "parent": [""]}]},
    {"pathBeneath": [{**RULE, "parent": ["${a"]}]},
    {"pathBeneath": [{**RULE, "parent": ["${1}"]}]},
    {"pathBeneath": [{**RULE, "parent": ["/a\0b"]}]},
    {"pathBeneath": [{**RULE, "allowedAccess": ["raed_file"]}]},
    {"pathBeneath": [{**RULE, "live": "yes"}]},
    {"pathBeneath": [{**RULE, "missing": "maybe"}]},
    {"pathBeneath": [{"allowedAccess": ["read_file"], "except": ["/"]}]},
    {"pathBeneath": [{**RULE, "exceptAccess": ["write_file"]}]},
    {"pathBeneath": [{"except": ["/a"], "exceptAccess": []}]},
    {"netPort": [{"allowedAccess": ["bind_tcp"], "port": [65536]}]},
    {"netPort": [{"allowedAccess": ["bind_tcp"], "port": [-1]}]},
    {"netPort": [{"allowedAccess": ["bind_tcp"], "port": ["010"]}]},
    {"netPort": [{"allowedAccess": ["bind_tcp"], "port": ["1-2-3"]}]},
    {"netAddress": [{"allowedAccess": ["connect_tcp"], "address": ["public"]}]},
    {"netAddress": [{"allowedAccess": ["connect_tcp"], "address": ["::1:80"]}]},
    {"socket": [{"allowedAccess": ["create"], "family": ["any"]}]},
    {"socket": [{"allowedAccess": ["create"], "family": [255]}]},
    {"socket": [{"allowedAccess": ["create"], "type": ["stream"]}]},
    {"unixSocket": [{"allowedAccess": ["bind"], "path": ["/s"]}]},
    {"quiet": [{"access": ["fs.read_file"]}]},
    {"quiet": [{"path": ["/"]}]},
    {"variable": [{"literal": ["x"]}]},
    {"variable": [{"name": "1a"}]},
    {"ruleset": [{}]},
    {"ruleset": [{"scoped": ["signals"]}]},
    {"ruleset": [{"deny": ["memfd"]}]},
    {"tmpdir": "public"},
    {"extends": []},
    {"unknown": 1},
]


def main(schema_path, loader, *profiles):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    cases = [(document, True) for document in GOOD] + [(document, False) for document in BAD]
    names = [json.dumps(document) for document, _ in cases]
    for path in profiles:
        with open(path, "rb") as file:
            cases.append((camel(tomllib.load(file)), True))
        names.append(f"profile {os.path.basename(path)}")

    lines = "".join(json.dumps(document) + "\n" for document, _ in cases)
    answers = subprocess.run(
        [loader], input=lines, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(answers) == len(cases)
    failed = 0
    print(f"1..{len(cases)}")
    for i, ((document, wanted), answer) in enumerate(zip(cases, answers), 1):
        valid, loads = validator.is_valid(document), answer == "ok"
        verdict = "ok" if valid == wanted == loads else "not ok"
        if verdict != "ok":
            failed += 1
            print(f"# wanted {wanted}; the schema says {valid}, reeve says {answer}")
        print(f"{verdict} {i} - {names[i - 1][:100]}".replace("#", "\\#"))
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
