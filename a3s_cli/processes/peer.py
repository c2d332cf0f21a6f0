"""Starts a process of our own program that lives as long as a socket to it does.

Unlike a command, such a peer runs our code and needs no supervisor: it watches its end of
the socket (`watch`), and whatever happens to us, even SIGKILL, closes the other end. What
it starts itself is held by supervisors, which end with it.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess  # noqa: TID251  # processes/ is the one place
import sys
import threading
from collections.abc import Callable, Mapping, Sequence


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

    Its first argument is the number of its end of the socket. Ctrl-C in a terminal
    reaches us alone.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            # -P: the working directory is a workspace, and no place to import from.
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else None,
            # Given as a copy: what the kernel shows of our own may be wiped.
            env=dict(environment),
            start_new_session=True,
            pass_fds=(theirs.fileno(),),
        )
    return Peer(process, ours)


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
