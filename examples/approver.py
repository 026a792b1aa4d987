#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An approver for `reeve run --approver`: decides by a list of patterns, and keeps a log.

	reeve run --approver "examples/approver.py '/srv/data/*' '/etc/ssl/*'" -- ./job

What matches a pattern may be read for as long as the program runs; everything else, and all
writing, is denied for good. reeve-control(7) has the lines that come in and go out.
"""
import fnmatch
import json
import sys


def decide(question):
    reads = set(question["missing"]) <= {"fs.read_file", "fs.read_dir"}
    path = question["object"]
    # A name that is not UTF-8 comes escaped, and its bytes in hex: no pattern is meant for it.
    if reads and "object_hex" not in question:
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in sys.argv[1:]):
            return "allow"
    return "deny"


for line in sys.stdin:
    message = json.loads(line)
    if "question" not in message:  # "gone": somebody else answered, or nobody waits any more
        continue
    answer = decide(message)
    print(f"approver: {answer}: {message['text']}", file=sys.stderr)
    print(json.dumps({"question": message["question"], "answer": answer, "term": "session"}),
          flush=True)
