"""What a person reads beside a stream: tables on stdout, one sentence on stderr.

A file's name, a key of a project's configuration, a model's name or a server's
message may be a stranger's. On the way through here it loses its power: no
terminal obeys it, and no CI runner takes a line of it for a command.
"""

from __future__ import annotations

import contextlib
import os


def readable(text: str) -> str:
    """Return the text with everything shown that a terminal or a CI runner would obey."""
    # Imported here, for most commands have nothing to complain of.
    from .disarm import Disarmer
    from .terminal import neutralise

    disarmer = Disarmer()
    return disarmer.feed(neutralise(text)) + disarmer.flush()


def complain(sentence: str, hint: str | None = None) -> None:
    """Write a sentence to stderr, if it is open; what looks like a key is masked."""
    from ..secrets.masking import mask

    text = f"a3s: {sentence}\n" + (f"hint: {hint}\n" if hint else "")
    with contextlib.suppress(OSError):
        os.write(2, readable(mask(text)).encode(errors="replace"))
