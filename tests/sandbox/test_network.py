"""Sockets and system calls: what a confined command has of the network and of the kernel."""

from __future__ import annotations

import os
import platform
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.sandbox import seccomp

from .cage import Cage

#: Runs inside. Says for each socket whether it could be made, and for each call its errno.
ASK = r"""
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def made(family, kind=socket.SOCK_DGRAM, protocol=0):
    try:
        socket.socket(family, kind, protocol).close()
        return "yes"
    except OSError as error:
        return errno.errorcode[error.errno]
def called(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    return "yes" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"""


def ask(cage: Cage, script: str, **options: object) -> list[str]:
    outcome = cage.run(["python3", "-c", ASK + script], **options)
    assert outcome.status == 0, outcome
    return outcome.output.split()


def test_families_of_sockets(cage: Cage) -> None:
    answers = ask(cage, "for family in range(1, 46): print(made(family))")
    found = dict(enumerate(answers, 1))
    allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_NETLINK}
    allowed |= (
        {socket.AF_INET6} if socket.has_ipv6 and Path("/proc/net/if_inet6").exists() else set()
    )
    assert {family for family, answer in found.items() if answer == "yes"} == allowed
    assert set(answers) == {"yes", "EAFNOSUPPORT"}


def test_netlink_tells_of_the_network_alone_and_raw_sockets_are_refused(cage: Cage) -> None:
    script = """
for protocol in range(23): print(made(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
print(made(socket.AF_INET, socket.SOCK_RAW, 1))
print(made(socket.AF_UNIX, socket.SOCK_STREAM), made(socket.AF_INET, socket.SOCK_STREAM))
"""
    expected = ["yes", *["EAFNOSUPPORT"] * 22, "EPERM", "yes", "yes"]
    assert ask(cage, script) == expected


@pytest.mark.skipif(seccomp.program() is None, reason="no filter for this machine")
def test_system_calls(cage: Cage) -> None:
    column = seccomp._MACHINES[os.uname().machine][0]
    numbers = [calls[column] for calls in seccomp._DENIED.values()]
    clone, unshare, clone3 = (
        call[column] for call in (seccomp._CLONE, seccomp._UNSHARE, seccomp._CLONE3)
    )
    script = f"""
for number in {numbers}: print(called(number, 0, 0, 0, 0, 0))
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    print(called({clone}, flag | 17, 0, 0, 0, 0), called({unshare}, flag))
print(called({unshare}, 0x80), called({unshare}, 0x10000000 | 0x400))
print(called({clone3}, 0, 0))
"""
    answers = ask(cage, script)
    assert answers == ["EPERM"] * (len(numbers) + 14 + 2) + ["ENOSYS"]


@pytest.mark.skipif(seccomp.program() is None, reason="no filter for this machine")
def test_a_terminal_is_not_typed_into(cage: Cage) -> None:
    script = """
import fcntl, pty, termios
master, slave = pty.openpty()
for request in (termios.TIOCSTI, 0x541C, 0x5412 | 1 << 32):
    libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p]
    failed = libc.ioctl(slave, request, b"x")
    print(errno.errorcode[ctypes.get_errno()] if failed else "yes")
print("yes" if termios.tcgetattr(slave) else "no")
"""
    assert ask(cage, script) == ["EPERM", "EPERM", "EPERM", "yes"]


def test_ordinary_programs_run(cage: Cage) -> None:
    cage.file("main.c", '#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n')
    cage.file("Makefile", "main: main.c\n\tcc -o main main.c\nall: main\n\t./main\n")
    script = """
set -e
if command -v cc make >/dev/null; then make -s all; else echo compiled; fi
python3 - <<'P'
import concurrent.futures, multiprocessing, socket, subprocess, tempfile, threading, asyncio
with concurrent.futures.ThreadPoolExecutor(8) as pool: print(sum(pool.map(int, "1234")))
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1]))
print(subprocess.run(["sort"], input=b"b\\na\\n", capture_output=True).stdout)
a, b = socket.socketpair(); a.send(b"pair"); print(b.recv(4))
async def main():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*server.sockets[0].getsockname())
    print(await r.read())
asyncio.run(main())
P
seq 5 | sort -r | head -1; diff <(echo a) <(echo a); echo "$(id -u)" >/dev/null
if command -v rg >/dev/null; then rg -c main main.c; else echo 1; fi
if command -v node >/dev/null; then node -e 'console.log(42)'; else echo 42; fi
"""
    expected = "compiled\n10\n[1]\nb'a\\nb\\n'\nb'pair'\nb''\n5\n1\n42\n"
    outcome = cage.bash(script)
    assert (outcome.status, outcome.output) == (0, expected)


class Listeners:
    """Loopback servers of every kind, that count who comes."""

    def __init__(self, path: str) -> None:
        self.visits = 0
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0{path}")
        self.abstract.listen()
        for one in (self.tcp, self.udp, self.abstract):
            one.settimeout(0.05)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while not self._stop.is_set():
            for one in (self.tcp, self.abstract, self.udp):
                try:
                    one.recv(9) if one is self.udp else one.accept()[0].close()
                    self.visits += 1
                except TimeoutError:
                    pass

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        for one in (self.tcp, self.udp, self.abstract):
            one.close()


@pytest.fixture
def listeners(cage: Cage) -> Iterator[Listeners]:
    listeners = Listeners(cage.mark)
    yield listeners
    listeners.close()


VISIT = """
import socket, sys
def visit(name, address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    s = socket.socket(family, kind)
    s.settimeout(2)
    try:
        s.connect(address)
        if kind == socket.SOCK_DGRAM: s.send(b"x")
        print(name, "reached")
    except OSError:
        print(name, "failed")
visit("tcp", ("127.0.0.1", int(sys.argv[1])))
visit("abstract", "\\0" + sys.argv[3], socket.AF_UNIX)
visit("udp", ("127.0.0.1", int(sys.argv[2])), kind=socket.SOCK_DGRAM)
"""


def visit(cage: Cage, listeners: Listeners, **options: object) -> str:
    ports = [str(one.getsockname()[1]) for one in (listeners.tcp, listeners.udp)]
    return cage.run(["python3", "-c", VISIT, *ports, cage.mark], **options).output


def test_with_the_network(cage: Cage, listeners: Listeners) -> None:
    """Abstract sockets have no file that could be hidden; a kernel from 6.12 on keeps them out."""
    said = visit(cage, listeners)
    assert said.replace("abstract failed", "abstract reached") == (
        "tcp reached\nabstract reached\nudp reached\n"
    )
    release = tuple(map(int, platform.release().split(".")[:2]))
    assert ("abstract failed" in said) == (release >= (6, 12))


def test_without_the_network(cage: Cage, listeners: Listeners) -> None:
    """UDP is sent to the command's own loopback, where nothing listens."""
    output = visit(cage, listeners, network=False)
    assert output.startswith("tcp failed\nabstract failed\n")
    port = listeners.tcp.getsockname()[1]
    script = (
        f"echo x > /dev/tcp/127.0.0.1/{port} && echo reached\n"
        "getent hosts example.com && echo reached\n"
        "ls /sys/class/net 2>/dev/null | grep -qx eth0 && cat /proc/net/dev | grep -c eth0\n"
        "ip route 2>/dev/null | grep default && echo reached; true"
    )
    assert "reached" not in cage.bash(script, network=False).output
    assert listeners.visits == 0
    # What a test suite needs is there: a loopback.
    inside = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    inside += "socket.create_connection(s.getsockname()); print('up')"
    assert cage.run(["python3", "-c", inside], network=False).output == "up\n"
