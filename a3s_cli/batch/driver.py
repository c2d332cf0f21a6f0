"""Decides what runs next and what became of it: the loop of a batch.

One item is launched at a time, when there is a free place, room at the reader and a permit
of the gate. An attempt that failed for a reason that passes is repeated; any other end is
the item's result. The driver handles no line of a run: what costs is on the workers.
"""

from __future__ import annotations

import asyncio
import heapq
import signal
import time
from random import uniform
from typing import Any

import orjson

from ..errors import A3SError, Cancelled, ExitStatus, WorkerLost, internal
from ..events.batch import Limit
from ..values import Value
from .brief import require_alike
from .engine import Engine
from .gate import LONGEST_WAIT, MOMENT, Gate
from .history import ACTIVE, FAILED, FRESH, INTERRUPTED
from .ledger import Flight, Ledger

#: Bytes that the reader may have to take before the workers are told to wait.
HIGH_WATER = 1 << 20
#: Seconds that cancelled runs have to end.
LAST_WORDS = 1.2
#: Seconds before the second attempt, doubled with each, and the most of them.
FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
#: Bytes of a prompt that are about one token.
BYTES_A_TOKEN = 4


class Terms(Value):
    """How a batch is to be run."""

    jobs: int = 8
    attempts: int = 3
    #: Whether failed items are run again.
    retry_failed: bool = False
    #: Failures after which nothing more is launched; None for any number.
    max_failures: int | None = None
    #: Digest of the permission rules.
    policy: str = ""
    #: Digest of the workspace that is sent to the workers, if it is.
    shipped: str = ""


class Driver:
    """Runs the items of one ledger. `cancel` may be called from a signal handler."""

    def __init__(self, ledger: Ledger, gate: Gate, engine: Engine, terms: Terms) -> None:
        self.ledger = ledger
        self.gate = gate
        self._history, self._output = ledger.history, ledger.output
        self._engine = engine
        self._terms = terms
        self._changed = asyncio.Event()
        # From here on, items may not have been launched yet.
        self._next = 0
        #: (when, number, place) of items that wait for another attempt.
        self._retries: list[tuple[float, int, int]] = []
        #: Attempts of this batch that counted, by item.
        self._spent: dict[int, int] = {}
        #: Items that were lost with their worker, which one of them may have ended.
        self._lost: set[int] = set()
        self._number = 0
        self.flights: dict[int, Flight] = {}
        #: Why nothing more is launched: the code of a limit.
        self.limit = ""
        #: Why everything is to end now.
        self.why: A3SError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Whether the reader has much to take, and what waits for it.
        self._full: asyncio.Task[None] | None = None

    async def run(self, setup: bytes, archive: bytes = b"") -> int:
        """Run every item that has no result; return the exit status of the batch."""
        terms, engine = self._terms, self._engine
        self._loop = asyncio.get_running_loop()
        self.ledger.journal.lost = self.cancel
        self.gate.on_close, self.gate.on_pace = self._tell_limit, engine.repace
        if terms.retry_failed:
            for place in self._history.places(FAILED):
                self.ledger.void(place)
        self.ledger.begin(engine.name, terms.jobs, terms.policy, terms.shipped)
        try:
            if terms.attempts == 1:
                self._end_interrupted()
            if self._history.next_open(0) is not None:
                await self._open(setup, archive)
                await self._launch()
            if self.why is not None:
                await self._end_flights()
        except A3SError as error:
            self.why = self.why or error
        except Exception as error:  # noqa: BLE001  # a bug of ours ends in an event, too
            self.why = self.why or internal(error)
        finally:
            await engine.close()
        return await self.ledger.end(self.limit, self.why)

    async def _open(self, setup: bytes, archive: bytes) -> None:
        """Open the engine, unless everything is to end before it is ready."""
        opening = asyncio.create_task(
            self._engine.open(setup, self._terms.jobs, self.gate, self, archive),
            name="a3s-engine",
        )
        opening.add_done_callback(lambda _: self._changed.set())
        while not opening.done() and self.why is None:
            self._changed.clear()
            await self._something(None)
        if not opening.done():
            opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled():
            opening.result()

    def cancel(self, why: A3SError) -> None:
        """End the batch: cancel what runs; what has no result is run by the same command again."""
        self.why = self.why or why
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    def _end_interrupted(self) -> None:
        """Report what was interrupted as an error, where nothing may be run twice."""
        for place in self._history.places(INTERRUPTED):
            item, _ = self.ledger.items.read(place)
            flight = Flight(place, item.id, item.sha256, self._history.attempts(place))
            self.ledger.settle(flight, _lost("it was interrupted"))

    # -- launching ---------------------------------------------------------------------

    async def _launch(self) -> None:
        """Launch items until none is left, a limit is reached or everything is to end."""
        history = self._history
        while (place := await self._next_item()) is not None:
            item, line = self.ledger.items.read(place)
            tokens = len(line) // BYTES_A_TOKEN
            if not await self._permit(tokens):
                history.set(place, FRESH)
                continue
            self._number += 1
            flight = Flight(place, item.id, item.sha256, history.attempt(place))
            self.flights[self._number] = flight
            self.ledger.start(flight)
            told = {"attempt": flight.attempt, "tokens": tokens if self.gate.counts_tokens else 0}
            request = orjson.dumps(told) + b"\n" + line
            self._engine.start(self._number, request, alone=self._is_suspect(place))

    def _is_suspect(self, place: int) -> bool:
        """Tell whether an item has been lost, and has no attempt left to be lost by another one."""
        return place in self._lost and self._spent[place] == self._terms.attempts - 1

    async def _next_item(self) -> int | None:
        """Wait until an item can be launched; None where none is left to launch or to wait for."""
        while self.why is None:
            self._changed.clear()
            wait: float | None = None
            if not self._full and len(self.flights) < self._terms.jobs and not self.limit:
                now = time.monotonic()
                if self._retries and self._retries[0][0] <= now:
                    return heapq.heappop(self._retries)[2]
                if (place := self._history.next_open(self._next)) is not None:
                    self._next = place + 1
                    self._history.set(place, ACTIVE)
                    return place
                wait = self._retries[0][0] - now if self._retries else None
            if not self.flights and (self.limit or not self._retries):
                return None
            await self._something(wait)
        return None

    async def _permit(self, tokens: int) -> bool:
        """Wait at the gate; False where everything is to end, or the budget is spent."""
        while self.why is None:
            if self.gate.exhausted:
                self._stop("max_cost")
                return False
            wait = self.gate.closed_for
            if wait <= 0:
                place = self.gate.reserve(tokens, patience=float("inf"))
                await self._pause(MOMENT if place is None else place)
                if place is not None and self.gate.closed_for <= 0:
                    return self.why is None
                if place is not None:
                    self.gate.sent()
            else:
                await self._pause(wait)
        return False

    async def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.why is None and (left := end - time.monotonic()) > 0:
            self._changed.clear()
            await self._something(left)

    async def _something(self, seconds: float | None) -> None:
        """Wait until something has changed, but not longer than so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _stop(self, limit: str) -> None:
        """Launch nothing more; what runs may end."""
        self.limit = self.limit or limit
        self._changed.set()

    async def _end_flights(self) -> None:
        """Cancel what runs and wait a little for its last words."""
        number = self.why.signal if isinstance(self.why, Cancelled) else None
        name = signal.Signals(number).name if number else ""
        for job in list(self.flights):
            self._engine.cancel(job, name.encode())
        end = time.monotonic() + LAST_WORDS
        while self.flights and (left := end - time.monotonic()) > 0:
            self._changed.clear()
            await self._something(left)

    # -- what the engine tells -----------------------------------------------------------

    def ready(self, worker: str, told: bytes) -> None:
        """Compare a worker with this process; see `engine.Listener`."""
        require_alike(worker, orjson.loads(told), self._terms.policy)

    def lines(self, job: int, block: bytes) -> None:
        """Pass lines of a run on; see `engine.Listener`."""
        del job
        self._output.runs(block)
        self._heed_reader()

    def ended(self, job: int, outcome: bytes) -> None:
        """Take the outcome of an attempt; see `engine.Listener`."""
        self._changed.set()
        self._judge(self.flights.pop(job), orjson.loads(outcome))

    def lost(self, job: int, why: str) -> None:
        """Take the loss of an attempt; see `engine.Listener`."""
        self._changed.set()
        self._judge(self.flights.pop(job), _lost(why))

    def broken(self, error: Exception) -> None:
        """End the batch; see `engine.Listener`."""
        self.cancel(error if isinstance(error, A3SError) else internal(error))

    def _heed_reader(self) -> None:
        """Let the workers wait for a reader that has much to take."""
        if self._full is None and self.why is None and self._output.pending() > HIGH_WATER:
            self._engine.pause(True)
            self._full = asyncio.create_task(self._wait_for_room())

    async def _wait_for_room(self) -> None:
        await self._output.drain()
        self._full = None
        self._engine.pause(False)
        self._changed.set()

    def _judge(self, flight: Flight, outcome: dict[str, Any]) -> None:
        """Decide what an attempt means: a result, another attempt, or neither for now."""
        self.ledger.totals.add(outcome)
        code = outcome.get("code")
        if self.why is not None and code in ("cancelled", "worker_lost"):
            return  # interrupted: the same command runs it again
        if outcome.get("gate") == "max_cost":
            self._stop("max_cost")
            self.ledger.leave_pending(flight, "max_cost")
        elif outcome["exitCode"] == ExitStatus.TEMPORARY:
            self._repeat(flight, outcome, str(code))
        else:
            self._settle(flight, outcome)

    def _repeat(self, flight: Flight, outcome: dict[str, Any], code: str) -> None:
        """Try an item again, if it may be."""
        wait = (outcome.get("retryAfterMs") or 0) / 1000
        # Such a wait pauses the whole batch and is not the item's fault.
        free = code == "rate_limited" and wait > LONGEST_WAIT
        if free:
            self.gate.close(outcome["error"], wait)
        spent = self._spent[flight.place] = self._spent.get(flight.place, 0) + (not free)
        if code == WorkerLost.code:
            self._lost.add(flight.place)
        if spent < self._terms.attempts:
            delay = wait if free else max(wait, _backoff(spent))
            self.ledger.try_again(flight, code, delay)
            due = (time.monotonic() + delay, self._number, flight.place)
            heapq.heappush(self._retries, due)
        elif code == WorkerLost.code and self._terms.attempts == 1:
            self._settle(flight, outcome)
        else:
            self.ledger.leave_pending(flight, code)

    def _settle(self, flight: Flight, outcome: dict[str, Any]) -> None:
        self._spent.pop(flight.place, None)
        self._lost.discard(flight.place)
        self.ledger.settle(flight, outcome)
        most = self._terms.max_failures
        if most is not None and self._history.failed > most:
            self._stop("max_failures")
        self._heed_reader()

    def _tell_limit(self, reason: str, seconds: float) -> None:
        self._output.own(Limit(reason=reason, delay_ms=round(seconds * 1000)))


def _lost(why: str) -> dict[str, Any]:
    error = WorkerLost(f"the item did not end: {why}")
    status = int(error.exit_status)
    return {"exitCode": status, "code": error.code, "error": str(error), "durationMs": 0}


def _backoff(attempt: int) -> float:
    return min(FIRST_DELAY * 2.0 ** min(attempt - 1, 10), LONGEST_DELAY) * uniform(0.75, 1)
