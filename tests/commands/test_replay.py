"""`a3s replay`: a recorded run rendered again, and what is no recorded run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import a_call, bash, calls, reasoning, soon

Event = dict[str, Any]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """The stream of a run in which nearly everything happens."""
    bench = Bench(tmp_path_factory.mktemp("recorded"))
    several = calls(
        a_call("bash", {"command": "echo one; echo two >&2; exit 3"}),
        a_call("bash", {"command": "rm -rf x"}),
        a_call("no_such_tool", "{broken"),
    )
    script = [soon(503), several, reasoning("hm", "It is ", "done.\n", "\x1b[31mé\u2028")]
    rules = ("--allow", "bash(echo *)", "--allow", "bash(exit *)", "--deny", "bash(rm *)")
    result = bench("run", *rules, "go", script=script)
    kinds = {"retry", "reasoning_delta", "tool_end", "permission_denied", "tool_rejected", "end"}
    assert kinds <= set(result.types)
    yield result.stdout
    bench.close()


@pytest.fixture
def file(a3s: Bench, recorded: bytes) -> Path:
    path = a3s.work / "run.ndjson"
    path.write_bytes(recorded)
    return path


def events(data: bytes) -> list[Event]:
    return [json.loads(line) for line in data.splitlines()]


def lines(values: list[Event]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


@pytest.mark.parametrize("flags", [(), ("-o", "json")])
def test_json_is_the_same_bytes(
    a3s: Bench, recorded: bytes, file: Path, flags: tuple[str, ...]
) -> None:
    result = a3s("replay", file.name, *flags)
    assert (result.stdout, result.stderr, result.status) == (recorded, b"", 0)


@pytest.mark.parametrize("mode", ["json", "raw", "pretty"])
def test_stdin_is_as_good_as_a_file(a3s: Bench, recorded: bytes, file: Path, mode: str) -> None:
    from_file = a3s("replay", file.name, "-o", mode)
    from_stdin = a3s("replay", "-", "-o", mode, stdin=recorded)
    assert (from_stdin.stdout, from_stdin.stderr) == (from_file.stdout, from_file.stderr)
    assert from_stdin.status == from_file.status == 0


@pytest.mark.parametrize("mode", ["raw", "pretty"])
def test_a_rendering_is_what_was_seen(a3s: Bench, mode: str) -> None:
    path = a3s.root / "run.ndjson"
    script = [bash("echo one; exit 3"), reasoning("hm", "It is ", "done.")]
    flags = ("--record", str(path), "--allow-all", "-o", mode)
    seen = a3s("run", *flags, "go", script=script)
    again = a3s("replay", str(path), "-o", mode)
    assert (again.stdout, again.status) == (seen.stdout, 0)
    told = [line for line in seen.stderr.splitlines() if not line.startswith(b"a3s: recorded in")]
    assert again.stderr.splitlines() == told


def test_raw_is_the_answer_alone(a3s: Bench, file: Path) -> None:
    assert a3s("replay", file.name, "-o", "raw").stdout.startswith(b"It is done.\n")


def test_a_run_that_failed_is_rendered_as_one(a3s: Bench) -> None:
    stream = a3s("run", "--max-retries", "0", "go", script=[soon(500)]).stdout
    result = a3s("replay", "-", "-o", "raw", stdin=stream)
    assert (result.stdout, result.status) == (b"", 0)
    assert b"scripted 500" in result.stderr


@pytest.mark.parametrize("mode", ["json", "raw", "pretty"])
def test_a_live_stream_is_followed(a3s: Bench, recorded: bytes, mode: str) -> None:
    """What has come is shown while the rest is still to come."""
    reading, writing = os.pipe()
    run = a3s.spawn("replay", "-", "-o", mode, stdin=reading)
    os.close(reading)
    with open(writing, "wb", buffering=0) as stream:
        part = recorded.index(b"done.")
        begun = recorded.index(b"\n", part) + 1
        stream.write(recorded[: begun + 20])
        run.wait_for_output(b"It is ")
        stream.write(recorded[begun + 20 :])
    result = run.finish()
    assert result.status == 0 and b"done." in result.stdout


Change = Callable[[list[Event]], list[Event]]


def _where(values: list[Event], kind: str) -> int:
    return next(n for n, value in enumerate(values) if value["type"] == kind)


def _without(kind: str) -> Change:
    """Leave out one event, and number the rest again."""

    def change(values: list[Event]) -> list[Event]:
        left = [value for value in values if value["type"] != kind]
        return [{**value, "seq": seq} for seq, value in enumerate(left)]

    return change


def _with(kind: str, **fields: Any) -> Change:
    """Return a change that gives one event other fields; `...` removes a field."""

    def change(values: list[Event]) -> list[Event]:
        place = _where(values, kind)
        changed = {**values[place], **fields}
        values[place] = {name: value for name, value in changed.items() if value is not ...}
        return values

    return change


#: name -> (change, the line that is named or the type of its event, field)
BROKEN: dict[str, tuple[Change, int | str, str]] = {
    "no start": (_without("start"), 1, "type"),
    "no end": (_without("end"), -1, "type"),
    "a gap": (lambda values: values[:2] + values[3:], 3, "seq"),
    "an event twice": (lambda values: [*values[:2], *values[1:]], 3, "seq"),
    "another order": (lambda values: [values[1], values[0], *values[2:]], 1, "type"),
    "no tool_end": (_without("tool_end"), "tool_start", "toolId"),
    "no tool_start": (_without("tool_start"), "tool_output_delta", "toolId"),
    "text is no string": (_with("text_delta", text=7), "text_delta", "text"),
    "text is missing": (_with("text_delta", text=...), "text_delta", '"text"'),
    "a figure of usage": (_with("turn_end", usage={"inputTokens": "x"}), "turn_end", "usage"),
    "a word of another list": (_with("turn_end", stopReason="why"), "turn_end", "stopReason"),
    "no type": (_with("turn_start", type=...), 2, "type"),
    "a version to come": (_with("start", schemaVersion=2), 1, "schemaVersion"),
    "something after the end": (lambda v: [*v, {**v[-1], "seq": len(v)}], -1, "type"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_is_not_valid(a3s: Bench, recorded: bytes, name: str) -> None:
    change, place, field = BROKEN[name]
    values = change(events(recorded))
    result = a3s("replay", "-", stdin=lines(values))
    told = result.stderr.decode()
    if isinstance(place, str):
        number = _where(values, place) + 1
    else:
        number = place if place > 0 else len(values)
    assert result.status == 65
    assert told.startswith(f"a3s: -: line {number}: {field}"), told
    # What was valid has been shown.
    assert lines(values).startswith(result.stdout)
    assert result.stdout.count(b"\n") >= number - 1


TORN: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "nothing": (lambda data: b"", 1),
    "a torn last line": (lambda data: data[:-20], -1),
    "no last newline": (lambda data: data[:-1], -1),
    "no JSON": (lambda data: b"{oops\n" + data, 1),
    "a list": (lambda data: b"[1]\n" + data, 1),
    "an empty line": (lambda data: b"\n" + data, 1),
    "not a number": (lambda data: data.replace(b'"turn":1', b'"turn":NaN', 1), 2),
    "no UTF-8": (lambda data: b'{"type":"\xff"}\n' + data, 1),
    "no text at all": (lambda data: bytes(range(256)), 1),
    "very deep": (lambda data: b"[" * 100_000 + b"\n", 1),
}


@pytest.mark.parametrize("mode", ["json", "raw"])
@pytest.mark.parametrize("name", TORN)
def test_bytes_that_are_no_stream(a3s: Bench, recorded: bytes, name: str, mode: str) -> None:
    tear, number = TORN[name]
    data = tear(recorded)
    result = a3s("replay", "-", "-o", mode, stdin=data)
    number = number if number > 0 else recorded.count(b"\n")
    assert result.status == 65
    assert f"-: line {number}: " in result.stderr.decode()
    if mode == "json":
        assert data.startswith(result.stdout) and result.stdout.count(b"\n") == number - 1


@pytest.mark.parametrize("mode", ["json", "raw", "pretty"])
def test_what_a_later_version_may_add(a3s: Bench, recorded: bytes, mode: str) -> None:
    values = events(recorded)
    values.insert(2, {"type": "weather", "seq": 0, "ts": values[1]["ts"], "sky": {"blue": None}})
    for seq, value in enumerate(values):
        value |= {"seq": seq, "laterField": [1]}
    data = lines(values)
    result = a3s("replay", "-", "-o", mode, stdin=data)
    assert (result.status, b"line" in result.stderr) == (0, False)
    if mode == "json":
        assert result.stdout == data
    else:
        assert b"It is done." in result.stdout


def test_a_reader_that_went_away(a3s: Bench, recorded: bytes) -> None:
    values = events(recorded)
    place = _where(values, "text_delta")
    values[place:place] = [values[place]] * 20_000
    (a3s.work / "long.ndjson").write_bytes(
        lines([{**value, "seq": seq} for seq, value in enumerate(values)])
    )
    line = "a3s replay long.ndjson | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}"
    result = a3s.shell(line, script=[]).finish()
    assert (result.stdout, result.stderr) == (b"141\n", b"")


def test_a_full_disk(a3s: Bench, file: Path) -> None:
    with open("/dev/full", "wb") as full:
        result = a3s("replay", file.name, stdout=full.fileno())
    assert result.status == 74 and b"stdout cannot be written" in result.stderr


@pytest.mark.parametrize(("name", "words"), [("nowhere.ndjson", b"No such file"), (".", b"is a d")])
def test_a_file_that_cannot_be_read(a3s: Bench, name: str, words: bytes) -> None:
    result = a3s("replay", name)
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"a3s: ") and words in result.stderr.lower() + result.stderr
