"""`a3s sessions list`: the sessions, for people and for programs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from ..jsontext import dumps
from ..output.disarm import disarm
from ..output.terminal import cells, fit, single_line
from ..output.wording import count
from .head import Summary
from .store import Store

#: Sessions that are listed by default.
NEWEST = 50
#: Cells of a first prompt that are shown without a terminal.
_PROMPT = 200
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def summaries(store: Store, ids: Iterable[str], limit: int | None) -> list[Summary]:
    """Return the summaries of these sessions, at most `limit` of them."""
    found = (store.summary(one) for one in ids)
    # An empty one is just being created.
    return list(islice((one for one in found if one is not None and one.bytes), limit))


def as_json(rows: list[Summary]) -> str:
    """Return the rows as one JSON array and a newline."""
    return dumps([row_json(row) for row in rows]).decode() + "\n"


def row_json(row: Summary) -> dict[str, Any]:
    """Return one row as JSON, without unknown values."""
    return {name: value for name, value in asdict(row).items() if value is not None}


def as_text(rows: list[Summary], width: int | None) -> Iterator[str]:
    """Yield a line for each row, cut to the width of the terminal, if there is one."""
    now = time.time()
    table = [
        (row.id, _ago(now - row.used / 1000), count(row.turns, "turn"), size(row.bytes))
        for row in rows
    ]
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    for row, columns in zip(rows, table, strict=True):
        lead = "  ".join(one.ljust(wide) for one, wide in zip(columns, widths, strict=True))
        prompt = fit(disarm(single_line(row.prompt.strip())), _PROMPT)
        text = f"{lead}  {prompt}".rstrip()
        yield (text if width is None else fit(text, width)) + "\n"


def size(number: int) -> str:
    """Return a number of bytes in a readable unit."""
    amount = float(number)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _ago(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)}{unit} ago"
    return "now"
