"""generate_object through whole runs: what is asked, what is shown, what it comes to."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.objects.runs import ADA, PERSON, Done, call
from tests.support import replies, wires
from tests.support.replies import Pause, Reply, a_call

ADA_TEXT = json.dumps(ADA)
LOVELACE = '{"name":"Ada Lovelace","age":36}'
each_wire = pytest.mark.parametrize("wire", wires.NAMES)


def letters(text: str) -> Reply:
    """An answer that comes a character at a time."""
    return replies.text(*text)


def seen(*pieces: str) -> tuple[Reply, dict[str, threading.Event]]:
    """An answer whose next piece comes when what was shown last ends in this one."""
    gates = {piece: threading.Event() for piece in pieces[:-1]}
    script = [one for piece in pieces for one in (piece, gates.get(piece)) if one is not None]
    return replies.text(*script), gates


def shaped(done: Done, number: int = 1) -> Any:
    """How the n-th request asks for the value."""
    body = done.asked(number)
    return body.get("response_format", {}).get("type") or (
        "tool" if isinstance(body.get("tool_choice"), dict) else "prompt"
    )


def test_it_grows_and_is_whole_in_the_end(tmp_path: Path) -> None:
    answer, when = seen('{"name":"Ada L', 'ovelace"', ',"age":3', "6}")
    # An unfinished number is not shown, so nothing tells that it was read.
    when.pop(',"age":3').set()
    done = call(tmp_path, answer, when=when)
    assert done.partials[0] == {"name": "Ada L"}
    assert {"name": "Ada Lovelace"} in done.partials
    # No unfinished number is ever shown.
    assert {"name": "Ada Lovelace", "age": 3} not in done.partials
    assert done.told == {"object": {"name": "Ada Lovelace", "age": 36}, "repairRounds": 0}
    assert (done.end["exitCode"], done.last["type"], done.last["text"]) == (0, "end", "done")
    assert done.last["toolCalls"] == 1
    assert done.last["totalTokens"] == 3 * (wires.GIVEN + wires.MADE)


def test_what_is_asked(tmp_path: Path) -> None:
    more = {"schema_name": "person", "schema_description": "A person.", "system": "Be brief."}
    done = call(tmp_path, replies.text(ADA_TEXT), arguments=more)
    body = done.asked(1)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "person",
            "schema": PERSON,
            "strict": True,
            "description": "A person.",
        },
    }
    system, user = body["messages"]
    assert system["content"].startswith("Be brief.\n\n")
    assert user == {"role": "user", "content": "Who wrote the first program?"}
    assert "tools" not in body


@each_wire
def test_every_wire(tmp_path: Path, wire: str) -> None:
    done = call(tmp_path, wires.text(wire, ADA_TEXT), wire=wire)
    assert done.told == {"object": ADA, "repairRounds": 0}
    assert done.deltas[-1] == {"object_partial": ADA, "round": 0, "final": True}


@each_wire
def test_every_wire_by_a_forced_call(tmp_path: Path, wire: str) -> None:
    done = call(tmp_path, wires.call(wire, "result", ADA), wire=wire, arguments={"mode": "tool"})
    assert done.told == {"object": ADA, "repairRounds": 0}


@pytest.mark.parametrize("mode", ["auto", "strict", "json", "tool", "prompt"])
def test_modes(tmp_path: Path, mode: str) -> None:
    answer = replies.call("result", ADA) if mode == "tool" else replies.text(ADA_TEXT)
    done = call(tmp_path, answer, arguments={"mode": mode})
    asked = {"auto": "json_schema", "strict": "json_schema", "json": "json_object"}.get(mode, mode)
    assert shaped(done) == asked
    # What the vendor is not told otherwise, the model is.
    prompt = done.asked(1)["messages"][0]["content"]
    assert (json.dumps(PERSON, separators=(",", ":")) in prompt) == (mode in ("json", "prompt"))
    assert done.told["object"] == ADA


@pytest.mark.parametrize(
    "answer",
    [
        f"Sure! Here it is:\n\n```json\n{ADA_TEXT}\n```\nAnything else?",
        f"<think>They want {{}} or [1, 2].</think>{ADA_TEXT}",
        f"\n\n  {ADA_TEXT}  ",
        f"The person is {ADA_TEXT}.",
    ],
)
def test_what_is_said_around_it_is_tolerated(tmp_path: Path, answer: str) -> None:
    for reply in (replies.text(answer), letters(answer)):
        done = call(tmp_path, reply, arguments={"mode": "prompt"})
        assert done.told == {"object": ADA, "repairRounds": 0}


def test_reasoning_and_words_before_a_call_are_tolerated(tmp_path: Path) -> None:
    answer = replies.reasoning("hm", 'I call {"name": "result"} now', a_call("result", ADA))
    done = call(tmp_path, answer, arguments={"mode": "tool"})
    assert done.told["object"] == ADA
    assert [event["text"] for event in done.of("reasoning_delta")] == ["hm"]  # of the first turn


@pytest.mark.parametrize(
    "value", [None, "", 0, [], False, "text", 12.5, [1, "two", None], 2**200, "\u2028\x00\x1b"]
)
@pytest.mark.parametrize("wire", ["openai-chat", "gemini"])
def test_roots_of_any_type(tmp_path: Path, value: Any, wire: str) -> None:
    numeric = type(value) in (int, float)
    schema = {"type": "number"} if numeric else {"enum": [value]}
    wrapped = wire == "openai-chat"
    text = json.dumps({"value": value} if wrapped else value)
    done = call(tmp_path, wires.text(wire, text), wire=wire, arguments={"schema": schema})
    assert json.dumps(done.told["object"]) == json.dumps(value)
    assert json.dumps(done.partials[-1]) == json.dumps(value)


def test_a_wrapped_root_shows_what_is_inside(tmp_path: Path) -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    answer, when = seen('{"value": [', '"one", "tw', 'o"]}')
    when = {"[]": when['{"value": ['], '["one","tw': when['"one", "tw']}
    done = call(tmp_path, answer, arguments={"schema": schema}, when=when)
    sent = done.asked(1)["response_format"]["json_schema"]
    assert sent["schema"]["properties"] == {"value": schema}
    assert [] in done.partials and ["one", "tw"] in done.partials
    assert all(isinstance(partial, list) for partial in done.partials)
    assert done.told["object"] == ["one", "two"]


def test_a_wrapper_may_be_left_out(tmp_path: Path) -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    done = call(tmp_path, letters('["one"]'), arguments={"schema": schema})
    assert done.told["object"] == ["one"]


def test_a_repair_begins_a_new_round(tmp_path: Path) -> None:
    wrong = '{"name": "Ada", "age": "old"}'
    done = call(tmp_path, letters(wrong), letters(ADA_TEXT))
    assert done.told == {"object": ADA, "repairRounds": 1}
    assert {delta["round"] for delta in done.deltas} == {0, 1}
    *_, said, corrected = done.asked(2)["messages"]
    assert said == {"role": "assistant", "content": wrong}
    assert 'age: "old" is not of type "integer"' in corrected["content"]


@pytest.mark.parametrize("repairs", [0, 1, 5])
def test_it_fails_after_so_many_repairs(tmp_path: Path, repairs: int) -> None:
    wrong = [replies.text('{"name": "Ada"}')] * (repairs + 1)
    done = call(tmp_path, *wrong, arguments={"max_repair_attempts": repairs})
    assert done.end["exitCode"] == 1
    assert done.told["violations"] == [{"path": "", "message": '"age" is a required property'}]
    assert done.last["type"] == "end"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("I would rather not.", "line 1, column 20: there is no JSON value in the answer"),
        ("", "line 1, column 1: there is no JSON value in the answer"),
        ('{"name": "Ada", "age": 3', "line 1, column 25: the text ends before the JSON does"),
        ('{"name": "A", "name": "B"}', 'line 1, column 21: the key "name" comes twice'),
    ],
)
def test_an_answer_that_is_no_json_is_repaired_as_well(
    tmp_path: Path, answer: str, problem: str
) -> None:
    done = call(tmp_path, replies.text(answer), replies.text(ADA_TEXT))
    assert done.told == {"object": ADA, "repairRounds": 1}
    assert problem in done.asked(2)["messages"][-1]["content"]


def test_a_server_that_refuses_a_way_is_asked_in_another(tmp_path: Path) -> None:
    refusal = replies.error(400, {"error": {"message": "response_format is not supported"}})
    done = call(tmp_path, refusal, refusal, replies.text(ADA_TEXT))
    assert [shaped(done, number) for number in (1, 2, 3)] == [
        "json_schema",
        "tool",
        "json_object",
    ]
    assert done.told["object"] == ADA
    assert [(e["attempt"], e["delayMs"], e["status"]) for e in done.of("retry")] == [
        (2, 0, 400),
        (3, 0, 400),
    ]
    assert {event["toolId"] for event in done.of("retry")} == {done.end["toolId"]}


def test_a_refusal_is_remembered(tmp_path: Path) -> None:
    refusal = replies.error(422, {"detail": "extra field"})
    again = wires.call("openai-chat", "generate_object", {"schema": PERSON, "prompt": "and?"})
    fine = replies.call("result", ADA)
    done = call_twice(tmp_path, refusal, fine, again, fine)
    assert [shaped(done, number) for number in (1, 2, 4)] == ["json_schema", "tool", "tool"]


def call_twice(work: Path, *script: Reply | bytes) -> Done:
    from tests.objects.runs import ASK, run

    first = wires.call("openai-chat", "generate_object", ASK)
    return run(work, [first, *script, replies.text("done")])


def test_what_every_way_is_refused_with_is_told(tmp_path: Path) -> None:
    refusal = replies.error(400, {"error": {"message": "the model is not for you"}})
    done = call(tmp_path, refusal, refusal, refusal, refusal)
    assert done.end["exitCode"] == 1
    assert "the model is not for you" in done.told["error"]


def test_an_old_model_is_asked_by_a_call(tmp_path: Path) -> None:
    body = wires.call("anthropic", "result", ADA)
    schema = {**PERSON, "properties": {"name": {"type": "string", "minLength": 1}, "age": {}}}
    done = call(tmp_path, body, wire="anthropic", arguments={"schema": schema}, reasoning="high")
    asked = done.asked(1)
    assert asked["tool_choice"]["name"] == "result" and "thinking" not in asked
    assert done.told["object"] == ADA


def test_a_broken_answer_begins_again(tmp_path: Path) -> None:
    cut = replies.cut('{"name": "Charles Babb')
    done = call(tmp_path, cut, letters(ADA_TEXT), max_retries=2)
    (retry,) = done.of("retry")
    assert (retry["code"], retry["toolId"]) == ("truncated_stream", done.end["toolId"])
    assert done.told == {"object": ADA, "repairRounds": 0}
    assert {delta["round"] for delta in done.deltas} == {0, 1}
    assert {"name": "Charles Babb"} in [d["object_partial"] for d in done.deltas if not d["round"]]


def test_an_answer_that_failed_unseen_keeps_its_round(tmp_path: Path) -> None:
    done = call(tmp_path, replies.soon(503), letters(ADA_TEXT))
    assert {delta["round"] for delta in done.deltas} == {0}
    assert done.of("retry")[0]["status"] == 503


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (replies.text('{"name": "A', finish="max_tokens"), "cut by a token limit"),
        (replies.text("no", finish="refusal"), "refused to answer"),
        (replies.cut('{"name": "A'), "before its end"),
        (replies.error(401), "refused the credentials"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, answer: Reply, said: str) -> None:
    done = call(tmp_path, answer, max_retries=0)
    assert (done.end["exitCode"], done.told["violations"]) == (1, [])
    assert said in done.told["error"]
    assert done.last["type"] == "end"


def test_it_times_out_in_json(tmp_path: Path) -> None:
    done = call(tmp_path, replies.stall('{"name": "A'), tool_timeout=0.5)
    assert (done.end["exitCode"], done.end["reason"]) == (124, "timeout")
    assert done.told == {"error": "timed out after 0.5 s", "violations": []}


def test_it_is_cancelled_in_json(tmp_path: Path) -> None:
    done = call(tmp_path, replies.stall('{"name": "A'), cancel_after=0.5)
    assert (done.end["exitCode"], done.end["reason"]) == (130, "cancelled")
    assert done.told == {"error": "the call was cancelled", "violations": []}
    assert done.last["code"] == "cancelled"


def test_a_pause_shows_what_has_come(tmp_path: Path) -> None:
    gate = threading.Event()
    done = call(tmp_path, replies.text('{"name": "A', Pause(0.6), 'da", "age": 36}'))
    gate.set()
    assert {"name": "A"} in done.partials


@pytest.mark.parametrize(
    ("schema", "path", "problem"),
    [
        ({"type": "objekt"}, "type", "is not valid under any of the schemas"),
        ({"properties": {"a": {"minimum": "1"}}}, "properties.a.minimum", "is not of type"),
        ({"$ref": "http://127.0.0.1:1/schema.json"}, "", "leads out of the schema"),
        ({"$ref": "#/$defs/none"}, "", "does not exist"),
        ({"pattern": "("}, "pattern", "is not a"),
    ],
)
def test_a_bad_schema_is_told_before_any_request(
    tmp_path: Path, schema: Any, path: str, problem: str
) -> None:
    done = call(tmp_path, arguments={"schema": schema})
    assert done.told["error"] == "the schema is not a valid JSON Schema"
    (violation,) = done.told["violations"]
    assert violation["path"] == path and problem in violation["message"]


def test_a_large_object_is_whole_in_the_event_and_cut_for_the_model(tmp_path: Path) -> None:
    rows = [{"id": number, "name": f"row {number} " + "x" * 90} for number in range(2000)]
    schema = {"type": "object", "properties": {"rows": {"type": "array"}}, "required": ["rows"]}
    text = json.dumps({"rows": rows})
    pieces = [text[at : at + 997] for at in range(0, len(text), 997)]
    done = call(tmp_path, replies.text(*pieces), arguments={"schema": schema})
    assert done.told["object"] == {"rows": rows}
    assert any("object_partial_omitted" in delta for delta in done.deltas)
    told = done.asked(2)["messages"][-1]["content"]
    assert told.startswith('{"object":{"rows":[{"id":0,') and len(told) < 8000
    assert "bytes left out" in told and told.endswith('"repairRounds":0}')


def test_an_object_beyond_the_limit_is_refused_at_once(tmp_path: Path) -> None:
    text = '{"rows": [' + '"' + "x" * 4_300_000 + '"]}'
    pieces = [text[at : at + 60_000] for at in range(0, len(text), 60_000)]
    done = call(tmp_path, replies.text(*pieces), arguments={"schema": {"type": "object"}})
    assert "longer than 4194304 bytes" in done.told["error"]
    assert len(done.requests) == 3


def test_an_object_that_is_too_deep_is_a_violation(tmp_path: Path) -> None:
    deep = replies.text('{"a":' * 200 + "1" + "}" * 200)
    done = call(tmp_path, deep, arguments={"schema": {"type": "object"}, "max_repair_attempts": 0})
    assert "nested deeper than 128 levels" in done.told["violations"][0]["message"]


def test_a_hostile_expression_does_not_hang(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"pattern": "^(?=a)(a+)+$"}}}
    text = json.dumps({"a": "a" * 3000 + "!"})
    done = call(
        tmp_path,
        replies.text(text),
        arguments={"schema": schema, "max_repair_attempts": 0},
    )
    assert "does not match" in done.told["violations"][0]["message"]


def test_what_a_nested_request_costs_is_the_runs(tmp_path: Path) -> None:
    model = "cost = { input = 1000000, output = 1000000 }"
    done = call(tmp_path, model=model, max_cost=10.0)
    assert "cost" in done.told["error"]
    assert done.last["code"] == "max_cost"
    assert len(done.requests) == 1


def test_parallel_objects_keep_apart(tmp_path: Path) -> None:
    from tests.objects.runs import ASK, run

    both = replies.calls(a_call("generate_object", ASK), a_call("generate_object", ASK))
    answers = [letters(ADA_TEXT), letters(LOVELACE)]
    done = run(tmp_path, [both, *answers, replies.text("done")])
    found = sorted(json.loads(end["toolOutput"])["object"]["name"] for end in done.of("tool_end"))
    assert found == ["Ada", "Ada Lovelace"]
