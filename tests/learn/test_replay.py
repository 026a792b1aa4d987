#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Learn, then replay: what a program did once it may do again, with the same output and nothing
denied, and what lies beside what it used it may not.

	test_replay.py REEVE [--user]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap

# What the profile `base` lets everybody read, roughly: no canary can be told from it there.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/etc", "/proc", "/sys", "/dev", "/nix", "/gnu", "/var/lib/dpkg")
MAKEFILE = """all: prog out/list
prog: main.o util.o
	$(CC) -o $@ $^
%.o: %.c util.h
	$(CC) -c -o $@ $<
out/list: main.c util.c
	mkdir -p out
	ls $^ | sort >out/list.tmp
	mv out/list.tmp $@
"""
MAIN = '#include <stdio.h>\n#include "util.h"\nint main(void) { printf("%d\\n", util()); return 0; }\n'
PY = """import json, os, subprocess, tempfile
import helper
with tempfile.NamedTemporaryFile('w', delete=False) as f: f.write('x')
os.unlink(f.name)
with open('result.json.new', 'w') as f: json.dump(helper.load('data.json'), f)
os.replace('result.json.new', 'result.json')
print(open('result.json').read(), subprocess.check_output(['sort', 'words'], text=True))
"""
HELPER = "import json\ndef load(name):\n    with open(name) as f: return json.load(f)\n"
NODE = """const fs = require('fs'), path = require('path'), data = require('./data.json');
fs.mkdirSync('dist', {recursive: true});
fs.writeFileSync(path.join('dist', 'bundle.js'), 'module.exports = ' + JSON.stringify(data));
fs.appendFileSync('build.log', 'built\\n');
console.log(require(path.resolve('dist/bundle.js')).a, fs.readdirSync('dist').join());
"""
SHELL = """set -e
for f in words more; do tr a-z A-Z <$f | sort -u >up.$f; done
cat up.words up.more | tee all | wc -l
mkdir -p store/deep && cp all store/deep/copy && ln -sf deep/copy store/link && cat store/link
rm up.words up.more
./step one two
cmp all store/deep/copy && rmdir empty 2>/dev/null || echo no empty
"""
SERVER = """import os, socket, subprocess, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0)); s.listen()
client = subprocess.Popen([sys.executable, 'client.py', str(s.getsockname()[1])])
c, _ = s.accept(); c.sendall(open('page').read().encode()); c.close()
client.wait()
u = socket.socket(socket.AF_UNIX); u.bind('own.sock'); u.listen()
v = socket.socket(socket.AF_UNIX); v.connect('own.sock'); v.close(); u.close(); os.unlink('own.sock')
"""
CLIENT = """import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print('got', s.makefile().read().strip())
"""
GIT = """set -e
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git init -q -b main . && git config user.email a@b && git config user.name me
git add words more && git commit -qm one && echo x >>words && git commit -qam two
git log --oneline | cat
rm -rf copy && git clone -q . copy && git -C copy log --oneline | cat && find copy -links 2 -name '??*' | wc -l
git checkout -qb side HEAD~1 && git merge -q main && git status --short words && git gc -q
"""
DATAGRAMS = """import os, socket
udp = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s, c, k = udp(), udp(), udp(); s.bind(('127.0.0.1', 0)); k.connect(s.getsockname())
c.sendto(b'ping', s.getsockname()); data, who = s.recvfrom(9); s.sendto(data + b'-pong', who)
k.send(b'connected'); k.sendmsg([b'message'], [], 0, s.getsockname())
print(c.recv(9), s.recv(9), s.recv(9))
s, c = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)); s.bind('own.sock')
c.sendto(b'by name', 'own.sock'); print(s.recv(9)); os.unlink('own.sock')
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    a, b = socket.socketpair(socket.AF_UNIX, kind); a.send(b'pair'); print(b.recv(9))
"""
WORDS = {"words": "pear\napple\nfig\n", "more": "plum\nfig\n"}

# Name, the files that it starts from, the program that must be there, the command, more options.
CASES = [
    ("gcc", {"hello.c": MAIN, "util.h": "int util(void);\n", "util.c": "int util(void) { return 7; }\n"},
     "gcc", ["gcc", "-O1", "-o", "hello", "hello.c", "util.c"], []),
    ("make", {"Makefile": MAKEFILE, "main.c": MAIN, "util.h": "int util(void);\n",
              "util.c": '#include "util.h"\nint util(void) { return 7; }\n'},
     "make", ["make", "-j2"], []),
    ("git", WORDS, "git", ["sh", "-c", GIT], []),
    ("python", {**WORDS, "main.py": PY, "helper.py": HELPER, "data.json": '{"a": 1}'},
     "python3", [tap.PYTHON, "main.py"], []),
    ("node", {"main.js": NODE, "data.json": '{"a": 1}'}, "node", ["node", "main.js"], []),
    ("ssh-keygen", {}, "ssh-keygen",
     ["sh", "-c", "rm -f key key.pub; ssh-keygen -q -t ed25519 -N '' -f key && "
      "ssh-keygen -l -f key.pub | cut -d ' ' -f 1"], []),
    ("tar", {"src/" + name: text for name, text in WORDS.items()}, "tar",
     ["sh", "-c", "tar czf src.tar.gz src && mkdir -p to && tar xzf src.tar.gz -C to && cat to/src/*"], []),
    ("a shell script", {**WORDS, "step": "#!/bin/sh\necho step $#\n", "script": SHELL}, "sh",
     ["sh", "script"], []),
    ("a server and its client", {"server.py": SERVER, "client.py": CLIENT, "page": "hello\n"},
     "python3", [tap.PYTHON, "server.py"], ["--net"]),
    ("datagrams", {"datagrams.py": DATAGRAMS}, "python3", [tap.PYTHON, "datagrams.py"], ["--net"]),
]


def fill(directory, files):
    """From the beginning again, at the same place: the directory itself stays."""
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    for name, text in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755 if text.startswith("#!") else 0o644)


def run(directory, *argv):
    return subprocess.run(argv, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "HOME": os.path.dirname(directory), "LC_ALL": "C",
                               "PYTHONDONTWRITEBYTECODE": "", "GIT_CONFIG_NOSYSTEM": "1"}, check=False)


def lines(done):
    """Two jobs of make say their lines in any order."""
    return sorted(done.stdout.splitlines())


def granted(policy):
    """Path, rights, and what else a rule says: its comment, and whether it is live."""
    with open(policy, encoding="utf-8") as file:
        text = file.read()
    tables = re.findall(r"# (.*)\n\[\[path_beneath\]\]\nallowed_access = \[(.*?)\]\nparent = \[\"(.*?)\"\](\nlive = true)?",
                        text)
    return [(path, set(re.findall(r"\w+", rights)), comment + live) for comment, rights, path, live in tables]


def may_be_read(directory, path, said):
    """A directory with all that is in it: that the run made, or whose files have other names each time or are made
    and executed; many files only elsewhere, as none of the cases has that many."""
    many = "many" in said and not (path + "/").startswith(directory + "/")
    return "live = true" in said or "new each time" in said or "executed" in said or many


def canaries(directory, policy):
    """A new file beside everything that the policy names and in the working directory, and one directory further up."""
    places = {directory}
    rules = granted(policy)
    readable = [path for path, rights, said in rules if rights & {"read_file"} and os.path.isdir(path)
                and may_be_read(directory, path, said)]
    places -= set(readable)
    for path, _rights, _said in rules:
        for place in (os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
            if place.startswith(SYSTEM) or place in ("/", "/tmp") or not os.path.isdir(place):
                continue
            if any((place + "/").startswith(tree + "/") for tree in readable):
                continue
            places.add(place)
    return sorted(os.path.join(place, "canary") for place in places if os.access(place, os.W_OK))


def check_tight(reeve, name, directory, policy):
    paths = canaries(directory, policy)
    for path in paths:
        with open(path, "w", encoding="utf-8") as file:
            file.write("secret\n")
    readable = [path for path in paths
                if run(directory, reeve, "run", "--quiet", "-p", policy, "--", "cat", path).returncode == 0]
    writable = [path for path in paths
                if run(directory, reeve, "run", "--quiet", "-p", policy, "--", "sh", "-c", 'echo x >>"$1"',
                       "sh", path).returncode == 0]
    for path in paths:
        os.unlink(path)
    tap.report(len(paths) > 0 and not readable and not writable, f"{name}: canaries beside it are out of reach",
               f"canaries: {paths}\nreadable: {readable}\nwritable: {writable}\n" + open(policy).read())


def check(reeve, place, case):
    name, files, program, command, options = case
    if not shutil.which(program):
        tap.skip(name, f"{program}: is not here")
        return
    directory, policy = os.path.join(place, "work"), os.path.join(place, "learned.toml")
    os.mkdir(directory)
    fill(directory, files)
    native = run(directory, *command)
    fill(directory, files)
    learned = run(directory, reeve, "learn", "-o", policy, *options, "--", *command)
    tap.report(learned.returncode == native.returncode == 0 and lines(learned) == lines(native),
               f"{name}: works while it is watched",
               f"{native.returncode} {native.stdout} {native.stderr}\n{learned.returncode} {learned.stdout} {learned.stderr}")
    if not os.path.exists(policy):
        return
    again = ["dirty", "clean"]
    for state in again:
        if state == "clean":
            fill(directory, files)
        want = native
        if state == "dirty":
            after = run(directory, *command)  # where what it made is there already
            want = after
        replayed = run(directory, reeve, "run", "-p", policy, "--fail-on-deny", "--", *command)
        good = replayed.returncode == want.returncode and lines(replayed) == lines(want)
        good = good and " denied" not in replayed.stderr
        tap.report(good, f"{name}: runs again under what was learned, {state}",
                   f"{want.returncode} {want.stdout}{want.stderr}\n{replayed.returncode} {replayed.stdout}\n"
                   f"{replayed.stderr}\n{learned.stderr}\n" + open(policy, encoding="utf-8").read())
    check_tight(reeve, name, directory, policy)


def main():
    if "--user" in sys.argv:
        sys.argv.remove("--user")
        tap.as_user()
    reeve = os.path.realpath(sys.argv[1])
    only = sys.argv[2:]
    for case in CASES:
        if only and case[0] not in only:
            continue
        place = os.path.realpath(tempfile.mkdtemp())
        try:
            check(reeve, place, case)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    tap.finish()


main()
