"""JSON documents, ways to cut them, and what it means to be a prefix."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from a3s_cli import jsontext
from a3s_cli.objects.partial import Partial

# Escapes, pairs, lone halves, and what some reader splits lines at.
_TEXTS = st.text(st.sampled_from('ab"\\/\n\t\x00\x7fé\u2028😀\ud83d\ude00\ud800')) | st.text()
_NUMBERS = (
    st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
)
# Two keys may be one when their lone surrogates are replaced.
_KEYS = _TEXTS.map(jsontext.clean)
VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=25,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a JSON text in one of the ways to write it."""
    return json.dumps(
        draw(VALUES),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 1, "\t"])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", "\t:  ")])),
    )


@st.composite
def split_documents(draw: st.DrawFn) -> list[str]:
    """Draw a JSON text in pieces: single characters, or cut anywhere."""
    text = draw(documents())
    if draw(st.booleans()):
        return list(text)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def cleaned(text: str) -> Any:
    """Return the value of a text, in a form that all readers can be compared by."""
    return json.loads(jsontext.dumps(json.loads(text)))


def is_prefix(first: Any, then: Any) -> bool:
    """Whether a state can become a later one by growing at its end alone."""
    if type(first) is not type(then):
        return False
    if isinstance(first, str):
        return bool(then.startswith(first))
    if isinstance(first, list):
        return _grows(first, then)
    if isinstance(first, dict):
        return list(then)[: len(first)] == list(first) and _grows(
            list(first.values()), list(then.values())
        )
    return bool(first == then)


def _grows(first: list[Any], then: list[Any]) -> bool:
    if len(first) > len(then):
        return False
    if not first:
        return True
    *done, last = first
    # Only what is last of all may have grown; what another follows has ended.
    grown = is_prefix(last, then[len(done)])
    ended = len(then) == len(first) or grown
    return done == then[: len(done)] and grown and ended


def states(pieces: list[str]) -> list[Any]:
    """Return the value after each piece that yields one, and the final one."""
    partial = Partial()
    found = []
    for piece in pieces:
        partial.feed(piece)
        if partial.begun:
            found.append(deepcopy(partial.value))
    partial.finish()
    return [*found, partial.value]
