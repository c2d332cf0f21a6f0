"""The engine of this machine: warm workers, one for each processor that is free for us.

Jobs go to the worker that has fewest. A worker that dies loses its jobs, and another one
takes its place; workers that die before they are ready, one after the other, mean that
this machine cannot run them at all.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import orjson

from ..errors import A3SError, MaxCost, RateLimited, Unavailable
from ..jsontext import dumps
from ..processes import peer
from .engine import Listener, Port
from .frames import (
    ASK,
    CANCEL,
    CLOSE,
    ENDED,
    GATE,
    GRANT,
    LINES,
    READY,
    REFUSED,
    SENT,
    SETUP,
    SPENT,
    START,
    Channel,
)

#: Workers that may die in a row before they were ready.
DUDS = 3
#: Seconds that workers have to end when they are told to.
PATIENCE = 1.0
MODULE = "a3s_cli.batch.worker"


class Here:
    """Runs jobs in worker processes on this machine."""

    name = "here"
    debug = False

    def __init__(self) -> None:
        self._setup = b""
        self._workers: list[_Worker] = []
        self._by_job: dict[int, _Worker] = {}
        self._duds = 0
        self._closing = False
        #: Set once a worker is ready, or none can be.
        self._usable = asyncio.Event()
        self._paused = asyncio.Event()
        self._paused.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, setup: bytes, jobs: int, port: Port, listener: Listener) -> None:
        """Start the workers, and wait until the first is ready."""
        self._setup, self._port, self._listener = setup, port, listener
        for _ in range(min(jobs, processors())):
            self._begin_worker()
        # A permit that is given for a job must not wait for a worker.
        await self._usable.wait()

    def start(self, job: int, request: bytes) -> None:
        """Start a job on the worker that has fewest."""
        ready = [one for one in self._workers if one.ready] or self._workers
        worker = min(ready, key=lambda one: len(one.jobs))
        worker.jobs.add(job)
        self._by_job[job] = worker
        worker.send(START, job, request)

    def cancel(self, job: int, why: bytes) -> None:
        """Cancel a job."""
        if (worker := self._by_job.get(job)) is not None:
            worker.send(CANCEL, job, why)

    def pause(self, paused: bool) -> None:
        """Read no more from the workers, which then wait, or read again."""
        if paused:
            self._paused.clear()
        else:
            self._paused.set()

    def repace(self) -> None:
        """Tell every worker the state of the gate."""
        for worker in self._workers:
            worker.send(GATE, 0, self._gate())

    async def close(self) -> None:
        """Hang up on the workers, which then end at once with all that they run."""
        self._closing = True
        for worker in self._workers:
            worker.hang_up()
        until = asyncio.get_running_loop().time() + PATIENCE
        for worker in self._workers:
            while worker.peer.ended() is None:
                if asyncio.get_running_loop().time() > until:
                    worker.peer.kill()
                await asyncio.sleep(0.005)
        for task in self._tasks:
            task.cancel()

    def _begin_worker(self) -> None:
        worker = _Worker(peer.start(MODULE, environment=os.environ, quiet=not self.debug))
        self._workers.append(worker)
        task = asyncio.create_task(self._serve(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gate(self) -> bytes:
        return b"%b%d" % (b"+" if self._port.free else b"-", self._port.epoch)

    async def _serve(self, worker: _Worker) -> None:
        """Read a worker's frames to its end, and start another one in its place."""
        try:
            channel = await worker.open()
            channel.send(SETUP, 0, self._setup)
            channel.send(GATE, 0, self._gate())
            worker.unsent()
            async for frames in channel.frames():
                for kind, job, payload in frames:
                    self._take(worker, kind, job, payload)
                await self._paused.wait()
        except Exception as error:  # noqa: BLE001  # the driver has to hear of it
            if not self._closing:
                self._break(error)
            return
        if not self._closing:
            self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.peer.kill()
        worker.peer.wait(PATIENCE)
        status = worker.peer.ended()
        self._duds = 0 if worker.ready else self._duds + 1
        if self._duds >= DUDS:
            self._break(
                Unavailable(
                    f"{DUDS} workers in a row ended (status {status}) before they were ready",
                    hint="run again with --debug to see what they say",
                )
            )
            return
        self._begin_worker()
        for job in sorted(worker.jobs):
            del self._by_job[job]
            self._listener.lost(job, f"its worker {worker.peer.pid} ended (status {status})")

    def _take(self, worker: _Worker, kind: bytes, job: int, payload: bytes) -> None:
        if kind == LINES:
            self._listener.lines(job, payload)
        elif kind == ENDED:
            worker.jobs.discard(job)
            self._by_job.pop(job, None)
            self._listener.ended(job, payload)
        elif kind == SPENT:
            self._port.spent(*orjson.loads(payload))
        elif kind == SENT:
            self._port.sent()
        elif kind == ASK:
            task = asyncio.create_task(self._permit(worker, job, int(payload)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == REFUSED:
            self._port.refused(*orjson.loads(payload))
        elif kind == CLOSE:
            self._port.close(*orjson.loads(payload))
        elif kind == READY:
            self._ready(worker, orjson.loads(payload))

    def _ready(self, worker: _Worker, told: dict[str, Any]) -> None:
        if "code" in told:
            self._break(Unavailable(f"a worker cannot begin: {told['error']}"))
        worker.ready = True
        self._duds = 0
        self._usable.set()

    def _break(self, error: Exception) -> None:
        self._listener.broken(error)
        self._usable.set()

    async def _permit(self, worker: _Worker, number: int, tokens: int) -> None:
        answer = b""
        try:
            await self._port.permit(tokens)
        except (RateLimited, MaxCost) as error:
            answer = _refusal(error)
        worker.send(GRANT, number, answer)


def _refusal(error: A3SError) -> bytes:
    return dumps([error.code, str(error), error.retry_after_ms])


class _Worker:
    """A worker, and the jobs that it has."""

    def __init__(self, process: peer.Peer) -> None:
        self.peer = process
        self.jobs: set[int] = set()
        self.ready = False
        self._channel: Channel | None = None
        #: What was to be sent before there was a channel.
        self._early: list[tuple[bytes, int, bytes]] = []

    async def open(self) -> Channel:
        self._channel = await Channel.of(self.peer.connection)
        return self._channel

    def unsent(self) -> None:
        """Send what had to wait."""
        early, self._early = self._early, []
        for frame in early:
            self.send(*frame)

    def send(self, kind: bytes, job: int, payload: bytes) -> None:
        if self._channel is None:
            self._early.append((kind, job, payload))
        else:
            self._channel.send(kind, job, payload)

    def hang_up(self) -> None:
        if self._channel is None:
            self.peer.connection.close()
        else:
            self._channel.close()


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0)) or 1
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
