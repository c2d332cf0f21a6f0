"""`a3s trace`: read a recording whole, then print its spans."""

from __future__ import annotations

from contextlib import ExitStack

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
        lines = read(lines_at(path, stack), path)
        return dumps(traces(line.event for line in lines if line.event is not None)).decode()
