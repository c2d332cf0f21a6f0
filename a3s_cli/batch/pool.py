"""Warm workers, wherever they are: what the engines have in common.

Jobs go to the worker that has fewest. A worker that dies loses its jobs, and another one
takes its place. A job that may have been the cause can be given a worker for itself, one
such job at a time, so that it takes no other one with it. Workers that die before they are
ready, one after the other, mean that there can be none at all. How a worker is started and
reached is its `Link`, which is all that an engine adds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, Protocol

import orjson

from ..errors import A3SError, MaxCost, RateLimited, Unavailable
from ..jsontext import dumps
from .engine import Listener, Port
from .frames import (
    ASK,
    CANCEL,
    CLOSE,
    ENDED,
    GATE,
    GRANT,
    LINES,
    PIECE,
    PIECE_SIZE,
    READY,
    REFUSED,
    SENT,
    SETUP,
    SPENT,
    START,
    WANT,
    Frame,
)

#: Workers that may die in a row before they were ready.
DUDS = 3
#: Seconds that workers have to end when they are told to.
PATIENCE = 1.0
#: Seconds between two looks whether they have.
LOOK = 0.005


class Link(Protocol):
    """The way to one worker. Opened once; what is sent to a worker that is gone is dropped."""

    @property
    def name(self) -> str:
        """What to call the worker in a message."""

    async def open(self) -> None:
        """Start the worker, or connect to it."""

    def send(self, kind: bytes, job: int, payload: bytes) -> None:
        """Send a frame soon."""

    def frames(self) -> AsyncIterator[list[Frame]]:
        """Yield the frames of the worker, until it is gone."""

    def hang_up(self) -> None:
        """Make the worker end at once with all that it runs."""

    def ended(self) -> str | None:
        """Return how the worker ended, if it has."""

    def kill(self) -> None:
        """Kill the worker, unless it has ended."""


class Pool:
    """Runs jobs in workers. An engine says how many there are and how each is reached."""

    name = ""
    debug = False
    address: str | None = None
    #: Seconds that the first worker waits for the others, so that all get jobs.
    gathering = 0.0

    def __init__(self) -> None:
        self._setup = self._archive = b""
        self._workers: list[_Worker] = []
        self._by_job: dict[int, _Worker] = {}
        #: Jobs for which no worker is ready, and those for which none is free of other jobs.
        self._waiting: dict[int, bytes] = {}
        self._suspects: dict[int, bytes] = {}
        self._duds = 0
        self._closing = False
        #: Set once a worker is ready, or none can be.
        self._usable = asyncio.Event()
        #: Set once all are ready that were begun at first.
        self._complete = asyncio.Event()
        self._paused = asyncio.Event()
        self._paused.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def check(self) -> None:
        """Raise what can be known to be wrong before anything is made."""

    async def connect(self, jobs: int) -> int:
        """Get ready for workers, and return how many there should be for so many jobs."""
        raise NotImplementedError

    def link(self) -> Link:
        """Return the way to another worker."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Leave what `connect` has reached."""

    async def open(
        self, setup: bytes, jobs: int, port: Port, listener: Listener, archive: bytes = b""
    ) -> None:
        """Start the workers, and wait until the first is ready."""
        self._setup, self._port, self._listener = setup, port, listener
        self._archive = archive
        for _ in range(await self.connect(jobs)):
            self._begin_worker()
        # A permit that is given for a job must not wait for a worker.
        await self._usable.wait()
        if self.gathering:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.gathering):
                    await self._complete.wait()

    def start(self, job: int, request: bytes, *, alone: bool) -> None:
        """Start a job on the worker that has fewest, or on one that has no other."""
        (self._suspects if alone else self._waiting)[job] = request
        self._assign()

    def _assign(self) -> None:
        """Give the jobs that wait to the workers that can take them."""
        ready = [one for one in self._workers if one.ready]
        single = next((one for one in ready if one.single), None)
        if single is None and ready and self._suspects:
            single = min(ready, key=_load)
            single.single = True  # once the jobs that it has are done
        if single is not None and not single.jobs:
            single.single = bool(self._suspects)
            if single.single:
                self._begin_job(single, *_first(self._suspects))
        shared = [one for one in ready if not one.single]
        while shared and self._waiting:
            self._begin_job(min(shared, key=_load), *_first(self._waiting))

    def _begin_job(self, worker: _Worker, job: int, request: bytes) -> None:
        worker.jobs.add(job)
        self._by_job[job] = worker
        worker.link.send(START, job, request)

    def cancel(self, job: int, why: bytes) -> None:
        """Cancel a job."""
        if (worker := self._by_job.get(job)) is not None:
            worker.link.send(CANCEL, job, why)
        elif self._waiting.pop(job, None) or self._suspects.pop(job, None):
            self._listener.lost(job, "no worker was ready for it")

    def pause(self, paused: bool) -> None:
        """Read no more from the workers, which then wait, or read again."""
        if paused:
            self._paused.clear()
        else:
            self._paused.set()

    def repace(self) -> None:
        """Tell every worker the state of the gate."""
        for worker in self._workers:
            worker.link.send(GATE, 0, self._gate())

    async def close(self) -> None:
        """Hang up on the workers, which then end at once with all that they run."""
        self._closing = True
        links = [worker.link for worker in self._workers]
        for link in links:
            link.hang_up()
        await _ended(links, PATIENCE)
        for link in links:
            if link.ended() is None:
                link.kill()
        await _ended(links, PATIENCE)
        for task in self._tasks:
            task.cancel()
        self.disconnect()

    def grow(self, number: int) -> None:
        """Have so many workers, but not more than there are jobs."""
        jobs = len(self._by_job) + len(self._waiting) + len(self._suspects)
        while not self._closing and len(self._workers) < min(number, jobs):
            self._begin_worker()

    def _begin_worker(self) -> None:
        worker = _Worker(self.link())
        self._workers.append(worker)
        self.spawn(self._serve(worker))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background until the pool is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gate(self) -> bytes:
        return b"%b%d" % (b"+" if self._port.free else b"-", self._port.epoch)

    async def _serve(self, worker: _Worker) -> None:
        """Read a worker's frames to its end, and start another one in its place."""
        link = worker.link
        try:
            await link.open()
            link.send(SETUP, 0, self._setup)
            link.send(GATE, 0, self._gate())
            async for frames in link.frames():
                for kind, job, payload in frames:
                    self._take(worker, kind, job, payload)
                await self._paused.wait()
        except Exception as error:  # noqa: BLE001  # the driver has to hear of it
            if not self._closing:
                self._break(error)
            return
        if not self._closing:
            await self._replace(worker)

    async def _replace(self, worker: _Worker) -> None:
        link = worker.link
        self._workers.remove(worker)
        link.kill()
        await _ended([link], PATIENCE)
        how = link.ended()
        self._duds = 0 if worker.ready else self._duds + 1
        if self._duds >= DUDS:
            self._break(
                Unavailable(
                    f"{DUDS} workers in a row ended ({how}) before they were ready",
                    hint="run again with --debug to see what they say",
                )
            )
            return
        self._begin_worker()
        for job in sorted(worker.jobs):
            del self._by_job[job]
            self._listener.lost(job, f"its worker {link.name} ended ({how})")
        self._assign()

    def _take(self, worker: _Worker, kind: bytes, job: int, payload: bytes) -> None:
        if kind == LINES:
            self._listener.lines(job, payload)
        elif kind == ENDED:
            worker.jobs.discard(job)
            self._by_job.pop(job, None)
            self._listener.ended(job, payload)
            if self._waiting or self._suspects or worker.single:
                self._assign()
        elif kind == SPENT:
            self._port.spent(*orjson.loads(payload))
        elif kind == SENT:
            self._port.sent()
        elif kind == ASK:
            self.spawn(self._permit(worker, job, int(payload)))
        elif kind == REFUSED:
            self._port.refused(*orjson.loads(payload))
        elif kind == CLOSE:
            self._port.close(*orjson.loads(payload))
        elif kind == READY:
            self._ready(worker, payload)
        elif kind == WANT:
            # Asked for one by one, so that no more is under way than the other side can take.
            piece = self._archive[job * PIECE_SIZE : (job + 1) * PIECE_SIZE]
            worker.link.send(PIECE, job, piece)

    def _ready(self, worker: _Worker, told: bytes) -> None:
        try:
            self._listener.ready(worker.link.name, told)
        except A3SError as error:
            self._break(error)
            return
        worker.ready = True
        self._duds = 0
        self._usable.set()
        if all(one.ready for one in self._workers):
            self._complete.set()
        self._assign()

    def _break(self, error: Exception) -> None:
        self._listener.broken(error)
        self._usable.set()
        self._complete.set()

    async def _permit(self, worker: _Worker, number: int, tokens: int) -> None:
        answer = b""
        try:
            await self._port.permit(tokens)
        except (RateLimited, MaxCost) as error:
            answer = _refusal(error)
        worker.link.send(GRANT, number, answer)


async def _ended(links: Iterable[Link], patience: float) -> None:
    """Wait so many seconds, at most, until all have ended."""
    until = asyncio.get_running_loop().time() + patience
    for link in links:
        while link.ended() is None and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)


def _refusal(error: A3SError) -> bytes:
    return dumps([error.code, str(error), error.retry_after_ms])


class _Worker:
    """A worker, and the jobs that it has."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.jobs: set[int] = set()
        self.ready = False
        #: Whether it is for a job that is to be alone.
        self.single = False


def _load(worker: _Worker) -> int:
    return len(worker.jobs)


def _first(jobs: dict[int, bytes]) -> tuple[int, bytes]:
    job = next(iter(jobs))
    return job, jobs.pop(job)
