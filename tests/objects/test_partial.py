"""A document that grows: every state is a prefix of the next, the last is the whole."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from a3s_cli import jsontext
from a3s_cli.objects.partial import MAX_BYTES, MAX_DEPTH, Partial, Violation

from .pieces import cleaned, documents, is_prefix, split_documents, states


def read(text: str, size: int = 1 << 30) -> Any:
    """Read a whole document in pieces of one size."""
    return states([text[at : at + size] for at in range(0, len(text), size)])[-1]


def so_far(text: str) -> Any:
    """What is to be shown of an unfinished text; "nothing" where there is nothing."""
    partial = Partial()
    partial.feed(text)
    return partial.value if partial.begun else "nothing"


def problem(text: str) -> str:
    """Say why a text is refused, which must not depend on how it was cut."""
    with pytest.raises(Violation) as whole:
        states([text])
    with pytest.raises(Violation) as cut:
        states(list(text))
    assert str(whole.value) == str(cut.value)
    return str(whole.value)


@given(split_documents())
@example(list('"\\ud83d\\ude00"'))
@example(['"\\ud83d', '\\ud83d\\ude00"'])
@example(['"\ud83d', '\ude00"'])
@example(['"\\ud83d', '\ude00"'])
@example(["-0"])
@example(["-0.0 "])
@example(["[1.0, 1e5, 1E-7]"])
def test_each_state_is_a_prefix_of_the_next_and_the_last_is_the_value(pieces: list[str]) -> None:
    found = states(pieces)
    text = "".join(pieces)
    assert all(is_prefix(one, then) for one, then in pairwise(found))
    # Not `==` alone: 1, 1.0 and true are equal in Python, 0.0 and -0.0 too.
    assert repr(found[-1]) == repr(cleaned(text))
    # No lone surrogate, which could not be written.
    assert [str(state).encode() for state in found]


@given(documents(), st.data())
def test_no_prefix_of_a_document_is_refused_and_none_is_complete(text: str, data: Any) -> None:
    cut = data.draw(st.integers(0, len(text.rstrip()) - 1))
    partial = Partial()
    partial.feed(text[:cut])
    assert not partial.complete
    if partial.begun:
        assert is_prefix(json.loads(jsontext.dumps(partial.value)), cleaned(text))


@given(documents(), st.text())
def test_what_follows_is_left_alone(text: str, more: str) -> None:
    # A digit would belong to a number.
    whole = text + " " + more
    partial = Partial()
    end = partial.feed(whole)
    assert whole[end:].lstrip(" ") == more.lstrip(" ")
    assert partial.complete
    assert partial.value == cleaned(text)


@given(st.text(st.sampled_from('{}[]",:\\ue019-+.tfn \nx'), max_size=40), st.data())
def test_a_text_is_refused_exactly_if_json_refuses_it(text: str, data: Any) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except ValueError:
        expected = None
        valid = False
    else:
        valid = True
    cut = data.draw(st.integers(0, len(text)))
    partial = Partial()
    try:
        end = partial.feed(text[:cut]) if cut else 0
        rest = text[cut:] if end == cut and not partial.complete else text[end:]
        end = partial.feed(rest) if not partial.complete else 0
        partial.finish()
        rest = rest[end:]
    except Violation:
        assert not valid
    else:
        assert valid == (not rest.strip(" \t\n\r"))
        if valid:
            assert partial.value == json.loads(jsontext.dumps(expected))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "nothing"),
        ("  ", "nothing"),
        ("12", "nothing"),
        ("-", "nothing"),
        ("tru", "nothing"),
        ("true", True),
        ("null", None),
        ('"', ""),
        ('"a\\', "a"),
        ('"a\\u00e', "a"),
        ('"a\\ud83d', "a"),
        ('"a\\ud83d\\ude0', "a"),
        ('"a\\ud83d\\ude00', "a😀"),
        ('"a\\ud83dx', "a\ufffdx"),
        ("[1", []),
        ("[1,", [1]),
        ("[1, 2.5e", [1]),
        ("[nul", []),
        ('["a", "b', ["a", "b"]),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a":1', {}),
        ('{"a":1 ', {"a": 1}),
        ('{"a":{"b":"', {"a": {"b": ""}}),
        ('{"b":[[],{"a":"x', {"b": [[], {"a": "x"}]}),
    ],
)
def test_nothing_unfinished_is_shown_but_a_string(text: str, shown: Any) -> None:
    assert so_far(text) == shown


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1,\n "a": 2}', 'line 2, column 5: the key "a" comes twice'),
        ('{"\\u0061": 1, "a": 2}', 'line 1, column 18: the key "a" comes twice'),
        ('{"\\ud800": 1, "\\ud801": 2}', 'line 1, column 23: the key "\ufffd" comes twice'),
        ("{a: 1}", 'line 1, column 2: expected a key in double quotes, found "a"'),
        ('{"a" 1}', 'line 1, column 6: expected a colon after the key, found "1"'),
        ('{"a": 1 "b": 2}', 'line 1, column 9: expected a comma or }, found "\\""'),
        ("[1 2]", 'line 1, column 4: expected a comma or ], found "2"'),
        ("[1,]", 'line 1, column 4: expected a value, found "]"'),
        ("[NaN]", 'line 1, column 2: expected a value, found "N"'),
        ("[-Infinity]", "line 1, column 3: - is not a JSON number"),
        ("[01]", "line 1, column 4: 01 is not a JSON number"),
        ("[1e400]", "line 1, column 7: the number 1e400 is beyond the range of a float"),
        ('["\n"]', 'line 1, column 3: a string may not contain "\\n" unescaped'),
        ('["\\x"]', "line 1, column 3: no such escape in JSON: a backslash itself is written \\\\"),
        ('{"a": [1, "b', "line 1, column 13: the text ends before the JSON does"),
        ("", "line 1, column 1: the text ends before the JSON does"),
        ("-", "line 1, column 2: - is not a JSON number"),
    ],
)
def test_a_violation_tells_its_place_and_what_was_expected(text: str, sentence: str) -> None:
    assert problem(text) == sentence


def test_a_violation_stands() -> None:
    partial = Partial()
    for _ in range(3):
        with pytest.raises(Violation, match="line 1, column 2: expected a key"):
            partial.feed("{]")
    with pytest.raises(Violation, match="line 1, column 2: expected a key"):
        partial.finish()


def test_integers_keep_their_digits_as_far_as_python_counts() -> None:
    digits = "9" * sys.get_int_max_str_digits()
    assert read(f"[{digits}, -{digits}]", 7) == [int(digits), -int(digits)]
    assert "a number of more than 4300 digits" in problem("9" * 5000)
    assert "a number of more than 4300 digits" in problem("0." + "9" * 5000)


def test_the_deepest_nesting_and_one_more() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read(deepest) == json.loads(deepest)
    expected = f"line 1, column {MAX_DEPTH + 1}: the JSON is nested deeper than {MAX_DEPTH} levels"
    assert problem("[" * 10_000) == expected
    assert "nested deeper" in problem('{"a":' * 10_000)


def test_the_longest_document_and_one_more() -> None:
    longest = json.dumps("x" * (MAX_BYTES - 2))
    assert read(longest, 50_000) == json.loads(longest)
    for text in (json.dumps("x" * (MAX_BYTES - 1)), "[" + " " * MAX_BYTES, '["' + "é" * MAX_BYTES):
        with pytest.raises(Violation, match=f"longer than {MAX_BYTES} bytes"):
            read(text, 50_000)


def test_the_size_is_that_of_the_text_without_blanks() -> None:
    text = json.dumps({"é": [1, "two  words", None]}, indent=2, ensure_ascii=False)
    partial = Partial()
    partial.feed(text)
    assert partial.size == len('{"é":[1,"two  words",null]}'.encode())


def test_equal_keys_are_kept_once() -> None:
    value = read(json.dumps([{"name": 1}, {"name": 2}]))
    first, second = (next(iter(one)) for one in value)
    assert first is second
