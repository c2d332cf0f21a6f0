"""`a3s models`: the rows of `run.models`, as a table and as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..errors import UsageError
from ..jsontext import dumps
from ..model import Endpoint
from ..output.person import readable
from ..run.models import models


def listed(config_file: str | None, *, as_json: bool) -> str:
    """Return what the command prints."""
    rows = models(os.environ, config_file)
    return dumps(rows).decode() + "\n" if as_json else readable(_table(rows))


def offered(name: str, config_file: str | None, *, as_json: bool) -> str:
    """Return what the server of a provider offers. Raises A3SError, which says what failed."""
    import asyncio
    from pathlib import Path

    from ..config.endpoints import endpoint
    from ..config.layers import load
    from ..config.model_names import LOCAL, REPLAY

    if name in (LOCAL, REPLAY):
        raise UsageError(f"{name} is not a server; a3s models lists the embedded models")
    config = load({}, os.environ, Path.cwd(), config_file=config_file)
    found = asyncio.run(_offered(endpoint(config, f"{name}/MODEL", os.environ)))
    if as_json:
        return dumps([{"model": f"{name}/{one}"} for one in found]).decode() + "\n"
    return readable("".join(f"{name}/{one}\n" for one in found))


async def _offered(where: Endpoint) -> list[str]:
    from ..providers.listing import offered

    return await offered(where)


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
    if good_at := row.get("goodAt"):
        yield f"for {good_at}"
