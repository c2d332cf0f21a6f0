"""`a3s models`: the rows of `run.models`, as a table and as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..jsontext import dumps
from ..output.person import readable
from ..run.models import models


def listed(config_file: str | None, *, as_json: bool) -> str:
    """Return what the command prints."""
    rows = models(os.environ, config_file)
    return dumps(rows).decode() + "\n" if as_json else readable(_table(rows))


def _table(rows: list[dict[str, Any]]) -> str:
    width = max(len(row["model"]) for row in rows)
    lines = [
        f"{'*' if row.get('default') else ' '} {row['model']:<{width}}  {row['state']}"
        + "".join(f"; {fact}" for fact in _facts(row))
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines)


def _facts(row: dict[str, Any]) -> Iterator[str]:
    """Yield what is known of a model, in words."""
    if cost := row.get("costUsd"):
        when = f" (listed {cost['listed']})" if "listed" in cost else ""
        yield f"${cost['input']:g} in, ${cost['output']:g} out{when}"
    if window := row.get("contextTokens"):
        yield f"window {window}"
    if row.get("seesImages"):
        yield "sees images"
