"""`a3s sessions list`: the sessions, for people and for programs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from ..events import camel
from ..jsontext import dumps
from ..output.disarm import disarm
from ..output.terminal import cells, fit, single_line
from ..output.wording import count, dollars
from .head import Summary
from .store import Store

#: Sessions that are listed by default.
NEWEST = 50
#: Cells of a title or first prompt that are shown without a terminal.
_NAME = 200
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def summaries(
    store: Store, ids: Iterable[str], limit: int | None, words: str = ""
) -> list[Summary]:
    """Return the summaries of these sessions, at most `limit` of them.

    With `words`, only those whose title, first prompt or id contains all of them.
    """
    found = (store.summary(one) for one in ids)
    sought = words.casefold().split()
    # An empty one is just being created.
    there = (one for one in found if one is not None and one.bytes)
    return list(islice((one for one in there if _matches(one, sought)), limit))


def _matches(row: Summary, sought: list[str]) -> bool:
    if not sought:
        return True
    text = f"{row.title or ''} {row.prompt} {row.id}".casefold()
    return all(word in text for word in sought)


def as_json(rows: list[Summary]) -> str:
    """Return the rows as one JSON array and a newline."""
    return dumps([row_json(row) for row in rows]).decode() + "\n"


def row_json(row: Summary) -> dict[str, Any]:
    """Return one row as JSON, without unknown values."""
    return {camel(name): value for name, value in asdict(row).items() if value is not None}


def as_text(rows: list[Summary], width: int | None, *, directories: bool) -> Iterator[str]:
    """Yield a line for each row, cut to the width of the terminal, if there is one.

    `directories` adds a column with the directory of each session.
    """
    now = time.time()
    table = [_columns(row, now, directories=directories) for row in rows]
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    for row, columns in zip(rows, table, strict=True):
        shown = zip(columns, widths, strict=True)
        lead = "  ".join(one.ljust(wide) for one, wide in shown if wide)
        name = fit(disarm(single_line(row.name.strip())), _NAME)
        text = f"{lead}  {name}".rstrip()
        yield (text if width is None else fit(text, width)) + "\n"


def _columns(row: Summary, now: float, *, directories: bool) -> list[str]:
    return [
        row.id,
        _ago(now - row.used / 1000),
        disarm(single_line(row.workspace)) if directories else "",
        count(row.turns, "turn"),
        disarm(single_line(row.verdict or "")),
        "" if row.total_tokens is None else f"{_short(row.total_tokens)} tokens",
        "" if row.cost_usd is None else dollars(row.cost_usd),
    ]


def size(number: int) -> str:
    """Return a number of bytes in a readable unit."""
    amount = float(number)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _short(number: int) -> str:
    """Return a number of tokens in at most four figures."""
    return f"{number}" if number < 1000 else size(number)[:-1].replace(" ", "")


def _ago(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)}{unit} ago"
    return "now"
