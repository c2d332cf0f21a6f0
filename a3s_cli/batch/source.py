"""Where the items come from: a file of NDJSON as it is; CSV and stdin by way of a copy.

A copy lies in the directory of the batch, so that an item can be read again when it is
run, and so that a batch from stdin can be resumed with nothing on stdin.
"""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Any, TextIO

from ..errors import OutputError, UsageError
from ..jsontext import dumps
from ..values import Value
from .item import FIELDS

#: The name of a copy.
COPY = "items.ndjson"
#: Columns of a table that are fields of an item beside the prompt.
COLUMNS = ("id", "cwd", "model", "schema", "system", "timeout")
_LONGEST_FIELD = 1 << 30


class Source(Value):
    """The data set: a file, `-` for stdin, or values of the library."""

    name: str
    #: A template with the names of columns, for a table.
    template: str | None = None
    values: Iterable[Any] | None = None

    @property
    def is_table(self) -> bool:
        """Whether it is CSV."""
        return self.template is not None or self.name.lower().endswith(".csv")

    def file(self, directory: Path, stdin: int = 0) -> Path:
        """Return a file of NDJSON with the items, copying them below `directory` if need be.

        Raises UsageError for what cannot be read, OutputError where it cannot be copied.
        """
        if self.values is None and self.name != "-" and not self.is_table:
            path = Path(self.name)
            if _is_regular(path, self.name):
                return path
        copy = directory / COPY
        fresh = copy.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                for piece in self._pieces(stdin):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{fresh}: {error.strerror}") from None
        if not fresh.stat().st_size and copy.exists():
            fresh.unlink()  # a resumed batch that is given nothing anew
        else:
            fresh.replace(copy)
        return copy

    def _pieces(self, stdin: int) -> Iterator[bytes]:
        if self.values is not None:
            for value in self.values:
                yield dumps({"prompt": value} if isinstance(value, str) else value) + b"\n"
            return
        try:
            with (
                open(stdin, "rb", closefd=False)
                if self.name == "-"
                else open(self.name, "rb") as data
            ):
                if self.is_table:
                    import io

                    text = io.TextIOWrapper(data, "utf-8-sig", newline="")
                    yield from self._rows(text)
                else:
                    while piece := data.read(1 << 20):
                        yield piece
        except UnicodeDecodeError as error:
            raise UsageError(f"{self.name}: it is not UTF-8: {error.reason}") from None
        except OSError as error:
            raise UsageError(f"{self.name}: {error.strerror}") from None

    def _rows(self, text: TextIO) -> Iterator[bytes]:
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.DictReader(text, strict=True)
        try:
            columns = reader.fieldnames or []
            self._require_distinct(columns)
            fill = _filler(self.template, columns, self.name)
            for row in reader:
                if None in row or None in row.values():
                    raise UsageError(
                        f"{self.name}: line {reader.line_num} does not have {len(columns)} columns"
                    )
                fields = {name: row[name] for name in COLUMNS if row.get(name)}
                yield dumps({**fields, "prompt": fill(row)}) + b"\n"
        except csv.Error as error:
            raise UsageError(f"{self.name}: line {reader.line_num}: {error}") from None

    def _require_distinct(self, columns: Sequence[str]) -> None:
        """Raise UsageError for a column that appears twice: only its last value would count."""
        first: dict[str, int] = {}
        for number, name in enumerate(columns, 1):
            if (before := first.setdefault(name, number)) != number:
                raise UsageError(
                    f"{self.name}: line 1: the column {name!r} appears twice,"
                    f" as number {before} and {number}"
                )


def _is_regular(path: Path, name: str) -> bool:
    """Whether a file can be read twice; a pipe cannot. Raises UsageError if there is none."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise UsageError(
            f"{name} is a directory", hint=f"a3s batch status {name} shows the state of a batch"
        )
    return stat.S_ISREG(mode)


def _filler(template: str | None, columns: Iterable[str], name: str) -> Any:
    """Return what makes a prompt of a row. Raises UsageError for a wrong template."""
    known = list(columns)
    if template is None:
        if "prompt" not in known:
            raise UsageError(
                f"{name}: a table needs --prompt 'text with {{column}}', or a column prompt"
            )
        return lambda row: row["prompt"]
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"--prompt: {error}", hint="write {{ for a brace") from None
    for _, field, form, conversion in pieces:
        if field is not None and (field not in known or form or conversion):
            from difflib import get_close_matches

            near = get_close_matches(field, known, 1)
            raise UsageError(
                f"--prompt: there is no column {field!r} (known: {', '.join(known)})",
                correction=(f"{{{field}}}", f"{{{near[0]}}}") if near else None,
            )

    def fill(row: dict[str, str]) -> str:
        return "".join(
            text + (row[field] if field is not None else "") for text, field, _, _ in pieces
        )

    return fill


assert set(COLUMNS) <= set(FIELDS)
