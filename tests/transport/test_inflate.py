"""Compressed bodies: whole, in several members, cut anywhere, damaged, and of other codings."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import InvalidResponse
from a3s_cli.transport.inflate import PIECE, inflated


async def _all(pieces: list[bytes], coding: str) -> list[bytes]:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [piece async for piece in inflated(body(), coding, "host")]


def read(pieces: list[bytes], coding: str) -> list[bytes]:
    return asyncio.run(_all(pieces, coding))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 50))
def test_several_members_at_any_cut(members: list[bytes], size: int) -> None:
    coded = b"".join(map(gzip.compress, members))
    pieces = [coded[start : start + size] for start in range(0, len(coded), size)]
    for coding in ("gzip", " X-GZIP "):
        assert b"".join(read(pieces, coding)) == b"".join(members)


def test_compressed_without_saying_how() -> None:
    text = b'data: {"a": 1}\n\n' * 50
    raw = zlib.compressobj(wbits=-15)
    bare = raw.compress(text) + raw.flush()
    for size in (1, 2, 7, 1000):
        pieces = [bare[start : start + size] for start in range(0, len(bare), size)]
        assert b"".join(read(pieces, "deflate")) == text
    for coding in ("", "identity"):
        assert b"".join(read([gzip.compress(text)], coding)) == text
    # A stored block, the first byte of which looks like nothing else.
    stored = zlib.compressobj(0, wbits=-15)
    assert b"".join(read([stored.compress(b"abc") + stored.flush()], "deflate")) == b"abc"


def test_deflate_and_nothing() -> None:
    assert read([zlib.compress(b"a"), b""], "deflate") == [b"a"]
    assert read([b"a", b"b"], "") == read([b"a", b"b"], "identity") == [b"a", b"b"]


def test_pieces_are_bounded() -> None:
    bomb = gzip.compress(b"\0" * (3 * PIECE))
    assert [len(piece) for piece in read([bomb], "gzip")] == [PIECE] * 3
    assert [len(piece) for piece in read([b"x" * (PIECE + 1)], "")] == [PIECE, 1]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_what_cannot_be_inflated(coding: str) -> None:
    with pytest.raises(InvalidResponse, match="host sent a "):
        read([b"<html>"], coding)
