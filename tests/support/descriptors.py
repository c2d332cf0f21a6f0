"""Reading what somebody else writes, for no longer than it can honestly take."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

#: Far beyond anything but a hang.
PATIENCE = 60.0


def piece(descriptor: int, size: int = 1 << 16, patience: float = PATIENCE) -> bytes:
    """Give what there is to read; empty at the end, be it a pipe's or a terminal's."""
    ready, _, _ = select.select([descriptor], [], [], patience)
    assert ready, f"nothing came for {patience:g} s, and no end"
    try:
        return os.read(descriptor, size)
    except OSError:  # how Linux says that nobody holds the other side of a terminal any more
        return b""


def pieces(descriptor: int, size: int = 1 << 16, patience: float = PATIENCE) -> Iterator[bytes]:
    """Give all that comes until the end."""
    while read := piece(descriptor, size, patience):
        yield read


def whole(descriptor: int) -> bytes:
    """Give everything until the end."""
    return b"".join(pieces(descriptor))
