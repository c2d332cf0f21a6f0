"""Git, for a workspace that was shipped: without configuration, attributes or hooks.

Its files are committed as they are, byte for byte, so that a command that takes one back
from the commit has not changed it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError
from ..files.programs import find
from ..processes import spawner

#: Seconds for one command: a slow disk may hold it up, but not for ever.
_SECONDS = 600.0
_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"),
    *("-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    # Names that only other systems take for `.git`.
    *("-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"),
)
#: A large file goes straight into a pack: with this every one does, and is not deflated.
_QUICKLY = ("-c", "core.bigFileThreshold=1", "-c", "core.compression=0")
#: Nothing that a tree's own attributes ask for may change a byte of it.
_ATTRIBUTES = "* -text -ident -filter -working-tree-encoding\n"
#: Bytes of what git says that are read, where only the first line counts.
_SAID = 1 << 20
#: Who has made the commit that a shipped workspace begins with, and when.
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a3s"), ("EMAIL", "a3s@localhost"), ("DATE", "315619200 +0000"))
}


class GitFailed(Exception):
    """Git ended with a status that was not expected, or wrote too much."""


class Git:
    """Git, as it is installed on this machine. Raises ConfigError where it is not."""

    def __init__(self, environment: Mapping[str, str], tree: Path) -> None:
        """`tree` is the workspace, in which no program is looked for."""
        program = find("git", environment.get("PATH", ""), [tree])
        if program is None:
            raise ConfigError("--ship needs git, which is not installed")
        self._program = program
        self._environment = {
            "PATH": environment.get("PATH", ""),
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            **_AUTHOR,
        }

    async def begin_repository(self, tree: Path) -> None:
        """Make a repository of a tree, with everything in one commit."""
        await self._run(["init", "-q", "--template=", "-b", "main"], tree)
        attributes = tree / ".git" / "info" / "attributes"
        attributes.parent.mkdir()
        attributes.write_text(_ATTRIBUTES)
        await self._run(["add", "-A", "-f"], tree, _QUICKLY)
        commit = ["commit", "-q", "--allow-empty", "--no-verify", "-m", "The workspace as shipped"]
        await self._run(commit, tree)

    async def difference(self, directory: Path, before: str, after: str, most: int) -> bytes:
        """Return the patch from one directory in `directory` to another one.

        Raises GitFailed where it would have more than `most` bytes.
        """
        arguments = ["diff", "--no-index", "--binary", "--no-prefix", "--no-renames"]
        arguments += ["--no-ext-diff", "--no-textconv", "--no-color", "--", before, after]
        # Of a repository around it, git would obey the configuration.
        environment = {**self._environment, "GIT_DIR": os.devnull}
        status, patch = await self._output(arguments, directory, environment, most, False)
        if status not in (0, 1):
            raise GitFailed(f"git diff ended with status {status}")
        return patch

    async def _run(self, arguments: Sequence[str], tree: Path, options: Sequence[str] = ()) -> None:
        command = [*options, *arguments]
        status, said = await self._output(command, tree, self._environment, _SAID, True)
        if status != 0:
            first = said.decode("utf-8", "replace").strip().partition("\n")[0]
            raise GitFailed(f"git {arguments[0]} ended with status {status}: {first}")

    async def _output(
        self,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        most: int,
        stderr: bool,
    ) -> tuple[int, bytes]:
        """Return the exit status of git, and what it wrote."""
        said = bytearray()

        async def receive(data: bytes) -> None:
            said.extend(data)
            if len(said) > most:
                raise GitFailed(f"git wrote more than {most} bytes")

        finished = await spawner.run(
            [self._program, *_OPTIONS, *arguments],
            cwd=directory,
            environment=environment,
            timeout=_SECONDS,
            receive=receive,
            merge_stderr=stderr,
        )
        return finished.exit_code, bytes(said)
