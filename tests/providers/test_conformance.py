"""Every wire against every recording: text, calls, finish and usage as the vendors' SDKs have them.

Where this program is stricter than an SDK, the rule is here and not a list of
recordings: a response without the protocol's own end is an error; tools that
the vendor runs itself are not our calls; the pieces of a call are one call; a
body into which several responses have been glued is read as one.
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

from a3s_cli.errors import A3SError, TruncatedStream
from a3s_cli.messages import Usage
from tests.support.corpus import Recording, load, of_each, recordings
from tests.support.decoding import Answer, answer

#: The calls that are ours to run; the others are the vendor's own tools, run by itself.
OURS = (None, "tool_use", "function_call")
STOPS = {
    "stop": "end_turn",
    "end_turn": "end_turn",
    "stop_sequence": "end_turn",
    "completed": "end_turn",
    "STOP": "end_turn",
    "tool_calls": "tool_use",
    "tool_use": "tool_use",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "MAX_TOKENS": "max_tokens",
    "incomplete": "max_tokens",
    "content_filter": "refusal",
    "refusal": "refusal",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
}


def parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        return None


def compare_calls(got: Answer, recording: Recording) -> None:
    calls = [one for one in recording.expect["tool_calls"] if one.get("kind") in OURS]
    if recording.data.count(b"event: response.created") > 1:
        # The SDK lets the calls of a later response overwrite those of an earlier one.
        assert {(one["id"], one["name"]) for one in calls} <= {(a, b) for a, b, _ in got.calls}
        return
    if b'"willContinue"' in recording.data:
        # The SDK has a call for each piece of the arguments.
        names = [(one["id"] or "", one["name"]) for one in calls if one["name"]]
        assert [(identity, name) for identity, name, _ in got.calls] == names
        assert all(parsed(arguments) for _, _, arguments in got.calls)
        return
    names = [(one["id"] or "", one["name"] or "") for one in calls]
    assert [(identity, name) for identity, name, _ in got.calls] == names
    for call, (_, _, arguments) in zip(calls, got.calls, strict=True):
        if call["arguments_json"] is None:
            assert arguments == call["arguments"]
        else:
            assert parsed(arguments) == call["arguments_json"]


def compare_stop(got: Answer, recording: Recording) -> None:
    expected = recording.expect["finish_reason"]
    if expected is None:
        assert got.stop is None
        assert got.error is not None
        return
    assert got.stop is not None
    stop = STOPS.get(expected, "other")
    if got.calls and stop == "end_turn":
        stop = "tool_use"
    assert got.stop.reason == stop
    if expected not in ("completed", "incomplete"):
        assert got.stop.raw == expected


def expected_usage(wire: str, usage: dict[str, Any]) -> dict[str, int]:
    """Say what the vendor's figures mean, in the vendor's own words."""
    if wire == "openai_chat":
        sent = usage.get("prompt_tokens_details") or {}
        made = usage.get("completion_tokens_details") or {}
        figures = {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
            "cache_read_tokens": sent.get("cached_tokens") or usage.get("cached_tokens"),
            "reasoning_tokens": made.get("reasoning_tokens"),
        }
    elif wire == "anthropic":
        read, written = usage["input_tokens"], usage["output_tokens"]
        hit = usage.get("cache_read_input_tokens") or 0
        stored = usage.get("cache_creation_input_tokens") or 0
        figures = {
            "input_tokens": read,
            "output_tokens": written,
            "cache_read_tokens": hit,
            "cache_write_tokens": stored,
            "total_tokens": read + written + hit + stored,
        }
    elif wire == "openai_responses":
        figures = {
            "input_tokens": usage["input_tokens"],
            "output_tokens": usage["output_tokens"],
            "total_tokens": usage["total_tokens"],
            "cache_read_tokens": usage["input_tokens_details"]["cached_tokens"],
            "reasoning_tokens": usage["output_tokens_details"]["reasoning_tokens"],
        }
    else:
        figures = {
            "input_tokens": usage.get("prompt_token_count"),
            "output_tokens": usage.get("candidates_token_count"),
            "total_tokens": usage.get("total_token_count"),
            "cache_read_tokens": usage.get("cached_content_token_count"),
            "reasoning_tokens": usage.get("thoughts_token_count"),
        }
    return {name: value or 0 for name, value in figures.items()}


@of_each()
def test_a_recording(recording: Recording) -> None:
    got = answer(recording.wire, [recording.data])
    expect = recording.expect
    assert got.text == expect["text"]
    assert got.reasoning == (expect["reasoning"] or "")
    compare_calls(got, recording)
    compare_stop(got, recording)
    usage = expect["usage"]
    if usage is None:
        assert got.usage is None
    else:
        assert isinstance(got.usage, Usage)
        for name, value in expected_usage(recording.wire, usage).items():
            assert getattr(got.usage, name) == value, name
    if expect["error"]:
        # The SDK's text is the class and the vendor's message or all of the body, cut at 300.
        assert got.error is not None
        said = str(got.error).partition(": ")[2]
        assert said[:200] in " ".join(expect["error"].split())
    elif expect["finish_reason"]:
        assert got.error is None


@of_each()
def test_how_the_bytes_are_cut_does_not_matter(recording: Recording) -> None:
    data = recording.data
    whole = answer(recording.wire, [data])
    chance = random.Random(recording.id)
    edges = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(40))})
    ways = [[data[a:b] for a, b in pairwise(edges)]]
    if len(data) < 20_000:
        ways.append([data[n : n + 1] for n in range(len(data))])
    for pieces in ways:
        got = answer(recording.wire, pieces)
        assert repr(got) == repr(whole)


def test_no_cut_is_a_success() -> None:
    """The cuts of the corpus, and for each recording one at every event's end and many between."""
    found = {one.id: one for one in recordings()}
    cuts = 0
    for case in load("sse_faults.json")["cases"]:
        recording = found.get(case["corpus_id"])
        if recording is None:
            continue
        for cut in case["cuts"]:
            check_cut(recording, cut["at"])
            cuts += 1
    assert cuts > 300


def check_cut(recording: Recording, at: int) -> None:
    got = answer(recording.wire, [recording.data[:at]])
    assert isinstance(got.error, A3SError), (recording.id, at)
    assert isinstance(got.error, TruncatedStream) or recording.expect["error"], (recording.id, at)
    assert recording.expect["text"].startswith(got.text), (recording.id, at)


@of_each()
def test_every_cut_before_the_end_is_found(recording: Recording) -> None:
    data = recording.data
    whole = answer(recording.wire, [data])
    ends = [at for at in range(1, len(data)) if data[at - 1] == 10 and data[at] in b"\r\ndeb:"]
    for at in ends[:: max(1, len(ends) // 40)]:
        got = answer(recording.wire, [data[:at]])
        assert whole.text.startswith(got.text)
        if got.error is None and whole.error is None and whole.stops == 1:
            # Whatever came after the protocol's own end was decoration.
            assert (got.text, got.calls, got.stop) == (whole.text, whole.calls, whole.stop)
        elif got.error is not None and whole.error is None:
            assert isinstance(got.error, TruncatedStream)
            assert got.stop is None or recording.wire == "anthropic"
