"""`a3s trace`: read a recording whole, then print its spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from ..errors import UsageError
from ..jsontext import dumps
from ..stream.reader import read
from ..stream.spans import traces
from .replay import lines_at


def traced(path: str) -> str:
    """Return the spans of a recording or session as JSON.

    Raises `InvalidStream` for one that is torn or not valid: a trace of half a run would
    look like a whole one.
    """
    with ExitStack() as stack:
        lines = read(_of_runs(lines_at(path, stack), path), path)
        return dumps(traces(line.event for line in lines if line.event is not None)).decode()


def _of_runs(lines: Iterable[bytes], path: str) -> Iterator[bytes]:
    """Yield the lines of a stream. Raises UsageError for that of a batch, or its journal."""
    for number, line in enumerate(lines):
        if not number and line.startswith((b'{"type":"batch_start"', b'{"type":"batch_open"')):
            what = "stream" if b"batch_start" in line[:30] else "journal"
            raise UsageError(
                f"{path} is the {what} of a batch, but a trace shows one run",
                hint="a3s batch --record keeps each run as DIR/runs/ITEM.ndjson; trace these",
            )
        yield line
