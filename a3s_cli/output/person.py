"""Text for people besides the stream: tables on stdout, one sentence on stderr.

The name of a file, a key of a project's configuration, the name of a model or the
message of a server may come from a stranger. It is escaped here, so that no terminal
interprets it and no CI runner executes a line of it.
"""

from __future__ import annotations

import contextlib
import os


def readable(text: str) -> str:
    """Escape everything in a text that a terminal or a CI runner would interpret."""
    # Imported here, because most commands have nothing to report.
    from .disarm import Disarmer
    from .terminal import neutralise

    disarmer = Disarmer()
    return disarmer.feed(neutralise(text)) + disarmer.flush()


def complain(sentence: str, hint: str | None = None) -> None:
    """Write a sentence to stderr, if it is open; mask text that looks like a key."""
    from ..secrets.masking import mask

    text = f"a3s: {sentence}\n" + (f"hint: {hint}\n" if hint else "")
    with contextlib.suppress(OSError):
        os.write(2, readable(mask(text)).encode(errors="replace"))
