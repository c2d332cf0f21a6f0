"""What the guard finds, and what it tells of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .contents import Held, Mark
from .scan import Place


class Report(NamedTuple):
    """What the guard did about one path, or noticed about one commit."""

    kind: Literal["put_back", "kept", "committed", "unrecorded"]
    path: str
    #: Where what was replaced is now; None where nothing was, or nothing could be written.
    copy: str | None = None
    keys: tuple[str, ...] = ()
    #: The commit that contains what was put back, or why it could not be put back.
    commit: str | None = None
    failure: str | None = None


class Found(NamedTuple):
    """A place that has changed."""

    path: str
    place: Place
    now: Held
    data: bytes
    mark: Mark | None
    #: The mark, if content that is changed from now on will have another one.
    sure: Mark | None
