"""Framing against h11: the same body, whatever the cuts; the same refusals."""

from __future__ import annotations

from itertools import pairwise

import h11  # noqa: TID251 - what we are held against
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.transport.framing import LIMIT, BadFraming, Chunked, Framing, framing

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = {"transfer-encoding": "chunked"}


def by_h11(head: bytes, pieces: list[bytes]) -> bytes | None:
    """The whole body as h11 reads it; None where it refuses."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    http.send(h11.EndOfMessage())
    body = b""
    try:
        for piece in (HEAD + head + b"\r\n", *pieces, b""):
            http.receive_data(piece)
            while (event := http.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Data):
                    body += event.data
                if isinstance(event, h11.EndOfMessage):
                    return body
    except h11.RemoteProtocolError:
        return None
    return None


def by_us(body: Framing, pieces: list[bytes]) -> bytes | None:
    given = b""
    try:
        for piece in [*filter(None, pieces), b""]:
            if not body.done:
                given += body.feed(piece)
    except BadFraming:
        return None
    return given if body.done else None


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


bodies = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
cuts = st.lists(st.integers(0, 400), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(bodies, cuts, st.sampled_from([b"", b";a=b", b" "]), st.sampled_from([b"", b"x: y\r\n"]))
def test_chunks_at_any_cut(body: list[bytes], at: list[int], extra: bytes, trailer: bytes) -> None:
    coded = b"".join(chunk(one, extra) for one in body) + b"0\r\n" + trailer + b"\r\n"
    assert by_us(Chunked(), cut(coded, at)) == b"".join(body)
    single = [coded[place : place + 1] for place in range(len(coded))]
    assert by_us(Chunked(), single) == b"".join(body)


@given(bodies, st.binary(max_size=12), st.integers(0, 60), cuts)
def test_damaged_chunks_are_refused_as_h11_refuses_them(
    body: list[bytes], damage: bytes, place: int, at: list[int]
) -> None:
    coded = b"".join(map(chunk, body)) + b"0\r\n\r\n"
    damaged = coded[:place] + damage + coded[place + len(damage) :]
    theirs = by_h11(b"transfer-encoding: chunked\r\n", [damaged])
    ours = by_us(Chunked(), cut(damaged, at))
    # Trailers are passed over here, whatever they say: nothing reads them.
    assert ours == theirs or (theirs is None and b"\r\n0\r\n" in b"\r\n" + damaged)


@given(bodies, st.integers(0, 400))
def test_a_cut_body_is_never_whole(body: list[bytes], place: int) -> None:
    coded = b"".join(map(chunk, body)) + b"0\r\n\r\n"
    assert by_us(Chunked(), [coded[: min(place, len(coded) - 1)]]) is None


@given(st.binary(max_size=60), cuts, st.integers(0, 80))
def test_so_many_bytes(body: bytes, at: list[int], size: int) -> None:
    expected = body[:size] if len(body) >= size else None
    assert by_us(framing(200, {"content-length": str(size)}), cut(body, at)) == expected


def test_all_there_is() -> None:
    assert by_us(framing(200, {}), [b"a", b"bc"]) == b"abc"


def test_what_comes_behind_the_end_is_told() -> None:
    for body, data in (
        (Chunked(), b"1\r\na\r\n0\r\n\r\nmore"),
        (framing(200, {"content-length": "1"}), b"amore"),
    ):
        assert (body.feed(data), body.done, body.rest) == (b"a", True, b"more")


def test_an_answer_without_a_body() -> None:
    assert framing(204, CHUNKED).done and framing(200, {"content-length": "0"}).done


@pytest.mark.parametrize(
    "headers",
    [
        {"transfer-encoding": "gzip, chunked"},
        {"content-length": "-1"},
        {"content-length": "1_0"},
        {"content-length": "\u0661"},
    ],
)
def test_framing_that_nobody_asked_for(headers: dict[str, str]) -> None:
    with pytest.raises(BadFraming):
        framing(200, headers)


@pytest.mark.parametrize("start", [b"", b"0\r\n"])
def test_a_line_without_end_is_bounded(start: bytes) -> None:
    body = Chunked()
    if start:
        body.feed(start)
    with pytest.raises(BadFraming):
        for _ in range(LIMIT // 1000 + 2):
            body.feed(b"1" * 1000 if not start else b"x: " + b"y" * 997)


def test_what_came_before_the_damage_is_given() -> None:
    body = Chunked()
    assert body.feed(b"1\r\na\r\nzzz\r\n") == b"a"
    with pytest.raises(BadFraming):
        body.feed(b"1\r\n")
