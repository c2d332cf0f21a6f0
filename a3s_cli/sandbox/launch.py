"""How bubblewrap is started, and how it and we hear of each other.

Between bubblewrap and the command stands a shell. When the command ends,
bubblewrap kills whatever is left in the namespace at once; the shell waits a
moment before, so that what the command left behind may end by itself
(`> >(sort)`), as it may without a sandbox. And it is the process that `$PPID`
names.

The arguments and the filter are passed through descriptors: a command can read
the arguments and the environment of process 1, which is bubblewrap.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Iterator, Sequence

from . import seccomp

#: What every confined command gets.
_ALWAYS = (
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--cap-drop",
    "ALL",
    "--die-with-parent",
    # Its own session: no terminal to type into, and `kill 0` ends nothing of ours.
    "--new-session",
)
FLAGS = ("--unshare-user", *_ALWAYS)
#: For root among files of other users: in a user namespace they would belong to nobody, and
#: nothing could be written. Instead root keeps what it takes to use files, and nothing else.
FOREIGN_FLAGS = (
    *_ALWAYS,
    *("--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_CHOWN", "--cap-add", "CAP_FOWNER"),
)
NO_NETWORK = "--unshare-net"
SHELL = "/bin/sh"
#: Seconds between two looks whether bubblewrap has said something.
_MOMENT = 0.001
#: Seconds after which a process that survives SIGKILL is left to the kernel.
_GIVE_UP = 5.0
_CHILD = re.compile(rb'"child-pid": (\d+)')
#: Two processes are always there: the first one and the shell. 0.2 s, as in the supervisor.
_SCRIPT = """\
trap : HUP INT QUIT TERM
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
status=$? tries=0
while set -- /proc/[0-9]*; [ $# -gt 2 ] && [ $tries -lt 10 ]; do
  sleep 0.02; tries=$((tries + 1))
done
exit $status
"""


@contextlib.contextmanager
def launch(
    program: str, options: Sequence[str], argv: Sequence[str]
) -> Iterator[tuple[list[int], list[str]]]:
    """Yield the descriptors to inherit, and the command line that runs `argv` confined."""
    with contextlib.ExitStack() as stack:
        descriptors = []
        arguments = [*options]
        if (filter_ := seccomp.program()) is not None:
            descriptors.append(stack.enter_context(_file(filter_)))
            arguments += ["--seccomp", str(descriptors[-1])]
        content = b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
        descriptors.append(stack.enter_context(_file(content)))
        command = [program, "--args", str(descriptors[-1]), "--"]
        yield descriptors, [*command, SHELL, "-c", _SCRIPT, "sh", *argv]


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[int]:
    """Yield a descriptor from which this content can be read once."""
    descriptor = os.memfd_create("a3s")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


class Status:
    """The pipe through which bubblewrap tells of the sandbox's first process and of its end."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._ending, self.write = os.pipe()
        stack.callback(os.close, self._ending)
        stack.callback(os.close, self.write)
        os.set_blocking(self._ending, False)
        self._said = b""

    def read(self) -> bytes:
        """Return what it has told so far."""
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._ending, 65536)
        return self._said

    async def child(self) -> int:
        """Wait for the pid of the sandbox's first process."""
        while True:
            if (found := _CHILD.search(self.read())) is not None:
                return int(found[1])
            await asyncio.sleep(_MOMENT)


class Gate:
    """What a confined command waits for: a pipe that never ends, even if we do."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        read, self._write = os.pipe()
        stack.callback(os.close, self._write)
        try:
            self.descriptor = os.open(f"/proc/self/fd/{read}", os.O_RDWR | os.O_CLOEXEC)
        finally:
            os.close(read)
        stack.callback(os.close, self.descriptor)

    def open(self) -> None:
        """Let the command begin."""
        os.write(self._write, b"x")


class Life:
    """The sandbox's first process, with which every other one in there dies.

    The supervisor waits for all of them. Where it was killed they die as well, but
    nothing says when; the kernel tells of the first one's end after that of the others.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._process = -1

    def follow(self, pid: int) -> None:
        """Follow a process that has not begun yet."""
        with contextlib.suppress(OSError, AttributeError):
            self._process = os.pidfd_open(pid)
            self._stack.callback(os.close, self._process)

    def kill(self) -> None:
        """Kill it, and with it a sandbox in which no command has begun."""
        if self._process >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    async def over(self) -> None:
        """Wait until nothing of the sandbox lives; a process that cannot die is given up."""
        if self._process < 0:
            return
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_reader(self._process, over.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GIVE_UP):
                    await over.wait()
        finally:
            loop.remove_reader(self._process)
