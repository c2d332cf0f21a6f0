"""What a request for an object came to, as JSON on every path.

`tool_end` carries the whole object, however large, because half of one is of no
use; the model, which has no use for megabytes, is told a short cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .. import wire
from ..tools.base import ToolResult
from .schema import Violation

#: Bytes of an object that the model is told.
_HEAD, _TAIL = 4096, 2048


def success(value: Any, repairs: int) -> ToolResult:
    """Tell of a valid object."""
    output = wire.dumps({"object": value, "repairRounds": repairs}).decode()
    return ToolResult(output, told=wire.cut(output, _HEAD, _TAIL))


def failure(
    error: str,
    violations: Iterable[Violation] = (),
    *,
    exit_code: int = 1,
    reason: Literal["timeout", "cancelled"] | None = None,
) -> ToolResult:
    """Tell why there is none."""
    listed = [{"path": path, "message": wire.clean(message)} for path, message in violations]
    output = wire.dumps({"error": wire.clean(error), "violations": listed}).decode()
    return ToolResult(output, exit_code, reason, told=output)
