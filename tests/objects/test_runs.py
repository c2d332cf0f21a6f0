"""Runs with a schema: tools on the way, and an object in the end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ..support import replies, wires
from ..support.a3s import Bench
from .runs import ADA, PERSON, run

ADA_TEXT = json.dumps(ADA)
READ = replies.call("read", {"file_path": "ada.txt"})


def test_an_object_without_tools_is_one_request(tmp_path: Path) -> None:
    # The rest comes when the beginning was seen.
    seen = threading.Event()
    answer = replies.text(ADA_TEXT[:11], seen, ADA_TEXT[11:])
    done = run(tmp_path, [answer], schema=PERSON, tools="none", when={'"name":"A': seen})
    assert done.last["object"] == ADA
    assert (done.last["text"], done.last["turns"], done.last["toolCalls"]) == ("", 0, 0)
    assert done.last["totalTokens"] == wires.GIVEN + wires.MADE
    (start,) = done.of("tool_start")
    assert (start["toolName"], start["turn"], start["rule"]) == ("generate_object", 0, "default")
    assert start["toolInput"] == {"schema": PERSON}
    assert {"name": "A"} in done.partials and done.partials[-1] == ADA
    assert done.told == {"object": ADA, "repairRounds": 0}
    body = done.asked(0)
    assert body["response_format"]["json_schema"]["schema"] == PERSON
    assert [message["role"] for message in body["messages"]] == ["system", "user", "user"]


@pytest.mark.parametrize("wire", wires.NAMES)
def test_tools_on_the_way(tmp_path: Path, wire: str) -> None:
    (tmp_path / "ada.txt").write_text("Ada, 36")
    script = [
        wires.call(wire, "read", {"file_path": "ada.txt"}),
        wires.text(wire, "I have it."),
        wires.text(wire, ADA_TEXT),
    ]
    done = run(tmp_path, script, schema=PERSON, tools="read,ls", wire=wire)
    assert done.last["object"] == ADA
    # The words before it are the text of the run, as ever.
    assert (done.last["text"], done.last["turns"]) == ("I have it.", 2)
    assert done.last["toolCalls"] == 1
    assert done.last["totalTokens"] == 3 * (wires.GIVEN + wires.MADE)
    assert [e["toolName"] for e in done.of("tool_start")] == ["read", "generate_object"]
    # The model knows beforehand what it will be asked for, and is not asked twice for a prefix
    # that the provider has in its cache.
    first, last = json.dumps(done.asked(0)), json.dumps(done.asked(2))
    assert "JSON Schema" in first and "Ada, 36" in last


def test_the_last_request_keeps_the_beginning(tmp_path: Path) -> None:
    script = [replies.text("Fine."), replies.text(ADA_TEXT)]
    done = run(tmp_path, script, schema=PERSON, tools="read")
    loop, last = done.asked(0), done.asked(1)
    assert last["messages"][: len(loop["messages"])] == loop["messages"]
    assert (last["tools"], last["tool_choice"]) == (loop["tools"], "none")


@pytest.mark.parametrize("value", [None, "", 0, [], False, {}])
def test_every_value_is_an_object(tmp_path: Path, value: Any) -> None:
    answer = json.dumps(value if value == {} else {"value": value})
    schema = {"type": "object"} if value == {} else {"enum": [value]}
    done = run(tmp_path, [replies.text(answer)], schema=schema, tools="none")
    assert json.dumps(done.last["object"]) == json.dumps(value)


def test_no_words_before_it_are_no_failure(tmp_path: Path) -> None:
    script = [replies.text(""), replies.text(ADA_TEXT)]
    done = run(tmp_path, script, schema=PERSON, tools="read")
    assert done.last["object"] == ADA
    assert done.of("notice") == []


def test_an_object_that_is_repaired(tmp_path: Path) -> None:
    script = [replies.text('{"name": "Ada"}'), replies.text(ADA_TEXT)]
    done = run(tmp_path, script, schema=PERSON, tools="none")
    assert done.told == {"object": ADA, "repairRounds": 1}
    *_, question, said, correction = done.asked(1)["messages"]
    assert (question["role"], said["role"]) == ("user", "assistant")
    assert "age" in correction["content"]


def test_an_object_that_is_never_valid(tmp_path: Path) -> None:
    script = [replies.text('{"name": 1}')] * 3
    done = run(tmp_path, script, schema=PERSON, tools="none")
    assert (done.last["code"], done.last["exitCode"]) == ("invalid_object", 1)
    assert "does not fit the schema" in done.last["error"]
    assert len(done.told["violations"]) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (replies.text('{"na', finish="max_tokens"), "max_tokens"),
        (replies.text("no", finish="refusal"), "refusal"),
        (replies.cut('{"na'), "truncated_stream"),
        (replies.error(401), "auth"),
        (replies.error(429), "rate_limited"),
    ],
)
def test_what_keeps_the_model_from_answering_is_the_verdict(
    tmp_path: Path, answer: replies.Reply, code: str
) -> None:
    done = run(tmp_path, [answer], schema=PERSON, tools="none", max_retries=0)
    assert done.last["code"] == code
    assert done.told["error"] == done.last["error"]


def test_a_run_that_fails_before_it_has_no_pair(tmp_path: Path) -> None:
    done = run(tmp_path, [READ], schema=PERSON, tools="read", max_turns=1)
    assert done.last["code"] == "max_turns"
    assert [e["toolName"] for e in done.of("tool_start")] == ["read"]


def test_a_cancelled_run_ends_the_pair(tmp_path: Path) -> None:
    stalled = [replies.stall('{"name": "A')]
    done = run(tmp_path, stalled, schema=PERSON, tools="none", cancel_after=0.4)
    assert (done.end["exitCode"], done.end["reason"]) == (130, "cancelled")
    assert done.told["violations"] == [] and done.last["code"] == "cancelled"


def test_the_time_of_a_tool_is_not_the_answers(tmp_path: Path) -> None:
    slow = replies.text('{"name": "A', replies.Pause(0.5), 'da", "age": 36}')
    done = run(tmp_path, [slow], schema=PERSON, tools="none", tool_timeout=0.1)
    assert done.last["object"] == ADA


def test_a_large_object_is_whole(tmp_path: Path) -> None:
    rows = [f"row {number} " + "\u00e9" * 100 for number in range(2000)]
    text = json.dumps({"value": rows})
    pieces = [text[at : at + 5000] for at in range(0, len(text), 5000)]
    done = run(tmp_path, [replies.text(*pieces)], schema={"type": "array"}, tools="none")
    assert done.last["object"] == rows


def test_a_model_that_cannot_call_is_asked_at_once(tmp_path: Path) -> None:
    script = [replies.text(ADA_TEXT)]
    done = run(tmp_path, script, schema=PERSON, tools="read", model="tool_call = false")
    assert (done.last["object"], done.last["turns"]) == (ADA, 0)


def test_the_limit_of_cost_holds(tmp_path: Path) -> None:
    cost = "cost = { input = 1000000, output = 1000000 }"
    script = [replies.text("Fine.")]
    done = run(tmp_path, script, schema=PERSON, tools="read", model=cost, max_cost=1.0)
    assert done.last["code"] == "max_cost"


def test_a_replayed_run_gives_the_same_object(a3s: Bench) -> None:
    file = a3s.work / "person.json"
    file.write_text(json.dumps(PERSON))
    (a3s.work / "ada.txt").write_text("Ada, 36")
    script = [READ, replies.text("Fine."), replies.text(*ADA_TEXT)]
    args = ("run", "go", "--schema", str(file), "--record", "r.ndjson")
    first = a3s(*args, script=script)
    again = a3s("run", "go", "--schema", str(file), "-m", "replay/r.ndjson")
    assert again.last["object"] == first.last["object"] == ADA
    assert again.of("tool_start") and again.last["toolCalls"] == 1


# The command line


@pytest.mark.parametrize("place", ["file", "json", "stdin"])
def test_the_schema_of_the_command_line(a3s: Bench, place: str) -> None:
    text = json.dumps(PERSON)
    (a3s.work / "person.json").write_text(text)
    argument = {"file": "person.json", "json": text, "stdin": "-"}[place]
    script = [replies.text("Fine."), replies.text(ADA_TEXT)]
    given = text.encode() if place == "stdin" else None
    result = a3s("run", "who?", "--schema", argument, script=script, stdin=given)
    assert result.last["object"] == ADA
    assert result.one("start")["prompt"] == "who?"


def test_raw_prints_the_object_alone(a3s: Bench) -> None:
    script = [replies.text("I have it."), replies.text(ADA_TEXT)]
    result = a3s("run", "go", "-o", "raw", "--schema", json.dumps(PERSON), script=script)
    assert result.stdout == b'{"name":"Ada","age":36}\n'


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("go", "--schema", "no.json"), "--schema no.json: No such file or directory"),
        (("go", "--schema", '{"type": 1}'), "--schema: not a valid JSON Schema: type: "),
        (("go", "--schema", "{"), "--schema: not valid JSON: "),
        (("-", "--schema", "-"), "the prompt and --schema cannot both come from stdin"),
    ],
)
def test_a_bad_schema_is_a_usage_error(a3s: Bench, args: tuple[str, ...], said: str) -> None:
    result = a3s("run", *args, stdin=b"true", laws="none")
    assert (result.status, result.stdout) == (2, b"")
    assert said in result.stderr.decode()
