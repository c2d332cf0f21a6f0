"""What a request for an object came to, as JSON on every path.

`tool_end` carries the whole object, however large, because half of one is of no
use; the model, which has no use for megabytes, is told a short cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .. import jsontext
from ..tool_protocol import ToolReturn
from .schema import Violation

#: Bytes of an object that the model is told.
_HEAD, _TAIL = 4096, 2048


def success(value: Any, repairs: int) -> ToolReturn:
    """Return the result for a valid object."""
    output = jsontext.dumps({"object": value, "repairRounds": repairs}).decode()
    return ToolReturn(output, told=jsontext.cut(output, _HEAD, _TAIL))


def failure(
    error: str,
    violations: Iterable[Violation] = (),
    *,
    exit_code: int = 1,
    reason: Literal["timeout", "cancelled"] | None = None,
) -> ToolReturn:
    """Return the result that says why there is no object."""
    listed = [{"path": path, "message": jsontext.clean(message)} for path, message in violations]
    output = jsontext.dumps({"error": jsontext.clean(error), "violations": listed}).decode()
    return ToolReturn(output, exit_code, reason, told=output)
