"""Reads a person's lines at a terminal, with editing and history, by `readline`.

The history is one file with the newest lines, for its owner alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

#: Lines that are kept.
_KEPT = 1000
#: Seconds to the first alarm, and from each to the next.
_ALARMS = 0.05, 0.5


class LineEditor:
    """Asks for lines after a prompt. `history` is the file to keep them in; None: none."""

    def __init__(self, words: Sequence[str], history: str | None, *, colour: bool) -> None:
        import readline

        self._readline = readline
        self._history = history
        self._new = 0
        libedit = "libedit" in (readline.__doc__ or "")
        # What is between \001 and \002 takes no columns; libedit does not know that.
        self._prompt = "\001\x1b[1m\002> \001\x1b[0m\002" if colour and not libedit else "> "
        readline.set_auto_history(False)
        readline.set_history_length(_KEPT)
        readline.set_completer_delims(" \t\n")
        readline.set_completer(_completer(words))
        if libedit:
            readline.parse_and_bind("bind ^I rl_complete")
        else:
            readline.parse_and_bind("tab: complete")
            # A paste with line ends is one text, and not several lines.
            readline.parse_and_bind("set enable-bracketed-paste on")
        if history:
            with contextlib.suppress(OSError):
                readline.read_history_file(history)

    def read(self) -> str:
        """Return the next line. Raises EOFError for Ctrl-D, and what a signal handler raises."""
        # A signal that arrives just before readline starts to wait would be seen at the next
        # key only: each alarm ends the wait, and so lets Python run its handlers.
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, *_ALARMS)
        try:
            line = input(self._prompt)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if line.strip():
            self._readline.add_history(re.sub(r"\s*\n\s*", " ", line))
            self._new += 1
        return line

    def save(self) -> None:
        """Write the history to its file."""
        if not self._history or not self._new:
            return
        with contextlib.suppress(OSError):
            os.makedirs(Path(self._history).parent, 0o700, exist_ok=True)
            os.close(os.open(self._history, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            self._readline.write_history_file(self._history)


def _completer(words: Sequence[str]):  # type: ignore[no-untyped-def]
    def complete(text: str, state: int) -> str | None:
        found = [word for word in words if text.startswith("/") and word.startswith(text)]
        return found[state] if state < len(found) else None

    return complete
