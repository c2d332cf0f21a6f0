"""The process around an editor's agent: stdin, stdout, signals and the end.

stdout carries the protocol and nothing else. Whatever ends it (the editor closes
stdin, stops reading, or a signal comes), every run is cancelled, and nothing of
this process or its tools is left after two seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import NoReturn

from ..input.reader import LineReader
from ..jsonrpc import ACP, LONGEST, Peer
from ..output.writer import Writer
from ..processes.exit import die_of
from ..run.request import RunRequest
from .agent import Agent

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds that runs and then the last lines have at the end; two are promised.
_RUNS_END, _LAST_WORDS = 1.3, 0.4


def serve(template: RunRequest, *, full: bool) -> NoReturn:
    """Speak with the editor until it goes, and end the process."""
    # Not asyncio.run: it would wait for a thread that is stuck on a slow name server.
    loop = asyncio.new_event_loop()
    number = loop.run_until_complete(_Server(template, full=full).run())
    import sys

    if (spawner := sys.modules.get("a3s_cli.processes.spawner")) is not None:
        spawner.kill_all()
    if number:
        die_of(number)
    os._exit(0)


class _Server:
    """One connection. `run` returns the signal that ended it, or 0."""

    def __init__(self, template: RunRequest, *, full: bool) -> None:
        self._template = template
        self._full = full
        self._over = asyncio.Event()
        self._number = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for one in SIGNALS:
            # A signal that was ignored when we came stays ignored.
            if signal.getsignal(one) is not signal.SIG_IGN:
                loop.add_signal_handler(one, self._leave, int(one))

        def lost(_: OSError) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._leave, int(signal.SIGPIPE))

        writer = Writer(1, lost)
        agent = Agent(self._template, writer, full=self._full)
        peer = agent.peer = Peer(writer.write, agent, ACP)

        def take(lines: list[bytes]) -> None:
            for line in lines:
                peer.receive(line)

        LineReader(0, take, self._over.set, limit=LONGEST)
        await self._over.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RUNS_END):
                await agent.close()
                # The prompts that were cancelled just now are answered.
                await peer.settled()
        peer.close("the editor went away")
        end = time.monotonic() + _LAST_WORDS
        writer.close(lambda: end - time.monotonic())
        return self._number

    def _leave(self, number: int) -> None:
        self._number = self._number or number
        self._over.set()
