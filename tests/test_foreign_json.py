"""JSON that is too deep, or whose numbers are too long, is refused in one sentence everywhere.

It is read in many places; none of them shows the words of the parser that it was given to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from a3s_cli.errors import InvalidResponse
from a3s_cli.jsontext import DEEPEST, TOO_DEEP, TOO_LONG, loads

from .support.a3s import Bench
from .support.decoding import NAMES, answer, frames
from .support.replies import call, text
from .support.run import Result

#: Levels that the reader of the standard library refuses, one that it takes, and too many digits.
BAD = {
    "much too deep": ("[" * 50_000 + "]" * 50_000, TOO_DEEP),
    "open": ("[" * 100_000, TOO_DEEP),
    "too deep": ('{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), TOO_DEEP),
    "too long": ("9" * 5000, TOO_LONG),
}
#: What the parsers and the encoders of others say.
THEIRS = ("recursion", "digits) for integer", "set_int_max", "decode byte")


@pytest.mark.parametrize("name", BAD)
def test_the_reader(name: str) -> None:
    bad, said = BAD[name]
    for data in (bad, bad.encode(), f'{{"x": {bad}, "y": 1}}'):
        with pytest.raises(ValueError, match=said):
            loads(data)


def test_what_is_just_not_too_deep() -> None:
    fits = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(loads(fits)) == fits
    wide = "[" + ",".join("[[],{}]" for _ in range(1000)) + "]"
    assert loads(wide) == json.loads(wide)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("levels", [DEEPEST, 900, 100_000])
def test_an_event_of_a_provider(name: str, levels: int) -> None:
    """What is deep enough for its reader was too deep for all that comes after."""
    event = '{"x":' + "[" * levels + "]" * levels + "}"
    found = answer(name, [frames(event)])
    assert isinstance(found.error, InvalidResponse)
    assert levels == 100_000 or str(found.error) == f"vendor sent an event: {TOO_DEEP}"


def file(path: Path, content: str) -> str:
    path.write_text(content)
    return str(path)


def of_items(a3s: Bench, bad: str) -> Result:
    items = file(a3s.root / "items.jsonl", f'{{"id":"a","prompt":"x","more":{bad}}}\n')
    return a3s("batch", items, "-m", "openai/x", script=[text("ok")], laws="none")


def of_messages(a3s: Bench, bad: str) -> Result:
    line = f'{{"type":"prompt","text":{bad}}}\n'.encode()
    return a3s("run", "--input", "json", stdin=line, laws="none")


def of_a_recording(a3s: Bench, command: str, bad: str) -> Result:
    path = file(a3s.root / "run.ndjson", f'{{"type":"start","seq":0,"ts":0,"x":{bad}}}\n')
    return a3s(command, path, laws="none")


def of_a_session(a3s: Bench, bad: str) -> Result:
    session = a3s("run", "hi", script=[text("ok")]).events[0]["sessionId"]
    (found,) = a3s.home.rglob(f"{session}*.ndjson")
    lines = found.read_text().splitlines(keepends=True)
    found.write_text("".join([*lines, f'{{"type":"turn_start","x":{bad}}}\n', lines[-1]]))
    return a3s("audit", str(found), laws="none")


def of_a_project(a3s: Bench, bad: str) -> Result:
    path = file(a3s.root / "mcp.json", f'{{"mcpServers": {bad}}}')
    return a3s("run", "hi", "--mcp-config", path, script=[text("ok")], laws="none")


def of_a_model(a3s: Bench, bad: str) -> Result:
    reply = call("read", f'{{"file_path":{bad}}}')
    return a3s("run", "hi", script=[reply, text("ok")])


PLACES: dict[str, Callable[[Bench, str], Result]] = {
    "items": of_items,
    "--input json": of_messages,
    "audit": lambda a3s, bad: of_a_recording(a3s, "audit", bad),
    "replay": lambda a3s, bad: of_a_recording(a3s, "replay", bad),
    "trace": lambda a3s, bad: of_a_recording(a3s, "trace", bad),
    "--mcp-config": of_a_project,
    "--schema": lambda a3s, bad: a3s("run", "hi", "--schema", f'{{"x":{bad}}}', laws="none"),
    "policy": lambda a3s, bad: a3s("policy", "test", "read", "--input", f'{{"x":{bad}}}'),
    "a session": of_a_session,
    "arguments": of_a_model,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", BAD)
def test_every_place_says_the_same(a3s: Bench, place: str, name: str) -> None:
    bad, said = BAD[name]
    result = PLACES[place](a3s, bad)
    shown = (result.stdout + result.stderr).decode()
    assert said in shown, shown
    assert not [word for word in THEIRS if word in shown.lower()], shown
    assert result.status != 70


HALF = '"\\ud800"'
LONE_PLACES = ['"seq":%s', '"ts":0,"x":%s', '"cwd":%s', '"ts":{%s:1}']


@pytest.mark.parametrize("field", LONE_PLACES)
@pytest.mark.parametrize("command", ["audit", "replay", "trace"])
def test_half_a_surrogate_pair_in_a_recording(a3s: Bench, command: str, field: str) -> None:
    """No encoder writes it, and a terminal or a report could not show it."""
    line = f'{{"type":"start","seq":0,"ts":0,{field % HALF}}}\n'
    result = a3s(command, file(a3s.root / "run.ndjson", line), laws="none")
    assert result.status == 65, result.stderr
    shown = (result.stdout + result.stderr).decode()
    assert "line 1: a string in it contains half a surrogate pair" in shown


@pytest.mark.parametrize("schema", ['{"const":%s}', '{"properties":{%s:true}}', '{"enum":[%s]}'])
def test_half_a_surrogate_pair_in_a_schema(a3s: Bench, schema: str) -> None:
    result = a3s("run", "hi", "--schema", schema % HALF, laws="none")
    assert result.status == 2
    assert (
        b"not a valid JSON Schema: a string in it contains half a surrogate pair" in result.stderr
    )
