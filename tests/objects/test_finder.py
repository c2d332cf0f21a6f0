"""JSON among a model's words: found while it is written, and never a fragment."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.objects.finder import Finder
from a3s_cli.objects.partial import Violation

from .pieces import VALUES, cleaned

OBJECT = frozenset({"object"})
SIGNS = (
    "```",
    "<think>",
    "</think>",
    "[THINK]",
    "assistantfinal",
    "<|channel|>",
    "final",
    "<|end|>",
)
FENCED = '```json\n{"a": 1}\n```'


def find(text: str, roots: Collection[str] | None = OBJECT, **options: Any) -> Any:
    """Find the value in a text, which must not depend on how it is cut."""
    outcomes = []
    for size in (1, 3, 1 << 30):
        finder = Finder(roots, **options)
        try:
            for at in range(0, len(text), size):
                # What is lost may turn out to have been reasoning.
                with suppress(Violation):
                    finder.feed(text[at : at + size])
            outcomes.append(finder.finish())
        except Violation as violation:
            outcomes.append(str(violation))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    return outcomes[0]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '\ufeff\n  {"a": 1}\n',
        FENCED,
        FENCED.replace("json", ""),
        '```{"a": 1}```',
        f"Here it is:\n\n{FENCED}\n\nI hope that {{this}} helps, or [that].",
        '<think>Perhaps {"a": 2}? No.</think>{"a": 1}',
        '<thinking>\n{"a": 2}\n</thinking>\n\n```json\n{"a": 1}\n```',
        'Braces {like these} and {"these"} and [1] and [x] and {} say nothing: {"a": 1}.',
        'A set `{"b"}`, then {"a": 2}, then {"a": 1}.',
        '{"a": 1}\n\nNot {"a": 2}, which is worse, nor {"a": 3}, {"a": 4',
        'For example {"a": 2} would do. Final: {"a": 1}',
        'Draft:\n{"a": 2}\n\nFinal:\n```json\n{"a": 1}\n```\nwith {"a": 3} left out.',
        '**Answer:** `{"a": 1}`.\nIt could have been {"a": 2}, had it not.',
        'Hm, {"a": 2}? No: {"a": 3}\n</think>\n{"a": 1}',
        '{"a": 2, no, rather {"b": 3</think>{"a": 1}',
        '<thought>{"a": 2}</thought>{"a": 1}',
        '<reasoning>\n{"a": 2}\n</reasoning>\n<answer>{"a": 1}</answer>',
        '[THINK]{"a": 2}[/THINK]{"a": 1}',
        "\u25c1think\u25b7{'a': 2}\u25c1/think\u25b7" + '{"a": 1}',
        '<|channel|>analysis<|message|>{"a": 2}<|end|><|start|>assistant'
        '<|channel|>final<|message|>{"a": 1}<|return|>',
        'analysis{"a": 2} it is.assistantfinal{"a": 1}',
        '<answer>{"a": 1}</answer>\nSo {"a": 2} was wrong.',
        'The keys [1, 2] and `a < b`, in `{"a": 1}`',
        "Here is code: ```python\nx = [i for i in y]\n```\n" + FENCED,
    ],
)
def test_an_object_is_found(text: str) -> None:
    assert find(text, accepts=lambda value: value != {}) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "roots", "value"),
    [
        ("42", {"integer"}, 42),
        ("-1.5\n", {"number"}, -1.5),
        ("```\n42\n```\n3 notes", {"number"}, 42),
        ("<think>7?</think>\n42", {"number"}, 42),
        ("null", {"null"}, None),
        ("false.", {"boolean", "string"}, False),
        ('"a {\\"b\\": 1} c"', {"string"}, 'a {"b": 1} c'),
        ("Sure: [1, 2]", {"array"}, [1, 2]),
        ("see [this](page): [[1], []]", {"array"}, [[1], []]),
        ("[]", {"array"}, []),
        ("1. The first:\n[1]", {"array"}, [1]),
        ('"a"', None, "a"),
        ("12", None, 12),
        ('1. {"a": 1}', None, {"a": 1}),
    ],
)
def test_any_root_is_found(text: str, roots: set[str] | None, value: Any) -> None:
    found = find(text, roots)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("I cannot do that.", "line 1, column 18: there is no JSON value in the answer"),
        ("", "line 1, column 1: there is no JSON value in the answer"),
        ("one\n{two}", 'line 2, column 2: expected a key in double quotes, found "t"'),
        ('Here:\n{"a": 1 "b": 2}', 'line 2, column 9: expected a comma or }, found "\\""'),
        ('{"a": {"b": 1} {"c": 2}', 'line 1, column 16: expected a comma or }, found "{"'),
        ('[{"a": 1} {"a": 2}]', 'line 1, column 11: expected a comma or ], found "{"'),
        ('Here:\n{"a": 1, ', "line 2, column 10: the text ends before the JSON does"),
        ('{"a": 1, "a": 2}', 'line 1, column 13: the key "a" comes twice'),
        ("<think>hm", "line 1, column 10: there is no JSON value in the answer"),
        ('<think>{"a": 1}', "line 1, column 16: there is no JSON value in the answer"),
        ('{"a": 1}</think>', "line 1, column 17: there is no JSON value in the answer"),
        ('Say {"a": 1} or so.\n{"a": }', 'line 2, column 7: expected a value, found "}"'),
    ],
)
def test_without_a_value_the_answer_is_told_why(text: str, sentence: str) -> None:
    assert find(text) == sentence


def test_a_refused_document_stands_where_no_other_comes() -> None:
    draft = '{"draft": 1}'
    refuse = {"accepts": lambda value: "a" in value}
    assert find(f"First {draft}, or", **refuse) == {"draft": 1}
    assert find(f'First {draft}, or better {{"a": 2}}', **refuse) == {"a": 2}
    assert find('{"a": {"b": 1}}', {"array"}) == {"a": {"b": 1}}
    assert find("3", {"integer"}, accepts=lambda value: value > 5) == 3
    # An element of a list is not the object that was asked for.
    assert find('[{"a": 1}, {"a": 2}]') == [{"a": 1}, {"a": 2}]


def test_in_a_block_an_object_is_shown_at_once_and_in_prose_when_it_is_one() -> None:
    def states(text: str) -> list[Any]:
        finder = Finder(OBJECT)
        found: list[Any] = []
        for character in text:
            finder.feed(character)
            if finder.shown and (not found or found[-1] != finder.shown.value):
                found.append(deepcopy(finder.shown.value))
        return found

    assert states('{"a": "bc"}') == [{}, {"a": ""}, {"a": "b"}, {"a": "bc"}]
    assert states('Of {"x"}, {"a": "b"}') == [{}, {"a": ""}, {"a": "b"}]
    assert states("Only {braces} and [1]") == []


def test_after_an_accepted_document_a_fragment_does_not_matter() -> None:
    assert find('{"a": 1} {"b": broken }{ {"a": 2}') == {"a": 1}


def test_a_refused_document_that_stands_alone_outdoes_an_example() -> None:
    refuse = {"accepts": lambda value: value != {"a": "x"}}
    assert find('Like {"a": 1} here.\n{"a": "x"}', **refuse) == {"a": "x"}
    assert find('{"a": 1}\n\nThe schema:\n{"a": "x"}', **refuse) == {"a": 1}


@given(VALUES, st.sampled_from(["", "\n", "```json\n", "Well, {a} and [b]:\n```\n"]), st.data())
def test_every_document_is_found_where_an_answer_is_expected(
    value: Any, before: str, data: Any
) -> None:
    text = before + json.dumps(value) + data.draw(st.sampled_from(["", "\n", "\n```\nBye."]))
    finder = Finder()
    size = data.draw(st.integers(1, 20))
    for at in range(0, len(text), size):
        finder.feed(text[at : at + size])
    assert finder.finish() == cleaned(json.dumps(value))


@given(
    st.lists(st.sampled_from([*'{}[]":,x1` \n\\', *SIGNS, '{"a":1}', '{"a":2}'])),
    st.sampled_from([None, OBJECT, frozenset({"array", "string"})]),
)
def test_what_is_found_does_not_depend_on_how_the_text_is_cut(
    pieces: list[str], roots: Collection[str] | None
) -> None:
    outcome = find("".join(pieces), roots, accepts=lambda value: value not in ({}, []))
    assert json.dumps(outcome)


@pytest.mark.parametrize("hostile", ["{", "[", '{"', "{}", '["', "```", "<think", '{"a"', "[1 "])
def test_a_flood_of_beginnings_is_read_once(hostile: str) -> None:
    # Each reading of a character is paid by the character: counted, not timed.
    class Counted(Finder):
        reads = 0

        def _json(self, text: str, at: int) -> int:
            end = super()._json(text, at)
            Counted.reads += max(end, at + 1) - at
            return end

    text = hostile * (200_000 // len(hostile))
    finder = Counted(OBJECT, lambda _: False)
    try:
        finder.feed(text)
        finder.finish()
    except Violation:
        pass
    assert Counted.reads <= 2 * len(text)
