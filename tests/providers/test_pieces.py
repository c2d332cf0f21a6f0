"""Calls and texts in all the pieces that servers send them in: nothing lost, nothing twice."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.messages import Message, Reasoning, ToolCall
from a3s_cli.model import Request
from a3s_cli.providers.codec import ArgumentText
from a3s_cli.values import replace
from tests.support.decoding import Answer, answer, endpoint, frames, wire

Call = tuple[str, str, str]
X, Y = '{"x":1}', '{"y":[2]}'
TWICE = json.dumps(X)


def piece(name: Any = None, arguments: Any = "", **fields: Any) -> dict[str, Any]:
    function: dict[str, Any] = {} if name is None else {"name": name}
    if arguments != "absent":
        function["arguments"] = arguments
    return {"type": "function", "function": function, **fields}


def chat(*deltas: list[dict[str, Any]]) -> list[Call]:
    chunks = [{"choices": [{"delta": {"tool_calls": one}}]} for one in deltas]
    got = answer("openai_chat", [frames(*chunks, {"choices": [{"finish_reason": "tool_calls"}]})])
    assert got.error is None
    return got.calls


@pytest.mark.parametrize("identity", [{}, {"id": ""}, {"id": None}, {"id": "same"}])
@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_whole_calls_that_nothing_tells_apart(
    identity: dict[str, Any], index: dict[str, Any]
) -> None:
    name = identity.get("id") or ""
    a, b = piece("a", X, **identity, **index), piece("b", Y, **identity, **index)
    again = piece("a", Y, **identity, **index)
    assert chat([a], [b]) == [(name, "a", X), (name, "b", Y)]
    assert chat([a], [again]) == [(name, "a", X), (name, "a", Y)]
    if index:
        assert chat([a, b]) == [(name, "a", X), (name, "b", Y)]


def test_calls_without_arguments_that_nothing_tells_apart() -> None:
    a, b = piece("a", None, index=0), piece("b", None, index=0)
    assert chat([a], [b]) == [("", "a", ""), ("", "b", "")]
    a, b = piece("a", "{}", index=0), piece("b", {}, index=0)
    assert chat([a], [b]) == [("", "a", "{}"), ("", "b", "{}")]


def test_a_call_costs_the_same_however_many_came_before() -> None:
    """Seconds of this process: with each call looking at all before it, this took many."""
    named = [[piece("a", X, index=n, id=f"n{n}")] for n in range(10_000)]
    nameless = [[piece(None, X, index=n, id=f"n{n}")] for n in range(10_000)]
    began = time.process_time()
    assert len(chat(*named)) == len(named)
    frameless = [{"choices": [{"delta": {"tool_calls": one}}]} for one in nameless]
    assert answer("openai_chat", [frames(*frameless)]).error is not None
    assert time.process_time() - began < 3


def test_a_whole_call_that_comes_again_is_one_call() -> None:
    whole = piece("a", X, index=0, id="1")
    assert chat([piece("a", '{"x"', index=0, id="1")], [piece(None, ":1}", index=0)], [whole]) == [
        ("1", "a", X)
    ]


@pytest.mark.parametrize("placeholder", ["{}", {}, None, "null", ""])
def test_what_stands_for_the_arguments_before_they_come(placeholder: Any) -> None:
    first = piece("a", placeholder, index=0, id="1")
    assert chat([first], [piece(None, X, index=0)]) == [("1", "a", X)]
    assert chat([first], [piece(None, '{"x"', index=0)], [piece(None, ":1}", index=0)]) == [
        ("1", "a", X)
    ]
    assert chat([first], [piece("a", X, index=0, id="1")]) == [("1", "a", X)]
    assert json.loads(chat([first])[0][2] or "{}") == {}


@pytest.mark.parametrize("arguments", [json.loads(X), X, TWICE, json.dumps(TWICE)])
def test_arguments_in_any_coat(arguments: Any) -> None:
    assert chat([piece("a", arguments, index=0, id="1")]) == [("1", "a", X)]
    if isinstance(arguments, str):
        parts = [[piece(None, letter, index=0)] for letter in arguments]
        assert chat([piece("a", "", index=0, id="1")], *parts) == [("1", "a", X)]


def test_a_name_in_pieces() -> None:
    first, rest = piece("get_", "", index=0, id="1"), piece("weather", "", index=0)
    end = piece(None, X, index=0)
    assert chat([first], [rest], [end]) == [("1", "get_weather", X)]
    assert chat([first], [piece("get_weather", X, index=0, id="1")]) == [("1", "get_weather", X)]
    assert chat([first], [first], [end]) == [("1", "get_", X)]
    assert chat([piece("get_", "absent", index=0)], [piece("weather", X, index=0)]) == [
        ("", "get_weather", X)
    ]


def test_parallel_calls_keep_their_order() -> None:
    assert chat(
        [piece("a", "", index=0, id="1"), piece("b", "", index=1, id="2")],
        [piece(None, Y, index=1)],
        [piece(None, X, index=0)],
    ) == [("1", "a", X), ("2", "b", Y)]


@given(st.lists(st.integers(1, 6)), st.sampled_from([X, Y, "{}", TWICE, '{"s":"\\"{}null"}']))
def test_arguments_do_not_depend_on_the_cuts(sizes: list[int], text: str) -> None:
    arguments, given_away, rest = ArgumentText(), "", text
    for size in [*sizes, len(text)]:
        given_away += arguments.feed(rest[:size])
        rest = rest[size:]
    given_away += arguments.finish()
    assert given_away == (X if text == TWICE else text)


def test_what_must_come_back_with_a_call() -> None:
    extra = {"google": {"thought_signature": "s"}}
    inner = {"name": "a", "arguments": X, "thought_signature": "t"}
    one = {"index": 0, "id": "1", "function": inner, "extra_content": extra}
    chunk = {"choices": [{"delta": {"tool_calls": [one]}, "finish_reason": "tool_calls"}]}
    got = answer("openai_chat", [frames(chunk)])
    assert got.opaque == [{"extra_content": extra, "function": {"thought_signature": "t"}}]


@pytest.mark.parametrize(
    ("provider", "quirks", "sent"),
    [
        ("vendor", {}, {"reasoning_content": "hm"}),
        ("other", {}, {}),
        ("vendor", {"reasoning_replay": False}, {}),
        ("other", {"reasoning_replay": "reasoning"}, {"reasoning": "hm"}),
    ],
)
def test_reasoning_goes_back_to_the_server_that_sent_it(
    provider: str, quirks: dict[str, Any], sent: dict[str, Any]
) -> None:
    one = {"index": 0, "id": "1", "function": {"name": "a", "arguments": X}, **SIGNED}
    got = answer(
        "openai_chat",
        [
            frames(
                {"choices": [{"delta": {"reasoning_content": "hm"}}]},
                {"choices": [{"delta": {"tool_calls": [one]}, "finish_reason": "tool_calls"}]},
            )
        ],
    )
    signature, mark = got.opaque
    parts = (
        Reasoning("hm", None, "openai-chat"),
        ToolCall("1", "a", X, "1", signature, "openai-chat"),
        Reasoning("", mark, "openai-chat"),
    )
    place = replace(endpoint("openai_chat", quirks=quirks), provider=provider)
    request = Request("m", "", (Message("assistant", parts),))
    (message,) = json.loads(wire("openai_chat").encode(request, place).body)["messages"]
    (call,) = message.pop("tool_calls")
    assert call["extra_content"] == SIGNED["extra_content"]
    assert message == {"role": "assistant", "content": None, **sent}


SIGNED = {"extra_content": {"google": {"thought_signature": "s"}}}


def messages(*events: dict[str, Any], stop: str = "tool_use") -> Answer:
    end = [{"type": "message_delta", "delta": {"stop_reason": stop}}, {"type": "message_stop"}]
    return answer("anthropic", [frames({"type": "message_start", "message": {}}, *events, *end)])


def use(identity: str, name: str, given: Any = None, index: Any = 0) -> dict[str, Any]:
    block = {"type": "tool_use", "id": identity, "name": name, "input": given}
    return {"type": "content_block_start", "index": index, "content_block": block}


def part(text: Any, index: Any = 0) -> dict[str, Any]:
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def stop(index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("ids", [("1", "2"), ("", ""), (None, None)])
def test_blocks_at_one_place(index: Any, stops: bool, ids: tuple[Any, Any]) -> None:
    end = [stop(index)] if stops else []
    first, second = ids
    got = messages(
        use(first, "a", None, index),
        part(X, index),
        *end,
        use(second, "b", {"y": [2]}, index),
        *end,
    )
    assert got.calls == [(first or "", "a", X), (second or "", "b", Y)]


@pytest.mark.parametrize("arguments", [[X], ['{"x"', ":1}"], [{"x": 1}], [TWICE], ["{}", X]])
@pytest.mark.parametrize("given_first", [None, {}, ""])
def test_the_input_of_a_block(arguments: list[Any], given_first: Any) -> None:
    got = messages(use("1", "a", given_first), *map(part, arguments), stop())
    assert got.calls == [("1", "a", X)]


def test_a_name_of_a_block_in_pieces() -> None:
    got = messages(use("1", "get_"), use("1", "weather"), part(X), stop())
    assert got.calls == [("1", "get_weather", X)]


def responses(*events: dict[str, Any], **response: Any) -> Answer:
    end = {"type": "response.completed", "response": {"status": "completed", **response}}
    return answer("openai_responses", [frames(*events, end)])


WORDS = {"type": "output_text", "text": "Hello"}
MESSAGE = {"type": "message", "id": "m", "content": [WORDS]}
CALL = {"type": "function_call", "id": "f", "call_id": "1", "name": "a", "arguments": X}
PLACE = {"output_index": 0, "content_index": 0, "item_id": "m"}
TELLING = {
    "text": {"type": "response.output_text.done", "text": "Hello", **PLACE},
    "part": {"type": "response.content_part.done", "part": WORDS, **PLACE},
    "item": {"type": "response.output_item.done", "item": MESSAGE, "output_index": 0},
}


@pytest.mark.parametrize("told", ["", "He", "Hello"])
@pytest.mark.parametrize("places", [True, False])
@pytest.mark.parametrize("kinds", ["", "text", "part", "item", "text part item"])
@pytest.mark.parametrize("output", [True, False])
def test_a_text_that_is_told_several_times(
    told: str, places: bool, kinds: str, output: bool
) -> None:
    events = [{"type": "response.output_text.delta", "delta": told, **PLACE}] if told else []
    events += [TELLING[kind] for kind in kinds.split()]
    if not places:
        events = [
            {key: value for key, value in event.items() if key != "output_index"}
            for event in events
        ]
    got = responses(*events, output=[MESSAGE] if output else [])
    whole = bool(kinds) or output
    if not places and told == "He" and "item" in kinds.split():
        return  # nothing says that the item is the one that has begun
    assert got.text == ("Hello" if whole else told)
    assert got.error is None


def test_a_text_that_differs_in_the_end_is_as_it_was_shown() -> None:
    delta = {"type": "response.output_text.delta", "delta": "secret", **PLACE}
    assert responses(delta, *TELLING.values(), output=[MESSAGE]).text == "secret"


@pytest.mark.parametrize("streamed", [[], [0], [1], [0, 1]])
def test_calls_that_only_the_end_tells(streamed: list[int]) -> None:
    other = {**CALL, "call_id": "2", "name": "b", "arguments": Y}
    items = [CALL, other]
    events = [
        {"type": "response.output_item.done", "item": items[n], "output_index": n} for n in streamed
    ]
    got = responses(*events, output=items)
    assert sorted(got.calls) == [("1", "a", X), ("2", "b", Y)]
    assert got.stop is not None
    assert got.stop.reason == "tool_use"


def test_reasoning_text_and_a_call_that_only_the_end_tells() -> None:
    thought = {"type": "reasoning", "id": "r", "encrypted_content": "e"}
    thought["summary"] = [{"type": "summary_text", "text": "hm"}]  # type: ignore[assignment]
    got = responses(output=[thought, MESSAGE, CALL])
    assert (got.reasoning, got.opaque, got.text) == ("hm", [thought], "Hello")
    assert got.calls == [("1", "a", X)]


def test_events_without_places() -> None:
    added = [
        {
            "type": "response.output_item.added",
            "item": {**CALL, "id": n, "call_id": n, "arguments": ""},
        }
        for n in "12"
    ]
    deltas = [
        {"type": "response.function_call_arguments.delta", "item_id": n, "delta": text}
        for n, text in (("2", Y), ("1", X))
    ]
    assert responses(*added, *deltas).calls == [("1", "a", X), ("2", "a", Y)]


def test_a_call_of_a_tool_that_takes_text() -> None:
    item = {"type": "custom_tool_call", "call_id": "1", "name": "patch", "input": "*** Begin"}
    done = {"type": "response.output_item.done", "item": item, "output_index": 0}
    for got in (responses(done), responses(output=[item]), responses(done, output=[item])):
        assert got.calls == [("1", "patch", '{"input":"*** Begin"}')]
        assert got.stop is not None
        assert got.stop.reason == "tool_use"
    # The vendor has run its own, and gone on.
    assert responses(done, output=[item, MESSAGE]).calls == []


def test_a_call_whose_item_is_incomplete_is_none() -> None:
    got = responses(output=[{**CALL, "status": "incomplete"}])
    assert got.stop is not None
    assert got.stop.reason == "other"


def gemini(*parts: dict[str, Any]) -> Answer:
    events = [{"candidates": [{"content": {"parts": [{"functionCall": one}]}}]} for one in parts]
    return answer("gemini", [frames(*events, {"candidates": [{"finishReason": "STOP"}]})])


def test_a_streamed_call_of_gemini() -> None:
    more = {"willContinue": True}
    pieces = [
        {"name": "book", **more},
        {"partialArgs": [{"jsonPath": "$.to.city", "stringValue": "New ", **more}], **more},
        {"partialArgs": [{"jsonPath": "$.to.city", "stringValue": "York"}], **more},
        {"partialArgs": [{"jsonPath": "$.to.days[0]", "numberValue": 3}], **more},
        {"partialArgs": [{"jsonPath": "$.to.days[1]", "numberValue": 1.5}], **more},
        {"partialArgs": [{"jsonPath": "$['a.b']", "boolValue": True}], **more},
        {"partialArgs": [{"jsonPath": "$.none", "nullValue": None}], **more},
    ]
    got = gemini(*pieces, {}, {"name": "next", "args": {}})
    arguments = {"to": {"city": "New York", "days": [3, 1.5]}, "a.b": True, "none": None}
    assert [(name, json.loads(text)) for _, name, text in got.calls] == [
        ("book", arguments),
        ("next", {}),
    ]
    assert got.stop is not None
    assert got.stop.reason == "tool_use"
    cut = gemini(*pieces)
    assert cut.stop is not None
    assert (cut.stop.reason, cut.calls) == ("other", [])
