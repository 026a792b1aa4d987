#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The man pages say what the binary and the sources say. TAP.

    docs.py REEVE ROOT LIBREEVE.A CC [PAGE...]

PAGE is a built man page (roff); there are none where scdoc is not installed.
"""

import os
import re
import subprocess
import sys
import tempfile

reeve, root, archive, cc, *pages = sys.argv[1:]
count = failed = 0


def report(name, wrong, note=""):
    global count, failed
    count += 1
    if wrong:
        failed = 1
        print("# " + str(wrong if not note else note).replace("\n", "\n# "))
    print("{} {} - {}".format("not ok" if wrong else "ok", count, name))


def skip(name, why):
    global count
    if why.split(":")[0] in os.environ.get("REEVE_TEST_REQUIRE", "").split(","):
        report(name, "required, but would be skipped: " + why)
        return
    count += 1
    print("ok {} - {} # SKIP {}".format(count, name, why))


def read(*path):
    with open(os.path.join(root, *path), encoding="utf-8") as file:
        return file.read()


def bold(word, text):
    """Is the word set in bold somewhere in the scdoc source?"""
    return re.search(r"\*[^*\n]*\b{}\b[^*\n]*\*".format(re.escape(word)), text)


def plain(roff):
    for old, new in (("\\-", "-"), ("\\_", "_"), ("\\fB", ""), ("\\fI", ""), ("\\fR", ""),
                     ("\\&", ""), ("\\e", "\\"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\(ha", "^"),
                     ("\\(ti", "~"), ("\\(ga", "`")):
        roff = roff.replace(old, new)
    return roff


def options_are_there():
    """Every option of every verb, with its help text, is in a built page."""
    texts = {os.path.basename(p): " ".join(plain(open(p, encoding="utf-8").read()).split())
             for p in pages}
    dump = subprocess.run([reeve, "help", "--dump-options"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    missing = []
    for line in dump.splitlines():
        fields = line.split("\t")
        if fields[0] != "option" or fields[1] in ("help", "version", "sandboxer"):
            continue
        own = f"reeve-{fields[1]}.1"
        page = texts["reeve-run.1" if fields[7] == "rule" else own if own in texts else "reeve.1"]
        does = fields[8]
        for wanted in (fields[2], " ".join(does.split())[1:]):
            if wanted not in page:
                missing.append("{}: {}: {}".format(fields[1], fields[2], wanted))
    report("every option is documented as the table has it", "\n".join(missing))


def keys_are_there():
    page = read("man", "reeve-policy.5.scd")
    keys = set()
    for name in sorted(os.listdir(os.path.join(root, "lib", "policy"))):
        if name.startswith("keys") and name.endswith(".c"):
            keys |= set(re.findall(r'^\s*\{"([a-z_]+)",\s*RV_', read("lib", "policy", name), re.M))
    report("the keys were found", len(keys) < 25, str(keys))
    report("every key is documented", " ".join(k for k in sorted(keys) if not bold(k, page)))


def variables_are_there():
    page = read("man", "reeve-policy.5.scd")
    source = read("lib", "policy", "variables.c")
    table = source[source.index("builtins[] = {"):]
    names = re.findall(r'^\s*\{"([A-Z_]+)"', table[:table.index("};")], re.M)
    names += re.findall(r'"([A-Z]+)"', re.search(r"computed\[\] = \{(.*?)\}", source, re.S).group(1))
    report("the variables were found", len(names) < 10, str(names))
    report("every variable is documented", " ".join(n for n in names if not bold(n, page)))


def headers_are_there():
    page = read("man", "libreeve.3.scd")
    headers = os.listdir(os.path.join(root, "include", "reeve"))
    report("every header is in libreeve(3)",
           " ".join(h for h in headers if "<reeve/{}>".format(h) not in page))
    report("and, but the umbrella, has a page of its own",
           " ".join(h for h in headers if h != "reeve.h" and
                    "*libreeve_{}*(3)".format(h[:-2]) not in page))
    build = read("man", "meson.build")
    report("which is built",
           " ".join(h for h in headers if h != "reeve.h" and "'{}'".format(h[:-2]) not in build))


def functions_are_there():
    """Every function of a header is on the page made from it, and no comment got lost on the way."""
    for header in sorted(os.listdir(os.path.join(root, "include", "reeve"))):
        path = os.path.join(root, "include", "reeve", header)
        page = subprocess.run([sys.executable, os.path.join(root, "tools", "manheader.py"), path],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        code = re.sub(r"/\*.*?\*/", "", read("include", "reeve", header), flags=re.S)
        names = re.findall(r"^\S.*?\b(reeve_\w+)\(", code, re.M)
        report("{}: its functions are on its page".format(header),
               " ".join(n for n in names if n + "(" not in page))


def example():
    blocks = re.findall(r"^```\n(.*?)^```", read("man", "libreeve.3.scd"), re.S | re.M)
    return [b for b in blocks if "int main(" in b][0].replace("\\\\", "\\")


def example_works():
    with tempfile.TemporaryDirectory() as place:
        program, source = place + "/example", place + "/example.c"
        with open(source, "w", encoding="utf-8") as file:
            file.write(example())
        built = subprocess.run(cc.split() + ["-std=gnu11", "-Wall", "-Wextra", "-Werror",
                                             "-I", root + "/include", "-o", program, source, archive, "-ljansson"],
                               stderr=subprocess.PIPE, text=True)
        report("the example of libreeve(3) compiles", built.returncode, built.stderr)
        if built.returncode:
            return
        os.mkdir(place + "/granted")
        for name in ("granted/file", "file"):
            open(os.path.join(place, name), "w", encoding="utf-8").close()
        for name, wanted in (("granted/file", "readable\n"), ("file", "denied\n")):
            run = subprocess.run([program, place + "/granted", os.path.join(place, name)],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 # LeakSanitizer cannot run below Landlock.
                                 env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
            report("and does what it says: " + wanted.strip(), run.stdout != wanted, run.stdout)


def pages_are_clean():
    for page in pages:
        run = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        report(os.path.basename(page) + ": no warnings", run.stderr)


def main():
    keys_are_there()
    variables_are_there()
    headers_are_there()
    functions_are_there()
    example_works()
    if pages:
        options_are_there()
    else:
        skip("every option is documented", "scdoc: not installed")
    if pages and subprocess.run("command -v man", shell=True, stdout=subprocess.DEVNULL).returncode == 0:
        pages_are_clean()
    else:
        skip("the pages have no warnings", "man: not installed, or no pages")
    print("1..{}".format(count))
    sys.exit(failed)


main()
