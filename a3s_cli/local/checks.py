"""What can be said of files without running them: whether their syntax is right, and changes.

A small model reads over a missing colon, and leaves one out. Python and JSON are checked in
an instant, and the place of the fault is all that it needs to be told.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

#: Bytes of a file that is checked.
MOST = 200_000


def fault(path: Path) -> str:
    """Return a sentence about the first fault of syntax in a file; empty if none is known."""
    try:
        if path.stat().st_size > MOST:
            return ""
        text = path.read_text()
    except (OSError, UnicodeError):
        return ""
    try:
        if path.suffix == ".py":
            compile(text, path.name, "exec", dont_inherit=True)
        elif path.suffix == ".json":
            json.loads(text)
    except SyntaxError as error:
        shown = (error.text or "").strip()
        return f"{path.name} has a syntax error in line {error.lineno}: {error.msg}: {shown}"
    except ValueError as error:
        return f"{path.name} is not valid JSON: {error}"
    return ""


#: What tells one state of a directory from another.
State = dict[str, tuple[int, int, int, int]]
#: Entries of a directory that are looked at; of a larger one nothing is known.
ENTRIES = 2000


def state(workspace: Path) -> State | None:
    """Return the state of what is in a directory; None if there is too much of it.

    Of a repository's own records only the uppermost count: a commit changes them.
    """
    found: State = {}
    left = [(workspace, True)]
    while left:
        directory, deep = left.pop()
        try:
            entries = list(os.scandir(directory))
        except OSError:
            continue
        for entry in entries:
            try:
                stat = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if entry.name == "__pycache__":
                continue
            is_directory = entry.is_dir(follow_symlinks=False)
            # What a directory holds is looked at by itself.
            times = (
                (0, 0, 0) if is_directory else (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
            )
            found[entry.path] = (*times, stat.st_mode)
            if is_directory and deep:
                left.append((Path(entry.path), entry.name != ".git"))
        if len(found) > ENTRIES:
            return None
    return found
