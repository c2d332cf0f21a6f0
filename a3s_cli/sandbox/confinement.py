"""Whether a run's commands are confined, and what happens if they cannot be.

The probe runs while everything else is prepared; `start` waits for it only a
moment. Without a sandbox, `require` and every option that needs one fail before
any tool runs. Otherwise the run goes on and says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ConfigError
from .guarding import Guarding

if TYPE_CHECKING:
    from .bwrap import Bubblewrap
    from .late import LateSandbox
    from .probe import Probe

#: Seconds that `start` waits for the first answer on a machine; later ones are remembered.
MOMENT = 0.1


class Confinement:
    """What was asked for, and what there is."""

    def __init__(
        self,
        mode: Literal["auto", "require", "off"] = "off",
        *,
        workspace: Path = Path(),
        environment: Mapping[str, str] | None = None,
        network: bool = True,
        read_only: bool = False,
        record: Path | None = None,
        hidden: Sequence[Path] = (),
    ) -> None:
        self._workspace = workspace
        self._environment = environment or {}
        self._network = network
        self._read_only = read_only
        self._record = record
        # Files in the workspace belong to the project and stay visible.
        root = workspace.resolve()
        self._hidden = [path for path in hidden if not path.resolve().is_relative_to(root)]
        self._apart: list[Path] = []
        #: The option that requires a sandbox; empty if none does.
        self.demanded_by = _demand(mode, network)
        if mode == "off" and self.demanded_by:
            raise ConfigError(f"{self.demanded_by} cannot be combined with --sandbox off")
        self.guarding = Guarding()
        self._failure = ""
        self._probe: Probe | None = None
        if mode != "off":
            from .probe import Probe

            self._probe = Probe(
                self._environment, workspace, network=network, foreign=self._is_foreign()
            )

    def again(self) -> Confinement:
        """Return the same for another run in the same place, without looking at it again."""
        from copy import copy

        other = copy(self)
        other.guarding = copy(self.guarding)
        other.guarding.copies = ""
        return other

    @property
    def name(self) -> Literal["bwrap", "none"] | None:
        """The value of `start.sandbox`; None while it is not known."""
        usable = self._probe.answer(MOMENT) if self._probe else False
        if usable and not self._failure and not self.demanded_by and self._is_doubtful():
            return None
        return None if usable is None else ("bwrap" if usable else "none")

    @property
    def missing(self) -> str:
        """Why no sandbox could be set up; empty if there is one, or none was wanted."""
        return self._failure or (self._probe.reason if self._probe else "")

    async def sandbox(self) -> Bubblewrap | LateSandbox | None:
        """Return what confines commands, or None; raise ConfigError where a sandbox is required."""
        probe = self._probe
        if probe is None:
            return None
        if not await probe.usable() or probe.program is None:
            if self.demanded_by:
                raise ConfigError(
                    f"{self.demanded_by} needs a sandbox, but none is available: {probe.reason}",
                    hint=f"{probe.remedy}, or see a3s-policy(7)",
                )
            return None
        from .hidden import homes
        from .late import LateSandbox
        from .roots import described, writable

        workspace = str(self._workspace.resolve())
        roots = [workspace] if self._read_only else writable(workspace, homes(self._environment))
        if not (self.demanded_by or self._is_doubtful()):
            words = described(roots, workspace, read_only=self._read_only)
            return LateSandbox(words, lambda: self._bubblewrap(probe, workspace, roots))
        sandbox = self._bubblewrap(probe, workspace, roots)
        await self._try(sandbox)
        return None if self.missing else sandbox

    async def server_sandbox(self) -> Bubblewrap | None:
        """Return a sandbox for one server, which changes nothing; None where there is none."""
        probe = self._probe
        if probe is None or not await probe.usable():
            return None
        workspace = str(self._workspace.resolve())
        sandbox = self._bubblewrap(probe, workspace, [workspace])
        sandbox.read_only = True
        return sandbox

    def _bubblewrap(self, probe: Probe, workspace: str, roots: Sequence[str]) -> Bubblewrap:
        from .bwrap import Bubblewrap

        assert probe.program is not None
        sandbox = Bubblewrap(
            roots,
            program=probe.program,
            environment=self._environment,
            network=self._network,
            read_only=self._read_only,
            read_only_files=[self._record] if self._record else [],
            hidden_files=self._hidden,
            foreign=self._is_foreign(),
            workspace=workspace,
            guarding=self.guarding,
        )
        sandbox.on_failure = probe.forget
        return sandbox

    async def _try(self, sandbox: Bubblewrap) -> None:
        """Find out whether a command can be confined in this very workspace."""
        why = await sandbox.trial(self._environment)
        if not why and self.demanded_by and sandbox.unrecorded:
            why = f"the content of protected files cannot be recorded: {sandbox.unrecorded}"
        if not why:
            return
        sandbox.close()
        self._failure = why
        if self.demanded_by:
            raise ConfigError(
                f"{self.demanded_by}: commands cannot be confined in {self._workspace}: {why}",
                hint="make the directory usable for this user, or see a3s-policy(7)",
            )

    def withheld(self) -> list[Path]:
        """Return what no file tool may show: the credentials of a home in the workspace."""
        root = self._workspace.resolve()
        if not any(home.resolve().is_relative_to(root) for home in self._homes()):
            return []
        from .hidden import personal

        found = (Path(path).resolve() for path in personal(self._environment))
        return sorted({path for path in found if path != root and path.is_relative_to(root)})

    def start_files(self) -> list[Path]:
        """Return what no file tool may change: what is run unasked from a home in the workspace."""
        root = self._workspace.resolve()
        if not any(home.resolve().is_relative_to(root) for home in self._homes()):
            return []
        from .hidden import start_files

        return [Path(path).resolve() for path in start_files(self._environment, [str(root)])]

    def keep_apart(self, directory: Path) -> None:
        """Hide a directory of ours, wherever it lies, from every command and file tool."""
        self._apart = [directory.resolve()]
        self._hidden += self._apart

    def unseen(self) -> list[Path]:
        """Return everything in the workspace that no file tool may show or change."""
        return [*self.withheld(), *self._apart]

    def _is_foreign(self) -> bool:
        """Tell whether we are root among files that belong to other users."""
        return os.geteuid() == 0 and any(
            not _is_roots(path) for path in (self._workspace, *self._homes())
        )

    def _is_doubtful(self) -> bool:
        """Tell whether something about this workspace may keep a sandbox from being set up."""
        return self._is_foreign() or not os.access(self._workspace, os.R_OK | os.X_OK)

    def _homes(self) -> list[Path]:
        home = self._environment.get("HOME", "")
        return [Path(home)] if home.startswith("/") and os.path.isdir(home) else []


def _is_roots(path: Path) -> bool:
    """Tell whether root can use a directory without the right to use files of others."""
    path = path.resolve()
    if path.stat().st_uid != 0:
        return False
    above = [parent.stat() for parent in path.parents]
    return all(status.st_uid == 0 or status.st_mode & 0o001 for status in above)


def _demand(mode: str, network: bool) -> str:
    if not network:
        return "--network off"
    return "--sandbox require" if mode == "require" else ""
