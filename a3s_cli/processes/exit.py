"""The last things a process does: one sentence on stderr, and an end that its shell understands."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import NoReturn


def complain(sentence: str, hint: str | None = None) -> None:
    """Write a line to stderr if it is open; anything that looks like a key is masked."""
    # Only who has something to complain of needs the expressions.
    from ..secrets.masking import mask

    text = mask(f"a3s: {sentence}\n" + (f"hint: {hint}\n" if hint else ""))
    with contextlib.suppress(OSError):
        os.write(2, text.encode(errors="replace"))


def die_of(number: int) -> NoReturn:
    """End by a signal's default action: a status alone would not stop a shell's loop."""
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    # Only where a signal cannot kill us (pid 1 of a container) do we get here.
    os._exit(128 + number)
