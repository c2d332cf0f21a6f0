"""Runs the commands of a run confined and guarded, using bubblewrap.

The guard records before a command and compares after it. Between the two stands one
attempt, or a few: a sandbox whose mounts are not those that were meant is ended
before the command in it begins, and set up anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.places import user_skills
from ..files.protected import resolved
from ..values import State, Value, field, replace
from . import caches, hidden, mounts
from .guarding import Guarding
from .launch import FLAGS, FOREIGN_FLAGS, NO_NETWORK, Gate, Life, Status, launch
from .roots import described
from .view import View

if TYPE_CHECKING:
    from ..guard.guard import Ended, Guard
    from ..guard.report import Report
    from ..processes.piped import Piped
    from ..processes.spawner import Finished
    from .reading import Reading

#: Seconds between two looks whether a child that is confined still lives.
_MOMENT = 0.02
#: Times that a sandbox is set up anew when something was exchanged meanwhile.
_TRIES = 3


class Command(Value):
    """What is run confined, as `spawner.run` takes it."""

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    timeout: float | None
    receive: Callable[[bytes], Awaitable[None]]


class Bubblewrap(State):
    """Confines the commands of one run; a `Sandbox`."""

    #: What may be written, the outermost of the workspace first.
    roots: Sequence[str]
    program: str
    #: Our own: it says where homes and sockets are. The search path is each command's.
    environment: Mapping[str, str] = field(repr=False)
    network: bool = True
    read_only: bool = False
    read_only_files: Sequence[Path] = ()
    hidden_files: Sequence[Path] = ()
    #: Whether we are root among files of other users.
    foreign: bool = False
    guarding: Guarding = field(default_factory=Guarding)
    workspace: str = ""
    #: Forgets that bubblewrap was usable, when it turns out that it is not.
    on_failure: Callable[[], None] = lambda: None
    _guard: Guard | None = None
    _temporary: str | None = None
    _caches: str | None = None
    _running: int = 0
    _told: bool = False
    _view: View | None = None
    _descriptors: dict[str, int] = field(default_factory=dict)

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float | None,
        receive: Callable[[bytes], Awaitable[None]],
        report: Callable[[Report], None] = lambda _: None,
    ) -> Finished:
        """Run a command as `spawner.run` does; 126 if it could not be confined and did not run.

        What the guard did about the places that it guards is handed to `report`.
        """
        command = Command(argv, cwd, environment, timeout, receive)
        guard = self._guarded()
        if guard is None:
            return await self._run(command, "")
        for one in await guard.begin():
            report(one)
        if guard.unrecorded and not self._told:
            from ..guard.report import Report

            self._told = True
            report(Report("unrecorded", self.roots[0], failure=guard.unrecorded))
        since = time.time_ns()
        try:
            finished = await self._run(command, guard.record.beat)
        finally:
            ended = await guard.end(since)
            for one in ended.reports:
                report(one)
        return replace(finished, changed=self._named(ended))

    def _named(self, ended: Ended) -> list[str] | None:
        """Return the files of the workspace that a command has changed, if any and if known."""
        from ..guard.changes import told

        as_it_was = {one.path for one in ended.reports if one.kind == "put_back" and not one.keys}
        return told(ended.changed, self.workspace or self.roots[0], as_it_was) or None

    async def _run(self, command: Command, beat: str) -> Finished:
        from ..processes import spawner

        self._running += 1
        wrong = None
        try:
            for _ in range(_TRIES):
                finished, wrong = await self._attempt(command, beat)
                if finished is not None:
                    return finished
                if wrong is None:
                    self.on_failure()
                    break
        finally:
            self._running -= 1
        if wrong is not None:
            said = f"a3s: the command was not run: {wrong} was exchanged while it was mounted\n"
            await command.receive(said.encode(errors="surrogateescape"))
        return spawner.Finished(126)

    async def _attempt(self, command: Command, beat: str) -> tuple[Finished | None, str | None]:
        """Run a command once; without an end, say what was wrong with the mounts if they were."""
        from ..processes import spawner

        try:
            view = self._look(command.environment)
        except NotADirectoryError as failure:
            return None, str(failure.filename)
        with contextlib.ExitStack() as stack:
            status, gate, life = Status(stack), Gate(stack), Life(stack)
            options = [*self._flags(), *view.arguments(), "--json-status-fd", str(status.write)]
            options += ["--block-fd", str(gate.descriptor), "--chdir", str(command.cwd)]
            descriptors, argv = stack.enter_context(launch(self.program, options, command.argv))
            descriptors += [status.write, gate.descriptor]
            expected = view.expected(self._descriptors)
            running = asyncio.ensure_future(
                spawner.run(
                    argv,
                    cwd=Path("/"),
                    environment={**command.environment, **caches.variables(self._caches)},
                    timeout=command.timeout,
                    receive=command.receive,
                    confinement=spawner.Confinement(descriptors, beat, scoped=True),
                )
            )
            checking = asyncio.ensure_future(_release(status, gate, life, expected))
            try:
                await asyncio.wait((running, checking), return_when=asyncio.FIRST_COMPLETED)
                if checking.done() and (wrong := checking.result()) is not None:
                    return None, wrong
                finished = await running
            finally:
                checking.cancel()
                running.cancel()
                await asyncio.wait((running, checking))
                await life.over()
            # Bubblewrap tells of an end only if there was a beginning.
            if finished.exit_code != 1 or b'"exit-code"' in status.read():
                return finished, None
        return None, None

    async def piped(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        receive_error: Callable[[bytes], None],
    ) -> Piped:
        """Start a confined child that is spoken to; see `Piped.start`. Raises OSError."""
        from ..processes.piped import Piped
        from ..processes.spawner import Confinement

        self._running += 1
        view = self._look(environment)
        stack = contextlib.ExitStack()
        status, gate, life = Status(stack), Gate(stack), Life(stack)
        options = [*self._flags(), *view.arguments(), "--json-status-fd", str(status.write)]
        options += ["--block-fd", str(gate.descriptor), "--chdir", str(cwd)]
        with launch(self.program, options, argv) as (descriptors, line):
            child = Piped.start(
                line,
                cwd=Path("/"),
                environment={**environment, **caches.variables(self._caches)},
                receive_error=receive_error,
                confinement=Confinement([*descriptors, status.write, gate.descriptor], scoped=True),
            )
        child.on_end = stack.close
        expected = view.expected(self._descriptors)
        released = asyncio.ensure_future(_release(status, gate, life, expected))
        try:
            while not released.done() and child.exit_code is None:
                await asyncio.wait((released,), timeout=_MOMENT)
            wrong = released.result() if released.done() else "it"
        except BaseException:
            await child.stop(0.0)
            raise
        finally:
            released.cancel()
        if wrong is not None:
            await child.stop(0.0)
            raise OSError(1, f"its sandbox could not be set up: {wrong} ended, or was replaced")
        return child

    def reading(self, script: str) -> Reading:
        """Return a sandbox that lets a script read, and nothing else."""
        from .reading import Reading

        return Reading(self, self.workspace or self.roots[0], script)

    def masked(self, files: Sequence[str]) -> Bubblewrap:
        """Return a sandbox like this one without these files, the right to write, a network."""
        other = replace(
            self,
            network=False,
            read_only=True,
            hidden_files=[*self.hidden_files, *map(Path, files)],
        )
        # The temporary files and the descriptors are the run's, and go with it.
        other._guard = other._view = None
        other._running = 0
        other._temporary = self._directory()
        other._descriptors = self._descriptors
        return other

    def close(self) -> None:
        """Remove the temporary files of the run's commands, and let go of the record."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if self._caches is not None:
            caches.prune(self._caches)
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors = {}
        if self._temporary is not None:
            from shutil import rmtree

            rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    @property
    def writable(self) -> str:
        """Where commands may write, in words for the model."""
        return described(self.roots, self.workspace, read_only=self.read_only)

    @property
    def unrecorded(self) -> str:
        """Why the guard's record is in memory only; empty where it is on the disk."""
        guard = self._guarded()
        return guard.unrecorded if guard else ""

    async def trial(self, environment: Mapping[str, str]) -> str:
        """Confine a command that does nothing; return what is wrong, or nothing."""
        said: list[bytes] = []

        async def receive(data: bytes) -> None:
            said.append(data)

        try:
            finished = await self._run(
                Command(["true"], Path(self.roots[0]), environment, 10.0, receive), ""
            )
        except OSError as failure:
            return f"{failure.filename or self.roots[0]}: {failure.strerror}"
        if finished.exit_code == 0:
            return ""
        words = b"".join(said).decode(errors="replace").strip().partition("\n")[0]
        return words or f"a trial ended with status {finished.exit_code}"

    def confine(
        self, argv: Sequence[str]
    ) -> contextlib.AbstractContextManager[tuple[list[int], list[str]]]:
        """Return the command line of a program that may read the disk and nothing else."""
        options = [*self._flags(), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        return launch(self.program, [*options, "--remount-ro", "/proc"], argv)

    def _guarded(self) -> Guard | None:
        """Return the run's guard, made for its first command; None where nothing can change."""
        if self.read_only:
            return None
        if self._guard is None:
            from ..files.programs import find
            from ..guard.asking import Asking
            from ..guard.guard import Guard
            from ..guard.record import Record
            from ..guard.restoring import Restoring
            from .places import record_directory

            directory = record_directory(self.roots, self.environment)
            record = Record(directory)
            git = find("git", self.environment.get("PATH", ""), self.roots)
            copies = self.guarding.copies or (f"{directory}/copies" if directory else "")
            self._guard = Guard(
                self.roots,
                record,
                Asking(record, git, self.confine, self.guarding.protect),
                Restoring(self.roots, record, copies),
                lambda path: self.guarding.permits(Path(path)),
                tuple(hidden.guarded(self.environment, self.roots)),
                hidden.libraries(self.environment, self.roots),
            )
        return self._guard

    def _flags(self) -> list[str]:
        flags = FOREIGN_FLAGS if self.foreign else FLAGS
        return [*flags] if self.network else [*flags, NO_NETWORK]

    def _look(self, environment: Mapping[str, str]) -> View:
        """Decide what a command sees.

        Not while another one runs, which could exchange what we look at for a
        link before it is mounted; what was decided for the other is in force
        for it, too, and so can be relied on.
        """
        if self._running > 1 and self._view is not None:
            return self._view
        for root in self.roots:
            if root not in self._descriptors:
                self._descriptors[root] = _opened(root)
        temporary = [*hidden.TEMPORARY, environment.get("TMPDIR", "")]
        directory = self._directory()
        view = self._view = View(self.roots, self.read_only)
        view.build(
            [*hidden.hidden(self.environment), *map(os.path.abspath, self.hidden_files), directory],
            hidden.shown(self.environment, environment.get("PATH", "")),
            [
                *hidden.start_files(self.environment, self.roots),
                *map(os.path.abspath, self.read_only_files),
            ],
            temporary,
        )
        view.keep(directory, temporary)
        if skills := user_skills(self.environment):
            view.show(resolved(skills))  # a skill may have scripts that a command runs
        if self._caches is None:
            self._caches = caches.make(self.roots[0], self.environment)
        if self._caches and not self.read_only:
            view.bind(self._caches, self._caches)
        return view

    def _directory(self) -> str:
        """Return the directory of temporary files, the same for all commands of the run."""
        if self._temporary is None:
            from tempfile import mkdtemp

            self._temporary = os.path.realpath(mkdtemp(prefix="a3s-"))
        return self._temporary


async def _release(
    status: Status, gate: Gate, life: Life, expected: dict[str, mounts.Expected]
) -> str | None:
    """Let the command begin once its mounts are verified; return what is wrong with them."""
    child = await status.child()
    life.follow(child)
    wrong = await mounts.wrong(child, expected)
    if wrong is None:
        gate.open()
    else:
        life.kill()
    return wrong


def _opened(root: str) -> int:
    """Open a root, and be sure that no link led there."""
    flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(root, flags)
    if os.readlink(f"/proc/self/fd/{descriptor}") != root:
        os.close(descriptor)
        raise NotADirectoryError(20, "it was replaced by a link", root)
    return descriptor
