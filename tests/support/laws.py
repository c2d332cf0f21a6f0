"""The laws of the event stream, checked on any finished run.

The contract is written down here a second time, on purpose and by hand: a table
taken from the product would agree with every mistake in it. Every run of the
suite in JSON mode goes through `check_stream`, so that each test proves the
laws on its own path whatever else it is about.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import loads
from typing import Any

from . import object_laws

Event = dict[str, Any]

LINE_LIMIT = 64 * 1024
OUTPUT_LIMIT = 48 * 1024

#: type -> (field: type, required), (field: type, optional)
_CALL: dict[str, type] = {"toolName": str, "toolId": str}
_CUT_INPUT: dict[str, type] = {"inputTruncated": bool}
_TOTALS: dict[str, type] = {
    "turns": int,
    "toolCalls": int,
    "totalTokens": int,
    "durationMs": int,
    "exitCode": int,
}
SCHEMA: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "start": (
        {"schemaVersion": int, "version": str, "runId": str},
        {"sessionId": str, "model": str, "cwd": str, "prompt": str, "promptBytes": int}
        | {"truncated": bool, "tools": list, "sandbox": str, "policySha256": str}
        | {"forkedFrom": str, "parentRunId": str, "promptId": object, "attachments": list}
        | {"mcpServers": list, "toolCount": int},
    ),
    "tools_changed": ({"tools": list}, {"toolCount": int, "truncated": bool}),
    "turn_start": ({"turn": int}, {}),
    "text_delta": ({"text": str}, {}),
    "reasoning_delta": ({"text": str}, {}),
    "tool_input_delta": (_CALL | {"text": str}, {}),
    "turn_end": (
        {"turn": int, "totalTokens": int, "stopReason": str},
        {"usage": dict, "model": str},
    ),
    "tool_start": (_CALL | {"toolInput": dict, "turn": int, "rule": str}, _CUT_INPUT),
    "tool_output_delta": (_CALL | {"text": str}, {}),
    "tool_end": (
        _CALL | {"toolOutput": str, "exitCode": int, "durationMs": int},
        {
            "reason": str,
            "truncated": bool,
            "outputBytes": int,
            "outputFile": str,
            "outputSha256": str,
        }
        | {"outputSha256": str, "path": str, "sha256": str}
        | {"images": list, "changed": list, "structured": object},
    ),
    "permission_denied": (
        _CALL | {"toolInput": dict, "decision": str, "rule": str, "reason": str, "hint": str},
        _CUT_INPUT,
    ),
    "permission_request": (
        _CALL | {"toolInput": dict, "rule": str},
        _CUT_INPUT | {"path": str, "reason": str, "always": str},
    ),
    "permission_answer": ({"toolId": str, "answer": str, "by": str}, {"text": str}),
    "user_message": ({"text": str, "how": str}, {"truncated": bool, "textBytes": int}),
    "control_rejected": ({"error": str, "line": str}, {"id": object}),
    "tool_rejected": (
        _CALL | {"rawInput": str, "reason": str, "error": str},
        {"truncated": bool, "inputBytes": int},
    ),
    "retry": (
        {"attempt": int, "maxAttempts": int, "delayMs": int, "code": str, "reason": str},
        {"status": int, "turn": int, "toolId": str, "model": str},
    ),
    "notice": (
        {"code": str, "text": str},
        {"toolId": str, "flag": str, "key": str, "keys": list, "file": str, "line": int}
        | {"nearest": str, "limitBytes": int, "receivedBytes": int, "totalBytes": int}
        | {"source": str, "tokensBefore": int, "tokensAfter": int}
        | {"path": str, "copy": str, "commit": str},
    ),
    "end": (
        _TOTALS | {"text": str},
        {"usage": dict, "truncated": bool, "textBytes": int, "permissionDenials": list}
        | {"permissionDenialsOmitted": int, "costUsd": float, "recordHead": str}
        | {"object": object},
    ),
    "error": (
        _TOTALS | {"error": str, "code": str, "retryable": bool},
        {"permissionDenials": list, "permissionDenialsOmitted": int, "hint": str}
        | {"signal": str, "retryAfterMs": int}
        | {"provider": str, "status": int, "recordHead": str},
    ),
}
USAGE = {"inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens"}
STOPS = {"end_turn", "tool_use", "max_tokens", "refusal", "paused", "other"}
#: error.code -> exit status; `cancelled` is 128 + its signal.
STATUSES = {
    **dict.fromkeys(["provider_error", "invalid_response", "invalid_object", "tool_loop"], 1),
    **dict.fromkeys(["refusal", "context_overflow"], 1),
    **dict.fromkeys(["max_turns", "max_tokens", "max_tool_calls", "max_cost"], 3),
    **dict.fromkeys(["rate_limited", "overloaded", "network", "provider_timeout"], 75),
    **dict.fromkeys(["truncated_stream", "busy"], 75),
    **{"approval_required": 4, "policy_violation": 5, "invalid_stream": 65, "internal": 70},
    **{"unavailable": 69, "output": 74, "auth": 77, "config": 78, "timeout": 124},
}
SIGNALS = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}
#: C0 but the newline, DEL, C1 (NEL among them), and the two separators.
_UNESCAPED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_PROMISED_RETRYABLE = {75}


def parse(stdout: bytes) -> list[Event]:
    """Every line of a stream, each held against the laws of framing."""
    if not stdout:
        return []
    assert stdout.endswith(b"\n"), f"the last line is cut: {stdout[-200:]!r}"
    return [_line(line) for line in stdout[:-1].split(b"\n")]


def whole_lines(stdout: bytes) -> list[Event]:
    """The events of a stream that may have been cut anywhere."""
    return parse(stdout[: stdout.rfind(b"\n") + 1])


def _line(line: bytes) -> Event:
    decoded = line.decode("utf-8", "strict")
    found = _UNESCAPED.search(decoded)
    assert not found, f"unescaped {found and found[0]!r} in {decoded[:200]!r}"

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON: {decoded[:200]}")

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), f"a key twice: {decoded[:200]}"
        return dict(pairs)

    event = json.loads(decoded, parse_constant=refuse, object_pairs_hook=distinct)
    assert isinstance(event, dict), f"not an object: {decoded[:200]}"
    fits = len(line) + 1 < LINE_LIMIT or object_laws.is_whole(event)
    assert fits, f"a line of {len(line)} bytes: {line[:80]!r}"
    # A lone surrogate survives json.loads; it does not survive this.
    json.dumps(event, ensure_ascii=False).encode("utf-8", "strict")
    return event


def check_stream(events: Sequence[Event], status: int | None, *, approved: bool = False) -> None:
    """Hold a whole stream against the laws; a status of None is not compared.

    `approved`: somebody has said "always" in a run before this one.
    """
    check_prefix(events, approved=approved)
    assert events, "a run without a stream"
    last = events[-1]
    assert last["type"] in ("end", "error"), f"the last line is {last['type']}"
    if status is not None:
        assert last["exitCode"] == status, f"exitCode {last['exitCode']}, exit status {status}"
    _check_fates(events)
    object_laws.check(events)
    _check_text(events)
    _check_totals(events)


def runs_of(events: Sequence[Event]) -> list[list[Event]]:
    """The streams of the runs of one process; between them is nothing but refusals."""
    runs: list[list[Event]] = []
    for event in events:
        if "seq" not in event:
            assert event["type"] == "control_rejected", f"without a number: {event}"
            assert not runs or runs[-1][-1]["type"] in ("end", "error"), f"inside a run: {event}"
            _check_shape({"type": event["type"], "seq": 0, **event})
        elif event["type"] == "start":
            runs.append([event])
        else:
            runs[-1].append(event)
    return runs


def check_runs(events: Sequence[Event], status: int | None) -> None:
    """Hold the stream of a process with any number of runs against the laws."""
    runs = runs_of(events)
    for number, run in enumerate(runs, 1):
        before = [event for one in runs[: number - 1] for event in one]
        approved = any(event.get("answer") == "always" for event in before)
        check_stream(run, status if number == len(runs) else None, approved=approved)
    if not runs and status is not None:
        assert status == 0, f"exit status {status} without a run"
    calls = [event["toolId"] for run in runs for event in run if event["type"] == "tool_start"]
    assert len(set(calls)) == len(calls), "an id of a call comes twice in a session"


def check_prefix(events: Sequence[Event], *, approved: bool = False) -> None:
    """The laws that hold for every beginning of a stream."""
    for number, event in enumerate(events):
        _check_shape(event)
        assert event["seq"] == number, f"seq {event['seq']} where {number} was due: {event}"
        assert not number or event["ts"] >= events[number - 1]["ts"], f"ts goes back: {event}"
        assert (event["type"] == "start") == (number == 0), f"start at {number}"
        terminal = event["type"] in ("end", "error")
        assert not terminal or number == len(events) - 1, f"after the terminal event: {events}"
    _check_order(events)
    _check_questions(events, always=approved)


def _check_shape(event: Event) -> None:
    keys = list(event)
    assert keys[:3] == ["type", "seq", "ts"], f"keys begin with {keys[:3]}"
    assert event["type"] in SCHEMA, f"unknown type in {event}"
    required, optional = SCHEMA[event["type"]]
    assert event.get("redacted", True) is True, f"redacted is true or absent: {event}"
    fields = set(keys[3:]) - {"redacted"}
    assert fields >= required.keys(), f"{required.keys() - fields} lack in {event}"
    unknown = fields - required.keys() - optional.keys()
    assert not unknown, f"unknown fields {unknown} in {event}"
    for name, kind in (required | optional | {"seq": int, "ts": int}).items():
        if name not in event or kind is object:
            continue
        fits = isinstance(event[name], (int, float) if kind is float else kind)
        assert fits and (kind is bool or not isinstance(event[name], bool)), f"{name} of {event}"
    if "usage" in event:
        assert {"inputTokens", "outputTokens"} <= event["usage"].keys() <= USAGE, event
        assert all(type(value) is int and value >= 0 for value in event["usage"].values()), event
    assert event.get("stopReason", "other") in STOPS, event
    assert event.get("durationMs", 0) >= 0, event
    if event["type"] == "error":
        _check_verdict(event)
    elif event["type"] == "end":
        assert event["exitCode"] == 0, event


def _check_verdict(event: Event) -> None:
    if event["code"] == "cancelled":
        # A call of the library cancels without one.
        assert event["exitCode"] == SIGNALS[event.get("signal", "SIGINT")], event
    else:
        assert event["exitCode"] == STATUSES[event["code"]], event
        assert "signal" not in event, event
    assert event["error"].strip() and "Traceback" not in event["error"], event
    if event["exitCode"] in _PROMISED_RETRYABLE:
        assert event["retryable"] is True, event


def _check_order(events: Sequence[Event]) -> None:
    """Turns follow each other, deltas stay inside what they belong to."""
    turn, in_response, running = 0, False, dict[str, str]()
    seen: set[str] = set()
    inputs: dict[str, str] = {}
    for event in events:
        kind = event["type"]
        if kind == "turn_start":
            assert not running, f"a turn starts while tools run: {event}"
            again = in_response and event["turn"] == turn
            assert again or event["turn"] == turn + 1, f"turn {event['turn']} after {turn}"
            turn, in_response = event["turn"], True
        elif kind == "turn_end":
            assert in_response and event["turn"] == turn, f"turn_end out of place: {event}"
            in_response = False
        elif kind == "tool_input_delta" and not in_response:
            assert event["text"] and event["toolId"] not in seen, f"input too late: {event}"
            inputs[event["toolId"]] = inputs.get(event["toolId"], "") + event["text"]
        elif kind in ("text_delta", "reasoning_delta", "tool_input_delta"):
            assert in_response and event["text"], f"{kind} outside a response, or empty: {event}"
        elif kind == "permission_request":
            _check_input(event, inputs)
        elif kind == "tool_start":
            asked = event["turn"] in (turn, 0)
            assert not in_response and asked, f"tool_start in a response: {event}"
            assert event["toolId"] not in seen, f"a second fate: {event}"
            seen.add(event["toolId"])
            running[event["toolId"]] = event["toolName"]
            _check_input(event, inputs)
        elif kind in ("tool_output_delta", "tool_end"):
            assert running.get(event["toolId"]) == event["toolName"], f"outside a pair: {event}"
            if kind == "tool_end":
                del running[event["toolId"]]
        elif kind in ("permission_denied", "tool_rejected"):
            assert not in_response and event["toolId"] not in seen, f"a second fate: {event}"
            seen.add(event["toolId"])
    if events and events[-1]["type"] in ("end", "error"):
        assert not running, f"no tool_end for {running}"
        assert events[-1]["type"] == "error" or not in_response, "end inside a response"


def _check_input(event: Event, inputs: Mapping[str, str]) -> None:
    """Before an event that had to cut a call's input came all of it."""
    whole = inputs.get(event["toolId"])
    if "inputTruncated" not in event:
        assert whole is None or loads(whole) == event["toolInput"], f"two inputs: {event}"
        return
    assert whole is not None, f"an input that was nowhere whole: {event}"
    assert _is_cut(event["toolInput"], loads(whole), whole), f"a cut of another input: {event}"


def _is_cut(shown: Any, value: Any, text: str) -> bool:
    if isinstance(shown, dict) and set(shown) == {"omitted", "sha256", "head"}:
        said = (value if isinstance(value, str) else text).encode()
        same = shown["sha256"] == sha256(said).hexdigest() and shown["omitted"] == len(said)
        return same and said.decode().startswith(shown["head"])
    if isinstance(shown, dict) and isinstance(value, dict):
        return shown.keys() == value.keys() and all(_is_cut(shown[k], value[k], "") for k in shown)
    if isinstance(shown, list) and isinstance(value, list):
        return len(shown) == len(value) and all(map(_is_cut, shown, value, [""] * len(shown)))
    return bool(shown == value)


def _check_questions(events: Sequence[Event], *, always: bool = False) -> None:
    """One question at a time while nothing else happens, and what is answered is what becomes."""
    asked: dict[str, Event] = {}
    answers: dict[str, str] = {}
    waiting, running = "", 0
    for event in events:
        kind, call = event["type"], event.get("toolId", "")
        overtaken = kind == "permission_denied" and event["rule"] == "run_ended"
        if waiting:
            aside = kind in ("notice", "control_rejected")
            quiet = aside or (kind == "permission_answer" and call == waiting)
            assert quiet or overtaken, f"{event} while {waiting} is asked about"
            waiting = waiting if aside else ""
        if kind == "permission_request":
            assert not running and call not in asked, f"asked late, or twice: {event}"
            asked[call], waiting = event, call
        elif kind == "permission_answer":
            assert call in asked and call not in answers, f"an answer to nothing: {event}"
            assert event["answer"] in ("once", "always", "no") and event["by"], event
            answers[call] = event["answer"]
            always = always or event["answer"] == "always"
        elif kind == "tool_start":
            running += 1
            allowed = answers.get(call) in ("once", "always")
            assert allowed == (call in asked), f"not what was answered: {event}"
            assert (event["rule"] == "user") <= (allowed or always), f"no one said yes: {event}"
            assert not allowed or event["rule"] == "user", event
            shown = asked.get(call, event)
            cut = "inputTruncated" in shown or "inputTruncated" in event
            assert cut or event["toolInput"] == shown["toolInput"], f"not what was shown: {event}"
        elif kind == "tool_end":
            running -= 1
        elif kind == "permission_denied" and call in asked and not overtaken:
            assert answers.get(call) == "no", f"not what was answered: {event}"


def _check_fates(events: Sequence[Event]) -> None:
    """A tool's deltas are its output; what was cut says how much there was."""
    capped = {event.get("toolId") for event in events if event.get("code") == "output_capped"}
    for end in (event for event in events if event["type"] == "tool_end"):
        assert ("truncated" in end) == ("outputBytes" in end), end
        assert ("outputFile" in end) == ("outputSha256" in end), end
        assert end.get("reason") in (None, "timeout", "cancelled", "protected"), end
        fits = len(end["toolOutput"].encode()) <= OUTPUT_LIMIT + 256 or object_laws.is_whole(end)
        assert fits, "toolOutput is over 48 KiB"
        if end["toolName"] != "bash" or end["toolId"] in capped:
            continue
        mine = (e for e in events if e["type"] == "tool_output_delta")
        shown = "".join(e["text"] for e in mine if e["toolId"] == end["toolId"])
        if end.get("truncated"):
            assert end["toolOutput"][:3000] == shown[:3000], "toolOutput does not begin the same"
            assert end["toolOutput"][-1000:] == shown[-1000:], "toolOutput does not end the same"
        else:
            assert end["toolOutput"] == shown, f"deltas {shown!r}, toolOutput {end['toolOutput']!r}"


def _check_text(events: Sequence[Event]) -> None:
    last = events[-1]
    if last["type"] != "end":
        return
    begun = (n for n, event in enumerate(events) if event["type"] == "turn_start")
    begin = max(begun, default=0)  # an object may need no turn of the main loop
    shown = "".join(e["text"] for e in events[begin:] if e["type"] == "text_delta")
    if last.get("truncated"):
        assert last["textBytes"] == len(shown.encode()), last["textBytes"]
        assert last["text"][:3000] == shown[:3000] and last["text"][-1000:] == shown[-1000:]
    else:
        assert last["text"] == shown, f"deltas {shown!r}, text {last['text']!r}"


def _check_totals(events: Sequence[Event]) -> None:
    last, count = events[-1], Counter(event["type"] for event in events)
    turns = [event for event in events if event["type"] == "turn_end"]
    # The pair of the run's own object was asked for by no turn.
    started = [event for event in events if event["type"] == "tool_start"]
    assert last["toolCalls"] == sum(event["turn"] > 0 for event in started), last
    assert len(turns) <= last["turns"] <= count["turn_start"], last
    told = sum(event["totalTokens"] for event in turns)
    assert last["totalTokens"] >= told, f"{last['totalTokens']} of {told} tokens"
    if last["type"] == "end" and not count["retry"]:
        nested = any(event["toolName"] == object_laws.NAME for event in started)
        nested = nested or any(event.get("code") == "compacted" for event in events)
        assert last["totalTokens"] == told or nested, last
        assert last["turns"] == len(turns), last
    denials = [
        {"toolId": e["toolId"], "toolName": e["toolName"], "rule": e["rule"]}
        for e in events
        if e["type"] == "permission_denied"
    ]
    told_denials = last.get("permissionDenials", [])
    omitted = last.get("permissionDenialsOmitted", 0)
    assert omitted == 0 or len(json.dumps(denials)) > LINE_LIMIT // 4, "room for every denial"
    assert len(told_denials) + omitted == len(denials), last
    assert all(denial in denials for denial in told_denials), "another denial than was shown"
