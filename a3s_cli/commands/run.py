"""A run as a process: stdout, signals, the time a reader gets, the exit status.

Only this file decides what a shell sees. The first signal cancels the run: it
still writes its terminal event, and then the process dies of that signal, so
that a shell loop stops as well. A reader that goes away cancels the run at once.
A second signal exits immediately; the supervisors of the tools notice and clean
up.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import A3SError, Cancelled, ExitStatus, OutputError, UsageError, internal
from ..events import Event, Notice
from ..output.choice import Mode, chosen_mode, one_file, one_terminal, rendering
from ..output.person import complain
from ..output.writer import Writer
from ..processes.exit import die_of
from ..run.kept import Kept, keep
from ..run.opening import Opening
from ..run.plan import Plan, chosen_tools
from ..run.prompt_source import PromptSource, read_prompt, unread_input
from ..run.request import RunRequest
from ..values import Value

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..permissions.approval import Approver

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds that a reader has to take the terminal event after a signal or a deadline.
LAST_WORDS = 2.0
#: Seconds that the reader of stderr has for the last line.
LAST_LINE = 1.5
#: The signals, and the message on stdin, of a user who knows that the run has ended.
_UNTOLD = (None, "SIGINT", "SIGPIPE")
_RETRY = b'{"type":"retry"'
#: Seconds within which one key press may arrive as two signals (a wrapper forwards it).
SAME_PRESS = 0.05


class RunOptions(Value):
    """What the command line asks for: the request's fields, the prompt's source, the output."""

    request: Mapping[str, Any]
    source: PromptSource
    output: Mode | None = None
    #: Whether pretty has no colour, no layout and no live line.
    plain: bool = False
    cwd: str | None = None
    #: `--tools` and `--schema` as they were typed.
    tools: str | None = None
    schema: str | None = None
    #: The ID of the session to continue; "" is the newest one of the workspace.
    session: str | None = None
    #: Whether it is continued in a copy.
    fork: bool = False
    keep_session: bool = True
    record: str | None = None
    debug: bool = False
    #: Whether only usage errors go to stderr.
    quiet: bool = False


def run(options: RunOptions) -> NoReturn:
    """Do one run and exit with its status."""
    # A prompt on stdin takes no person away: /dev/tty asks them.
    terminal = os.isatty(1) and (os.isatty(0) or options.source.uses_stdin)
    request = requested(options, read_prompt, answers=terminal)
    Process(options, Opening(request)).run()


def requested(
    options: RunOptions, prompt: Callable[[PromptSource], str], *, answers: bool
) -> RunRequest:
    """Return the request of a command line, after changing to its directory.

    Raises `UsageError` if the command line cannot be used.
    """
    if options.cwd is not None:
        enter(options.cwd)
    tools = None if options.tools is None else chosen_tools(options.tools)
    attachments = _attached(options) if options.source.attach else ()
    schema = None
    if options.schema is not None:
        from ..objects.schema import read_schema

        schema = read_schema(options.schema, prompt_uses_stdin=options.source.uses_stdin)
    return RunRequest(
        **options.request,
        prompt=prompt(options.source),
        attachments=attachments,
        workspace=workspace(),
        tools=tools,
        schema=schema,
        record=None if options.record is None else Path(options.record),
        answers=answers,
        conceals=True,
    )


def _attached(options: RunOptions) -> Sequence[Any]:
    """Return what `--attach` gives. Raises UsageError where stdin would be read twice."""
    source = options.source
    uses = [
        *(["the prompt"] if source.is_stdin else []),
        *(["--schema -"] if options.schema == "-" else []),
        *["--attach -"] * source.attached_stdin,
    ]
    if source.attached_stdin and len(uses) > 1:
        raise UsageError(f"{uses[0]} and {uses[1]} cannot both come from stdin")
    from ..input.attachments import typed

    return [typed(one) for one in source.attach]


class Process:
    """The process around one run."""

    #: How long the answer "always" holds.
    SPAN = "for this run"

    def __init__(self, options: RunOptions, opening: Opening) -> None:
        self._options = options
        self._opening = opening
        # What has happened to us, and when a signal or the deadline started the last clock.
        self._signal: int | None = None
        self._signalled_at = 0.0
        self._lost: OSError | None = None
        self._last_words: float | None = None
        self._writer: Writer | None = None
        self._stderr: Writer | None = None
        # Whether the rendering says on stderr what went wrong.
        self._rendered = False
        # Whether the notice `stdin_ignored` has been given.
        self._unread = False

    def run(self) -> NoReturn:
        """Emit `start`, do the work, emit the terminal event and exit."""
        opening = self._opening
        opening.decide()
        keep_stdout(opening.plan)
        opening.keep(self._session)
        writer = self._open_output()
        self._listen()
        opening.begin()
        self._tell_unread()
        ended = self._work()
        self.tell_failure(ended)
        self._leave(writer, int(ended.exit_code))

    def _session(self, plan: Plan) -> Kept:
        if not self._options.keep_session:
            return Kept()
        options, hide = self._options, plan.redactor.whole
        return keep(os.environ, plan.workspace, hide, resume=options.session, fork=options.fork)

    def _open_output(self) -> Writer:
        if chosen_mode(self._options.output) == "json":
            writer = self._writer = Writer(1, self._on_lost)
            self._opening.emitter.add_line_sink(self.line_sink(writer), writer.drain)
            return writer
        writer = self._writer = self._open_writers()
        self._opening.emitter.add_event_sink(self._sink(writer), writer.drain)
        return writer

    def _open_writers(self) -> Writer:
        self._stderr = None if one_terminal() else Writer(2, lambda _: None)
        self._rendered = True
        return Writer(1, self._on_lost)

    def _sink(self, writer: Writer) -> Callable[[list[Event]], None]:
        """Return what renders a run for a person, or for a script."""
        shown = self._stderr.write if self._stderr else writer.write

        def tell(text: bytes) -> None:
            if not self._left:
                shown(text)

        return rendering(
            chosen_mode(self._options.output),
            writer.write,
            _drop if self._options.quiet else tell,
            object_only=self._opening.request.schema is not None,
            plain=self._options.plain,
            hide=self._hide,
        )

    def _hide(self, text: str) -> str:
        plan = self._opening.plan
        return plan.redactor.whole(text) if plan else text

    def line_sink(self, writer: Writer) -> Callable[[bytes], None]:
        """Return what writes lines to stdout, and long waits to the terminal on stderr."""
        if self._options.quiet or not os.isatty(2) or one_file():
            return writer.write

        def write(lines: bytes) -> None:
            writer.write(lines)
            if lines.startswith(_RETRY):
                from ..output.wording import long_wait

                self._to_stderr(long_wait(lines))

        return write

    def tell_failure(self, ended: Event) -> None:
        """Write the error of a run with JSON on stdout to stderr, where a person sees it."""
        if self._rendered or self._options.quiet or ended.type != "error":
            return
        if ended.code == "cancelled" and ended.signal in _UNTOLD:
            return
        if self._lost is not None or one_file():
            return
        from ..output.wording import diagnostics
        from ..secrets.masking import mask

        plan = self._opening.plan
        text = diagnostics(ended)
        self._to_stderr(mask(plan.redactor.whole(text) if plan else text))

    def _to_stderr(self, text: str) -> None:
        if text:
            self._stderr = self._stderr or Writer(2, lambda _: None)
            self._stderr.write(text.encode(errors="replace"))

    def _tell_unread(self) -> None:
        """Emit one notice if stdin holds data that was not read."""
        if self._unread or self._options.source.uses_stdin or not unread_input():
            return
        self._unread = True
        self._opening.emitter.emit(
            Notice(
                code="stdin_ignored",
                text="stdin has data that was not read: add --stdin, or - after the prompt",
                flag="--stdin",
            )
        )

    def _work(self) -> Event:
        opening = self._opening
        try:
            import asyncio

            from ..output.log import log_to_stderr

            if opening.plan is not None:
                log_to_stderr(opening.plan.redactor, debug=self._options.debug)
            approver = self._approver(opening.plan)
            # Not asyncio.run: it would wait for a thread that is stuck on a slow name server.
            loop = asyncio.new_event_loop()
            wake_by_signals(loop)
            ended = loop.run_until_complete(opening.execute(approver, self._tell_unread))
        except Exception as error:  # A broken installation also ends with an event.
            if opening.terminal is not None:
                raise
            ended = opening.fail(internal(error))
        if ended.code == "timeout":
            self._last_words = time.monotonic() + LAST_WORDS
        return ended

    def _approver(self, plan: Plan | None) -> Approver | None:
        if plan is None or plan.on_ask != "prompt":
            return None
        from ..output.terminal_approval import TerminalApprover, has_terminal

        if not has_terminal():
            return None
        assert self._writer
        return TerminalApprover(self._writer.flush, os.environ, plan.redactor, self.SPAN)

    def _listen(self) -> None:
        for number in SIGNALS:
            # A signal that was ignored at start stays ignored (nohup, `&` in a script).
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._signal is not None:
            if now - self._signalled_at > SAME_PRESS:
                _leave_at_once(number)
            return
        self._signal, self._signalled_at = number, now
        self._last_words = now + LAST_WORDS
        name = signal.Signals(number).name
        self._cancel(Cancelled(f"cancelled by {name}", signal=number))

    def _on_lost(self, failure: OSError) -> None:
        self._lost = failure
        if self._left:
            self._cancel(Cancelled("the reader of stdout went away", signal=signal.SIGPIPE))
        else:
            self._cancel(OutputError(f"stdout cannot be written: {failure.strerror}"))

    @property
    def _left(self) -> bool:
        """Whether the reader of stdout went away, which ends a program without a word."""
        return self._lost is not None and self._lost.errno in (errno.EPIPE, None)

    def _cancel(self, why: A3SError) -> None:
        self._opening.cancel(why)

    def _leave(self, writer: Writer, status: int) -> NoReturn:
        """Wait until the reader has the rest, then exit with the run's status."""
        if self._last_words is not None:
            self._last_words = time.monotonic() + LAST_WORDS
        self._tell_head(self._stderr or writer)
        taken = writer.close(self._patience)
        if self._stderr is not None:
            last = time.monotonic() + LAST_LINE
            self._stderr.close(lambda: last - time.monotonic())
        self._opening.kept.close()
        if self._signal is not None and (status == 128 + self._signal or not taken):
            die_of(self._signal)
        if self._left:
            die_of(signal.SIGPIPE)
        if self._lost is not None and status < 128:
            # A failure found only now has no event that a rendering could show.
            if not self._rendered or status != ExitStatus.OUTPUT:
                complain(f"stdout cannot be written: {self._lost.strerror}")
            os._exit(ExitStatus.OUTPUT)
        os._exit(status)

    def _tell_head(self, error: Writer) -> None:
        """Report the recording's head in raw and pretty; in json, the terminal event has it."""
        recording = self._opening.recording
        told = self._rendered and not self._options.quiet
        if told and recording is not None and recording.complete:
            error.write(f"a3s: recorded in {recording}, head {recording.head}\n".encode())

    def _patience(self) -> float | None:
        return None if self._last_words is None else self._last_words - time.monotonic()


def keep_stdout(plan: Plan | None) -> None:
    """Send what the code of plug-ins prints to stderr: stdout is the stream's alone."""
    if plan is not None and plan.config.get("plugins"):
        sys.stdout = sys.stderr  # noqa: TID251 - nothing is written, a stranger is kept away


def _drop(_: bytes) -> None:
    """Write nothing."""


def wake_by_signals(loop: AbstractEventLoop) -> None:
    """Let a signal wake the loop even if it arrives just before the loop starts to wait."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    loop.add_reader(woken, os.read, woken, 4096)


def _leave_at_once(number: int) -> NoReturn:
    if (keys := sys.modules.get("a3s_cli.output.keys")) is not None:
        keys.restore()
    if (process := sys.modules.get("a3s_cli.processes.spawner")) is not None:
        process.kill_all()
    die_of(number)


def enter(directory: str, option: str = "-C") -> None:
    """Change to the directory of an option. Raises UsageError."""
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"{option} {directory}: {error.strerror}") from None


def workspace() -> Path:
    """Return the working directory. Raises UsageError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None
