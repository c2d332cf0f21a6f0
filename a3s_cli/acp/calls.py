"""How a call of a tool looks in an editor: its kind, its title, its places, its diff; pure.

What a tool does is read from the tool itself, so that a new one needs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..registry import TOOLS
from ..run.plan import tool_class

#: Characters of a title.
_TITLE = 120
#: Arguments that say what a call is about, the most telling first.
_TELLING = ("command", "file_path", "pattern", "path", "url")

#: Returns the text of a file as it is now; None where it cannot be had.
ReadText = Callable[[str], str | None]


def kind(name: str, arguments: Mapping[str, Any]) -> str:
    """Return the protocol's word for what a tool does."""
    if name not in TOOLS:
        return "other"
    tool = tool_class(name)
    if tool.runs_programs:
        return "execute"
    if tool.writes:
        return "edit"
    if tool.network:
        return "fetch"
    if tool.harmless:
        return "read" if "file_path" in arguments else "search"
    return "other"


def title(name: str, arguments: Mapping[str, Any]) -> str:
    """Return one line that names a call."""
    found = (arguments[key] for key in _TELLING if isinstance(arguments.get(key), str))
    line = " ".join(next(found, "").split())
    shown = line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"
    return f"{name}: {shown}" if shown else name


def locations(path: str | None, arguments: Mapping[str, Any], old: str | None) -> list[Any]:
    """Return where a call reads or changes something: the file, and the line where it is known."""
    if path is None:
        return []
    line = None
    piece = arguments.get("old_string")
    if isinstance(arguments.get("offset"), int):
        line = arguments["offset"] + 1
    elif old is not None and isinstance(piece, str) and piece and piece in old:
        line = old.count("\n", 0, old.index(piece)) + 1
    return [{"path": path} if line is None else {"path": path, "line": line}]


def diff(path: str | None, arguments: Mapping[str, Any], old: str | None) -> list[Any]:
    """Return what a call changes in a file, if it is one that does."""
    if path is None:
        return []
    if isinstance(arguments.get("content"), str):
        return [_diff(path, old, arguments["content"])]
    before, after = arguments.get("old_string"), arguments.get("new_string")
    if not isinstance(before, str) or not isinstance(after, str):
        return []
    if old is None or before not in old:
        return [_diff(path, before, after)]
    count = -1 if arguments.get("replace_all") else 1
    return [_diff(path, old, old.replace(before, after, count))]


def _diff(path: str, old: str | None, new: str) -> dict[str, Any]:
    before = {} if old is None else {"oldText": old}
    return {"type": "diff", "path": path, **before, "newText": new}


def said(text: str) -> dict[str, Any]:
    """Return a text as the content of a call."""
    return {"type": "content", "content": {"type": "text", "text": text}}
