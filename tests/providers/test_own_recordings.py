"""The same answer in each wire, in bytes of our own: what every clone can check.

An answer that thinks, says something and makes two calls lies in `recordings/`, as
each protocol would send it. The corpus of real vendors' bytes (`test_conformance`)
is no part of the project; without it this is the codecs' proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.errors import TruncatedStream
from a3s_cli.messages import Usage
from a3s_cli.registry import WIRES
from tests.support.decoding import NAMES, Answer, answer, wire

CALLS = [("call_a", "read", '{"file_path":"a.py"}'), ("call_b", "ls", "{}")]
#: What differs: what must be sent back, the counts, and the protocol's word for its end.
OPAQUE = {
    "openai_chat": [{"replay": "reasoning_content", "by": "vendor"}],
    "openai_responses": [
        {
            "id": "rs_own",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Two files. "}],
            "encrypted_content": "b3du",
        }
    ],
    "anthropic": [{"type": "thinking", "thinking": "Two files. ", "signature": "b3du"}],
    "gemini": [{"thoughtSignature": "b3du"}],
}
#: Input, output, read from the cache, reasoning; together 154 in each.
COUNTS = {
    "openai_chat": (120, 34, 100, 9),
    "openai_responses": (120, 34, 100, 9),
    "anthropic": (20, 34, 100, 0),
    "gemini": (120, 25, 100, 9),
}
#: With the event that this is in, the answer is whole.
ENDS = {
    "openai_chat": b'"finish_reason":"tool_calls"',
    "openai_responses": b'"status":"completed","output":[{"id":"rs_own"',
    "anthropic": b'{"type":"message_stop"}',
    "gemini": b'"finishReason":"STOP"',
}


def recording(name: str) -> bytes:
    return (Path(__file__).parent / "recordings" / f"{name}.sse").read_bytes()


def whole(got: Answer) -> tuple[object, ...]:
    """What an answer is worth, without what may come behind its end."""
    assert got.stop is not None
    return got.text, got.reasoning, got.calls, got.opaque, got.stop.reason


def test_every_wire_has_one() -> None:
    assert sorted(wire(name).name for name in NAMES) == sorted(WIRES)


@pytest.mark.parametrize("name", NAMES)
def test_the_answer(name: str) -> None:
    got = answer(name, [recording(name)])
    assert (got.error, got.stops) == (None, 1)
    text = 'I look – at "both" 😀.\n'
    assert whole(got) == (text, "Two files. ", CALLS, OPAQUE[name], "tool_use")
    given, made, read, thought = COUNTS[name]
    assert got.usage == Usage(
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=read,
        reasoning_tokens=thought,
        total_tokens=154,
    )


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The bytes one by one, line by line, and with other line endings."""
    yield [data[at : at + 1] for at in range(len(data))]
    yield data.splitlines(keepends=True)
    yield [data.replace(b"\n", b"\r\n")]
    yield [data.replace(b"\n", b"\r")]


@pytest.mark.parametrize("name", NAMES)
def test_how_it_arrives_does_not_matter(name: str) -> None:
    expected = answer(name, [recording(name)])
    for pieces in splits(recording(name)):
        assert answer(name, pieces) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_at_any_byte(name: str) -> None:
    """Before the protocol's own end there is no success, and behind it nothing is lost."""
    data = recording(name)
    expected = answer(name, [data])
    end = data.index(b"\n", data.rindex(ENDS[name]))
    for at in range(len(data)):
        got = answer(name, [data[:at]])
        if at < end:
            assert isinstance(got.error, TruncatedStream), at
            assert expected.text.startswith(got.text), at
        elif got.error is not None:
            # The event is there and the empty line that sends it is not.
            assert isinstance(got.error, TruncatedStream) and at <= end + 1, at
        else:
            assert whole(got) == whole(expected), at
