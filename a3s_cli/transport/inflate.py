"""The body of an answer as its sender meant it: compressed ones are inflated.

We ask for none, or for gzip alone; some servers in between compress all the
same. Inflated in pieces of a bounded size, because what was compressed may come
out a thousand times as large.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ..errors import InvalidResponse

if TYPE_CHECKING:
    # Imported where something is compressed: most answers are not.
    from zlib import _Decompress

#: Bytes that are passed on at once.
PIECE = 256 * 1024
#: How a body that is compressed by gzip begins.
GZIP = b"\x1f\x8b"


async def inflated(body: AsyncIterator[bytes], coding: str, host: str) -> AsyncIterator[bytes]:
    """Yield the pieces of a body that has this `content-encoding`, decompressed."""
    coding = coding.strip().lower()
    inflate = _inflater(coding, host)
    begun, held = False, b""
    async for arrived in body:
        data = held + arrived
        if not begun:
            # Some compress without saying so, or leave out the header of the format.
            if len(data) < 2 and (coding == "deflate" or data == GZIP[:1]):
                held = data
                continue
            begun, held = True, b""
            if inflate is None and data.startswith(GZIP):
                inflate = _inflater("gzip", host)
            elif coding == "deflate" and not _has_header(data):
                inflate = _headless()
        if inflate is None:
            for start in range(0, len(data), PIECE):
                yield data[start : start + PIECE]
            continue
        while data:
            if inflate.eof:
                # A body may be several compressed pieces, one behind the other.
                inflate = _inflater(coding or "gzip", host)
                assert inflate is not None
            if piece := _decompressed(inflate, data, host):
                yield piece
            data = inflate.unconsumed_tail or inflate.unused_data
    if held:
        yield held


def _has_header(data: bytes) -> bool:
    """Return whether data begins with the two bytes of a zlib header."""
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _decompressed(inflate: _Decompress, data: bytes, host: str) -> bytes:
    import zlib

    try:
        return inflate.decompress(data, PIECE)
    except zlib.error as error:
        raise InvalidResponse(f"{host} sent a body that cannot be decompressed") from error


def _headless() -> _Decompress:
    import zlib

    return zlib.decompressobj(wbits=-zlib.MAX_WBITS)


def _inflater(coding: str, host: str) -> _Decompress | None:
    if coding in ("", "identity"):
        return None
    import zlib

    if coding in ("gzip", "x-gzip"):
        return zlib.decompressobj(wbits=31)
    if coding == "deflate":
        return zlib.decompressobj()
    raise InvalidResponse(f"{host} sent a {coding[:40]} body, which was not asked for")
