"""What can be said of a file without running it: whether its syntax is right.

A small model reads over a missing colon, and leaves one out. Python and JSON are checked in
an instant, and the place of the fault is all that it needs to be told.
"""

from __future__ import annotations

import json
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
