"""`a3s batch` as a process: stdout, signals, progress on stderr, the exit status.

The first signal ends the batch: what runs is cancelled, the last line is written, and the
process dies of the signal. A second one leaves at once; the workers notice, and end with
everything that they run. A reader that goes away ends the batch as well.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..batch.output import Output
from ..batch.prepared import BatchRequest, Prepared
from ..batch.shard import Shard
from ..batch.source import Source
from ..errors import A3SError, Cancelled, ExitStatus, OutputError, UsageError
from ..output.choice import one_file
from ..output.person import complain
from ..output.writer import Writer
from ..processes.exit import die_of
from ..run.plan import chosen_tools
from ..run.request import RunRequest
from ..values import Value
from .run import LAST_WORDS, SAME_PRESS, SIGNALS, enter, wake_by_signals, workspace

#: Seconds that the reader of the last line has after a signal.
PATIENCE = LAST_WORDS
#: Names in one message.
SHOWN = 5


class BatchOptions(Value):
    """What the command line asks for."""

    items: str
    request: dict[str, Any]
    batch: dict[str, Any]
    directory: str | None = None
    template: str | None = None
    shard: str | None = None
    cwd: str | None = None
    ship: str | None = None
    tools: str | None = None
    schema: str | None = None
    item_models: str | None = None
    progress: bool = False
    quiet: bool = False
    debug: bool = False


def batch(options: BatchOptions) -> NoReturn:
    """Run a batch and exit with its status."""
    asked = requested(options)
    prepared = Prepared(asked)
    if prepared.archive is not None and prepared.archive.withheld and not options.quiet:
        names = ", ".join(prepared.archive.withheld[:SHOWN])
        more = len(prepared.archive.withheld) - SHOWN
        complain(f"not shipped, as files of secrets: {names}" + f" and {more} more" * (more > 0))
    BatchProcess(options, prepared).run()


def requested(options: BatchOptions) -> BatchRequest:
    """Return the batch that a command line asks for. Raises UsageError."""
    # Before the change of directory: these paths are the user's own.
    source = Source(_absolute(options.items), options.template)
    default = BatchRequest.default_directory(options.items) if options.directory is None else None
    directory = Path(options.directory or default or "").absolute()
    shard = Shard() if options.shard is None else Shard.parse(options.shard)
    schema = None
    if options.schema is not None:
        from ..objects.schema import read_schema

        schema = read_schema(options.schema, prompt_uses_stdin=options.items == "-")
    if options.cwd is not None and options.ship is not None:
        raise UsageError("--ship DIR is the workspace, and -C names another one; give one of them")
    if (root := options.ship or options.cwd) is not None:
        enter(root, "-C" if options.ship is None else "--ship")
    request = RunRequest(
        **options.request,
        workspace=workspace(),
        tools=None if options.tools is None else chosen_tools(options.tools),
        schema=schema,
        conceals=True,
    )
    models = [one.strip() for one in (options.item_models or "").split(",")]
    return BatchRequest(
        source=source,
        request=request,
        directory=directory,
        shard=shard,
        item_models=tuple(filter(None, models)),
        ship=options.ship is not None,
        debug=options.debug,
        **options.batch,
    )


def _absolute(name: str) -> str:
    return name if name == "-" else str(Path.cwd() / name)


class BatchProcess:
    """The process around one batch."""

    def __init__(self, options: BatchOptions, prepared: Prepared) -> None:
        self._options = options
        self._prepared = prepared
        self._signal: int | None = None
        self._signalled_at = 0.0
        self._lost: OSError | None = None
        self._writer = Writer(1, self._on_lost)
        output = Output(self._writer.write, lambda: self._writer.pending, self._writer.drain)
        self._driver = prepared.driver(output)
        #: Until when the reader has time for what is left; None for no limit.
        self._until: float | None = None

    def run(self) -> NoReturn:
        """Run the batch and exit with its status."""
        for number in SIGNALS:
            # A signal that was ignored at start stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        loop = asyncio.new_event_loop()
        wake_by_signals(loop)
        status = loop.run_until_complete(self._work())
        self._leave(status)

    async def _work(self) -> int:
        progress = self._progress()
        watching = asyncio.create_task(progress()) if progress else None
        try:
            return await self._prepared.run(self._driver)
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    def _progress(self) -> Callable[[], Any] | None:
        if self._options.quiet:
            return None
        from ..batch.progress import on_lines, on_terminal

        def write(text: str) -> None:
            os.write(2, text.encode(errors="replace"))

        # On one terminal with the stream, a line that is drawn again would tear it apart.
        if os.isatty(2) and not (os.isatty(1) or one_file()):
            return lambda: on_terminal(self._driver, write)
        return (lambda: on_lines(self._driver, write)) if self._options.progress else None

    def _on_signal(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self._signal is not None:
            if now - self._signalled_at > SAME_PRESS:
                die_of(number)
            return
        self._signal, self._signalled_at = number, now
        self._until = now + 2 * PATIENCE
        name = signal.Signals(number).name
        self._driver.cancel(Cancelled(f"cancelled by {name}", signal=number))

    def _on_lost(self, failure: OSError) -> None:
        self._lost = failure
        why: A3SError = OutputError(f"stdout cannot be written: {failure.strerror}")
        if failure.errno in (errno.EPIPE, None):
            why = Cancelled("the reader of stdout went away", signal=signal.SIGPIPE)
        self._driver.cancel(why)

    def _leave(self, status: int) -> NoReturn:
        if self._until is not None:
            self._until = time.monotonic() + PATIENCE
        taken = self._writer.close(
            lambda: None if self._until is None else self._until - time.monotonic()
        )
        self._prepared.close()
        why = self._driver.why
        if self._signal is not None and (status == 128 + self._signal or not taken):
            die_of(self._signal)
        if self._lost is not None and self._lost.errno in (errno.EPIPE, None):
            die_of(signal.SIGPIPE)
        if self._lost is not None:
            complain(f"stdout cannot be written: {self._lost.strerror}")
            os._exit(ExitStatus.OUTPUT)
        if why is not None and not self._options.quiet and not one_file():
            complain(str(why), why.hint)
        os._exit(status)


def status(directory: str, show: Callable[[str], None], *, as_json: bool) -> None:
    """Show the progress of a batch."""
    from ..batch.results import state_of

    show(state_of(Path(directory)).told(as_json=as_json))


def results(directories: Sequence[str], show: Callable[[bytes], None], *, in_order: bool) -> None:
    """Print the results of one or more batches, merged by id."""
    from ..batch.results import merged

    for line in merged([Path(one) for one in directories], in_order=in_order):
        show(line)
