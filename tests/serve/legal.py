"""Event streams that could happen: turns of text, reasoning and calls that run side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from a3s_cli import events as e
from a3s_cli.events import Event
from a3s_cli.messages import Usage

_TOTALS = {"turns": 1, "tool_calls": 0, "total_tokens": 3, "duration_ms": 1}
_FAILED = {"error": "It is broken.", "retryable": False, "exit_code": 1, **_TOTALS}

#: Any stream may be cut by one of these, except that only a failure comes at any time.
ENDINGS: Mapping[str, Event] = {
    "end": e.End(text="", usage=Usage(2, 1, 0, 0, 0, 3), **_TOTALS),
    "error": e.Error(code="network", **_FAILED),
    "cancelled": e.Error(code="cancelled", **_FAILED),
}

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_USAGE = st.none() | st.just(Usage(2, 1, 0, 0, 0, 3))


@st.composite
def legal_streams(draw: st.DrawFn) -> list[Event]:
    """Return a stream that keeps the laws of the contract."""
    found: list[Event] = [e.Start(schema_version=1, version="0", run_id="r1", model="p/m")]
    turns = draw(st.integers(1, 3))
    for turn in range(1, turns + 1):
        found.append(e.TurnStart(turn=turn))
        spoken = st.builds(e.TextDelta, text=_TEXT) | st.builds(e.ReasoningDelta, text=_TEXT)
        found += draw(st.lists(spoken, max_size=5))
        last = turn == turns
        reason = "end_turn" if last else "tool_use"
        told: dict[str, Any] = {"turn": turn, "total_tokens": 3, "stop_reason": reason}
        found.append(e.TurnEnd(usage=draw(_USAGE), **told))
        if not last:
            found += draw(_calls(turn))
    found.append(draw(st.sampled_from(list(ENDINGS.values()))))
    for seq, event in enumerate(found):
        event.__dict__.pop("seq", None)
        event.stamp(seq, 1_700_000_000_000 + seq)
    return found


@st.composite
def _calls(draw: st.DrawFn, turn: int) -> list[Event]:
    """Return calls of one turn, their events in any order that each of them allows."""
    queues = [draw(_call(f"c{turn}.{number}", turn)) for number in range(draw(st.integers(1, 3)))]
    mixed: list[Event] = []
    while any(queues):
        queue = draw(st.sampled_from([one for one in queues if one]))
        mixed.append(queue.pop(0))
    return mixed


@st.composite
def _call(draw: st.DrawFn, tool_id: str, turn: int) -> list[Event]:
    is_bash = draw(st.booleans())
    named: dict[str, Any] = {
        "tool_name": "bash" if is_bash else "read",
        "tool_id": tool_id,
    }
    fate = draw(st.sampled_from(["done", "done", "cancelled", "denied", "rejected"]))
    given: dict[str, Any] = {"tool_input": {"command": draw(_TEXT)}}
    if fate == "denied":
        why = {
            "rule": "default",
            "reason": "No.",
            "hint": draw(st.sampled_from(["", "--allow bash"])),
        }
        return [e.PermissionDenied(decision="ask", **named, **given, **why)]
    if fate == "rejected":
        why = {"reason": "invalid_arguments", "error": "It does not fit."}
        return [e.ToolRejected(raw_input=draw(_TEXT), **named, **why)]
    found: list[Event] = []
    if draw(st.booleans()):
        found.append(e.PermissionRequest(rule="default", **named, **given))
        found.append(e.PermissionAnswer(tool_id=tool_id, answer="once", by="user"))
    found.append(e.ToolStart(turn=turn, rule="user", **named, **given))
    printed = draw(st.lists(_TEXT, max_size=3))
    found += [e.ToolOutputDelta(text=text, **named) for text in printed]
    # A command's own status is no failure of the call.
    ending: dict[str, Any] = {"exit_code": draw(st.sampled_from([0, 3])) if is_bash else 0}
    if fate == "cancelled":
        ending = {"exit_code": 130, "reason": "cancelled"}
    found.append(e.ToolEnd(tool_output="".join(printed), duration_ms=1, **named, **ending))
    return found
