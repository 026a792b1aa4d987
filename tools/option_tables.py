# SPDX-License-Identifier: MIT
"""The option tables of the reeve binary, for what is made from them: completions, man pages.

They come from `reeve help --dump-options`; cli/dump.c says how that looks.
"""

import os
import subprocess


class Option:
    def __init__(self, fields):
        self.verb, self.name, letter, argument, self.complete, repeat, self.table, self.does = fields
        self.letter = "" if letter == "-" else letter
        self.argument = "" if argument == "-" else argument
        self.repeat = repeat == "repeat"

    def spellings(self):
        return [self.name] + (["-" + self.letter] if self.letter else [])

    def brief(self):
        """One line: up to the first full stop or semicolon."""
        return self.does.split("; ")[0].split(". ")[0]


class Tables:
    def __init__(self, reeve):
        # Profiles of whoever builds are not everybody's.
        env = dict(os.environ, XDG_CONFIG_HOME="/nonexistent")
        dump = subprocess.run([reeve, "help", "--dump-options"], env=env, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        self.verbs, self.options, self.words = [], [], {}
        for line in dump.splitlines():
            kind, *fields = line.split("\t")
            if kind == "verb":
                self.verbs.append(fields)
            elif kind == "option":
                self.options.append(Option(fields))
            elif kind == "word":
                self.words.setdefault(fields[0], []).append((fields[1], fields[2]))

    def of(self, verb):
        return [o for o in self.options if o.verb == verb]

    def names(self, kind):
        return [word for word, _ in self.words.get(kind, [])]

    def first_words(self):
        """{"run": summary, "policy": summary of the group}"""
        words = {}
        for name, _, _, _, summary in self.verbs:
            word, *rest = name.split(" ")
            words.setdefault(word, "Check and show policies" if rest else summary)
        return words

    def groups(self):
        """{"policy": [("check", summary), …]}"""
        groups = {}
        for name, _, _, _, summary in self.verbs:
            word, *rest = name.split(" ")
            if rest:
                groups.setdefault(word, []).append((rest[0], summary))
        return groups
