"""The output format of a run: json for programs, pretty for people, raw for the text alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from ..events import Event

Mode = Literal["pretty", "raw", "json"]
Write = Callable[[bytes], None]


def chosen_mode(asked: Mode | None) -> Mode:
    """Return the requested mode; the default is pretty on a terminal, json elsewhere."""
    return asked or ("pretty" if os.isatty(1) else "json")


def rendering(
    mode: Mode,
    write: Write,
    error: Write,
    *,
    object_only: bool = False,
    plain: bool = False,
    hide: Callable[[str], str] | None = None,
    uncut: bool = False,
) -> Callable[[list[Event]], None]:
    """Return the event sink of pretty or raw; with `object_only`, raw prints just the object.

    `plain`, `hide` and `uncut` are for pretty: see `Style` and `Pretty`.
    """
    terminal = os.isatty(1)
    if mode == "raw":
        from .raw import Raw

        return Raw(write, error, terminal, object_only).accept
    from .pretty import Pretty
    from .terminal import Style

    style = Style.detect(os.environ, terminal, plain=plain)
    return Pretty(write, error, style, hide=hide, uncut=uncut).accept


def one_file() -> bool:
    """Tell whether stdout and stderr are the same file, as after `2>&1`."""
    try:
        return os.path.sameopenfile(1, 2)
    except OSError:
        return True  # one of them is closed


def one_terminal() -> bool:
    """Tell whether stdout and stderr are the same terminal; one writer then keeps their order."""
    try:
        return os.isatty(1) and os.isatty(2) and os.ttyname(1) == os.ttyname(2)
    except OSError:
        return False
