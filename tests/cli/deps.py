#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve deps`: what is written is what was done, compared with strace(1) in the very same run.

	deps.py REEVE [--user]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import report, skip  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])
if "--user" in sys.argv:
    tap.as_user(os.path.realpath(__file__))

work = os.path.realpath(tempfile.mkdtemp(prefix="deps-"))
os.chdir(work)
os.environ["XDG_RUNTIME_DIR"] = os.path.join(work, "run")
os.environ["LC_ALL"] = "C"
os.mkdir("run", 0o700)


def run(*argv, code=None, **more):
    got = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                         timeout=240, check=False, **more)
    if code is not None and got.returncode != code:
        print("#", argv, got.returncode, got.stdout[-400:], got.stderr[-800:])
    return got


def deps(*argv, **more):
    return run(REEVE, "deps", *argv, **more)


def lines(name):
    with open(name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(name, text):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


probe = deps("-o", "probe.json", "--", "true")
if probe.returncode == 125:
    skip("deps", "supervisor: " + probe.stderr.strip().splitlines()[0])
    tap.finish()

# ------------------------------------------------------------------- complete against strace
CALLS = ("open,openat,openat2,creat,execve,execveat,unlink,unlinkat,rmdir,rename,renameat,renameat2,"
         "chdir,fchdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,mknod,mknodat")
LINE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)(?:<(.*?)>(?:\(deleted\))?)?(?: (E\w+))?(?: .*)?$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def calls_of(trace):
    """The calls that ended, unfinished ones joined: (pid, call, arguments, result, path, error)."""
    pending = {}
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            pid = line.split(" ", 1)[0]
            if line.endswith("<unfinished ...>"):
                pending[pid] = line[:-len("<unfinished ...>")].rstrip()
                continue
            resumed = re.match(r"^\d+\s+<\.\.\. \w+ resumed>(.*)$", line)
            if resumed:
                line = pending.pop(pid, "") + resumed.group(1)
            match = LINE.match(line)
            if match:
                yield match.groups()


def canonical(path):
    """But for the last part: what is not there has a directory that may be."""
    path = os.path.normpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def at(arguments, cwds, number):
    """What the `number`-th name of a call may be: strace names directories of the ...at calls, and not
    the working directory of the others, so it is one of those that there were."""
    name = STRING.findall(arguments)[number]
    name = bytes(name, "ascii").decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
    directories = re.findall(r"(?:AT_FDCWD|\d+)<(.*?)>", arguments)
    bases = [directories[min(number, len(directories) - 1)]] if directories else sorted(cwds)
    return tuple(dict.fromkeys(canonical(os.path.join(base, name)) for base in bases))


def is_ours(path):
    """/proc/PID means another process for each; strace's own file is not CMD's."""
    return path.startswith("/") and not path.startswith("/proc/") and path != os.path.join(work, "trace")


def traced(trace):
    """What strace saw: sets of what may be one path."""
    seen = {"read": set(), "write": set(), "execute": set(), "delete": set(), "make": set(), "absent": set()}
    cwds = {work}
    for _, call, arguments, result, path, error in calls_of(trace):
        failed = int(result) < 0
        cwds.update(re.findall(r"AT_FDCWD<(.*?)>", arguments))
        if call == "fchdir" and not failed:
            cwds.update(re.findall(r"^\d+<(.*?)>", arguments))
        elif call == "chdir" and not failed:
            cwds.update(at(arguments, cwds, 0))
        elif call.startswith("open") or call == "creat":
            if "O_PATH" in arguments:
                continue
            # In a directory that is not there nothing is made: that is no file that was looked for.
            if error in ("ENOENT", "ENOTDIR") and "O_CREAT" not in arguments and call != "creat":
                seen["absent"].add(at(arguments, cwds, 0))
            elif not failed and "(deleted)" not in path and not os.path.isdir(path):
                kinds = {"O_RDONLY": ["read"], "O_WRONLY": ["write"], "O_RDWR": ["read", "write"]}
                mode = re.search(r"O_(?:RDONLY|WRONLY|RDWR)", arguments)
                if "O_DIRECTORY" not in arguments and "O_TMPFILE" not in arguments:
                    for kind in kinds[mode.group(0) if mode else "O_WRONLY"]:
                        seen[kind].add((path,))
        elif call.startswith("execve"):
            name = at(arguments, cwds, 0)
            if error in ("ENOENT", "ENOTDIR"):
                seen["absent"].add(name)
            elif not failed:
                seen["execute"].add(tuple(os.path.realpath(one) for one in name))
        elif not failed and call in ("unlink", "unlinkat", "rmdir"):
            seen["delete"].add(at(arguments, cwds, 0))
        elif not failed and call.startswith("rename"):
            seen["delete"].add(at(arguments, cwds, 0))
            seen["make"].add(at(arguments, cwds, 1))
        elif not failed and call.startswith(("link", "symlink")):
            seen["make"].add(at(arguments, cwds, 1))
        elif not failed and call.startswith("mk"):
            seen["make"].add(at(arguments, cwds, 0))
    return seen


def recorded(name):
    """What deps wrote, without what strace itself did."""
    found = {"read": set(), "write": set(), "execute": set(), "delete": set(), "make": set(), "absent": set()}
    own = {line["program"] for line in lines(name) if line["type"] == "program" and line["comm"] in ("strace", "reeve")}
    for line in lines(name):
        if line["type"] != "access" or not any(right.startswith("fs.") for right in line["rights"]):
            continue
        if line["program"] in own and line["call"] not in ("execve", "execveat"):
            continue
        rights = {right[3:] for right in line["rights"]}
        if line["outcome"] == "absent":
            found["absent"].add(canonical(line["object"]))
        if line["outcome"] != "allowed":
            continue
        if "read_file" in rights:
            found["read"].add(line["object"])
        if "write_file" in rights:
            found["write"].add(line["object"])
        if "execute" in rights:
            found["execute"].add(line["object"])
        if rights & {"remove_file", "remove_dir"}:
            found["delete"].add(line["object"])
        if any(right.startswith("make_") for right in rights) or "object2" in line:
            found["make"].add(line.get("object2", line["object"]))
    return found


def compare(name, *command, cwd=None):
    """Nothing that strace saw is missing. Absent: what exists by now may have been made since."""
    if not shutil.which("strace"):
        skip(f"{name}: complete against strace", "strace: not installed")
        return
    got = deps("-o", "traced.json", "--quiet", "--", "strace", "-f", "-y", "-qq", "-s", "4096", "-o",
               os.path.join(work, "trace"), "-e", "trace=" + CALLS, *command, cwd=cwd)
    if cwd:
        os.replace(os.path.join(cwd, "traced.json"), "traced.json")
    if "ptrace" in got.stderr and got.returncode:
        skip(f"{name}: complete against strace", "strace: may not trace here")
        return
    seen, found = traced("trace"), recorded("traced.json")
    wrong = {kind: sorted(paths for paths in seen[kind] if any(map(is_ours, paths)) and not found[kind] & set(paths))
             for kind in seen}
    wrong = {kind: paths for kind, paths in wrong.items() if paths}
    count = sum(len(paths) for paths in seen.values())
    report(got.returncode == 0 and not wrong and count > 5, f"{name}: complete against strace",
           f"exit {got.returncode}, {count} paths\n{wrong}\n{got.stderr[-500:]}")


write("src/main.c", '#include "part.h"\n#include "config.h"\nint main(void) { return part(); }\n')
write("src/part.c", '#include "part.h"\nint part(void) { return 0; }\n')
write("src/part.h", "int part(void);\n")
write("include/config.h", "#define CONFIG 1\n")
write("Makefile", "prog: main.o part.o\n\t$(CC) -o $@ $^\n%.o: src/%.c\n\t$(CC) -Iinclude -c -o $@ $<\n"
      "clean:\n\trm -f *.o prog\n")
have_cc = shutil.which("gcc") and shutil.which("make")
if have_cc:
    compare("make and gcc", "make", "-j2", "CC=gcc")
    compare("make clean", "make", "clean")
else:
    skip("make and gcc", "gcc: not installed")
if shutil.which("git"):
    for key, value in (("NAME", "x"), ("EMAIL", "x@example.org")):
        os.environ["GIT_AUTHOR_" + key] = os.environ["GIT_COMMITTER_" + key] = value
    os.environ["GIT_CONFIG_GLOBAL"] = os.path.join(work, "gitconfig")
    compare("git", "sh", "-c", "git init -q repo && cp -r src repo && cd repo && git add . && git commit -qm x")
else:
    skip("git", "git: not installed")
compare("a shell script", "sh", "-c", """
    mkdir -p made/sub; echo 1 >made/a; cat made/a made/none 2>/dev/null; mv made/a made/b; ln made/b made/c
    ln -s b made/l; cat made/l; rm made/c; rmdir made/sub; cp made/b 'made/with space'; find made | sort >made/list
    no-such-command 2>/dev/null; for i in 1 2 3; do echo $i | tee made/$i >/dev/null; done; :""")
compare("python", tap.PYTHON, "-c", "import json, email.mime.text, os; open('py.out', 'w').write(json.dumps(1))")

# -------------------------------------------------------------------------------- make
if have_cc:
    build = ["gcc", "-Iinclude", "-c", "-o", "main.o", "src/main.c"]
    got = deps("-o", "main.d", "--", *build)
    with open("main.d", encoding="utf-8") as file:
        rule = file.read()
    report(got.returncode == 0 and "main.o: \\\n" in rule and all(
        f"  {name}" in rule for name in ("src/main.c", "src/part.h", "include/config.h")),
        "make: a rule with the target and what it was made of", rule + got.stderr)
    report("/usr/include/stdc-predef.h" in rule and "src/part.c" not in rule,
           "make: the system's headers, and nothing that was not read", rule)
    write("rules.mk", "-include main.d\nmain.o:\n\t@echo again\n")
    up_to_date = run("make", "-f", "rules.mk", "main.o")
    os.utime("include/config.h", (2000000000, 2000000000))
    again = run("make", "-f", "rules.mk", "main.o")
    report("up to date" in up_to_date.stdout and "again" in again.stdout,
           "make: includes it, and builds again when a header changes", up_to_date.stdout + again.stdout)
    os.rename("include/config.h", "include/other.h")
    gone = run("make", "-f", "rules.mk", "main.o")
    report("again" in gone.stdout and gone.returncode == 0, "make: a header that is gone does not stop it", gone.stderr)
    os.rename("include/other.h", "include/config.h")
    deps("-o", "under.d", "--under", "src", "--target", "all", "--", *build)
    with open("under.d", encoding="utf-8") as file:
        rule = file.read()
    report("\nall: \\\n  src/main.c \\\n  src/part.h\n" in rule, "make: --under and --target", rule)
else:
    skip("make", "gcc: not installed")
write("od d/a b$c#d", "x\n")
got = deps("-o", "odd.d", "--under", ".", "--", "cp", "od d/a b$c#d", "out:put")
report(got.returncode == 125 and "no file behind" in got.stderr and "out:put: left out" in got.stderr,
       "make: a name that it cannot write is said", got.stderr)
deps("-o", "odd.d", "--under", ".", "--", "cp", "od d/a b$c#d", "out put")
with open("odd.d", encoding="utf-8") as file:
    rule = file.read()
report("out\\ put: \\\n  od\\ d/a\\ b$$c\\#d\n" in rule, "make: blanks, dollars and hashes", rule)
if shutil.which("make"):
    write("odd.mk", "-include odd.d\nout\\ put:\n\t@echo again\n")
    report("up to date" in run("make", "-f", "odd.mk", "out put").stdout, "make: takes them so")
    os.utime("od d/a b$c#d", (2000000000, 2000000000))
    report("again" in run("make", "-f", "odd.mk", "out put").stdout, "make: and sees that they changed")
else:
    skip("make takes them", "make: not installed")

# -------------------------------------------------------------------------------- JSON
write("in", "1\n")
got = deps("-o", "x.json", "--", "sh", "-c", "cat in >out; cat none; mv out out2; rm -f gone; : >gone; rm gone; exit 7")
found = lines("x.json")
report(got.returncode == 7, "the exit code is CMD's", got.stderr)
report(all(line["version"] == 1 for line in found) and {line["type"] for line in found} == {"program", "access", "file"},
       "JSON: lines with version and type")
accesses = [line for line in found if line["type"] == "access"]
report([line["sequence"] for line in accesses] == sorted(line["sequence"] for line in accesses), "JSON: in order")
roles = {os.path.relpath(line["object"], work): line["role"] for line in found if line["type"] == "file"}
report(roles.get("in") == "input" and roles.get("out2") == "output" and roles.get("none") == "absent" and
       "out" not in roles and "gone" not in roles, "JSON: what each file was to the run", roles)
report(any(line["action"] == "rename" and line["object"] == work + "/out" and line["object2"] == work + "/out2"
           for line in accesses) and any(line["action"] == "delete" and line["object"] == work + "/gone"
                                         for line in accesses), "JSON: renamed, deleted")
programs = {line["program"]: line for line in found if line["type"] == "program"}
cat = next(line for line in accesses if line["object"] == work + "/in")
report(programs[cat["program"]]["comm"] == "cat" and programs[cat["program"]]["parent"] in programs,
       "JSON: by which program, whose child", programs)

# ------------------------------------------------------------------ missing, changed since
got = deps("--missing", "-o", "-", "--under", ".", "--", "sh", "-c", "cat none; cat in; : <later; echo >later")
report(got.stdout.replace("1\n", "", 1).split() == [work + "/none", work + "/later"] or
       got.stdout.split() == ["1", work + "/none", work + "/later"], "--missing: in order", got.stdout)
got = deps("--missing", "--json", "-o", "missing.json", "--under", ".", "--", "sh", "-c", "cat none")
report([line["object"] for line in lines("missing.json")] == [work + "/none"], "--missing --json", got.stderr)


def changed(*more):
    return deps("--changed-since", "x.json", *more)


got = deps("-o", "x.json", "--", "sh", "-c", "cat in none >out2")
got = changed()
report((got.returncode, got.stdout) == (0, ""), "--changed-since: nothing", got.stdout + got.stderr)
write("in", "2 and more\n")
report((changed().returncode, changed().stdout) == (1, f"changed   input    {work}/in\n"), "... an input", changed().stdout)
write("none", "")
os.remove("out2")
report(sorted(changed().stdout.splitlines()) == [
    f"appeared  absent   {work}/none", f"changed   input    {work}/in", f"gone      output   {work}/out2"],
       "... what was not there, and an output that is gone", changed().stdout)
report(sorted(json.loads(line)["change"] for line in changed("--json").stdout.splitlines()) == ["appeared", "changed", "gone"],
       "... as JSON")
got = deps("--changed-since", "x.json", "--", "true")
report(got.returncode == 125 and "runs nothing" in got.stderr, "... runs nothing", got.stderr)

# --------------------------------------------------------------------------------- graph
deps("-o", "x.dot", "--under", ".", "--", "sh", "-c", "cat in >out3; cat nothere; rm out3")
with open("x.dot", encoding="utf-8") as file:
    graph = file.read()
names = dict(re.findall(r'\t(f\d+) \[shape=box[^\]]*label="([^"]*)"\];', graph))
programs = dict(re.findall(r'\t(p\d+) \[label="([^"]*)"\];', graph))
arrows = {(programs.get(a) or os.path.basename(names.get(a, "?")), programs.get(b) or os.path.basename(names.get(b, "?")))
          for a, b in re.findall(r"\t(\w+) -> (\w+)", graph)}
report(graph.count("{") == graph.count("}") and ("in", "cat") in arrows and
       any(program in ("sh", "dash", "bash") and name == "out3" for program, name in arrows) and ("nothere", "cat") in arrows and
       ("rm", "out3") in arrows and "style=dashed" in graph, "dot: who reads, writes, misses and deletes what", graph)
if shutil.which("dot"):
    report(run("dot", "-Tsvg", "-o", "x.svg", "x.dot").returncode == 0, "dot: takes it")

# ------------------------------------------------------------------------- under a policy
got = deps("-o", "denied.json", "-p", "none", "--rx", "/usr", "--rx", "/bin", "--rx", "/lib", "--rx", "/etc",
           *(["--rx", "/lib64"] if os.path.exists("/lib64") else []), "--", "cat", work + "/in")
report(got.returncode == 1 and any(line.get("outcome") == "denied" and line["object"] == work + "/in"
                                   for line in lines("denied.json")), "-p: the policy is in force", got.stderr)
got = deps("-o", "reachable.json", "-p", "workspace", "--", "true")
report("warning" in got.stderr and "reachable.json" in got.stderr, "-p: a list that CMD may write to is worth a warning",
       got.stderr)
got = deps("-o", "x.json", "--", "sh", "-c", "cat in >/dev/null && echo fine")
report(got.stdout == "fine\n" and got.stderr == "", "without, nothing is denied", got.stdout + got.stderr)

# ------------------------------------------------------------------------------ bad input
os.symlink("elsewhere", "link.json")
os.mkfifo("fifo.json")
for name, argv, message in (
        ("no command", ["-o", "x.json"], "say what to run"),
        ("no output", ["--", "true"], "say where to write"),
        ("no format", ["-o", "x.txt", "--", "true"], "which format"),
        ("a format that there is not", ["-o", "x.d", "--format", "xml", "--", "true"], "--format xml: expected make, json or dot"),
        ("a link", ["-o", "link.json", "--", "true"], "a symbolic link"),
        ("a FIFO", ["-o", "fifo.json", "--", "true"], "-o: fifo.json: "),
        ("no such directory", ["-o", "no/x.json", "--", "true"], "No such file"),
        ("no such list", ["--changed-since", "no.json"], "no.json: No such file"),
        ("a list that is none", ["--changed-since", "Makefile"], "--changed-since Makefile:1: expected a JSON object"),
        ("a list of nothing", ["--changed-since", "missing-types.json"], "no line of it is about a file")):
    write("missing-types.json", '{"version":1}\n')
    got = deps(*argv)
    report(got.returncode == 125 and message in got.stderr, f"bad input: {name}", got.stderr)
report(not os.path.exists("elsewhere"), "nothing is written through a link")
got = deps("-o", "x.json", "--", "no-such-program-here")
report(got.returncode == 127, "a program that is not found: 127", got.stderr)

shutil.rmtree(work, ignore_errors=True)
tap.finish()
