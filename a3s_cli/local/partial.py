"""The one partial file of a download: always a prefix of the whole."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path


def length(partial: Path) -> int:
    """Return how many bytes have arrived."""
    try:
        return partial.stat().st_size
    except FileNotFoundError:
        return 0


async def append(
    partial: Path, offset: int, pieces: AsyncGenerator[bytes, None]
) -> AsyncGenerator[int, None]:
    """Write what arrives from `offset` on; yield the size after each piece.

    Whatever lay behind `offset` is dropped, and what was written has reached the
    disk when this ends, however it ends.
    """
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    file.write(piece)
                    offset += len(piece)
                    yield offset
        finally:
            file.flush()
            os.fsync(file.fileno())
