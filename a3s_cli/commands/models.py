"""`a3s models`: the rows of `run.models`, as a table and as JSON."""

from __future__ import annotations

import os
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
    return "".join(
        f"{'*' if row.get('default') else ' '} {row['model']:<{width}}  {row['state']}\n"
        for row in rows
    )
