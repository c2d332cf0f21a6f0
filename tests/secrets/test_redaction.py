"""Secrets are hidden whole, in texts that come whole, in pieces, and as JSON."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.messages import Message, Reasoning, Text, ToolCall, ToolResult
from a3s_cli.model import Request
from a3s_cli.secrets.redacted_request import redacted_message, redacted_request
from a3s_cli.secrets.redaction import NOTHING, Redactor

KEY = "sk-canary-0123456789"

# Few letters, so that secrets overlap, contain and begin each other, and texts are full of them.
LETTERS = "abc"
SECRETS = st.lists(st.text(LETTERS, min_size=8, max_size=12), min_size=1, max_size=4, unique=True)


@st.composite
def hidden_texts(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    secrets = {f"S{number}": value for number, value in enumerate(draw(SECRETS))}
    parts = st.one_of(st.text(LETTERS + "-", max_size=6), st.sampled_from(list(secrets.values())))
    return secrets, "".join(draw(st.lists(parts, max_size=8)))


def expected(secrets: dict[str, str], text: str) -> str:
    """The definition, letter by letter: what starts further left first, of those the longest."""
    shown: list[str] = []
    end, last = 0, ""
    for at in range(len(text)):
        here = [(len(v), n) for n, v in secrets.items() if text.startswith(v, at)]
        if here:
            length, name = max(here)
            if at + length > end:
                if at >= end or name != last:
                    shown.append(f"[redacted:{name}]")
                end, last = at + length, name
        if at >= end:
            shown.append(text[at])
    return "".join(shown)


@given(hidden_texts())
def test_whole_is_its_definition(case: tuple[dict[str, str], str]) -> None:
    secrets, text = case
    assert Redactor(secrets).whole(text) == expected(secrets, text)


@given(hidden_texts(), st.data())
def test_any_split_gives_the_whole(case: tuple[dict[str, str], str], data: st.DataObject) -> None:
    secrets, text = case
    redactor = Redactor(secrets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream = redactor.stream()
    shown = [stream.feed(text[a:b]) for a, b in pairwise([0, *cuts, len(text)])]
    assert "".join([*shown, stream.finish()]) == redactor.whole(text)


@given(hidden_texts(), st.data())
def test_the_quick_way_gives_the_same(
    case: tuple[dict[str, str], str], data: st.DataObject
) -> None:
    """A batch goes through at once where nothing is in it, else piece by piece."""
    secrets, text = case
    redactor = Redactor(secrets)
    stream = redactor.stream()
    shown: list[str] = []
    while text:
        batch = []
        for length in data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)):
            batch.append(text[:length])
            text = text[length:]
        batch = [piece for piece in batch if piece]
        quick = stream.feed_harmless(batch)
        if quick is None:
            quick = [stream.feed(piece) for piece in batch]
        else:
            assert all(quick)
        shown += quick
    shown.append(stream.finish())
    assert "".join(shown) == redactor.whole(case[1])


@given(hidden_texts())
def test_only_what_could_begin_a_secret_is_held_back(case: tuple[dict[str, str], str]) -> None:
    secrets, text = case
    for end in range(len(text) + 1):
        stream = Redactor(secrets).stream()
        stream.feed(text[:end])
        held = stream.finish()
        if held and not stream.replaced:
            assert any(value.startswith(held) for value in secrets.values())


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        ({"A": KEY}, f"x{KEY}y", "x[redacted:A]y"),
        ({"A": KEY}, f"{KEY}{KEY}", "[redacted:A][redacted:A]"),
        ({"A": KEY}, KEY[:-1], KEY[:-1]),
        # one contains the other; one begins the other; two overlap; one runs on in itself
        ({"A": "45678901", "B": "0123456789012345"}, "0123456789012345", "[redacted:B]"),
        ({"A": "abcdefgh", "B": "abcdefghijkl"}, "abcdefghijkl", "[redacted:B]"),
        ({"A": "abcdefgh", "B": "abcdefghijkl"}, "abcdefghijkx", "[redacted:A]ijkx"),
        ({"A": "abcdefgh", "B": "ghijklmn"}, "abcdefghijklmn.", "[redacted:A][redacted:B]."),
        ({"A": "aaaaaaaa"}, "aaaaaaaaaaa.", "[redacted:A]."),
        # the same value under two names has the first
        ({"A": KEY, "B": KEY}, KEY, "[redacted:A]"),
        # seven characters are too few, and space around a value is no part of it
        ({"A": "1234567"}, "1234567", "1234567"),
        ({"A": "12345678"}, "12345678", "[redacted:A]"),
        ({"A": f"\n{KEY}\n"}, f"<{KEY}>", "<[redacted:A]>"),
        ({}, KEY, KEY),
    ],
)
def test_what_stands_where_a_secret_stood(secrets: dict[str, str], text: str, shown: str) -> None:
    assert Redactor(secrets).whole(text) == shown


def test_a_secret_is_hidden_as_json_writes_it() -> None:
    value = 'pass"word\\1\té'
    redactor = Redactor({"A": value})
    for ascii_only in (True, False):
        text = json.dumps({"x": value}, ensure_ascii=ascii_only)
        assert json.loads(redactor.whole(text)) == {"x": "[redacted:A]"}


def test_each_line_of_a_private_key_is_hidden() -> None:
    body = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + str(number) for number in range(3)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"])
    redactor = Redactor({"A": key})
    assert redactor.whole(f"<{key}>") == "<[redacted:A]>"
    shown = redactor.whole("".join(f"{n}\t{line}\n" for n, line in enumerate(body)))
    assert shown == "0\t[redacted:A]\n1\t[redacted:A]\n2\t[redacted:A]\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"`{KEY}` and `{KEY[:18]}…`", "`[redacted:A]` and `[redacted:A]…`"),
        (f"{KEY[:16]}{KEY[:17]}", "[redacted:A][redacted:A]"),
        # what many keys begin with says nothing
        (f"`{KEY[:15]}…` begins one", f"`{KEY[:15]}…` begins one"),
    ],
)
def test_a_sentence_hides_a_secret_of_which_it_quotes_the_beginning(text: str, shown: str) -> None:
    assert Redactor({"A": KEY}).sentence(text) == shown


def test_little_is_held_back_of_a_huge_secret() -> None:
    value = "".join(f"{number:05d}" for number in range(10_000))
    stream = Redactor({"A": value}).stream()
    shown = stream.feed("x" + value + "y") + stream.finish()
    assert shown.replace("[redacted:A]", "") == "xy"
    assert len(stream.feed(value[:40_000])) > 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": {KEY: [1, None, True, f"x {KEY}"]}},
         {"a": {"[redacted:A]": [1, None, True, "x [redacted:A]"]}}),
        ([KEY, 1.5], ["[redacted:A]", 1.5]),
        (KEY, "[redacted:A]"),
        ({"n": 123456789, "f": 0.5, "t": False}, {"n": "[redacted:N]", "f": 0.5, "t": False}),
    ],
)  # fmt: skip
def test_json_values(value: Any, shown: Any) -> None:
    assert Redactor({"A": KEY, "N": "123456789"}).value(value) == shown


def test_what_holds_nothing_is_the_same_object() -> None:
    redactor = Redactor({"A": KEY})
    text = "no secret " * 3
    value = {"a": [{"b": text}, 1.5, None]}
    assert redactor.whole(text) is text
    assert redactor.value(value) is value
    assert bool(redactor) and not NOTHING and not Redactor({"A": "short"})


def test_a_request_tells_the_model_no_secret() -> None:
    redactor = Redactor({"A": KEY})
    said = Message(
        "assistant",
        (
            Reasoning(f"it is {KEY}", {"signature": "s"}, "anthropic"),
            Reasoning("harmless", {"signature": "s"}, "anthropic"),
            Text(f"I saw {KEY}"),
            # as an escape it is the same value, and what is sent must still be JSON
            ToolCall("1", "bash", '{"command": "\\u0073' + KEY[1:] + '", "timeout": 1}'),
        ),
    )
    request = Request(
        model="m",
        system=f"AGENTS.md: {KEY}",
        messages=(
            Message("user", (Text(KEY),)),
            said,
            Message("tool", (ToolResult("1", "bash", KEY),)),
        ),
    )
    told = redacted_request(request, redactor)
    assert told.system == "AGENTS.md: [redacted:A]"
    assert told.messages == (
        Message("user", (Text("[redacted:A]"),)),
        Message(
            "assistant",
            (
                Reasoning("harmless", {"signature": "s"}, "anthropic"),
                Text("I saw [redacted:A]"),
                ToolCall("1", "bash", '{"command":"[redacted:A]","timeout":1}'),
            ),
        ),
        Message("tool", (ToolResult("1", "bash", "[redacted:A]"),)),
    )
    assert redacted_request(told, redactor) is told
    assert redacted_request(request, NOTHING) is request
    broken = Message("assistant", (ToolCall("1", "bash", '{"command": "' + KEY),))
    assert redacted_message(broken, redactor).calls[0].arguments == '{"command": "[redacted:A]'
