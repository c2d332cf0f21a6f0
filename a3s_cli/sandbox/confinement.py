"""Whether the commands of a run are confined, and what follows where they cannot be.

The answer is looked for while everything else is prepared and `start` waits for
it only a moment. `require`, and whatever makes sense in a sandbox alone, fails
before any tool where there is none; otherwise the run says that it has none.
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
        # What lies in the workspace is the project's, and there to be seen.
        root = workspace.resolve()
        self._hidden = [path for path in hidden if not path.resolve().is_relative_to(root)]
        #: The option that makes no sense without a sandbox.
        self.demanded_by = _demand(mode, network)
        if mode == "off" and self.demanded_by:
            raise ConfigError(f"{self.demanded_by} needs the sandbox, and --sandbox off forbids it")
        self._probe: Probe | None = None
        if mode != "off":
            from .probe import Probe

            self._probe = Probe(self._environment, workspace, network=network)

    @property
    def name(self) -> Literal["bwrap", "none"] | None:
        """What `start` says of it; None while nobody knows."""
        usable = self._probe.answer(MOMENT) if self._probe else False
        return None if usable is None else ("bwrap" if usable else "none")

    @property
    def missing(self) -> str:
        """Why there is no sandbox although one was looked for; empty where there is no why."""
        return self._probe.reason if self._probe else ""

    async def sandbox(self) -> Bubblewrap | None:
        """Give what confines commands, None where nothing does; raises where it must."""
        probe = self._probe
        if probe is None:
            return None
        if not await probe.usable() or probe.program is None:
            if self.demanded_by:
                raise ConfigError(
                    f"{self.demanded_by} needs a sandbox, and there is none: {probe.reason}",
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
