"""The only spawner: every child process of a3s is started, bounded and ended here.

Each command runs under `supervisor.py`, which holds the command's whole tree and
listens on its standard input: a byte or the end of that pipe ends the tree. So
no pid can be mistaken, in a test or in a host process, and a3s cannot die in a
way that leaves orphans. The only process ever signalled from here is one of our
own supervisors that no longer responds because a hostile command stopped it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess  # noqa: TID251  # this is the one place
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from ..values import Value
from .time_limit import TimeLimit

SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
#: Seconds between SIGTERM and SIGKILL.
GRACE = 0.4
#: Seconds in which a command's last words have to come after its deadline.
PATIENCE = GRACE + 0.8
#: Seconds after which a supervisor that was told to end is killed, and after which we stop
#: waiting. A busy machine makes it slow, and what has detached itself would survive it.
DESPAIR, GIVE_UP = 20.0, 22.0
#: Seconds between two looks whether a supervisor is still there.
HEARTBEAT = 0.25
#: Seconds between two such looks while it ends.
MOMENT = 0.05
READ_SIZE = 256 * 1024

Receive = Callable[[bytes], Awaitable[None]]
_live: set[Child] = set()


class Confinement(Value):
    """What a command needs that runs another one in a namespace of its own.

    The command inherits the `descriptors`. The supervisor touches the file `beat` for
    as long as anything of the command lives, so that its time says until when; and
    with `scoped` nothing in there reaches abstract sockets or processes outside,
    where the kernel can see to that.
    """

    descriptors: Sequence[int] = ()
    beat: str = ""
    scoped: bool = False


class Finished(Value):
    """How a command ended: its own exit code (128 + n for a signal), or our reason."""

    exit_code: int
    reason: Literal["timeout"] | None = None
    #: The files that it has changed, if what confined it knows.
    changed: Sequence[str] | None = None


async def run(  # noqa: PLR0913
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float | None,
    receive: Receive,
    merge_stderr: bool = True,
    confinement: Confinement | None = None,
    stdin: int | None = None,
) -> Finished:
    """Run a command to its end and hand over its output piece by piece.

    Its stdin is empty unless a descriptor is given (`as_file`). With `merge_stderr`
    stderr shares the pipe of stdout, else it is dropped. After `timeout` seconds, or when
    the task is cancelled, the whole tree is ended: TERM, a grace, KILL. A command that
    cannot be started ends with 126 or 127, as in a shell.
    """
    stderr = subprocess.STDOUT if merge_stderr else subprocess.DEVNULL
    child = spawn(argv, cwd, environment, stderr, confinement, stdin)
    try:
        async with TimeLimit(timeout):
            await _read(child, receive)
            return Finished(await _status(child))
    except TimeoutError:
        # What a command prints on being told to end is part of its output.
        child.order(b"T")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await _read(child, receive)
        return Finished(124, "timeout")
    finally:
        await end(child)


@contextlib.contextmanager
def as_file(data: bytes) -> Iterator[int]:
    """Yield a descriptor for a command's stdin that holds these bytes.

    It is a file without a name: a pipe would have to be filled while the command reads.
    """
    from tempfile import TemporaryFile

    with TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file.fileno()


class Service:
    """A child that lives beside the run: the same supervision, for as long as it is wanted."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._said = b""

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stderr: Path | None = None,
        confinement: Confinement | None = None,
    ) -> Service:
        """Start a service whose stderr goes to a file, or nowhere."""
        if stderr is None:
            return cls(spawn(argv, cwd, environment, subprocess.DEVNULL, confinement))
        with stderr.open("wb") as file:
            return cls(spawn(argv, cwd, environment, file.fileno()))

    async def readline(self) -> bytes:
        """Return the next line of its stdout; empty at the end."""
        while b"\n" not in self._said:
            if not (data := await self._child.read()):
                break
            self._said += data
        line, end, self._said = self._said.partition(b"\n")
        return line + end

    async def read_exactly(self, count: int) -> bytes:
        """Return the next `count` bytes of its stdout; raise EOFError if it ends before."""
        pieces, size = [self._said], len(self._said)
        while size < count:
            if not (data := await self._child.read()):
                raise EOFError
            pieces.append(data)
            size += len(data)
        said = b"".join(pieces)
        self._said = said[count:]
        return said[:count]

    async def stop(self) -> None:
        """End it and everything that it started."""
        await end(self._child)


def start_lasting(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stderr: Path
) -> subprocess.Popen[bytes]:
    """Start a process that may outlive us and has to end by itself; its stderr goes to a file."""
    with stderr.open("wb") as file:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )


def kill_all() -> None:
    """Order every live tree to be killed without a grace; does not wait."""
    for child in list(_live):
        child.order(b"K")


class Child:
    """A supervisor, from its birth to its end, with nothing between us and the kernel.

    asyncio's own children would do, but for what happens when the task that starts
    one is cancelled: asyncio kills the supervisor, without which its tree lives on, and
    then waits for pipes that this tree holds. And a loop that is closed cancels what
    a start of asyncio's waits for. A start of ours waits for nothing.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self._lifeline, self._output = process.stdin, process.stdout
        os.set_blocking(self._output.fileno(), False)
        #: Whether a task is waiting for its output.
        self.reading = False

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal, if it has; 255 if a host took that away."""
        process = self._process
        if process.returncode is None:
            try:
                pid, status = os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                process.returncode = 255
            else:
                process.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return process.returncode

    async def read(self) -> bytes:
        """Return the next piece of its output; empty at the end."""
        self.reading = True
        try:
            while True:
                await self._readable()
                if (data := self._output.read(READ_SIZE)) is not None:
                    return data
        finally:
            self.reading = False

    def read_now(self) -> bytes:
        """Return the next piece of its output that is there; empty if there is none."""
        return self._output.read(READ_SIZE) or b""

    async def _readable(self) -> None:
        loop, descriptor = asyncio.get_running_loop(), self._output.fileno()
        ready = loop.create_future()
        loop.add_reader(descriptor, _settle, ready)
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)

    def order(self, order: bytes) -> None:
        """Order the end of the tree; safe in a signal handler."""
        if not self._lifeline.closed:
            with contextlib.suppress(OSError):
                self._lifeline.write(order)
            self._lifeline.close()

    def signal(self, number: int) -> None:
        """Signal the supervisor, whose pid is its own for as long as we have not looked."""
        if self.returncode is None:
            os.kill(self._process.pid, number)

    @property
    def stopped(self) -> bool:
        """Whether it is stopped; assumed where the system does not tell."""
        try:
            with open(f"/proc/{self._process.pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
        except OSError:
            return sys.platform != "linux"

    def close(self) -> None:
        """Close its output."""
        if not self.reading:
            self._output.close()


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def spawn(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    stderr: int,
    confinement: Confinement | None = None,
    stdin: int | None = None,
) -> Child:
    options = [] if stdin is None else ["--stdin", str(stdin)]
    descriptors = [] if stdin is None else [stdin]
    if confinement:
        options.append("--confined")
        options += ["--beat", confinement.beat] if confinement.beat else []
        options += ["--scoped"] if confinement.scoped else []
        descriptors += confinement.descriptors
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", SUPERVISOR, str(GRACE), *options, "--", *argv],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        env=dict(environment),
        # Ctrl-C in a terminal reaches a3s alone, which decides what to pass on.
        start_new_session=True,
        pass_fds=descriptors,
    )
    child = Child(process)
    _live.add(child)
    return child


async def _read(child: Child, receive: Receive) -> None:
    """Hand over the output until it ends, or until no process is left that could end it.

    The pipe stays open as long as any process has it. Normally that is the
    supervisor, last of all; if that was killed, what has escaped may hold it
    for ever.
    """
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT):
                data = await child.read()
        except TimeoutError:
            if child.returncode is None:
                continue
            # If we were stopped meanwhile, there is more, and then the end.
            data = child.read_now()
        if not data:
            return
        await receive(data)


async def _status(child: Child) -> int:
    """Wait for the supervisor to exit and return the command's exit status."""
    pause = 0.001
    while (code := child.returncode) is None:
        await asyncio.sleep(pause)
        pause = min(2 * pause, HEARTBEAT)
    return code if code >= 0 else 128 - code


async def end(child: Child) -> None:
    """End the tree and wait until it is gone, even if cancelled again meanwhile."""
    child.order(b"T")
    told = time.monotonic()
    cancelled = None
    while child.returncode is None and (passed := time.monotonic() - told) < GIVE_UP:
        try:
            await forget(child)
        except asyncio.CancelledError as again:
            cancelled = again
        if passed > DESPAIR:
            child.signal(signal.SIGKILL)
        elif child.stopped:
            child.signal(signal.SIGCONT)
    child.close()
    _live.discard(child)
    if cancelled:
        raise cancelled


async def forget(child: Child) -> None:
    """Discard output for a moment: a full pipe would block the supervisor."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MOMENT):
            # A service's owner may be waiting for a line, and then reads the output itself.
            if child.reading or not await child.read():
                await asyncio.sleep(MOMENT / 10)
