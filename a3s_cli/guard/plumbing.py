"""Runs git's plumbing on a repository that is not trusted: confined, and deaf to its settings.

One process fetches objects for as long as it is wanted; what is listed comes from
another. Each is started as commands are, below a supervisor, in a sandbox in which
nothing can be written.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from ..processes import spawner

#: Gives the descriptors and the command line that run another one in a read-only sandbox.
Confine = Callable[[Sequence[str]], AbstractContextManager[tuple[list[int], list[str]]]]

#: An object that is longer is taken for missing: no commit and no directory is.
_LONGEST = 64 * 1024 * 1024
_SECONDS = 5.0
_OPTIONS = (
    *("--no-replace-objects", "-c", "core.commitGraph=false", "-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never", "-c", "safe.directory=*"),
)


class Plumbing:
    """Git, for one repository. Close it when nothing more is to be asked."""

    def __init__(self, program: str, commondir: str, confine: Confine) -> None:
        self._git = [program, f"--git-dir={commondir}", *_OPTIONS]
        self._confine = confine
        self._environment: Mapping[str, str] = {
            "PATH": os.path.dirname(program),
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_GRAFT_FILE": "/dev/null",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        self._service: spawner.Service | None = None
        self._requests = -1

    async def objects(self, names: Sequence[str]) -> AsyncIterator[tuple[str, bytes, bytes]]:
        """Fetch objects by their names: the name, the type and the bytes; missing ones left out."""
        if not names:
            return
        service = self._service or await self._start()
        asked = "".join(f"{name}\n" for name in names).encode("ascii", "replace")
        # All of it fits the pipe, which is empty: every earlier answer has been read.
        os.write(self._requests, asked)
        for _ in names:
            words = (await service.readline()).split()
            if not words:
                raise EOFError
            if len(words) != 3 or not words[2].isdigit():
                continue  # missing
            if int(words[2]) > _LONGEST:
                raise EOFError
            data = await service.read_exactly(int(words[2]) + 1)
            yield words[0].decode("ascii", "replace"), words[1], data[:-1]

    async def lines(self, arguments: Sequence[str], stdin: Sequence[str]) -> list[str]:
        """Run a command of git and return the lines that it prints."""
        said: list[bytes] = []

        async def receive(data: bytes) -> None:
            said.append(data)

        with ExitStack() as stack:
            source = os.memfd_create("a3s")
            stack.callback(os.close, source)
            with open(os.dup(source), "wb") as file:
                file.writelines(f"{line}\n".encode("utf-8", "surrogateescape") for line in stdin)
            os.lseek(source, 0, os.SEEK_SET)
            descriptors, command = stack.enter_context(self._reading(source, arguments))
            await spawner.run(
                command,
                cwd=Path("/"),
                environment=self._environment,
                timeout=_SECONDS,
                receive=receive,
                merge_stderr=False,
                confinement=spawner.Confinement([*descriptors, source]),
            )
        return b"".join(said).decode("utf-8", "surrogateescape").splitlines()

    def _reading(
        self, descriptor: int, arguments: Sequence[str]
    ) -> AbstractContextManager[tuple[list[int], list[str]]]:
        """Confine git with its stdin from a descriptor, which only a shell can arrange."""
        script = f'exec "$@" </proc/self/fd/{descriptor}'
        return self._confine(["/bin/sh", "-c", script, "sh", *self._git, *arguments])

    async def _start(self) -> spawner.Service:
        source, self._requests = os.pipe()
        try:
            with self._reading(source, ["cat-file", "--batch"]) as (descriptors, command):
                self._service = await spawner.Service.start(
                    command,
                    cwd=Path("/"),
                    environment=self._environment,
                    confinement=spawner.Confinement([*descriptors, source]),
                )
        finally:
            os.close(source)
        return self._service

    async def close(self) -> None:
        """End git."""
        service, self._service = self._service, None
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1
        if service:
            await asyncio.shield(service.stop())
