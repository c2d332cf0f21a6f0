"""The end of a batch on a node of Ray: a worker of ours, and a pipe to it.

Ray calls this an actor. It starts the same worker process as a batch on one machine has,
and passes bytes on: those of the driver by `put`, those of the worker as a stream of
blocks. It knows nothing of frames. The worker gets no variable of Ray's, and so neither
token nor sockets; it ends with its socket, which ends with this process.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ..jsontext import dumps
from ..processes import peer
from ..version import __version__

MODULE = "a3s_cli.batch.worker"
#: Bytes of a block at most: Ray sends what is larger through its object store.
BLOCK = 64 * 1024
#: Seconds that the worker has to end after its socket.
PATIENCE = 1.0
#: What Ray sets for its own workers alone.
_RAYS = frozenset(("OMP_NUM_THREADS", "PYTHONBREAKPOINT", "SPT_NOENV"))


class Node:
    """A worker on this node. Its methods are called by the driver, through Ray."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._expected = 0
        #: What came before what was sent earlier: Ray keeps no order among calls.
        self._early: dict[int, bytes] = {}

    async def stream(self, *, quiet: bool) -> AsyncIterator[bytes]:
        """Start the worker; yield what there is to know of this node, then the worker's bytes."""
        import ray  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from ray._raylet import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            AuthenticationMode,
            get_authentication_mode,
        )

        node: Any = ray._private.worker.global_worker.node
        token = get_authentication_mode() == AuthenticationMode.TOKEN
        name = ray.util.get_node_ip_address()
        environment = without_ray(os.environ, node.get_temp_dir_path())
        worker = peer.start(MODULE, [name], environment=environment, quiet=quiet)
        try:
            reader, self._writer = await asyncio.open_connection(sock=worker.connection)
            yield dumps({"version": __version__, "token": token, "name": f"{name}:{worker.pid}"})
            self._pass_on()
            while piece := await _read(reader):
                yield piece
        finally:
            self.hang_up_now()
            until = asyncio.get_running_loop().time() + PATIENCE
            while worker.ended() is None:
                if asyncio.get_running_loop().time() > until:
                    worker.kill()
                await asyncio.sleep(0.005)

    async def put(self, number: int, data: bytes) -> None:
        """Take the next bytes for the worker; `number` counts the calls from 0."""
        self._early[number] = data
        self._pass_on()

    async def hang_up(self) -> None:
        """End the worker and all that it runs."""
        self.hang_up_now()

    def hang_up_now(self) -> None:
        """Close the socket."""
        if self._writer is not None:
            self._writer.transport.abort()

    def _pass_on(self) -> None:
        while self._writer is not None and self._expected in self._early:
            data = self._early.pop(self._expected)
            self._expected += 1
            if not self._writer.transport.is_closing():
                self._writer.write(data)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(BLOCK)
    except OSError:
        return b""


def without_ray(environment: Mapping[str, str], directory: str) -> dict[str, str]:
    """Return the environment of a node without what is Ray's.

    Only the places of its token and of its sockets stay, because they are what a sandbox
    hides (`sandbox.hidden`).
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("RAY_") and name not in _RAYS
    }
    if path := environment.get("RAY_AUTH_TOKEN_PATH"):
        kept["RAY_AUTH_TOKEN_PATH"] = path
    kept["RAY_TMPDIR"] = directory
    return kept
