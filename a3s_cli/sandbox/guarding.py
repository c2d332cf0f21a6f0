"""How the protected places of a run's writable directories are guarded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ..values import State


class Guarding(State):
    """What the user decided, and where what is replaced goes."""

    #: `tracked` keeps what equals HEAD.
    protect: Literal["all", "tracked"] = "all"
    #: Whether one of the user's own rules permits to write a path.
    permits: Callable[[Path], bool] = lambda _: False
    #: The directory beside the session for what is replaced; empty for the guard's own.
    copies: str = ""
