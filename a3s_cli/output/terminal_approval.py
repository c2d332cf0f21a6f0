"""Asks the person at the terminal whether a call may run.

It opens /dev/tty itself, because stdin and stdout may be pipes, and because
flags on its own open file affect no other process. One key answers; any other key,
and text that arrives at once (a paste, a cursor key), answers nothing. Ctrl-C remains
a signal and cancels the run. Input typed before the question was shown is discarded.

The dialogue runs on a thread, because a terminal may block in both directions
(Ctrl-S blocks it indefinitely) and some systems cannot poll /dev/tty from an
event loop. The thread blocks all signals, including those that stop a background
job that touches the terminal; in the background no question is asked.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ..permissions.approval import LONGEST_TEXT, Answer, Question, Reply, Unanswered
from ..secrets.redaction import NOTHING, Redactor
from ..values import replace
from .question import Sheet, paragraph, sheet
from .terminal import Style, encode

if TYPE_CHECKING:
    from .diff import Diff

#: Rows of a screen that the question needs besides the arguments.
_FRAME = 8
#: Rows of arguments shown at once on the smallest screen.
_FEWEST = 8
#: Seconds that the thread gets to stop when the question is withdrawn.
_GRACE = 1.0

#: What a key, or a word that is typed at once, stands for.
_ANSWERS: Mapping[str, Answer] = {
    "y": "once",
    "yes": "once",
    "a": "always",
    "always": "always",
    "n": "no",
    "no": "no",
    "\x04": "no",
}
_SAID: Mapping[Answer, str] = {"once": "yes, once", "always": "always", "no": "no"}
_INTERRUPT = "\x03"


class Withdrawn(Exception):
    """Raised when the question is no longer open."""


def has_terminal() -> bool:
    """Tell whether this process has a terminal to ask on."""
    try:
        os.close(_open())
    except OSError:
        return False
    return True


def _open() -> int:
    return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)


class TerminalApprover:
    """An `Approver` on the controlling terminal. `flush` waits until earlier output is written.

    `span` says how long "always" holds.
    """

    by = "user"

    def __init__(
        self,
        flush: Callable[[], Awaitable[None]],
        environment: Mapping[str, str],
        redactor: Redactor = NOTHING,
        span: str = "for this run",
    ) -> None:
        self._flush = flush
        self._span = span
        self._environment = environment
        self._redactor = redactor

    async def __call__(self, question: Question) -> Reply:
        """Ask on the terminal; cancelling withdraws the question.

        Raises `Unanswered` if the terminal cannot be used.
        """
        await self._flush()
        shown = replace(
            question,
            tool_input=self._redactor.value(question.tool_input),
            reason=self._redactor.whole(question.reason),
        )
        return await _beside(lambda wake: self._ask(shown, wake))

    def _ask(self, question: Question, wake: int) -> Reply:
        try:
            terminal = _open()
        except OSError as error:
            raise Unanswered(f"there is no terminal ({error.strerror})") from None
        try:
            style = Style.detect(self._environment, True, descriptor=terminal)
            return Dialogue(terminal, wake, style, self._span).ask(question, self._diff(question))
        finally:
            os.close(terminal)

    def _diff(self, question: Question) -> Diff | None:
        """Return what the call would change in its file, without secrets."""
        if question.path is None or "file_path" not in question.tool_input:
            return None
        from .diff import hidden, of_call

        diff = of_call(question.tool_input, str(question.path))
        return diff and hidden(diff, self._redactor.whole)


async def _beside(ask: Callable[[int], Reply]) -> Reply:
    """Run a dialogue on a thread; its `wake` becomes readable when the answer is not wanted."""
    import asyncio

    loop = asyncio.get_running_loop()
    result: asyncio.Future[Reply] = loop.create_future()
    wake, withdraw = os.pipe()

    def settle(answer: Reply | None, failure: Exception | None) -> None:
        if failure is not None and not result.done():
            result.set_exception(failure)
        elif answer is not None and not result.done():
            result.set_result(answer)

    def converse() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        answer, failure = None, None
        try:
            answer = ask(wake)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
            failure = error
        os.close(wake)
        with contextlib.suppress(RuntimeError):  # the loop is already closed
            loop.call_soon_threadsafe(settle, answer, failure)

    thread = threading.Thread(target=converse, name="a3s-question", daemon=True)
    thread.start()
    try:
        return await result
    finally:
        os.close(withdraw)
        thread.join(_GRACE)


class Dialogue:
    """One question on one open terminal and its answers. A readable `wake` ends it."""

    def __init__(self, terminal: int, wake: int, style: Style, span: str) -> None:
        self._terminal = terminal
        self._span = span
        self._wake = wake
        self._style = style

    def ask(self, question: Question, diff: Diff | None = None) -> Reply:
        """Show the question until there is an answer."""
        try:
            self._demand_foreground()
            shown = sheet(question, self._style.width, self._span, diff)
            return self._converse(shown, question.always)
        except Withdrawn:
            with contextlib.suppress(OSError):
                os.write(self._terminal, b"\n")
            raise
        except OSError as error:
            raise Unanswered(f"the terminal cannot be used ({error.strerror})") from None

    def _converse(self, shown: Sheet, always: str) -> Reply:
        rows = shown.rows
        self._write([self._style.paint("1;33", shown.title), *shown.about])
        at = self._show(rows, 0)
        self._write(shown.notes)
        while True:
            hidden = at < len(rows)
            key = self._key("[y]es [a]lways [n]o inst[e]ad [?]" + " [m]ore" * hidden + ": ")
            if answer := _ANSWERS.get(key):
                self._write([_SAID[answer]])
                return Reply(answer)
            self._write([""])
            if hidden and key in ("m", "more"):
                at = self._show(rows, at)
            elif key == "?":
                self._write(self._help(always, hidden=hidden))
            elif key == "e" and (said := self._read_line("  what to do instead: ")):
                return Reply("no", said)

    def _help(self, always: str, *, hidden: bool) -> list[str]:
        told = [
            "y  yes: this call, once",
            f"a  always, {self._span}: {always}",
            "n  no: the model is told",
            "e  no, and tell the model what to do instead",
        ]
        told += ["m  show more of the arguments"] * hidden
        told.append("Ctrl-C cancels the run")
        return [row for one in told for row in paragraph(one, self._style.width)]

    def _show(self, rows: list[tuple[str, str]], at: int) -> int:
        """Show the next screen of rows; return where the following one begins."""
        screen = max(os.get_terminal_size(self._terminal).lines - _FRAME, _FEWEST)
        end = at + screen
        if len(rows) - end == 1:  # a note about one missing row would take its place
            end += 1
        left = len(rows) - min(end, len(rows))
        note = f"  … {left} of {len(rows)} rows are not shown yet: [m]ore shows them"
        shown = [self._style.paint(face, row) for row, face in rows[at:end]]
        self._write(shown + [self._style.paint("33", note)] * bool(left))
        return min(end, len(rows))

    # -- the terminal ----------------------------------------------------------------

    def _demand_foreground(self) -> None:
        if os.tcgetpgrp(self._terminal) != os.getpgrp():
            raise Unanswered("a3s is running in the background")

    def _write(self, rows: list[str]) -> None:
        self._write_all(encode("".join(f"{row}\n" for row in rows)))

    def _write_all(self, data: bytes) -> None:
        while data:
            self._wait_for([], [self._terminal])
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._terminal, data[:4096]) :]

    def _key(self, prompt: str) -> str:
        """Return the key that is pressed from now on; Ctrl-D if the terminal has gone away."""
        from .keys import KeyMode

        self._demand_foreground()
        mode = KeyMode(self._terminal)
        mode.enter()
        try:
            self._write_all(prompt.encode())
            while (typed := self._read()) != b"":
                if mode.suspends(typed):
                    self._demand_foreground()
                    mode.enter()
                    self._write_all(prompt.encode())
                    continue
                key = typed.decode(errors="replace").strip(" \r\n").lower()
                if key == _INTERRUPT:  # a terminal that was left in raw mode sends no signal
                    os.kill(os.getpid(), signal.SIGINT)
                elif len(key) == 1 or key in _ANSWERS or key == "more":
                    return key
        finally:
            mode.leave()
        self._demand_foreground()
        return "\x04"

    def _read_line(self, prompt: str) -> str:
        """Read a line in line mode; return nothing for Ctrl-D or an empty one."""
        self._write_all(prompt.encode())
        line = b""
        while (piece := self._read()) != b"":
            # A terminal that was left in raw mode sends a carriage return for Enter.
            line += piece.replace(b"\r", b"\n")
            text, end, _ = line.partition(b"\n")
            if end:
                return text.decode(errors="replace").strip()[:LONGEST_TEXT]
        self._write([""])
        return ""

    def _read(self) -> bytes:
        while True:
            self._wait_for([self._terminal], [])
            self._demand_foreground()
            with contextlib.suppress(BlockingIOError):
                return os.read(self._terminal, 1024)

    def _wait_for(self, read: list[int], write: list[int]) -> None:
        # Not poll(): on macOS it does not know /dev/tty.
        readable, _, _ = select.select([self._wake, *read], write, [])
        if self._wake in readable:
            raise Withdrawn
