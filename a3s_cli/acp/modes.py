"""What a session may do without asking, in four words that an editor shows; pure.

A mode only widens or narrows what the command line and the configuration say: what
they deny stays denied in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..registry import TOOLS
from ..run.plan import tool_class
from ..run.request import RunRequest
from ..values import Value, replace


class Mode(Value):
    """One mode, as the editor lists it."""

    id: str
    name: str
    description: str

    def wire(self) -> dict[str, str]:
        """Return the mode as the protocol has it."""
        return {"id": self.id, "name": self.name, "description": self.description}


ASK = Mode("ask", "Ask", "Ask before anything that the rules do not allow")
EDIT = Mode("edit", "Edit", "Change files of the workspace without asking")
READ_ONLY = Mode("read-only", "Read only", "Change nothing in the workspace")
FULL = Mode("full", "Full", "Ask for nothing; what is denied stays denied")


def modes(*, full: bool) -> Sequence[Mode]:
    """Return the modes on offer; `full` only where it was allowed at the start."""
    return (ASK, EDIT, READ_ONLY, *((FULL,) if full else ()))


def in_mode(request: RunRequest, mode: str) -> RunRequest:
    """Return the request as it is in a mode."""
    if mode == EDIT.id:
        writes = [name for name in TOOLS if tool_class(name).writes]
        allow = [*request.rules.get("allow", ()), *writes]
        return replace(request, rules={**request.rules, "allow": allow})
    if mode == READ_ONLY.id:
        return replace(request, settings={**request.settings, "read_only": True})
    return replace(request, allow_all=True) if mode == FULL.id else request


def state(offered: Sequence[Mode], current: str) -> dict[str, Any]:
    """Return the modes of a session as the protocol has them."""
    return {"currentModeId": current, "availableModes": [mode.wire() for mode in offered]}
