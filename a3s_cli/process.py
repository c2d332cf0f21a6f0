"""The only spawner: every child process of a3s is started, bounded and ended here.

Each command runs under `supervisor.py`, which holds the command's whole tree and
listens on its standard input: a byte or the end of that pipe ends the tree. So
there is no pid to get wrong, in a test or in somebody else's process, and a3s
cannot die in a way that leaves orphans. The one process that is ever signalled
from here is a supervisor of ours that does not listen any more, because a
hostile command has stopped it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from .values import Value

SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
#: Seconds between SIGTERM and SIGKILL.
GRACE = 0.4
#: Seconds in which a supervisor has to be gone after it was told to end, before it is helped.
PATIENCE = GRACE + 0.8
#: Seconds between two looks whether a supervisor is still there.
HEARTBEAT = 0.25
READ_SIZE = 256 * 1024

Receive = Callable[[bytes], Awaitable[None]]
_live: set[asyncio.subprocess.Process] = set()


class Confinement(Value):
    """What a command needs that runs another one in a namespace of its own.

    The supervisor sees to it that there is something at the `held` paths while the
    command runs, and that the `watched` ones are at its end as they were. The
    command inherits the `descriptors`.
    """

    held: Sequence[str] = ()
    watched: Sequence[str] = ()
    descriptors: Sequence[int] = ()


class Finished(Value):
    """How a command ended: its own exit code (128 + n for a signal), or our reason."""

    exit_code: int
    reason: Literal["timeout"] | None = None


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float | None,
    receive: Receive,
    merge_stderr: bool = True,
    confinement: Confinement | None = None,
) -> Finished:
    """Run a command to its end and hand over its output piece by piece.

    Its stdin is empty. With `merge_stderr` stderr shares the pipe of stdout,
    else it is dropped. After `timeout` seconds, or when the task is cancelled,
    the whole tree is ended: TERM, a grace, KILL. A command that cannot be
    started ends with 126 or 127, as in a shell.
    """
    stderr = asyncio.subprocess.STDOUT if merge_stderr else asyncio.subprocess.DEVNULL
    child = await _spawn(argv, cwd, environment, stderr, confinement)
    try:
        async with asyncio.timeout(timeout):
            await _read(child, receive)
            return Finished(await _status(child))
    except TimeoutError:
        # What a command prints on being told to end is part of its output.
        _order(child, b"T")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await _read(child, receive)
        return Finished(124, "timeout")
    finally:
        await _end(child)


class Service:
    """A child that lives beside the run: the same supervision, for as long as it is wanted."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
    ) -> Service:
        """Start a service whose stderr goes to a file, or nowhere."""
        if stderr is None:
            return cls(await _spawn(argv, cwd, environment, asyncio.subprocess.DEVNULL))
        with stderr.open("wb") as file:
            return cls(await _spawn(argv, cwd, environment, file.fileno()))

    async def readline(self) -> bytes:
        """Give the next line of its stdout; empty when it is gone."""
        assert self._child.stdout
        return await self._child.stdout.readline()

    async def stop(self) -> None:
        """End it and everything that it started."""
        await _end(self._child)


def kill_all() -> None:
    """Order every live tree to be killed without a grace; does not wait."""
    for child in list(_live):
        _order(child, b"K")


async def _spawn(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    stderr: int,
    confinement: Confinement | None = None,
) -> asyncio.subprocess.Process:
    options = []
    if confinement:
        options.append("--confined")
        options += [word for path in confinement.held for word in ("--hold", path)]
        options += [word for path in confinement.watched for word in ("--watch", path)]
    child = await asyncio.create_subprocess_exec(  # noqa: TID251  # this is the one place
        *(sys.executable, "-I", "-S", SUPERVISOR, str(GRACE), *options, "--", *argv),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        env=dict(environment),
        # Ctrl-C in a terminal is for a3s to hear, and then for nobody but us to pass on.
        start_new_session=True,
        pass_fds=confinement.descriptors if confinement else (),
        limit=READ_SIZE,
    )
    _live.add(child)
    return child


def _order(child: asyncio.subprocess.Process, order: bytes) -> None:
    assert child.stdin
    with contextlib.suppress(OSError, RuntimeError):
        child.stdin.write(order)
        child.stdin.close()


async def _read(child: asyncio.subprocess.Process, receive: Receive) -> None:
    """Hand over the output until its end, or until nobody is left to bring it to one.

    The pipe stays open as long as any process has it. Normally that is the
    supervisor, last of all; if that was killed, what has escaped may hold it
    for ever.
    """
    assert child.stdout
    while True:
        reading = asyncio.ensure_future(child.stdout.read(READ_SIZE))
        try:
            while not (await asyncio.wait({reading}, timeout=HEARTBEAT))[0]:
                if child.returncode is not None:
                    return
            data = reading.result()
        finally:
            reading.cancel()
        if not data:
            return
        await receive(data)


async def _status(child: asyncio.subprocess.Process) -> int:
    """Give the command's exit status once the supervisor has gone."""
    waiting = asyncio.ensure_future(child.wait())
    try:
        # asyncio tells of an end only once the pipes are closed; the code is there before.
        while child.returncode is None:
            await asyncio.wait({waiting}, timeout=HEARTBEAT)
    finally:
        waiting.cancel()
    code = child.returncode
    return code if code >= 0 else 128 - code


async def _end(child: asyncio.subprocess.Process) -> None:
    """Have the tree ended and wait for that, also while being cancelled again."""
    _order(child, b"T")
    gone = asyncio.ensure_future(_gone(child))
    cancelled = None
    # A supervisor that was stopped cannot hear: it is woken, and in the end given up.
    for remedy in (signal.SIGCONT, signal.SIGKILL, None):
        try:
            await asyncio.wait({gone}, timeout=PATIENCE)
        except asyncio.CancelledError as again:
            cancelled = again
            await asyncio.wait({gone}, timeout=PATIENCE)
        if gone.done():
            break
        if remedy is not None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(remedy)
    gone.cancel()
    _live.discard(child)
    if cancelled:
        raise cancelled


async def _gone(child: asyncio.subprocess.Process) -> None:
    """Wait for the supervisor's end; unread output would keep asyncio from telling of it."""

    async def forget(_: bytes) -> None:
        pass

    # Whoever waits for a line of it already, as a service's owner may, reads it as well.
    with contextlib.suppress(RuntimeError):
        await _read(child, forget)
    await _status(child)
