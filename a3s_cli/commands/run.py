"""A run as a process: stdout, signals, the deadline of a reader, the exit status.

What a shell sees is decided here and only here. The first signal cancels the
run, which still ends with its event and then the process dies of that very
signal, so that a shell loop stops with it. A reader that goes away cancels the
run at once. A second signal leaves immediately: the supervisors of the tools
notice by themselves.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..config.layers import load
from ..config.settings import Config
from ..errors import (
    A3SError,
    Cancelled,
    ConfigError,
    ExitStatus,
    OutputError,
    SessionBusy,
    UsageError,
    internal,
)
from ..events import Event, Notice
from ..output.choice import chosen_mode, one_terminal, rendering
from ..output.writer import Writer
from ..processes.exit import complain, die_of
from ..run.kept import Kept, keep
from ..run.plan import Plan, chosen_tools, start_event
from ..run.prompt_source import read_prompt, unread_input
from ..run.request import Request, RunOptions, run_plan
from ..sandbox.environment import held_secrets, too_short
from ..secrets.redaction import Redactor
from ..stream.emitter import Emitter

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..permissions.approval import Approver
    from ..run.run import Run
    from ..stream.recorder import Recording

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds that a reader has to take the terminal event once a signal or a deadline has come.
LAST_WORDS = 2.0
#: Seconds that whoever reads stderr has at the very end.
LAST_LINE = 1.5
#: Seconds within which one key press may arrive as two signals (a wrapper passes it on).
SAME_PRESS = 0.05


def run(options: RunOptions) -> NoReturn:
    """Do one run and end the process as its verdict says."""
    if options.cwd is not None:
        _enter(options.cwd)
    tools = chosen_tools(options.tools)
    schema = None
    if options.schema is not None:
        from ..objects.schema import read_schema

        schema = read_schema(options.schema, prompt_uses_stdin=options.source.uses_stdin)
    Process(options, Request(read_prompt(options.source), tools, schema)).run()


class Process:
    """The process around one run."""

    def __init__(self, options: RunOptions, request: Request) -> None:
        self._options = options
        self._request = request
        self._emitter = Emitter()
        self._run: Run | None = None
        # What has happened to us, and when a signal or the deadline started the last clock.
        self._signal: int | None = None
        self._signalled_at = 0.0
        self._lost: OSError | None = None
        self._last_words: float | None = None
        self._why: A3SError | None = None
        self._writer: Writer | None = None
        self._stderr: Writer | None = None
        self._recording: Recording | None = None
        self._kept = Kept()
        # Whether the rendering says on stderr what went wrong.
        self._rendered = False
        # Whether the notice `stdin_ignored` has been given.
        self._unread = False

    def run(self) -> NoReturn:
        """Emit `start`, do the work, emit the end, and go."""
        workspace = _workspace()
        failure: A3SError | None = None
        plan: Plan | None = None
        config: Config | None = None
        try:
            config = load(
                self._options.settings,
                os.environ,
                workspace,
                config_file=self._options.config_file,
                permissions=self._options.permissions,
                project=self._options.project,
            )
            plan = run_plan(self._options, self._request, config, workspace)
            self._kept = self._keep(plan)
        except (ConfigError, SessionBusy) as error:
            failure = error
        named = self._options.settings.get("redact_env", ())
        redactor = Redactor(held_secrets(config, os.environ, named))
        self._emitter.redact(redactor)
        if self._options.record is not None:
            self._record(Path(self._options.record))
        self._kept.begin(self._emitter)
        writer = self._open_output()
        self._listen()
        self._emitter.emit(
            start_event(self._request.prompt, workspace, plan, session_id=self._kept.id)
        )
        self._notices(config, named)
        if plan is None or failure is not None:
            assert failure
            status = self._fail(failure)
        else:
            status = self._work_or_fail(plan)
        self._kept.end_run()
        self._leave(writer, status)

    def _keep(self, plan: Plan) -> Kept:
        if not self._options.keep_session:
            return Kept()
        return keep(os.environ, plan.workspace, plan.redactor.whole, resume=self._options.session)

    def _record(self, path: Path) -> None:
        from ..stream.recorder import Recording

        self._recording = Recording.create(path, self._cancel)
        self._emitter.record(self._recording)

    def _open_output(self) -> Writer:
        writer = self._writer = Writer(1, self._on_lost)
        mode = chosen_mode(self._options.output)
        if mode == "json":
            self._emitter.add_line_sink(writer.write, writer.drain)
            return writer
        self._stderr = None if one_terminal() else Writer(2, lambda _: None)
        self._rendered = True
        error = self._stderr.write if self._stderr else writer.write
        shaped = self._request.schema is not None
        sink = rendering(mode, writer.write, error, os.environ, object_only=shaped)
        self._emitter.add_event_sink(sink, writer.drain)
        return writer

    def _notices(self, config: Config | None, named: Sequence[str]) -> None:
        for notice in config.notices if config else ():
            self._emitter.emit(Notice(code=notice.code, text=notice.text, **notice.fields))
        for name in too_short(os.environ, named):
            text = f"--redact-env {name}: its value is too short to be hidden"
            self._emitter.emit(Notice(code="secret_too_short", text=text, key=name))
        self._kept.tell(self._emitter)
        self._unread = self._tell_unread()

    def _tell_unread(self) -> bool:
        if self._options.source.uses_stdin or not unread_input():
            return False
        self._emitter.emit(
            Notice(
                code="stdin_ignored",
                text="stdin has data that was not read: add --stdin, or - after the prompt",
                flag="--stdin",
            )
        )
        return True

    def _fail(self, failure: A3SError) -> int:
        from ..run.terminal_event import error_event

        def told(failure: A3SError) -> Event:
            return error_event(failure, duration_ms=self._emitter.elapsed_ms())

        return int(self._emitter.end(told(failure), told).exit_code)

    def _work_or_fail(self, plan: Plan) -> int:
        try:
            return self._work(plan)
        except Exception as error:  # A broken installation ends in an event as well.
            if self._run is not None and self._run.terminal is not None:
                raise
            return self._fail(internal(error))

    def _work(self, plan: Plan) -> int:
        import asyncio

        from ..run.run import Run
        from ..secrets.log import log_to_stderr

        log_to_stderr(plan.redactor, debug=self._options.debug)
        self._run = Run(
            plan,
            self._emitter,
            conversation=self._kept.conversation,
            approver=self._approver(plan),
            before_end=self._before_end,
        )
        if self._why is not None:
            self._run.cancel(self._why)
        # Not asyncio.run: it would wait for a thread that a slow name server holds up.
        loop = asyncio.new_event_loop()
        _wake_by_signals(loop)
        loop.run_until_complete(self._run.execute())
        assert self._run.terminal
        if self._run.terminal.code == "timeout":
            self._last_words = time.monotonic() + LAST_WORDS
        return int(self._run.terminal.exit_code)

    def _approver(self, plan: Plan) -> Approver | None:
        if plan.on_ask != "prompt":
            return None
        from ..output.terminal_approval import TerminalApprover, has_terminal

        if not has_terminal():
            return None
        assert self._writer
        return TerminalApprover(self._writer.flush, os.environ, plan.redactor)

    def _before_end(self) -> None:
        self._kept.tell(self._emitter)
        if not self._unread:
            self._tell_unread()

    def _listen(self) -> None:
        for number in SIGNALS:
            # A signal that was ignored when we came stays ignored (nohup, `&` in a script).
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
        if failure.errno in (errno.EPIPE, None):
            self._cancel(Cancelled("the reader of stdout went away", signal=signal.SIGPIPE))
        else:
            self._cancel(OutputError(f"stdout cannot be written: {failure.strerror}"))

    def _cancel(self, why: A3SError) -> None:
        self._why = self._why or why
        if self._run is not None:
            self._run.cancel(why)

    def _leave(self, writer: Writer, status: int) -> NoReturn:
        """Let the reader take the rest, then end as the verdict says."""
        if self._last_words is not None:
            self._last_words = time.monotonic() + LAST_WORDS
        self._tell_head(self._stderr or writer)
        taken = writer.close(self._patience)
        if self._stderr is not None:
            last = time.monotonic() + LAST_LINE
            self._stderr.close(lambda: last - time.monotonic())
        self._kept.close()
        if self._signal is not None and (status == 128 + self._signal or not taken):
            die_of(self._signal)
        if self._lost is not None and self._lost.errno in (errno.EPIPE, None):
            die_of(signal.SIGPIPE)
        if self._lost is not None and status < 128:
            # A loss that was found only now has no event that a rendering could show.
            if not self._rendered or status != ExitStatus.OUTPUT:
                complain(f"stdout cannot be written: {self._lost.strerror}")
            os._exit(ExitStatus.OUTPUT)
        os._exit(status)

    def _tell_head(self, error: Writer) -> None:
        """Say in raw and pretty what the terminal event says in json."""
        recording = self._recording
        if self._rendered and recording is not None and recording.complete:
            error.write(f"a3s: recorded in {recording}, head {recording.head}\n".encode())

    def _patience(self) -> float | None:
        return None if self._last_words is None else self._last_words - time.monotonic()


def _wake_by_signals(loop: AbstractEventLoop) -> None:
    """Have a signal wake the loop even if it comes just before the loop begins to wait."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    loop.add_reader(woken, os.read, woken, 4096)


def _leave_at_once(number: int) -> NoReturn:
    if (process := sys.modules.get("a3s_cli.processes.spawner")) is not None:
        process.kill_all()
    die_of(number)


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"-C {directory}: {error.strerror}") from None


def _workspace() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None
