"""Writes down what becomes of items, and shows it once it is safe.

The journal, the states of the items and the stream change together, and only here. What
depends on memory is small: states and codes; a result that has to wait for its turn waits
as the offset of its line.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..errors import A3SError, ExitStatus
from ..events.batch import BatchEnd, BatchStart, ItemEnd, ItemRetry
from ..fingerprint import fingerprint
from ..messages import Usage
from ..run.terminal_event import error_event
from ..values import State, field
from ..version import __version__
from .history import FAILED, FRESH, PENDING, SUCCEEDED, History
from .item import file_name
from .items import Items
from .journal import Journal
from .output import Output

#: What of an outcome is an item's result.
RESULT = (
    "exitCode", "code", "error", "text", "object", "usage", "costUsd", "durationMs", "recordHead",
    "unpatched",
)  # fmt: skip
#: Where patches lie, beside the journal.
PATCHES = "patches"
_USAGE = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


class Flight(State):
    """An attempt that is under way."""

    place: int
    item: str
    sha256: str
    attempt: int
    since: float = field(default_factory=time.monotonic)


class Totals(State):
    """What was used since the batch was opened."""

    tokens: int = 0
    usd: float | None = None
    turns: int = 0
    tool_calls: int = 0
    begun: float = field(default_factory=time.monotonic)

    def add(self, outcome: dict[str, Any]) -> None:
        """Add what an attempt used."""
        self.tokens += outcome.get("totalTokens", 0)
        self.turns += outcome.get("turns", 0)
        self.tool_calls += outcome.get("toolCalls", 0)
        if "costUsd" in outcome:
            self.usd = (self.usd or 0.0) + outcome["costUsd"]

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the batch was opened."""
        return round((time.monotonic() - self.begun) * 1000)


class Ledger:
    """The journal, the states and the stream of one batch."""

    def __init__(
        self,
        items: Items,
        history: History,
        journal: Journal,
        output: Output,
        *,
        in_order: bool = False,
    ) -> None:
        self.items = items
        self.history = history
        self.journal = journal
        self.output = output
        self.totals = Totals()
        self._in_order = in_order
        #: With `in_order`: the next item to show, and where results are that wait.
        self._next = 0
        self._waiting: dict[int, int] = {}
        # Results that were shown by an earlier run of the batch.
        self._old = b""

    def begin(self, engine: str, jobs: int, policy: str, shipped: str = "") -> None:
        """Open the journal's chapter and the stream."""
        if self._in_order:
            self._old = bytes(map(self.history.is_done, range(len(self.items))))
        batch_id = self.history.batch_id
        about = {"version": __version__, "policySha256": policy, "engine": engine}
        about |= {"shippedSha256": shipped} if shipped else {}
        line = {"type": "batch_open", "ts": now(), "batchId": batch_id, **about}
        self.journal.append({**line, "items": len(self.items)})
        self.output.own(
            BatchStart(
                batch_id=batch_id,
                items=len(self.items),
                done=self.history.done,
                engine=engine,
                jobs=jobs,
                version=__version__,
                policy_sha256=policy or None,
                shipped_sha256=shipped or None,
            )
        )

    def start(self, flight: Flight) -> None:
        """Write that an attempt begins."""
        self.journal.append({"type": "item_start", **_named(flight)})

    def try_again(self, flight: Flight, code: str, delay: float) -> None:
        """Write that an attempt failed for now, and that another follows."""
        self.journal.append({"type": "item_try", **_named(flight), "code": code})
        self.output.own(
            ItemRetry(
                item=flight.item,
                attempt=flight.attempt + 1,
                delay_ms=round(delay * 1000),
                code=code,
            )
        )

    def leave_pending(self, flight: Flight, code: str) -> None:
        """Write that an item has no result for now."""
        self.journal.append({"type": "item_try", **_named(flight), "code": code})
        self.history.set(flight.place, PENDING, code)

    def settle(self, flight: Flight, outcome: dict[str, Any]) -> None:
        """Write an item's result, and show it when it is safe."""
        result = {name: outcome[name] for name in RESULT if name in outcome}
        place = self.items.line_place(flight.place)
        if "patch" in outcome:
            result |= self._keep_patch(flight, outcome["patch"])
        line = {"type": "item_end", **_named(flight), "place": place, **result}
        state = SUCCEEDED if outcome["exitCode"] == 0 else FAILED
        self.history.set(flight.place, state, outcome.get("code"))
        offset = 0

        def show() -> None:
            if self._in_order:
                self._waiting[flight.place] = offset
                self._show_next()
            else:
                self.output.own(item_end(line, self.journal.path.parent))

        offset = self.journal.append(line, show)

    def _keep_patch(self, flight: Flight, packed: str) -> dict[str, str]:
        """Write a patch beside the journal, before the line that names it. Raises OutputError."""
        from ..shipping.patch import keep, unpacked

        name = f"{PATCHES}/{file_name(flight.item, flight.attempt)}.patch"
        patch = unpacked(packed)
        keep(patch, self.journal.path.parent / name)
        return {"patch": name, "patchSha256": fingerprint(patch)}

    def void(self, place: int) -> None:
        """Void the result of an item, so that it is run again."""
        item, _ = self.items.read(place)
        line = {"type": "item_void", "ts": now(), "item": item.id, "sha256": item.sha256}
        self.journal.append(line)
        self.history.set(place, FRESH)

    def _show_next(self, *, last: bool = False) -> None:
        """Show the results that are next; `last`: what is missing before them will not come."""
        while self._next < len(self.items):
            offset = self._waiting.pop(self._next, None)
            if offset is not None:
                line = self.journal.value_at(offset)
                self.output.own(item_end(line, self.journal.path.parent))
            elif not self._old[self._next] and not last:
                return
            self._next += 1

    async def end(self, limit: str, why: A3SError | None) -> int:
        """Close the chapter and the stream; return the exit status of the batch.

        `limit` is the code of the batch's limit that was reached, if one was; `why` says
        what ended the batch itself.
        """
        await self.journal.flush()
        status = self._status(limit, why)
        self.journal.append({"type": "batch_close", "ts": now(), "exitCode": status})
        if self._in_order:
            self._show_next(last=True)
        self._say_end(why, limit, status)
        self.output.flush()
        return status

    def _say_end(self, why: A3SError | None, limit: str, status: int) -> None:
        history, totals = self.history, self.totals
        if why is not None:
            used = {"turns": totals.turns, "tool_calls": totals.tool_calls}
            used |= {"total_tokens": totals.tokens, "duration_ms": totals.elapsed_ms}
            self.output.error(error_event(why, **used))  # type: ignore[arg-type]
            return
        self.output.own(
            BatchEnd(
                items=len(self.items),
                succeeded=history.succeeded,
                failed=history.failed,
                pending=len(self.items) - history.done,
                codes=history.by_code(limit),
                total_tokens=totals.tokens,
                cost_usd=None if totals.usd is None else round(totals.usd, 9),
                duration_ms=totals.elapsed_ms,
                exit_code=status,
            )
        )

    def _status(self, limit: str, why: A3SError | None) -> int:
        if why is not None:
            return int(why.exit_status)
        if limit:
            return ExitStatus.LIMIT
        if self.history.done < len(self.items):
            return ExitStatus.TEMPORARY
        return ExitStatus.FAILED if self.history.failed else ExitStatus.OK


def _named(flight: Flight) -> dict[str, Any]:
    return {
        "ts": now(),
        "item": flight.item,
        "sha256": flight.sha256,
        "attempt": flight.attempt,
    }


def item_end(line: dict[str, Any], directory: Path) -> ItemEnd:
    """Return the event of a result as the journal has it in its directory."""
    usage = line.get("usage")
    given = {"object": line["object"]} if "object" in line else {}
    return ItemEnd(
        item=line["item"],
        attempts=line["attempt"],
        exit_code=line["exitCode"],
        code=line.get("code"),
        error=line.get("error"),
        text=line.get("text"),
        usage=None if usage is None else Usage(*(usage.get(name, 0) for name in _USAGE)),
        cost_usd=line.get("costUsd"),
        duration_ms=line["durationMs"],
        patch=str(directory / line["patch"]) if "patch" in line else None,
        unpatched=line.get("unpatched"),
        **given,
    )


def now() -> int:
    """Return the milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
