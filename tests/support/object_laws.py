"""The laws of a growing object, checked on any stream that has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Event = dict[str, Any]
NAME = "generate_object"


def is_whole(event: Event) -> bool:
    """Whether a line may be as long as its object: half of one is of no use."""
    return "object" in event or (event.get("type"), event.get("toolName")) == ("tool_end", NAME)


def is_prefix(before: Any, after: Any) -> bool:
    """Whether one state of a growing value may be followed by another."""
    if isinstance(before, str) and isinstance(after, str):
        return after.startswith(before)
    if isinstance(before, list) and isinstance(after, list):
        if len(before) > len(after):
            return False
        whole = all(map(same, before[:-1], after))
        return whole and (not before or is_prefix(before[-1], after[len(before) - 1]))
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(before)
        if keys != list(after)[: len(keys)]:
            return False
        whole = all(same(before[key], after[key]) for key in keys[:-1])
        return whole and (not keys or is_prefix(before[keys[-1]], after[keys[-1]]))
    return same(before, after)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1 is not true, and not 1.0."""
    return json.dumps(one) == json.dumps(other)


def check(events: Sequence[Event]) -> None:
    """Hold each pair of generate_object against the contract."""
    for end in events:
        if end["type"] == "tool_end" and end["toolName"] == NAME:
            deltas = [
                json.loads(event["text"])
                for event in events
                if event["type"] == "tool_output_delta" and event["toolId"] == end["toolId"]
            ]
            _check_pair(deltas, end)
    last = events[-1]
    finals = [e for e in events if e["type"] == "tool_start" and e["turn"] == 0]
    assert all(event["toolName"] == NAME for event in finals) and len(finals) <= 1, finals
    if "object" in last:
        told = json.loads(_end_of(events, finals[0])["toolOutput"])
        assert same(told["object"], last["object"]), last


def _end_of(events: Sequence[Event], start: Event) -> Event:
    return next(e for e in events if e["type"] == "tool_end" and e["toolId"] == start["toolId"])


def _check_pair(deltas: list[Event], end: Event) -> None:
    told = json.loads(end["toolOutput"])
    assert "truncated" not in end, end
    assert all(type(delta["final"]) is bool for delta in deltas), deltas
    rounds = [delta["round"] for delta in deltas]
    assert rounds == sorted(rounds), f"rounds {rounds}"
    assert [d["final"] for d in deltas] == [False] * (len(deltas) - 1) + [
        end["exitCode"] == 0
    ] * bool(deltas), f"final is not the last: {deltas}, {end}"
    for before, after in pairwise(deltas):
        if before["round"] != after["round"] or "object_partial" not in before:
            continue
        if "object_partial" in after:
            partials = before["object_partial"], after["object_partial"]
            assert is_prefix(*partials), f"{partials[0]} is no prefix of {partials[1]}"
    if end["exitCode"] == 0:
        assert told.keys() == {"object", "repairRounds"}, told
        last = deltas[-1]
        omitted = last.get("object_partial_omitted")
        assert omitted or same(last["object_partial"], told["object"]), last
    else:
        assert told.keys() == {"error", "violations"} and told["error"], told
        assert all(one.keys() == {"path", "message"} for one in told["violations"]), told
