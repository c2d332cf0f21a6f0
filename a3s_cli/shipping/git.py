"""Git, for a workspace that was shipped: without anybody's configuration, attributes or hooks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError
from ..files.programs import find
from ..processes import spawner

#: Seconds for one command.
_SECONDS = 60.0
_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"),
    *("-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
)
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
        template = ["init", "-q", "--template=", "-b", "main"]
        commit = ["commit", "-q", "--allow-empty", "--no-verify", "-m", "The workspace as shipped"]
        for arguments in (template, ["add", "-A", "-f"], commit, ["repack", "-adq"]):
            await self._run(arguments, tree, {}, (0,), 0)

    async def difference(self, directory: Path, before: str, after: str, most: int) -> bytes:
        """Return the patch from one directory in `directory` to another one.

        Raises GitFailed where it would have more than `most` bytes.
        """
        arguments = ["diff", "--no-index", "--binary", "--no-prefix", "--no-renames"]
        arguments += ["--no-ext-diff", "--no-textconv", "--no-color", "--", before, after]
        # Of a repository around it, git would obey the configuration.
        return await self._run(arguments, directory, {"GIT_DIR": os.devnull}, (0, 1), most)

    async def _run(
        self,
        arguments: Sequence[str],
        directory: Path,
        variables: Mapping[str, str],
        expected: tuple[int, ...],
        most: int,
    ) -> bytes:
        said = bytearray()

        async def receive(data: bytes) -> None:
            said.extend(data)
            if len(said) > most:
                raise GitFailed(f"git {arguments[0]} wrote more than {most} bytes")

        finished = await spawner.run(
            [self._program, *_OPTIONS, *arguments],
            cwd=directory,
            environment={**self._environment, **variables},
            timeout=_SECONDS,
            receive=receive,
            merge_stderr=False,
        )
        if finished.exit_code not in expected:
            raise GitFailed(f"git {arguments[0]} ended with status {finished.exit_code}")
        return bytes(said)
