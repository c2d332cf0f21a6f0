"""Runs a script that was allowed because it only reads, so that it can do no more.

The workspace is read-only and the network is off. Files with secret names are
covered by empty ones, wherever they lie in the workspace: `grep -r` and `rg --hidden`
find nothing in them. What git is configured to run (a textconv, a filter) runs under
the same restrictions, and its fsmonitor not at all.

`git status` alone prints names and no contents. For it tracked files stay as they
are: a masked one would be shown as modified.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.git_index import secret_names
from ..files.ignore import is_secret

if TYPE_CHECKING:
    from ..processes.spawner import Finished
    from .bwrap import Bubblewrap

#: What git is told beside its configuration.
_GIT = (("core.fsmonitor", "false"),)


class Reading:
    """A `Sandbox` for one script."""

    def __init__(self, sandbox: Bubblewrap, workspace: str, script: str) -> None:
        self._sandbox = sandbox
        self._workspace = workspace
        self._script = script

    @property
    def writable(self) -> str:
        """Where commands may write, in words for the model."""
        return self._sandbox.writable

    def reading(self, script: str) -> Reading:
        """Return the same for another script."""
        return Reading(self._sandbox, self._workspace, script)

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float | None,
        receive: Callable[[bytes], Awaitable[None]],
        report: Callable[[Any], None] = lambda _: None,
    ) -> Finished:
        """Run a command as `process.run` does; it can only read, and no secrets."""
        from ..permissions.reading import only_status

        masked = await asyncio.to_thread(lambda: list(_secrets(self._workspace)))
        if only_status(self._script):
            tracked = await asyncio.to_thread(secret_names, self._workspace)
            masked = [path for path in masked if path not in tracked]
        return await self._sandbox.masked(masked).run(
            argv,
            cwd=cwd,
            environment=_quiet_git(environment),
            timeout=timeout,
            receive=receive,
            report=report,
        )


def _secrets(workspace: str) -> Iterator[str]:
    """Find the files of the workspace whose names say that they hold secrets."""
    for directory, names, files in os.walk(workspace):
        within = directory.removeprefix(workspace).split("/")
        for name in (*files, *names):
            if is_secret([*within, name]):
                yield f"{directory}/{name}"


def _quiet_git(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git runs no monitor and takes no locks."""
    quiet = {**environment, "GIT_OPTIONAL_LOCKS": "0"}
    count = int(environment.get("GIT_CONFIG_COUNT", "0") or 0)
    for at, (key, value) in enumerate(_GIT, count):
        quiet[f"GIT_CONFIG_KEY_{at}"], quiet[f"GIT_CONFIG_VALUE_{at}"] = key, value
    quiet["GIT_CONFIG_COUNT"] = str(count + len(_GIT))
    return quiet
