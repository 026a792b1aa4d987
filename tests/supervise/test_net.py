#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules by IP address, bind(2) and memory files under a supervisor.

	test_net.py REEVE [--user]
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report, skip  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])


def call(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240, **more)


PROBE = """
import errno, os, socket, sys
def family(host): return socket.AF_INET6 if ':' in host else socket.AF_INET
def connect(host, port, kind=socket.SOCK_STREAM):
    with socket.socket(family(host), kind) as s:
        s.settimeout(5)
        try: s.connect((host, port)); return 'ok'
        except OSError as e: return errno.errorcode.get(e.errno, str(e))
def bind(host, port):
    with socket.socket(family(host)) as s:
        try: s.bind((host, port)); return 'ok'
        except OSError as e: return errno.errorcode.get(e.errno, str(e))
"""


def probe(script, policy, *args, prefix=(), **more):
    with open("p.toml", "w", encoding="utf-8") as file:
        file.write(policy)
    return call(*prefix, REEVE, "run", "-p", os.path.abspath("p.toml"), *args, "--", PYTHON, "-c",
                PROBE + script, **more)


INET = """
[[socket]]
allowed_access = ["create"]
family = ["inet", "inet6"]
type = ["any"]
protocol = ["any"]
"""
NET = 'extends = ["workspace"]\n' + INET


def lacks(feature):
    return tap.enforcers(REEVE).get(feature) == "nobody"


def rule(access, *addresses):
    return (f'[[net_address]]\nallowed_access = ["{access}"]\naddress = [' +
            ", ".join(f'"{a}"' for a in addresses) + "]\n")


def expected(cases):
    """A script that tries each, and what it prints."""
    script = "".join(f"print(connect({host!r}, {port}))\n" for host, port, _ in cases)
    return script, "".join(want + "\n" for _, _, want in cases)


def loopback():
    """Nobody listens on these: what is allowed is refused by the other end."""
    yes, no = "ECONNREFUSED", "EACCES"
    cases = [("127.0.0.1", 2, yes), ("127.9.9.9", 2, yes), ("127.0.0.1", 3, yes),
             ("127.0.0.1", 4, no), ("127.0.0.1", 1, no), ("0.0.0.0", 2, yes), ("0.0.0.0", 9, no),
             ("::ffff:127.0.0.1", 2, yes), ("::ffff:127.0.0.1", 9, no), ("10.0.0.1", 2, no),
             ("::ffff:10.0.0.1", 2, no), ("192.168.1.1", 80, no), ("169.254.169.254", 80, no),
             ("100.64.0.1", 80, no), ("224.0.0.1", 80, no), ("64:ff9b::7f00:1", 80, no),
             ("64:ff9b::a00:1", 80, no), ("2002:7f00:1::", 80, no), ("2002:a00:1::1", 80, no),
             ("fe80::1", 80, no), ("fc00::1", 80, no), ("2001:db8::1", 80, no)]
    if os.path.exists("/proc/net/if_inet6"):
        cases += [("::1", 2, yes), ("::1", 9, no), ("::", 2, yes)]
    script, want = expected(cases)
    got = probe(script, NET + rule("connect_tcp", "loopback:2-3", "public:80"))
    report(got.stdout == want, "loopback and public, mapped, wrapped and unspecified addresses", got)
    got = probe("print(connect('127.0.0.1', 2), connect('127.0.0.2', 2))",
                NET + rule("connect_tcp", "127.0.0.1:2"))
    report(got.stdout == "ECONNREFUSED EACCES\n", "a single address", got)
    got = probe("print(connect('127.0.0.1', 2), connect('127.0.0.2', 2))",
                NET + rule("connect_tcp", "any:2"))
    report(got.stdout == "ECONNREFUSED ECONNREFUSED\n", "any address", got)
    got = probe("print(bind('127.0.0.2', 0), bind('127.0.0.1', 0), bind('0.0.0.0', 0))",
                NET + rule("bind_tcp", "127.0.0.2:0"))
    report(got.stdout == "ok EACCES EACCES\n", "bind", got)
    got = probe("""
s = socket.socket(); s.bind(('127.0.0.2', 0)); s.listen(); there = s.getsockname()
c = socket.create_connection(there); a, _ = s.accept(); c.send(b'x'); print(a.recv(1), c.connect_ex(there))
n = socket.socket(); n.setblocking(False); print(n.connect_ex(there) in (0, errno.EINPROGRESS))
""", NET + rule("bind_tcp", "127.0.0.2:0") + rule("connect_tcp", "loopback:1024-65535"))
    report(got.stdout == f"b'x' {106}\nTrue\n", "a server and its client", got)


def events():
    with open("p.toml", "w", encoding="utf-8") as file:
        file.write(NET + rule("connect_tcp", "127.0.0.1:2"))
    got = call(REEVE, "run", "-p", os.path.abspath("p.toml"), "--events", "-", "--", PYTHON, "-c",
               PROBE + "connect('127.0.0.2', 2); bind('127.0.0.1', 7)")
    denied = [e for e in map(json.loads, got.stdout.splitlines()) if e["event"] == "denied"]
    seen = [(e["call"], e["missing"], e["object"]) for e in denied if e["missing"][0][:3] == "net"]
    report(seen == [("connect", ["net.connect_tcp"], "127.0.0.2:2"),
                    ("bind", ["net.bind_tcp"], "127.0.0.1:7")], "events", got.stdout)
    report("--connect-tcp 127.0.0.2:2" in got.stderr, "and the flag that would allow it", got.stderr)
    got = call(REEVE, "run", "--connect-tcp", "127.0.0.2:2", "--", PYTHON, "-c",
               PROBE + "print(connect('127.0.0.2', 2), connect('127.0.0.1', 2))")
    report(got.stdout == "ECONNREFUSED EACCES\n", "which does", got)
    got = call(REEVE, "run", "--connect-tcp", "2", "--", PYTHON, "-c",
               PROBE + "print(connect('127.0.0.1', 2), connect('127.0.0.1', 3))")
    report(got.stdout == "ECONNREFUSED EACCES\n" and "--connect-tcp 127.0.0.1:3" in got.stderr,
           "ports alone, with events", got)
    got = call(REEVE, "run", "--static", "--degrade", "pathname_unix_socket", "--connect-tcp",
               "127.0.0.2:2", "--", "true")
    report(got.returncode == 125 and "net_address" in got.stderr, "not without the supervisor", got)
    got = call(REEVE, "run", "--net", "--", PYTHON, "-c", PROBE + "print(connect('127.0.0.1', 443))")
    report(got.stdout == "EACCES\n", "--net needs no --degrade", got)


def namespaces():
    """Addresses of all kinds, between two network namespaces."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        skip("between network namespaces", "root: only root can make them")
        return
    if call("ip", "netns", "list").returncode:
        skip("between network namespaces", "iproute2: this ip(8) knows of none")
        return
    server = """
import select, socket, sys
listeners = []
for host in sys.argv[1:]:
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, 443)); s.listen(); listeners.append(s)
print('listening', flush=True)
while True:
    for s in select.select(listeners, [], [])[0]: s.accept()[0].close()
"""
    addresses = ["198.51.101.7", "10.9.9.9", "100.65.1.1", "203.0.113.9"]
    script = f"""
set -e
exec 2>&1
mount -t tmpfs none /run; mkdir -p /run/netns
ip netns add other
ip link add va type veth peer name vb netns other
ip link set lo up; ip link set va up; ip addr add 198.51.101.1/24 dev va
ip netns exec other ip link set lo up; ip -n other link set vb up
for x in {' '.join(addresses)}; do ip -n other addr add $x/32 dev vb; ip route add $x/32 dev va; done
ip -n other route add default dev vb
mkfifo up
ip netns exec other {PYTHON} -c "$SERVER" {' '.join(addresses)} >up &
read line <up
{PYTHON} -c "$PROBE$NATIVE"
{REEVE} run -p "$POLICY" -- {PYTHON} -c "$PROBE$NATIVE"
kill $!
"""
    with open("p.toml", "w", encoding="utf-8") as file:
        file.write(NET + rule("connect_tcp", "public:443", "10.9.9.0/24:443"))
    native = "print(*[connect(h, 443) for h in " + repr(addresses) + "])"
    got = call("unshare", "-n", "-m", "sh", "-c", script,
               env={**os.environ, "SERVER": server, "PROBE": PROBE, "NATIVE": native,
                    "POLICY": os.path.abspath("p.toml")})
    lines = [line for line in got.stdout.splitlines() if line[:2] in ("ok", "EA")]
    report(lines == ["ok ok ok ok", "ok ok EACCES EACCES"],
           "public and one prefix; not shared, not for documentation", got)


UDP = INET + """
[[ruleset]]
handled_access_net = ["bind_udp", "connect_send_udp"]
"""


def port_rule(access, ports):
    return f'[[net_port]]\nallowed_access = ["{access}"]\nport = [{ports}]\n'


UDP_PROBE = """
import ctypes, struct
D = socket.SOCK_DGRAM
def code(call):
    try: call(); return 'ok'
    except OSError as e: return errno.errorcode.get(e.errno, str(e))
def mmsg(s, host, port):
    six = ':' in host
    name = struct.pack('!HHI', 0, port, 0) + socket.inet_pton(socket.AF_INET6, host) + bytes(4) if six \\
        else struct.pack('!HH', 0, port) + socket.inet_pton(socket.AF_INET, host) + bytes(8)
    name = ctypes.create_string_buffer(struct.pack('H', family(host)) + name[2:])
    data = ctypes.create_string_buffer(b'mmsg')
    iov = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 4)
    msg = (ctypes.c_uint64 * 8)(ctypes.addressof(name), len(name) - 1, ctypes.addressof(iov), 1)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sendmmsg(s.fileno(), msg, 1, 0) < 0: raise OSError(ctypes.get_errno(), '')
def ways(host, port, kind=None):
    s = socket.socket(kind or family(host), D)
    got = [code(lambda: s.sendto(b'x', (host, port))), code(lambda: s.sendmsg([b'x'], [], 0, (host, port))),
           code(lambda: mmsg(s, host, port)), code(lambda: s.connect((host, port)))]
    return got[0] if len(set(got)) == 1 else got
"""


def udp():
    """Nobody listens, and only a second send would hear of it."""
    six = os.path.exists("/proc/net/if_inet6")
    probe_ways = UDP_PROBE + "for h, p in " + repr(
        [("127.0.0.1", 7), ("127.0.0.1", 8), ("127.0.0.2", 7), ("127.0.0.3", 8), ("0.0.0.0", 8)] +
        ([("::1", 7), ("::1", 8)] if six else [])) + ": print(ways(h, p))\n"
    got = probe(probe_ways, NET + UDP + port_rule("connect_send_udp", 7) + port_rule("bind_udp", 0))
    want = ["ok", "EACCES", "ok", "EACCES", "EACCES"] + ["ok", "EACCES"] * six
    report(got.stdout.split() == want, "UDP: a port, in each way to name it", got)
    got = probe(probe_ways, NET + UDP + rule("connect_send_udp", "127.0.0.2:7", "loopback:8") +
                port_rule("bind_udp", 0))
    want = ["EACCES", "ok", "ok", "ok", "ok"] + ["EACCES", "ok"] * six
    report(got.stdout.split() == want, "UDP: addresses", got)
    got = probe(UDP_PROBE + """
s = socket.socket(socket.AF_INET, D)
def to(port, family=0):
    name = struct.pack('!HH', 0, port) + socket.inet_pton(socket.AF_INET, '127.0.0.1') + bytes(8)
    name = struct.pack('H', family) + name[2:]
    if ctypes.CDLL(None, use_errno=True).sendto(s.fileno(), b'x', 1, 0, name, 16) < 0:
        raise OSError(ctypes.get_errno(), '')
print(code(lambda: to(7)), code(lambda: to(8)))
s.connect(('127.0.0.1', 7))
print(code(lambda: s.send(b'x')), code(lambda: s.sendmsg([b'x'])), code(lambda: to(8)), code(lambda: to(8, 2)))
t = socket.socket(socket.AF_INET6, D)
print(*[code(lambda: t.sendto(b'x', (h, p))) for h, p in (('::ffff:127.0.0.1', 7), ('::ffff:127.0.0.1', 8))])
""", NET + UDP + port_rule("connect_send_udp", 7) + port_rule("bind_udp", 0))
    lines = got.stdout.splitlines()
    report(len(lines) == 3 and lines[0] == "ok EACCES" and lines[1].endswith(" EACCES EACCES") and
           lines[2] in ("ok EACCES", "ENETUNREACH EACCES"),
           "UDP: AF_UNSPEC, a connected socket, mapped addresses", got)
    got = probe(UDP_PROBE + """
def bound(where): return code(lambda: socket.socket(family(where[0]), D).bind(where))
print(bound(('127.0.0.1', 9)), bound(('127.0.0.2', 0)), bound(('127.0.0.1', 0)), bound(('0.0.0.0', 0)))
s = socket.socket(socket.AF_INET, D)
print(code(lambda: s.sendto(b'x', ('127.0.0.1', 7))), code(lambda: s.connect(('127.0.0.1', 7))))
s.bind(('127.0.0.2', 0))
print(code(lambda: s.sendto(b'x', ('127.0.0.1', 7))), code(lambda: s.connect(('127.0.0.1', 7))))
""", NET + UDP + rule("bind_udp", "127.0.0.2:0") + port_rule("connect_send_udp", 7))
    report(got.stdout == "EACCES ok EACCES EACCES\nEACCES EACCES\nok ok\n",
           "UDP: bind, and what a send would bind by itself", got)
    udp_events()


def no_udp():
    """Nothing has to be trapped where no UDP socket can be made, and none inherited."""
    policy = 'extends = ["workspace"]\n' + UDP[len(INET):] + port_rule("connect_send_udp", 7)
    got = probe(UDP_PROBE + """
print(code(lambda: socket.socket(socket.AF_INET, D)))
a, b = socket.socketpair(); print(code(lambda: a.sendmsg([b'x'])))
""", policy)
    report(got.stdout == "EACCES\nok\n", "UDP: no sockets of it", got)
    got = call(REEVE, "run", "-v", "-p", os.path.abspath("p.toml"), "--dry-run", "--", "true")
    report("sendmsg: trapped" not in got.stdout and "sendto: trapped" not in got.stdout and
           "net.connect_send_udp" in got.stdout, "UDP: nor traps for it", got)
    got = probe("", NET + UDP + port_rule("connect_send_udp", 7), "--dry-run", "-v")
    report("sendto: trapped" in got.stdout or natively(), "UDP: where there can be one, there are", got)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        probe("", policy)
        got = call(REEVE, "run", "-p", os.path.abspath("p.toml"), "--keep-fd", str(one.fileno()),
                   "--", "true", pass_fds=[one.fileno()])
    report((got.returncode == 125 and "UDP socket" in got.stderr) or natively(),
           "UDP: an inherited one stops the start", got)


def natively():
    """Whether Landlock checks UDP."""
    return tap.enforcers(REEVE).get("net.connect_send_udp") == "Landlock"


def udp_events():
    policy = NET + UDP + port_rule("bind_udp", 0) + port_rule("connect_send_udp", 7)
    got = probe(UDP_PROBE + "ways('127.0.0.1', 8); socket.socket(socket.AF_INET, D).bind(('127.0.0.1', 9))",
                policy, "--events", "-")
    denied = [e for e in map(json.loads, got.stdout.splitlines()) if e["event"] == "denied"]
    seen = [(e["call"], e["missing"], e["object"]) for e in denied if e["missing"][0][:3] == "net"]
    # What Landlock checks at each send is not trapped for its events.
    calls = ("connect",) if natively() else ("sendto", "sendmsg", "sendmmsg", "connect")
    report(seen == [(call, ["net.connect_send_udp"], "127.0.0.1:8") for call in calls] +
           [("bind", ["net.bind_udp"], "127.0.0.1:9")], "UDP: events", got.stdout)
    got = probe(UDP_PROBE + "print(ways('127.0.0.1', 8), ways('127.0.0.1', 7))", policy, "--events",
                "none")
    report(got.stdout == "EACCES ok\n", "UDP: without events", got)
    got = probe(UDP_PROBE + "print(ways('127.0.0.1', 8), ways('127.0.0.1', 7), ways('127.0.0.9', 9))",
                policy, "--connect-udp", "127.0.0.9:9")
    report(got.stdout == "EACCES ok ok\n", "UDP: --connect-udp with an address", got)


def unix_bind():
    """The directory holds the policy, so that its own entries are a live rule's."""
    os.mkdir("d")
    with open("d/p.toml", "w", encoding="utf-8") as file:
        file.write('extends = ["workspace"]\n')
    got = call(REEVE, "run", "-p", "./p.toml", "--", PYTHON, "-c", """
import os, socket, stat
os.umask(0o027)
s = socket.socket(socket.AF_UNIX); s.bind('in'); s.listen(); print(s.getsockname())
print(oct(stat.S_IMODE(os.stat('in').st_mode)))
c = socket.socket(socket.AF_UNIX); c.connect('in'); print('connected')
t = socket.socket(socket.AF_UNIX)
try: t.bind('in')
except OSError as e: print(e.strerror)
""", cwd="d")
    report(got.stdout == "in\n0o750\nconnected\nAddress already in use\n", "bind by a live rule", got)
    got = call(REEVE, "run", "--events", "-", "--", PYTHON, "-c", """
import socket
try: socket.socket(socket.AF_UNIX).bind('../outside')
except OSError as e: print(e.strerror)
""", cwd="d")
    report("Permission denied" in got.stdout and '"fs.make_sock"' in got.stdout,
           "bind where nothing allows it", got)
    shutil.rmtree("d")


MEMORY = 'extends = ["workspace"]\n[[ruleset]]\ndeny = ["execute_memfd"]\n'


def memory_files():
    script = """
import errno, os
fd = os.memfd_create('x', int(os.environ['FLAGS']))
os.write(fd, open('/bin/true', 'rb').read())
def attempt(call):
    try: call(); return 'ok'
    except OSError as e: return errno.errorcode[e.errno]
pid = os.fork()
if pid == 0: print(attempt(lambda: os.execve(fd, ['true'], {})), flush=True); os._exit(0)
os.waitpid(pid, 0)
print(attempt(lambda: os.fchmod(fd, 0o700)))
"""
    env = {**os.environ, "FLAGS": "1"}
    got = call(PYTHON, "-c", script, env=env)
    report(got.stdout == "ok\n", "natively a memory file is executed", got)
    if lacks("execute_memfd"):
        got = probe(script, MEMORY, env=env)
        return report(got.returncode == 125 and "MFD_NOEXEC_SEAL" in got.stderr, "refused, with the reason", got)
    got = probe(script, MEMORY, env=env)
    report(got.stdout == "EACCES\nEPERM\n", "not under deny = [\"execute_memfd\"]", got)
    got = probe(script, MEMORY, "--events", "none", env=env)
    report(got.stdout == "EACCES\nEPERM\n", "nor with --events none", got)
    got = probe(script, MEMORY, env={**env, "FLAGS": "16"})
    report("Permission denied" in got.stderr, "MFD_EXEC is refused", got)
    fd = os.memfd_create("inherited", 0)
    got = call(REEVE, "run", "-p", os.path.abspath("p.toml"), "--keep-fd", str(fd), "--", "true",
               pass_fds=[fd])
    report(got.returncode == 125 and "memory file" in got.stderr, "an inherited one stops the start",
           got)
    os.close(fd)


def main():
    if "--user" in sys.argv:
        tap.as_user()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        for part in (loopback, events, udp, no_udp, namespaces, unix_bind, memory_files):
            part()
        os.chdir("/")
    tap.finish()


main()
