#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the README's tour again and compares: what it shows is what happens.

	readme.py SOURCE-ROOT REEVE

Each ```console block is commands ("$ ...") with their output; the blocks are one session. A
```toml block that begins with "# NAME.toml:" is that file. The home directory is shown as /home/you.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT, REEVE = (os.path.realpath(a) for a in sys.argv[1:3])
SHOWN_HOME = "/home/you"
INSTALL = """cat ~/.ssh/id_ed25519
echo 'alias sudo=evil' >>~/.bashrc
echo hello >/dev/tcp/127.0.0.1/443
kill $SHELL_PID
true
"""


def blocks(text):
    """Yields (language, lines) for each fenced block."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match.group(1), match.group(2).splitlines()


def steps(lines):
    """Yields (command, expected output) of a console block."""
    command, expected = None, []
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        else:
            expected.append(line)
    yield command, expected


class Session:
    """A home with a key, some data and a small project; commands run in the project."""

    def __init__(self, scratch):
        self.home = pathlib.Path(scratch) / "you"
        self.project = self.home / "project"
        self.project.mkdir(parents=True)
        (self.home / ".ssh").mkdir()
        (self.home / ".ssh/id_ed25519").write_text("a private key\n")
        (self.home / "data").mkdir()
        (self.home / "data/numbers").write_text("1 2 3\n")
        (self.project / "hello.c").write_text("int main(void)\n{\n\treturn 0;\n}\n")
        (self.project / "Makefile").write_text("hello: hello.c\n\tcc -o $@ $<\n")
        self.make_package()
        git = ["git", "-C", self.home / "upstream", "-c", "user.name=you", "-c", "user.email=you@localhost"]
        subprocess.run(["git", "init", "-q", self.home / "upstream"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "start"], check=True)
        bin_dir = pathlib.Path(scratch) / "bin"
        bin_dir.mkdir()
        (bin_dir / "reeve").symlink_to(REEVE)
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{bin_dir}:/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": scratch,
            "LC_ALL": "C.UTF-8",
        }
        if "ASAN_OPTIONS" in os.environ:
            self.env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]

    def make_package(self):
        """A poisoned package, packed as npm packs."""
        package = self.home / "left-pad"
        package.mkdir()
        (package / "package.json").write_text(
            '{"name": "left-pad", "version": "1.0.0", "scripts": {"install": "bash install.sh"}}')
        (package / "index.js").write_text("module.exports = 42\n")
        (package / "install.sh").write_text(INSTALL)
        with tarfile.open(self.home / "left-pad.tgz", "w:gz") as packed:
            packed.add(package, "package")

    def run(self, command):
        done = subprocess.run(["bash", "-c", command], cwd=self.project, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        shown = done.stdout.replace(str(self.home), SHOWN_HOME)
        if " npm " in command:  # older ones announce each script, silent or not
            shown = re.sub(r"^(> .*)?\n", "", shown, flags=re.MULTILINE)
        shown = re.sub(r"kill: \(\d+\)", "kill: (4711)", shown)
        return re.sub(r"\((\S+)\[\d+\]\)", r"(\1[4711])", shown).splitlines()


def fits(expected, got):
    """Line numbers in profiles, how much there is to verify on this machine, and the order of names
    in another locale are not what the tour is about."""
    def plain(lines):
        lines = [re.sub(r"(profile \w+):\d+", r"\1:N", line) for line in lines]
        lines = [re.sub(r"^\d+ held, 0 broken, \d+ skip", "N held, 0 broken, N skip", l) for l in lines]
        return sorted(lines) if all(" " not in line for line in lines) else lines
    return plain(expected) == plain(got)


def report(number, command, expected, got):
    good = fits(expected, got)
    if not good:
        for text, lines in (("shown", expected), ("happened", got)):
            for line in lines:
                print(f"# {text}: {line}")
    print(f"{'ok' if good else 'not ok'} {number} - {command}".replace("#", ""), flush=True)
    return good


def main():
    abi = subprocess.run([REEVE, "check"], stdout=subprocess.PIPE, text=True, check=False).stdout
    if not re.search(r"Landlock +ABI [78]\n", abi):
        print("1..0 # SKIP the README shows what happens with Landlock ABI 7")
        return 0
    number = failed = 0
    scratch = tempfile.mkdtemp(prefix="reeve-readme-")
    try:
        session = Session(scratch)
        for language, lines in blocks((pathlib.Path(ROOT) / "README.md").read_text()):
            name = re.match(r"# (\S+\.toml):", lines[0]) if language == "toml" else None
            if name:
                (session.project / name.group(1)).write_text("\n".join(lines) + "\n")
            for command, expected in steps(lines) if language == "console" else ():
                number += 1
                if "left-pad" in command and not shutil.which("npm", path=session.env["PATH"]):
                    print(f"ok {number} - {command.replace('#', '')} # SKIP npm: not installed")
                    continue
                failed += not report(number, command, expected, session.run(command))
    finally:
        shutil.rmtree(scratch)
    print(f"1..{number}")
    return 1 if failed or number < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
