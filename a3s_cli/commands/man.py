"""`a3s man`: a page shown by man(1), or as plain text."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from ..manual.pages import find, man_source, plain_text
from ..manual.tree import read

_WIDTH = 80


def show(group: click.Command, words: Sequence[str]) -> str:
    """Become man(1) on a terminal; otherwise, or without man(1), return the page's text."""
    root = read(group)
    page = find(root, words)
    if os.isatty(1):
        _become_man(man_source(root, page))
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else _WIDTH
    return plain_text(root, page, min(max(width, 40), 100))


def _become_man(source: str) -> None:
    """Replace this process with man(1); return if it is not installed."""
    import signal
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(source.encode())
        file.seek(0)
        os.dup2(file.fileno(), 0)
    # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp("man", ["man", "-l", "/dev/stdin"])
    except OSError:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
