"""The way to one worker of a Ray cluster, through Ray's calls and its stream of blocks.

What the driver says goes as numbered calls, because Ray keeps no order among them. What the
worker says comes as one stream, of which so many blocks may wait here. `ray_node` is the
other end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from ..errors import A3SError, ConfigError
from ..version import __version__
from .frames import Frame, Gathering, Parser

#: Blocks of a worker that may wait for us before it has to wait.
BACKLOG = 16
#: Threads of the actor: one reads from its worker all the time, the others are for calls.
THREADS = 4


class Actor:
    """A worker on a node, through Ray (`pool.Link`)."""

    def __init__(
        self, ray: Any, admit: Callable[[str, dict[str, Any]], None], *, quiet: bool
    ) -> None:
        self._ray = ray
        self._admit = admit
        self._quiet = quiet
        self._node: Any = None
        self._stream: Any = None
        self._number = 0
        self._gathering = Gathering(self._put)
        self._end: str | None = None
        self.name = "on no node yet"

    async def open(self) -> None:
        """Make the actor and wait until it runs; see `pool.Link.open`."""
        from .ray_node import Node

        # Each of these says: Ray repeats nothing.
        options = {"max_restarts": 0, "max_task_retries": 0, "scheduling_strategy": "SPREAD"}
        options["max_concurrency"] = THREADS
        self._node = self._ray.remote(num_cpus=1, **options)(Node).remote()
        streaming = {"num_returns": "streaming", "_generator_backpressure_num_objects": BACKLOG}
        self._stream = self._node.stream.options(**streaming).remote(quiet=self._quiet)
        first = await self._next()
        if first is not None:
            told = orjson.loads(first)
            self.name = told["name"]
            self._admit(self.name, told)

    def send(self, kind: bytes, job: int, payload: bytes) -> None:
        """Send a frame soon."""
        if self._node is not None:
            self._gathering.send(kind, job, payload)

    async def frames(self) -> AsyncIterator[list[Frame]]:
        """Yield its frames, until it is gone."""
        parser = Parser()
        while (block := await self._next()) is not None:
            if frames := parser.feed(block):
                yield frames

    def hang_up(self) -> None:
        """Have the actor close the socket to its worker; kill one that does not run yet."""
        if self._node is not None and self._number:
            self._gathering.flush()
            self._node.hang_up.remote()
        else:
            self.kill()

    def ended(self) -> str | None:
        """Return how it ended, if it has."""
        return self._end

    def kill(self) -> None:
        """Kill the actor, and its worker with it."""
        self._end = self._end or "killed"
        if self._node is not None:
            self._ray.kill(self._node, no_restart=True)

    def _put(self, data: bytes) -> None:
        if self._end is None:
            self._node.put.remote(self._number, data)
            self._number += 1

    async def _next(self) -> bytes | None:
        """Return the next block, or None at the end. Raises ConfigError for a node without us."""
        if self._end is not None:
            return None
        try:
            block: bytes = await (await anext(self._stream))
        except StopAsyncIteration:
            self._end = "its process ended"
        except self._ray.exceptions.RayError as error:
            self._end = first_line(error)
            if "ModuleNotFoundError" in str(error) or "No module named" in str(error):
                raise _not_installed(error) from None
        else:
            return block
        return None


def _not_installed(error: Exception) -> A3SError:
    said = next((one for one in str(error).splitlines() if "No module named" in one), "")
    return ConfigError(
        f"a node cannot start a worker: {said.strip()}",
        hint=f"install a3s-cli {__version__} with the extra ray on every node",
    )


def first_line(error: BaseException) -> str:
    """Return what an exception of Ray says first."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
