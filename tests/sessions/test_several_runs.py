"""The file of a session is a recording of several runs: audit and replay read it as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.audit.policy_file import AuditRule
from a3s_cli.audit.verdict import Verdict, judge
from a3s_cli.errors import InvalidStream
from a3s_cli.sessions import lines as session_lines
from a3s_cli.stream.reader import ASIDE, INTERRUPTED, read

from . import talk

Event = dict[str, Any]


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    """A session of two runs, with three turns and two of them."""
    file = talk.store(tmp_path).create("/w")
    talk.run(file, "one?", "one.", turns=2)
    talk.run(file, "two?", "two.", turns=1, first=3)
    file.close()
    return file.path.read_bytes().splitlines(keepends=True)


def interrupted(lines: list[bytes]) -> list[bytes]:
    """The first run was killed during its second call."""
    place = _where(lines, "tool_end", 2)
    aside = session_lines.line(INTERRUPTED, runs=1, turns=2)
    return [*lines[:place], aside, *lines[_where(lines, "start", 2) :]]


def _where(lines: list[bytes], kind: str, number: int) -> int:
    return [n for n, line in enumerate(lines) if _kind(line) == kind][number - 1]


def _kind(line: bytes) -> str:
    kind: str = json.loads(line)["type"]
    return kind


def problems(lines: list[bytes]) -> list[str]:
    return [str(problem) for problem in judge(lines, "x", ()).problems]


def verdict(lines: list[bytes], **rule: Any) -> Verdict:
    return judge(lines, "x", [AuditRule("r", **rule)])


def test_both_sides_mean_the_same_lines() -> None:
    kinds = {session_lines.MESSAGES, session_lines.CLOSED, session_lines.INTERRUPTED}
    assert all(kind.startswith(ASIDE) for kind in kinds)
    assert session_lines.INTERRUPTED == INTERRUPTED


def test_it_is_whole(lines: list[bytes]) -> None:
    found = list(read(lines, "x"))
    assert [line.data for line in found] == lines
    assert [line.event is None for line in found] == [
        _kind(line).startswith(ASIDE) for line in lines
    ]


def test_without_its_own_lines_it_is_the_streams(lines: list[bytes]) -> None:
    stream = [line for line in lines if not _kind(line).startswith(ASIDE)]
    assert problems(stream) == []
    assert [json.loads(line)["seq"] for line in stream] == [*range(18), *range(13)]


def test_the_figures_are_those_of_all_runs(lines: list[bytes]) -> None:
    judged = judge(lines, "x", ())
    assert (judged.outcome, judged.lines) == ("clean", len(lines))
    totals = judged.totals
    assert (totals.runs, totals.turns, totals.tool_calls, totals.tokens) == (2, 5, 3, 15)
    assert (totals.end, totals.model, totals.duration_ms) == ("end", "openai/test-model", 2)
    one = judge(lines[: _where(lines, "start", 2)], "x", ()).totals
    assert (one.runs, one.turns, one.tool_calls) == (None, 3, 2)


def test_limits_are_for_each_run(lines: list[bytes]) -> None:
    assert verdict(lines, limits={"max_turns": 3}).rules[0].count == 0
    judged = verdict(lines, limits={"max_turns": 2})
    (breach,) = judged.rules[0].breaches
    assert breach.what == "max_turns is 2, the run reached 3"
    assert breach.line == _where(lines, "start", 2)


def test_each_call_is_judged(lines: list[bytes]) -> None:
    judged = verdict(lines, must_not=("bash(ls:*)",))
    assert [breach.call for breach in judged.rules[0].breaches] == ["c1", "c2", "c3"]


def test_a_run_that_was_killed(lines: list[bytes]) -> None:
    """The run is incomplete, and an audit says so; the next runs are read."""
    cut = interrupted(lines)
    place = _where(cut, INTERRUPTED, 1) + 1
    assert problems(cut) == [f"line {place}: type: the run was interrupted: it has no end or error"]
    assert verdict(cut, must_end=("end",)).rules[0].breaches[0].what == (
        "the run ended in interrupted, not in end"
    )
    assert [line.data for line in read(cut, "x")] == cut


def test_a_run_that_was_killed_and_is_the_last(lines: list[bytes]) -> None:
    cut = lines[: _where(lines, "tool_end", 3)]
    assert [problem.split(": ", 1)[1] for problem in problems(cut)] == [
        "toolId: the call 'c3' has no tool_end",
        "type: the stream has no end or error",
    ]


Change = Callable[[Event], Event]
#: What is no further run of the session: a change of its start, and what is said of it.
STRANGERS: dict[str, Change] = {
    "another session": lambda start: {**start, "sessionId": "other"},
    "no session": lambda start: {name: start[name] for name in start if name != "sessionId"},
}


@pytest.mark.parametrize("name", STRANGERS)
def test_two_recordings_are_not_one(lines: list[bytes], name: str) -> None:
    place = _where(lines, "start", 2)
    start = STRANGERS[name](json.loads(lines[place]))
    lines[place] = json.dumps(start).encode() + b"\n"
    assert f"line {place + 1}: type: start after the end of the run" in problems(lines)
    with pytest.raises(InvalidStream, match=f"line {place + 1}: type: start"):
        list(read(lines, "x"))


@pytest.mark.parametrize("place", range(36))
def test_a_spoilt_line_is_blamed_alone(lines: list[bytes], place: int) -> None:
    """Nothing is said of the lines behind it, but for what they had to do with the lost one."""
    kind = _kind(lines[place])
    found = problems([*lines[:place], b"{spoilt\n", *lines[place + 1 :]])
    assert found[0].startswith(f"line {place + 1}: ") or kind == "tool_end"
    related = {"tool_start": 2, "tool_end": 1, "end": 1}
    assert len(found) - 1 <= related.get(kind, 0), found


def test_a_gap_is_still_a_gap(lines: list[bytes]) -> None:
    place = _where(lines, "turn_start", 4)
    found = problems(lines[:place] + lines[place + 1 :])
    assert len(found) == 1 and ": seq: " in found[0]


def test_an_id_is_used_once_in_a_session(lines: list[bytes]) -> None:
    again = [line.replace(b'"toolId":"c3"', b'"toolId":"c1"') for line in lines]
    assert [problem.split(": ", 1)[1] for problem in problems(again)] == [
        "toolId: the call 'c1' has already ended"
    ]
