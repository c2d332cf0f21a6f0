"""A sandbox that is set up when the first command comes, for most runs have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..processes.spawner import Finished
    from ..tool_protocol import Sandbox
    from .bwrap import Bubblewrap


class LateSandbox:
    """A `Sandbox`; what it needs of the workspace was found out before the run began."""

    def __init__(self, writable: str, make: Callable[[], Bubblewrap]) -> None:
        #: Where commands may write, in words for the model.
        self.writable = writable
        self._make = make
        self._made: Bubblewrap | None = None

    def _sandbox(self) -> Bubblewrap:
        if self._made is None:
            self._made = self._make()
        return self._made

    async def run(self, *given: Any, **named: Any) -> Finished:
        """Run a command confined; see `Sandbox.run`."""
        return await self._sandbox().run(*given, **named)

    def reading(self, script: str) -> Sandbox:
        """Return a sandbox for a script that only reads; see `Sandbox.reading`."""
        return self._sandbox().reading(script)

    def close(self) -> None:
        """Remove what the commands have left."""
        if self._made is not None:
            self._made.close()
