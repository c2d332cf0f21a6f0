"""A Markdown table that is complete, laid out for the width of a terminal."""

from __future__ import annotations

from .inline import BOLD, DIM, Runs, parser, runs
from .terminal import cell, cells

_BETWEEN = " │ "
#: The narrowest column; a table that has no room for that is shown row by row.
_NARROWEST = 6


def laid_out(lines: list[str], width: int) -> list[Runs] | None:
    """Return the rows of a table, or None if the lines are none."""
    tokens = parser().parse("\n".join(line.strip() for line in lines))
    if not tokens or tokens[0].type != "table_open" or tokens[-1].type != "table_close":
        return None
    table: list[list[Runs]] = []
    aligned: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            table.append([])
        elif token.type in ("th_open", "td_open") and len(table) == 1:
            aligned.append(str(token.attrs.get("style", "")).rpartition(":")[2])
        elif token.type == "inline":
            table[-1].append(runs(token.children or []))
    widths = _widths(table, width - len(_BETWEEN) * (len(table[0]) - 1))
    if widths is None:
        return _records(table)
    rows: list[Runs] = []
    for number, line in enumerate(table):
        cut = [_wrapped(one, columns) for one, columns in zip(line, widths, strict=True)]
        for at in range(max(map(len, cut))):
            row: Runs = []
            for place, (pieces, columns) in enumerate(zip(cut, widths, strict=True)):
                row += [(_BETWEEN, DIM)] if place else []
                row += _padded(
                    pieces[at] if at < len(pieces) else [], columns, aligned[place], number == 0
                )
            rows.append(_trimmed(row))
        if not number:
            rows.append([("─┼─".join("─" * columns for columns in widths), DIM)])
    return rows


def _widths(table: list[list[Runs]], room: int) -> list[int] | None:
    """Return the width of each column; None if there is no room."""
    wanted = [max(1, *map(_columns, column)) for column in zip(*table, strict=True)]
    if len(wanted) * _NARROWEST > room and sum(wanted) > room:
        return None
    while sum(wanted) > room:
        widest = max(wanted)
        second = max((one for one in wanted if one < widest), default=_NARROWEST)
        many = wanted.count(widest)
        least = max(second, widest - -(-(sum(wanted) - room) // many), _NARROWEST)
        wanted = [min(one, least) if one == widest else one for one in wanted]
    return wanted


def _records(table: list[list[Runs]]) -> list[Runs]:
    """Return a table that is too wide as a list of its rows, each with the names of its columns."""
    names, *lines = table
    rows: list[Runs] = []
    for line in lines:
        rows += [[]] if rows else []
        for name, one in zip(names, line, strict=True):
            rows.append([("".join(text for text, _ in name) + ": ", BOLD), *one])
    return rows or [[("  ".join(text for name in names for text, _ in name), BOLD)]]


def _columns(pieces: Runs) -> int:
    return sum(cells(text) for text, _ in pieces)


def _wrapped(pieces: Runs, width: int) -> list[Runs]:
    """Cut the text of a cell into rows, between words where there are any."""
    rows: list[Runs] = [[]]
    used = 0
    for text, face in pieces:
        for word in _words(text):
            columns = cells(word)
            if (
                used
                and used + len(word.rstrip(" ")) > width
                and used + cells(word.rstrip()) > width
            ):
                rows.append([])
                used = 0
                word = word.lstrip(" ")  # noqa: PLW2901
                columns = cells(word)
            while columns > width:
                at = _cut(word, width)
                rows[-1].append((word[:at], face))
                rows.append([])
                word = word[at:]  # noqa: PLW2901
                columns = cells(word)
            rows[-1].append((word, face))
            used += columns
    return rows


def _words(text: str) -> list[str]:
    """Return the words of a text, each with the spaces before it."""
    import re

    return re.findall(r"\s*\S+|\s+$", text)


def _cut(word: str, width: int) -> int:
    used = 0
    for position, character in enumerate(word):
        used += cell(character)
        if used > width:
            return max(position, 1)
    return len(word)


def _padded(pieces: Runs, width: int, aligned: str, heading: bool) -> Runs:
    space = max(width - _columns(pieces), 0)
    left = {"right": space, "center": space // 2}.get(aligned, 0)
    if heading:
        pieces = [(text, f"{BOLD};{face}" if face else BOLD) for text, face in pieces]
    return [(" " * left, ""), *pieces, (" " * (space - left), "")]


def _trimmed(row: Runs) -> Runs:
    while row and not row[-1][0].strip():
        row = row[:-1]
    return [*row[:-1], (row[-1][0].rstrip(), row[-1][1])] if row else row
