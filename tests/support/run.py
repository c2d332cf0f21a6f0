"""One run of the binary, while it goes on and when it is over.

A `Run` reads stdout and stderr as they come, so that no test blocks the binary
by accident, waits for events, and sends signals. `finish` gives a `Result` and
holds it against the laws.
"""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251 - a black-box test starts the program
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from . import laws, processes
from .laws import Event
from .replies import Call
from .server import Seen, Server

#: Far beyond anything but a hang.
HANG = 90.0
#: What the contract promises for leaving, and what a loaded machine may add.
PROMISE = 2.0
SLACK = 4.0

#: whole: every law. several: every law for each of the runs. prefix: the stream may stop
#: anywhere. none: not an event stream.
Laws = Literal["whole", "several", "prefix", "none"]


@dataclass
class Result:
    """What a finished run has left."""

    stdout: bytes
    stderr: bytes
    #: As `subprocess` tells it: negative for a death by signal.
    exit_status: int
    requests: list[Seen]
    mark: str
    #: Between the terminal event's arrival and the end of the process.
    lingered: float | None = None

    @property
    def status(self) -> int:
        """The exit status as a shell shows it."""
        return 128 - self.exit_status if self.exit_status < 0 else self.exit_status

    @cached_property
    def events(self) -> list[Event]:
        return laws.whole_lines(self.stdout)

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def text(self) -> str:
        assert self.last["type"] == "end", self.last
        text: str = self.last["text"]
        return text

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, kind: str, tool_id: str | None = None) -> list[Event]:
        """Every event of one type, in order."""
        found = [event for event in self.events if event["type"] == kind]
        return found if tool_id is None else [e for e in found if e["toolId"] == tool_id]

    def one(self, kind: str, tool_id: str | None = None) -> Event:
        """The only event of that type."""
        found = self.of(kind, tool_id)
        assert len(found) == 1, f"{len(found)} × {kind} in {self.types}"
        return found[0]

    def output(self, tool_id: str) -> str:
        """What one call streamed."""
        return "".join(event["text"] for event in self.of("tool_output_delta", tool_id))


@dataclass
class Run:
    """A run that is still going on."""

    process: subprocess.Popen[bytes]
    server: Server | None
    mark: str
    laws: Laws
    quiet: bool
    #: Off where the server's replies are recorded bytes: what they call is not known.
    check_calls: bool = True
    events: list[Event] = field(default_factory=list)
    _out: bytearray = field(default_factory=bytearray)
    _err: bytearray = field(default_factory=bytearray)
    _threads: list[threading.Thread] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _terminal_at: float | None = None
    #: Whether every line so far has kept the laws of framing.
    _intact: bool = True

    @property
    def pid(self) -> int:
        return self.process.pid

    def start_reading(self) -> None:
        readers = ((self.process.stdout, self._read_out), (self.process.stderr, self._read_err))
        for stream, read in readers:
            if stream is not None:
                thread = threading.Thread(target=read, args=(stream.fileno(),), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _read_out(self, descriptor: int) -> None:
        parsed = 0
        while piece := os.read(descriptor, 1 << 16):
            with self._changed:
                self._out += piece
                if self.laws != "none" and (end := self._out.rfind(b"\n") + 1) > parsed:
                    try:
                        self.events += laws.parse(bytes(self._out[parsed:end]))
                    except (AssertionError, ValueError):
                        # A line that breaks a law is reported by finish(), not lost in a thread.
                        self._intact = False
                    parsed = end
                    if self.events and self.events[-1]["type"] in ("end", "error"):
                        self._terminal_at = time.monotonic()
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _read_err(self, descriptor: int) -> None:
        while piece := os.read(descriptor, 1 << 16):
            self._err += piece

    def wait_for(
        self, wanted: str | Callable[[Event], bool], timeout: float = 30, number: int = 1
    ) -> Event:
        """Wait until the n-th event of a type, or the n-th that fits, has arrived."""
        fits = (lambda e: e["type"] == wanted) if isinstance(wanted, str) else wanted

        def found() -> list[Event]:
            return [event for event in self.events if fits(event)]

        with self._changed:
            self._changed.wait_for(
                lambda: len(found()) >= number or self.process.poll() is not None, timeout
            )
        if len(found()) < number and self.process.poll() is not None:
            for thread in self._threads:
                thread.join(5)
        assert len(found()) >= number, (
            f"{wanted} did not come; {[e['type'] for e in self.events]}; {bytes(self._err)!r}"
        )
        return found()[number - 1]

    def wait_for_output(self, wanted: bytes, timeout: float = 30) -> None:
        """Wait until these bytes have come out, in a run whose stdout is no event stream."""
        with self._changed:
            assert self._changed.wait_for(lambda: wanted in self._out, timeout), bytes(self._out)

    def signal(self, number: int) -> None:
        """Signal the process alone, as an editor or a CI runner does."""
        # Our own child, and never a pid that another process has meanwhile.
        self.process.send_signal(number)

    def signal_group(self, number: int) -> None:
        """Signal the foreground group, as a terminal does."""
        processes.send_group(self.pid, number, self.mark)

    def finish(self, timeout: float = HANG) -> Result:
        """Wait for the end and hold the run against the laws."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            types = [event["type"] for event in self.events]
            raise AssertionError(f"hangs after {timeout} s: {types} {bytes(self._err)!r}") from None
        ended = time.monotonic()
        for thread in self._threads:
            thread.join(PROMISE + SLACK)
            assert not thread.is_alive(), f"output still open: {processes.survivors(self.mark)}"
        requests = list(self.server.requests) if self.server else []
        lingered = ended - self._terminal_at if self._terminal_at else None
        status = self.process.returncode
        result = Result(bytes(self._out), bytes(self._err), status, requests, self.mark, lingered)
        if self.laws != "none" and self._intact:
            result.events = self.events  # a flood is not parsed twice
        try:
            self._check(result)
        except AssertionError as failure:
            failure.add_note(f"exit status {status}, stderr: {result.stderr.decode()[-2000:]}")
            raise
        return result

    def _check(self, result: Result) -> None:
        if self.laws == "none":
            return
        if self.laws == "prefix":
            laws.check_prefix(result.events)
            return
        if self.laws == "several":
            laws.check_runs(result.events, result.status)
            if not result.events:
                return
        assert result.status != 2, f"a usage error: {result.stderr.decode()}"
        assert not result.stdout or result.stdout.endswith(b"\n"), "the last line is cut"
        events = result.events if self._intact else laws.parse(result.stdout)
        if self.laws != "several":
            laws.check_stream(events, result.status)
        if self.quiet:
            check_stderr(result)
        if result.last.get("code") == "cancelled" and self.laws == "several":
            assert ("signal" in result.last) == (result.exit_status < 0), result.last
        elif result.last.get("code") == "cancelled":
            number = signal.Signals[result.last["signal"]]
            assert result.exit_status == -number, "the process did not die of the signal"
        if self.laws != "several":  # which waits for the end of its input
            assert result.lingered is not None and result.lingered < PROMISE + SLACK
        if self.server:
            assert self.server.unexpected == 0, f"{self.server.unexpected} requests too many"
            if self.check_calls:
                check_calls(result)

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self.server:
            self.server.close()


def check_stderr(result: Result) -> None:
    """A person who pipes JSON sees why a run failed, and nothing where it has not."""
    told = result.stderr.decode()
    errors = [one for one in result.of("error") if not _interrupted(one)]
    if result.exit_status == 74:
        return  # stdout may be lost, and then it says so
    if not errors or result.exit_status == -signal.SIGPIPE:
        assert told == "", f"stderr: {told}"
        return
    lines = told.splitlines()
    assert all(one.startswith(("a3s: ", "hint: ")) for one in lines), told
    for last in errors:
        begins = "a3s: " + " ".join(last["error"].split()[:2])
        found = not last["error"].isascii() or any(one.startswith(begins) for one in lines)
        assert found, (last["error"], told)
    hinted = any(one.startswith("hint: ") for one in lines)
    assert hinted == any(bool(one.get("hint")) for one in errors), told


def _interrupted(error: Event) -> bool:
    return error["code"] == "cancelled" and error.get("signal", "SIGINT") in ("SIGINT", "SIGPIPE")


def check_calls(result: Result) -> None:
    """Each call of a whole response of a successful run has exactly one fate; no other has any."""
    asked: list[Call] = []
    for seen in result.requests:
        if seen.reply and seen.reply.status == 200 and seen.reply.ending == "whole":
            asked += seen.reply.calls
    # A pair of no turn is the run's own object, which the model did not ask for.
    begun = [event for event in result.of("tool_start") if event["turn"]]
    fates = begun + result.of("permission_denied") + result.of("tool_rejected")
    assert len(fates) <= len(asked), f"{len(asked)} calls, {len(fates)} fates"
    if result.last["type"] == "end":
        # A name that would not fit a line is cut: its beginning tells calls apart.
        told = sorted(event["toolName"][:100] for event in fates)
        assert told == sorted(one.name[:100] for one in asked), fates
