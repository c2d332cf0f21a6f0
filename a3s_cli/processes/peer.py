"""Starts a process of our own program that lives as long as a socket to it does.

Unlike a command, such a peer runs our code and needs no supervisor: it watches its end of
the socket (`watch`), and whatever happens to us, even SIGKILL, closes the other end. What
it starts itself is held by supervisors, which end with it.

Its environment comes over the socket, too. In the one that a process is started with, every
other process of the user can read the keys, and commands of its siblings may run before it
could wipe them (`sandbox.environment.conceal`).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import subprocess  # noqa: TID251  # processes/ is the one place
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

_SIZE = struct.Struct("!Q")
#: What the loader and the interpreter read before a line of ours runs.
_EARLY = frozenset(("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR"))
_EARLY_KINDS = ("PYTHON", "LD_", "DYLD_", "LC_")


class Peer:
    """A process that was started here, and our end of the socket to it."""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self.connection = connection

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return its exit status, negative for a signal, if it has ended."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end; tell whether it has come."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def start(
    module: str,
    arguments: Sequence[str] = (),
    *,
    environment: Mapping[str, str],
    quiet: bool = True,
) -> Peer:
    """Start a module of ours in a session of its own; a `quiet` one has no stderr.

    Its first argument is the number of its end of the socket, with which it calls `joined`.
    Ctrl-C in a terminal reaches us alone.
    """
    # A copy: what the kernel shows of our own may be wiped.
    early = {n: v for n, v in environment.items() if n in _EARLY or n.startswith(_EARLY_KINDS)}
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            # -P: the working directory is a workspace, and no place to import from.
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else None,
            env=early,
            start_new_session=True,
            pass_fds=(theirs.fileno(),),
        )
    entries = (os.fsencode(f"{name}={value}") for name, value in environment.items())
    data = b"\0".join(entries)
    # A peer that has died already is found out by its end.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        ours.sendall(_SIZE.pack(len(data)) + data)
    return Peer(process, ours)


def joined(descriptor: int) -> socket.socket:
    """Return the socket to who has started this process, and take the environment from it."""
    connection = socket.socket(fileno=descriptor)
    (size,) = _SIZE.unpack(_received(connection, _SIZE.size))
    os.environb.clear()
    for entry in filter(None, _received(connection, size).split(b"\0")):
        name, _, value = entry.partition(b"=")
        os.environb[name] = value
    return connection


def _received(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not (piece := connection.recv(size - len(data))):
            leave()
        data += piece
    return bytes(data)


def watch(connection: socket.socket, gone: Callable[[], None]) -> None:
    """Call `gone`, in a thread, once the other end is closed, however busy we are."""

    def wait() -> None:
        poller = select.poll()
        poller.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))
        poller.poll()
        gone()

    threading.Thread(target=wait, name="a3s-watch", daemon=True).start()


def leave() -> None:
    """Kill every command that was started here, and exit without ado."""
    if (spawner := sys.modules.get("a3s_cli.processes.spawner")) is not None:
        spawner.kill_all()
    os._exit(0)
