"""Many prompts in the library: `Agent.batch`, the same batch as `a3s batch`.

    async for item, event in agent.batch(["one", "two"], directory="work.batch", jobs=20):
        if event.type == "item_end":
            print(item, event.text)

The items run in worker processes, which can be sent only data: tools and `on_ask` cannot be
functions. To resume a batch, make it again with the same directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import Cancelled, UsageError
from ..events.event import Event
from .closable import Closing
from .options import SessionOptions

if TYPE_CHECKING:
    from ..batch.driver import Driver
    from ..batch.prepared import BatchRequest, Prepared

#: Bytes of events that may wait for the reader.
HIGH_WATER = 1 << 20


class Batch(Closing):
    """A batch, made by `Agent.batch`: an async iterator of (item, event).

    It starts when the first event is asked for. Closing it cancels the items that are
    running; results that are in the journal of its directory are kept.
    """

    def __init__(self, asked: BatchRequest) -> None:
        self._asked = asked
        self._events: list[bytes] = []
        self._pending = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._driver: Driver | None = None
        self._prepared: Prepared | None = None
        self._task: asyncio.Task[int] | None = None
        self._decoded: list[tuple[str | None, Event]] = []
        #: The exit status that `a3s batch` would have; None before the end.
        self.exit_code: int | None = None

    @staticmethod
    def results(directory: str | os.PathLike[str]) -> list[Event]:
        """Return the `item_end` of every item that has a result, with its whole text.

        Raises UsageError if this is not the directory of a batch, InvalidStream if its
        journal was damaged.
        """
        from ..batch.results import merged

        return [event_of(line)[1] for line in merged([Path(directory)])]

    def __aiter__(self) -> AsyncIterator[tuple[str | None, Event]]:
        """Iterate over all events: those of the runs, and the batch's own.

        The item is None for events of the batch as a whole. Raises UsageError for bad
        items, SessionBusy if another batch has the directory.
        """
        if self._task is None:
            self._begin()
        return self

    async def __anext__(self) -> tuple[str | None, Event]:
        while not self._decoded:
            lines = await self._next_lines()
            if not lines:
                await self.aclose()
                raise StopAsyncIteration
            self._decoded = [event_of(line) for line in reversed(lines.splitlines())]
        return self._decoded.pop()

    def _begin(self) -> None:
        from ..batch.output import Output
        from ..batch.prepared import Prepared

        self._prepared = Prepared(self._asked)
        output = Output(self._take, lambda: self._pending, self._drain)
        self._driver = self._prepared.driver(output)
        self._task = asyncio.create_task(self._prepared.run(self._driver))
        self._task.add_done_callback(lambda _: self._ready.set())

    def _take(self, lines: bytes) -> None:
        self._events.append(lines)
        self._pending += len(lines)
        self._ready.set()

    async def _drain(self) -> None:
        while self._pending >= HIGH_WATER:
            self._room.clear()
            await self._room.wait()

    async def _next_lines(self) -> bytes:
        assert self._task
        while not self._events:
            if self._task.done():
                return b""
            self._ready.clear()
            await self._ready.wait()
        lines, self._events = b"".join(self._events), []
        self._pending = 0
        self._room.set()
        return lines

    def cancel(self) -> None:
        """End the batch: its last event is an `error`; results that exist are kept."""
        if self._driver is not None:
            self._driver.cancel(Cancelled("the batch was cancelled"))

    def close(self) -> None:
        """Cancel the batch without waiting; `aclose` waits."""
        self.cancel()

    async def aclose(self) -> None:
        """Cancel the batch if it is still running, and wait until nothing of it is left."""
        task, self._task = self._task, None
        if task is None or self._prepared is None:
            return
        if not task.done():
            self.cancel()
        self._pending = 0
        self._room.set()
        try:
            self.exit_code = await asyncio.shield(task)
        finally:
            with contextlib.suppress(OSError):
                self._prepared.close()

    async def __aenter__(self) -> Self:
        return self


def event_of(line: bytes) -> tuple[str | None, Event]:
    """Return the item and the event of a line of a batch."""
    import orjson

    from ..events.batch import BatchEvent
    from ..stream.reader import event_of as run_event

    value = orjson.loads(line)
    kind = BatchEvent.batch_kinds.get(value["type"])
    if kind is not None:
        return value.get("item"), _own(kind, value)
    value.setdefault("seq", value.pop("bseq", 0))
    item = value.pop("item", None)
    event = run_event(value)
    assert event is not None, f"a worker of this version wrote {value['type']}"
    return item, event


def _own(kind: type[Event], value: dict[str, Any]) -> Event:
    from ..batch.ledger import item_end

    if value["type"] == "item_end":
        line = {**value, "attempt": value["attempts"]}
        event: Event = item_end(line, Path())
        more = {"truncated": value.get("truncated"), "text_bytes": value.get("textBytes")}
        return event.replace(**{name: one for name, one in more.items() if one is not None})
    return kind(**{name: value[key] for name, key in kind.fields if key in value})


def batch_request(
    items: Iterable[str | Mapping[str, Any]] | str | os.PathLike[str],
    workspace: Path,
    options: SessionOptions,
    config: tuple[str | None, str | None],
    directory: str | os.PathLike[str] | None,
    given: Mapping[str, Any],
) -> BatchRequest:
    """Return the batch that a call of the library asks for. Raises UsageError, TypeError."""
    from ..batch.prepared import BatchRequest
    from ..batch.source import Source
    from ..values import replace
    from .session_request import session_request

    if options.on_ask is not None:
        raise UsageError("on_ask is a function, which cannot be sent to the workers of a batch")
    request = session_request(workspace, options, *config)
    if request.own_tools:
        names = ", ".join(request.own_tools)
        raise UsageError(
            f"tools that are functions cannot be sent to the workers of a batch: {names}"
        )
    unknown = given.keys() - (set(BatchRequest._names) - {"source", "request", "directory"})
    if unknown:
        raise TypeError(f"a batch has no option {min(unknown)!r}")
    if isinstance(items, (str, os.PathLike)):
        source = Source(os.fspath(items))
        directory = directory or BatchRequest.default_directory(os.fspath(items))
    else:
        source = Source("items", values=items)
        if directory is None:
            raise UsageError("items that do not come from a file need a directory for the batch")
    return BatchRequest(
        source=source,
        request=replace(request, on_ask=None),
        directory=Path(directory),
        **given,
    )
