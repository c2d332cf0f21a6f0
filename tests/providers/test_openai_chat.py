"""How the vendors of one wire differ: each deviation in the smallest form that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from a3s_cli.errors import TruncatedStream
from a3s_cli.messages import Usage
from a3s_cli.model import StopChunk
from tests.support.decoding import Answer, answer, frames


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def call(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return fields | {"function": {k: v for k, v in function.items() if v is not None}}


def chat(*values: Any, quirks: dict[str, Any] | None = None) -> Answer:
    return answer("openai_chat", [frames(*values)], quirks=quirks or {})


def calls(*groups: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    got = chat(*(delta(tool_calls=group) for group in groups), delta("tool_calls"))
    assert got.error is None
    return got.calls


def test_parallel_calls_by_index() -> None:
    assert calls(
        [call("a", "", index=0, id="1")],
        [call("b", "{", index=1, id="2")],
        [call(None, "{}", index=0), call(None, "}", index=1)],
    ) == [("1", "a", "{}"), ("2", "b", "{}")]


def test_the_name_again_in_every_piece() -> None:
    assert calls(
        [call("a", "{", index=0, id="1")],
        [call("a", "}", index=0, id="1")],
    ) == [("1", "a", "{}")]
    assert calls([call("a", '{"x":', index=0)], [call("a", "1}", index=0)]) == [
        ("", "a", '{"x":1}')
    ]


def test_one_index_for_all_calls() -> None:
    assert calls(
        [call("a", "{}", index=0, id="1")],
        [call("a", '{"x":1}', index=0, id="2")],
    ) == [("1", "a", "{}"), ("2", "a", '{"x":1}')]


def test_no_index() -> None:
    assert calls([call("a", "{}", id="1")], [call("b", "{}", id="2")]) == [
        ("1", "a", "{}"),
        ("2", "b", "{}"),
    ]
    assert calls([call("a", "{", id="1")], [call(None, "}")]) == [("1", "a", "{}")]
    assert calls([call("a", "{}", id="1"), call("b", "{}", id="2")]) == [
        ("1", "a", "{}"),
        ("2", "b", "{}"),
    ]


def test_neither_index_nor_id() -> None:
    assert calls([call("a", "{}"), call("a", '{"x":1}')]) == [("", "a", "{}"), ("", "a", '{"x":1}')]
    assert calls([call("a", "{}")], [call("a", '{"x":1}')]) == [
        ("", "a", "{}"),
        ("", "a", '{"x":1}'),
    ]
    assert calls([call("a", '{"x":')], [call("a", "1}")]) == [("", "a", '{"x":1}')]


def test_a_fresh_id_with_every_piece() -> None:
    assert calls(
        [call("a", "{", index=0, id="1")],
        [call(None, "}", index=0, id="2")],
        [call("", "", index=0, id="")],
    ) == [("1", "a", "{}")]


def test_the_name_after_the_id() -> None:
    assert calls(
        [call("", '{"x":', index=0, id="1")],
        [call("a", "1}", index=0)],
    ) == [("1", "a", '{"x":1}')]


def test_a_call_without_a_name_is_still_a_call() -> None:
    assert calls([call(None, "{}", index=0, id="1")]) == [("1", "", "{}")]


@pytest.mark.parametrize(
    ("arguments", "text"), [({"x": 1}, '{"x":1}'), ({}, "{}"), (None, ""), ("", "")]
)
def test_arguments_that_are_no_text(arguments: Any, text: str) -> None:
    assert calls([call("a", arguments, index=0, id="1")]) == [("1", "a", text)]


def test_the_old_function_call() -> None:
    got = chat(
        delta(function_call={"name": "a", "arguments": "{"}),
        delta(function_call={"arguments": "}"}),
        delta("function_call"),
    )
    assert got.calls == [("", "a", "{}")]
    assert got.stop == StopChunk("tool_use", "function_call")


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "tool_use"),
        ("eos", "tool_use"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("surprise", "other"),
    ],
)
def test_how_a_response_with_calls_ends(finish: str, reason: str) -> None:
    got = chat(delta(tool_calls=[call("a", "{}", index=0, id="1")]), delta(finish))
    assert got.stop == StopChunk(reason, finish)  # type: ignore[arg-type]
    assert got.error is None


@pytest.mark.parametrize(
    ("finish", "code"),
    [
        ("insufficient_system_resource", "overloaded"),
        ("network_error", "overloaded"),
        ("error", "overloaded"),
    ],
)
def test_a_finish_that_is_a_failure(finish: str, code: str) -> None:
    got = chat(delta(content="so far"), delta(finish))
    assert got.text == "so far"
    assert got.error is not None
    assert got.error.code == code


def test_choices_that_are_nothing() -> None:
    got = chat(
        {"choices": []},
        {"choices": None},
        {},
        {"choices": [{"delta": None}]},
        {"choices": [{"index": 0, "finish_reason": ""}]},
        delta(content=None, role="assistant", tool_calls=None),
        delta(content="hi"),
        delta("stop"),
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    assert (got.text, got.error) == ("hi", None)
    assert got.usage == Usage(input_tokens=3, output_tokens=2, total_tokens=5)


def test_one_answer_of_several() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"}]}
    got = chat(delta(content="yes"), other, delta("length"))
    assert (got.text, got.stop) == ("yes", StopChunk("max_tokens", "length"))


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": "", "reasoning_content": "hm", "content_filter": None},
    ],
)
def test_where_reasoning_is(fields: dict[str, Any]) -> None:
    got = chat(delta(**fields), delta(content="so"), delta("stop"))
    assert (got.reasoning, got.text, got.error) == ("hm", "so", None)


def test_reasoning_details_are_kept_whole() -> None:
    pieces = [
        {"type": "reasoning.text", "index": 0, "text": "a", "format": "f"},
        {"type": "reasoning.text", "index": 0, "text": "b"},
        {"type": "reasoning.text", "index": 0, "signature": "s"},
        {"type": "reasoning.encrypted", "index": 1, "data": "x"},
    ]
    got = chat(*(delta(reasoning_details=[piece]) for piece in pieces), delta("stop"))
    first = {"type": "reasoning.text", "index": 0, "text": "ab", "format": "f", "signature": "s"}
    assert got.opaque == [[first, pieces[3]]]


def test_content_in_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "reference", "ids": [1]}]
    got = chat(delta(content=parts), delta(content="b"), delta("stop"))
    assert (got.text, got.error) == ("ab", None)


def test_a_refusal_is_not_an_answer() -> None:
    got = chat(delta(refusal="I "), delta(refusal="won't"), delta("stop"))
    assert (got.text, got.stop) == ("", StopChunk("refusal", "I won't"))


def test_usage_of_groq() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    got = chat(delta(content="a"), delta("stop") | {"x_groq": {"id": "1", "usage": usage}})
    assert got.usage == Usage(1, 2, 0, 0, 0, 3)


def test_done_is_no_end_unless_the_vendor_has_no_other() -> None:
    assert isinstance(chat(delta(content="a")).error, TruncatedStream)
    got = chat(delta(content="a"), quirks={"done_ends": True})
    assert (got.text, got.error, got.stop) == ("a", None, StopChunk("end_turn", "stop"))


def test_the_finish_twice() -> None:
    got = chat(delta("stop"), delta("stop"))
    assert (got.stops, got.error) == (1, None)


def test_a_surrogate_pair_cut_between_two_deltas() -> None:
    first = '{"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}'
    second = '{"choices":[{"index":0,"delta":{"content":"\\ude00b"}}]}'
    got = chat(first, second, delta("stop"))
    assert (got.text, got.error) == ("a\ud83d\ude00b", None)


def test_an_error_of_vllm() -> None:
    got = chat(delta(content="a"), {"object": "error", "message": "m", "code": 500})
    assert got.text == "a"
    assert got.error is not None
    assert (got.error.code, str(got.error)[-3:]) == ("overloaded", ": m")


def test_usage_of_moonshot() -> None:
    end = delta("stop")
    end["choices"][0]["usage"] = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert chat(delta(content="a"), end).usage == Usage(1, 2, 0, 0, 0, 3)
