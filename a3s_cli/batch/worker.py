"""A warm worker: a process that runs items, one beside the other, until its driver is gone.

Starting an interpreter and importing the program costs far more than most runs; here it is
done once. The worker has a session of its own, so that a terminal's Ctrl-C reaches the
batch once, and ends with its driver, whatever becomes of that: see `processes.peer`.

    python -m a3s_cli.batch.worker DESCRIPTOR [NODE]
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from ..errors import A3SError, MaxCost, RateLimited
from ..jsontext import dumps
from ..processes import peer
from .attempt import Attempt, failed
from .brief import Brief, facts
from .frames import (
    ASK,
    CANCEL,
    CLOSE,
    ENDED,
    GATE,
    GRANT,
    LINES,
    PIECE,
    READY,
    REFUSED,
    SENT,
    SETUP,
    SPENT,
    START,
    WANT,
    Channel,
)

#: Pieces of the shipped workspace that are asked for ahead.
AHEAD = 32


class RemoteGate:
    """The gate, which is the driver's (`engine.Port`)."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.free = True
        self.epoch = 0
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0

    async def permit(self, tokens: int) -> None:
        """Ask the driver for a permit."""
        self._number += 1
        number = self._number
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._channel.send(ASK, number, b"%d" % tokens)
        try:
            refusal = await answer
        finally:
            del self._asked[number]
        if refusal:
            raise _error(refusal)

    def granted(self, number: int, refusal: bytes) -> None:
        """Take the driver's answer."""
        answer = self._asked.get(number)
        if answer is not None and not answer.done():
            answer.set_result(refusal)

    def sent(self) -> None:
        """Tell the driver."""
        self._channel.send(SENT)

    def refused(self, reason: str, retry_after: float | None, epoch: int) -> None:
        """Tell the driver, and ask it from now on."""
        self.free = False
        self._channel.send(REFUSED, payload=dumps([reason, retry_after, epoch]))

    def close(self, reason: str, seconds: float) -> None:
        """Tell the driver, and ask it from now on."""
        self.free = False
        self._channel.send(CLOSE, payload=dumps([reason, seconds]))

    def spent(self, tokens: int, usd: float | None, estimate: int) -> None:
        """Tell the driver."""
        self._channel.send(SPENT, payload=dumps([tokens, usd, estimate]))


def _error(refusal: bytes) -> A3SError:
    import orjson

    code, said, wait = orjson.loads(refusal)
    if code == MaxCost.code:
        return MaxCost(said)
    return RateLimited(said, retry_after_ms=wait, resend=False)


class Worker:
    """The jobs of this process."""

    def __init__(self, channel: Channel, node: str) -> None:
        self._channel = channel
        self._gate = RemoteGate(channel)
        self._name = f"{node}:{os.getpid()}"
        self._brief: Brief | None = None
        self._jobs: dict[int, Attempt] = {}
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Do as the driver says, until it hangs up."""
        async for frames in self._channel.frames():
            for kind, job, payload in frames:
                self._take(kind, job, payload)

    def _take(self, kind: bytes, job: int, payload: bytes) -> None:
        if kind == START:
            assert self._brief
            send = self._channel.send
            attempt = Attempt(
                self._brief, payload, self._gate, self._name, lambda lines: send(LINES, job, lines)
            )
            self._jobs[job] = attempt
            self._begin(self._run(job, attempt))
        elif kind == GRANT:
            self._gate.granted(job, payload)
        elif kind == CANCEL:
            if job in self._jobs:
                self._jobs[job].cancel(payload)
        elif kind == GATE:
            self._gate.free, self._gate.epoch = payload.startswith(b"+"), int(payload[1:])
        elif kind == PIECE:
            self._pieces.put_nowait(payload)
        elif kind == SETUP:
            self._begin(self._set_up(payload))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: int, attempt: Attempt) -> None:
        outcome = await attempt.run(self._channel.drain)
        del self._jobs[job]
        self._channel.send(ENDED, job, outcome)

    async def _set_up(self, payload: bytes) -> None:
        try:
            self._brief = await self._with_workspace(Brief.unpack(payload))
            told = facts(self._brief)
            _warm()
        except A3SError as error:
            told = failed(error)
        self._channel.send(READY, payload=dumps(told))

    async def _with_workspace(self, brief: Brief) -> Brief:
        """Return a brief whose workspace is on this machine."""
        if not brief.shipped:
            return brief
        from ..shipping.depot import Depot

        depot = Depot(brief.shipped, brief.request.workspace.name, os.environ)
        await depot.fill(self._fetch)
        return brief.at(depot)

    async def _fetch(self) -> AsyncIterator[bytes]:
        """Yield the archive of the workspace, which the driver has."""
        for number in range(AHEAD):
            self._channel.send(WANT, number)
        number = AHEAD
        while piece := await self._pieces.get():
            yield piece
            self._channel.send(WANT, number)
            number += 1


def _warm() -> None:
    """Import what the first run would import otherwise."""
    from ..run import assembly, run
    from ..sessions import store
    from ..stream import recorder

    del assembly, run, store, recorder


def main() -> None:
    """Serve the driver at the other end of the socket that was inherited."""
    connection = peer.joined(int(sys.argv[1]))
    node = sys.argv[2] if len(sys.argv) > 2 else socket.gethostname()
    peer.watch(connection, peer.leave)

    async def serve() -> None:
        await Worker(await Channel.of(connection), node).serve()

    asyncio.new_event_loop().run_until_complete(serve())
    peer.leave()


if __name__ == "__main__":
    main()
