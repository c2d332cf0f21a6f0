"""What a batch has come to, read from its directory: its state, and its results.

The journals of shards lie below the directory of the batch; they and other directories
are merged by the items' ids. Reading needs no lock: a batch may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from ..errors import UsageError
from ..jsontext import dumps
from ..output.wording import count, dollars
from ..values import State, field
from .journal import NAME, whole_lines
from .ledger import item_end


def journals(directory: Path) -> list[Path]:
    """Return the journals of a batch, its shards included. Raises UsageError if there is none."""
    found = [directory / NAME, *sorted(directory.glob(f"shard-*-of-*/{NAME}"))]
    found = [path for path in found if path.is_file()]
    if not found:
        raise UsageError(f"{directory} is not the directory of a batch: it has no {NAME}")
    return found


class BatchState(State):
    """The progress of a batch; the figures of its shards are added up."""

    items: int = 0
    succeeded: int = 0
    failed: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    total_tokens: int = 0
    cost_usd: float | None = None
    running: bool = False

    def told(self, *, as_json: bool) -> str:
        """Return this for a person, or as a line of JSON."""
        pending = max(0, self.items - self.succeeded - self.failed)
        if as_json:
            value = {
                "items": self.items,
                "succeeded": self.succeeded,
                "failed": self.failed,
                "pending": pending,
                "codes": self.codes,
                "running": self.running,
            }
            if self.cost_usd is not None:
                value["costUsd"] = self.cost_usd
            return dumps(value).decode() + "\n"
        lines = [
            f"{count(self.items, 'item')}: {self.succeeded} succeeded, {self.failed} failed,"
            f" {pending} pending{', running' if self.running else ''}"
        ]
        lines += [f"  {count} {code}" for code, count in sorted(self.codes.items())]
        if self.cost_usd:
            lines.append(f"  {dollars(self.cost_usd)}")
        return "\n".join(lines) + "\n"


def state_of(directory: Path) -> BatchState:
    """Return the progress of a batch. Raises UsageError, or InvalidStream for a damaged journal."""
    state = BatchState()
    for path in journals(directory):
        last: dict[str, dict[str, Any]] = {}
        items = 0
        for _, _, line in whole_lines(path):
            if line["type"] == "batch_open":
                items = line["items"]
            elif line["type"] in ("item_end", "item_try", "item_void"):
                known = last.get(line["item"])
                if known is None or known["type"] != "item_end" or line["type"] == "item_void":
                    kept = ("type", "exitCode", "code", "costUsd")
                    last[line["item"]] = {name: line[name] for name in kept if name in line}
        state.items += items
        for line in last.values():
            _add(state, line)
        state.running = state.running or _is_locked(path)
    return state


def _add(state: BatchState, line: dict[str, Any]) -> None:
    if line["type"] == "item_end":
        ended_well = line["exitCode"] == 0
        state.succeeded += ended_well
        state.failed += not ended_well
        if "costUsd" in line:
            state.cost_usd = round((state.cost_usd or 0.0) + line["costUsd"], 9)
    if line["type"] != "item_void" and "code" in line:
        state.codes[line["code"]] = state.codes.get(line["code"], 0) + 1


def _is_locked(path: Path) -> bool:
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def merged(directories: Sequence[Path], *, in_order: bool = False) -> Iterator[bytes]:
    """Yield the line of each result, with the fields of `item_end` and texts whole.

    With `in_order` they come as the items were in the data sets. Memory holds ids only.
    """
    found: dict[str, tuple[Path, int]] = {}
    for path in (path for directory in directories for path in journals(directory)):
        for id, offset in _counting(path).items():
            found.setdefault(id, (path, offset))
    places = list(found.items())
    if in_order:
        places = _by_input(places)
    files = {path: path.open("rb") for path, _ in found.values()}
    try:
        for _, (path, offset) in places:
            files[path].seek(offset)
            yield (
                dumps(_result(orjson.loads(files[path].readline()), path.parent.absolute())) + b"\n"
            )
    finally:
        for file in files.values():
            file.close()


def _counting(path: Path) -> dict[str, int]:
    """Return where the result of each item is: the first after the last void."""
    found: dict[str, int] = {}
    for offset, _, line in whole_lines(path):
        if line["type"] == "item_end":
            found.setdefault(line["item"], offset)
        elif line["type"] == "item_void":
            found.pop(line["item"], None)
    return found


def _by_input(places: list[tuple[str, tuple[Path, int]]]) -> list[tuple[str, tuple[Path, int]]]:
    def place(found: tuple[str, tuple[Path, int]]) -> int:
        path, offset = found[1]
        with path.open("rb") as file:
            file.seek(offset)
            return int(orjson.loads(file.readline())["place"])

    return sorted(places, key=place)


def _result(line: dict[str, Any], directory: Path) -> dict[str, Any]:
    value = item_end(line, directory).to_dict()
    del value["bseq"], value["ts"]
    return {"type": "item_end", "ts": line["ts"], **value}
