"""What is shown of an object that grows, how often, and what it costs."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli import jsontext
from a3s_cli.events import ToolOutputDelta
from a3s_cli.objects.growing import Growing
from a3s_cli.objects.partial import Violation
from a3s_cli.secrets.redaction import Redactor
from a3s_cli.stream.line import fit

from .pieces import VALUES, cleaned, is_prefix

SECRET = "sk-abcdefgh-12345"


def write(growing: Growing, text: str, size: int = 1) -> list[dict[str, Any]]:
    """Let a model write a text, and give the documents that are shown."""
    shown = [growing.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return [json.loads(document) for document in shown if document]


def objects(documents: list[dict[str, Any]]) -> list[Any]:
    return [document["object_partial"] for document in documents]


def test_a_small_object_is_shown_at_every_change() -> None:
    growing = Growing(roots={"object"})
    documents = write(growing, '{"name": "John", "age": 42}')
    assert documents[0] == {"object_partial": {}, "round": 0, "final": False}
    assert objects(documents) == [
        {},
        {"name": ""},
        {"name": "J"},
        {"name": "Jo"},
        {"name": "Joh"},
        {"name": "John"},
        {"name": "John", "age": 42},
    ]
    assert not growing.pending
    value = growing.finish()
    assert growing.final(value) == (
        '{"object_partial":{"name":"John","age":42},"round":0,"final":true}'
    )


@given(VALUES, st.integers(1, 30))
def test_each_document_is_a_prefix_of_the_next_and_none_comes_twice(value: Any, size: int) -> None:
    growing = Growing()
    text = json.dumps(value)
    documents = write(growing, text, size)
    if flushed := growing.flush():
        documents.append(json.loads(flushed))
    assert all(first != then for first, then in pairwise(documents))
    documents.append(json.loads(growing.final(growing.finish())))
    found = objects(documents)
    assert all(is_prefix(first, then) for first, then in pairwise(found))
    assert found[-1] == cleaned(text)
    assert {document["round"] for document in documents} == {0}
    assert [document["final"] for document in documents] == [False] * (len(documents) - 1) + [True]


def test_after_a_pause_the_newest_state_is_shown() -> None:
    growing = Growing(roots={"object"})
    text = json.dumps({"text": "x" * 20_000})
    write(growing, text[:10_000], 5)
    growing.feed("y")
    assert growing.pending
    document = growing.flush()
    assert document
    assert json.loads(document)["object_partial"]["text"].endswith("xy")
    assert not growing.pending
    assert growing.flush() is None


def test_a_repair_is_a_new_round_and_a_retry_only_if_something_was_shown() -> None:
    growing = Growing(roots={"object"})
    growing.retry()
    assert growing.round == 0
    write(growing, '{"a": "b')
    with pytest.raises(Violation, match="line 1, column 9: the text ends before the JSON does"):
        growing.finish()
    growing.retry()
    assert growing.round == 1
    growing.again()
    assert write(growing, '{"a": 2}') == [
        {"object_partial": {}, "round": 2, "final": False},
        {"object_partial": {"a": 2}, "round": 2, "final": False},
    ]


def test_a_draft_that_gives_way_is_replaced_in_a_new_round() -> None:
    growing = Growing(roots={"object"}, accepts=lambda value: "a" in value)
    documents = write(growing, '{"draft": 1}\n{"a": 1}', 4)
    assert [(one["round"], one["object_partial"]) for one in documents] == [
        (0, {}),
        (0, {"draft": 1}),
        (1, {}),
        (1, {"a": 1}),
    ]
    assert growing.finish() == {"a": 1}
    # Nothing took its place: what was shown is what is judged.
    growing.again()
    write(growing, '{"draft": 1} is all', 4)
    assert growing.finish() == {"draft": 1}
    assert growing.round == 2


@pytest.mark.parametrize("value", [[1, {"a": "bc"}], "text", 0, None, {"value": 1}, {}, []])
def test_a_wrapped_value_is_shown_without_what_is_around_it(value: Any) -> None:
    growing = Growing(wrapped="value")
    documents = write(growing, json.dumps({"value": value}))
    assert all(is_prefix(one, value) for one in objects(documents))
    assert objects(documents)[-1] == value
    assert growing.finish() == value


def test_a_value_whose_wrapping_was_left_out_is_the_value() -> None:
    growing = Growing(wrapped="value", roots={"array"}, accepts=lambda value: value == [1])
    assert objects(write(growing, "[1]")) == [[], [1]]
    assert growing.finish() == [1]
    growing.again()
    write(growing, '{"value": [1], "more": "and')
    growing.feed('"}')
    assert growing.finish() == [1]


@given(VALUES.map(lambda value: [value, {SECRET: [SECRET, "a" + SECRET[:-1]]}]), st.integers(1, 9))
def test_no_part_of_a_secret_is_shown(value: Any, size: int) -> None:
    growing = Growing(redactor=Redactor({"KEY": SECRET}))
    text = json.dumps([f"begin {SECRET} end", value])
    documents = write(growing, text, size)
    final = growing.final(growing.finish())
    found = [*objects(documents), json.loads(final)["object_partial"]]
    assert all(is_prefix(first, then) for first, then in pairwise(found))
    for state in found:
        assert "begin [redacted:KEY] end".startswith("".join(state[:1]))
        assert SECRET not in str(state)
    assert found[-1][0] == "begin [redacted:KEY] end"


@pytest.mark.parametrize("filler", ["x", "\\n", '\\"', "é", "\\u0007"])
def test_no_document_is_cut_and_what_does_not_fit_a_line_is_told_by_its_size(filler: str) -> None:
    growing = Growing()
    text = '["' + filler * 90_000 + '"]'
    documents = [
        *write(growing, text, 1000),
        json.loads(growing.final(growing.finish())),
    ]
    for document in documents:
        event = ToolOutputDelta(
            tool_name="generate_object",
            tool_id="\x01" * 128 + "~999",
            text=jsontext.dumps(document).decode(),
        )
        assert fit(event) == [event]
    shown = ["object_partial" in document for document in documents]
    assert shown == sorted(shown, reverse=True)
    assert True in shown
    sizes = [document["partial_bytes"] for document in documents if "partial_bytes" in document]
    assert sizes[:-1] == sorted(sizes[:-1])
    assert documents[-1] == {
        "object_partial_omitted": True,
        "partial_bytes": len(jsontext.dumps(json.loads(text))),
        "round": 0,
        "final": True,
    }


def _cost(text: str, piece: int) -> tuple[int, int, int]:
    growing = Growing()
    documents = [growing.feed(text[at : at + piece]) for at in range(0, len(text), piece)]
    growing.finish()
    shown = [document for document in documents if document]
    return growing.spent, sum(map(len, shown)), len(shown)


@pytest.mark.parametrize("piece", [4, 4096])
@pytest.mark.parametrize("kind", ["string", "list", "objects"])
def test_work_and_output_grow_with_the_text(kind: str, piece: int) -> None:
    def text(size: int) -> str:
        return {
            "string": json.dumps("x" * size),
            "list": json.dumps([1] * (size // 3)),
            "objects": json.dumps([{"name": "a", "text": "b" * 40}] * (size // 64)),
        }[kind]

    for size in (1000, 30_000, 300_000):
        spent, printed, count = _cost(text(size), piece)
        # What was earned, and at most the document that took the last of it.
        assert spent <= 64 * 1024 + 17 * size + 1024
        assert printed <= spent
        assert count <= 1000
    # Many documents on the way there, not only the last.
    assert count > 30


def test_the_largest_object_is_told_of_a_few_hundred_times() -> None:
    text = json.dumps([{"text": "x" * 1000, "number": n} for n in range(4000)])
    spent, printed, count = _cost(text, 256)
    assert spent <= 64 * 1024 + 17 * len(text) + 1024
    assert printed < 4 * 1024 * 1024
    assert 30 < count < 1000


def test_a_flood_of_drafts_shows_no_more_than_it_pays_for() -> None:
    growing = Growing(roots={"object"}, accepts=lambda _: False)
    text = '```\n{"a":1}' * 5000
    documents = write(growing, text, 11)
    assert documents
    assert growing.spent <= 64 * 1024 + 16 * len(text) + 200
