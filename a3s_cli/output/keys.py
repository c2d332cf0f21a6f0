"""A terminal that gives each key as it is pressed, and is left as it was found.

Only line mode and echo are off: Ctrl-C stays a signal of the kernel's. Ctrl-Z is
done here, because a shell must get its terminal back in line mode. Code that ends the
process without returning through here calls `restore` first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time
from typing import Any

_ICANON_AND_ECHO = termios.ICANON | termios.ECHO
_SUSPEND = b"\x1a"
#: Seconds in which a signal that was taken has stopped every thread.
_MOMENT = 0.01
#: The terminal in key mode and its settings before; there is at most one question at a time.
_changed: list[tuple[int, list[Any]]] = []


def restore() -> None:
    """Restore the settings of the terminal, if they are changed."""
    while _changed:
        terminal, settings = _changed.pop()
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(terminal, termios.TCSANOW, settings)


class KeyMode:
    """Key mode for one terminal, from `enter` until `leave`."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def enter(self) -> None:
        """Switch to key mode; what was typed before is discarded."""
        try:
            settings = termios.tcgetattr(self._terminal)
            _changed.append((self._terminal, settings))
            self._set(settings)
            termios.tcflush(self._terminal, termios.TCIFLUSH)
        except termios.error as error:
            raise OSError(*error.args) from None

    def leave(self) -> None:
        """Switch back; the rest of what was typed with the answer is discarded."""
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._terminal, termios.TCIFLUSH)
        restore()

    def suspends(self, typed: bytes) -> bool:
        """Stop the job if Ctrl-Z was pressed; return True once it goes on."""
        if typed != _SUSPEND:
            return False
        restore()
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        # The thread of a question blocks all signals, so another one takes this and stops the
        # process: until then it is pending, and nothing may be done to the terminal.
        while signal.SIGTSTP in signal.sigpending():
            time.sleep(_MOMENT)
        time.sleep(_MOMENT)
        return True

    def _set(self, settings: list[Any]) -> None:
        changed = [*settings[:6], list(settings[6])]
        changed[3] &= ~_ICANON_AND_ECHO
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        changed[6][termios.VSUSP] = bytes([os.fpathconf(self._terminal, "PC_VDISABLE") & 0xFF])
        # Not TCSADRAIN: a terminal that is held up (Ctrl-S) would hold us up.
        termios.tcsetattr(self._terminal, termios.TCSANOW, changed)
