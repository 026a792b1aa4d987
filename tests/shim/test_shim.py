#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The try-then-trap shim: the same results as without it, and nearly all calls tagged.

usage: test_shim.py SHIM OPS COUNT
"""
import difflib
import os
import shutil
import subprocess
import sys
import tempfile

SHIM, OPS, COUNT = (os.path.abspath(arg) for arg in sys.argv[1:4])
REQUIRE = os.environ.get("REEVE_TEST_REQUIRE", "").split(",")


class Skip(Exception):
    pass


def environment(preload=True, **more):
    env = {k: v for k, v in os.environ.items() if k not in (
        "LD_PRELOAD", "LD_LIBRARY_PATH", "ASAN_OPTIONS")}
    env["LC_ALL"] = "C"
    if preload:
        env["LD_PRELOAD"] = SHIM
    return {**env, **more}


def run(*argv, preload=True, **more):
    return subprocess.run(argv, env=environment(preload, **more), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def need(program):
    path = shutil.which(program, path="/usr/bin:/bin")
    if not path:
        raise Skip(f"{program}: not installed")
    return path


def count(*argv, plain=False, preload=True):
    """(tagged, untagged) calls of a program; with `plain`, only those that are trapped."""
    reader, writer = os.pipe()
    counter = [COUNT] + (["--plain"] if plain else [])
    done = subprocess.run([*counter, *argv], env=environment(preload), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                          close_fds=False, preexec_fn=lambda: os.dup2(writer, 3))
    os.close(writer)
    with os.fdopen(reader) as pipe:
        words = pipe.read().split()
    if done.returncode == 77:
        raise Skip("listener: another supervisor has it")
    assert done.returncode == 0, f"{argv}: exit status {done.returncode}"
    return int(words[1]), int(words[3])


def make_tree(where, files):
    for i in range(files):
        directory = os.path.join(where, f"d{i % 10}")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f"f{i}"), "w") as out:
            out.write(f"{i}\n")


def same_results(scratch):
    """every interposed function: same result, errno, flags, modes"""
    texts = []
    for preload in (False, True):
        where = os.path.join(scratch, f"ops{preload}")
        os.mkdir(where)
        done = run(OPS, where, preload=preload)
        assert done.returncode == 0, done.stderr
        texts.append(done.stdout.splitlines())
    for line in difflib.unified_diff(*texts, "native", "shim", lineterm="", n=0):
        print("#", line)
    assert len(texts[0]) > 120 and texts[0] == texts[1]
    assert "cancelled in the kernel: 1" in texts[1]


def tagged_not_trapped(scratch):
    """tagged calls are not trapped, all others are"""
    make_tree(os.path.join(scratch, "tree"), 200)
    argv = ["/bin/grep", "-r", "x\\|1", os.path.join(scratch, "tree")]
    tagged, untagged = count(*argv)
    passed, trapped = count(*argv, plain=True)
    print(f"# {tagged} tagged, {untagged} not; with reeve's filter {passed + trapped} arrive")
    assert tagged > 200 and passed == 0 and trapped == untagged
    tagged, untagged = count(*argv, preload=False)
    assert tagged == 0 and untagged > 200


def share(scratch):
    """of the calls of programs that do something, at least 95 in 100 are tagged"""
    tree = os.path.join(scratch, "tree")
    make_tree(tree, 1000)
    total = [0, 0]
    for argv in (["/bin/grep", "-rc", "1", tree],
                 ["/bin/sh", "-c", f"find {tree} -type f | xargs cat"],
                 ["/bin/cp", "-r", tree, tree + "2"], ["/bin/rm", "-r", tree + "2"],
                 ["/bin/tar", "cf", tree + ".tar", tree]):
        tagged, untagged = count(*argv)
        print(f"# {argv[0]}: {tagged} tagged, {untagged} not")
        total = [total[0] + tagged, total[1] + untagged]
        assert tagged >= 0.9 * (tagged + untagged), argv
    print(f"# together {100 * total[0] / sum(total):.1f} in 100")
    assert total[0] >= 0.95 * sum(total)


def share_short(scratch):
    """short programs: what the dynamic linker opens cannot be tagged"""
    git, python, gcc = need("git"), need("python3"), need("gcc")
    source = os.path.join(scratch, "one.c")
    with open(source, "w") as out:
        out.write("#include <stdio.h>\n#include <sys/stat.h>\nint main(void){return 0;}\n")
    repository = os.path.join(scratch, "repository")
    make_tree(repository, 200)
    run(git, "-C", repository, "init", "-q", preload=False)
    for argv, least in (([git, "-C", repository, "status"], 0.6),
                        ([python, "-c", "import json, subprocess, email"], 0.6),
                        ([gcc, "-c", source, "-o", source + ".o"], 0.6)):
        tagged, untagged = count(*argv)
        part = tagged / (tagged + untagged)
        print(f"# {argv[0]}: {tagged} tagged, {untagged} not: {100 * part:.1f} in 100")
        assert part >= least, argv


def programs(scratch):
    """bash, python, git and gcc do their work with it"""
    bash, python, git, gcc = need("bash"), need("python3"), need("git"), need("gcc")
    script = f"""set -e; cd {scratch}; mkdir work; cd work; echo 'int main(){{return 3;}}' > a.c
{gcc} a.c -o a; ./a || test $? = 3; mkfifo p; echo hello > p & test "$(cat p)" = hello; rm p
{git} init -q .; {git} add a.c; {git} -c user.name=n -c user.email=e@x commit -qm m
{git} status --porcelain; mv a b; ln -s b c; ln b d; rm -r b c d; truncate -s 5 a.c
{python} -c 'import os, tempfile
with tempfile.NamedTemporaryFile() as f: f.write(b"x")
os.mkdir("q"); os.rename("q", "r"); os.rmdir("r")
assert os.path.getsize("a.c") == 5'
cat /nonexistent && exit 1 || true"""
    done = run(bash, "-c", script, HOME=scratch)
    assert done.returncode == 0, done.stderr
    assert "?? a" in done.stdout and "cat: /nonexistent: No such file" in done.stderr


def compiled(scratch, name, *flags):
    source = os.path.join(scratch, name + ".c")
    with open(source, "w") as out:
        out.write('#include <stdio.h>\nint main(void){FILE *f = fopen("/dev/null", "r");'
                  'if (!f) return 1; fclose(f); puts("fine"); return 0;}\n')
    done = run(need("gcc"), *flags, source, "-o", source[:-2], preload=False)
    if done.returncode:
        raise Skip(f"gcc: cannot build with {flags}")
    return source[:-2]


def asan(scratch):
    """a program built with ASan, with the option that reeve adds"""
    program = compiled(scratch, "asan", "-fsanitize=address")
    assert run(program).returncode != 0, "it no longer minds: the option can go"
    done = run(program, ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def static(scratch):
    """a static program runs without it"""
    done = run(compiled(scratch, "static", "-static"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", ""), done.stderr


def exports(scratch):
    """nothing but what it interposes is visible"""
    done = run(need("nm"), "-D", "--defined-only", SHIM, preload=False)
    names = {line.split()[-1] for line in done.stdout.splitlines()}
    assert len(names) > 40 and not [n for n in names if n.startswith(("shim_", "rv_"))], names


CASES = [same_results, tagged_not_trapped, share, share_short, programs, asan, static, exports]


def main():
    failed = False
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        title, verdict = f"{number} - {case.__doc__}", "ok"
        with tempfile.TemporaryDirectory(prefix="reeve-test-") as scratch:
            try:
                case(scratch)
            except Skip as why:
                if str(why).split(":", maxsplit=1)[0] in REQUIRE:
                    verdict = "not ok"
                title += f" # SKIP {why}"
            except AssertionError as why:
                print(*(f"# {line}" for line in str(why).splitlines()), sep="\n")
                verdict = "not ok"
        print(verdict, title, flush=True)
        failed |= verdict != "ok"
    sys.exit(failed)


main()
