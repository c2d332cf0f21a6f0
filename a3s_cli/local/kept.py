"""A server that stays: found, joined or started, and left.

The one exception to "nothing outlives the run", and only where it was asked for: with
`--keep-alive`, or by a front end that lives on itself. Every run that finds such a server
uses it, one after another, so that the weights are in memory once. The connection to its
socket is the whole protocol: each holder of one is a user, and the kernel closes it for one
that was killed (see `serve`). The socket is in a directory that no confined command sees;
a program that a run has started is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..processes.spawner import start_lasting
from ..values import Value

#: Seconds between two looks for a socket, and how long a new server has to make it.
MOMENT, BIRTH = 0.03, 30.0
#: What keeps servers between the runs of this process, by socket.
_held: dict[str, socket.socket] = {}


class Joined(Value):
    """A connection to a server that stays."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    key: str
    #: What the model has last read as a beginning.
    beginning: str


class Refused(Exception):
    """The server is not for us: a run has started this process."""


async def join(path: Path, beginning: str, linger: float | None) -> Joined | None:
    """Become a user of the server at a socket; return None if there is none.

    Waits for a server that is still loading. Raises Refused.
    """
    hello = json.dumps({"beginning": beginning, "linger": linger}).encode() + b"\n"
    try:
        with reachable(path) as name:
            reader, writer = await asyncio.open_unix_connection(name)
    except OSError:
        return None
    try:
        with contextlib.suppress(OSError):
            writer.write(hello)
            if line := await reader.readline():
                said = json.loads(line)
                if said.get("refused"):
                    raise Refused
                joined = Joined(reader, writer, said["address"], said["key"], said["beginning"])
                writer = None  # type: ignore[assignment]  # it is the caller's now
                return joined
        return None
    finally:
        if writer:
            writer.close()


async def begin(
    path: Path, options: Mapping[str, Any], environment: Mapping[str, str], log: Path
) -> None:
    """Start a server that listens at a socket. The caller holds the lock of that socket."""
    path.unlink(missing_ok=True)
    child = start_lasting(
        (
            *(sys.executable, "-P", str(Path(__file__).with_name("serve.py"))),
            json.dumps({**options, "socket": str(path)}),
        ),
        cwd=Path("/"),
        environment=environment,
        stderr=log,
    )
    async with asyncio.timeout(BIRTH):
        while not path.exists():
            if child.poll() is not None:
                raise ConfigError("the embedded model's server ended at once")
            await asyncio.sleep(MOMENT)


def hold(path: Path, beginning: str) -> None:
    """Keep the server at a socket for as long as this process lives."""
    held = _held.pop(str(path), None)
    if held is not None:
        with contextlib.suppress(BlockingIOError):
            if held.recv(1):  # b"": it has ended
                _held[str(path)] = held
            else:
                held.close()
            held = None
        if held is not None:
            _held[str(path)] = held
    if str(path) in _held:
        return
    user = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError), reachable(path) as name:
        user.connect(name)
        user.sendall(json.dumps({"beginning": beginning, "linger": None}).encode() + b"\n")
        user.settimeout(BIRTH)
        user.makefile("rb").readline()
        user.setblocking(False)
        _held[str(path)] = user


@contextlib.contextmanager
def reachable(path: Path) -> Any:
    """Yield a name of a socket that is short enough to connect to."""
    if sys.platform != "linux":
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
