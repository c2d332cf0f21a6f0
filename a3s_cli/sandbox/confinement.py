"""Whether a run's commands are confined, and what happens if they cannot be.

The probe runs while everything else is prepared; `start` waits for it only a
moment. Without a sandbox, `require` and every option that needs one fail before
any tool runs. Otherwise the run goes on and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ConfigError

if TYPE_CHECKING:
    from .bwrap import Bubblewrap
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
        #: The option that requires a sandbox; empty if none does.
        self.demanded_by = _demand(mode, network)
        if mode == "off" and self.demanded_by:
            raise ConfigError(f"{self.demanded_by} cannot be combined with --sandbox off")
        self._probe: Probe | None = None
        if mode != "off":
            from .probe import Probe

            self._probe = Probe(self._environment, workspace, network=network)

    @property
    def name(self) -> Literal["bwrap", "none"] | None:
        """The value of `start.sandbox`; None while it is not known."""
        usable = self._probe.answer(MOMENT) if self._probe else False
        return None if usable is None else ("bwrap" if usable else "none")

    @property
    def missing(self) -> str:
        """Why no sandbox could be set up; empty if there is one, or none was wanted."""
        return self._probe.reason if self._probe else ""

    async def sandbox(self) -> Bubblewrap | None:
        """Return what confines commands, or None; raise ConfigError where a sandbox is required."""
        probe = self._probe
        if probe is None:
            return None
        if not await probe.usable() or probe.program is None:
            if self.demanded_by:
                raise ConfigError(
                    f"{self.demanded_by} needs a sandbox, but none is available: {probe.reason}",
                    hint="install bubblewrap, or see a3s-policy(7)",
                )
            return None
        from .bwrap import Bubblewrap

        sandbox = Bubblewrap(
            self._workspace,
            program=probe.program,
            environment=self._environment,
            network=self._network,
            read_only=self._read_only,
            read_only_files=[self._record] if self._record else [],
            hidden_files=self._hidden,
        )
        sandbox.on_failure = probe.forget
        return sandbox


def _demand(mode: str, network: bool) -> str:
    if not network:
        return "--network off"
    return "--sandbox require" if mode == "require" else ""
