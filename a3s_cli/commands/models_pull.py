"""`a3s models pull`: what is downloaded, from where, and its progress, on stderr."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..config.installation import how_to_add
from ..errors import Cancelled
from ..local import catalogue, own, weights
from ..local.progress import DownloadProgress

#: Seconds between two drawings of the line.
INTERVAL = 0.2
CLEAR_LINE = "\r\x1b[K"


class Shown(DownloadProgress):
    """Name each source before it is used; draw the progress if stderr is a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal = sys.stderr.isatty()
        self._announced = ""
        self._drawn = 0.0

    def __call__(self, received: int, total: int, source: str) -> None:
        super().__call__(received, total, source)
        if source != self._announced:
            self._announced = source
            self.say(f"from {source}")
        now = time.monotonic()
        if self._terminal and (now - self._drawn > INTERVAL or received == total):
            self._drawn = now
            sys.stderr.write(f"{CLEAR_LINE}{self}")
            sys.stderr.flush()

    def say(self, words: str) -> None:
        """Write a permanent line."""
        sys.stderr.write(f"{CLEAR_LINE if self._terminal else ''}{words}\n")
        sys.stderr.flush()


def pull_for_a_person(name: str | None) -> Path:
    """Download a model's weights unless they are installed; return their path."""
    environment = dict(os.environ)
    called, size = name or catalogue.DEFAULT, ""
    if not own.is_own(called):
        model = catalogue.find(called)
        called, size = model.name, f"{model.size / 1e6:,.0f} MB "
    shown = Shown()
    if path := weights.installed(name, environment):
        shown.say(f"{called} is already installed")
        return path
    shown.say(f"{called}: {size}into {weights.directory(environment)}")
    try:
        path = asyncio.run(until_signalled(name, environment, shown))
    finally:
        if shown.total:
            shown.say(str(shown) if shown.received < shown.total else "complete and verified")
    if not weights.runtime_installed():
        shown.say(f"to run it: {how_to_add('local')}")
    return path


async def until_signalled(name: str | None, environment: Mapping[str, str], shown: Shown) -> Path:
    """Download the weights; a signal stops it cleanly and raises `Cancelled` with its number."""
    loop, pulling = asyncio.get_running_loop(), asyncio.current_task()
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        if pulling:
            pulling.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    try:
        return await weights.pull(name, environment=environment, progress=shown)
    except asyncio.CancelledError:
        if not caught:
            raise
        raise Cancelled(
            "interrupted; the next pull resumes the download", signal=caught[0]
        ) from None
