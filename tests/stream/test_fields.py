"""What holds for every field of every event, whichever is added: it is hidden, and it fits.

The values are made from the types of the fields, so a new one is held to this as well.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, get_args, get_origin

import orjson
import pytest

from a3s_cli.events import Denial, Event, TextDelta
from a3s_cli.jsontext import LINE_LIMIT
from a3s_cli.messages import Usage
from a3s_cli.secrets.redaction import Redactor
from a3s_cli.stream.emitter import Emitter
from a3s_cli.stream.line import encode, fit

SECRET = "hunter2-hunter2"
#: Enough to hide in a field of an event that has several of this length.
LONG = 40_000
#: The texts that a3s makes itself, said a second time.
OWN = {
    "version", "run_id", "session_id", "forked_from", "parent_run_id", "tool_id", "code", "signal",
    "policy_sha256", "sha256", "output_sha256", "record_head",
}  # fmt: skip
UNIONS = (types.UnionType, typing.Union)
PIECES = ("text_delta", "reasoning_delta", "tool_input_delta", "tool_output_delta")
KINDS = sorted(Event.kinds)


def fields(kind: str) -> dict[str, Any]:
    """The type of each field, without its description and without None; the first of several."""
    hints = typing.get_type_hints(Event.kinds[kind])
    found = {}
    for name, _ in Event.kinds[kind].fields:
        parts = get_args(hints[name]) if get_origin(hints[name]) in UNIONS else (hints[name],)
        found[name] = next(part for part in parts if part is not type(None))
    return found


def sample(kind: Any, text: str) -> Any:
    """A value of a type, with this text wherever it can be."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    known = {
        str: text,
        int: 7,
        float: 0.5,
        bool: True,
        Any: {"a": [text]},
        dict[str, Any]: {text: text, "deep": [{"a": text}]},
        list[str]: [text],
        list[dict[str, Any]]: [{"name": text}],
        tuple[Denial, ...]: (Denial(tool_id="c1", tool_name=text, rule=text),),
        Usage: Usage(input_tokens=1, output_tokens=2),
    }
    return known[kind]


def event(kind: str, text: str, own: str = "c1") -> Event:
    """An event with every field, and the text in each that can hold it."""
    made: Event = Event.kinds[kind](
        **{name: sample(one, own if name in OWN else text) for name, one in fields(kind).items()}
    )
    return made


def only(one: Event) -> dict[str, Any]:
    """The line of an event, with what was held back of a stream."""
    emitter, lines = Emitter(), list[bytes]()
    emitter.redact(Redactor({"KEY": SECRET}))
    emitter.add_line_sink(lines.append)
    emitter.emit(one)
    emitter.emit(event("turn_start", "over"))
    line: dict[str, Any] = orjson.loads(b"".join(lines).splitlines()[0])
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_hidden_in_every_field(kind: str) -> None:
    assert SECRET not in str(only(event(kind, SECRET)))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(PIECES)))
def test_what_is_our_own_is_never_changed(kind: str) -> None:
    """Where an id happens to have a secret's letters it still has to be the same everywhere."""
    line = only(event(kind, "x", SECRET))
    told = {key for name, key in Event.kinds[kind].fields if name in OWN}
    assert {line[key] for key in told} <= {SECRET}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("letter", ["x", "\x1b", "é"], ids=["x", "escape", "é"])
def test_every_event_fits_into_a_line(kind: str, letter: str) -> None:
    text = letter * LONG
    cls = Event.kinds[kind]
    texts = [name for name, one in fields(kind).items() if one is str and name in cls.foreign()]
    if kind in PIECES:
        texts = ["text"]
    plain = event(kind, "x")
    if "object" in plain.__dict__:
        plain = cls(**{k: v for k, v in plain.__dict__.items() if k != "object"})
    counts = {name: f"{name.rpartition('_')[2]}_bytes" for name in texts}
    unset = {count: None for count in counts.values() if count in cls.accepted}
    for chosen in [[name] for name in texts] + [texts]:
        long = plain.replace(**unset, **dict.fromkeys(chosen, text))
        fitted = fit(long)
        assert all(len(encode(one)) < LINE_LIMIT for one in fitted)
        if kind in PIECES:
            assert "".join(str(one.text) for one in fitted) == text
            continue
        (shorter,) = fitted
        for name in texts:
            whole, shown = getattr(long, name), getattr(shorter, name)
            assert shown == whole or "bytes left out" in shown
            if counts[name] in cls.accepted and shown != whole:
                assert getattr(shorter, counts[name]) == len(whole.encode())
                assert shorter.truncated is True


def test_what_is_short_is_not_touched() -> None:
    for kind in KINDS:
        short = event(kind, "x")
        assert fit(short) == [short]
    assert fit(TextDelta(text="")) == [TextDelta(text="")]
