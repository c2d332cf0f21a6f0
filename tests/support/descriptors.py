"""Reading what another process writes, with a deadline."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

#: Far beyond anything but a hang.
PATIENCE = 60.0


def piece(descriptor: int, size: int = 1 << 16, patience: float = PATIENCE) -> bytes:
    """Return what there is to read; empty at the end of a pipe or a terminal."""
    ready, _, _ = select.select([descriptor], [], [], patience)
    assert ready, f"nothing came for {patience:g} s, and no end"
    try:
        return os.read(descriptor, size)
    except OSError:  # how Linux reports that the other side of a terminal is closed
        return b""


def pieces(descriptor: int, size: int = 1 << 16, patience: float = PATIENCE) -> Iterator[bytes]:
    """Return all that comes until the end."""
    while read := piece(descriptor, size, patience):
        yield read


def whole(descriptor: int) -> bytes:
    """Return everything until the end."""
    return b"".join(pieces(descriptor))
