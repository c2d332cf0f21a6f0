"""The event-stream parser against the specification, at every cut, and within its bounds."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import InvalidResponse
from a3s_cli.sse import STRAY_LIMIT, Parser
from tests.support.corpus import load


def parse(pieces: list[bytes]) -> tuple[list[dict[str, str]], Parser]:
    """Return the events with their last event id, as a browser would dispatch them."""
    parser = Parser()
    events = []
    for piece in pieces:
        for name, data in parser.feed(piece):
            events.append({"event": name, "data": data, "last_event_id": parser.last_event_id})
    parser.close()
    return events, parser


def bytewise(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


def names_and_data(events: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(event["event"], event["data"]) for event in events]


def test_conformance() -> None:
    cases: list[dict[str, Any]] = load("sse_conformance.json")["cases"]
    wrong: list[tuple[str, Any]] = []
    for case in cases:
        data = base64.b64decode(case["bytes_b64"])
        expected = case["expected_events"]
        given_pieces = [base64.b64decode(piece) for piece in case["chunks_b64"]]
        events, parser = parse(bytewise(data))
        if events != expected or parser.retry != case["expected_retry_ms"]:
            wrong.append((case["id"], events))
        for pieces in (given_pieces, [data]):
            # The id that was in force is known per read, so only names and data here.
            events, parser = parse(pieces)
            if names_and_data(events) != names_and_data(expected):
                wrong.append((case["id"], events))
            if parser.retry != case["expected_retry_ms"]:
                wrong.append((case["id"], parser.retry))
    assert wrong == []
    assert len(cases) >= 47


LINES = st.sampled_from(
    [
        b"data: {}",
        b"data:x",
        b"data:  two spaces",
        "data: \u00e9\u2028\U0001f600".encode(),
        b"data: \xff\xe2\x82",
        b"data",
        b"event: ping",
        b"event",
        b"id: 7",
        b"id: a\x00b",
        b"retry: 15",
        b"retry: x",
        b": comment",
        b"what: ever",
        b"<html>",
        b"",
        b"",
    ]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    lines = draw(st.lists(st.tuples(LINES, ENDS), max_size=30))
    return start + b"".join(line + end for line, end in lines)


@given(streams(), st.lists(st.integers(0, 400), max_size=12))
def test_any_cut_gives_the_same(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    whole, first = parse([data])
    for pieces in ([data[a:b] for a, b in pairwise(edges)], bytewise(data)):
        events, parser = parse(pieces)
        assert names_and_data(events) == names_and_data(whole)
        assert (parser.retry, parser.last_event_id, parser.stray, parser.unfinished) == (
            first.retry,
            first.last_event_id,
            first.stray,
            first.unfinished,
        )


@given(st.binary(max_size=200), st.integers(0, 200))
def test_arbitrary_bytes_never_fail(data: bytes, cut: int) -> None:
    whole, _ = parse([data])
    parts, _ = parse([data[:cut], data[cut:]])
    assert names_and_data(parts) == names_and_data(whole)


@pytest.mark.parametrize(
    ("data", "unfinished", "left"),
    [
        (b"", [], False),
        (b"data: 1\n\n", [], False),
        (b"data: 1\n\n\n", [], False),
        (b"data: 1\n\ndata: 2\n", [("message", "2")], True),
        (b"event: end\ndata: 2", [("end", "2")], True),
        (b": still", [], True),
    ],
)
def test_the_end(data: bytes, unfinished: list[tuple[str, str]], left: bool) -> None:
    parser = Parser()
    parser.feed(data)
    assert parser.close() is left
    assert parser.unfinished == unfinished


def test_what_is_no_event_stream_is_kept_for_the_message() -> None:
    parser = Parser()
    assert parser.feed(b'data: 1\n\n{\n  "error": {"message": "no"}\n}\n') == [("message", "1")]
    parser.close()
    assert parser.stray == '{\n  "error": {"message": "no"}\n}\n'
    parser = Parser()
    for _ in range(100):
        parser.feed(b"<p>" + b"x" * 1000 + b"\n\n")
    assert STRAY_LIMIT <= len(parser.stray) <= STRAY_LIMIT + 2000


LIMIT = 1000
ENDLESS = {
    "one event": b"data: " + b"x" * 2000 + b"\n\n",
    "comments": b": x\n" * 500,
    "comment blocks": b": x\n\n" * 500,
    "names without data": b"event: ping\n\n" * 500,
    "many lines": b"data: x\n" * 500 + b"\n",
    "no line at all": b"x" * 2000,
    "wide characters": b"data: " + "\u20ac".encode() * 500 + b"\n\n",
}


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_without_events_is_ended(data: bytes, size: int) -> None:
    parser = Parser(LIMIT)
    events = []
    stream = b"data: before\n\n" + data + b"data: after\n\n"
    with pytest.raises(InvalidResponse):
        for start in range(0, len(stream), size):
            events += parser.feed(stream[start : start + size])
        parser.close()
    assert events == [("message", "before")]
    with pytest.raises(InvalidResponse):
        parser.feed(b"data: later\n\n")


@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_any_number_of_events_within_the_limit_passes(size: int) -> None:
    parser = Parser(LIMIT)
    block = b": x\nevent: a\ndata: " + b"y" * 900 + b"\n\n"
    stream = block * 20
    events = []
    for start in range(0, len(stream), size):
        events += parser.feed(stream[start : start + size])
    assert events == [("a", "y" * 900)] * 20
