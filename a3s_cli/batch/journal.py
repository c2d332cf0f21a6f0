"""The journal of a batch: what was started and how it ended, one chained line each.

It is the only memory of a batch and has one writer, who holds the kernel's lock on it. A
line is written at once, so that a killed process loses nothing, and synced in groups, so
that a machine that fails loses at most a tenth of a second; what depends on a line being
safe is called after that. A torn tail, which is all that a crash can leave, is cut off.
Each line carries the digest of the line before, as in the recording of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from ..errors import InvalidStream, OutputError, SessionBusy
from ..jsontext import dumps
from ..processes.threads import blocking
from ..stream.recorder import NOTHING, chained, digest

#: The name of the file in the directory of a batch.
NAME = "journal.ndjson"
#: Seconds for which lines are gathered before they are synced.
GROUP = 0.1
_OPEN = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_sync = getattr(os, "fdatasync", os.fsync)


class Journal:
    """An open, locked journal. `append` and `flush` belong to one event loop."""

    def __init__(self, path: Path) -> None:
        """Open and lock the journal, and create it where it is new.

        Raises SessionBusy if another process has it, OutputError if it cannot be written.
        """
        self.path = path
        try:
            os.makedirs(path.parent, 0o700, exist_ok=True)
            self._descriptor = os.open(path, _OPEN, 0o600)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise SessionBusy(
                f"another batch has the directory {path.parent}: {error.strerror}",
                hint="wait until it has ended, or choose another directory with -d",
            ) from None
        self._head = NOTHING
        self._size = 0
        self._gathered: list[bytes] = []
        #: What to call once everything written so far is safe.
        self._waiting: list[Callable[[], None]] = []
        self._syncing: asyncio.Task[None] | None = None
        #: Is told, once, that the journal cannot be written.
        self.lost: Callable[[OutputError], None] = lambda _: None
        self._failed = False

    def read(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the offset and the value of each line, and cut off a torn tail at the end.

        Raises InvalidStream for damage that no crash explains.
        """
        for offset, line, value in whole_lines(self.path):
            self._head, self._size = digest(line), offset + len(line)
            yield offset, value
        os.ftruncate(self._descriptor, self._size)

    def append(self, value: dict[str, Any], safe: Callable[[], None] | None = None) -> int:
        """Write a line at the end of this turn of the loop, and return its offset.

        `safe` is called once it is on the disk. What is sent to a worker in this turn is
        sent after that write, if it was to be sent after this call.
        """
        offset = self._size
        line = chained(dumps(value) + b"\n", self._head)
        self._head, self._size = digest(line), offset + len(line)
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.write)
        self._gathered.append(line)
        if safe is not None:
            self._waiting.append(safe)
            if self._syncing is None:
                self._syncing = asyncio.create_task(self._sync_soon())
        return offset

    def write(self) -> None:
        """Write what was gathered in this turn of the loop."""
        lines, self._gathered = b"".join(self._gathered), []
        if self._failed:
            return
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size - len(lines))
            self._fail(error)

    def value_at(self, offset: int) -> dict[str, Any]:
        """Return the value of the line at an offset."""
        with self.path.open("rb") as file:
            file.seek(offset)
            value: dict[str, Any] = orjson.loads(file.readline())
        return value

    async def flush(self) -> None:
        """Wait until everything appended so far is safe and was reported so."""
        self.write()
        while self._syncing is not None:
            await asyncio.shield(self._syncing)

    def close(self) -> None:
        """Sync and unlock the journal."""
        self.write()
        with contextlib.suppress(OSError):
            _sync(self._descriptor)
        os.close(self._descriptor)

    async def _sync_soon(self) -> None:
        while self._waiting and not self._failed:
            await asyncio.sleep(GROUP)
            group, self._waiting = self._waiting, []
            self.write()
            if self._failed:
                break
            try:
                await blocking(lambda: _sync(self._descriptor))
            except OSError as error:
                self._fail(error)
                break
            for safe in group:
                safe()
        self._syncing = None

    def _fail(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            self.lost(OutputError(f"the journal {self.path} cannot be written: {error.strerror}"))


def whole_lines(path: Path) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Yield the offset, the bytes and the value of each line that is whole and chained.

    What follows the last such line is a torn tail if a crash explains it: a line without its
    end, or blocks that were never written, which read as zeros. Else the file was changed,
    and InvalidStream is raised with the number of the line; also for a line that has the
    chain but not the fields of one of ours.
    """
    head, offset, number = NOTHING, 0, 0
    with path.open("rb") as file:
        for line in file:
            number += 1
            value = _value(line) if line.endswith(b',"prev":"' + head.encode() + b'"}\n') else None
            if value is None:
                if _is_torn(line, file):
                    return
                raise _damaged(f"{path}: line {number} was edited, moved or damaged")
            if wrong := wrong_field(value):
                raise _damaged(f"{path}: line {number}: {': '.join(wrong)}")
            yield offset, line, value
            head, offset = digest(line), offset + len(line)


def _damaged(what: str) -> InvalidStream:
    hint = "a3s audit DIR shows what is wrong; begin again in another directory"
    return InvalidStream(what, hint=hint)


def _is_torn(line: bytes, rest: Iterable[bytes]) -> bool:
    """Return whether a crash explains a line and what follows it."""
    zeros, last = False, line
    for one in chain((line,), rest):
        if _value(one) is not None:
            return False
        zeros, last = zeros or b"\0" in one, one
    return zeros or (last is line and not line.endswith(b"\n"))


def _value(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"}\n"):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


_ITEM: dict[str, type[Any]] = {"item": str, "sha256": str}
#: The fields that lines are read for, by their types.
_NEEDED: dict[str, dict[str, type[Any]]] = {
    "batch_open": {"batchId": str, "items": int},
    "item_void": _ITEM,
    "item_start": {**_ITEM, "attempt": int},
    "item_try": {**_ITEM, "attempt": int, "code": str},
    "item_end": {**_ITEM, "attempt": int, "exitCode": int, "durationMs": int, "place": int},
}
_OPTIONAL: dict[str, tuple[type, ...]] = {
    "code": (str,), "error": (str,), "text": (str,), "costUsd": (int, float), "usage": (dict,),
    "patch": (str,), "patchSha256": (str,), "unpatched": (str,),
}  # fmt: skip
_WORDS = {str: "a string", int: "a whole number, not negative"}
_SHA256 = re.compile("[0-9a-f]{64}")


def wrong_field(value: dict[str, Any]) -> tuple[str, str] | None:
    """Return the first field of a line that is not as we write it, and what was expected."""
    kind = value.get("type")
    for name, wanted in _NEEDED.get(kind if isinstance(kind, str) else "", {}).items():
        found: Any = value.get(name)
        if not isinstance(found, wanted) or isinstance(found, bool):
            return name, f"expected {_WORDS[wanted]}"
        if wanted is int and found < 0:
            return name, f"expected {_WORDS[wanted]}"
        if name == "sha256" and not _SHA256.fullmatch(found):
            return name, "expected the digits of a sha256"
        if name == "attempt" and found >= 2**32:
            return name, "expected the number of an attempt"
    for name, kinds in _OPTIONAL.items():
        if name in value and not isinstance(value[name], kinds):
            return name, "expected another type"
    usage = value.get("usage", {})
    if not all(type(one) is int for one in usage.values()):
        return "usage", "expected whole numbers"
    return None if isinstance(kind, str) else ("type", "expected a string")
