"""Runs a command in namespaces of its own, using bubblewrap.

Between bubblewrap and the command stands a shell. When the command ends,
bubblewrap kills whatever is left in the namespace at once; the shell waits a
moment before, so that what the command left behind may end by itself
(`> >(sort)`), as it may without a sandbox. And it is the process that `$PPID`
names.

The arguments and the filter are passed through descriptors: a command can read
the arguments and the environment of process 1, which is bubblewrap.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.protected import places, repositories
from . import hidden, seccomp
from .view import View

if TYPE_CHECKING:
    from ..processes.spawner import Finished
    from .reading import Reading

#: What every confined command gets.
FLAGS = (
    "--unshare-user",
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
NO_NETWORK = "--unshare-net"
SHELL = "/bin/sh"
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


class Bubblewrap:
    """Confines the commands of one run; a `Sandbox`.

    `environment` is our own: it says where homes and sockets are. Where a
    command looks for programs is in the one that `run` is given.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        program: str,
        environment: Mapping[str, str],
        network: bool = True,
        read_only: bool = False,
        read_only_files: Sequence[Path] = (),
        hidden_files: Sequence[Path] = (),
    ) -> None:
        self._workspace = os.path.realpath(workspace)
        self._program = program
        self._environment = dict(environment)
        self._network = network
        self._read_only = read_only
        self._read_only_files = [os.path.abspath(path) for path in read_only_files]
        self._hidden_files = [os.path.abspath(path) for path in hidden_files]
        self._nested: list[str] | None = None
        self._temporary: str | None = None
        self._running = 0
        self._view = View(self._workspace)
        #: Forgets that bubblewrap was usable, when it turns out that it is not.
        self.on_failure: Callable[[], None] = lambda: None

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float | None,
        receive: Callable[[bytes], Awaitable[None]],
    ) -> Finished:
        """Run a command as `process.run` does; 126 if it could not be confined and did not run."""
        from ..processes import spawner as process

        view = self._look(environment)
        self._running += 1
        try:
            with contextlib.ExitStack() as stack:
                ending, status = os.pipe()
                stack.callback(os.close, ending)
                stack.callback(os.close, status)
                os.set_blocking(ending, False)
                options = ["--json-status-fd", str(status), "--chdir", str(cwd)]
                descriptors, command = stack.enter_context(
                    launch(self._program, [*self._flags(), *view.arguments(), *options], argv)
                )
                finished = await process.run(
                    command,
                    cwd=cwd,
                    environment=environment,
                    timeout=timeout,
                    receive=receive,
                    confinement=process.Confinement(
                        view.held, view.watched, [*descriptors, status]
                    ),
                )
                # Bubblewrap tells of an end only if there was a beginning.
                if finished.exit_code != 1 or b'"exit-code"' in _read(ending):
                    return finished
        finally:
            self._running -= 1
        self.on_failure()
        return process.Finished(126)

    def reading(self, script: str) -> Reading:
        """Return a sandbox that lets a script read, and nothing else."""
        from .reading import Reading

        return Reading(self, self._workspace, script)

    def masked(self, files: Sequence[str]) -> Bubblewrap:
        """Return a sandbox like this one without these files, the right to write, a network."""
        other = Bubblewrap(
            Path(self._workspace),
            program=self._program,
            environment=self._environment,
            network=False,
            read_only=True,
            hidden_files=[*map(Path, self._hidden_files), *map(Path, files)],
        )
        # The temporary files are the run's, and go with it.
        other._temporary = self._directory()
        other.on_failure = self.on_failure
        return other

    def close(self) -> None:
        """Remove the temporary files of the run's commands."""
        if self._temporary is not None:
            from shutil import rmtree

            rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _flags(self) -> list[str]:
        return [*FLAGS] if self._network else [*FLAGS, NO_NETWORK]

    def _look(self, environment: Mapping[str, str]) -> View:
        """Decide what a command sees.

        Not while another one runs, which could exchange what we look at for a
        link before it is mounted; what was decided for the other is in force
        for it, too, and so can be relied on.
        """
        if not self._running:
            root = self._workspace.rstrip("/")
            if self._nested is None:
                self._nested = repositories(root or "/")
            protected = [*places(root or "/", self._nested), *self._read_only_files]
            # Where there is no key, one could be put.
            protected += hidden.personal(self._environment)
            temporary = [*hidden.TEMPORARY, environment.get("TMPDIR", "")]
            directory = self._directory()
            self._view = View(self._workspace, self._read_only)
            self._view.build(
                [*hidden.hidden(self._environment), *self._hidden_files, directory],
                hidden.shown(self._environment, environment.get("PATH", "")),
                protected,
                temporary,
            )
            self._view.keep(directory, temporary)
        return self._view

    def _directory(self) -> str:
        """Return the directory of temporary files, the same for all commands of the run."""
        if self._temporary is None:
            from tempfile import mkdtemp

            self._temporary = os.path.realpath(mkdtemp(prefix="a3s-"))
        return self._temporary


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


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""
