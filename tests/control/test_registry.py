#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The registry: whose entries count, what is left, and which domain an ID means. TAP.

	test_registry.py FAKE_DOMAIN REEVE [--user]
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.dirname(HERE))
import tap  # noqa: E402
from tap import report  # noqa: E402
if "--user" in sys.argv:
    tap.as_user(HERE + "/fakes.py")
from fakes import WORK, Fake, fresh, reeve, shows  # noqa: E402


def test_directory():
    cases = [("open", lambda path: (os.mkdir(path), os.chmod(path, 0o755)), "open to other users"),
             ("link", lambda path: os.symlink(WORK, path), "not a directory"),
             ("file", lambda path: open(path, "w", encoding="ascii").close(), "not a directory")]
    if os.geteuid() == 0:
        cases.append(("foreign", lambda path: (os.mkdir(path, 0o700), os.chown(path, 65534, 0)),
                      "another user"))
    for name, make, text in cases:
        make(fresh(name))
        fake = Fake()
        report(fake.said[0] == "failed" and fake.said[1] == "1" and text in fake.said[2],
               f"directory: {name}: not served", fake.said)
        fake.process.wait()
        shows(f"directory: {name}: not read", reeve("ps"), 125, text, "hint:")
    directory = fresh("squatted")
    os.mkdir(directory, 0o700)
    target = os.path.join(WORK, "target")
    for name, make in (("file", lambda path: open(path, "w", encoding="ascii").close()),
                       ("link", lambda path: os.symlink(target, path))):
        fake = Fake(before=lambda domain, make=make: make(f"{directory}/{domain}.sock"))
        report(fake.said[0] == "failed" and not os.path.exists(target), f"socket's place: a {name}",
               fake.said)
        fake.process.wait()
        sockets = [entry for entry in os.listdir(directory) if entry.endswith(".sock")]
        report(len(sockets) == 1, "which stays", os.listdir(directory))
        os.unlink(f"{directory}/{sockets[0]}")


def test_supervisor_directory():
    """Somebody made what a supervisor would make: a link is not followed, and nobody is believed."""
    directory = fresh("supervisors")
    os.mkdir(directory, 0o700)
    target = os.path.join(WORK, "elsewhere")
    os.mkdir(target)
    made = []

    def squat(what):
        def make(_):
            path = f"{directory}/supervisor-{made[-1].process.pid}"
            if what == "link":
                os.symlink(target, path)
            else:
                os.mkdir(path)
                os.symlink("reeve1 1 2 3", path + "/1")
        return make

    class Noted(Fake):
        def __init__(self, **more):
            made.append(self)
            super().__init__(**more)
    refused = Noted(before=squat("link"))
    refused.process.wait()
    report(refused.said[0] == "failed" and not os.listdir(target), "supervisor-PID: a link is not followed",
           refused.said)
    with Noted(before=squat("directory")) as fake:
        report(fake.said[0] == "serving" and len(os.listdir(f"{directory}/supervisor-{fake.process.pid}")) == 2,
               "supervisor-PID: what else is there", fake.said)
        shows("is nothing", reeve("inspect"), 0, f"Domain:      {fake.domain}")


def names_made(directory, work):
    """Those that are made in the directory while `work` runs: IN_CREATE | IN_MOVED_TO."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    libc.inotify_add_watch(fd, directory.encode(), 0x100 | 0x80)
    work()
    names, data = set(), os.read(fd, 1 << 20)
    os.close(fd)
    while data:
        size = struct.unpack_from("iIII", data)[3]
        names.add(data[16:16 + size].rstrip(b"\0").decode())
        data = data[16 + size:]
    return names


def test_halves():
    """What is not whole has no name, so that nothing is left of a writer that is killed."""
    directory = fresh("halves")
    os.mkdir(directory, 0o700)
    try:
        os.close(os.open(directory, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        tap.skip("halves of entries have no names", "o_tmpfile: not on this file system")
        return
    made = names_made(directory, lambda: Fake().stop())
    kinds = {name.partition(".")[2] for name in made}
    report({"sock", "json", "denials.json"} <= kinds and not any(name.startswith(".") for name in made),
           "halves of entries have no names", made)


def entry_of(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_entry(directory, name, entry, **changed):
    with open(f"{directory}/{name}.json", "w", encoding="utf-8") as file:
        json.dump(dict(entry, domain=name, **changed), file)


def test_entries():
    directory = fresh("entries")
    shows("ps without a directory", reeve("ps"), 0, "ID", "COMMAND")
    shows("none runs", reeve("rules"), 1, "no domain runs", "hint:")
    with Fake() as fake:
        entry = entry_of(fake.path.replace(".sock", ".json"))
        strange = ["a1.json", "a2.json", "a3.json", "a4.json"]
        os.symlink(fake.path.replace(".sock", ".json"), f"{directory}/a1.json")
        os.mkfifo(f"{directory}/a2.json")
        with open(f"{directory}/a3.json", "w", encoding="ascii") as file:
            file.write("{")
        os.mkdir(f"{directory}/a4.json")
        if os.geteuid() == 0:
            write_entry(directory, "a5", entry)
            os.chown(f"{directory}/a5.json", 65534, 65534)
            strange.append("a5.json")
        done = reeve("ps", "--json")
        report(done.returncode == 0 and len(done.stdout.splitlines()) == 1,
               "links, FIFOs, halves, others' files are no entries", done)
        report(all(os.path.lexists(f"{directory}/{name}") for name in strange), "and stay")
        write_entry(directory, "b1", entry, supervisor=2 ** 22 + 5)
        write_entry(directory, "b2", entry, start=entry["start"] + 1)
        reeve("ps")
        report(not os.path.exists(f"{directory}/b1.json") and
               not os.path.exists(f"{directory}/b2.json"), "the dead are removed, reused pids too")
        other = Fake()
        os.unlink(other.path)
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(other.path)
        dead.close()
        shows("nobody listens", reeve("rules", other.domain), 1, "no running domain")
        report(not os.path.exists(other.path), "which is removed, too")
        other.stop()
        test_forged(directory, fake, entry)
        killed = Fake()
        killed.die()
        shows("one that was killed is not counted", reeve("rules"), 0, "No live rules")
        report(not os.path.exists(killed.path), "and its socket is gone")
        report(links(directory) == [f"pid-{fake.process.pid}", f"supervisor-{fake.process.pid}"],
               "and what is found by its pid", os.listdir(directory))
        report(os.listdir(f"{directory}/supervisor-{fake.process.pid}") == [fake.domain], "no more than it has")


def test_forged(directory, fake, entry):
    """Somebody in a sandbox that may write here, and would like to be `fake`."""
    id_of = json.loads(reeve("ps", "--json").stdout)["domain"]
    with Fake() as other:
        theirs = entry_of(other.path.replace(".sock", ".json"))
        listening = socket.socket(socket.AF_UNIX)
        for what, changed in (("without a certificate", {"certificate": None}),
                              ("with that of another domain", {"certificate": theirs["certificate"]}),
                              ("with another's id in it", {"certificate": theirs["certificate"].replace(
                                  theirs["domain"], id_of)})):
            write_entry(directory, id_of, dict(entry, supervisor=os.getpid(), start=start_of(os.getpid())),
                        **changed)
            shows(f"forged: an entry {what}", reeve("inspect", id_of), 1, "no running domain")
        write_entry(directory, id_of, entry)
        shows("the real one again", reeve("inspect", id_of), 0, f"Domain:      {id_of}")
        os.rename(fake.path, fake.path + ".away")
        listening.bind(fake.path)
        listening.listen()
        shows("forged: its socket", reeve("inspect", id_of), 125, "not its supervisor's")
        os.rename(other.path, fake.path)
        shows("forged: the socket of another domain", reeve("inspect", id_of), 125,
              "not its supervisor's")
        os.rename(fake.path, other.path)
        os.rename(fake.path + ".away", fake.path)
        shows("the real one again", reeve("inspect", id_of), 0, f"Domain:      {id_of}")
        listening.close()
    # What a supervisor leaves that is killed before its entry is there.
    half = socket.socket(socket.AF_UNIX)
    half.bind(f"{directory}/abcdef.sock")
    half.listen()
    reeve("ps")
    report(not os.path.exists(f"{directory}/abcdef.sock"), "a socket without an entry is removed")


def start_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def links(directory):
    return sorted(name for name in os.listdir(directory) if name.startswith(("pid-", "supervisor-")))


def test_ids():
    fresh("ids")
    with Fake("one", domain="abc1") as first, Fake("two", domain="abc2") as second:
        both = f"{first.domain} (one)", f"{second.domain} (two)"
        shows("several run", reeve("rules"), 125, "several domains run", *both)
        shows("an ambiguous prefix", reeve("rules", "abc"), 125, *both, "hint:")
        shows("a unique one", reeve("rules", "abc2"), 0)
        shows("a name", reeve("rules", "one"), 0)
        shows("neither", reeve("rules", "three"), 1, "no running domain")
        shows("nothing", reeve("rules", ""), 1, "no running domain")
        out = os.path.join(WORK, "pid")
        first.tell(f"spawn sleep 100 >/dev/null & echo $! >{out}")
        pid = open(out, encoding="ascii").read().strip()
        shows("a pid of a process in it", reeve("inspect", pid), 0, f"Domain:      {first.domain}")
        os.kill(int(pid), signal.SIGKILL)
        shows("a pid outside", reeve("inspect", str(os.getpid())), 1, "no running domain")
        fake = Fake("one")
        report(fake.said[:2] == ["failed", "98"], "a name that is taken", fake.said)
        fake.process.wait()
        first.stop()
        with Fake("one") as again:
            report(again.said[0] == "serving", "and free again", again.said)
        with Fake("x" * 200) as long:
            report(long.said[0] == "failed", "a name that is too long", long.said)


def test_records():
    directory = fresh("records")
    first = Fake()
    first.stop()
    os.utime(f"{directory}/{first.domain}.denials.json", (1, 1))
    for _ in range(33):
        Fake().stop()
    records = sorted(name for name in os.listdir(directory) if name.endswith(".denials.json"))
    report(len(records) == 32 and f"{first.domain}.denials.json" not in records,
           "32 records, the oldest go", records)
    report(sorted(os.listdir(directory)) == records, "and nothing else is left", os.listdir(directory))
    modes = {os.stat(f"{directory}/{name}").st_mode & 0o777 for name in records}
    report(modes == {0o600}, "of mode 0600", modes)
    shows("the last one", reeve("denials"), 0, "Nothing was denied.")
    target = os.path.join(WORK, "overwritten")

    def plant(domain):
        os.symlink(target, f"{directory}/.{domain}.denials.json.new")
        os.symlink(target, f"{directory}/{domain}.denials.json")
    planted = Fake(before=plant)
    planted.stop()
    report(not os.path.exists(target) and
           not os.path.islink(f"{directory}/{planted.domain}.denials.json"),
           "links are replaced, not followed")


try:
    for test in (test_directory, test_supervisor_directory, test_halves, test_entries, test_ids, test_records):
        test()
finally:
    shutil.rmtree(WORK)
tap.finish()
