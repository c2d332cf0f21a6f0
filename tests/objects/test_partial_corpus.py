"""What others' parsers make of unfinished JSON, and real arguments of real models.

The event contract decides where its sources differ: a number or a literal that
is unfinished is not shown, while some of them complete it.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from copy import deepcopy
from typing import Any

from a3s_cli.objects.partial import Partial, Violation
from tests.support.corpus import load

from .pieces import is_prefix

_UNFINISHED_SCALAR = re.compile(r"(?:^|[\[,:\s])[-+.0-9a-zA-Z]+\Z")


def _text(case: dict[str, Any]) -> str:
    if case["input"] is not None:
        return str(case["input"])
    data = base64.b64decode(case["input_b64"])
    return codecs.getincrementaldecoder("utf-8")().decode(data)


def _check(case: dict[str, Any]) -> str | None:
    """Say what is wrong with our reading of a case."""
    partial = Partial()
    complete = True
    try:
        text = _text(case)
        partial.feed(text)
        shown = deepcopy(partial.value) if partial.begun else None
        begun = partial.begun
    except ValueError as error:
        return None if case["expected"] == "error" else f"refused: {error}"
    try:
        partial.finish()
    except Violation:
        complete = False
    if case["mode"] == "off":
        # A finished text: strict.
        right = partial.value == case["expected_value"] if complete else None
        return None if (case["expected"] == "value") == complete and right is not False else "wrong"
    if case["expected"] == "error":
        return "not refused"
    if complete:
        return None if partial.value == case["expected_value"] else f"{partial.value!r}"
    if not begun:
        unfinished = not text or _UNFINISHED_SCALAR.search(text)
        return None if unfinished else "nothing shown"
    if case["mode"] == "on":
        # Without the unfinished string.
        return None if is_prefix(case["expected_value"], shown) else f"{shown!r}"
    if _UNFINISHED_SCALAR.search(text):
        return None if is_prefix(shown, case["expected_value"]) else f"{shown!r}"
    return None if shown == case["expected_value"] else f"{shown!r}"


def test_what_is_shown_of_unfinished_json() -> None:
    cases = load("partial_json.json")["cases"]
    wrong = {case["id"]: found for case in cases if (found := _check(case))}
    assert cases
    assert wrong == {}


def test_real_arguments_grow_to_what_they_are() -> None:
    for case in load("partial_json.json")["real_argument_strings"]:
        partial = Partial()
        final = json.loads(case["arguments"])
        before: Any = {}
        for character in case["arguments"]:
            partial.feed(character)
            now = deepcopy(partial.value)
            assert is_prefix(before, now)
            assert is_prefix(now, final)
            before = now
        partial.finish()
        assert partial.value == final


def test_real_arguments_that_were_cut_are_no_object() -> None:
    for case in load("partial_json.json")["real_truncated_arguments_must_not_execute"]:
        partial = Partial()
        try:
            partial.feed(case["arguments"])
            partial.finish()
        except Violation:
            continue
        assert not isinstance(partial.value, dict)
