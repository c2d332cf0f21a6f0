"""The live line: what a run waits for, for how long, and a command's last line.

It is the last line of a terminal while the model thinks or a tool runs, redrawn in
place, and gone when something else is written. It appears only after a delay, so that
quick calls do not flicker. Behind a line that is not complete, for example while the
model pauses in a sentence, it takes what is left of the row. The timer belongs to the
run's event loop: nothing is drawn without one.

The cursor always stays where the line begins. A terminal that lays its rows out anew
for a smaller window keeps the cursor at its character, so that everything from there
on is this line, however many rows it has got, and nothing before it is touched.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .disarm import disarm
from .terminal import Style, cells, encode, fit
from .wording import duration

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from .page import Output

#: Seconds of waiting before the line appears, and between two drawings.
DELAY, INTERVAL = 0.3, 0.125
#: Seconds of a pause in what the model writes before it is told.
PAUSE = 1.0
#: Columns that the line needs behind words.
LEAST = 10
CLEAR = "\x1b[J"
#: The window may have become smaller without us being told yet.
UNWRAPPED, WRAPPED = "\x1b[?7l", "\x1b[?7h"
_DIM = "2"
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Wait:
    """One thing that is waited for: its name, since when, its output, and when it is told."""

    def __init__(self, name: str, output: Output | None = None, delay: float = DELAY) -> None:
        self.name = name
        self.output = output
        self.delay = delay
        self.since = time.monotonic()


class LiveLine:
    """Draws the line on a terminal; `room` returns the columns behind the cursor."""

    def __init__(
        self, write: Callable[[bytes], None], style: Style, room: Callable[[], int]
    ) -> None:
        self._write = write
        self._style = style
        self._room = room
        self._waits: dict[str, Wait] = {}
        #: What takes the line away; nothing while it is not drawn.
        self._drawn = ""
        self._paused = False
        self._frame = 0
        self._timer: TimerHandle | None = None

    def wait(self, key: str, wait: Wait) -> None:
        """Show this from now on."""
        if key in self._waits:
            wait.since = self._waits[key].since
        self._waits[key] = wait
        self._start()

    def done(self, key: str) -> None:
        """Do not show this any more."""
        self._waits.pop(key, None)

    def stop(self) -> None:
        """Show nothing any more: the run is over."""
        self._waits.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def pause(self, paused: bool) -> None:
        """Leave the terminal to a question, or take it back."""
        self._paused = paused
        if not paused:
            for wait in self._waits.values():
                wait.since = time.monotonic()

    def around(self, text: str, *, again: bool = True) -> str:
        """Return text with the line taken away before it and drawn `again` after it."""
        before = self._drawn
        after = self._line() if before and again else ""
        if not after:
            self._drawn = ""
        return before + text + after

    def _start(self) -> None:
        if self._timer is None and "asyncio" in sys.modules:
            with contextlib.suppress(RuntimeError):  # there is no loop: a recording is shown
                self._call_later(DELAY)

    def _call_later(self, seconds: float) -> None:
        from asyncio import get_running_loop

        self._timer = get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._waits:
            return
        self._call_later(INTERVAL)
        self._frame += 1
        if line := self._line():
            self._write(encode(line))

    def _line(self) -> str:
        """Return what draws the line; nothing where none may be shown now."""
        now = time.monotonic()
        waits = [wait for wait in self._waits.values() if now - wait.since >= wait.delay]
        room = self._room()
        if self._paused or not waits or room < LEAST:
            return ""
        # Of several calls, the one that has last begun.
        wait = waits[-1]
        parts = [wait.name]
        if seconds := int(now - wait.since):
            parts.append(duration(seconds * 1000).replace(".0s", "s"))
        frame = _FRAMES[self._frame % len(_FRAMES)]
        if room < self._style.width:
            words = " · ".join(parts)
            shown = f" {frame} {words if cells(words) < room - 3 else parts[-1]}"
            self._drawn = CLEAR
            return f"\x1b7{UNWRAPPED}{self._style.paint(_DIM, shown)}{CLEAR}{WRAPPED}\x1b8"
        if len(waits) > 1:
            parts.insert(0, f"{len(waits)} calls")
        if wait.output and wait.output.last:
            parts.append(wait.output.last)
        line = disarm(" · ".join(parts).expandtabs(1))
        # What is typed meanwhile stands here as well, such as ^C.
        self._drawn = f"\r{CLEAR}"
        shown = self._style.paint(_DIM, f"{frame} {fit(line, room - 3)}")
        return f"\r{UNWRAPPED}{shown}{CLEAR}{WRAPPED}\r"
