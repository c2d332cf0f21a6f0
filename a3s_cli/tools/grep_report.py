"""What `grep` shows: the lines that an engine proposed, read again by ourselves.

An engine says in which line of which file it found the pattern. It is not
believed: the file is opened here, from the workspace and without following a
link, and a line is shown only if it is in there and reads as was said. So no
race with a swapped link lets an engine show a line from outside, both engines
give the same output to the byte, and what is passed over (ignored files, `.git`,
secrets, binary files) is decided in one place.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..files.ignore import is_secret
from ..files.walk import WorkspaceTree
from ..files.wildcards import Wildcard
from ..files.workspace import Workspace
from ..secrets.redaction import NOTHING, Redactor
from ..tool_protocol import ToolReturn
from .files import PAGE_BYTES, lines, plural, searchable
from .grep_worker import COLUMNS

MATCHES = 500
LINE_CHARACTERS = 500
#: Of them before the match, where the beginning of the line is left out.
BEFORE = 100
#: Lines that are read between two breaths of the event loop.
BREATH = 20_000


class Full(Exception):
    """No more fits: the engine can stop."""


class Records:
    """Reads an engine's output: `path NUL line-number : column : line`."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
        """Return the complete records; a path may hold newlines, a line may hold NULs."""
        data = self._rest + data
        at = 0
        while (path_end := data.find(b"\0", at)) >= 0:
            line_end = data.find(b"\n", path_end)
            if line_end < 0:
                break
            number, column, text = data[path_end + 1 : line_end].split(b":", 2)
            yield data[at:path_end], int(number), int(column), text
            at = line_end + 1
        self._rest = data[at:]


class GrepReport:
    """Collects rows, file by file, in the order in which the engine goes through them."""

    def __init__(
        self,
        workspace: Workspace,
        start: Path,
        wanted: Wildcard | None,
        context: int,
        redactor: Redactor = NOTHING,
    ) -> None:
        self._redactor = redactor
        self._workspace = workspace
        self._start = start
        #: None where `start` is a file: then it was named, and nothing is passed over.
        self._wanted = wanted
        self._context = context
        self._tree = WorkspaceTree(workspace)
        self._records = Records()
        self._path = b""
        #: The beginning of each line, and where in it the match begins, from 1.
        self._hits: dict[int, tuple[bytes, int]] = {}
        self._room = PAGE_BYTES
        self.rows: list[str] = []
        self.matches = 0
        self.files = 0
        #: Whether the engine said anything at all, more than fits, and how it ended.
        self.heard = False
        self.full = False
        self.exit_code = 0

    async def feed(self, data: bytes) -> None:
        """Take the bytes of one read; raises Full when no more rows fit."""
        for path, number, column, text in self._records.feed(data):
            self.heard = True
            if path != self._path:
                await self.finish_file()
                self._path = path
            self._hits[number] = text[:COLUMNS], column

    async def finish_file(self) -> None:
        """Show the file whose matches are complete."""
        hits, self._hits = self._hits, {}
        if not hits:
            return
        path = self._start
        if self._wanted:
            path /= os.fsdecode(self._path.removeprefix(b"./"))
            if not self._is_searched(path, self._wanted):
                return
        before = self.matches
        try:
            with self._workspace.open_file(path) as file:
                if (text := searchable(file)) is not None:
                    await self._show(text, self._workspace.show(path), hits)
        except OSError:
            return  # it is gone, or no file of the workspace any more
        finally:
            self.files += self.matches > before

    def result(self, timeout: float) -> ToolReturn:
        """Yield the rows and say how the search ended."""
        late = self.exit_code == 124 and not self.full
        count = f"{plural(self.matches, 'match')} in {plural(self.files, 'file')}"
        if self.full:
            note = f"[the first {count}; more follow: narrow pattern, path or glob]"
        elif late:
            note = f"[{count} after {timeout:g} s; the search was stopped unfinished]"
        else:
            note = f"[{count}]" if self.rows else "No matches."
        output = "\n".join([*self.rows, note])
        return ToolReturn(output, 124, "timeout") if late else ToolReturn(output)

    def _is_searched(self, path: Path, wanted: Wildcard) -> bool:
        parts = path.relative_to(self._start).parts
        return (
            ".git" not in parts
            and wanted.matches(parts)
            and not is_secret(path.relative_to(self._workspace.root).parts)
            and not self._tree.ignores(path, self._start)
        )

    async def _show(self, file: BinaryIO, shown: str, hits: dict[int, tuple[bytes, int]]) -> None:
        from asyncio import sleep

        last = max(hits) + self._context
        before: deque[str] = deque(maxlen=self._context)
        after = previous = 0
        number = 0
        farthest = max(column for _, column in hits.values())
        async for line, dropped in lines(file, COLUMNS + farthest):
            number += 1
            if number > last:
                return
            if number % BREATH == 0:
                await sleep(0)
            begins, column = hits.get(number, (None, 0))
            if begins == line[:COLUMNS]:
                if self._context and self.rows and number - len(before) > previous + bool(previous):
                    self._add("--")
                for row in before:
                    self._add(row)
                before.clear()
                if self.matches == MATCHES:
                    raise Full
                self._add(f"{shown}:{number}: {self._text(line, dropped, column)}")
                self.matches += 1
                after, previous = self._context, number
            elif after:
                self._add(f"{shown}-{number}- {self._text(line, dropped)}")
                after, previous = after - 1, number
            elif self._context:
                before.append(f"{shown}-{number}- {self._text(line, dropped)}")

    def _add(self, row: str) -> None:
        self._room -= len(row.encode()) + 1
        if self._room < 0:
            raise Full
        self.rows.append(row)

    def _text(self, line: bytes, dropped: int, column: int = 1) -> str:
        """Decode a line and cut it, around the match where that is farther on."""
        text = line.decode("utf-8", "replace").removeprefix("\ufeff").removesuffix("\r")
        if len(text) <= LINE_CHARACTERS and not dropped:
            return text
        place = len(line[: column - 1].decode("utf-8", "replace"))
        start = 0 if place < LINE_CHARACTERS - BEFORE else place - BEFORE
        start, end = self._redactor.unsplit(text, start, start + LINE_CHARACTERS)
        before = f"[column {start}] …" if start else ""
        rest = len(line) + dropped - len(text[:end].encode())
        after = f"… [{plural(rest, 'more byte')}]" if rest > 0 else ""
        return f"{before}{text[start:end]}{after}"
