#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `reeve learn` writes, and what it does not.

	test_learn.py REEVE [--user]
"""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap

CONNECT = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"


class Place:
    """A home with a working directory in it, and the file that is written outside of both."""

    def __init__(self, reeve):
        self.reeve = reeve
        self.top = os.path.realpath(tempfile.mkdtemp())
        self.home, self.work = self.top + "/home", self.top + "/home/work"
        self.policy = self.top + "/learned.toml"
        os.makedirs(self.work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def file(self, name, text="text\n", directory=None):
        path = os.path.join(directory or self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, *argv, **more):
        return subprocess.run([self.reeve, *argv], cwd=self.work, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, env={**os.environ, "HOME": self.home, "LC_ALL": "C"},
                              check=False, **more)

    def learn(self, *argv):
        return self.run("learn", "-o", self.policy, *argv)

    def text(self):
        with open(self.policy, encoding="utf-8") as file:
            return file.read()

    def rules(self):
        """Path → rights, "live" among them."""
        found = {}
        for rights, path, live in re.findall(
                r"\[\[path_beneath\]\]\nallowed_access = \[(.*?)\]\nparent = \[\"(.*?)\"\]\n(live = true)?",
                self.text(), re.S):
            found.setdefault(path, set()).update(re.findall(r"\w+", rights), ["live"] if live else [])
        return found


def what_is_said(place):
    done = place.run("learn", "--", "true")
    tap.report(done.returncode == 125 and "say where to write" in done.stderr, "without -o it says so", done.stderr)
    done = place.learn()
    tap.report(done.returncode == 125 and "learn: say what to run" in done.stderr and
               not os.path.exists(place.policy), "without CMD it says so, and writes nothing", done.stderr)
    done = place.learn("--merge", "--diff", "--", "true")
    tap.report(done.returncode == 125 and "--diff" in done.stderr, "--merge or --diff", done.stderr)
    done = place.learn("--", "sh", "-c", "echo said; exit 3")
    tap.report(done.returncode == 3 and done.stdout == "said\n" and os.path.exists(place.policy),
               "the exit code is the program's", done.stderr)
    done = place.learn("--", "cat", "/" + place.file("slashes"))
    tap.report("denied" not in done.stderr and place.work + "/slashes" in place.rules(),
               "two slashes at the beginning are one", done.stderr + place.text())
    os.unlink(place.policy)
    os.symlink(place.file("elsewhere"), place.policy)
    done = place.learn("--", "touch", "started")
    tap.report(done.returncode == 125 and "symbolic link" in done.stderr
               and not os.path.exists(place.work + "/started"),
               "a link in the policy's place is refused before the start", done.stderr)
    os.unlink(place.policy)
    done = place.run("learn", "-o", "inside.toml", "--", "true")
    tap.report("CMD can write to" in done.stderr, "a policy within reach of the program is warned about", done.stderr)
    os.unlink(place.work + "/inside.toml")


def what_is_merged(place):
    place.file("one"), place.file("two")
    own = "# mine\nabi = 7\n\nextends = [\"base\"] # as ever\n[[path_beneath]]\nallowed_access = [\"read_file\"]\n" \
          f"parent = [\"{place.work}/one\"] # the first\n"
    place.file("learned.toml", own, place.top)
    done = place.learn("--diff", "--", "cat", "one", "two")
    tap.report(done.returncode == 0 and "work/two" in done.stdout and "work/one" not in done.stdout
               and place.text() == own, "--diff shows what is lacking, and writes nothing", done.stdout + done.stderr)
    place.file("learned.toml", own.replace('"read_file"', '"read_file", "write_file"').replace("/one", ""), place.top)
    done = place.learn("--diff", "--", "cat", "one")
    tap.report('-allowed_access = ["write_file"]' in done.stdout and f"only {place.work}/one was needed" in done.stdout
               and "\n+" not in done.stdout and "lacks 0 rules" in done.stderr and "needed by 1\n" in done.stderr,
               "and what is granted beyond the need", done.stdout + done.stderr)
    place.file("learned.toml", own, place.top)
    done = place.learn("--merge", "--", "cat", "one", "two")
    kept = [line for line in own.splitlines() if line.startswith("#") or "# as ever" in line]
    tap.report(done.returncode == 0 and "work/two" in place.text() and all(line in place.text() for line in kept)
               and "# the first" in place.text(), "--merge adds it, and keeps comments", place.text() + done.stderr)
    tap.report("# needed by cat (1)\n[[path_beneath]]" in place.text(), "and says who needed it", place.text())
    merged = place.text()
    done = place.learn("--merge", "--", "cat", "two", "one")
    tap.report(done.returncode == 0 and place.text() == merged and "0 rules added" in done.stderr,
               "and the second time nothing is lacking", done.stderr)
    done = place.run("run", "-p", place.policy, "--fail-on-deny", "--", "cat", "one", "two")
    tap.report(done.returncode == 0, "what was merged works", done.stderr)
    os.unlink(place.policy)
    place.learn("--", "cat", "one")
    first = place.text()
    place.learn("--", "cat", "one")
    tap.report(first == place.text(), "the same run, the same file", place.text())


def what_is_contained(place):
    outside = place.file("outside", directory=place.home)
    place.file(".ssh/id_ed25519", "a key\n", place.home)
    done = place.learn("--", "sh", "-c", "echo changed >../outside; cat ../.ssh/id_ed25519; cat ../outside; echo x >in")
    tap.report("a key" not in done.stdout and done.stdout == "text\n", "secrets and what is outside are out of reach",
               done.stdout + done.stderr)
    rules = place.rules()
    tap.report(rules.get(outside) == {"read_file"} and not any(".ssh" in path for path in rules),
               "what was denied is not learned", place.text())
    tap.report("not learned" in done.stderr and outside in done.stderr, "and is told", done.stderr)
    done = place.learn("--", tap.PYTHON, "-c", CONNECT)
    tap.report(done.returncode != 0, "no network", done.stdout + done.stderr)
    done = place.learn("--net", "--", tap.PYTHON, "-c", CONNECT)
    tap.report(done.returncode == 0 and '"loopback:9"' in place.text(), "--net: the address is learned",
               place.text() + done.stderr)
    done = place.learn("--rw", "..", "--", "sh", "-c", "echo changed >../outside")
    tap.report(done.returncode == 0 and "write_file" in place.rules().get(outside, ()), "a rule widens what is allowed",
               place.text() + done.stderr)
    done = place.learn("--within", "base", "--", "sh", "-c", "cat ../outside || echo no")
    tap.report(done.stdout == "no\n", "--within names another policy", done.stdout + done.stderr)


REFUSED = """mkdir ~/.cache-of-it 2>/dev/null
ln ../outside in 2>/dev/null || cp ../outside in
"$1" -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)' 2>/dev/null
cat in
"""


def replay(place, *argv):
    return place.run("run", "-p", place.policy, "--fail-on-deny", "--", *argv)


def what_it_goes_on_without(place):
    place.file("outside", directory=place.home)
    place.file(".ssh/id_ed25519", "a key\n", place.home)
    command = ["sh", "-c", REFUSED, "sh", tap.PYTHON]
    done = place.learn("--", *command)
    tap.report(done.returncode == 0 and done.stdout == "text\n" and "3 requests were denied" in done.stderr,
               "what is refused is told", done.stdout + done.stderr)
    for state in ("there", "removed"):
        again = replay(place, *command)
        tap.report(again.returncode == 0 and again.stdout == "text\n" and "denied" not in again.stderr,
                   f"and no news when it is refused again: what it made is {state}", again.stderr + place.text())
        os.unlink(place.work + "/in")
    other = replay(place, "sh", "-c", "mkdir ../x || touch ../outside || ln ../outside more")
    tap.report(other.returncode not in (0, 125) and "fs.write_file" in other.stderr
               and not os.path.exists(place.home + "/x"), "nothing is granted by that", other.stderr + place.text())
    place.learn("--merge", "--", "sh", "-c", "touch ../outside; true")
    again = replay(place, "sh", "-c", "touch ../outside; true")
    tap.report(again.returncode == 0 and 'quiet = ["write_file"]' in place.text(), "--merge adds what was refused",
               again.stderr + place.text())
    merged = place.text()
    place.learn("--merge", "--", "sh", "-c", "touch ../outside; true")
    tap.report(place.text() == merged, "once", place.text())
    place.learn("--", "sh", "-c", "echo x >>../outside")
    tap.report("quiet" not in place.text(), "not where it failed", place.text())
    place.learn("--", "sh", "-c", "cat ~/.ssh/id_ed25519; true")
    again = replay(place, "sh", "-c", "cat ~/.ssh/id_ed25519; true")
    tap.report(again.returncode == 124 and "denied fs.read_file" in again.stderr, "secrets are told of every time",
               again.stderr + place.text())


def what_is_cloned(place):
    """From elsewhere, where no link can be made, and from here, where all objects are linked."""
    if not shutil.which("git"):
        tap.skip("git clone", "git: is not here")
        return
    for where, source in (("elsewhere", place.home + "/source"), ("here", place.work + "/source")):
        for name in "abc":
            place.file(name, directory=source)
        git = ["git", "-C", source, "-c", "user.name=me", "-c", "user.email=a@b"]
        for argv in (["init", "-q", "-b", "main", "."], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run(git + argv, check=True, env={**os.environ, "HOME": place.home})
        command = ["sh", "-c", f"git clone -q {source} copy && git -C copy log --format=%s && ls copy"]
        learned = place.learn("--", *command)
        shutil.rmtree(place.work + "/copy", ignore_errors=True)
        again = replay(place, *command)
        tap.report(learned.returncode == again.returncode == 0 and learned.stdout == again.stdout
                   and "denied" not in again.stderr, f"git clone of a repository {where}, again",
                   again.stderr + place.text())
        opened = [path for path, rights in place.rules().items()
                  if path.startswith(source) and rights & {"write_file", "truncate", "make_reg"}]
        told = re.search(r"(\S+) and (\d+) more: opened for writing, as they are linked into \S+/copy;", learned.stderr)
        tap.report(told and told[1] in opened and int(told[2]) == len(opened) - 1 if where == "here" else not opened,
                   "what of it may be written to is told", learned.stderr + place.text())
        shutil.rmtree(place.work + "/copy", ignore_errors=True)


LINKS = """rm -rf out; mkdir -p out/sub/deep
ln src/a out/sub/a; ln src/b out/b
echo gen >out/gen; echo x >out/sub/deep/f; echo y >out/sub/deep/g; cat out/sub/a out/b out/gen
"""


def what_is_linked(place):
    sources = [place.file("src/a"), place.file("src/b")]
    done = place.learn("--", "sh", "-c", LINKS)
    rules = place.rules()
    tap.report(done.returncode == 0 and all(rules.get(path, set()) <= {"read_file", "live"} for path in sources)
               and "opened for writing" not in done.stderr, "what is linked into what is made is not opened for writing",
               done.stderr + place.text())
    for state in ("there", "removed"):
        again = replay(place, "sh", "-c", LINKS)
        tap.report(again.returncode == 0 and again.stdout == done.stdout and "denied" not in again.stderr,
                   f"and linked again: what was made is {state}", again.stderr + place.text())
        place.run("run", "--quiet", "-p", place.policy, "--", "sh", "-c", "echo x >>out/sub/a; echo x >>src/b; echo >out/b")
        with open(sources[0], encoding="utf-8") as a, open(sources[1], encoding="utf-8") as b:
            tap.report(a.read() == b.read() == "text\n", "by neither name it can be written to", place.text())
        if state == "there":
            shutil.rmtree(place.work + "/out")
    done = place.learn("--", "sh", "-c", LINKS + "t=$(mktemp out/XXXXXX); echo x >$t; rm $t")
    tap.report("opened for writing, as " in done.stderr and "work/src/" in done.stderr, "where that cannot be, it is told",
               done.stderr + place.text())
    again = replay(place, "sh", "-c", LINKS + "t=$(mktemp out/XXXXXX); echo x >$t; rm $t")
    tap.report(again.returncode == 0 and "denied" not in again.stderr, "and works again", again.stderr + place.text())


def how_it_is_widened(place):
    few = [place.file(f"few/{i}") for i in range(3)]
    many = [place.file(f"many/{i}") for i in range(20)]
    trees = [place.file(f"tree/{d}/{i}") for d in range(5) for i in range(16)]
    dots = [place.file(f".dot{i}", directory=place.home) for i in range(20)]
    deep = [place.file(f"deep/{a}/{b}/{i}") for a in range(5) for b in range(5) for i in range(16)]
    # Each of these directories is one of many that are listed, and has many files that are read.
    wide = [place.file(f"wide/{a}/{i}") for a in range(20) for i in range(17 * (a % 7 == 0))]
    for a in range(20):
        os.makedirs(place.work + f"/wide/{a}", exist_ok=True)
    place.learn("--", "sh", "-c", 'ls -R wide; cat "$@"', "sh", *wide)
    rules = place.rules()
    again = place.run("run", "-p", place.policy, "--fail-on-deny", "--", "sh", "-c", 'ls -R wide; cat "$@"', "sh", *wide)
    tap.report(again.returncode == 0 and {"read_file"} <= rules.get(place.work + "/wide/7", set())
               and "read_file" not in rules.get(place.work + "/wide", set()), "listed and read, each by itself",
               again.stderr + place.text())
    done = place.learn("--", "cat", *few, *many, *trees, *dots, *deep)
    rules = place.rules()
    again = place.run("run", "-p", place.policy, "--fail-on-deny", "--", "cat", *few, *many, *trees, *dots, *deep)
    tap.report(again.returncode == 0 and again.stdout == done.stdout, "all of it can be read again",
               again.stderr + place.text())
    tap.report(all(rules.get(path) == {"read_file"} for path in few), "a few files are named one by one", place.text())
    tap.report(rules.get(place.work + "/many") == {"read_file"} and not set(many) & set(rules),
               "many are their directory", place.text())
    tap.report(rules.get(place.work + "/tree") == {"read_file"} and place.work + "/tree/0" not in rules,
               "many directories are the tree", place.text())
    tap.report(all(path in rules for path in dots) and place.home not in rules, "but never the home directory",
               place.text())
    tap.report("needed by cat (20); many files" in place.text(), "who needed it, and how often", place.text())


def what_is_made(place):
    place.learn("--", "sh", "-c", "echo x >stable; mkdir dir; echo y >dir/file")
    rules = place.rules()
    tap.report({"live", "write_file"} <= rules.get(place.work + "/stable", set()), "what is made goes by name",
               place.text())
    tap.report({"live", "write_file"} <= rules.get(place.work + "/dir", set())
               and {"make_dir", "make_reg"} <= rules.get(place.work, set())
               and place.work + "/dir/file" not in rules, "a directory with all that is in it", place.text())
    place.learn("--", "sh", "-c", "t=$(mktemp ./XXXXXX) && rm $t")
    tap.report("names that are new each time" in place.text()
               and {"make_reg", "remove_file", "write_file"} <= place.rules().get(place.work, set()),
               "what has another name each time takes the directory", place.text())
    os.unlink(place.work + "/stable")
    place.learn("--", "sh", "-c", "printf '#!/bin/sh\\necho ran\\n' >made; chmod +x made; ./made")
    tap.report("execute" in place.rules().get(place.work, ()), "and so does what is made and executed", place.text())
    done = place.run("run", "-p", place.policy, "--fail-on-deny", "--", "./made")
    tap.report(done.stdout == "ran\n", "which works again", done.stderr)
    done = place.learn("--", "sh", "-c", "t=$(mktemp) && echo x >$t && cat $t && rm $t")
    tap.report('tmpdir = "private"' in place.text() and done.stdout == "x\n" and not place.rules(),
               "what is in the private TMPDIR needs no rule", place.text())


# Names of a day, of a second, of a shell, and of the contents, whose first digits are a directory.
NEW_NAMES = {
    "a day": ('d=log-$(date +%F).txt; echo x >>$d; cat $d', "."),
    "a second": ('f=run.$(date +%s%3N); echo x >$f; cat $f', "."),
    "a shell": ("mkdir run.$$ && echo x >run.$$/f && cat run.$$/f", "."),
    "the contents": ('h=$(date +%N | sha1sum | cut -c 1-40); d=store/$(echo $h | cut -c 1-2); mkdir -p $d; '
                     'echo x >$d/$(echo $h | cut -c 3-40); cat $d/*', "store"),
    "a tempfile of Python": ('n=tmp$(tr -dc a-z </dev/urandom | head -c 8); echo x >$n; cat $n; rm $n', "."),
    "letters of one case": ('n=$(tr -dc A-Z </dev/urandom | head -c 6); set -C; echo x >$n; cat $n; rm $n', "."),
}


def what_has_new_names(place):
    os.mkdir(place.work + "/store")
    for name, (script, where) in NEW_NAMES.items():
        learned = place.learn("--", "sh", "-c", script)
        at = os.path.normpath(os.path.join(place.work, where))
        tap.report({"make_reg", "write_file", "read_file"} - place.rules().get(at, set()) <= {"make_reg"}
                   and "new each time" in place.text(), f"{name}: another name each time", learned.stderr + place.text())
        outcomes = [replay(place, "sh", "-c", script) for _ in range(3)]
        tap.report(all(again.returncode == 0 and "denied" not in again.stderr for again in outcomes),
                   f"{name}: and so it is", "".join(again.stderr for again in outcomes) + place.text())
    place.learn("--", "sh", "-c", "mkdir b; echo x >b/readme; echo y >notes-2001-02-03; rm b/readme; rmdir b")
    tap.report("write_file" not in place.rules().get(place.work, set()), "other names are no new ones", place.text())


def what_is_not_destroyed(place):
    """A policy that was there stays what it was where there is none to take its place."""
    done = place.learn("--", place.work + "/nothing")
    tap.report(done.returncode == 127 and not os.path.exists(place.policy) and "did not start" in done.stderr,
               "no CMD, no policy", done.stderr)
    place.learn("--", "true")
    before = place.text()
    done = place.learn("--", place.work + "/nothing")
    tap.report(done.returncode == 127 and place.text() == before, "a policy is not replaced by one of nothing",
               done.stderr + place.text())
    many = [place.file(f"{i}/file") for i in range(100)]

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = place.run("learn", "-o", place.policy, "--", "cat", *many, preexec_fn=limited)
    tap.report(done.returncode == 125 and place.text() == before, "nor by a part of one, where the disk is full",
               done.stderr + place.text())
    os.unlink(place.policy)
    done = place.run("learn", "-o", place.policy, "--", "cat", *many, preexec_fn=limited)
    tap.report(done.returncode == 125 and not os.path.exists(place.policy), "and nothing is left of it", done.stderr)
    os.mkfifo(place.policy)
    done = place.learn("--", "true")
    tap.report(done.returncode == 125 and "not a regular file" in done.stderr, "a FIFO is no policy", done.stderr)


LINKED = {
    "what it made": 'mkdir it; echo x >it/file; cat it/file; rm -r it; ln -s "$1" it',
    "what was there": 'cat there; rm there; ln -s "$1/key" there',
    "the directory of many": 'cat many/* >/dev/null; mv many others; ln -s "$1" many',
}


def what_is_left_for_next_time(place):
    """A link in the place of what was learned must not lead the next run to what was denied in this one."""
    secret = os.path.dirname(place.file(".ssh/key", "a key\n", place.home))
    read = ["sh", "-c", 'cat "$1/key"; echo x >"$1/new"', "sh", secret]
    for name, script in LINKED.items():
        place.file("there")
        for i in range(20):
            place.file(f"many/{i}")
        done = place.learn("--", "sh", "-c", script, "sh", secret)
        again = place.run("run", "-p", place.policy, "--", *read)
        tap.report(done.returncode == 0 and "a symbolic link is there now" in done.stderr and "a key" not in again.stdout
                   and not os.path.exists(secret + "/new"), f"{name}: a link that was left in its place",
                   done.stderr + again.stdout + again.stderr + place.text())
        shutil.rmtree(place.work)
        os.mkdir(place.work)
        place.file("there")
        for i in range(20):
            place.file(f"many/{i}")
        place.learn("--", "sh", "-c", script.replace('ln -s "$1', 'ln -s "$1/no').replace("; ln", "; : ln") +
                    "; ln -s x y; rm y")
        place.run("run", "-p", place.policy, "--", "sh", "-c", script, "sh", secret)
        again = place.run("run", "-p", place.policy, "--", *read)
        tap.report("a key" not in again.stdout and not os.path.exists(secret + "/new"),
                   f"{name}: by the run under what was learned", again.stdout + again.stderr + place.text())
        tap.report(again.returncode == 125 and "is a symbolic link" in again.stderr, "which is told", again.stderr)
        shutil.rmtree(place.work)
        os.mkdir(place.work)


HOSTILE = ["new\nline", "tab\t", 'quo"te', "back\\slash", '"]\nallowed_access = ["abi.all"]\nparent = ["x', "${HOME}",
           "~", "\x1b[31mred", "# no comment", "\u202ertl", b"not utf-8 \xff"]


def what_names_can_do(place):
    """Names are what CMD makes them: none becomes a rule on something else."""
    for name in HOSTILE:
        with open(os.path.join(os.fsencode(place.work), os.fsencode(name)), "w", encoding="utf-8") as file:
            file.write("text\n")
    names = [name for name in HOSTILE if isinstance(name, str)]
    done = place.learn("--", "cat", *HOSTILE)
    with open(place.policy, "rb") as file:
        parents = [path for rule in tomllib.load(file)["path_beneath"] for path in rule["parent"]]
    want = {os.path.join(place.work, name).replace("$", "$$") for name in names}
    tap.report(done.returncode == 0 and len(parents) == len(want) and "not UTF-8" in done.stderr,
               "a rule for each name, and a warning for what is none", f"{done.stderr}\n{parents}")
    again = replay(place, "cat", *names)
    tap.report(again.returncode == 0 and again.stdout == "text\n" * len(names), "which works again",
               again.stderr + place.text())
    place.learn("--", "true")
    done = place.learn("--merge", "--", "cat", *HOSTILE)
    again = replay(place, "cat", *names)
    tap.report(done.returncode == again.returncode == 0 and "not UTF-8" in done.stderr, "merged as well",
               done.stderr + again.stderr + place.text())
    denied = place.run("run", "-p", "base", "--", "cat", HOSTILE[0])
    flag = f"--ro $'{place.work}/new\\nline'"
    tap.report(flag + "\n" in denied.stderr, "the summary's flag can be typed", denied.stderr)
    explained = place.run("explain", "-p", "base", "read_file", HOSTILE[0])
    tap.report(flag + "\n" in explained.stdout, "and explain has the same", explained.stdout)


def main():
    if "--user" in sys.argv:
        sys.argv.remove("--user")
        tap.as_user()
    for part in (what_is_said, what_is_merged, what_is_contained, what_it_goes_on_without, what_is_cloned,
                 what_is_linked, how_it_is_widened, what_is_made, what_has_new_names, what_is_not_destroyed, what_is_left_for_next_time,
                 what_names_can_do):
        with Place(os.path.realpath(sys.argv[1])) as place:
            part(place)
    tap.finish()


main()
