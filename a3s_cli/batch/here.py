"""The engine of this machine: a worker process for each processor that is free for us."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from ..errors import UsageError
from ..processes import peer
from .frames import Channel, Frame
from .pool import Link, Pool

MODULE = "a3s_cli.batch.worker"


class Here(Pool):
    """Runs jobs in worker processes on this machine."""

    name = "here"
    remote = False

    def check(self) -> None:
        """Raise UsageError where an address was given."""
        if self.address is not None:
            raise UsageError("--ray-address needs --on ray")

    async def connect(self, jobs: int) -> int:
        """Return how many workers there should be."""
        return min(jobs, processors())

    def link(self) -> Link:
        """Start a worker."""
        return _Socket(peer.start(MODULE, environment=os.environ, quiet=not self.debug))


class _Socket:
    """A worker process of ours, and the socket to it (`pool.Link`)."""

    def __init__(self, process: peer.Peer) -> None:
        self._peer = process
        self._channel: Channel | None = None

    @property
    def name(self) -> str:
        """Its process id."""
        return str(self._peer.pid)

    async def open(self) -> None:
        """Make the channel."""
        self._channel = await Channel.of(self._peer.connection)

    def send(self, kind: bytes, job: int, payload: bytes) -> None:
        """Send a frame soon."""
        if self._channel is not None:
            self._channel.send(kind, job, payload)

    def frames(self) -> AsyncIterator[list[Frame]]:
        """Yield its frames, until it is gone."""
        assert self._channel
        return self._channel.frames()

    def hang_up(self) -> None:
        """Close the socket."""
        if self._channel is None:
            self._peer.connection.close()
        else:
            self._channel.close()

    def ended(self) -> str | None:
        """Return its exit status, if it has ended."""
        status = self._peer.ended()
        return None if status is None else f"status {status}"

    def kill(self) -> None:
        """Kill the process."""
        self._peer.kill()


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0)) or 1
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
