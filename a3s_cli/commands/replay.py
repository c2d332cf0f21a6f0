"""`a3s replay`: a recorded run, rendered as it was or in another format."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from contextlib import ExitStack
from typing import BinaryIO

from ..errors import A3SError, ExitStatus, InvalidStream, OutputError, UsageError
from ..jsontext import escaped
from ..output.choice import Mode, chosen_mode, one_terminal, rendering
from ..output.writer import Writer
from ..processes.exit import die_of
from ..stream.reader import lines_of, read


def replay(path: str, asked: Mode | None, *, plain: bool = False) -> int:
    """Render the recording at `path` (`-` is stdin), or a session; return the exit status.

    Lines are rendered as they arrive, so that a live stream can be followed.
    Raises `InvalidStream`, which names the first invalid line, after rendering
    everything before it.
    """
    lost: list[OSError] = []
    writer = Writer(1, lost.append)
    mode = chosen_mode(asked)
    same = one_terminal()
    stderr = None if same or mode == "json" else Writer(2, lambda _: None)
    error = stderr.write if stderr else writer.write
    show = None
    failure: InvalidStream | None = None
    try:
        with ExitStack() as stack:
            for line in read(lines_at(path, stack), path):
                writer.wait_for_room()
                if lost:
                    break
                if mode == "json":
                    writer.write(escaped(line.data))  # a stranger may have recorded it
                elif line.event is not None:
                    if show is None or line.event.type == "start":  # a session has several runs
                        show = rendering(mode, writer.write, error, plain=plain, uncut=True)
                    show([line.event])
    except InvalidStream as invalid:
        failure = invalid
    writer.close(lambda: None)
    if stderr:
        stderr.close(lambda: 0.5)
    _tell(lost)
    if failure:
        raise failure
    return ExitStatus.OK


def _tell(lost: list[OSError]) -> None:
    if lost and isinstance(lost[0], BrokenPipeError):
        die_of(signal.SIGPIPE)
    if lost:
        raise OutputError(f"stdout cannot be written: {lost[0].strerror}")


def lines_at(path: str, stack: ExitStack) -> Iterable[bytes]:
    """Return the lines of a recording, a session or stdin. Raises UsageError."""
    if path == "-":
        return lines_of(stack.enter_context(open(0, "rb", closefd=False)))
    try:
        return lines_of(stack.enter_context(_opened(path)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _opened(name: str) -> BinaryIO:
    """Open a recording, which may be that of a session. Raises OSError."""
    if "/" not in name and "." not in name and not os.path.lexists(name):
        from ..sessions.lines import regular
        from ..sessions.store import Store

        store = Store.find(os.environ)
        with contextlib.suppress(A3SError):
            return open(store.path(store.named(name)), "rb", opener=regular)
    return open(name, "rb")
