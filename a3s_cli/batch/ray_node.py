"""The end of a batch on a node of Ray: a worker of ours, and a pipe to it.

Ray calls this an actor. It starts the same worker process as a batch on one machine has,
and passes bytes on: those of the driver by `put`, those of the worker as a stream of
blocks. It knows nothing of frames. The worker gets no variable of Ray's, and so neither
token nor sockets; it ends with its socket, which ends with this process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ..jsontext import dumps
from ..processes import peer
from ..version import __version__

MODULE = "a3s_cli.batch.worker"
#: Bytes of a block at most: Ray sends what is larger through its object store.
BLOCK = 64 * 1024
#: Seconds for which what follows a block is gathered: a block costs Ray more than a
#: millisecond of processor, however small it is, and a short item has half a dozen of them.
GATHER = 0.04
#: Seconds that the worker has to end after its socket.
PATIENCE = 1.0
#: What Ray sets for its own workers alone.
_RAYS = frozenset(("OMP_NUM_THREADS", "PYTHONBREAKPOINT", "SPT_NOENV"))


class Node:
    """A worker on this node. Its methods are called by the driver, through Ray, in threads."""

    def __init__(self) -> None:
        self._worker: peer.Peer | None = None
        self._expected = 0
        #: What came before what was sent earlier: Ray keeps no order among calls.
        self._early: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def stream(self, *, quiet: bool) -> Iterator[bytes]:
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
            yield dumps({"version": __version__, "token": token, "name": f"{name}:{worker.pid}"})
            with self._lock:
                self._worker = worker
                self._pass_on()
            while piece := _read(worker.connection):
                yield piece
                if len(piece) < BLOCK:
                    time.sleep(GATHER)
        finally:
            self.hang_up()
            worker.connection.close()
            if not worker.wait(PATIENCE):
                worker.kill()

    def put(self, number: int, data: bytes) -> None:
        """Take the next bytes for the worker; `number` counts the calls from 0."""
        with self._lock:
            self._early[number] = data
            self._pass_on()

    def hang_up(self) -> None:
        """End the worker and all that it runs."""
        if self._worker is not None:
            with contextlib.suppress(OSError):
                self._worker.connection.shutdown(socket.SHUT_RDWR)

    def _pass_on(self) -> None:
        while self._worker is not None and self._expected in self._early:
            data = self._early.pop(self._expected)
            self._expected += 1
            with contextlib.suppress(OSError):
                self._worker.connection.sendall(data)


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(BLOCK)
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
